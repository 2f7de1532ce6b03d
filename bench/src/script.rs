//! Scripts with links.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::server::{BUCKET, Login, Minio, PREFIX};
use crate::{Programs, Result};

/// Writes a script of so many links, each with a target and one of the users in turn.
pub(crate) fn write(programs: &Programs, minio: &Minio, links: u32) -> Result<PathBuf> {
    let mut text = String::new();
    for (index, login) in (0..links).zip(minio.logins.iter().cycle()) {
        link(&mut text, index, login, &minio.endpoint, &minio.region)?;
    }
    save(
        programs,
        &format!("{}-{links}.sql", minio.tls.word()),
        &text,
    )
}

/// Writes a script of one link to a plain port of this machine.
pub(crate) fn broken(programs: &Programs, name: &str, port: u16) -> Result<PathBuf> {
    let login = Login {
        id: "AKIDEXAMPLE0000".to_owned(),
        secret: "not-a-secret-of-anybody".to_owned(),
    };
    let mut text = String::new();
    link(
        &mut text,
        0,
        &login,
        &format!("http://127.0.0.1:{port}"),
        "us-east-1",
    )?;
    save(programs, name, &text)
}

fn link(text: &mut String, index: u32, login: &Login, endpoint: &str, region: &str) -> Result<()> {
    let Login { id, secret } = login;
    writeln!(text, "-- linkdial: target '{BUCKET}/{PREFIX}'")?;
    writeln!(text, "CREATE LINK link_{index:05} AS S3")?;
    writeln!(
        text,
        "CREDENTIALS '{{\"aws_access_key_id\":\"{id}\",\"aws_secret_access_key\":\"{secret}\"}}'"
    )?;
    writeln!(
        text,
        "CONFIG '{{\"endpoint_url\":\"{endpoint}\",\"region\":\"{region}\"}}';"
    )?;
    Ok(())
}

pub(crate) fn save(programs: &Programs, name: &str, text: &str) -> Result<PathBuf> {
    let path = programs.folder.join(name);
    std::fs::write(&path, text)?;
    Ok(path)
}
