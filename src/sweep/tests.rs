use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use linkdial_core::{
    Code, DynProvider, Endpoint, Halt, Outcome as Verdict, Probe, Redactor, Role, Stage, Wrong,
    verdict,
};

use super::*;

/// Counts how many run at once, in all and at each port.
#[derive(Debug, Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
    ports: Mutex<BTreeMap<u16, (usize, usize)>>,
}

impl Gauge {
    fn enter(&self, port: u16) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let mut ports = self.ports.lock().unwrap();
        let (running, most) = ports.entry(port).or_default();
        *running += 1;
        *most = (*most).max(*running);
    }

    fn leave(&self, port: u16) {
        self.now.fetch_sub(1, Ordering::SeqCst);
        self.ports.lock().unwrap().get_mut(&port).unwrap().0 -= 1;
    }
}

#[derive(Clone, Copy, Debug)]
enum Does {
    Pass,
    Panic,
    /// Ends when it is cancelled.
    Wait,
    /// Blocks the thread, as foreign code does.
    Block(Duration),
    /// Passes a stage, and then waits where no deadline of a stage holds.
    Stray,
    /// Waits in its write, and takes this long to undo it.
    Undo(Duration),
}

#[derive(Debug)]
struct Fake {
    port: u16,
    does: Does,
    gauge: Arc<Gauge>,
}

impl DynProvider for Fake {
    fn with_wrong_secret(&self) -> Wrong<Box<dyn DynProvider>> {
        Wrong::Nothing("it has none")
    }

    fn endpoint(&self, _target: Option<&Target>) -> Option<Endpoint> {
        Some(Endpoint::new(Role::Endpoint, "fake", self.port))
    }

    fn probe<'a>(
        &'a self,
        probe: &'a mut Probe,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 'a>> {
        Box::pin(async move {
            let endpoint = Endpoint::new(Role::Endpoint, "fake", self.port);
            self.gauge.enter(self.port);
            match self.does {
                Does::Stray => {
                    probe.pass(Stage::Resolve, Some(&endpoint));
                    return std::future::pending().await;
                }
                Does::Undo(time) => {
                    let write = std::future::pending::<Result<(), _>>();
                    let halt = probe.step(&endpoint, &[Stage::Write], write).await;
                    let undo = async {
                        tokio::time::sleep(time).await;
                        self.gauge.leave(self.port);
                        Ok(())
                    };
                    probe.cleanup(undo).await.unwrap();
                    return halt;
                }
                _ => {}
            }
            let work = async {
                match self.does {
                    Does::Pass => tokio::time::sleep(Duration::from_millis(2)).await,
                    Does::Panic => panic!("a marked secret: s3cr3t"),
                    Does::Wait => std::future::pending().await,
                    Does::Block(time) => thread::sleep(time),
                    Does::Stray | Does::Undo(_) => unreachable!("handled above"),
                }
                Ok(())
            };
            let result = probe.step(&endpoint, &[Stage::Access], work).await;
            self.gauge.leave(self.port);
            result
        })
    }
}

fn item(port: u16, does: Does, gauge: &Arc<Gauge>) -> Item {
    let gauge = Arc::clone(gauge);
    Item {
        link: Arc::new(Link::new(move || Opened {
            provider: Some(Box::new(Fake { port, does, gauge })),
            findings: Vec::new(),
            redactor: Redactor::default(),
        })),
        target: Some(Target::new(port.to_string())),
        intent: Intent::READ,
    }
}

fn limits(jobs: usize, per_host: usize) -> Limits {
    Limits {
        jobs: NonZeroUsize::new(jobs).unwrap(),
        jobs_per_host: NonZeroUsize::new(per_host).unwrap(),
        ..Limits::default()
    }
}

fn run_all(items: Vec<Item>, limits: &Limits) -> Outcome {
    run(items, &Arc::new(Settings::default()), limits, |_| {}).unwrap()
}

#[test]
fn keeps_both_limits_and_the_order() {
    let gauge = Arc::new(Gauge::default());
    // One busy host in front must not keep the others from starting.
    let items: Vec<_> = (0..300)
        .map(|index| {
            item(
                if index < 150 { 1 } else { index % 7 + 2 },
                Does::Pass,
                &gauge,
            )
        })
        .collect();
    let expected: Vec<_> = items.iter().map(|item| item.target.clone()).collect();
    let mut finished = Vec::new();
    let outcome = run(
        items,
        &Arc::new(Settings::default()),
        &limits(10, 3),
        |event| {
            if let Event::Finished(index, record) = event {
                finished.push((index, record.steps.len()));
            }
        },
    )
    .unwrap();
    assert!(outcome.complete);
    assert_eq!(outcome.records.len(), expected.len());
    for (index, record) in outcome.records.iter().enumerate() {
        let port = record.steps.last().unwrap().endpoint.as_ref().unwrap().port;
        assert_eq!(Some(Target::new(port.to_string())), expected[index]);
        assert_eq!(verdict(&record.steps), Verdict::Pass);
    }
    assert_eq!(finished.len(), 300);
    assert!(gauge.most.load(Ordering::SeqCst) <= 10);
    assert!(
        gauge.most.load(Ordering::SeqCst) > 3,
        "one host held the others up"
    );
    for (port, (_, most)) in gauge.ports.lock().unwrap().iter() {
        assert!(*most <= 3, "port {port} had {most}");
    }
}

#[test]
fn one_job_at_a_time_ends() {
    let gauge = Arc::new(Gauge::default());
    let items = (0..20).map(|_| item(1, Does::Pass, &gauge)).collect();
    assert!(run_all(items, &limits(1, 1)).complete);
    assert_eq!(gauge.most.load(Ordering::SeqCst), 1);
}

#[test]
fn a_panic_is_the_verdict_of_its_check_alone() {
    for count in [1, 3] {
        let gauge = Arc::new(Gauge::default());
        let mut items = vec![item(1, Does::Panic, &gauge)];
        items.extend((1..count).map(|_| item(2, Does::Pass, &gauge)));
        let outcome = run_all(items, &Limits::default());
        assert!(outcome.complete);
        let record = &outcome.records[0];
        assert_eq!(verdict(&record.steps), Verdict::Unverified);
        let shown = format!("{record:?}");
        assert!(shown.contains("Interrupted"), "{shown}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(record.broken);
        for record in &outcome.records[1..] {
            assert!(!record.broken);
            assert_eq!(verdict(&record.steps), Verdict::Pass);
        }
    }
}

#[test]
fn a_link_that_can_not_even_be_read_is_unverified() {
    let gauge = Arc::new(Gauge::default());
    let mut broken = item(1, Does::Pass, &gauge);
    broken.link = Arc::new(Link::new(|| panic!("while reading")));
    let outcome = run_all(
        vec![broken.clone(), broken, item(1, Does::Pass, &gauge)],
        &Limits::default(),
    );
    let verdicts: Vec<_> = outcome
        .records
        .iter()
        .map(|record| verdict(&record.steps))
        .collect();
    assert_eq!(
        verdicts,
        [Verdict::Unverified, Verdict::Unverified, Verdict::Pass]
    );
}

#[test]
fn the_deadline_of_the_run_stops_all_checks() {
    for count in [1, 200] {
        let gauge = Arc::new(Gauge::default());
        let items = (0..count).map(|_| item(1, Does::Wait, &gauge)).collect();
        let limits = Limits {
            deadline: Some(Duration::from_millis(30)),
            ..Limits::default()
        };
        let started = Instant::now();
        let outcome = run_all(items, &limits);
        assert!(started.elapsed() < Duration::from_secs(3));
        assert!(!outcome.complete);
        assert!(
            !limits.cancel.is_cancelled(),
            "the caller's token is its own"
        );
        for record in &outcome.records {
            let diagnosis = record.steps.last().unwrap().diagnosis.as_ref().unwrap();
            assert!(matches!(diagnosis.code, Code::Interrupted(_)));
            let hint = diagnosis.hint.as_deref().unwrap();
            assert!(hint.contains("raise `--deadline`"), "{hint}");
        }
    }
}

#[test]
fn cancelled_checks_end_promptly() {
    for count in [1, 200] {
        let gauge = Arc::new(Gauge::default());
        let items = (0..count).map(|_| item(1, Does::Wait, &gauge)).collect();
        let limits = limits(8, 4);
        let cancel = limits.cancel.clone();
        let outcome = run(items, &Arc::new(Settings::default()), &limits, |event| {
            if matches!(event, Event::Started(_)) {
                cancel.cancel();
            }
        })
        .unwrap();
        assert!(!outcome.complete);
        assert_eq!(outcome.records.len(), count);
        for record in &outcome.records {
            assert_eq!(verdict(&record.steps), Verdict::Unverified);
            let diagnosis = record.steps.last().unwrap().diagnosis.as_ref().unwrap();
            assert_eq!(diagnosis.hint.as_deref(), Some("run it again"));
        }
    }
}

#[test]
fn foreign_code_that_blocks_does_not_hold_the_deadline() {
    let gauge = Arc::new(Gauge::default());
    let items = (0..2)
        .map(|_| item(1, Does::Block(Duration::from_secs(10)), &gauge))
        .collect();
    let limits = Limits {
        deadline: Some(Duration::from_millis(20)),
        ..Limits::default()
    };
    let started = Instant::now();
    let outcome = run_all(items, &limits);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!outcome.complete);
}

/// Longer than a stopped check gets, and shorter than a clean-up may take.
const SLOW_UNDO: Duration = Duration::from_millis(1700);

#[test]
fn a_write_is_undone_before_a_stopped_run_ends() {
    for count in [1, 3] {
        let gauge = Arc::new(Gauge::default());
        let items = (0..count)
            .map(|_| item(1, Does::Undo(SLOW_UNDO), &gauge))
            .collect();
        let limits = Limits {
            deadline: Some(Duration::from_millis(50)),
            ..Limits::default()
        };
        let outcome = run_all(items, &limits);
        assert!(!outcome.complete);
        assert_eq!(gauge.now.load(Ordering::SeqCst), 0, "a write was left");
        for record in &outcome.records {
            let codes: Vec<_> = record.steps.iter().map(code).collect();
            assert_eq!(codes, ["", "write.interrupted"]);
        }
    }
}

#[test]
fn a_write_is_undone_before_a_check_out_of_time_ends() {
    let gauge = Arc::new(Gauge::default());
    let settings = Settings {
        check_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let items = vec![item(1, Does::Undo(SLOW_UNDO), &gauge)];
    let outcome = run(items, &Arc::new(settings), &Limits::default(), |_| {}).unwrap();
    assert_eq!(gauge.now.load(Ordering::SeqCst), 0, "the write was left");
    let codes: Vec<_> = outcome.records[0].steps.iter().map(code).collect();
    assert_eq!(codes, ["", "access.timed-out"]);
}

#[test]
fn a_check_that_is_given_up_keeps_what_it_recorded() {
    let settings = Arc::new(Settings {
        check_timeout: Duration::from_millis(20),
        ..Settings::default()
    });
    for deadline in [None, Some(Duration::from_millis(20))] {
        let gauge = Arc::new(Gauge::default());
        let items = (0..2).map(|_| item(1, Does::Stray, &gauge)).collect();
        let limits = Limits {
            deadline,
            ..Limits::default()
        };
        let outcome = run(items, &settings, &limits, |_| {}).unwrap();
        for record in outcome.records {
            let stages: Vec<_> = record.steps.iter().map(|step| step.stage).collect();
            assert_eq!(stages[..2], [Stage::Define, Stage::Resolve]);
            assert!(code(&record.steps[2]).ends_with(".interrupted"));
            assert!(record.elapsed > Duration::ZERO);
        }
    }
}

fn code(step: &Step) -> &'static str {
    let diagnosis = step.diagnosis.as_ref();
    diagnosis.map_or("", |diagnosis| diagnosis.code.as_str())
}
