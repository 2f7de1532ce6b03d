//! Exceptions of a `NameNode` that a healthy one does not throw.

use super::super::{Expected, Family, Fault, Kind, Seeded};
use super::{USER, found, link};
use crate::{HadoopException, ScriptedNameNode};

/// Name, class, message, what to say, source.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Expected,
    &'static str,
);

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn faults() -> Vec<Fault> {
    let rows: [Row; 11] = [
        (
            "answer-standby",
            "org.apache.hadoop.ipc.StandbyException",
            "Operation category READ is not supported in state standby. Visit https://s.apache.org/sbnn-error",
            found("access.standby").key(("CONFIG", "/dfs.nameservices")),
            "Apache Hadoop, StandbyException; recorded at Hadoop 3.4.3",
        ),
        (
            "answer-retriable",
            "org.apache.hadoop.ipc.RetriableException",
            "NameNode still not started",
            found("access.server-error"),
            "Apache Hadoop, RetriableException: the client should try again",
        ),
        (
            "answer-too-busy",
            "org.apache.hadoop.ipc.RpcServerException$ServerTooBusyException",
            "Server is too busy.",
            found("access.throttled").warn(),
            "Apache Hadoop, RetriableException and backoff: FairCallQueue",
        ),
        (
            "answer-permission",
            "org.apache.hadoop.security.AccessControlException",
            "Permission denied: user=alice, access=READ_EXECUTE, inode=\"/data\":root:hdfs:drwx------",
            found("access.denied").key(USER),
            "Apache Hadoop, FSPermissionChecker; recorded at Hadoop 3.4.3",
        ),
        (
            "answer-not-authorized",
            "org.apache.hadoop.security.authorize.AuthorizationException",
            "User alice is not authorized for protocol interface org.apache.hadoop.hdfs.protocol.ClientProtocol",
            found("access.denied").key(USER),
            "Apache Hadoop, Service Level Authorization Guide",
        ),
        (
            "answer-path-missing",
            "java.io.FileNotFoundException",
            "File does not exist: /data",
            found("access.not-found"),
            "Apache Hadoop, FSDirectory; recorded at Hadoop 3.4.3",
        ),
        (
            "answer-path-invalid",
            "org.apache.hadoop.fs.InvalidPathException",
            "Invalid path name Invalid file name: /data",
            found("access.not-found"),
            "Apache Hadoop, DFSUtil.isValidName",
        ),
        (
            "answer-path-is-a-link",
            "org.apache.hadoop.hdfs.protocol.UnresolvedPathException",
            "/data",
            found("access.request-refused"),
            "Apache Hadoop, UnresolvedPathException: a symbolic link that the client has to resolve",
        ),
        (
            "answer-other-protocol",
            "org.apache.hadoop.ipc.RpcNoSuchProtocolException",
            "Unknown protocol: org.apache.hadoop.hdfs.protocol.ClientProtocol",
            found("access.not-this-service"),
            "Apache Hadoop, RpcNoSuchProtocolException: a JournalNode or a router's port",
        ),
        (
            "answer-internal-error",
            "java.lang.NullPointerException",
            "null",
            found("access.server-error"),
            "Apache Hadoop, Server: an exception of the server's own code",
        ),
        (
            "answer-safe-mode",
            "org.apache.hadoop.hdfs.server.namenode.SafeModeException",
            "Zero blocklocations for /data. Name node is in safe mode.",
            found("access.safe-mode").warn(),
            "Apache Hadoop, SafeModeException: reads wait for block reports",
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, class, message, expected, source)| {
            let exception = HadoopException {
                class,
                message,
                fatal: false,
            };
            Fault::new(
                Kind::Hdfs,
                Family::Service,
                name,
                "scripted NameNode",
                expected,
                source,
                move |mark| {
                    let namenode = ScriptedNameNode::throwing(exception);
                    let target = namenode.url("/data");
                    Ok(Seeded::read(mark, link("alice"), target).hold(namenode))
                },
            )
        });
    let mut faults: Vec<Fault> = rows.collect();
    let refused = HadoopException {
        class: "org.apache.hadoop.security.authorize.AuthorizationException",
        message: "User alice is not authorized for protocol interface org.apache.hadoop.hdfs.protocol.ClientProtocol",
        fatal: true,
    };
    faults.push(Fault::new(
        Kind::Hdfs,
        Family::Service,
        "answer-connection-not-authorized",
        "scripted NameNode",
        found("access.denied").key(USER),
        "Apache Hadoop, Service Level Authorization Guide",
        move |mark| {
            let namenode = ScriptedNameNode::throwing(refused);
            let target = namenode.url("/data");
            Ok(Seeded::read(mark, link("alice"), target).hold(namenode))
        },
    ));
    faults.push(Fault::new(Kind::Hdfs, Family::Service, "answer-quota", "scripted NameNode",
        found("write.no-space"), "Apache Hadoop, HDFS Quotas Guide: NSQuotaExceededException",
        move |mark| {
            let namenode = ScriptedNameNode::throwing(HadoopException {
                class: "org.apache.hadoop.hdfs.protocol.NSQuotaExceededException",
                message: "The NameSpace quota (directories and files) of directory /data is exceeded: quota=2 file count=3",
                fatal: false,
            });
            let target = namenode.url("/data");
            let mut seeded = Seeded::write(mark, &link("alice"), &target);
            seeded.options.clear();
            Ok(seeded.hold(namenode))
        }));
    faults
}
