//! One link as a whole process, from start to exit.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::measure::{command, ends_with, median, millis};
use crate::report::{Goal, Report, Row};
use crate::server::{BUCKET, Minio, OBJECT, PREFIX, Tls};
use crate::{Programs, Result, script};

/// Processes of each kind, in turn.
const HEALTHY: usize = 41;
const CLOSED: usize = 31;
const SILENT: usize = 5;

/// A healthy link: a list, and one byte of one object.
pub(crate) fn healthy(programs: &Programs, minio: &Minio, report: &mut Report) -> Result<()> {
    let script = script::write(programs, minio, 1)?;
    let mut ours = verify(programs, &script);
    if let Some(file) = &minio.ca_file {
        ours.args(["--ca-file", file]);
    }
    let roots = minio
        .ca_file
        .as_deref()
        .map(|file| all_roots(programs, file));
    let roots = roots.transpose()?;
    let mut same = curl(minio, roots.as_deref());
    let mut alone = curl(minio, minio.ca_file.as_deref().map(Path::new));
    let (mut ours_took, mut same_took, mut alone_took) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..HEALTHY {
        ours_took.push(ends_with(&mut ours, 0)?);
        same_took.push(ends_with(&mut same, 0)?);
        if minio.tls == Tls::Yes {
            alone_took.push(ends_with(&mut alone, 0)?);
        }
    }
    let (ours, curl) = (median(ours_took), median(same_took));
    let at_most = match minio.tls {
        Tls::No => 0.6,
        Tls::Yes => 0.8,
    };
    report.add(Row::beside(
        format!("one healthy link, {}", minio.tls.word()),
        format!("{:.1} ms", millis(ours)),
        format!("curl: {:.1} ms", millis(curl)),
        ours.as_secs_f64() / curl.as_secs_f64(),
        Goal::AtMost(at_most),
    ));
    if minio.tls == Tls::Yes {
        let alone = median(alone_took);
        report.add(Row::noted(
            "the same beside curl with one root".to_owned(),
            format!("{:.1} ms", millis(ours)),
            format!("curl: {:.1} ms", millis(alone)),
            Some(ours.as_secs_f64() / alone.as_secs_f64()),
        ));
    }
    Ok(())
}

/// Writes the roots that linkdial trusts: the system's and the given one.
fn all_roots(programs: &Programs, ca_file: &str) -> Result<PathBuf> {
    let mut roots = std::fs::read("/etc/ssl/certs/ca-certificates.crt")?;
    roots.extend(std::fs::read(ca_file)?);
    let path = programs.folder.join("roots.pem");
    std::fs::write(&path, roots)?;
    Ok(path)
}

/// A port where nobody listens.
pub(crate) fn closed_port(programs: &Programs, report: &mut Report) -> Result<()> {
    // Bound and not listening: nobody else gets the port, and it refuses.
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let port = socket.local_addr()?.port();
    let mut ours = verify(programs, &script::broken(programs, "closed.sql", port)?);
    let mut curl = command("curl");
    curl.args(["--silent", &format!("http://127.0.0.1:{port}/")]);
    let (mut ours_took, mut curl_took) = (Vec::new(), Vec::new());
    for _ in 0..CLOSED {
        ours_took.push(ends_with(&mut ours, 1)?);
        curl_took.push(ends_with(&mut curl, 7)?);
    }
    let ours = median(ours_took);
    report.add(Row::alone(
        "a closed port is named",
        format!("{:.1} ms", millis(ours)),
        format!("curl: {:.1} ms", millis(median(curl_took))),
        millis(ours),
        Goal::AtMostMillis(20.0),
    ));
    Ok(())
}

/// A server that accepts and never says a word.
pub(crate) fn silent_server(programs: &Programs, report: &mut Report) -> Result<()> {
    const DEADLINE: Duration = Duration::from_secs(1);
    // The system accepts for it.
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let mut ours = verify(programs, &script::broken(programs, "silent.sql", port)?);
    ours.args(["--timeout", "1s"]);
    let mut curl = command("curl");
    curl.args(["--silent", &format!("http://127.0.0.1:{port}/")]);
    let mut curl = Ended(curl.spawn()?);
    let mut took = Vec::new();
    for _ in 0..SILENT {
        took.push(ends_with(&mut ours, 1)?);
    }
    let waited = DEADLINE * u32::try_from(SILENT)?;
    let curl = match curl.0.try_wait()? {
        None => format!("curl: still waits after {} s", waited.as_secs()),
        Some(_) => "curl: gave up".to_owned(),
    };
    let over = median(took).saturating_sub(DEADLINE);
    report.add(Row::alone(
        "a silent server is named, beyond the deadline of 1 s",
        format!("{:.1} ms", millis(over)),
        curl,
        millis(over),
        Goal::AtMostMillis(100.0),
    ));
    Ok(())
}

/// A process that must not be left behind.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

fn verify(programs: &Programs, script: &Path) -> Command {
    let mut command = command(&programs.linkdial);
    command.args(["verify", "--strict"]).arg(script);
    command
}

/// The same two requests over one connection.
fn curl(minio: &Minio, roots: Option<&Path>) -> Command {
    let login = &minio.logins[0];
    let base = format!("{}/{BUCKET}", minio.endpoint);
    let prefix = PREFIX.replace('/', "%2F");
    let list = format!("{base}?list-type=2&max-keys=100&prefix={prefix}");
    let read = format!("{base}/{OBJECT}");
    let user = format!("{}:{}", login.id, login.secret);
    let sign = format!("aws:amz:{}:s3", minio.region);
    let mut shared = vec!["--silent", "--fail", "--output", "/dev/null"];
    shared.extend(["--aws-sigv4", &sign, "--user", &user]);
    let roots = roots.map(|path| path.display().to_string());
    if let Some(file) = &roots {
        shared.extend(["--cacert", file]);
    }
    let mut curl = command("curl");
    curl.args(&shared).arg(&list).arg("--next");
    curl.args(&shared).args(["--range", "0-0"]).arg(&read);
    curl
}
