//! The walk: what is recorded where it ends early.

use std::sync::Arc;

use linkdial_core::{
    Code, Diagnosis, Endpoint, Halt, Intent, Outcome, Probe, Redactor, Role, Settings, Stage, Step,
};
use tokio_util::sync::CancellationToken;

const STAGES: [Stage; 2] = [Stage::Authenticate, Stage::Access];

async fn walk(until: Stage, answer: Option<Diagnosis>) -> (Result<(), Halt>, Vec<Step>) {
    let cancel = CancellationToken::new();
    let settings = Settings {
        until,
        ..Settings::default()
    };
    let mut probe = Probe::new(
        Arc::new(settings),
        cancel.clone(),
        Redactor::default(),
        None,
        Intent::READ,
    );
    let endpoint = Endpoint::new(Role::Endpoint, "store", 80);
    let work = async {
        match answer {
            Some(diagnosis) => Err(diagnosis),
            None => {
                cancel.cancel();
                std::future::pending().await
            }
        }
    };
    let walked = probe.step(&endpoint, &STAGES, work).await;
    (walked, probe.into_steps())
}

fn outcomes(steps: &[Step]) -> Vec<(Stage, Outcome)> {
    steps
        .iter()
        .map(|step| (step.stage, step.outcome))
        .collect()
}

#[tokio::test]
async fn a_failure_beyond_until_does_not_count_where_the_identity_is_proved() {
    let denied = || Diagnosis::new(Code::AccessDenied, "denied");
    let (walked, steps) = walk(Stage::Authenticate, Some(denied())).await;
    assert!(walked.is_err());
    assert_eq!(
        outcomes(&steps),
        [
            (Stage::Authenticate, Outcome::Pass),
            (Stage::Access, Outcome::Skip)
        ]
    );
    assert_eq!(steps[1].notes, [("reason", "beyond --until".to_owned())]);

    let (_, steps) = walk(Stage::Access, Some(denied())).await;
    assert_eq!(
        outcomes(&steps),
        [
            (Stage::Authenticate, Outcome::Pass),
            (Stage::Access, Outcome::Fail)
        ]
    );

    // It says nothing about the identity, which was asked for.
    let (_, steps) = walk(Stage::Authenticate, Some(denied().without_identity())).await;
    assert_eq!(outcomes(&steps), [(Stage::Access, Outcome::Fail)]);
}

#[tokio::test]
async fn a_stopped_step_is_that_of_its_last_stage() {
    let (_, steps) = walk(Stage::Write, None).await;
    assert_eq!(outcomes(&steps), [(Stage::Access, Outcome::Unverified)]);
    let finding = steps[0].diagnosis.as_ref();
    let code = finding.map(|finding| finding.code);
    assert_eq!(code, Some(Code::Interrupted(Stage::Access)));
}
