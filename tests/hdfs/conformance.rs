//! The promises that every provider keeps, with the real binary as the process of the client.

use std::path::PathBuf;

use linkdial_core::testing::{self, Fixture, Link, WriteFixture};
use linkdial_core::{Driver, Kind, Settings, Target};
use linkdial_hdfs::Hdfs;
use linkdial_testcontainers::HdfsOptions;
use linkdial_testcontainers::HdfsPath::Writable;

use crate::paths::names;

fn with_client() -> Settings {
    Settings {
        client_program: Some(PathBuf::from(env!("CARGO_BIN_EXE_linkdial"))),
        write: true,
        ..Settings::default()
    }
}

#[test]
fn conformance() {
    let hdfs = HdfsOptions::default().start().unwrap();
    let before = names(&hdfs);
    let target = Target::new(hdfs.url(Writable));
    let config = r#"{"kerberos.user": "alice"}"#;
    let fixture = Fixture {
        test: "conformance::conformance",
        link: |base, secret| {
            let (_, address) = base.split_once("://").unwrap();
            // Nothing that HDFS documents is a secret; what stands in CREDENTIALS is one all the same.
            let credentials = format!(r#"{{"password": "{secret}"}}"#);
            Link {
                definition: testing::definition(Kind::Hdfs, "{}", &credentials),
                target: Some(Target::new(format!("hdfs://{address}/data"))),
            }
        },
        faulty: || {
            [
                r#"{"hadoop.security.authentication": "kerberos"}"#,
                r#"{"hadoop.security.authentication": "krb", "fs.defaultFS": "s3://x"}"#,
                r#"{"hadoop.security.authentication": "kerberos", "kerberos.user": "a@b@c",
                    "kerberos.keytab": "/k", "hadoop.rpc.protection": "none"}"#,
                r#"{"dfs.nameservices": "lake", "dfs.ha.namenodes.lake": "nn1",
                    "dfs.namenode.rpc-address.lake.nn1": "nn1:99999"}"#,
                r#"{"dfs.namenode.rpc-address.lake.nn1": "nn1:8020", "kerberos.keytab": "/k"}"#,
                "{",
            ]
            .map(|config| testing::definition(Kind::Hdfs, config, ""))
            .into()
        },
        writes: |_| false,
        write: Some(WriteFixture {
            link: Link {
                definition: testing::definition(Kind::Hdfs, config, ""),
                target: Some(target),
            },
            settings: with_client,
            leftovers: Box::new(move || {
                let now = names(&hdfs).into_iter();
                now.filter(|it| !before.contains(it))
                    .map(|it| it.0)
                    .collect()
            }),
        }),
    };
    testing::conformance(&Driver::of::<Hdfs>(), &fixture).assert();
}
