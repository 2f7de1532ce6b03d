//! What belongs to an account: its name, its clouds, and the targets that name it.

mod common;

use common::{SHARED_KEY, config, dial, dial_with, error, listing, settings};
use linkdial_core::net::Net;
use linkdial_core::testing::record::summary;
use linkdial_core::{Intent, Settings};
use linkdial_testcontainers::{DnsAnswer, DnsServer, ScriptedHttp};

#[test]
fn an_account_that_no_name_belongs_to_is_the_accounts_fault() {
    let server = DnsServer::always(DnsAnswer::NotFound);
    let settings = Settings {
        net: Net::builder().dns_server(server.addr()).build(),
        ..settings()
    };
    let steps = dial_with(SHARED_KEY, "", Some("box"), Intent::READ, settings);
    assert_eq!(
        summary(&steps),
        "fail resolve.not-found CREDENTIALS/account_name"
    );
    let step = steps.iter().find(|step| step.endpoint.is_some()).unwrap();
    let endpoint = step.endpoint.as_ref().unwrap();
    assert_eq!(endpoint.host, "orders.blob.core.windows.net");
}

#[test]
fn an_account_of_another_cloud_is_known_where_its_name_is() {
    let loopback = DnsAnswer::Addresses(vec![std::net::Ipv4Addr::LOCALHOST.into()]);
    let names = DnsServer::always(loopback);
    let missing = || {
        error(
            404,
            "ResourceNotFound",
            "The specified resource does not exist.",
        )
    };
    let server = ScriptedHttp::always([missing()]);
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    for (host, expected) in [
        ("orders.blob.core.chinacloudapi.cn", "fail access.not-found"),
        (
            "azurite",
            "fail authenticate.unknown-key CONFIG/endpoint_url",
        ),
        (
            "azurite.example.com/orders",
            "fail authenticate.unknown-key CREDENTIALS/account_name",
        ),
    ] {
        let settings = Settings {
            net: Net::builder().dns_server(names.addr()).build(),
            ..settings()
        };
        let (name, path) = host.split_once('/').unwrap_or((host, ""));
        let config = format!(r#"{{"endpoint_url":"http://{name}:{port}/{path}"}}"#);
        let steps = dial_with(SHARED_KEY, &config, Some("box"), Intent::READ, settings);
        assert_eq!(summary(&steps), expected, "{host}");
    }
}

#[test]
fn a_target_that_does_not_fit_is_not_dialled() {
    let server = ScriptedHttp::always([listing("")]);
    for target in ["https://orders.blob.core.windows.net/box", "Box", "a*/x"] {
        let steps = dial(SHARED_KEY, &config(&server), Some(target));
        assert_eq!(summary(&steps), "fail define.target-invalid", "{target}");
    }
    for target in [
        "abfss://box@other.dfs.core.windows.net/in/",
        "wasbs://box@other.blob.core.windows.net/in/",
    ] {
        let steps = dial(SHARED_KEY, &config(&server), Some(target));
        assert_eq!(
            summary(&steps),
            "fail define.target-invalid CREDENTIALS/account_name",
            "{target}"
        );
    }
    assert!(server.requests().is_empty());
    for target in [
        "azure://box/in/",
        "wasbs://box@orders.blob.core.windows.net/in/",
    ] {
        let steps = dial(SHARED_KEY, &config(&server), Some(target));
        let codes: Vec<_> = steps
            .iter()
            .filter_map(|step| step.diagnosis.as_ref())
            .map(|finding| finding.code.as_str())
            .collect();
        assert_eq!(codes, ["define.target-scheme"]);
    }
    assert_eq!(server.requests().len(), 2);
}
