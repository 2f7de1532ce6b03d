//! HDFS starts, its files are there for whom they are meant, and nothing of it stays behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use linkdial_testcontainers::{Error, Hdfs, HdfsEntry, HdfsNode, HdfsOptions, HdfsPath, HdfsUser};

/// The words of a client that failed.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result.unwrap_err() {
        Error::Refused { answer, .. } => answer,
        other => panic!("{other}"),
    }
}

fn entry(hdfs: &Hdfs, path: HdfsPath) -> HdfsEntry {
    let contents = hdfs.contents().unwrap();
    let mut entries = contents.into_iter();
    entries.find(|entry| entry.path == path.path()).unwrap()
}

/// Whether a node greets whoever asks what logins there are: a NameNode does.
fn answers(hdfs: &Hdfs) -> bool {
    let mut stream = TcpStream::connect(hdfs.addr()).unwrap();
    let limit = Some(Duration::from_millis(500));
    stream.set_read_timeout(limit).unwrap();
    let question =
        b"hrpc\x09\x00\xdf\0\0\0\x0e\x0a\x08\x02\x10\x00\x18\x41\x22\x00\x28\x01\x02\x10\x01";
    stream.write_all(question).unwrap();
    stream.read_exact(&mut [0; 4]).is_ok()
}

#[test]
fn everything_is_as_it_is_told_of() {
    let hdfs = Hdfs::shared();
    assert!(hdfs.addr().ip().is_loopback());
    TcpStream::connect(hdfs.web_addr()).unwrap();
    let contents = hdfs.contents().unwrap();
    let mut paths: Vec<_> = HdfsPath::ALL.map(HdfsPath::path).to_vec();
    paths.push("/");
    paths.sort_unstable();
    let found: Vec<_> = contents.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(found, paths);
    for path in HdfsPath::ALL {
        let entry = entry(hdfs, path);
        assert_eq!((entry.owner.as_str(), entry.mode), ("alice", path.mode()));
        let length = path.contents().map(|bytes| bytes.len());
        assert_eq!(entry.is_folder, length.is_none(), "{entry:?}");
        assert_eq!(entry.length, length.unwrap_or_default() as u64, "{entry:?}");
    }
    let root = &contents[0];
    assert_eq!((root.owner.as_str(), root.mode), ("hdfs", 0o755));
}

#[test]
fn users_may_do_what_they_are_made_for() {
    let hdfs = Hdfs::shared();
    let (alice, bob) = (HdfsUser::Alice, HdfsUser::Bob);
    let orders = String::from_utf8(HdfsPath::Orders.contents().unwrap()).unwrap();
    let read = |user, paths: &[HdfsPath]| {
        let mut arguments = vec!["-cat"];
        arguments.extend(paths.iter().map(|path| path.path()));
        hdfs.client_as(user, &arguments)
    };
    let large = String::from_utf8(HdfsPath::Large.contents().unwrap()).unwrap();
    let paths = [HdfsPath::Orders, HdfsPath::EmptyFile, HdfsPath::Large];
    // Not even a failure has to show so many bytes.
    assert!(read(bob, &paths).unwrap() == format!("{orders}{large}"));
    let paths = [HdfsPath::PrivateFile, HdfsPath::Enclosed];
    assert_eq!(read(alice, &paths).unwrap(), orders.repeat(2));

    let words = refused(read(bob, &paths));
    for way in [
        "READ, inode=\"/data/private.csv\"",
        "EXECUTE, inode=\"/private\"",
    ] {
        let denied = format!("Permission denied: user=bob, access={way}");
        assert!(words.contains(&denied), "{words}");
    }
    let words = refused(hdfs.client_as(bob, &["-ls", HdfsPath::PrivateFolder.path()]));
    assert!(words.contains("user=bob, access=READ_EXECUTE"), "{words}");
    // Whoever runs the tests is no superuser.
    let words = refused(hdfs.client_as(alice, &["-touchz", "/new"]));
    assert!(words.contains("user=alice, access=WRITE"), "{words}");
}

#[test]
fn contents_tell_of_what_was_made_and_removed() {
    let hdfs = Hdfs::start().unwrap();
    let (bob, before) = (HdfsUser::Bob, hdfs.contents().unwrap());
    let new = "/writable/new file";
    hdfs.client_as(bob, &["-touchz", new]).unwrap();
    let during = hdfs.contents().unwrap();
    let made = during.iter().find(|entry| entry.path == new).unwrap();
    assert_eq!((made.owner.as_str(), made.length), ("bob", 0));
    hdfs.client_as(bob, &["-rm", "-skipTrash", new]).unwrap();
    let after = hdfs.contents().unwrap();
    assert_ne!(after, before);
    let changed = before.iter().zip(&after).filter(|(old, new)| old != new);
    let changed: Vec<_> = changed.map(|(_, new)| new.path.as_str()).collect();
    assert_eq!(changed, ["/writable"]);

    hdfs.set_safe_mode(true).unwrap();
    let words = refused(hdfs.client_as(bob, &["-touchz", new]));
    assert!(words.contains("Name node is in safe mode"), "{words}");
    assert_eq!(hdfs.contents().unwrap(), after);
    hdfs.set_safe_mode(false).unwrap();
    hdfs.client_as(bob, &["-touchz", new]).unwrap();
}

#[test]
fn killed_datanode_stays_advertised() {
    let mut hdfs = HdfsOptions::default().datanodes(2).start().unwrap();
    let addresses = [1, 2].map(|datanode| hdfs.datanode(datanode).addr());
    for address in addresses {
        TcpStream::connect(address).unwrap();
    }
    assert_eq!(hdfs.locations(HdfsPath::Large).unwrap(), [addresses[0]]);
    let (address, pid, folder) = whereabouts(hdfs.datanode(1));
    hdfs.kill_datanode(1);
    assert_gone(address, pid, &folder);
    assert_eq!(hdfs.datanode(1).pid(), None);
    TcpStream::connect(addresses[1]).unwrap();
    assert_eq!(hdfs.locations(HdfsPath::Large).unwrap(), [addresses[0]]);
}

#[test]
fn copies_lie_on_both_datanodes() {
    let hdfs = HdfsOptions::default().datanodes(2).replication(2);
    let hdfs = hdfs.start().unwrap();
    let mut addresses = [1, 2].map(|datanode| hdfs.datanode(datanode).addr());
    addresses.sort_unstable();
    for path in [HdfsPath::Orders, HdfsPath::Large, HdfsPath::Enclosed] {
        assert_eq!(hdfs.locations(path).unwrap(), addresses);
    }
}

#[test]
fn blocks_are_missing_without_a_datanode() {
    let hdfs = HdfsOptions::default().datanodes(0).start().unwrap();
    assert!(hdfs.locations(HdfsPath::Large).unwrap().is_empty());
    hdfs.client_as(HdfsUser::Bob, &["-touchz", "/writable/x"])
        .unwrap();
}

#[test]
fn paused_node_takes_connections_and_says_nothing() {
    let hdfs = Hdfs::start().unwrap();
    assert!(answers(&hdfs));
    hdfs.namenode(1).pause().unwrap();
    assert!(!answers(&hdfs));
    hdfs.namenode(1).resume().unwrap();
    assert!(answers(&hdfs));
    hdfs.datanode(1).pause().unwrap();
    TcpStream::connect(hdfs.datanode(1).addr()).unwrap();
    assert!(answers(&hdfs));
    hdfs.datanode(1).resume().unwrap();
    // A node that does not run ends too.
    hdfs.namenode(1).pause().unwrap();
    let nodes = nodes(&hdfs);
    drop(hdfs);
    for (address, pid, folder) in nodes {
        assert_gone(address, pid, &folder);
    }
}

fn whereabouts(node: &HdfsNode) -> (SocketAddr, u32, PathBuf) {
    let folder = node.folder().unwrap();
    (node.addr(), node.pid().unwrap(), folder.to_owned())
}

/// The address, process and folder of each node.
fn nodes(hdfs: &Hdfs) -> [(SocketAddr, u32, PathBuf); 2] {
    let nodes = [hdfs.namenode(1), hdfs.datanode(1)].map(whereabouts);
    for (_, _, folder) in &nodes {
        assert!(folder.join("data/current/VERSION").is_file());
    }
    nodes
}

#[track_caller]
fn assert_gone(address: SocketAddr, pid: u32, folder: &Path) {
    assert!(TcpStream::connect(address).is_err());
    assert!(!PathBuf::from(format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

#[test]
fn node_that_cannot_start_is_told_of() {
    let options = HdfsOptions::default().property("dfs.datanode.failed.volumes.tolerated", "5");
    let error = options.start().unwrap_err();
    let Error::NotReady { reason, log, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(reason, "the server has ended");
    assert!(
        log.contains("dfs.datanode.failed.volumes.tolerated"),
        "{log}"
    );
}

#[test]
fn panic_takes_the_nodes_along() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let hdfs = Hdfs::start().unwrap();
        sender.send(nodes(&hdfs)).unwrap();
        panic!("on purpose");
    });
    let nodes = receiver.recv().unwrap();
    assert!(thread.join().is_err());
    for (address, pid, folder) in nodes {
        assert_gone(address, pid, &folder);
    }
}

/// Neither the program that has started the nodes nor any of its destructors is left.
#[cfg(target_os = "linux")]
#[test]
fn killed_program_takes_the_nodes_along() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linkdial-testcontainers"));
    command.args(["up", "hdfs", "--format", "json"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(program.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let server = &told["servers"][0];
    let processes = server["whereabouts"].as_str().unwrap();
    let processes = processes.strip_prefix("processes ").unwrap();
    let processes: Vec<_> = processes
        .split(", ")
        .map(|pid| Path::new("/proc").join(pid))
        .collect();
    assert_eq!(processes.len(), 2);
    let homes: Vec<_> = processes.iter().map(|process| home(process)).collect();
    assert!(homes.iter().all(|home| home.join("conf").is_dir()));
    let links = server["links"].as_array().unwrap();
    assert!(links.iter().all(|link| link["use"].is_string()), "{told:#}");

    program.kill().unwrap();
    program.wait().unwrap();
    let begin = Instant::now();
    for left in processes.iter().chain(&homes) {
        while left.exists() {
            assert!(
                begin.elapsed() < Duration::from_secs(15),
                "{}",
                left.display()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The folder of a node, by its process.
#[cfg(target_os = "linux")]
fn home(process: &Path) -> PathBuf {
    let variables = std::fs::read(process.join("environ")).unwrap();
    let mut variables = variables.split(|byte| *byte == 0);
    let home = variables.find_map(|variable| variable.strip_prefix(b"HOME="));
    PathBuf::from(String::from_utf8(home.unwrap().to_vec()).unwrap())
}

#[test]
fn statements_are_ready_to_use() {
    let hdfs = Hdfs::shared();
    let link = hdfs.create_link("db.my-files");
    assert_eq!(
        link.to_string(),
        "CREATE LINK db.`my-files` AS HDFS\n\
         CREDENTIALS '{}'\n\
         CONFIG '{\"hadoop.security.authentication\":\"simple\"}';\n"
    );
    assert_eq!(
        hdfs.create_pipeline("p", HdfsPath::Orders, &link),
        format!(
            "CREATE PIPELINE p AS LOAD DATA LINK db.`my-files` \
             'hdfs://{}/data/orders.csv' INTO TABLE t;\n",
            hdfs.addr()
        )
    );
}
