//! Sweeps of a registry: healthy links of several kinds, silent ones among them, a large registry.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Run, command, median, millis, run};
use crate::report::{Goal, Report, Row};
use crate::server::{Azurite, BUCKET, HttpService, Kafka, Minio, OBJECT, PREFIX, Tls};
use crate::{Programs, Result, registry, script, sweep};

/// Links of the registries that are swept whole.
const LINKS: [u32; 3] = [100, 1_000, 10_000];
/// Sweeps of each registry; of the largest one fewer.
const RUNS: usize = 5;
/// Links of the run in which every fifth server is silent.
const WITH_SILENT: u32 = 1_000;
/// The deadline of a stage in that run.
const DEADLINE_MS: f64 = 2_000.0;
/// A large registry, and the links of it that are checked.
const MANY: u32 = 100_000;
const CHECKED: u32 = 5_000;

/// The servers that healthy links lead to.
struct World {
    minio: Minio,
    http: HttpService,
    azurite: Azurite,
    kafka: Kafka,
}

impl World {
    fn start(programs: &Programs) -> Result<Self> {
        Ok(Self {
            minio: Minio::start(programs, Tls::No)?,
            http: HttpService::start(programs)?,
            azurite: Azurite::start(programs)?,
            kafka: Kafka::start(programs)?,
        })
    }

    fn stop(self) -> Result<()> {
        self.kafka.stop()?;
        self.azurite.stop()?;
        self.http.stop()?;
        self.minio.stop()
    }

    /// A healthy link; the kinds take turns. Of twenty, one is a KAFKA link.
    fn link(&self, text: &mut String, index: u32) -> Result<()> {
        let name = format!("link_{index:06}");
        let login = &self.minio.logins[index as usize % self.minio.logins.len()];
        let (target, rest) = match index % 20 {
            0 => (
                format!("{}/orders", self.kafka.plaintext),
                "AS KAFKA CREDENTIALS '{}' CONFIG '{}'".to_owned(),
            ),
            number if number % 3 == 0 => (
                self.http.url.clone(),
                "AS HTTP CREDENTIALS '{\"headers\":{\"X-Api-Key\":\"any\"}}'".to_owned(),
            ),
            number if number % 3 == 1 => (
                format!("{BUCKET}/{PREFIX}"),
                format!(
                    "AS S3 CREDENTIALS '{{\"aws_access_key_id\":\"{}\",\
                     \"aws_secret_access_key\":\"{}\"}}' \
                     CONFIG '{{\"endpoint_url\":\"{}\",\"region\":\"{}\"}}'",
                    login.id, login.secret, self.minio.endpoint, self.minio.region
                ),
            ),
            _ => (
                format!("{BUCKET}/{OBJECT}"),
                format!(
                    "AS AZURE CREDENTIALS '{{\"account_name\":\"{}\",\"account_key\":\"{}\"}}' \
                     CONFIG '{{\"endpoint_url\":\"{}\"}}'",
                    self.azurite.login.id, self.azurite.login.secret, self.azurite.endpoint
                ),
            ),
        };
        writeln!(
            text,
            "-- linkdial: target '{target}'\nCREATE LINK {name} {rest};"
        )?;
        Ok(())
    }
}

/// Starts the servers and measures all.
pub(crate) fn measure(programs: &Programs, report: &mut Report) -> Result<()> {
    let world = World::start(programs)?;
    for links in LINKS {
        healthy(programs, &world, links, report)?;
    }
    with_silent(programs, &world, report)?;
    large(programs, &world, report)?;
    beside_opendal(programs, &world.minio, report)?;
    world.stop()
}

fn healthy(programs: &Programs, world: &World, links: u32, report: &mut Report) -> Result<()> {
    let mut text = String::new();
    for index in 0..links {
        world.link(&mut text, index)?;
    }
    let registry = fill(programs, &format!("mixed-{links}"), &text)?;
    let runs = if links > 5_000 { 3 } else { RUNS };
    let mut swept = Vec::new();
    for _ in 0..runs {
        swept.push(good(programs, &mut sweep(programs, &registry), 0)?);
    }
    let wall = median(swept.iter().map(|run| run.wall)).as_secs_f64();
    let cpu = millis(median(swept.iter().map(|run| run.cpu)));
    report.add(Row::noted(
        format!("a sweep of {links} healthy links of four kinds"),
        format!("{:.0}/s, {:.2} s", f64::from(links) / wall, wall),
        format!(
            "{:.0} us CPU a link, peak {:.0} MiB",
            cpu * 1e3 / f64::from(links),
            median(swept.iter().map(|run| run.peak_kib)) / 1024.0
        ),
        None,
    ));
    Ok(())
}

/// The same links twice: once all are healthy, once every fifth server accepts and says nothing.
fn with_silent(programs: &Programs, world: &World, report: &mut Report) -> Result<()> {
    let (mut healthy, mut mixed) = (String::new(), String::new());
    let mut silent = Vec::new();
    for index in 0..WITH_SILENT {
        world.link(&mut healthy, index)?;
        if index % 5 == 1 {
            // The system accepts, and nobody reads.
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            writeln!(
                mixed,
                "-- linkdial: target 'http://{}/'\n\
                 CREATE LINK link_{index:06} AS HTTP CREDENTIALS '{{}}';",
                listener.local_addr()?
            )?;
            silent.push(listener);
        } else {
            world.link(&mut mixed, index)?;
        }
    }
    let good_registry = fill(programs, "healthy", &healthy)?;
    let registry = fill(programs, "silent", &mixed)?;
    let (mut all, mut fewer) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        all.push(good(
            programs,
            &mut deadline(sweep(programs, &good_registry)),
            0,
        )?);
        fewer.push(good(
            programs,
            &mut deadline(sweep(programs, &registry)),
            1,
        )?);
    }
    let [all, fewer] = [all, fewer].map(|runs| millis(median(runs.iter().map(|run| run.wall))));
    report.add(Row::alone(
        format!("{WITH_SILENT} links, every fifth silent, beyond the healthy sweep"),
        format!("{:.0} ms", fewer - all),
        format!("{fewer:.0} ms, healthy {all:.0}; the deadline is {DEADLINE_MS:.0}"),
        fewer - all,
        Goal::AtMostMillis(DEADLINE_MS),
    ));
    Ok(())
}

/// A few links of a large registry, beside a registry that has these alone.
fn large(programs: &Programs, world: &World, report: &mut Report) -> Result<()> {
    let mut text = String::new();
    for index in 0..MANY {
        let links = index / (MANY / CHECKED);
        if index % (MANY / CHECKED) == 0 {
            let mut link = String::new();
            world.link(&mut link, links)?;
            text.push_str(&link.replace("CREATE LINK link_", "CREATE LINK night.link_"));
        } else {
            writeln!(
                text,
                "CREATE LINK other_{index:06} AS HTTP CREDENTIALS '{{}}' DESCRIPTION 'one of many';"
            )?;
        }
    }
    let few: String = text
        .split_inclusive(";\n")
        .filter(|statement| statement.contains("night.link_"))
        .collect();
    let few = fill(programs, "few", &few)?;
    let many = fill(programs, "many", &text)?;
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        for (registry, runs) in [(&few, &mut of_few), (&many, &mut of_many)] {
            let mut command = sweep(programs, registry);
            command.args(["--in-database", "night"]);
            runs.push(good(programs, &mut command, 0)?);
        }
    }
    let peak = |runs: &[Run]| median(runs.iter().map(|run| run.peak_kib)) / 1024.0;
    let wall = |runs: &[Run]| median(runs.iter().map(|run| run.wall)).as_secs_f64();
    report.add(Row::beside(
        format!("peak of memory, {CHECKED} links of {MANY}"),
        format!("{:.0} MiB, {:.2} s", peak(&of_many), wall(&of_many)),
        format!(
            "of {CHECKED}: {:.0} MiB, {:.2} s",
            peak(&of_few),
            wall(&of_few)
        ),
        peak(&of_many) / peak(&of_few),
        Goal::AtMost(1.1),
    ));
    Ok(())
}

/// A sweep lists and reads one byte of an object; the peer lists.
fn beside_opendal(programs: &Programs, minio: &Minio, report: &mut Report) -> Result<()> {
    let links = sweep::LINKS;
    let text = std::fs::read_to_string(script::write(programs, minio, links)?)?;
    let registry = fill(programs, "s3", &text)?;
    let mut peer = sweep::opendal(programs, minio);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut command = sweep(programs, &registry);
        command.args(["--jobs-per-host", "64"]);
        ours.push(good(programs, &mut command, 0)?);
        theirs.push(good(programs, &mut peer, 0)?);
    }
    let rate =
        |runs: &[Run]| f64::from(links) / median(runs.iter().map(|it| it.wall)).as_secs_f64();
    let (ours, theirs) = (rate(&ours), rate(&theirs));
    report.add(Row::noted(
        format!("a sweep of {links} S3 links, with history"),
        format!("{ours:.0}/s"),
        format!("OpenDAL, one list each: {theirs:.0}/s"),
        Some(ours / theirs),
    ));
    Ok(())
}

fn fill(programs: &Programs, name: &str, text: &str) -> Result<PathBuf> {
    let script = script::save(programs, &format!("{name}.sql"), text)?;
    registry::filled(programs, name, &script)
}

fn sweep(programs: &Programs, registry: &Path) -> Command {
    let mut command = command(&programs.linkdial);
    command.args(["sweep", "--quiet", "--confirm", "0", "--registry"]);
    command.arg(registry);
    command
}

fn deadline(mut command: Command) -> Command {
    command.args(["--timeout", &format!("{DEADLINE_MS:.0}ms")]);
    command
}

fn good(programs: &Programs, measured: &mut Command, code: i32) -> Result<Run> {
    let output = programs.folder.join("output.txt");
    let run = run(programs, measured, &output)?;
    if run.code != code {
        let text = std::fs::read_to_string(&output)?;
        let head: String = text.lines().take(20).collect::<Vec<_>>().join("\n");
        return Err(format!("exit code {}, not {code}: {measured:?}\n{head}", run.code).into());
    }
    Ok(run)
}
