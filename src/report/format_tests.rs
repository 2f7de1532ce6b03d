//! Every format, held against what others say it is.

use std::collections::HashSet;

use linkdial_core::{Code, Outcome, Target};
use nom_openmetrics::parser::{openmetrics, prometheus};
use nom_openmetrics::{Family, MetricDescriptor};
use serde_json::Value;

use super::sample_hostile::hostile;
use super::tests::{rendered, schema};
use super::*;

fn text(report: &Report, format: Format) -> String {
    rendered(report, format, HumanOptions::default())
}

/// The reports that every format is held against.
fn samples() -> Vec<(&'static str, Report)> {
    vec![
        ("script", sample::report()),
        ("sweep", sample_sweep::sweep()),
        ("offline", sample_sweep::offline()),
        ("first", sample_sweep::first()),
        ("empty", sample::of(&[])),
        ("hostile", hostile()),
    ]
}

#[test]
fn a_stranger_hides_nothing_in_any_format() {
    for format in Format::ALL {
        let text = text(&hostile(), format);
        for c in ['\u{1b}', '\u{202e}', '\u{9b}', '\u{feff}', '\u{2028}'] {
            assert!(!text.contains(c), "{format:?} shows {c:?}");
        }
    }
}

#[test]
fn a_sweep_in_every_format() {
    let report = sample_sweep::sweep();
    for format in Format::ALL {
        let name = format!("{}_of_a_sweep", format.as_str());
        insta::assert_snapshot!(name, text(&report, format));
    }
}

#[test]
fn a_script_in_the_formats_without_tests_of_their_own() {
    for format in [
        Format::Sarif,
        Format::Openmetrics,
        Format::Markdown,
        Format::Html,
    ] {
        let name = format!("{}_of_a_script", format.as_str());
        insta::assert_snapshot!(name, text(&sample::report(), format));
    }
}

#[test]
fn people_are_told_that_there_was_no_network() {
    for format in [Format::Human, Format::Markdown, Format::Github] {
        let name = format!("{}_without_network", format.as_str());
        insta::assert_snapshot!(name, text(&sample_sweep::offline(), format));
    }
    insta::assert_snapshot!(
        "human_of_a_first_sweep",
        text(&sample_sweep::first(), Format::Human)
    );
}

#[test]
fn quiet_says_only_what_is_urgent() {
    let quiet = HumanOptions {
        detail: Detail::Quiet,
        color: false,
    };
    let shown = rendered(&sample_sweep::sweep(), Format::Human, quiet);
    assert!(shown.contains("newly red"), "{shown}");
    for word in ["newly green", "expires soon", "promoted", "slower"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
    let shown = rendered(&sample_sweep::first(), Format::Human, quiet);
    assert!(!shown.contains("sweep 1"), "{shown}");
}

#[test]
fn json_keeps_to_the_schema() {
    for (name, report) in samples() {
        let document = serde_json::from_str(&text(&report, Format::Json)).unwrap();
        let errors: Vec<_> = schema()
            .iter_errors(&document)
            .map(|it| it.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{name}");
    }
    let document: Value = serde_json::from_str(&text(&sample::report(), Format::Json)).unwrap();
    assert_eq!(document.get("sweep"), Some(&Value::Null));
}

fn sarif(report: &Report) -> Value {
    serde_json::from_str(&text(report, Format::Sarif)).unwrap()
}

#[test]
fn sarif_keeps_to_the_published_schema() {
    let published = include_str!("../../tests/schemas/sarif-2.1.0.json");
    // The publisher's pattern of languages ends with a bracket that opens nowhere.
    let pattern = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
    assert!(published.contains(pattern));
    let published = published.replace(pattern, "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let published = serde_json::from_str(&published).unwrap();
    let schema = jsonschema::options()
        .should_validate_formats(true)
        .build(&published)
        .unwrap();
    for (name, report) in samples() {
        let document = sarif(&report);
        let errors: Vec<_> = schema
            .iter_errors(&document)
            .map(|it| it.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{name}");
    }
    for (pointer, value) in [
        ("/version", Value::from("2.0.0")),
        ("/runs/0/results/0/level", Value::from("fatal")),
        ("/runs/0/results/0/message", Value::Null),
        (
            "/runs/0/invocations/0/startTimeUtc",
            Value::from("yesterday"),
        ),
    ] {
        let mut bad = sarif(&sample::report());
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&bad), "{pointer}");
    }
}

#[test]
fn results_of_sarif_are_told_apart_and_stay_the_same() {
    let prints = |report: &Report| -> Vec<String> {
        let log = sarif(report);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let rules = log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .clone();
        for result in &results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(result["ruleId"], rules[index]["id"]);
        }
        let ids: HashSet<_> = rules.iter().map(|rule| rule["id"].to_string()).collect();
        assert_eq!(ids.len(), rules.len(), "a rule stands there once");
        results
            .iter()
            .map(|result| result["partialFingerprints"]["linkdialFinding/v1"].to_string())
            .collect()
    };
    let report = sample::report();
    let before = prints(&report);
    assert_eq!(before.iter().collect::<HashSet<_>>().len(), before.len());
    // Another run: other times, other lines, another text of the server.
    let mut again = report.clone();
    again.started = "2026-11-23T16:00:00Z".parse().unwrap();
    again.errors[0].place.line += 7;
    for check in &mut again.checks {
        check.place.as_mut().unwrap().line += 7;
        for step in &mut check.steps {
            step.elapsed *= 2;
            if let Some(finding) = &mut step.finding {
                finding.message.push_str(" (request 2)");
                finding.evidence.clear();
            }
        }
    }
    assert_eq!(prints(&again), before);
    // The same link twice, with targets that look alike.
    let mut twice = report.clone();
    twice.checks.push(report.checks[1].clone());
    let twice = prints(&twice);
    assert_eq!(twice.iter().collect::<HashSet<_>>().len(), twice.len());
}

#[test]
fn levels_of_sarif_follow_the_outcomes() {
    let log = sarif(&sample::report());
    let levels: Vec<_> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&result["ruleId"]), text(&result["level"]))
        })
        .collect();
    let expected = [
        ("sql.typographic-quote", "error"),
        ("authenticate.bad-secret", "error"),
        ("define.unknown-key", "warning"),
        ("access.throttled", "warning"),
        ("define.not-compiled-in", "note"),
    ];
    let expected = expected.map(|(code, level)| (code.to_owned(), level.to_owned()));
    assert_eq!(levels, expected);
    let successful =
        |report: &Report| sarif(report)["runs"][0]["invocations"][0]["executionSuccessful"].clone();
    let mut report = sample::report();
    assert_eq!(successful(&report), true);
    report.complete = false;
    assert_eq!(successful(&report), false);
    report.complete = true;
    report.checks[0].broken = true;
    assert_eq!(successful(&report), false);
}

#[test]
fn standard_input_is_no_artifact() {
    let mut report = sample::report();
    report.errors.clear();
    for check in &mut report.checks {
        check.place.as_mut().unwrap().file = STDIN.into();
        for step in &mut check.steps {
            if let Some(finding) = &mut step.finding {
                finding.keys.clear();
            }
        }
    }
    let log = sarif(&report);
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let location = &result["locations"][0];
        assert!(location.get("physicalLocation").is_none(), "{location:#}");
        assert_eq!(location["logicalLocations"][0]["kind"], "link");
    }
}

/// Reads metrics with a parser of others, in both formats, and returns series with their values.
fn series(metrics: &str) -> Vec<(String, f64)> {
    let families = |found: Vec<Family<'_>>| {
        let mut all = Vec::new();
        let mut names = HashSet::new();
        for family in found {
            let named = family.descriptors.iter().find_map(|it| match it {
                MetricDescriptor::Type { metric, .. } => Some(*metric),
                _ => None,
            });
            let name = named.unwrap_or_else(|| panic!("no type: {family:?}"));
            assert!(names.insert(name.to_owned()), "{name} stands there twice");
            for sample in family.samples {
                assert_eq!(sample.name(), name);
                let labels: Vec<_> = sample
                    .labels()
                    .iter()
                    .map(|label| format!("{}={}", label.name, label.value))
                    .collect();
                all.push((format!("{name} {}", labels.join(" ")), sample.number()));
            }
        }
        all
    };
    let (rest, found) = openmetrics(metrics).unwrap();
    assert_eq!(rest, "");
    let series = families(found);
    // For Prometheus the last line is a comment, which the parser does not know.
    let plain = metrics.strip_suffix("# EOF\n").unwrap();
    if !plain.is_empty() {
        let (rest, found) = prometheus(plain).unwrap();
        assert_eq!(rest, "");
        assert_eq!(families(found), series);
    }
    let names: HashSet<_> = series.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), series.len(), "a series stands there twice");
    series
}

#[test]
fn metrics_are_read_by_others() {
    for (name, report) in samples() {
        let metrics = text(&report, Format::Openmetrics);
        assert!(metrics.ends_with("# EOF\n"), "{name}");
        let found = series(&metrics);
        let timestamps = found
            .iter()
            .filter(|(name, _)| name.contains("sweep_timestamp"));
        let expected = usize::from(matches!(name, "sweep" | "first" | "hostile"));
        assert_eq!(timestamps.count(), expected, "{name}");
        assert_eq!(
            found.is_empty(),
            matches!(name, "offline" | "empty"),
            "{name}"
        );
    }
    // The parser does see what is wrong.
    let good = text(&sample_sweep::sweep(), Format::Openmetrics);
    assert!(openmetrics(good.strip_suffix("# EOF\n").unwrap()).is_err());
    assert!(openmetrics(&good.replacen("target=\"", "target=", 1)).is_err());
}

#[test]
fn checks_that_look_alike_are_one_series() {
    let mut report = sample::of(&[Outcome::Pass, Outcome::Fail, Outcome::Unverified]);
    for (check, query) in report.checks.iter_mut().zip(["?a=1", "?a=2", ""]) {
        let url = format!("https://user:word@h.example/p{query}");
        check.target = Some(Target::new(url));
    }
    report.checks[2].link = LinkName::new(Some("shop"), "other");
    let metrics = text(&report, Format::Openmetrics);
    let found = series(&metrics);
    let value = |name: &str| {
        let found = found.iter().find(|(series, _)| series.starts_with(name));
        found.map(|(_, value)| *value)
    };
    let labels = "link=shop.a kind=HTTP target=https://h.example/p";
    // The worst of both counts.
    assert_eq!(
        value(&format!("linkdial_probe_success {labels}")),
        Some(0.0)
    );
    assert_eq!(
        value(&format!("linkdial_probe_verdict {labels} verdict=fail")),
        Some(1.0)
    );
    assert_eq!(
        value(&format!("linkdial_probe_verdict {labels} verdict=pass")),
        Some(0.0)
    );
    // What could not be found out is neither 0 nor 1.
    assert_eq!(value("linkdial_probe_success link=shop.other"), None);
    assert_eq!(
        value(&format!(
            "linkdial_probe_verdict {} verdict=unverified",
            labels.replace("shop.a", "shop.other")
        )),
        Some(1.0)
    );
}

#[test]
fn metrics_tell_of_certificates_also_when_they_have_expired() {
    let mut report = sample_sweep::sweep();
    let tls = report.checks[1].steps.last_mut().unwrap();
    tls.notes.clear();
    tls.finding.as_mut().unwrap().evidence = vec![("not_after", "2026-11-21T00:00:00Z".to_owned())];
    let found = series(&text(&report, Format::Openmetrics));
    let expiry = found.iter().find(|(name, _)| {
        name.starts_with("linkdial_certificate") && name.ends_with("endpoint=score.example.com:443")
    });
    assert_eq!(expiry.map(|(_, at)| *at), Some(1_795_219_200.0));
}

#[test]
fn junit_keeps_to_the_schema_of_jenkins() {
    let schema = include_str!("../../tests/schemas/junit-10.xsd");
    let schema = uppsala::parse(schema).unwrap();
    let schema = uppsala::XsdValidator::from_schema(&schema).unwrap();
    let errors = |xml: &str| -> Vec<String> {
        let document = uppsala::parse(xml).unwrap();
        schema
            .validate(&document)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    for (name, report) in samples() {
        let xml = text(&report, Format::Junit);
        assert_eq!(errors(&xml), [""; 0], "{name}: {xml}");
    }
    let good = text(&sample_sweep::sweep(), Format::Junit);
    for (from, to) in [
        ("<testsuites ", "<testsuites skipped=\"1\" "),
        ("<testcase name=", "<testcase nam="),
        ("<failure ", "<failed "),
        ("time=\"1.412\"", "time=\"long\""),
    ] {
        assert!(good.contains(from), "{from}");
        let mut bad = good.replace(from, to);
        bad = bad.replace(
            "</failure>",
            if to == "<failed " {
                "</failed>"
            } else {
                "</failure>"
            },
        );
        assert!(!errors(&bad).is_empty(), "{to}");
    }
}

#[test]
fn markdown_stays_within_a_comment() {
    let sweep = sample_sweep::sweep();
    let mut report = sweep.clone();
    for number in 0..1_500 {
        let mut check = sweep.checks[number % sweep.checks.len()].clone();
        check.link = LinkName::new(Some("shop"), &format!("link_{number}"));
        report.checks.push(check);
    }
    let night = report.night.as_mut().unwrap();
    let changes = night.changes.clone();
    night.changes = std::iter::repeat_n(changes, 400).flatten().collect();
    report.errors = std::iter::repeat_n(sample::report().errors, 500)
        .flatten()
        .collect();
    let shown = text(&report, Format::Markdown);
    assert!(shown.len() <= 65_536, "{}", shown.len());
    assert!(shown.len() > 60_000, "{}", shown.len());
    assert_eq!(shown.matches("_Cut here: ").count(), 4, "{shown}");
    assert!(
        shown.ends_with("left out, to stay within a comment._\n"),
        "{shown}"
    );
    assert_eq!(
        shown.matches("<details>").count(),
        shown.matches("</details>").count()
    );
    // What is cut of the table is what passed.
    let mut rows = shown.lines().filter(|line| line.starts_with("| "));
    assert!(rows.by_ref().take(2).count() == 2, "the head");
    assert!(rows.all(|row| row.starts_with("| ✗ fail ")), "{shown}");
    let full = text(&sweep, Format::Markdown);
    assert!(!full.contains("Cut here"), "{full}");
    let known: HashSet<&str> = shown.lines().collect();
    assert!(full.lines().filter(|line| known.contains(line)).count() > 10);
}

#[test]
fn markdown_of_a_stranger_is_text() {
    let shown = text(&hostile(), Format::Markdown);
    // A block of code ends where the same fence stands again, and nothing in it means anything.
    let mut block: Option<String> = None;
    for line in shown.lines() {
        if let Some(fence) = &block {
            if line == fence {
                block = None;
            }
            continue;
        }
        if let Some(fence) = line.strip_suffix("json").filter(|it| it.ends_with("```")) {
            block = Some(fence.to_owned());
            continue;
        }
        if let Some(html) = line.strip_prefix("<details><summary>") {
            // A block of HTML, in which Markdown means nothing.
            let text = html.strip_suffix("</summary>").unwrap();
            let text = text.replace("<code>", "").replace("</code>", "");
            assert!(!text.contains('<'), "{line}");
            continue;
        }
        // Outside of code, after each span is taken out.
        let mut bare = line.replace("\\|", "");
        while let Some(start) = bare.find('`') {
            let marks = bare[start..].chars().take_while(|c| *c == '`').count();
            let fence = "`".repeat(marks);
            let rest = &bare[start + marks..];
            let mut end = None;
            for (index, _) in rest.match_indices(&fence) {
                let is_longer =
                    rest[index + marks..].starts_with('`') || rest[..index].ends_with('`');
                if !is_longer {
                    end = Some(index);
                    break;
                }
            }
            let end = end.unwrap_or_else(|| panic!("a span stays open: {line}"));
            bare = format!("{}{}", &bare[..start], &rest[end + marks..]);
        }
        assert!(!bare.contains('<') || line == "</details>", "{line}");
        assert!(!bare.contains("]("), "{line}");
        assert!(!bare.contains('@'), "{line}");
        if line.starts_with("| ") {
            // A bar ends a cell, in a span as well.
            let cells = line.replace("\\|", "");
            assert_eq!(cells.matches('|').count(), 7, "{line}");
        }
    }
    assert_eq!(block, None);
}

#[test]
fn html_of_a_stranger_is_text() {
    let known = text(&sample::report(), Format::Html) + &text(&sample_sweep::sweep(), Format::Html);
    let tags = |html: &str| -> HashSet<String> {
        let body = html.split("</style>").nth(1).unwrap();
        let starts = body.split('<').skip(1);
        let names = starts.map(|rest| rest.split([' ', '>']).next().unwrap().to_owned());
        names.collect()
    };
    let shown = text(&hostile(), Format::Html);
    let more: Vec<_> = tags(&shown).difference(&tags(&known)).cloned().collect();
    assert_eq!(more, [""; 0]);
    for bad in ["<script", "<img", "onerror=y>", "javascript:"] {
        assert!(!shown.contains(bad), "{bad}");
    }
    assert_eq!(shown.matches("<style>").count(), 1);
    assert!(shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn html_loads_nothing_and_its_anchors_lead_somewhere() {
    for (name, report) in samples() {
        let shown = text(&report, Format::Html);
        assert!(
            shown.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; "),
            "{name}"
        );
        assert!(!shown.contains(" src=") || name == "hostile", "{name}");
        assert!(!shown.contains("url("), "{name}");
        let ids: Vec<&str> = shown
            .split(" id=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(
            ids.iter().collect::<HashSet<_>>().len(),
            ids.len(),
            "{name}"
        );
        for target in shown.split("href=\"#").skip(1) {
            let target = target.split('"').next().unwrap();
            assert!(ids.contains(&target), "{name}: {target}");
        }
    }
}

#[test]
fn headlines_say_what_is_worst() {
    let headline = |report: &Report| {
        let shown = text(report, Format::Html);
        let start = shown.find("<h1>").unwrap() + 4;
        shown[start..shown.find("</h1>").unwrap()].to_owned()
    };
    let of = |outcomes: &[Outcome]| headline(&sample::of(outcomes));
    let (pass, warn) = (Outcome::Pass, Outcome::Warn);
    assert_eq!(of(&[]), "Nothing to check");
    assert_eq!(of(&[pass]), "The check passed");
    assert_eq!(of(&[pass, pass]), "All 2 checks passed");
    assert_eq!(of(&[pass, warn]), "1 of 2 checks passed with warnings");
    assert_eq!(
        of(&[warn, Outcome::Unverified]),
        "1 of 2 checks could not be verified"
    );
    assert_eq!(
        of(&[Outcome::Fail, Outcome::Unverified]),
        "1 of 2 checks failed"
    );
    assert_eq!(
        headline(&sample_sweep::offline()),
        "No network: nothing is known of the links"
    );
    let errors = Report {
        errors: sample::report().errors,
        ..sample::of(&[pass])
    };
    assert_eq!(headline(&errors), "The script has errors");
}

#[test]
fn a_code_of_every_stage_has_a_rule_with_a_title() {
    let mut report = sample::of(&[Outcome::Fail]);
    let mut finding = sample::report().checks[1].steps[2].finding.clone().unwrap();
    let step = report.checks[0].steps[0].clone();
    report.checks[0].steps.clear();
    for &code in Code::ALL {
        finding.code = code;
        let finding = Some(finding.clone());
        report.checks[0].steps.push(Step {
            finding,
            ..step.clone()
        });
    }
    let log = sarif(&report);
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert_eq!(rules.len(), Code::ALL.len());
    for rule in rules {
        let title = rule["shortDescription"]["text"].as_str().unwrap();
        assert!(title.ends_with('.') && title.len() > 10, "{rule:#}");
    }
}
