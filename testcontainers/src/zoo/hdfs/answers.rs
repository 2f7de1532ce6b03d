//! Exceptions of a `NameNode` that a healthy one does not throw.

use super::super::{Expected, Family, Fault, Kind, Seeded};
use super::{USER, found, link};
use crate::{HadoopException, ScriptedNameNode};

/// Name, class, message, whether the connection ends, what to say, source.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    bool,
    Expected,
    &'static str,
);

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn faults() -> Vec<Fault> {
    let rows: [Row; 12] = [
        (
            "answer-standby",
            "org.apache.hadoop.ipc.StandbyException",
            "Operation category READ is not supported in state standby. Visit https://s.apache.org/sbnn-error",
            false,
            found("access.standby").key(("CONFIG", "/dfs.nameservices")),
            "Apache Hadoop, StandbyException; recorded at Hadoop 3.4.3",
        ),
        (
            "answer-retriable",
            "org.apache.hadoop.ipc.RetriableException",
            "NameNode still not started",
            false,
            found("access.server-error"),
            "Apache Hadoop, RetriableException: the client should try again",
        ),
        (
            "answer-too-busy",
            "org.apache.hadoop.ipc.RpcServerException$ServerTooBusyException",
            "Server is too busy.",
            false,
            found("access.throttled").warn(),
            "Apache Hadoop, RetriableException and backoff: FairCallQueue",
        ),
        (
            "answer-permission",
            "org.apache.hadoop.security.AccessControlException",
            "Permission denied: user=alice, access=READ_EXECUTE, inode=\"/data\":root:hdfs:drwx------",
            false,
            found("access.denied").key(USER),
            "Apache Hadoop, FSPermissionChecker; recorded at Hadoop 3.4.3",
        ),
        (
            "answer-not-authorized",
            "org.apache.hadoop.security.authorize.AuthorizationException",
            "User alice is not authorized for protocol interface org.apache.hadoop.hdfs.protocol.ClientProtocol",
            false,
            found("access.denied").key(USER),
            "Apache Hadoop, Service Level Authorization Guide",
        ),
        (
            "answer-path-missing",
            "java.io.FileNotFoundException",
            "File does not exist: /data",
            false,
            found("access.not-found"),
            "Apache Hadoop, FSDirectory; recorded at Hadoop 3.4.3",
        ),
        (
            "answer-path-invalid",
            "org.apache.hadoop.fs.InvalidPathException",
            "Invalid path name Invalid file name: /data",
            false,
            found("access.not-found"),
            "Apache Hadoop, DFSUtil.isValidName",
        ),
        (
            "answer-path-is-a-link",
            "org.apache.hadoop.hdfs.protocol.UnresolvedPathException",
            "/data",
            false,
            found("access.request-refused"),
            "Apache Hadoop, UnresolvedPathException: a symbolic link that the client has to resolve",
        ),
        (
            "answer-other-protocol",
            "org.apache.hadoop.ipc.RpcNoSuchProtocolException",
            "Unknown protocol: org.apache.hadoop.hdfs.protocol.ClientProtocol",
            false,
            found("access.not-this-service"),
            "Apache Hadoop, RpcNoSuchProtocolException: a JournalNode or a router's port",
        ),
        (
            "answer-internal-error",
            "java.lang.NullPointerException",
            "null",
            false,
            found("access.server-error"),
            "Apache Hadoop, Server: an exception of the server's own code",
        ),
        (
            "answer-safe-mode",
            "org.apache.hadoop.hdfs.server.namenode.SafeModeException",
            "Zero blocklocations for /data. Name node is in safe mode.",
            false,
            found("access.safe-mode").warn(),
            "Apache Hadoop, SafeModeException: reads wait for block reports",
        ),
        (
            "answer-connection-not-authorized",
            "org.apache.hadoop.security.authorize.AuthorizationException",
            "User alice is not authorized for protocol interface org.apache.hadoop.hdfs.protocol.ClientProtocol",
            true,
            found("access.denied").key(USER),
            "Apache Hadoop, Service Level Authorization Guide",
        ),
    ];
    let rows = rows
        .into_iter()
        .map(|(name, class, message, fatal, expected, source)| {
            let exception = HadoopException {
                class,
                message,
                fatal,
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
