use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use linkdial_testcontainers::broken::{Broken, Fault, RefusedPort, SSH_BANNER};
use linkdial_testcontainers::{Certificates, HttpEndpoint, Login, S3Server, Scratch};
use serde_json::Value;

use crate::describe::add;

/// The links of the script that have to pass; every other one is broken on purpose.
const GOOD: [&str; 3] = ["orders", "orders_tls", "scores"];

/// Starts healthy and broken servers and verifies links to them with the real linkdial.
pub(crate) fn run(linkdial: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let linkdial = match linkdial {
        Some(path) => path,
        None => std::env::current_exe()?
            .with_file_name(format!("linkdial{}", std::env::consts::EXE_SUFFIX)),
    };
    if !linkdial.is_file() {
        return Err(format!(
            "{} is not there; build it first: cargo build",
            linkdial.display()
        )
        .into());
    }

    let servers = Servers::start()?;
    let folder = Scratch::new("demo")?;
    let script = folder.write("links.sql", servers.script())?;
    let report = folder.path().join("report.json");
    say("healthy and broken servers are up; linkdial verify links.sql:\n")?;
    let mut command = Command::new(&linkdial);
    command
        .current_dir(folder.path())
        .arg("verify")
        .arg(&script);
    command
        .arg("--ca-file")
        .arg(Certificates::shared().ca_file());
    command
        .args(["--timeout", "1s", "--output"])
        .arg(format!("json={}", report.display()));
    let status = command
        .status()
        .map_err(|error| format!("{}: {error}", linkdial.display()))?;
    // The broken links make it 1; a script that does not parse would make it 2.
    if !matches!(status.code(), Some(1 | 2)) {
        return Err(format!("linkdial ended with {status}, and the broken links ask for 1").into());
    }
    judge(&report)?;
    say("\nEvery verdict is as it should be.\n")
}

/// Compares the verdict of every link with what its server was built for.
fn judge(report: &Path) -> Result<(), Box<dyn Error>> {
    let report: Value = serde_json::from_slice(&std::fs::read(report)?)?;
    let checks = report["checks"]
        .as_array()
        .ok_or("the report has no checks")?;
    let verdicts: Vec<_> = checks
        .iter()
        .filter_map(|c| Some((c["link"].as_str()?, c["verdict"].as_str()?)))
        .collect();
    for good in GOOD {
        if !verdicts.contains(&(good, "pass")) {
            return Err(format!("link {good} has to pass, and did not").into());
        }
    }
    let wrong = verdicts
        .iter()
        .find(|(link, verdict)| !GOOD.contains(link) && *verdict == "pass");
    match wrong {
        Some((link, _)) => Err(format!("link {link} is broken, and passed").into()),
        None if verdicts.len() < GOOD.len() + 9 => Err("links are missing in the report".into()),
        None => Ok(()),
    }
}

struct Servers {
    s3: S3Server,
    s3_tls: S3Server,
    web: HttpEndpoint,
    closed: RefusedPort,
    silent: Broken,
    ssh: Broken,
    expired: Broken,
}

impl Servers {
    fn start() -> Result<Self, Box<dyn Error>> {
        let certificates = Certificates::shared();
        let expired = certificates.server_tls(certificates.expired());
        Ok(Self {
            s3: S3Server::start()?,
            s3_tls: S3Server::start_tls()?,
            web: HttpEndpoint::start(),
            closed: RefusedPort::start(),
            silent: Broken::start(Fault::Silent),
            ssh: Broken::start(Fault::SpeaksFirst(SSH_BANNER.to_vec())),
            expired: Broken::start_tls(Fault::Silent, expired),
        })
    }

    fn script(&self) -> String {
        let mut script = String::new();
        let login = S3Server::login();
        let good = |name| self.s3.create_link(name, &login);
        let at = |name, url: String| good(name).config("endpoint_url", url);
        let orders = Some("demo/orders/");
        let mut link = |remark, target, link| add(&mut script, remark, target, &link);

        link("a healthy store", orders, good("orders"));
        link(
            "the same over TLS",
            orders,
            self.s3_tls.create_link("orders_tls", &login),
        );
        let wrong = Login::new(login.access_key_id.as_str(), "not-the-secret");
        link(
            "the secret is wrong",
            orders,
            self.s3.create_link("wrong_secret", &wrong),
        );
        let unknown = Login::new("NOBODYSACCESSKEY", "not-the-secret");
        link(
            "nobody has this key",
            orders,
            self.s3.create_link("unknown_key", &unknown),
        );
        link(
            "no such bucket",
            Some("archive/2019"),
            good("missing_bucket"),
        );
        let misspelt = good("misspelt_key").without("aws_secret_access_key");
        let misspelt =
            misspelt.credential("aws_secret_acess_key", login.secret_access_key.as_str());
        link("a key is misspelt", orders, misspelt);
        let https = format!("https://{}", self.s3.addr());
        link(
            "https, and the port speaks plain text",
            orders,
            at("tls_to_plain", https),
        );
        let ssh = format!("https://{}", self.ssh.addr());
        link(
            "https, and the port speaks SSH",
            orders,
            at("wrong_port", ssh),
        );
        link(
            "the certificate has expired",
            orders,
            at("old_certificate", self.expired.url()),
        );
        let closed = format!("http://{}", self.closed.addr());
        link("nobody listens", orders, at("closed_port", closed));
        link(
            "somebody listens and never answers",
            orders,
            at("silent", self.silent.url()),
        );

        let scores = HttpEndpoint::create_link("scores", [HttpEndpoint::bearer()]);
        let header = ("Authorization", "Bearer not-the-token".to_owned());
        let wrong = HttpEndpoint::create_link("wrong_token", [header]);
        add(&mut script, "a healthy service", None, &scores);
        script.push_str(&self.web.create_function("score", "/bearer", &scores));
        script.push('\n');
        add(&mut script, "the token is wrong", None, &wrong);
        script.push_str(&self.web.create_function("score_again", "/bearer", &wrong));
        script
    }
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    Ok(output.flush()?)
}
