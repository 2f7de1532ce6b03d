//! The clocks of this machine and of a server that refuses signatures of another time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::code::Code;
use crate::diagnosis::Diagnosis;
use crate::endpoint::Endpoint;

/// Reads a date of HTTP (RFC 9110, section 5.6.7).
pub fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// Returns how far this machine's clock is ahead of a server's, in seconds; negative when it is
/// behind.
pub fn seconds_ahead(server_time: Timestamp) -> i64 {
    Timestamp::now().duration_since(server_time).as_secs()
}

/// Returns the finding that a server refuses a signature because of this machine's clock, which may
/// differ from its own by `limit`.
pub fn clock_skew(
    endpoint: &Endpoint,
    server_time: Option<Timestamp>,
    limit: Duration,
) -> Diagnosis {
    let skew = server_time.map(seconds_ahead);
    let message = match skew {
        Some(seconds) if seconds >= 0 => {
            format!("this machine's clock is {seconds} s ahead of {endpoint}")
        }
        Some(seconds) => format!("this machine's clock is {} s behind {endpoint}", -seconds),
        None => format!("the clocks of this machine and {endpoint} differ too much"),
    };
    Diagnosis::new(Code::AuthenticateClockSkew, message)
        .evidence(
            "skew_seconds",
            skew.map(|it| format!("{it:+}")).unwrap_or_default(),
        )
        .evidence(
            "server_time",
            server_time.map(|it| it.to_string()).unwrap_or_default(),
        )
        .hint(format!(
            "set the clock of this machine; signatures are refused beyond {} minutes",
            limit.as_secs() / 60
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_are_read() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(http_date("yesterday"), None);
    }
}
