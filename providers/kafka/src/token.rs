//! What a bearer token says about itself, as far as it is a JWT (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use linkdial_core::Diagnosis;
use serde_json::Value;

/// Returns whether a text has only characters of a token (RFC 6750, section 2.1).
pub(crate) fn is_spelled(token: &str) -> bool {
    let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    token.bytes().all(spelled)
}

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

    /// Returns what a report says of them; empty where the token does not tell.
    pub(crate) fn listed(&self) -> [(&'static str, String); 4] {
        let expires = self.expires.map(|it| it.to_string());
        [
            ("issuer", self.issuer.clone()),
            ("audience", self.audience.clone()),
            ("subject", self.subject.clone()),
            ("expires", expires.unwrap_or_default()),
        ]
    }

    /// Adds them to a finding about the token.
    pub(crate) fn tell(&self, finding: Diagnosis) -> Diagnosis {
        let listed = self.listed().into_iter();
        listed.fold(finding, |finding, (name, value)| {
            finding.evidence(name, value)
        })
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
