//! Azure and Google Cloud Storage: healthy links, refused logins, and links of four kinds at once.

use std::fmt::Write as _;
use std::process::Command;

use crate::measure::{Spread, command, ends_with, expect_finding, median, time};
use crate::report::{Goal, Report, Row};
use crate::server::{Azurite, BUCKET, HttpService, Login, Minio, MinioKind, OBJECT, PREFIX};
use crate::watch::watch;
use crate::{Programs, Result, script};

/// Processes of each kind, in turn.
const RUNS: usize = 31;
/// Links of all kinds that are checked at once.
const LINKS: u32 = 500;
const LINKS_RUNS: usize = 5;
const WATCHED_RUNS: usize = 3;
/// A refused login is named within this time.
const NAMED_MS: f64 = 500.0;

/// Starts the servers and measures all.
pub(crate) fn measure(programs: &Programs, report: &mut Report) -> Result<()> {
    let azurite = Azurite::start(programs)?;
    let google = Minio::start(programs, MinioKind::Gcs)?;
    let azure_key = &azurite.login.secret;
    healthy(
        programs,
        "AZURE",
        &azure(&azurite, azure_key),
        [azure_curl(&azurite), azure_rclone(&azurite, &azurite.sas)],
        report,
    )?;
    let login = &google.logins[0];
    healthy(
        programs,
        "GCS",
        &gcs(&google, &login.secret),
        [gcs_curl(&google), gcs_rclone(&google, &login.secret)],
        report,
    )?;
    // As long as the right one, so that only the server can tell.
    let wrong_key = format!("A{}", &azure_key[1..]);
    refused(
        programs,
        "AZURE",
        &azure(&azurite, &wrong_key),
        azure_rclone(&azurite, &azurite.sas.replace("sig=", "sig=A")),
        report,
    )?;
    let wrong_secret = format!("A{}", &login.secret[1..]);
    refused(
        programs,
        "GCS",
        &gcs(&google, &wrong_secret),
        gcs_rclone(&google, &wrong_secret),
        report,
    )?;
    let amazon = Minio::start(programs, MinioKind::Plain)?;
    let http = HttpService::start(programs)?;
    mixed(programs, &azurite, &google, &amazon, &http, report)?;
    http.stop()?;
    amazon.stop()?;
    google.stop()?;
    azurite.stop()
}

/// One healthy link beside curl and rclone.
fn healthy(
    programs: &Programs,
    kind: &str,
    link: &str,
    [mut curl, mut rclone]: [Command; 2],
    report: &mut Report,
) -> Result<()> {
    let mut ours = verify(programs, "healthy.sql", link)?;
    let (mut ours_took, mut curl_took, mut rclone_took) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours_took.push(ends_with(&mut ours, 0)?);
        curl_took.push(ends_with(&mut curl, 0)?);
        rclone_took.push(ends_with(&mut rclone, 0)?);
    }
    let ours = Spread::of(ours_took);
    for (name, took) in [("curl", curl_took), ("rclone", rclone_took)] {
        let peer = Spread::of(took);
        report.add(Row::noted(
            format!("one healthy {kind} link"),
            ours.to_string(),
            format!("{name}: {peer}"),
            Some(ours.median / peer.median),
        ));
    }
    Ok(())
}

/// How long it takes until a wrong key is named and the process has ended.
fn refused(
    programs: &Programs,
    kind: &str,
    link: &str,
    mut rclone: Command,
    report: &mut Report,
) -> Result<()> {
    let mut ours = verify(programs, "refused.sql", link)?;
    expect_finding(programs, &ours, kind, "authenticate.bad-")?;
    let (mut ours_took, mut rclone_took) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours_took.push(ends_with(&mut ours, 1)?);
        let (took, code) = time(&mut rclone)?;
        if code == 0 {
            return Err("rclone gets in with a wrong key".into());
        }
        rclone_took.push(took);
    }
    let ours = Spread::of(ours_took);
    report.add(Row::alone(
        format!("a wrong key, {kind}"),
        ours.to_string(),
        format!("rclone: {}", Spread::of(rclone_took)),
        ours.median,
        Goal::AtMostMillis(NAMED_MS),
    ));
    Ok(())
}

/// Links of four kinds in one run: how fast, and what the process holds meanwhile.
fn mixed(
    programs: &Programs,
    azurite: &Azurite,
    google: &Minio,
    amazon: &Minio,
    http: &HttpService,
    report: &mut Report,
) -> Result<()> {
    let mut text = String::new();
    for index in 0..LINKS {
        let name = format!("link_{index:05}");
        let logins = |minio: &Minio| minio.logins[index as usize % minio.logins.len()].clone();
        text.push_str(&match index % 4 {
            0 => {
                let Login { id, secret } = logins(amazon);
                let config = format!(
                    r#""endpoint_url":"{}","region":"{}""#,
                    amazon.endpoint, amazon.region
                );
                let keys =
                    format!(r#""aws_access_key_id":"{id}","aws_secret_access_key":"{secret}""#);
                statement(&name, "S3", &target(), &keys, &config)
            }
            1 => azure_link(&name, azurite, &azurite.login.secret),
            2 => gcs_link(&name, google, &logins(google)),
            _ => {
                let header = r#""headers":{"Authorization":"Basic bGFiOmxhYi1zZWNyZXQ="}"#;
                statement(&name, "HTTP", &format!("{}basic", http.url), header, "")
            }
        });
    }
    let mut all = verify(programs, "mixed.sql", &text)?;
    all.args(["--jobs", "500", "--jobs-per-host", "500"]);
    let mut default = verify(programs, "mixed.sql", &text)?;
    let (mut all_took, mut default_took) = (Vec::new(), Vec::new());
    for _ in 0..LINKS_RUNS {
        all_took.push(ends_with(&mut all, 0)?);
        default_took.push(ends_with(&mut default, 0)?);
    }
    for (name, took) in [
        ("mixed links at once", all_took),
        ("mixed links, default jobs", default_took),
    ] {
        let took = Spread::of(took);
        let rate = f64::from(LINKS) / (took.median / 1e3);
        let ours = format!("{took}, {rate:.0}/s");
        report.add(Row::noted(
            format!("{LINKS} {name}"),
            ours,
            String::new(),
            None,
        ));
    }
    let mut peaks = Vec::new();
    for _ in 0..WATCHED_RUNS {
        let (held, code) = watch(&mut all)?;
        if code != 0 {
            return Err(format!("exit code {code}: {all:?}").into());
        }
        peaks.push(held.own);
    }
    report.add(Row::noted(
        "what it holds at its peak, all at once".to_owned(),
        format!(
            "{} MiB, {} threads, {} descriptors",
            median(peaks.iter().map(|it| it.kib)).div_ceil(1024),
            median(peaks.iter().map(|it| it.threads)),
            median(peaks.iter().map(|it| it.descriptors)),
        ),
        String::new(),
        None,
    ));
    Ok(())
}

fn verify(programs: &Programs, name: &str, text: &str) -> Result<Command> {
    let script = script::save(programs, name, text)?;
    let mut verify = command(&programs.linkdial);
    // Not strict: an endpoint of one's own is an extension to AZURE and GCS, and warned of.
    verify.arg("verify").arg(script);
    Ok(verify)
}

fn target() -> String {
    format!("{BUCKET}/{PREFIX}")
}

fn statement(name: &str, kind: &str, target: &str, credentials: &str, config: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "-- linkdial: target '{target}'");
    let _ = writeln!(text, "CREATE LINK {name} AS {kind}");
    let _ = writeln!(text, "CREDENTIALS '{{{credentials}}}'");
    let _ = writeln!(text, "CONFIG '{{{config}}}';");
    text
}

fn azure(azurite: &Azurite, key: &str) -> String {
    azure_link("healthy", azurite, key)
}

fn azure_link(name: &str, azurite: &Azurite, key: &str) -> String {
    let keys = format!(
        r#""account_name":"{}","account_key":"{key}""#,
        azurite.login.id
    );
    let config = format!(r#""endpoint_url":"{}""#, azurite.endpoint);
    statement(name, "AZURE", &target(), &keys, &config)
}

fn gcs(google: &Minio, secret: &str) -> String {
    let login = Login {
        secret: secret.to_owned(),
        ..google.logins[0].clone()
    };
    gcs_link("healthy", google, &login)
}

fn gcs_link(name: &str, google: &Minio, login: &Login) -> String {
    let Login { id, secret } = login;
    let keys = format!(r#""access_id":"{id}","secret_key":"{secret}""#);
    let config = format!(r#""endpoint_url":"{}""#, google.endpoint);
    statement(name, "GCS", &target(), &keys, &config)
}

/// The same two requests over one connection, with a signature that is made already.
fn azure_curl(azurite: &Azurite) -> Command {
    let (base, sas) = (&azurite.endpoint, &azurite.sas);
    let prefix = PREFIX.replace('/', "%2F");
    let list =
        format!("{base}/{BUCKET}?restype=container&comp=list&maxresults=100&prefix={prefix}&{sas}");
    two_requests(&[], &list, &format!("{base}/{BUCKET}/{OBJECT}?{sas}"))
}

fn gcs_curl(google: &Minio) -> Command {
    let base = format!("{}/{BUCKET}", google.endpoint);
    let prefix = PREFIX.replace('/', "%2F");
    let Login { id, secret } = &google.logins[0];
    let (sign, user) = (
        format!("aws:amz:{}:s3", google.region),
        format!("{id}:{secret}"),
    );
    two_requests(
        &["--aws-sigv4", &sign, "--user", &user],
        &format!("{base}?list-type=2&max-keys=100&prefix={prefix}"),
        &format!("{base}/{OBJECT}"),
    )
}

fn two_requests(options: &[&str], list: &str, read: &str) -> Command {
    let shared = ["--silent", "--fail", "--output", "/dev/null"];
    let mut curl = command("curl");
    curl.args(shared).args(options).args([list, "--next"]);
    curl.args(shared).args(options);
    curl.args(["--range", "0-0", read]);
    curl
}

/// The list alone. This rclone knows an endpoint of one's own as part of a shared access signature.
fn azure_rclone(azurite: &Azurite, sas: &str) -> Command {
    let url = format!("{}/{BUCKET}?{sas}", azurite.endpoint);
    let mut rclone = rclone();
    rclone.args(["--azureblob-sas-url", &url]);
    rclone.arg(format!(":azureblob:{BUCKET}/{PREFIX}"));
    rclone
}

fn gcs_rclone(google: &Minio, secret: &str) -> Command {
    let mut rclone = rclone();
    for (name, value) in [
        ("provider", "Other"),
        ("access-key-id", &google.logins[0].id),
        ("secret-access-key", secret),
        ("region", &google.region),
        ("endpoint", &google.endpoint),
    ] {
        rclone.args([&format!("--s3-{name}"), value]);
    }
    rclone.arg(format!(":s3:{BUCKET}/{PREFIX}"));
    rclone
}

fn rclone() -> Command {
    let mut rclone = command("rclone");
    rclone.args(["--config", "/dev/null", "lsf"]);
    rclone
}
