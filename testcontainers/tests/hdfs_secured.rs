//! HDFS with Kerberos serves whoever has a ticket, and nobody else.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use linkdial_testcontainers::{
    Error, HdfsCipher, HdfsPath, HdfsProtection, HdfsUser, SecuredHdfs, SecuredHdfsOptions,
};

/// The words of a client that failed.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result.unwrap_err() {
        Error::Refused { answer, .. } => answer,
        other => panic!("{other}"),
    }
}

fn orders() -> String {
    String::from_utf8(HdfsPath::Orders.contents().unwrap()).unwrap()
}

/// What a NameNode answers to whoever asks for the ways to log in.
fn offer(namenode: SocketAddr) -> String {
    let mut stream = TcpStream::connect(namenode).unwrap();
    // Version 9 with SASL, then a call of the number -33 to negotiate.
    let question =
        b"hrpc\x09\x00\xdf\0\0\0\x0e\x0a\x08\x02\x10\x00\x18\x41\x22\x00\x28\x01\x02\x10\x01";
    stream.write_all(question).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn namenode_offers_kerberos_and_nothing_plain() {
    let offer = offer(SecuredHdfs::shared().addr());
    assert!(offer.contains("GSSAPI"), "{offer}");
    assert!(
        offer.contains("nn") && offer.contains("localhost"),
        "{offer}"
    );
    assert!(!offer.contains("SIMPLE"), "{offer}");
}

#[test]
fn users_may_do_what_they_are_made_for() {
    let hdfs = SecuredHdfs::shared();
    let read = |user, path: HdfsPath| hdfs.client_as(user, &["-cat", path.path()]);
    assert_eq!(read(HdfsUser::Bob, HdfsPath::Orders).unwrap(), orders());
    let private = read(HdfsUser::Alice, HdfsPath::PrivateFile);
    assert_eq!(private.unwrap(), orders());
    let words = refused(read(HdfsUser::Bob, HdfsPath::PrivateFile));
    assert!(words.contains("user=bob, access=READ"), "{words}");
    let before = hdfs.contents().unwrap();
    assert_eq!(before.len(), HdfsPath::ALL.len() + 1);
    let words = refused(hdfs.client_as(HdfsUser::Bob, &["-touchz", "/data/x"]));
    assert!(words.contains("user=bob, access=WRITE"), "{words}");
    assert_eq!(hdfs.contents().unwrap(), before);
}

/// Whether a DataNode asks for a login before anything else.
fn asks_for_login(datanode: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(datanode).unwrap();
    // What begins a login, and a message that says nothing but success.
    stream.write_all(b"\xde\xad\xbe\xef\x02\x08\x00").unwrap();
    let mut answer = [0; 1];
    // Whoever wants none takes it for the version of the protocol, a wrong one.
    stream.read(&mut answer).is_ok_and(|count| count > 0)
}

#[test]
fn traffic_is_protected_as_it_was_asked_for() {
    let (integrity, privacy) = (HdfsProtection::Integrity, HdfsProtection::Privacy);
    let options = SecuredHdfsOptions::default;
    let cases = [
        (
            options()
                .rpc_protection(integrity)
                .transfer_protection(Some(privacy)),
            "\"auth-int\"",
            true,
        ),
        (
            options().rpc_protection(privacy).transfer_protection(None),
            "\"auth-conf\"",
            false,
        ),
        (
            options().encrypted_transfer(HdfsCipher::Aes),
            "\"auth\"",
            true,
        ),
        (
            options().encrypted_transfer(HdfsCipher::TripleDes),
            "\"auth\"",
            true,
        ),
    ];
    std::thread::scope(|scope| {
        for (options, qop, login) in cases {
            scope.spawn(move || {
                let hdfs = options.start().unwrap();
                let offer = offer(hdfs.addr());
                assert!(offer.contains(&format!("qop={qop}")), "{offer}");
                assert_eq!(asks_for_login(hdfs.datanode(1).addr()), login);
                let read = ["-cat", HdfsPath::Orders.path()];
                let read = hdfs.client_as(HdfsUser::Alice, &read);
                assert_eq!(read.unwrap(), orders());
            });
        }
    });
}

#[test]
fn superuser_switches_safe_mode() {
    let hdfs = SecuredHdfs::start().unwrap();
    let touch = ["-touchz", "/writable/x"];
    hdfs.set_safe_mode(true).unwrap();
    let words = refused(hdfs.client_as(HdfsUser::Bob, &touch));
    assert!(words.contains("Name node is in safe mode"), "{words}");
    hdfs.set_safe_mode(false).unwrap();
    hdfs.client_as(HdfsUser::Bob, &touch).unwrap();
}

#[test]
fn statements_are_ready_to_use() {
    let hdfs = SecuredHdfs::shared();
    let link = hdfs.create_link_for("files", HdfsUser::Bob);
    let keytab = hdfs.keytab(HdfsUser::Bob);
    assert_eq!(
        link.to_string(),
        format!(
            "CREATE LINK files AS HDFS\n\
             CREDENTIALS '{{}}'\n\
             CONFIG '{{\"hadoop.security.authentication\":\"kerberos\",\
             \"kerberos.user\":\"bob@LINKDIAL.TEST\",\
             \"kerberos.keytab\":\"{}\",\
             \"dfs.namenode.kerberos.principal\":\"nn/localhost@LINKDIAL.TEST\",\
             \"dfs.datanode.kerberos.principal\":\"dn/localhost@LINKDIAL.TEST\",\
             \"hadoop.rpc.protection\":\"authentication\",\
             \"dfs.data.transfer.protection\":\"authentication\"}}';\n",
            keytab.display()
        )
    );
    assert_eq!(
        hdfs.create_pipeline("p", HdfsPath::Data, &link),
        format!(
            "CREATE PIPELINE p AS LOAD DATA LINK files \
             'hdfs://localhost:{}/data' INTO TABLE t;\n",
            hdfs.addr().port()
        )
    );
}
