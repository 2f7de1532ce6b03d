//! A report in which strangers wrote what they could.

use linkdial_core::{Policy, Target};

use super::{Report, sample, sample_sweep};

/// Texts that mean something in one of the formats, or hide what stands around them.
const HOSTILE: [&str; 8] = [
    "</style></title><script>alert(1)</script><img src=x onerror=y>",
    "a\"b'c\\d`e``f|g\n::error::h\r\n## i",
    "@everyone #1 https://evil.example [text](https://evil.example) ![x](y)",
    "{0} ${NAME} [a](1) %0A",
    "</details>\n\n| a | b |\n```\n<!--",
    "\u{1b}[31m\u{202e}\u{9b}\u{feff}\u{2028}\u{fffe}",
    "]]>&lt;&amp;<![CDATA[",
    "# EOF\nlinkdial_probe_success 1",
];

/// Returns a report in which a stranger wrote every text.
pub(super) fn hostile() -> Report {
    let mut report = sample_sweep::sweep();
    let script = sample::report();
    report.errors = script.errors;
    report.skipped = script.skipped;
    report.checks.extend(script.checks);
    let all = HOSTILE.join(" ");
    report.host = Some(all.clone());
    for error in &mut report.errors {
        error.message.clone_from(&all);
        error.hint = Some(all.clone());
        error.excerpt.text.clone_from(&all);
    }
    for skipped in &mut report.skipped {
        skipped.statement.clone_from(&all);
        skipped.warning = Some(all.clone());
    }
    for check in &mut report.checks {
        check.target = Some(Target::new(all.clone()));
        if let Some(place) = &mut check.place {
            place.file = all.as_str().into();
        }
        for step in &mut check.steps {
            if let Some(endpoint) = &mut step.endpoint {
                endpoint.host.clone_from(&all);
            }
            step.notes.push(("server", all.clone()));
            step.notes.push(("unproven", all.clone()));
            if let Some(finding) = &mut step.finding {
                finding.message.clone_from(&all);
                finding.hint = Some(all.clone());
                let text = format!("{all}\n```\n{all}");
                finding.policy = vec![Policy::json(all.clone(), text)];
                finding.evidence.push(("server", all.clone()));
                for key in &mut finding.keys {
                    key.pointer.clone_from(&all);
                    if let Some(excerpt) = &mut key.excerpt {
                        excerpt.text.clone_from(&all);
                    }
                }
            }
        }
    }
    let night = report.night.as_mut().unwrap();
    for change in &mut night.changes {
        change.difference.now.clone_from(&all);
    }
    for story in &mut night.stories {
        for difference in &mut story.differences {
            difference.fact.clone_from(&all);
        }
    }
    for incident in &mut night.incidents {
        incident.shared.clone_from(&all);
    }
    for expiry in &mut night.expiries {
        expiry.of.clone_from(&all);
    }
    report
}
