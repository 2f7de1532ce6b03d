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

/// Servers that eight links lead to.
struct World {
    minio: Minio,
    /// The key of two links; its id has the form of one, so that reports show it.
    reader: Login,
    cluster: KafkaCluster,
    secure: Switch,
    /// Has a certificate of an issuer that nobody trusts.
    swapped: HttpEndpoint,
    _good: HttpEndpoint,
}

/// What each link of the second night is red for.
const RED: [(&str, &str); 7] = [
    ("bucket_a", "access.not-found"),
    ("bucket_b", "access.not-found"),
    ("key_a", "authenticate.bad-secret"),
    ("key_b", "authenticate.bad-secret"),
    ("secure_a", "tls.unknown-issuer"),
    ("secure_b", "tls.unknown-issuer"),
    ("stream", "connect.refused"),
];

impl World {
    fn start() -> Self {
        let certificates = Certificates::shared();
        let good = HttpEndpoint::start_tls(certificates.server_tls(certificates.good()));
        let swapped = certificates.server_tls(certificates.unknown_issuer());
        Self {
            minio: Minio::start().unwrap(),
            reader: User::ReadOnly.hmac_login(),
            cluster: KafkaCluster::start().unwrap(),
            secure: Switch::start(good.addr()),
            swapped: HttpEndpoint::start_tls(swapped),
            _good: good,
        }
    }

    fn script(&self) -> String {
        let (root, secure) = (User::Root.login(), self.secure.addr().port());
        let secure = format!("https://localhost:{secure}/");
        let stream = self.cluster.create_link("shop.stream");
        [
            s3(&self.minio, "bucket_a", &root, "empty/a/"),
            s3(&self.minio, "bucket_b", &root, "empty/b/"),
            s3(&self.minio, "key_a", &self.reader, "private/top"),
            s3(&self.minio, "key_b", &self.reader, "private/team/"),
            s3(&self.minio, "good", &root, "public/"),
            http("secure_a", &secure),
            http("secure_b", &secure),
            stream.to_string(),
            format!(
                "CREATE PIPELINE shop.p_stream AS LOAD DATA LINK shop.stream '{}/orders' \
                 INTO TABLE t;\n",
                self.cluster.addr(1)
            ),
        ]
        .concat()
    }

    /// A bucket is removed, a key rotated, a certificate swapped, a broker stopped.
    fn break_all(&mut self) {
        self.cluster.kill(3);
        self.secure.turn_to(Some(self.swapped.addr()));
        self.minio.rotate_secret(&self.reader).unwrap();
        self.minio.store().remove_bucket("empty").unwrap();
    }
}

#[test]
fn the_diff_the_stories_and_the_incidents_name_exactly_what_happened() {
    let mut world = World::start();
    let ca = Certificates::shared().ca_file().to_str().unwrap();
    let registered = Registered(TempDir::new().unwrap());
    let output = registered.apply(&world.script(), &["--ca-file", ca]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let options = ["--ca-file", ca, "--confirm", "200ms"];
    let first = registered.sweep(&options).expect(0);
    assert_eq!(first.verdicts().len(), 8);
    assert_eq!(first.changes(), [""; 0]);
    assert_eq!(first.night()["incidents"], serde_json::json!([]));
    let expiries = first.night()["expiries"].as_array().unwrap();
    assert_eq!(expiries.len(), 1, "{expiries:#?}");
    assert_eq!(expiries[0]["kind"], "certificate");
    let links = serde_json::json!(["shop.secure_a", "shop.secure_b"]);
    assert_eq!(expiries[0]["links"], links);

    world.break_all();
    let second = registered.sweep(&options).expect(1);
    let good = "shop.good pass -".to_owned();
    assert!(second.verdicts().contains(&good), "{:?}", second.verdicts());
    let newly = newly_red();
    let mut changed = second.changes();
    let certificates = changed.split_off(newly.len());
    assert_eq!(changed, newly);
    assert_eq!(certificates.len(), 2, "{certificates:#?}");
    for (line, link) in certificates.iter().zip(["secure_a", "secure_b"]) {
        let start = format!("certificate changed: shop.{link} ");
        assert!(line.starts_with(&start), "{line}");
    }
    incidents_are_told(&world, second.night());
    stories_are_told(&world, second.night());

    // The history says the same.
    let diff = registered.history(&["--diff"]);
    let mut from_history = changes(&diff["changes"]);
    from_history.truncate(newly.len());
    assert_eq!(from_history, newly);
    let back = changes(&registered.history(&["--diff", "2", "1"])["changes"]);
    let green = back.iter().filter(|it| it.starts_with("newly green"));
    assert_eq!(green.count(), RED.len(), "{back:#?}");
}

fn newly_red() -> Vec<String> {
    let line = |(link, code): &(&str, &str)| format!("newly red: shop.{link} pass -> {code}");
    RED.iter().map(line).collect()
}

/// One incident for each thing that happened.
fn incidents_are_told(world: &World, night: &Value) {
    let incidents = night["incidents"].as_array().unwrap().iter();
    let mut folded: Vec<String> = incidents
        .map(|incident| {
            let checks = incident["checks"].as_array().unwrap().iter();
            let links: Vec<_> = checks.map(|check| word(&check["link"])).collect();
            let [cause, shared, code] =
                ["cause", "shared", "code"].map(|name| word(&incident[name]));
            format!("{cause} {shared} {code} {}", links.join("+"))
        })
        .collect();
    folded.sort();
    let key = &world.reader.access_key_id;
    let dead = world.cluster.addr(3);
    assert_eq!(
        folded,
        [
            format!("identity {key} authenticate.bad-secret shop.key_a+shop.key_b"),
            "issuer CN=linkdial foreign CA tls.unknown-issuer shop.secure_a+shop.secure_b"
                .to_owned(),
            "resource empty access.not-found shop.bucket_a+shop.bucket_b".to_owned(),
            format!("server {dead} connect.refused shop.stream"),
        ]
    );
}

/// A story for each red link: the certificate where it was swapped, nothing else anywhere.
fn stories_are_told(world: &World, night: &Value) {
    let stories = night["stories"].as_array().unwrap().iter();
    let told: Vec<String> = stories
        .map(|story| {
            assert_eq!(story["green"]["number"], 1);
            let differences = story["differences"].as_array().unwrap().iter();
            let facts: Vec<_> = differences.map(|it| word(&it["fact"])).collect();
            format!("{}: {}", word(&story["check"]["link"]), facts.join(", "))
        })
        .collect();
    let certificate = format!("certificate localhost:{}", world.secure.addr().port());
    let expected = RED.iter().map(|(link, _)| {
        let swapped = link.starts_with("secure");
        let fact = if swapped { certificate.as_str() } else { "" };
        format!("shop.{link}: {fact}")
    });
    assert_eq!(told, expected.collect::<Vec<_>>());
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
    let start = "definition changed: shop.a ";
    assert!(changes[1].starts_with(start), "{changes:#?}");
    let differences = &swept.night()["stories"][0]["differences"];
    let now = word(&differences[0]["now"]);
    assert!(
        now.starts_with("replaced 20") && now.ends_with(" by root"),
        "{now}"
    );
    assert_eq!(differences[1]["fact"], "key_id", "{:#}", swept.report);
}
