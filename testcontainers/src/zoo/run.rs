use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{Expected, Fault, Seeded, leaks};
use crate::versions;
use crate::{
    Azurite, Certificates, Error, FakeGcs, Hdfs, Minio, Moto, Nginx, Scratch, SecuredHdfs,
    SecuredKafka,
};

/// The stage's deadline where somebody stays silent: nothing else is waited for.
const SILENT: Duration = Duration::from_secs(1);

/// The one where everybody answers: it never passes, however busy the machine is.
const TALKING: Duration = Duration::from_secs(5);

/// How much later than its deadline a check may end.
pub const GRACE: Duration = Duration::from_millis(100);

/// Every format of a report but the one for people, which goes to standard output.
const FORMATS: [&str; 7] = [
    "json",
    "junit",
    "github",
    "sarif",
    "openmetrics",
    "markdown",
    "html",
];

/// A linkdial that faults are held against.
#[derive(Debug)]
pub struct Linkdial {
    program: PathBuf,
}

/// What linkdial said of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The verdict of the only check; `error` for a statement that does not parse.
    pub verdict: String,
    /// The code that decides.
    pub code: String,
    /// Its stage.
    pub stage: String,
    /// The part of the endpoint where it was found.
    pub role: String,
    /// Clause and pointer of the guilty key that stands first.
    pub key: Option<(String, String)>,
    /// How long the check took by the report.
    pub elapsed: Duration,
    /// The longest that it may have taken.
    pub deadline: Duration,
    /// Where a secret was seen: the output, and the form.
    pub leaks: Vec<String>,
    /// The sentence of the finding.
    pub message: String,
    /// Whether a statement that mends it was shown, which means that it was dialled.
    pub corrected: bool,
}

impl Found {
    /// Returns whether verdict, code, stage and role are those expected.
    pub fn has_code(&self, expected: &Expected) -> bool {
        (self.verdict.as_str(), self.code.as_str()) == (expected.verdict, expected.code)
            && (self.stage.as_str(), self.role.as_str()) == (expected.stage, expected.role)
    }

    /// Returns whether the guilty key is the one expected, or none is where none is.
    pub fn has_key(&self, expected: &Expected) -> bool {
        let found = self.key.as_ref();
        found.map(|(clause, pointer)| (clause.as_str(), pointer.as_str())) == expected.key
    }

    /// Returns whether a statement that mends it was shown, where one is expected.
    pub const fn is_mended(&self, expected: &Expected) -> bool {
        self.corrected || !expected.mended
    }

    /// Returns whether it ended in time.
    pub fn in_time(&self) -> bool {
        self.elapsed <= self.deadline + GRACE
    }

    /// Returns whether a machine that was busy with something else may be to blame: the check is late,
    /// or ran into a deadline where nobody is silent.
    pub fn may_be_starved(&self, fault: &Fault) -> bool {
        let ran_out = self.code.ends_with("timed-out") && !self.has_code(&fault.expected);
        !self.in_time() || ran_out
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verdict,
            code,
            stage,
            role,
            ..
        } = self;
        write!(f, "{verdict} {code} {stage} {role}")
    }
}

impl Linkdial {
    /// A program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// Verifies a fault once, in every format and with every event, and looks for its secrets.
    ///
    /// # Errors
    ///
    /// When a server, a file or the program fails, or the report cannot be read.
    pub fn verify(&self, fault: &Fault, seeded: &Seeded) -> Result<Found, Error> {
        let folder = Scratch::new("zoo")?;
        let script = folder.write("links.sql", &seeded.script)?;
        let deadline = deadline(fault);
        let mut command = self.command("verify");
        command.args(["-v", "--log", "trace", "--color", "never"]);
        dials(&mut command, deadline, seeded);
        let texts = self.reports(command.arg(&script), &folder)?;
        let report = texts
            .iter()
            .find(|(name, _)| name == "json")
            .map(|(_, text)| text.as_str());
        let report: Value =
            serde_json::from_str(report.unwrap_or_default()).map_err(|error| Error::Refused {
                doing: format!("read the report on {}", fault.name),
                answer: format!("{error}; {}", texts[1].1),
            })?;
        Ok(Found {
            deadline,
            leaks: seen(&texts, seeded),
            ..read(&report)
        })
    }

    /// Registers a fault, sweeps it twice, and returns where a secret is seen: in what is written
    /// meanwhile, in what the history tells afterwards, or in the registry's files as they lie on the
    /// disk.
    ///
    /// # Errors
    ///
    /// When a server, a file or the program fails, or a link of the fault is not swept.
    pub fn nights(&self, fault: &Fault, seeded: &Seeded) -> Result<Vec<String>, Error> {
        let folder = Scratch::new("zoo")?;
        let script = folder.write("links.sql", &seeded.script)?;
        let registry = folder.path().join("registry");
        std::fs::create_dir(&registry).map_err(Error::io("make a folder"))?;
        let command = |word: &str, options: &[&str]| {
            let mut command = self.command(word);
            command.args(["--log", "trace", "--color", "never"]);
            command.arg("--registry").arg(registry.join("registry.db"));
            command.args(options);
            command
        };

        // What a statement comes to is none of a history.
        let judged = 0..=2;
        let mut apply = command("apply", &["-v", "--database", "zoo", "--defer"]);
        dials(&mut apply, deadline(fault), seeded);
        let mut texts = Vec::from(self.output(apply.arg(&script), judged.clone())?);
        for _ in 0..2 {
            let mut sweep = command("sweep", &["-v", "--confirm", "0"]);
            dials(&mut sweep, deadline(fault), seeded);
            texts.extend(self.reports(&mut sweep, &folder)?);
        }
        for history in [
            &["--sweep", "1"][..],
            &["--sweep", "2", "--format", "json"],
            &["--diff", "--format", "json"],
            &["--expires-within", "3650d", "--format", "json"],
        ] {
            texts.extend(self.output(&mut command("history", history), 0..=1)?);
        }
        let reports = texts.iter().filter(|(name, _)| name == "json");
        let swept = reports.map(|(_, report)| serde_json::from_str(report));
        // A statement whose clauses can not be read is in no registry.
        let is_dialled = !["", "define"].contains(&fault.expected.stage);
        for swept in swept {
            let swept: Value = swept.unwrap_or_default();
            if is_dialled && swept["checks"][0].is_null() {
                return Err(Error::Refused {
                    doing: format!("sweep {}", fault.name),
                    answer: swept.to_string(),
                });
            }
        }
        for file in std::fs::read_dir(&registry).map_err(Error::io("read a folder"))? {
            let file = file.map_err(Error::io("read a folder"))?;
            let bytes = std::fs::read(file.path()).map_err(Error::io("read the registry"))?;
            let name = file.file_name().to_string_lossy().into_owned();
            texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
        Ok(seen(&texts, seeded))
    }

    /// No variable of the caller counts.
    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().arg(word).stdin(Stdio::null());
        command
    }

    /// Runs it, and returns what it wrote to both streams.
    fn output(
        &self,
        command: &mut Command,
        good: RangeInclusive<i32>,
    ) -> Result<[(String, String); 2], Error> {
        let output = command.output();
        let output = output.map_err(Error::io(format!("run {}", self.program.display())))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, log) = (text(&output.stdout), text(&output.stderr));
        if !output
            .status
            .code()
            .is_some_and(|code| good.contains(&code))
        {
            return Err(Error::Refused {
                doing: format!("run {command:?}"),
                answer: format!("{}: {said}{log}", output.status),
            });
        }
        Ok([("human".to_owned(), said), ("the log".to_owned(), log)])
    }

    /// The same with a report in every format. Nothing fails, a check does, or a statement is wrong.
    fn reports(
        &self,
        command: &mut Command,
        folder: &Scratch,
    ) -> Result<Vec<(String, String)>, Error> {
        let files = FORMATS.map(|format| (format, folder.path().join(format)));
        for (format, file) in &files {
            command.args(["--output", &format!("{format}={}", file.display())]);
        }
        let mut texts = Vec::from(self.output(command, 0..=2)?);
        for (format, file) in files {
            let text = std::fs::read_to_string(file).map_err(Error::io("read a report"))?;
            texts.push((format.to_owned(), text));
        }
        Ok(texts)
    }
}

const fn deadline(fault: &Fault) -> Duration {
    if fault.silent { SILENT } else { TALKING }
}

/// What a fault is dialled with.
fn dials(command: &mut Command, deadline: Duration, seeded: &Seeded) {
    command
        .args(["--timeout", &format!("{}ms", deadline.as_millis())])
        .arg("--ca-file")
        .arg(Certificates::shared().ca_file())
        .args(&seeded.options);
}

/// Returns where a secret is seen: the output, and the form.
fn seen(texts: &[(String, String)], seeded: &Seeded) -> Vec<String> {
    let seen = texts.iter().flat_map(|(name, text)| {
        let secrets = seeded.secrets.iter().flat_map(|secret| leaks(text, secret));
        secrets.map(move |form| format!("{name}, {form}"))
    });
    let seen: BTreeSet<String> = seen.collect();
    seen.into_iter().collect()
}

/// Reads what decides: the first error of the statement, else the only check.
fn read(report: &Value) -> Found {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let check = &report["checks"][0];
    let error = &report["errors"][0];
    let milliseconds = check["elapsed_ms"].as_f64().unwrap_or_default();
    let elapsed = Duration::from_secs_f64(milliseconds / 1000.0);
    let empty = Found {
        verdict: "error".to_owned(),
        code: text(&error["code"]),
        stage: String::new(),
        role: String::new(),
        key: None,
        elapsed,
        deadline: Duration::ZERO,
        leaks: Vec::new(),
        message: text(&error["message"]),
        corrected: !check["correction"].is_null() || !error["correction"].is_null(),
    };
    if !error.is_null() {
        return empty;
    }
    let steps = check["steps"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let decides = steps.iter().find(|step| {
        step["diagnosis"]["code"] == check["code"] && step["outcome"] == check["verdict"]
    });
    let key = &check["diagnosis"]["keys"][0];
    Found {
        verdict: text(&check["verdict"]),
        code: text(&check["code"]),
        stage: text(&check["stage"]),
        role: decides.map_or_else(String::new, |step| text(&step["role"])),
        key: (!key.is_null()).then(|| (text(&key["clause"]), text(&key["pointer"]))),
        message: text(&check["diagnosis"]["message"]),
        ..empty
    }
}

/// The word of a server in the table, and what starts it.
type Start = (&'static str, fn() -> bool);

/// Starts the servers that these faults share, all at once: the first who needs one would wait for
/// it, and be measured by a machine that is busy with it.
///
/// # Panics
///
/// When one of them cannot be installed or started.
pub fn start_servers(faults: &[Fault]) {
    let needed: BTreeSet<&str> = faults.iter().map(|fault| fault.server).collect();
    // Whoever asks first starts it; the handle itself is not wanted yet.
    let starts: [Start; 10] = [
        ("Kafka", || SecuredKafka::shared().addr().port() > 0),
        ("Hadoop with Kerberos", || {
            SecuredHdfs::shared().addr().port() > 0
        }),
        ("Hadoop", || Hdfs::shared().addr().port() > 0),
        ("MinIO", || Minio::shared().addr().port() > 0),
        ("MinIO", || Minio::shared_tls().addr().port() > 0),
        ("MinIO", || Minio::shared_gcs().addr().port() > 0),
        ("moto", || Moto::shared().addr().port() > 0),
        ("Azurite", || Azurite::shared().addr().port() > 0),
        ("fake-gcs-server", || FakeGcs::shared().addr().port() > 0),
        ("nginx", || {
            [
                Nginx::shared(),
                Nginx::shared_tls(),
                Nginx::shared_mutual_tls(),
            ]
            .iter()
            .all(|nginx| nginx.addr().port() > 0)
        }),
    ];
    let name = thread_name();
    thread::scope(|scope| {
        for (_, start) in starts.iter().filter(|(name, _)| needed.contains(name)) {
            let thread = thread::Builder::new().name(name.clone());
            let started = thread.spawn_scoped(scope, start);
            started.expect("a thread can be started");
        }
    });
}

/// Does something with every fault, so many at once, and returns what came of it in their order.
///
/// # Panics
///
/// When the work does, or the system starts no thread.
pub fn each<T: Send>(
    faults: &[Fault],
    at_once: usize,
    work: impl Fn(&Fault) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let name = thread_name();
    let worker = || {
        while let Some((number, fault)) = take(faults, &next) {
            let result = work(fault);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((number, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_once {
            let thread = thread::Builder::new().name(name.clone());
            let started = thread.spawn_scoped(scope, worker);
            started.expect("a thread can be started");
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The name of a test is that of its thread, and the record of servers tells who used them.
fn thread_name() -> String {
    thread::current().name().unwrap_or("zoo").to_owned()
}

fn take<'a>(faults: &'a [Fault], next: &AtomicUsize) -> Option<(usize, &'a Fault)> {
    let number = next.fetch_add(1, Ordering::SeqCst);
    Some((number, faults.get(number)?))
}

/// The program beside another one: where `cargo build` puts both.
///
/// # Errors
///
/// When there is none.
pub fn beside(program: &Path) -> Result<PathBuf, Error> {
    let name = format!("linkdial{}", std::env::consts::EXE_SUFFIX);
    let path = program.with_file_name(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::Refused {
        doing: "find linkdial".to_owned(),
        answer: format!(
            "there is no {}; build it, or name it with --program",
            path.display()
        ),
    })
}

/// The real servers with their versions, as far as they are pinned.
pub fn servers() -> [String; 6] {
    [
        format!("MinIO {}", versions::MINIO),
        format!("Azurite {}", versions::AZURITE),
        format!("fake-gcs-server {}", versions::FAKE_GCS),
        format!("moto {}", versions::MOTO),
        format!("Kafka {}", versions::KAFKA),
        format!("Hadoop {}", versions::HADOOP),
    ]
}

/// The day, as `2026-01-31`, in UTC.
pub fn today() -> String {
    let now = time::OffsetDateTime::now_utc();
    format!(
        "{}-{:02}-{:02}",
        now.year(),
        u8::from(now.month()),
        now.day()
    )
}
