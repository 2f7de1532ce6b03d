//! Tokens of an issuer, and the schema registry of a pipeline.

use std::fmt::Write as _;

use linkdial_testcontainers::{
    KafkaListener, KafkaUser, SchemaRegistry, SchemaRegistryOptions, SecuredKafka,
    TokenIssuerOptions,
};

use crate::lab::{Told, report};

#[test]
fn a_registry_is_dialled_with_the_pipeline_that_names_it() {
    let kafka = SecuredKafka::shared();
    let (open, locked) = (
        SchemaRegistry::start(),
        SchemaRegistryOptions::default().with_login().start(),
    );
    let target = format!("{}/orders", kafka.bootstrap_of(KafkaListener::Plain));
    let link = |name| kafka.create_link_for(name, KafkaListener::Plain, KafkaUser::Alice);
    let (without, with) = (link("l"), locked.extend_link(link("m")));
    let script = [
        without.to_string(),
        with.to_string(),
        open.create_pipeline("a", &target, &without),
        locked.create_pipeline("b", &target, &without),
        locked.create_pipeline("c", &target, &with),
    ];
    let report = report(&[], &script.concat());
    let checks = report["checks"].as_array().unwrap();
    let found: Vec<_> = checks
        .iter()
        .map(|check| (check["verdict"].as_str(), check["code"].as_str()))
        .collect();
    let required = (Some("fail"), Some("authenticate.required"));
    let pass = (Some("pass"), None);
    assert_eq!(found, [pass, required, pass], "{report:#}");
    let key = "/schema.registry.username";
    assert_eq!(Told::of(&checks[1]).key, key);
    assert!(open.requests().iter().all(|it| it.path == "/subjects"));
}

#[test]
fn a_token_that_does_not_fit_is_told_apart() {
    let kafka = SecuredKafka::shared();
    let options = TokenIssuerOptions::default;
    let same = |options: TokenIssuerOptions| options.start_as(kafka.issuer());
    let cases = [
        (same(options()), None, ""),
        (
            same(options().audience("other")),
            Some("authenticate.token-invalid"),
            "bootstrap",
        ),
        (
            options().start(),
            Some("authenticate.token-invalid"),
            "bootstrap",
        ),
        (
            same(options().life(-60)),
            Some("authenticate.token-expired"),
            "token",
        ),
        (
            options().refusing().start(),
            Some("authenticate.token-endpoint"),
            "token",
        ),
    ];
    let own = kafka.issuer().token_endpoint();
    let mut script = String::new();
    for (number, (issuer, ..)) in cases.iter().enumerate() {
        let link =
            kafka.create_link_for(&format!("l{number}"), KafkaListener::Oidc, KafkaUser::Alice);
        let pipeline =
            kafka.create_pipeline_for(&format!("p{number}"), KafkaListener::Oidc, "orders", &link);
        let link = link.to_string().replace(&own, &issuer.token_endpoint());
        write!(script, "{link}{pipeline}").unwrap();
    }
    let report = report(&[], &script);
    let checks = report["checks"].as_array().unwrap();
    for (check, (_, code, role)) in checks.iter().zip(&cases) {
        assert_eq!(check["code"].as_str(), *code, "{check:#}");
        let steps = check["steps"].as_array().unwrap();
        let mut failed = steps.iter().filter(|step| step["outcome"] == "fail");
        let found = failed
            .next()
            .map_or("", |step| step["role"].as_str().unwrap());
        assert_eq!(found, *role, "{check:#}");
    }
    let audience = &checks[1]["diagnosis"]["evidence"]["audience"];
    assert_eq!(audience, "other", "{:#}", checks[1]);
}
