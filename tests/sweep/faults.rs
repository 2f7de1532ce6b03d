//! Two nights with faults switched on between them, on real servers.

use linkdial_testcontainers::{
    Certificates, HttpEndpoint, KafkaCluster, Login, Minio, Switch, User,
};

use super::*;

fn s3(minio: &Minio, name: &str, login: &Login, target: &str) -> String {
    let link = minio.create_link(&format!("shop.{name}"), login);
    format!(
        "{link}CREATE PIPELINE shop.p_{name} AS LOAD DATA LINK shop.{name} '{target}' \
         INTO TABLE t;\n"
    )
}

#[test]
fn the_diff_the_stories_and_the_incidents_name_exactly_what_happened() {
    let minio = Minio::start().unwrap();
    let mut cluster = KafkaCluster::start().unwrap();
    let certificates = Certificates::shared();
    let good = HttpEndpoint::start_tls(certificates.server_tls(certificates.good()));
    let swapped = certificates.server_tls(certificates.unknown_issuer());
    let swapped = HttpEndpoint::start_tls(swapped);
    let secure = Switch::start(good.addr());
    let secure_url = format!("https://localhost:{}/", secure.addr().port());
    let stream = cluster.create_link("shop.stream");
    let target = format!("{}/orders", cluster.addr(1));

    // The id has the form of one, so that reports show it.
    let (root, reader) = (User::Root.login(), User::ReadOnly.hmac_login());
    let script = [
        s3(&minio, "bucket_a", &root, "empty/a/"),
        s3(&minio, "bucket_b", &root, "empty/b/"),
        s3(&minio, "key_a", &reader, "private/top"),
        s3(&minio, "key_b", &reader, "private/team/"),
        s3(&minio, "good", &root, "public/"),
        http("secure_a", &secure_url),
        http("secure_b", &secure_url),
        stream.to_string(),
        format!(
            "CREATE PIPELINE shop.p_stream AS LOAD DATA LINK shop.stream '{target}' \
             INTO TABLE t;\n"
        ),
    ]
    .concat();
    let ca = certificates.ca_file().to_str().unwrap();
    let registered = Registered(TempDir::new().unwrap());
    let output = registered.apply(&script, &["--ca-file", ca]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let options = ["--ca-file", ca, "--confirm", "200ms"];
    let first = registered.sweep(&options).expect(0);
    assert_eq!(first.verdicts().len(), 8);
    assert_eq!(first.changes(), [""; 0]);
    assert_eq!(first.night()["incidents"], serde_json::json!([]));
    let expiries = first.night()["expiries"].as_array().unwrap();
    assert_eq!(expiries.len(), 1, "{expiries:#?}");
    assert_eq!(expiries[0]["kind"], "certificate");
    assert_eq!(
        expiries[0]["links"],
        serde_json::json!(["shop.secure_a", "shop.secure_b"])
    );

    let dead = cluster.addr(3).to_string();
    cluster.kill(3);
    secure.turn_to(Some(swapped.addr()));
    minio.rotate_secret(&reader).unwrap();
    minio.store().remove_bucket("empty").unwrap();
    let second = registered.sweep(&options).expect(1);
    let red = [
        ("bucket_a", "access.not-found"),
        ("bucket_b", "access.not-found"),
        ("key_a", "authenticate.bad-secret"),
        ("key_b", "authenticate.bad-secret"),
        ("secure_a", "tls.unknown-issuer"),
        ("secure_b", "tls.unknown-issuer"),
        ("stream", "connect.refused"),
    ];
    let verdicts = second.verdicts();
    assert!(
        verdicts.contains(&"shop.good pass -".to_owned()),
        "{verdicts:?}"
    );
    let newly: Vec<String> = (red.iter())
        .map(|(link, code)| format!("newly red: shop.{link} pass -> {code}"))
        .collect();
    let mut said = second.changes();
    let certificates_changed: Vec<String> = said.split_off(newly.len());
    assert_eq!(said, newly);
    assert_eq!(certificates_changed.len(), 2, "{certificates_changed:#?}");
    for (line, link) in certificates_changed.iter().zip(["secure_a", "secure_b"]) {
        assert!(
            line.starts_with(&format!("certificate changed: shop.{link} ")),
            "{line}"
        );
    }

    // One incident for each thing that happened.
    let incidents = second.night()["incidents"].as_array().unwrap();
    let folded: Vec<String> = (incidents.iter())
        .map(|incident| {
            let checks = incident["checks"].as_array().unwrap().iter();
            let links: Vec<_> = checks.map(|check| word(&check["link"])).collect();
            format!(
                "{} {} {} {}",
                word(&incident["cause"]),
                word(&incident["shared"]),
                word(&incident["code"]),
                links.join("+")
            )
        })
        .collect();
    let issuer = incidents
        .iter()
        .find(|incident| incident["cause"] == "issuer")
        .map(|incident| word(&incident["shared"]).to_owned())
        .unwrap();
    let key = &reader.access_key_id;
    let expected = [
        format!("issuer {issuer} tls.unknown-issuer shop.secure_a+shop.secure_b"),
        format!("identity {key} authenticate.bad-secret shop.key_a+shop.key_b"),
        "resource empty access.not-found shop.bucket_a+shop.bucket_b".to_owned(),
        format!("server {dead} connect.refused shop.stream"),
    ];
    let mut sorted = folded.clone();
    sorted.sort();
    let mut wanted = expected.to_vec();
    wanted.sort();
    assert_eq!(sorted, wanted);

    // A story for each red link: the certificate where it was swapped, nothing else anywhere.
    let stories = second.night()["stories"].as_array().unwrap();
    let told: Vec<String> = (stories.iter())
        .map(|story| {
            assert_eq!(story["green"]["number"], 1);
            let differences = story["differences"].as_array().unwrap().iter();
            let facts: Vec<_> = differences.map(|it| word(&it["fact"])).collect();
            format!("{}: {}", word(&story["check"]["link"]), facts.join(", "))
        })
        .collect();
    let certificate = format!("certificate localhost:{}", secure.addr().port());
    let expected: Vec<String> = (red.iter())
        .map(|(link, _)| {
            let fact = if link.starts_with("secure") {
                &*certificate
            } else {
                ""
            };
            format!("shop.{link}: {fact}")
        })
        .collect();
    assert_eq!(told, expected);

    // The history says the same.
    let diff = registered.history(&["--diff"]);
    let mut from_history = changes(&diff["changes"]);
    from_history.truncate(newly.len());
    assert_eq!(from_history, newly);
    let diff = registered.history(&["--diff", "2", "1"]);
    let back = changes(&diff["changes"]);
    assert_eq!(
        back.iter()
            .filter(|it| it.starts_with("newly green"))
            .count(),
        7,
        "{back:#?}"
    );
}

#[test]
fn a_changed_definition_is_told_with_who_and_when() {
    let minio = Minio::shared();
    let reader = User::ReadOnly.hmac_login();
    let registered = Registered::with(&s3(minio, "a", &reader, "private/"));
    registered.sweep(&[]).expect(0);
    let worse = minio
        .create_link("shop.a", &User::NoPolicy.hmac_login())
        .to_string();
    let worse = worse.replacen("CREATE LINK", "CREATE OR REPLACE LINK", 1);
    let output = registered.apply(&worse, &["--defer"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let swept = registered.sweep(&["--confirm", "0"]).expect(1);
    let changes = swept.changes();
    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert_eq!(changes[0], "newly red: shop.a pass -> access.denied");
    assert!(
        changes[1].starts_with("definition changed: shop.a "),
        "{changes:#?}"
    );
    let differences = &swept.night()["stories"][0]["differences"];
    let now = word(&differences[0]["now"]);
    assert!(
        now.starts_with("replaced 20") && now.ends_with(" by root"),
        "{now}"
    );
    assert_eq!(differences[1]["fact"], "key_id", "{:#}", swept.report);
}
