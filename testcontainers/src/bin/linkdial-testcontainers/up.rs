use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;

use clap::ValueEnum;
use linkdial_testcontainers::{
    Certificates, HttpEndpoint, LinkStatement, Login, Minio, Moto, S3Server, SSE_C_KEY, User,
};

/// What `up` can start.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Backend {
    /// MinIO in plain text, with users, policies, KMS and STS
    Minio,
    /// The same with TLS, and objects under a customer's key
    MinioTls,
    /// An HTTP service with a path for each kind of answer
    Http,
    /// The same with TLS
    Https,
    /// The same with TLS and a client certificate
    Mtls,
    /// moto with authentication on, for roles
    Moto,
    /// A small S3 server that needs no installation
    S3,
}

/// Starts the server, prints its statements and stays until Ctrl-C or a request to end.
pub(crate) fn run(backend: Backend) -> Result<(), Box<dyn Error>> {
    // Each arm keeps its server in its own scope, so that it ends in order.
    match backend {
        Backend::Minio => stay(minio_script, Minio::start()?),
        Backend::MinioTls => stay(minio_script, Minio::start_tls()?),
        Backend::Moto => stay(|moto| Ok(moto_script(moto)), Moto::start()?),
        Backend::S3 => stay(|s3| Ok(s3_script(s3)), S3Server::start()?),
        Backend::Http => stay(http_script, HttpEndpoint::start()),
        Backend::Https => {
            let certificates = Certificates::shared();
            let tls = certificates.server_tls(certificates.good());
            stay(http_script, HttpEndpoint::start_tls(tls))
        }
        Backend::Mtls => {
            let certificates = Certificates::shared();
            let tls = certificates.mutual_tls(certificates.good());
            stay(http_script, HttpEndpoint::start_tls(tls))
        }
    }
}

fn stay<S>(
    script: impl FnOnce(&S) -> Result<String, Box<dyn Error>>,
    server: S,
) -> Result<(), Box<dyn Error>> {
    let script = script(&server)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Whoever has read the last line may ask for the end at once.
        let end = asked_to_end()?;
        show(&script)?;
        end.await;
        std::io::Result::Ok(())
    })?;
    drop(server);
    Ok(())
}

fn show(script: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{script}-- the server stays until Ctrl-C")?;
    output.flush()
}

/// Listens for Ctrl-C and for a request to end from now on.
#[cfg(unix)]
fn asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens for Ctrl-C from now on.
#[cfg(windows)]
fn asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move { drop(interrupt.recv().await) })
}

/// Appends a link with its target, ready for `linkdial verify`.
pub(crate) fn add(script: &mut String, remark: &str, target: Option<&str>, link: &LinkStatement) {
    let target = target.map(|target| format!("-- linkdial: target '{target}'\n"));
    script.extend([
        "-- ",
        remark,
        "
",
        &target.unwrap_or_default(),
        &link.to_string(),
        "
",
    ]);
}

fn minio_script(minio: &Minio) -> Result<String, Box<dyn Error>> {
    let mut text = format!(
        "-- MinIO at {}, {}\n",
        minio.endpoint_url(),
        minio.whereabouts()
    );
    if let Some(file) = minio.ca_file() {
        writeln!(
            text,
            "-- its certificate needs --ca-file {}",
            file.display()
        )?;
    }
    text.push('\n');
    let link = |name, user: User| minio.create_link(name, &user.login());
    add(
        &mut text,
        "may do everything",
        Some("private"),
        &link("root", User::Root),
    );
    add(
        &mut text,
        "lists and reads",
        Some("private/team"),
        &link("readonly", User::ReadOnly),
    );
    add(
        &mut text,
        "writes too",
        Some("private/team"),
        &link("writer", User::Writer),
    );
    add(
        &mut text,
        "team/a alone",
        Some("private/team/a/"),
        &link("prefix", User::Prefix),
    );
    let temporary = minio.assume_role(User::ReadOnly)?;
    let session = minio.create_link("temporary", &temporary);
    add(
        &mut text,
        "a key with a session token, for 15 minutes",
        Some("private"),
        &session,
    );
    add(
        &mut text,
        "without credentials",
        Some("public"),
        &minio.anonymous_link("anonymous"),
    );
    if minio.ca_file().is_some() {
        let link = minio.encrypted_link("customer_key", &User::ReadOnly.login(), SSE_C_KEY);
        add(
            &mut text,
            "objects under a customer's key",
            Some("sse-c"),
            &link,
        );
    }
    let wrong = Login::new(User::ReadOnly.login().access_key_id, "not-the-secret");
    let wrong = minio.create_link("wrong_secret", &wrong);
    add(
        &mut text,
        "refused: the secret is wrong",
        Some("private"),
        &wrong,
    );
    add(
        &mut text,
        "refused: no right to list",
        Some("private"),
        &link("nolist", User::NoList),
    );
    add(
        &mut text,
        "refused: the user is disabled",
        Some("private"),
        &link("disabled", User::Disabled),
    );
    Ok(text)
}

fn moto_script(moto: &Moto) -> String {
    let mut text = format!(
        "-- moto at {}, process {}\n\n",
        moto.endpoint_url(),
        moto.pid()
    );
    add(
        &mut text,
        "its own rights",
        Some("private"),
        &moto.create_link("member", moto.member()),
    );
    add(
        &mut text,
        "through a role",
        Some("private"),
        &moto.role_link("role", moto.member()),
    );
    let refused = moto.role_link("role_refused", moto.stranger());
    add(
        &mut text,
        "refused: may not assume the role",
        Some("private"),
        &refused,
    );
    text
}

fn s3_script(server: &S3Server) -> String {
    let mut text = format!(
        "-- S3 server at {}, files in {}\n\n",
        server.endpoint_url(),
        server.folder().display()
    );
    let link = server.create_link("demo", &S3Server::login());
    add(&mut text, "may do everything", Some("demo/orders/"), &link);
    text
}

fn http_script(endpoint: &HttpEndpoint) -> Result<String, Box<dyn Error>> {
    let mut text = format!("-- HTTP service at {}\n", endpoint.url("/"));
    if endpoint.url("/").starts_with("https") {
        let file = Certificates::shared().ca_file().display();
        writeln!(text, "-- its certificate needs --ca-file {file}")?;
    }
    text.push('\n');
    for (name, path, header) in [
        ("basic", "/basic", HttpEndpoint::basic()),
        ("bearer", "/bearer", HttpEndpoint::bearer()),
        ("api_key", "/header", HttpEndpoint::api_key()),
        (
            "wrong_token",
            "/bearer",
            ("Authorization", "Bearer not-the-token".to_owned()),
        ),
        ("post_only", "/function", HttpEndpoint::bearer()),
        ("busy", "/429", HttpEndpoint::bearer()),
        ("login_page", "/login", HttpEndpoint::bearer()),
    ] {
        let link = HttpEndpoint::create_link(name, [header]);
        add(&mut text, path, None, &link);
        writeln!(
            text,
            "{}",
            endpoint.create_function(&format!("f_{name}"), path, &link)
        )?;
    }
    Ok(text)
}
