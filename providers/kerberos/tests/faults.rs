//! KDCs that refuse, lie or speak another protocol: one finding for each, on real sockets.

mod support;

use std::time::Duration;

use linkdial_core::net::Net;
use linkdial_core::{Code, Outcome};
use linkdial_kerberos::{Krb5Conf, LogIn, Proof, Unproved};
use linkdial_testcontainers::Kdc;
use support::peer::{Peer, Says, error, methods};
use support::{
    AT_ONCE, EARLY, LIMIT, SHORT, Tried, conf, conf_of, evidence, identity, keys, proved,
    try_log_in, try_within,
};

/// Asks a peer for a principal, without a key.
async fn ask(peer: &Peer) -> Tried {
    let conf = conf_of("LAB.TEST", &[peer.addr()]).await;
    try_log_in(&conf, &proved("alice@LAB.TEST", Proof::Nothing)).await
}

fn says(answer: Vec<u8>) -> Peer {
    Peer::start(Some(Says::Answer(answer)), Says::Nothing)
}

#[tokio::test]
async fn every_error_has_its_code() {
    let rows = [
        (1, Code::AuthenticateMethodDisabled, "/principal"),
        (6, Code::AuthenticatePrincipalUnknown, "/principal"),
        (7, Code::AuthenticateRealmUnknown, "/principal"),
        (12, Code::AuthenticateMethodDisabled, "/principal"),
        (14, Code::AuthenticateEncryptionType, "/keytab"),
        (16, Code::AuthenticateMechanismNotOffered, "/keytab"),
        (18, Code::AuthenticateMethodDisabled, "/principal"),
        (23, Code::AuthenticateMethodDisabled, "/principal"),
        (24, Code::AuthenticateKeytabStale, "/keytab"),
        (31, Code::AuthenticateKeytabStale, "/keytab"),
        (37, Code::AuthenticateClockSkew, ""),
        (60, Code::AccessServerError, ""),
        (68, Code::AuthenticateRealmUnknown, "/principal"),
        (99, Code::AccessServerError, ""),
    ];
    for (number, code, key) in rows {
        let peer = says(error(number, 0, "its own words", &[]));
        let tried = ask(&peer).await;
        let finding = tried.fails(code);
        assert_eq!(evidence(finding, "kdc"), peer.addr().to_string());
        assert_eq!(evidence(finding, "realm"), "LAB.TEST");
        assert_eq!(evidence(finding, "kdc_text"), "its own words");
        assert!(!evidence(finding, "kdc_error").is_empty());
        assert_eq!(keys(finding).join(""), key, "{number}");
        assert!(tried.elapsed < AT_ONCE, "{tried:#?}");
    }
}

#[tokio::test]
async fn a_skewed_clock_is_told_with_its_sign() {
    let around = |text: &str, wanted: i64| {
        let found: i64 = text.parse().unwrap();
        assert!((found - wanted).abs() <= 2, "{text}");
        assert!(text.starts_with(['+', '-']), "{text}");
    };
    for ahead in [3600, -7200] {
        let tried = ask(&says(error(37, ahead, "", &[]))).await;
        let finding = tried.fails(Code::AuthenticateClockSkew);
        around(evidence(finding, "skew_seconds"), -ahead);
        let word = if ahead > 0 { "behind" } else { "ahead" };
        assert!(finding.message.contains(word), "{}", finding.message);
    }
    // It still passes, and stands in the notes.
    let wanted = error(25, 200, "", &methods(&[2], &[18]));
    let tried = ask(&says(wanted)).await;
    assert!(matches!(
        tried.login,
        Some(LogIn::Unproved(Unproved::NoKeys))
    ));
    around(tried.note("clock_offset_s"), -200);
}

#[tokio::test]
async fn what_is_no_kdc_is_named() {
    let rows = [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"\x15\x03\x03\x00\x02\x02\x32", "TLS"),
        // As long as it says, and nothing of Kerberos.
        (b"\0\0\0\x05hello", ""),
        (b"\0\0\0\x02\x7e\x80", ""),
        (b"\0\0\0\0", ""),
    ];
    for (bytes, protocol) in rows {
        let peer = Peer::start(Some(Says::Raw(bytes.to_vec())), Says::Nothing);
        let tried = ask(&peer).await;
        let finding = tried.fails(Code::AccessNotThisService);
        assert!(tried.elapsed < AT_ONCE, "{tried:#?}");
        if !protocol.is_empty() {
            assert_eq!(evidence(finding, "protocol"), protocol);
        }
    }
}

#[tokio::test]
async fn a_kdc_that_hangs_up_is_unreachable() {
    let too_big = Says::Answer(error(52, 0, "", &[]));
    for (after, udp, told) in [
        (0, Says::Nothing, "silent"),
        // UDP is asked as well before TCP ends.
        (2000, too_big.clone(), "too long"),
        (0, too_big, "too long"),
    ] {
        let closes = Says::Closes(Duration::from_millis(after));
        let tried = ask(&Peer::start(Some(closes), udp)).await;
        let finding = tried.fails(Code::AuthenticateKdcUnreachable);
        assert!(evidence(finding, "tcp").contains("cut"), "{finding:#?}");
        assert!(evidence(finding, "udp").contains(told), "{finding:#?}");
    }
    // Half an answer is none.
    let half = Peer::start(Some(Says::Raw(b"\0\0\x01\0half".to_vec())), Says::Nothing);
    let tried = ask(&half).await;
    tried.fails(Code::AuthenticateKdcUnreachable);
}

#[tokio::test]
async fn datagrams_serve_where_tcp_is_refused_or_silent() {
    let unknown = Says::Answer(error(6, 0, "", &[]));
    let peer = Peer::start(None, unknown.clone());
    let tried = ask(&peer).await;
    tried.fails(Code::AuthenticatePrincipalUnknown);
    assert_eq!(tried.note("transport"), "UDP");
    assert!(tried.elapsed < AT_ONCE, "{tried:#?}");

    let peer = Peer::start(Some(Says::Nothing), unknown);
    let tried = ask(&peer).await;
    tried.fails(Code::AuthenticatePrincipalUnknown);
    assert_eq!(tried.note("transport"), "UDP");
    assert_eq!(peer.asked(), (1, 1));
    assert!(tried.elapsed < LIMIT, "{tried:#?}");
}

#[tokio::test]
async fn an_answer_too_long_for_a_datagram_goes_back_to_tcp() {
    let peer = Peer::start(Some(Says::Nothing), Says::Answer(error(52, 0, "", &[])));
    let conf = conf_of("LAB.TEST", &[peer.addr()]).await;
    let alice = proved("alice@LAB.TEST", Proof::Nothing);
    let tried = try_within(SHORT, Net::default(), &conf, &alice).await;
    tried.fails(Code::AuthenticateKdcUnreachable);
    assert_eq!(peer.asked(), (1, 1), "it waits for TCP until the deadline");
    assert!(tried.elapsed >= EARLY, "{tried:#?}");
}

#[tokio::test]
async fn proofs_that_linkdial_can_not_give_are_left_to_others() {
    let kdc = Kdc::shared();
    let alice = kdc.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &alice).await;
    let peer = says(error(25, 0, "", &methods(&[151, 138], &[18, 17])));
    let conf = conf_of("LINKDIAL.TEST", &[peer.addr()]).await;
    let tried = try_log_in(&conf, &alice).await;
    let Some(LogIn::Unproved(Unproved::Proofs(proofs))) = &tried.login else {
        panic!("{tried:#?}");
    };
    assert_eq!(proofs, &[19, 151, 138]);

    // It takes a timestamp, gets one and wants something else.
    let peer = says(error(25, 0, "", &methods(&[2], &[18, 17])));
    let conf = conf_of("LINKDIAL.TEST", &[peer.addr()]).await;
    let tried = try_log_in(&conf, &alice).await;
    tried.fails(Code::AuthenticateMechanismNotOffered);
    assert_eq!(peer.asked().0, 2);

    // It has keys of another type alone.
    let peer = says(error(25, 0, "", &methods(&[2], &[23])));
    let conf = conf_of("LINKDIAL.TEST", &[peer.addr()]).await;
    let tried = try_log_in(&conf, &alice).await;
    let finding = tried.fails(Code::AuthenticateEncryptionType);
    assert_eq!(evidence(finding, "kdc_enctypes"), "arcfour-hmac");
    assert_eq!(keys(finding), ["/keytab"]);
}

#[tokio::test]
async fn one_kdc_alone_is_shown_a_proof() {
    let kdc = Kdc::shared();
    let alice = kdc.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &alice).await;
    let wanted = error(25, 0, "", &methods(&[2], &[18]));
    let peers: Vec<Peer> = (0..3).map(|_| says(wanted.clone())).collect();
    let kdcs: Vec<_> = peers.iter().map(Peer::addr).collect();
    let tried = try_log_in(&conf_of("LINKDIAL.TEST", &kdcs).await, &alice).await;
    tried.fails(Code::AuthenticateMechanismNotOffered);
    let mut asked: Vec<usize> = peers.iter().map(|it| it.asked().0).collect();
    asked.sort_unstable();
    assert_eq!(asked, [1, 1, 2], "failed proofs may lock an account");
}

#[tokio::test]
async fn a_kdc_that_lags_behind_is_a_warning() {
    let kdc = Kdc::shared();
    let alice = kdc.keytab(&["alice"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &alice).await;
    let lagging = says(error(6, 0, "", &[]));
    let conf = conf_of("LINKDIAL.TEST", &[lagging.addr(), kdc.addr()]).await;
    let tried = try_log_in(&conf, &alice).await;
    tried.done();
    tried.finds(Code::AuthenticatePrincipalUnknown, Outcome::Warn);
}

#[tokio::test]
async fn a_server_that_refuses_the_ticket_is_heard() {
    let kdc = Kdc::shared();
    let alice = kdc.keytab(&["alice", "kafka/localhost"]).unwrap();
    let alice = identity("alice@LINKDIAL.TEST", &alice).await;
    let conf = Krb5Conf::read(&kdc.krb5_conf()).await.unwrap();
    let login = try_log_in(&conf, &alice).await.done();
    let net = Net::default();
    let mut initiator = login
        .ticket(&net, "kafka", "localhost", LIMIT)
        .await
        .unwrap();
    for (number, code) in [
        (41, Code::AuthenticateServiceRefused),
        (44, Code::AuthenticateServiceRefused),
        (37, Code::AuthenticateClockSkew),
    ] {
        let error = error(number, 900, "", &[]);
        let inner = [
            &b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03\x00"[..],
            &error,
        ]
        .concat();
        let length = u16::try_from(inner.len()).unwrap().to_be_bytes();
        let token = [&[0x60, 0x82], &length[..], &inner].concat();
        let fault = initiator.accept(&token).unwrap_err();
        assert_eq!(fault.code(), code);
        let finding = fault.into_diagnosis(&alice.guilty);
        assert!(evidence(&finding, "kdc_error").starts_with("KRB_AP_ERR_"));
        assert_eq!(
            evidence(&finding, "service"),
            "kafka/localhost@LINKDIAL.TEST"
        );
    }
}

#[tokio::test]
async fn a_realm_in_the_wrong_case_is_pointed_at() {
    let text = "[libdefaults]\n dns_lookup_kdc = false\n[realms]\n LAB.TEST = {\n  kdc = x\n }\n";
    let conf = conf(text).await;
    let tried = try_log_in(&conf, &proved("alice@lab.test", Proof::Nothing)).await;
    let finding = tried.fails(Code::AuthenticateRealmUnknown);
    assert!(finding.hint.as_ref().unwrap().contains("`LAB.TEST`"));
    assert_eq!(evidence(finding, "realms"), "LAB.TEST");
    // No realm at all, and the default one.
    let tried = try_log_in(&conf, &proved("alice", Proof::Nothing)).await;
    let finding = tried.fails(Code::AuthenticateRealmUnknown);
    assert!(finding.message.contains("no realm"), "{}", finding.message);
    let peer = says(error(6, 0, "", &[]));
    let text = format!(
        "[libdefaults]\n default_realm = LAB.TEST\n[realms]\n LAB.TEST = {{\n  kdc = {}\n }}\n",
        peer.addr()
    );
    let conf = support::conf(&text).await;
    let tried = try_log_in(&conf, &proved("alice", Proof::Nothing)).await;
    let finding = tried.fails(Code::AuthenticatePrincipalUnknown);
    assert_eq!(evidence(finding, "principal"), "alice@LAB.TEST");
}
