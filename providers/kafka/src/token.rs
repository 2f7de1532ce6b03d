//! What a bearer token says about itself, as far as it is a JWT (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

/// The claims that a broker judges; never the token itself.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) expires: Option<Timestamp>,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) subject: String,
}

impl Claims {
    /// Reads the claims; none of a token that is no JWT. Nothing is verified: that is the broker's.
    pub(crate) fn read(token: &str) -> Self {
        let payload = token.split('.').nth(1).unwrap_or_default();
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('='));
        let claims = payload.ok().and_then(|it| serde_json::from_slice(&it).ok());
        let Some(Value::Object(claims)) = claims else {
            return Self::default();
        };
        let text = |name: &str| match claims.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(items)) => {
                let items = items.iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        };
        let number = claims.get("exp").and_then(Value::as_f64);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds, and as beyond it clamps"
        )]
        let expires = number.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
        Self {
            expires,
            issuer: text("iss"),
            audience: text("aud"),
            subject: text("sub"),
        }
    }

    /// Returns whether the token is past its end.
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_other_tokens_have_none() {
        let payload = URL_SAFE_NO_PAD
            .encode(r#"{"exp": 1700000000, "iss": "i", "aud": ["a", "b"], "sub": "s"}"#);
        let claims = Claims::read(&format!("e30.{payload}.c2ln"));
        assert_eq!(
            (claims.issuer.as_str(), claims.audience.as_str()),
            ("i", "a, b")
        );
        assert!(claims.expired("2024-01-01T00:00:00Z".parse().unwrap()));
        assert!(!claims.expired("2023-01-01T00:00:00Z".parse().unwrap()));
        for other in ["", "opaque", "a.b.c", "e30.bnVsbA.x"] {
            assert_eq!(Claims::read(other).expires, None, "{other}");
        }
    }
}
