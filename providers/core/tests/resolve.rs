//! Names, and the addresses that must not be dialled.

mod support;

use std::net::{IpAddr, TcpListener};

use linkdial_core::net::{Net, NetBuilder, Policy};
use linkdial_core::{Code, Stage};
use linkdial_testcontainers::{DnsAnswer, DnsServer};
use support::{climb, evidence};

fn asks(server: &DnsServer) -> NetBuilder {
    Net::builder().dns_server(server.addr())
}

#[tokio::test]
async fn the_four_reasons_of_a_name_without_address_differ() {
    let rows = [
        (DnsAnswer::NotFound, Code::ResolveNotFound, "NXDOMAIN"),
        (DnsAnswer::NoAddress, Code::ResolveNoAddress, ""),
        (
            DnsAnswer::ServerFailure,
            Code::ResolveServerFailed,
            "Server Failure",
        ),
        (
            DnsAnswer::Refused,
            Code::ResolveServerFailed,
            "Query Refused",
        ),
    ];
    for (answer, code, dns) in rows {
        let server = DnsServer::always(answer);
        let climb = climb(asks(&server).build(), "db.example", 80, None).await;
        let finding = climb.fails(code);
        assert!(finding.message.contains("db.example"));
        assert!(evidence(finding, "dns").contains(dns), "{finding:#?}");
        climb.at_once();
        assert!(server.asked().iter().all(|name| name == "db.example"));
    }
}

#[tokio::test]
async fn silent_name_servers_end_at_the_deadline() {
    let server = DnsServer::always(DnsAnswer::Silence);
    let climb = climb(asks(&server).build(), "db.example", 80, None).await;
    assert_eq!(
        evidence(climb.fails(Code::ResolveTimedOut), "limit"),
        "stage"
    );
    climb.at_the_deadline();
    assert!(server.queries() > 0);
}

#[tokio::test]
async fn a_name_that_resolves_is_dialled_at_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = DnsServer::always(DnsAnswer::Addresses(vec!["127.0.0.1".parse().unwrap()]));
    let climb = climb(asks(&server).build(), "db.example", port, None).await;
    climb.passes();
    assert_eq!(climb.note(Stage::Resolve, "addresses"), "127.0.0.1");
    assert_eq!(
        climb.note(Stage::Connect, "address"),
        format!("127.0.0.1:{port}")
    );
}

#[tokio::test]
async fn refused_addresses_are_refused_in_every_form() {
    let metadata = "169.254.169.254".parse().unwrap();
    let answers = DnsServer::always(DnsAnswer::Addresses(vec![metadata]));
    let rows = [
        (Net::default(), "169.254.169.254"),
        (Net::default(), "[::ffff:169.254.169.254]"),
        (Net::default(), "[64:ff9b::a9fe:a9fe]"),
        (Net::default(), "[fe80::1]"),
        (Net::default(), "100.100.100.200"),
        (
            Net::builder().resolve("db.example", metadata).build(),
            "DB.example",
        ),
        (asks(&answers).build(), "db.example"),
        (
            Net::builder().only("10.0.0.0/8".parse().unwrap()).build(),
            "127.0.0.1",
        ),
    ];
    for (net, host) in rows {
        let climb = climb(net, host, 80, None).await;
        let finding = climb.fails(Code::ResolveAddressRefused);
        assert!(!evidence(finding, "addresses").is_empty());
        climb.at_once();
    }
}

#[tokio::test]
async fn a_refused_address_among_good_ones_is_left_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = ["169.254.169.254", "127.0.0.1"]
        .map(|it| it.parse().unwrap())
        .into();
    let server = DnsServer::always(DnsAnswer::Addresses(addresses));
    let port = listener.local_addr().unwrap().port();
    let climb = climb(asks(&server).build(), "db.example", port, None).await;
    climb.passes();
    assert_eq!(climb.note(Stage::Resolve, "addresses"), "127.0.0.1");
    assert_eq!(climb.note(Stage::Resolve, "refused"), "169.254.169.254");
}

#[tokio::test]
async fn the_hint_names_a_network_that_lifts_the_refusal() {
    for host in ["169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::23"] {
        let refused = climb(Net::default(), host, 80, None).await;
        let hint = refused.fails(Code::ResolveAddressRefused).hint.clone();
        let hint = hint.unwrap_or_default();
        let address: IpAddr = hint.rsplit(' ').next().unwrap().parse().unwrap();
        let policy = Policy {
            allow: vec![address.into()],
            only: Vec::new(),
        };
        assert_eq!(policy.refuses(host.parse().unwrap()), None, "{hint}");
    }
}

#[tokio::test]
async fn of_many_addresses_a_few_are_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = (1..=20_u8).map(|it| [127, 0, 0, it].into()).collect();
    let server = DnsServer::always(DnsAnswer::Addresses(addresses));
    let port = listener.local_addr().unwrap().port();
    let climb = climb(asks(&server).build(), "db.example", port, None).await;
    climb.passes();
    let tried = climb.note(Stage::Resolve, "addresses");
    assert_eq!(tried.split(", ").count(), 16, "{tried}");
    assert_eq!(climb.note(Stage::Resolve, "left_out"), "4");
}

#[tokio::test]
async fn an_override_asks_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = DnsServer::always(DnsAnswer::NotFound);
    let net = asks(&server).resolve("db.example", "127.0.0.1".parse().unwrap());
    let port = listener.local_addr().unwrap().port();
    let climb = climb(net.build(), "db.example", port, None).await;
    climb.passes();
    assert_eq!(climb.note(Stage::Resolve, "source"), "--resolve");
    assert_eq!(server.queries(), 0);
}

#[tokio::test]
async fn servers_of_a_service_are_named_by_the_domain() {
    let name = "_kerberos._tcp.example.com";
    let first = ("kdc1.example.com".to_owned(), 88);
    let second = ("kdc2.example.com".to_owned(), 750);
    let none = (".".to_owned(), 0);
    let rows = [
        (
            DnsAnswer::Services(vec![first.clone(), second.clone(), none.clone()]),
            vec![first, second],
        ),
        (DnsAnswer::Services(vec![none]), Vec::new()),
        (DnsAnswer::NotFound, Vec::new()),
        (DnsAnswer::NoAddress, Vec::new()),
    ];
    for (answer, wanted) in rows {
        let server = DnsServer::always(answer);
        let found = asks(&server).build().services(name).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|it| (it.host, it.port)).collect();
        assert_eq!(found, wanted);
        // The name as it is, in no search domain of this machine.
        assert!(server.asked().iter().all(|asked| asked == name));
    }
    for (answer, code) in [
        (DnsAnswer::ServerFailure, Code::ResolveServerFailed),
        (DnsAnswer::Silence, Code::ResolveTimedOut),
    ] {
        let server = DnsServer::always(answer);
        let fault = asks(&server).build().services(name).await.unwrap_err();
        assert_eq!(fault.code, code);
    }
}
