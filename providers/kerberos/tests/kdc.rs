//! Logins at the KDC of MIT Kerberos.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use linkdial_core::net::Net;
use linkdial_core::{Code, Outcome, Stage};
use linkdial_kerberos::{Identity, Krb5Conf, LogIn, Proof, TicketCache, Unproved};
use linkdial_testcontainers::broken::{BlackHole, Broken, Fault, RefusedPort};
use linkdial_testcontainers::{DnsAnswer, DnsServer, Kdc, KdcOptions};
use support::{
    AT_ONCE, EARLY, LIMIT, SHORT, conf, conf_of, evidence, identity, keys, proved, try_log_in,
    try_with, try_within,
};

const PASSED: [(Stage, Outcome); 3] = [
    (Stage::Resolve, Outcome::Pass),
    (Stage::Connect, Outcome::Pass),
    (Stage::Authenticate, Outcome::Pass),
];

async fn kdc_conf(kdc: &Kdc) -> Krb5Conf {
    Krb5Conf::read(&kdc.krb5_conf()).await.unwrap()
}

#[tokio::test]
async fn a_good_keytab_gets_tickets() {
    let kdc = Kdc::shared();
    let keytab = kdc.keytab(&["alice", "kafka/localhost"]).unwrap();
    let conf = kdc_conf(kdc).await;
    let alice = identity("alice@LINKDIAL.TEST", &keytab).await;
    let tried = try_log_in(&conf, &alice).await;
    let login = tried.done();
    assert_eq!(tried.walked(), PASSED);
    assert!(tried.elapsed < AT_ONCE, "{tried:#?}");
    assert_eq!(tried.note("enctype"), "aes256-cts-hmac-sha1-96");
    assert_eq!(tried.note("kvno"), "1");
    assert_eq!(tried.note("transport"), "TCP");
    assert!(["+0", "+1", "-1"].contains(&tried.note("clock_offset_s")));
    assert_eq!(login.principal().to_string(), "alice@LINKDIAL.TEST");

    let net = Net::default();
    let initiator = login.ticket(&net, "kafka", "LOCALHOST", LIMIT).await;
    let server = initiator.unwrap().server().to_string();
    assert_eq!(server, "kafka/localhost@LINKDIAL.TEST");
    let fault = login.ticket(&net, "kafka", "127.0.0.1", LIMIT).await;
    let finding = fault.unwrap_err().into_diagnosis(&alice.guilty);
    assert_eq!(finding.code, Code::AuthenticateServiceUnknown);
    assert_eq!(keys(&finding), ["/service"]);
    assert_eq!(
        evidence(&finding, "service"),
        "kafka/127.0.0.1@LINKDIAL.TEST"
    );
    assert_eq!(
        evidence(&finding, "kdc_error"),
        "KDC_ERR_S_PRINCIPAL_UNKNOWN"
    );
    // The file says that no library asks for another name.
    assert!(!login.canonicalizes_hosts());
    assert_eq!(evidence(&finding, "dns_canonicalize_hostname"), "");
}

#[tokio::test]
async fn keys_and_names_that_do_not_fit_are_told_apart() {
    let kdc = Kdc::shared();
    let conf = kdc_conf(kdc).await;

    let stale = identity("late@LINKDIAL.TEST", &kdc.stale_keytab("late").unwrap()).await;
    let tried = try_log_in(&conf, &stale).await;
    let finding = tried.fails(Code::AuthenticateKeytabStale);
    assert_eq!(evidence(finding, "kdc_error"), "KDC_ERR_PREAUTH_FAILED");
    assert_eq!(evidence(finding, "keytab_kvno"), "1");
    assert_eq!(keys(finding), ["/keytab"]);
    assert!(tried.elapsed < AT_ONCE, "{tried:#?}");

    let ghost = kdc.unknown_keytab("ghost").unwrap();
    let ghost = identity("ghost@LINKDIAL.TEST", &ghost).await;
    let tried = try_log_in(&conf, &ghost).await;
    let finding = tried.fails(Code::AuthenticatePrincipalUnknown);
    let error = evidence(finding, "kdc_error");
    assert_eq!(error, "KDC_ERR_C_PRINCIPAL_UNKNOWN");
    assert_eq!(evidence(finding, "principal"), "ghost@LINKDIAL.TEST");
    assert_eq!(evidence(finding, "kdc"), kdc.addr().to_string());
    assert_eq!(keys(finding), ["/principal"]);

    let keytab = kdc.keytab(&["alice"]).unwrap();
    let other = identity("alice@linkdial.test", &keytab).await;
    let tried = try_log_in(&conf, &other).await;
    let finding = tried.fails(Code::DefinePrincipalNotInKeytab);
    assert_eq!(evidence(finding, "keytab_has"), "alice@LINKDIAL.TEST");
    assert!(
        finding
            .hint
            .as_ref()
            .unwrap()
            .contains("alice@LINKDIAL.TEST")
    );
    assert_eq!(keys(finding), ["/principal"]);
}

#[tokio::test]
async fn a_kdc_that_asks_for_no_proof_tells_a_stale_key_as_well() {
    let kdc = KdcOptions::default().without_preauthentication().start();
    let kdc = kdc.unwrap();
    let conf = kdc_conf(&kdc).await;
    let good = identity("alice@LINKDIAL.TEST", &kdc.keytab(&["alice"]).unwrap()).await;
    try_log_in(&conf, &good).await.done();
    let stale = identity("late@LINKDIAL.TEST", &kdc.stale_keytab("late").unwrap()).await;
    let tried = try_log_in(&conf, &stale).await;
    let finding = tried.fails(Code::AuthenticateKeytabStale);
    assert_eq!(evidence(finding, "keytab_kvno"), "1");
}

#[tokio::test]
async fn without_keys_the_principal_is_asked_for() {
    let kdc = Kdc::shared();
    let conf = kdc_conf(kdc).await;
    kdc.keytab(&["alice"]).unwrap();
    let tried = try_log_in(&conf, &proved("alice@LINKDIAL.TEST", Proof::Nothing)).await;
    assert!(
        matches!(&tried.login, Some(LogIn::Unproved(Unproved::NoKeys))),
        "{tried:#?}"
    );
    let tried = try_log_in(&conf, &proved("nobody@LINKDIAL.TEST", Proof::Nothing)).await;
    tried.fails(Code::AuthenticatePrincipalUnknown);
}

#[tokio::test]
async fn a_ticket_cache_is_shown_to_the_kdc() {
    let kdc = Kdc::shared();
    let conf = kdc_conf(kdc).await;
    let path = kdc.ticket_cache("carol").unwrap();
    kdc.keytab(&["kafka/localhost"]).unwrap();
    let cache = TicketCache::read(&path).await.unwrap().unwrap();
    assert_eq!(cache.principal.to_string(), "carol@LINKDIAL.TEST");
    let carol = proved("carol@LINKDIAL.TEST", Proof::Cache(cache.clone()));
    let tried = try_log_in(&conf, &carol).await;
    let login = tried.done();
    assert_eq!(tried.note("from"), "ticket cache");
    let net = Net::default();
    login
        .ticket(&net, "kafka", "localhost", LIMIT)
        .await
        .unwrap();

    // Another KDC of a realm of the same name did not make it.
    let other = Kdc::start().unwrap();
    other.keytab(&["carol"]).unwrap();
    let tried = try_log_in(&kdc_conf(&other).await, &carol).await;
    let finding = tried.fails(Code::AuthenticateTokenInvalid);
    assert_eq!(keys(finding), ["/keytab"]);

    let dave = proved("dave@LINKDIAL.TEST", Proof::Cache(cache));
    let tried = try_log_in(&conf, &dave).await;
    let finding = tried.fails(Code::AuthenticateTokenInvalid);
    assert_eq!(evidence(finding, "cache_has"), "carol@LINKDIAL.TEST");
}

#[tokio::test]
async fn two_identities_do_not_mix() {
    let kdc = Kdc::shared();
    let conf = kdc_conf(kdc).await;
    kdc.keytab(&["kafka/localhost"]).unwrap();
    let anna = identity("anna@LINKDIAL.TEST", &kdc.keytab(&["anna"]).unwrap()).await;
    let bert = identity("bert@LINKDIAL.TEST", &kdc.keytab(&["bert"]).unwrap()).await;
    let log_in = |identity: Identity| {
        let conf = conf.clone();
        tokio::spawn(async move { try_log_in(&conf, &identity).await.done() })
    };
    let (anna, bert) = tokio::join!(log_in(anna), log_in(bert));
    let (anna, bert) = (anna.unwrap(), bert.unwrap());
    assert_eq!(anna.principal().to_string(), "anna@LINKDIAL.TEST");
    assert_eq!(bert.principal().to_string(), "bert@LINKDIAL.TEST");
    // Both at once, from many tasks, as brokers are visited.
    let mut tasks = Vec::new();
    for login in [&anna, &bert, &anna, &bert] {
        let login = login.clone();
        let ask = async move {
            login
                .ticket(&Net::default(), "kafka", "localhost", LIMIT)
                .await
        };
        tasks.push(tokio::spawn(ask));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn encryption_types_that_are_not_computed_are_left_to_others() {
    let kinds = ["aes256-cts-hmac-sha384-192", "aes128-cts-hmac-sha256-128"];
    let kdc = KdcOptions::default().encryption_types(&kinds).start();
    let kdc = kdc.unwrap();
    let keytab = kdc.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &keytab).await;
    let tried = try_log_in(&kdc_conf(&kdc).await, &alice).await;
    let Some(LogIn::Unproved(Unproved::EncryptionTypes(left))) = &tried.login else {
        panic!("{tried:#?}");
    };
    let left: Vec<i32> = left.iter().map(|it| it.0).collect();
    assert_eq!(left, [20, 19]);
    // Nobody has logged in.
    assert_eq!(tried.walked(), PASSED[..2]);
    assert!(
        tried
            .note("unproved")
            .contains("aes256-cts-hmac-sha384-192")
    );
}

#[tokio::test]
async fn encryption_types_that_do_not_meet_are_a_finding() {
    let old = KdcOptions::default().encryption_types(&["aes128-cts-hmac-sha1-96"]);
    let old = old.start().unwrap();
    let new = KdcOptions::default().encryption_types(&["aes256-cts-hmac-sha1-96"]);
    let new = new.start().unwrap();
    new.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &old.keytab(&["alice"]).unwrap()).await;
    let tried = try_log_in(&kdc_conf(&new).await, &alice).await;
    let finding = tried.fails(Code::AuthenticateEncryptionType);
    assert_eq!(
        evidence(finding, "keytab_enctypes"),
        "aes128-cts-hmac-sha1-96"
    );
    assert_eq!(keys(finding), ["/keytab"]);
    try_log_in(&kdc_conf(&old).await, &alice).await.done();

    let path = old.krb5_conf();
    let text = std::fs::read_to_string(path).unwrap().replace(
        "[libdefaults]",
        "[libdefaults]\n permitted_enctypes = aes256-cts",
    );
    let tried = try_log_in(&conf(&text).await, &alice).await;
    tried.fails(Code::AuthenticateEncryptionType);
}

#[tokio::test]
async fn a_closed_kdc_is_known_at_once() {
    let kdc = Kdc::shared();
    let closed = RefusedPort::start();
    let conf = conf_of("LINKDIAL.TEST", &[closed.addr()]).await;
    let alice = identity("alice@LINKDIAL.TEST", &kdc.keytab(&["alice"]).unwrap()).await;
    let tried = try_log_in(&conf, &alice).await;
    let finding = tried.fails(Code::AuthenticateKdcUnreachable);
    assert!(evidence(finding, "tcp").contains("refused"), "{finding:#?}");
    assert!(evidence(finding, "udp").contains("refused"), "{finding:#?}");
    assert!(finding.keys.is_empty());
    assert!(tried.elapsed < AT_ONCE, "{tried:#?}");
}

#[tokio::test]
async fn a_silent_kdc_costs_one_deadline() {
    let kdc = Kdc::shared();
    let alice = identity("alice@LINKDIAL.TEST", &kdc.keytab(&["alice"]).unwrap()).await;
    let hole = BlackHole::start();
    let mute = Broken::start(Fault::Silent);
    for kdcs in [
        vec![hole.addr()],
        vec![mute.addr()],
        vec![hole.addr(), mute.addr()],
    ] {
        let conf = conf_of("LINKDIAL.TEST", &kdcs).await;
        let tried = try_within(SHORT, Net::default(), &conf, &alice).await;
        assert!(tried.login.is_none());
        let found: Vec<_> = tried
            .steps
            .iter()
            .filter_map(|it| it.diagnosis.as_ref())
            .collect();
        assert_eq!(found.len(), kdcs.len(), "{tried:#?}");
        for finding in found {
            assert_eq!(finding.code, Code::AuthenticateKdcUnreachable, "{tried:#?}");
            assert_eq!(evidence(finding, "tcp"), "silent");
        }
        assert!((EARLY..SHORT * 2).contains(&tried.elapsed), "{tried:#?}");
    }
}

#[tokio::test]
async fn one_dead_kdc_of_several_is_a_warning() {
    let kdc = Kdc::shared();
    let closed = RefusedPort::start();
    let conf = conf_of("LINKDIAL.TEST", &[closed.addr(), kdc.addr()]).await;
    let keytab = kdc.keytab(&["alice", "kafka/localhost"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &keytab).await;
    let tried = try_log_in(&conf, &alice).await;
    let login = tried.done();
    let finding = tried.finds(Code::AuthenticateKdcUnreachable, Outcome::Warn);
    assert_eq!(evidence(finding, "kdc"), closed.addr().to_string());
    assert!(login.canonicalizes_hosts(), "the default");
    let ticket = login
        .ticket(&Net::default(), "kafka", "localhost", LIMIT)
        .await;
    ticket.unwrap();
}

#[tokio::test]
async fn a_kdc_that_died_after_the_login_is_told() {
    let kdc = Kdc::start().unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &kdc.keytab(&["alice"]).unwrap()).await;
    let login = try_log_in(&kdc_conf(&kdc).await, &alice).await.done();
    drop(kdc);
    let net = Net::default();
    let fault = login
        .ticket(&net, "kafka", "localhost", LIMIT)
        .await
        .unwrap_err();
    assert_eq!(fault.code(), Code::AuthenticateKdcUnreachable);
}

#[tokio::test]
async fn dns_names_the_kdcs_where_the_file_does_not() {
    let kdc = Kdc::shared();
    let alice = identity("alice@LINKDIAL.TEST", &kdc.keytab(&["alice"]).unwrap()).await;
    let port = kdc.addr().port();
    let services = DnsAnswer::Services(vec![("kdc.linkdial.test.".to_owned(), port)]);
    let address = DnsAnswer::Addresses(vec![kdc.addr().ip()]);
    let dns = DnsServer::start(
        [
            ("_kerberos._tcp.LINKDIAL.TEST", services.clone()),
            ("_kerberos._udp.LINKDIAL.TEST", services),
            ("kdc.linkdial.test", address),
        ],
        DnsAnswer::NotFound,
    );
    let net = || Net::builder().dns_server(dns.addr()).build();
    let empty = conf("[libdefaults]\n").await;
    let tried = try_with(net(), &empty, &alice).await;
    tried.done();
    assert_eq!(tried.walked()[0], PASSED[0], "the question to DNS");
    assert_eq!(tried.walked()[1..], PASSED);
    assert_eq!(tried.note("kdcs"), format!("kdc.linkdial.test:{port}"));
    assert_eq!(tried.note("kdc_from"), "DNS");
    assert!(
        dns.asked()
            .contains(&"_kerberos._tcp.linkdial.test".to_owned())
    );

    // A realm that nobody names, and a file that forbids to ask.
    let asked = dns.queries();
    let forbidden = conf("[libdefaults]\n dns_lookup_kdc = no\n").await;
    let tried = try_with(net(), &forbidden, &alice).await;
    let finding = tried.fails(Code::AuthenticateRealmUnknown);
    assert!(evidence(finding, "dns").contains("not asked"));
    assert_eq!(dns.queries(), asked);
    let nowhere = DnsServer::always(DnsAnswer::NotFound);
    let net = Net::builder().dns_server(nowhere.addr()).build();
    let tried = try_with(net, &empty, &alice).await;
    let finding = tried.fails(Code::AuthenticateRealmUnknown);
    assert_eq!(evidence(finding, "dns"), "no SRV record");
    assert_eq!(keys(finding), ["/principal"]);
}

#[tokio::test]
async fn name_servers_that_fail_say_nothing_of_the_realm() {
    let alice = proved("alice@LINKDIAL.TEST", Proof::Nothing);
    let empty = conf("[libdefaults]\n").await;
    let half = DnsServer::start(
        [("_kerberos._udp.LINKDIAL.TEST", DnsAnswer::ServerFailure)],
        DnsAnswer::NotFound,
    );
    let failing = DnsServer::always(DnsAnswer::ServerFailure);
    let refusing = DnsServer::always(DnsAnswer::Refused);
    for dns in [failing, refusing, half] {
        let net = Net::builder().dns_server(dns.addr()).build();
        let tried = try_with(net, &empty, &alice).await;
        let finding = tried.fails(Code::ResolveServerFailed);
        assert_eq!(evidence(finding, "realm"), "LINKDIAL.TEST");
        assert!(!evidence(finding, "krb5_conf").is_empty());
        assert!(finding.keys.is_empty(), "{finding:#?}");
    }
    // The deadline ends some questions, and the resolver the others.
    let silent = DnsServer::always(DnsAnswer::Silence);
    for limit in [SHORT, LIMIT] {
        let net = Net::builder().dns_server(silent.addr()).build();
        let tried = try_within(limit, net, &empty, &alice).await;
        tried.fails(Code::ResolveTimedOut);
        assert_eq!(tried.walked(), [(Stage::Resolve, Outcome::Fail)]);
        assert!(tried.elapsed < LIMIT, "{tried:#?}");
    }
    let none = DnsServer::always(DnsAnswer::NoAddress);
    let net = Net::builder().dns_server(none.addr()).build();
    let tried = try_with(net, &empty, &alice).await;
    tried.fails(Code::AuthenticateRealmUnknown);
}

#[tokio::test]
async fn kdcs_behind_https_are_left_to_others() {
    let alice = proved("alice@LAB.TEST", Proof::Nothing);
    let dns = DnsServer::always(DnsAnswer::NotFound);
    let net = Net::builder().dns_server(dns.addr()).build();
    let conf = conf("[realms]\n LAB.TEST = {\n  kdc = https://kdc.lab.test/KdcProxy\n }\n").await;
    let tried = try_with(net, &conf, &alice).await;
    assert!(tried.login.is_none());
    let finding = tried.finds(Code::DefineNotCompiledIn, Outcome::Unverified);
    assert_eq!(evidence(finding, "kdc"), "https://kdc.lab.test/KdcProxy");
    assert_eq!(evidence(finding, "realm"), "LAB.TEST");
    assert!(finding.keys.is_empty());
    assert_eq!(dns.queries(), 0, "the file has named the KDC");
}

#[tokio::test]
async fn no_packet_goes_to_an_address_that_is_refused() {
    let kdc = Kdc::shared();
    let alice = identity("alice@LINKDIAL.TEST", &kdc.keytab(&["alice"]).unwrap()).await;
    let net = Net::builder().only("10.0.0.0/8".parse().unwrap()).build();
    let tried = try_with(net, &kdc_conf(kdc).await, &alice).await;
    tried.fails(Code::ResolveAddressRefused);
}
