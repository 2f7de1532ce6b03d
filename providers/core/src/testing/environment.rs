//! The environment of the process is not the link's: the suite runs itself in a child whose
//! environment is full of other people's keys, proxies and certificates.
#![expect(
    clippy::disallowed_methods,
    reason = "the child is told its part by a variable"
)]

use std::env;
use std::process::Command;

use crate::provider::Driver;
use crate::target::Intent;

use super::server::{Reply, Server, answer};
use super::{Fixture, SECRET, Verdict, brief, dial_blocking, ensure, settings};

/// Tells the child which server to dial.
const SERVER: &str = "LINKDIAL_CONFORMANCE_SERVER";
/// Stands before the child's record in its output.
const RECORD: &str = "conformance record: ";
/// Stands in every poisoned value.
const POISON: &str = "P0ISON";

/// Variables that hold a URL which somebody could dial.
const URLS: [&str; 15] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "STORAGE_EMULATOR_HOST",
    "GCE_METADATA_HOST",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
];

/// Variables that hold a key, a name or a path.
const VALUES: [&str; 24] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_STORAGE_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "HADOOP_CONF_DIR",
    "HADOOP_USER_NAME",
    "KRB5_CONFIG",
    "KRB5CCNAME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
];

/// A poisoned child and a clean one see the same server and must say the same.
pub(super) fn none_is_read(_: &Driver, fixture: &Fixture) -> Verdict {
    let trap = Server::start(|_| Reply::Bytes(answer("200 OK", "", "{}")));
    let server = Server::start(|_| Reply::Bytes(answer("200 OK", "", "{}")));
    let mut clean = child(fixture, &server)?;
    for name in URLS.iter().chain(&VALUES) {
        clean.env_remove(name);
    }
    let clean = record(&mut clean)?;
    let mut poisoned = child(fixture, &server)?;
    for name in URLS {
        poisoned.env(name, format!("http://{POISON}:{POISON}@{}", trap.address()));
    }
    for name in VALUES {
        poisoned.env(name, format!("/nowhere/{POISON}"));
    }
    for name in ["NO_PROXY", "no_proxy", "AWS_EC2_METADATA_DISABLED"] {
        poisoned.env_remove(name);
    }
    let poisoned = record(&mut poisoned)?;
    ensure(trap.connections() == 0, || {
        "a variable of the environment decided what was dialled".to_owned()
    })?;
    let heard = server.requests();
    ensure(!heard.is_empty(), || {
        format!("nothing was dialled: {clean}")
    })?;
    ensure(
        !heard.iter().any(|request| request.head.contains(POISON)),
        || "a value of the environment was sent".to_owned(),
    )?;
    ensure(clean == poisoned, || {
        format!("the environment changed the record from `{clean}` to `{poisoned}`")
    })
}

fn child(fixture: &Fixture, server: &Server) -> Result<Command, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(program);
    child
        .args(["--exact", fixture.test, "--nocapture", "--include-ignored"])
        .env(SERVER, server.base());
    Ok(child)
}

fn record(child: &mut Command) -> Result<String, String> {
    let output = child.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let record = text
        .lines()
        .find_map(|line| line.split_once(RECORD))
        .map(|(_, record)| record);
    record.map(str::to_owned).ok_or_else(|| {
        "the child ran no check: is `Fixture::test` the name of this test?".to_owned()
    })
}

/// Plays the child's part where this process is one.
pub(super) fn in_child(driver: &Driver, fixture: &Fixture) -> bool {
    let Ok(base) = env::var(SERVER) else {
        return false;
    };
    let link = (fixture.link)(&base, SECRET);
    let steps = dial_blocking(driver, &link, settings(), Intent::READ);
    let notes: Vec<_> = steps.iter().flat_map(|step| &step.notes).collect();
    let line = format!("{RECORD}{} {notes:?}\n", brief(&steps));
    // libtest captures `println!`, and this is no output of a command.
    drop(std::io::Write::write_all(
        &mut std::io::stdout(),
        line.as_bytes(),
    ));
    true
}
