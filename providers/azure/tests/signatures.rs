//! Shared access signatures, judged here and by scripted answers, and links without a container.

mod common;

use common::{
    SHARED_KEY, UNPROVED, config, detailed, dial, dial_with, error, good_sas, listed, listing, sas,
    settings, xml,
};
use linkdial_core::testing::record::{note, summary};
use linkdial_core::{Intent, Settings};
use linkdial_testcontainers::ScriptedHttp;

const SAS: &str = "CREDENTIALS/sas_token";

#[test]
fn a_refused_signature_is_told_apart_by_its_detail() {
    let expired = "Signature not valid in the specified time frame: Start [Thu, 09 Jul 2020 10:11:03 GMT] - Expiry [Thu, 09 Jul 2020 18:11:03 GMT] - Current [Fri, 10 Jul 2020 10:16:22 GMT]";
    let early = "Signature not valid in the specified time frame: Start [Fri, 10 Jul 2020 11:00:00 GMT] - Expiry [Fri, 10 Jul 2020 18:11:03 GMT] - Current [Fri, 10 Jul 2020 10:16:22 GMT]";
    let unstarted = "Signed expiry time [Mon, 08 Aug 2016 08:08:51 GMT] must be after signed start time [Mon, 08 Aug 2016 08:11:13 GMT]";
    let mismatch = "Signature did not match. String to sign used was rl\n\n2099-01-01";
    let malformed = "Signature fields not well formed.";
    for (detail, expected) in [
        (
            expired,
            "fail authenticate.token-expired CREDENTIALS/sas_token",
        ),
        (
            unstarted,
            "fail authenticate.token-expired CREDENTIALS/sas_token",
        ),
        (
            early,
            "fail authenticate.token-invalid CREDENTIALS/sas_token",
        ),
        (
            mismatch,
            "fail authenticate.token-invalid CREDENTIALS/sas_token",
        ),
        (
            malformed,
            "fail authenticate.token-invalid CREDENTIALS/sas_token",
        ),
        ("", "fail authenticate.token-invalid CREDENTIALS/sas_token"),
    ] {
        let answer = detailed(403, "AuthenticationFailed", UNPROVED, detail);
        assert_eq!(summary(&listed(&good_sas(), answer)), expected, "{detail}");
    }
    let mac = "The MAC signature found in the HTTP request 'qZO7F10q9QBcztrM8ob3SdAI0EaIBfRyQ07Gug8uqao=' is not the same as any computed signature. Server used following string to sign: 'GET'.";
    let steps = listed(
        SHARED_KEY,
        detailed(403, "AuthenticationFailed", UNPROVED, mac),
    );
    assert_eq!(
        summary(&steps),
        "fail authenticate.bad-secret CREDENTIALS/account_key"
    );
    assert!(!format!("{steps:?}").contains("qZO7F10q9QBcztrM8ob3SdAI0EaIBfRyQ07Gug8uqao="));
}

#[test]
fn a_signature_is_judged_before_a_packet_is_sent() {
    let server = ScriptedHttp::always([listing("")]);
    for (parameters, intent, expected) in [
        (
            "sr=c&sp=rl&se=2020-01-01",
            Intent::READ,
            "fail authenticate.token-expired",
        ),
        (
            "sr=c&sp=rl&st=2098-01-01&se=2099-01-01",
            Intent::READ,
            "fail authenticate.token-invalid",
        ),
        (
            "sr=c&sp=r&se=2099-01-01",
            Intent::READ,
            "fail access.denied",
        ),
        ("sr=c&sp=l&se=2099-01-01", Intent::READ, "fail read.denied"),
        (
            "sr=b&sp=rl&se=2099-01-01",
            Intent::READ,
            "fail access.denied",
        ),
        (
            "ss=q&srt=sco&sp=rl&se=2099-01-01",
            Intent::READ,
            "fail access.denied",
        ),
        (
            "ss=b&srt=so&sp=rl&se=2099-01-01",
            Intent::READ,
            "fail access.denied",
        ),
        (
            "sr=c&sp=rl&se=2099-01-01",
            Intent::WRITE,
            "fail write.denied",
        ),
    ] {
        let settings = Settings {
            write: true,
            ..settings()
        };
        let credentials = sas(parameters);
        let steps = dial_with(
            &credentials,
            &config(&server),
            Some("box"),
            intent,
            settings,
        );
        assert_eq!(summary(&steps), format!("{expected} {SAS}"), "{parameters}");
    }
    // What the signature says of itself is known without leave to write.
    let reader = sas("sr=c&sp=rl&se=2099-01-01");
    let target = Some("box");
    let steps = dial_with(&reader, &config(&server), target, Intent::WRITE, settings());
    assert_eq!(summary(&steps), format!("fail write.denied {SAS}"));
    assert!(server.requests().is_empty());
}

#[test]
fn a_signature_that_can_not_clean_up_does_not_write() {
    let server = ScriptedHttp::always([listing("")]);
    let settings = Settings {
        write: true,
        ..settings()
    };
    let credentials = sas("sr=c&sp=rlcw&se=2099-01-01");
    let steps = dial_with(
        &credentials,
        &config(&server),
        Some("box"),
        Intent::WRITE,
        settings,
    );
    let unproven = note(&steps, "unproven").unwrap();
    assert!(unproven.contains("d (delete) in `sp`"), "{unproven}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_link_alone_asks_for_the_service() {
    let properties =
        || xml("<StorageServiceProperties><Logging/></StorageServiceProperties>".to_owned());
    let containers = || xml("<EnumerationResults><Containers/></EnumerationResults>".to_owned());
    let everything = sas("ss=b&srt=sco&sp=rl&se=2099-01-01");
    for (credentials, answer, query) in [
        (SHARED_KEY.to_owned(), properties(), "restype=service"),
        (everything.clone(), properties(), "restype=service"),
        (
            sas("ss=b&srt=sco&sp=l&se=2099-01-01"),
            containers(),
            "comp=list",
        ),
    ] {
        let server = ScriptedHttp::always([answer]);
        let steps = dial(&credentials, &config(&server), None);
        assert_eq!(summary(&steps), "pass", "{credentials}");
        assert!(server.requests()[0].query.contains(query));
        assert_eq!(note(&steps, "account"), Some("orders"));
        assert!(note(&steps, "unproven").unwrap().contains("container"));
    }
    // Being refused that one right proves the signature.
    let server = ScriptedHttp::always([error(403, "AuthorizationPermissionMismatch", "m")]);
    assert_eq!(summary(&dial(&everything, &config(&server), None)), "pass");
    let server = ScriptedHttp::always([error(403, "AuthorizationFailure", "not authorized")]);
    assert_eq!(
        summary(&dial(&everything, &config(&server), None)),
        "fail access.denied"
    );
    let state = "Read operations are currently disabled.";
    let server = ScriptedHttp::always([error(403, "InsufficientAccountPermissions", state)]);
    assert_eq!(
        summary(&dial(&everything, &config(&server), None)),
        "fail access.denied CREDENTIALS/account_name"
    );
    // One container is all it is for.
    let steps = dial(&good_sas(), &config(&server), None);
    assert_eq!(summary(&steps), "unverified define.no-target");
}
