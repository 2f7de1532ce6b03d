//! The promises that every provider keeps.

use linkdial_core::testing::{self, Fixture, Link};
use linkdial_core::{Driver, Kind, Target};
use linkdial_http::Http;

#[test]
fn conformance() {
    let fixture = Fixture {
        test: "conformance",
        link: |base, secret| Link {
            definition: testing::definition(
                Kind::Http,
                "",
                &format!(r#"{{"headers": {{"Authorization": "Bearer {secret}"}}}}"#),
            ),
            target: Some(Target::new(format!("{base}/score"))),
        },
        faulty: || {
            [
                (r#"{"headers": {"X-Key": "secret"}}"#, ""),
                (
                    "",
                    r#"{"headers": {"Host": "other", "a b": "c", "X": "a\r\nb"}}"#,
                ),
                ("", r#"{"headers": {"Authorization": "Basic ???"}}"#),
                ("", r#"{"headers": {"X": "1", "x": "2"}}"#),
                ("", r#"{"heders": {}, "wide": 1}"#),
                ("", r#"{"headers": ["#),
            ]
            .map(|(config, credentials)| testing::definition(Kind::Http, config, credentials))
            .into()
        },
        writes: |request| !request.is_safe(),
        write: None,
    };
    testing::conformance(&Driver::of::<Http>(), &fixture).assert();
}
