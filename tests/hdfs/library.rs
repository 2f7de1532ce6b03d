//! A machine whose library of Kerberos can not be loaded.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use linkdial::linkdial_core::Settings;
use linkdial::report::{Format, HumanOptions, render};
use linkdial::script::{Script, ScriptOptions};
use linkdial::sweep::Limits;
use linkdial_testcontainers::HdfsPath::Orders;
use linkdial_testcontainers::HdfsUser::Alice;
use linkdial_testcontainers::{Hdfs, Scratch, SecuredHdfs};
use serde_json::Value;

use crate::lab::{Case, fail, pass, script, told};

/// Makes a program that starts the real child, whose loader looks into a folder first: linkdial gives its
/// child no variables but those of Kerberos.
fn child_that_looks_into(folder: &Path, scratch: &Scratch, name: &str) -> PathBuf {
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n",
        folder.display(),
        env!("CARGO_BIN_EXE_linkdial")
    );
    let written = scratch.write(&format!("{name}.sh"), text).unwrap();
    // A file that this process has written may still be open in a process that another test starts.
    let program = scratch.path().join(name);
    let mut install = Command::new("install");
    let installed = install.args(["-m", "755"]).arg(written).arg(&program);
    assert!(installed.status().unwrap().success());
    program
}

fn verify(program: PathBuf, cases: &[Case]) -> Vec<Value> {
    let settings = Settings {
        client_program: Some(program),
        krb5_conf: SecuredHdfs::shared().kdc().krb5_conf(),
        ..Settings::default()
    };
    let script = Script::read(
        vec![("links.sql".into(), script(cases))],
        &ScriptOptions::default(),
    );
    let report = linkdial::verify(script, &Arc::new(settings), &Limits::default(), |_| {});
    let mut page = Vec::new();
    let options = HumanOptions::default();
    render(&report.unwrap(), Format::Json, options, &mut page).unwrap();
    told(&serde_json::from_slice(&page).unwrap(), cases)
}

#[test]
fn a_machine_without_the_library_of_kerberos_is_told_what_to_install() {
    let (hdfs, open) = (SecuredHdfs::shared(), Hdfs::shared());
    let scratch = Scratch::new("hdfs-library").unwrap();
    let broken = scratch.path().join("broken");
    scratch
        .write("broken/libgssapi_krb5.so.2", "no library")
        .unwrap();
    let empty = scratch.path().join("empty");
    let kerberos = hdfs.create_link_for("kerberos", Alice);
    let whole = child_that_looks_into(&empty, &scratch, "whole");
    verify(whole, &[pass(kerberos.clone(), hdfs.url(Orders))]);

    let lacking = child_that_looks_into(&broken, &scratch, "lacking");
    let simple = open.create_link("simple").config("kerberos.user", "alice");
    let checks = verify(
        lacking,
        &[
            fail(
                kerberos,
                hdfs.url(Orders),
                "define.not-compiled-in",
                "namenode",
                "",
            )
            .verdict("unverified"),
            // Nobody needs it there.
            pass(simple, open.url(Orders)),
        ],
    );
    let diagnosis = &checks[0]["diagnosis"];
    let message = diagnosis["message"].as_str().unwrap();
    assert!(message.contains("library of Kerberos"), "{message}");
    let hint = diagnosis["hint"].as_str().unwrap();
    for package in ["libgssapi-krb5-2", "krb5-libs"] {
        assert!(hint.contains(package), "{hint}");
    }
}
