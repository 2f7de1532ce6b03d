use linkdial_core::{Code, Diagnosis, Endpoint, Outcome, Role, Stage};

use super::*;
use crate::script::{Script, ScriptOptions};

pub(super) fn rendered(report: &Report, format: Format, options: HumanOptions) -> String {
    let mut out = Vec::new();
    render(report, format, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn human(detail: Detail, color: bool) -> String {
    rendered(
        &sample::report(),
        Format::Human,
        HumanOptions { detail, color },
    )
}

pub(super) fn schema() -> jsonschema::Validator {
    let schema = serde_json::from_str(&json::schema()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn human_report() {
    insta::assert_snapshot!(human(Detail::Normal, false));
}

#[test]
fn human_report_verbose() {
    insta::assert_snapshot!(human(Detail::Verbose, false));
}

#[test]
fn human_report_quiet() {
    insta::assert_snapshot!(human(Detail::Quiet, false));
}

#[test]
fn human_lines_fit_eighty_columns() {
    for line in human(Detail::Verbose, false).lines() {
        // Excerpts are the script's own lines, and a name may be any length.
        if !line.contains('|') && !line.contains("https://") {
            assert!(layout::width(line) <= 80, "{line}");
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let colored = human(Detail::Normal, true);
    assert!(colored.contains("\u{1b}[1m\u{1b}[31m✗ fail"), "{colored}");
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, human(Detail::Normal, false));
}

#[test]
fn an_empty_script_says_so() {
    let text = rendered(&sample::of(&[]), Format::Human, HumanOptions::default());
    assert_eq!(
        text,
        "nothing to check: the script leaves no link defined\n"
    );
}

#[test]
fn an_empty_registry_says_so() {
    let report = Report {
        origin: Origin::Registry,
        ..sample::of(&[])
    };
    let text = rendered(&report, Format::Human, HumanOptions::default());
    assert_eq!(text, "nothing to check: the registry holds no link\n");
}

#[test]
fn a_partial_report_says_so() {
    let report = Report {
        complete: false,
        until: Some(Stage::Tls),
        ..sample::of(&[Outcome::Pass, Outcome::Unverified])
    };
    let text = rendered(&report, Format::Human, HumanOptions::default());
    assert!(
        text.ends_with(
            "2 checks in 41 ms from ci-runner-7 until tls: 1 unverified, 1 passed\n\
             stopped early: this report is partial\n"
        ),
        "{text}"
    );
}

#[test]
fn json_report() {
    let text = rendered(&sample::report(), Format::Json, HumanOptions::default());
    let document = serde_json::from_str(&text).unwrap();
    let errors: Vec<_> = schema()
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let text = rendered(&sample::report(), Format::Json, HumanOptions::default());
    let good: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(schema().is_valid(&good));
    for (pointer, value) in [
        ("/checks/0/verdict", serde_json::json!("skip")),
        ("/checks/1/steps/0/stage", serde_json::json!("handshake")),
        ("/checks/1/diagnosis/evidence", serde_json::json!(["a"])),
        ("/summary/pass", serde_json::json!("1")),
        ("/skipped/0/source", serde_json::Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!schema().is_valid(&bad), "{pointer}");
    }
}

#[test]
fn the_schema_of_a_history_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/history.schema.json");
    let current = history_json::schema();
    if std::fs::read_to_string(path).ok().as_ref() != Some(&current) {
        std::fs::write(path, current).unwrap();
        panic!("docs/history.schema.json was out of date and has been written anew: commit it");
    }
}

#[test]
fn the_schema_file_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let current = json::schema();
    if std::fs::read_to_string(path).ok().as_ref() != Some(&current) {
        std::fs::write(path, current).unwrap();
        panic!("docs/report.schema.json was out of date and has been written anew: commit it");
    }
}

#[test]
fn junit_report() {
    let text = rendered(&sample::report(), Format::Junit, HumanOptions::default());
    let parsed = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let suites: Vec<_> = parsed
        .test_suites
        .iter()
        .map(|suite| {
            (
                suite.name.as_str(),
                suite.tests,
                suite.failures,
                suite.errors,
                suite.skipped,
            )
        })
        .collect();
    assert_eq!(
        suites,
        [
            ("script", 2, 1, 0, 1),
            ("Orderdb.products", 5, 0, 0, 1),
            ("Orderdb.orders orders/in", 3, 1, 0, 0),
            ("shop.score https://score.example.com/v1/batch", 2, 0, 0, 0),
            ("shop.events kafka:9092/events", 1, 0, 1, 0),
        ]
    );
    insta::assert_snapshot!(text);
}

#[test]
fn github_report() {
    let text = rendered(&sample::report(), Format::Github, HumanOptions::default());
    // A peer's text can not start a command of its own.
    assert!(
        text.lines()
            .filter(|line| line.starts_with("::error"))
            .count()
            == 2,
        "{text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn the_last_line_for_github_says_what_is_missing() {
    let last = |report: &Report| {
        let text = rendered(report, Format::Github, HumanOptions::default());
        text.lines().last().unwrap().to_owned()
    };
    let mut report = sample::of(&[Outcome::Pass]);
    let counts = "0 failed, 0 unverified, 0 with warnings, 1 passed";
    assert_eq!(last(&report), format!("linkdial: {counts}"));
    report.complete = false;
    assert_eq!(last(&report), format!("linkdial: {counts}, stopped early"));
    report.complete = true;
    report.errors = sample::report().errors;
    assert_eq!(
        last(&report),
        format!("linkdial: 1 error in the script, {counts}")
    );
}

#[test]
fn steps_of_one_name_are_one_case() {
    let mut report = sample::of(&[Outcome::Fail]);
    let check = &mut report.checks[0];
    let finding = |index: usize, step: usize| {
        let sample = sample::report();
        sample.checks[index].steps[step].finding.clone()
    };
    let mut steps = vec![check.steps[0].clone(), check.steps[0].clone()];
    steps.push(check.steps[0].clone());
    for (step, outcome) in steps
        .iter_mut()
        .zip([Outcome::Pass, Outcome::Warn, Outcome::Fail])
    {
        step.outcome = outcome;
    }
    steps[1].finding = finding(1, 0);
    steps[2].finding = finding(1, 2);
    check.steps = steps;
    let text = rendered(&report, Format::Junit, HumanOptions::default());
    assert_eq!(text.matches("<testcase").count(), 1, "{text}");
    assert_eq!(text.matches("<failure").count(), 1, "{text}");
    // The warning is not lost, and the failure is told once.
    assert!(text.contains("define.unknown-key: "), "{text}");
    assert_eq!(text.matches("authenticate.bad-secret").count(), 2, "{text}");
}

#[test]
fn standard_input_is_no_file_to_annotate() {
    let mut report = sample::of(&[Outcome::Fail]);
    report.checks[0].steps[0].finding = sample::report().checks[1].steps[2].finding.clone();
    report.checks[0].place.as_mut().unwrap().file = STDIN.into();
    let finding = report.checks[0].steps[0].finding.as_mut().unwrap();
    finding.keys.clear();
    let text = rendered(&report, Format::Github, HumanOptions::default());
    assert!(
        text.starts_with("::error title=shop.a%3A authenticate.bad-secret::"),
        "{text}"
    );
}

#[test]
fn what_was_left_behind_leads_and_is_always_shown() {
    let mut report = sample::of(&[Outcome::Warn, Outcome::Warn]);
    let warning = sample::report().checks[2].steps[1].clone();
    let mut left = warning.clone();
    left.finding.as_mut().unwrap().code = Code::WriteLeftover;
    report.checks[0].steps = vec![warning.clone(), left.clone()];
    report.checks[1].steps = vec![warning];
    let code = report.checks[0].headline().map(|(_, finding)| finding.code);
    assert_eq!(code, Some(Code::WriteLeftover));
    let quiet = HumanOptions {
        detail: Detail::Quiet,
        ..HumanOptions::default()
    };
    let text = rendered(&report, Format::Human, quiet);
    assert!(text.contains("write.leftover"), "{text}");
    assert!(!text.contains("1 check"), "{text}");
    // A script may say that it is known.
    left.outcome = Outcome::Pass;
    report.checks[0].steps[1] = left;
    assert!(!rendered(&report, Format::Human, quiet).contains("write.leftover"));
}

#[test]
fn what_a_stranger_wrote_turns_nothing_around() {
    let mut report = sample::report();
    let step = &mut report.checks[1].steps[2];
    step.finding.as_mut().unwrap().message = "a\u{9b}31m\u{202e}b".to_owned();
    for format in Format::ALL {
        let text = rendered(&report, format, HumanOptions::default());
        assert!(!text.contains(['\u{9b}', '\u{202e}']), "{text}");
    }
}

#[test]
fn the_headline_is_the_first_of_the_worst() {
    let report = sample::report();
    let codes: Vec<_> = report
        .checks
        .iter()
        .map(|check| check.headline().map(|(_, finding)| finding.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some("authenticate.bad-secret"),
            Some("access.throttled"),
            Some("define.not-compiled-in")
        ]
    );
    let summary = report.summary();
    assert_eq!(
        summary,
        Summary {
            pass: 1,
            warn: 1,
            fail: 1,
            unverified: 1
        }
    );
}

/// Returns a report with one finding about the first use of the only link.
fn about_the_target(text: &str, code: Code, outside: bool) -> Report {
    let sources = vec![("links.sql".to_owned(), text.to_owned())];
    let mut script = Script::read(sources, &ScriptOptions::default());
    assert!(script.errors.is_empty(), "{:?}", script.errors);
    let link = &mut script.links[0];
    if outside {
        link.uses = vec![Use::new(Target::new("bucket"), Intent::READ)];
    }
    let link = &script.links[0];
    let diagnosis = Diagnosis::new(code, "a fact");
    let step = linkdial_core::Step {
        stage: code.stage().unwrap(),
        endpoint: None,
        outcome: diagnosis.outcome,
        elapsed: Duration::ZERO,
        notes: Vec::new(),
        diagnosis: Some(diagnosis),
    };
    let mut report = sample::of(&[Outcome::Fail]);
    report.checks[0].steps = vec![Step::located(step, link, link.uses.first())];
    report
}

#[test]
fn a_fault_of_the_target_points_at_the_target() {
    let text = "CREATE LINK l AS S3 CREDENTIALS '{}';\n\
                CREATE PIPELINE p AS LOAD DATA LINK l 'bucket/in' INTO TABLE t;\n";
    let report = about_the_target(text, Code::AccessNotFound, false);
    let human = rendered(&report, Format::Human, HumanOptions::default());
    assert!(human.contains("--> links.sql:2:39\n"), "{human}");
    assert!(human.contains(&format!("    2 | {}\n", text.lines().nth(1).unwrap())));
    assert!(
        human.contains(&format!("| {:38}^^^^^^^^^^^\n", "")),
        "{human}"
    );
    let github = rendered(&report, Format::Github, HumanOptions::default());
    assert!(github.contains("line=2,col=39,"), "{github}");
    let junit = rendered(&report, Format::Junit, HumanOptions::default());
    assert!(junit.contains(">links.sql:2:39\n"), "{junit}");
    let json = rendered(&report, Format::Json, HumanOptions::default());
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(schema().is_valid(&document), "{json}");
    let expected = serde_json::json!({"file": "links.sql", "line": 2, "column": 39});
    for pointer in ["/checks/0", "/checks/0/steps/0"] {
        let found = document.pointer(&format!("{pointer}/diagnosis/target_source"));
        assert_eq!(found, Some(&expected), "{json}");
    }

    let outside = about_the_target(text, Code::AccessNotFound, true);
    let human = rendered(&outside, Format::Human, HumanOptions::default());
    assert!(human.contains("--> --target\n"), "{human}");
    // The address of an S3 link is not its target.
    let other = about_the_target(text, Code::ConnectRefused, false);
    let human = rendered(&other, Format::Human, HumanOptions::default());
    assert!(!human.contains("links.sql:2"), "{human}");
}

#[test]
fn the_line_of_a_target_hides_its_secrets() {
    let secret = "https://user:M4rkedS3cret@h.example/p?sig=M4rkedS3cret&x=1";
    for text in [
        format!(
            "CREATE LINK l AS HTTP CREDENTIALS '{{}}';\n\
             CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE '{secret}' FORMAT JSON \
             LINK l;"
        ),
        format!("-- linkdial: target '{secret}'\nCREATE LINK l AS HTTP CREDENTIALS '{{}}';"),
    ] {
        let report = about_the_target(&text, Code::AccessNotFound, false);
        for format in Format::ALL {
            let shown = rendered(&report, format, HumanOptions::default());
            assert!(!shown.contains("M4rked"), "{shown}");
        }
        let human = rendered(&report, Format::Human, HumanOptions::default());
        assert!(human.contains("@h.example/p?"), "{human}");
    }
}

#[test]
fn a_check_without_a_walked_step_is_unverified() {
    assert_eq!(
        sample::of(&[Outcome::Skip]).checks[0].verdict(),
        Outcome::Unverified
    );
}

#[test]
fn only_warnings_can_be_ignored() {
    let mut script = sample::script(&["shop.a"]);
    let link = &mut script.links[0];
    for code in [Code::DefineUnknownKey, Code::ConnectRefused] {
        link.ignored.push((code, "for a reason".to_owned()));
    }
    let step = |code| {
        let diagnosis = Diagnosis::new(code, "a fact");
        Step::located(
            linkdial_core::Step {
                stage: Stage::Define,
                endpoint: None,
                outcome: diagnosis.outcome,
                elapsed: Duration::ZERO,
                notes: Vec::new(),
                diagnosis: Some(diagnosis),
            },
            &script.links[0],
            None,
        )
    };
    let lowered = step(Code::DefineUnknownKey);
    assert_eq!(lowered.outcome, Outcome::Pass);
    assert!(lowered.finding.is_none());
    assert_eq!(
        lowered.notes,
        [("ignored", "define.unknown-key for a reason".to_owned())]
    );
    assert_eq!(step(Code::ConnectRefused).outcome, Outcome::Fail);
    assert_eq!(step(Code::DefineSecretInConfig).outcome, Outcome::Warn);
}

fn bootstrap() -> Endpoint {
    Endpoint::new(Role::Bootstrap, "b1.example.com", 9093)
}

fn advertised(host: &str) -> Endpoint {
    Endpoint::new(Role::Advertised, host, 9093)
}

/// Returns the steps of a cluster of one bootstrap address and these brokers, from 1 on.
fn cluster(brokers: &[(&str, Option<Code>)]) -> Vec<Step> {
    let mut steps = sample::walk(&bootstrap(), None, None);
    for (id, (host, fault)) in (1..).zip(brokers) {
        steps.extend(sample::walk(&advertised(host), Some(id), *fault));
    }
    steps
}

/// Returns how a check with these steps looks, and that no line is too long.
fn drawn(steps: Vec<Step>, detail: Detail) -> String {
    let options = HumanOptions {
        detail,
        color: false,
    };
    let text = rendered(&sample::stream(steps), Format::Human, options);
    for line in text.lines() {
        assert!(layout::width(line) <= 80, "{line}");
    }
    text
}

#[test]
fn one_healthy_broker_is_not_drawn() {
    let mut steps = sample::walk(&bootstrap(), None, None);
    let alone = drawn(steps.clone(), Detail::Verbose);
    assert!(!alone.contains("resolve connect"), "{alone}");
    let same = Endpoint::new(Role::Advertised, "b1.example.com", 9093);
    steps.push(sample::known(&same, 1));
    let two = drawn(steps.clone(), Detail::Normal);
    assert!(!two.contains("resolve connect"), "{two}");
    insta::assert_snapshot!(drawn(steps, Detail::Verbose));
}

#[test]
fn one_of_three_brokers_is_dead() {
    let mut steps = sample::walk(&bootstrap(), None, None);
    steps.push(sample::known(&advertised("b1.example.com"), 1));
    for (id, host, fault) in [
        (2, "b2.example.com", Some(Code::ConnectRefused)),
        (3, "b3.example.com", None),
    ] {
        steps.extend(sample::walk(&advertised(host), Some(id), fault));
    }
    insta::assert_snapshot!(drawn(steps.clone(), Detail::Normal));
    let quiet = drawn(steps.clone(), Detail::Quiet);
    assert!(!quiet.contains("resolve connect"), "{quiet}");
    // Symbols have the colours of the words.
    let options = HumanOptions {
        detail: Detail::Normal,
        color: true,
    };
    let colored = rendered(&sample::stream(steps), Format::Human, options);
    assert!(
        colored.contains(" \u{1b}[1m\u{1b}[31m✗\u{1b}[0m\n"),
        "{colored}"
    );
    assert!(
        colored.contains("\u{1b}[32m✓\u{1b}[0m       \u{1b}["),
        "{colored}"
    );
}

#[test]
fn of_two_hundred_servers_the_broken_ones_are_shown() {
    let names: Vec<String> = (1..200).map(|id| format!("b{id}.example.com")).collect();
    let with = |fault: &dyn Fn(usize) -> Option<Code>| {
        let brokers = names.iter().enumerate();
        let brokers: Vec<_> = brokers
            .map(|(index, name)| (name.as_str(), fault(index)))
            .collect();
        drawn(cluster(&brokers), Detail::Normal)
    };
    let two = with(&|index| match index {
        70 => Some(Code::TlsExpired),
        150 => Some(Code::ConnectRefused),
        _ => None,
    });
    insta::assert_snapshot!(two);
    // More than are shown.
    let many = with(&|index| match index % 10 {
        0 => Some(Code::ConnectRefused),
        1 => Some(Code::TlsExpiresSoon),
        _ => None,
    });
    assert!(
        many.contains("\n    and 188 more: 14 failed, 14 warned, 160 passed\n"),
        "{many}"
    );
}

#[test]
fn brokers_with_names_that_nobody_knows() {
    let unknown = Some(Code::ResolveNotFound);
    let text = drawn(
        cluster(&[
            ("kafka-0.kafka.invalid", unknown),
            ("kafka-1.kafka.invalid", unknown),
        ]),
        Detail::Normal,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn long_names_are_cut() {
    let mut steps = cluster(&[
        (
            "kafka-0.kafka-headless.data-platform.svc.cluster.local",
            None,
        ),
        ("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字.example", None),
        ("escape\u{1b}[31m\u{202e}.example", None),
        (
            "fd12:3456:789a:bcde:f012:3456:789a:bcde",
            Some(Code::TlsNotTls),
        ),
    ]);
    for stage in [Stage::Access, Stage::Read, Stage::Write] {
        let mut step = steps[0].clone();
        step.stage = stage;
        steps.push(step);
    }
    let text = drawn(steps, Detail::Normal);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn servers_of_other_roles_are_drawn_too() {
    let mut steps = sample::walk(&bootstrap(), None, None);
    let kdc = Endpoint::new(Role::Kdc, "kdc.example.com", 88);
    steps.extend(sample::walk(&kdc, None, Some(Code::ConnectTimedOut)));
    // A stage of one server counts as its worst.
    for outcome in [Outcome::Warn, Outcome::Pass] {
        let mut step = steps[0].clone();
        step.outcome = outcome;
        steps.push(step);
    }
    // Several numbers stand for one address, as behind a load balancer.
    for broker in [4, 5, 6] {
        steps.push(sample::known(&advertised("b4.example.com"), broker));
    }
    insta::assert_snapshot!(drawn(steps, Detail::Normal));
}
