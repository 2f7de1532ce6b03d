//! What the cluster says of the topic: there, led, and open to what the statements do.

use linkdial_core::{Code, Probe, Stage};

use crate::error::{self, Asked};
use crate::metadata::{Metadata, Topic};

/// Records what is said against the topic. Returns it where it can be used.
pub(crate) fn judge<'a>(
    probe: &mut Probe,
    asked: &Asked<'_>,
    wanted: &str,
    metadata: &'a Metadata,
) -> Option<&'a Topic> {
    let found = metadata.topics.iter().find(|topic| topic.name == wanted);
    if let Some(topic) = found {
        probe.note("partitions", topic.partitions.len());
    }
    let findings = error::topic(asked, wanted, found);
    let usable = findings.is_empty();
    let intent = probe.intent();
    let uses = [("Read", intent.reads()), ("Write", intent.write)];
    let operations: Vec<&str> = uses
        .iter()
        .filter_map(|(name, used)| used.then_some(*name))
        .collect();
    for mut finding in findings {
        if finding.code == Code::AccessDenied {
            finding = finding.policy(asked.acl(wanted, &operations));
        }
        probe.finding(Some(asked.endpoint), finding);
    }
    let topic = found.filter(|_| usable)?;
    judge_rights(probe, asked, topic);
    Some(topic)
}

fn judge_rights(probe: &mut Probe, asked: &Asked<'_>, topic: &Topic) {
    let intent = probe.intent();
    let Some(rights) = topic.rights else {
        probe.note("unproven", "the broker does not tell what this user may do");
        return;
    };
    probe.note("allowed", rights.names());
    let asks = [
        (Stage::Read, intent.read || !intent.write, rights.may_read()),
        (Stage::Write, intent.write, rights.may_write()),
    ];
    for (stage, wanted, allowed) in asks {
        if !wanted || !probe.walks(stage) {
            continue;
        }
        if allowed {
            probe.pass(stage, Some(asked.endpoint));
            probe.note(
                "proved_by",
                "the broker's own list of what this user may do",
            );
        } else {
            let finding = error::denied(asked, stage, &topic.name, rights);
            probe.finding(Some(asked.endpoint), finding);
        }
    }
}
