//! What a test asks of a record.

use crate::code::Code;
use crate::diagnosis::{Diagnosis, Outcome};
use crate::probe::Step;
use crate::provider::verdict;
use crate::stage::Stage;

/// Returns the diagnosis that decides the verdict: that of the first step with the worst outcome.
pub fn diagnosis(steps: &[Step]) -> Option<&Diagnosis> {
    let worst = verdict(steps);
    let step = steps.iter().find(|step| step.outcome == worst)?;
    step.diagnosis.as_ref()
}

/// Returns verdict, code and first guilty key in one line, such as
/// `fail authenticate.bad-secret CREDENTIALS/account_key`.
pub fn summary(steps: &[Step]) -> String {
    let verdict = verdict(steps);
    let Some(diagnosis) = diagnosis(steps) else {
        return verdict.to_string();
    };
    match diagnosis.keys.first() {
        Some(key) => format!("{verdict} {} {}{}", diagnosis.code, key.clause, key.pointer),
        None => format!("{verdict} {}", diagnosis.code),
    }
}

/// Leaves out the warnings about keys that linkdial alone knows, which every link to a server of a
/// test has that needs one to name it.
pub fn without_extensions(mut steps: Vec<Step>) -> Vec<Step> {
    steps.retain(|step| {
        let code = step.diagnosis.as_ref().map(|diagnosis| diagnosis.code);
        code != Some(Code::DefineExtensionKey)
    });
    steps
}

/// Returns the stages that passed, in order.
pub fn passed(steps: &[Step]) -> Vec<Stage> {
    let passed = steps.iter().filter(|step| step.outcome == Outcome::Pass);
    passed.map(|step| step.stage).collect()
}

/// Returns a piece of evidence of the diagnosis that decides.
pub fn evidence<'a>(steps: &'a [Step], name: &str) -> Option<&'a str> {
    let mut evidence = diagnosis(steps)?.evidence.iter();
    let (_, value) = evidence.find(|(known, _)| *known == name)?;
    Some(value)
}

/// Returns a note of any step.
pub fn note<'a>(steps: &'a [Step], name: &str) -> Option<&'a str> {
    let mut notes = steps.iter().flat_map(|step| &step.notes);
    let (_, value) = notes.find(|(known, _)| *known == name)?;
    Some(value)
}

/// Returns the findings about clauses as `outcome code CLAUSE/pointer`.
pub fn findings(findings: &[Diagnosis]) -> Vec<String> {
    let line = |finding: &Diagnosis| {
        let key = finding.keys.first();
        let key = key.map(|key| format!(" {}{}", key.clause, key.pointer));
        format!(
            "{} {}{}",
            finding.outcome,
            finding.code,
            key.unwrap_or_default()
        )
    };
    findings.iter().map(line).collect()
}
