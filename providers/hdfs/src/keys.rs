//! The keys of an HDFS link.

use linkdial_core::{Key, Shape};

/// `simple` or `kerberos`.
pub(crate) const AUTHENTICATION: &str = "hadoop.security.authentication";
/// Who logs in.
pub(crate) const USER: &str = "kerberos.user";
/// The file with the keys of the user, on the cluster's nodes.
pub(crate) const KEYTAB: &str = "kerberos.keytab";
/// The file with a ticket of the user, on the cluster's nodes.
pub(crate) const CACHE: &str = "hadoop.security.kerberos.ticket.cache.path";
/// Who the `NameNode` has to be.
pub(crate) const NAMENODE_PRINCIPAL: &str = "dfs.namenode.kerberos.principal";
/// Whom the `NameNode` may be, with wildcards; counts alone where it is given.
pub(crate) const NAMENODE_PATTERN: &str = "dfs.namenode.kerberos.principal.pattern";
/// Levels of protection of calls that the link takes.
pub(crate) const RPC_PROTECTION: &str = "hadoop.rpc.protection";
/// Levels of protection of blocks that the link takes.
pub(crate) const DATA_PROTECTION: &str = "dfs.data.transfer.protection";
/// Whether `DataNode`s are dialled by name.
pub(crate) const USE_HOSTNAME: &str = "dfs.client.use.datanode.hostname";
/// Whether a link with Kerberos may go on without.
pub(crate) const FALLBACK: &str = "ipc.client.fallback-to-simple-auth-allowed";
/// Where paths without a host are.
pub(crate) const DEFAULT_FS: &str = "fs.defaultFS";
/// The names of pairs of `NameNode`s.
pub(crate) const SERVICES: &str = "dfs.nameservices";
/// The `NameNode`s of a name service.
pub(crate) const NAMENODES: &str = "dfs.ha.namenodes.";
/// The address of a `NameNode`.
pub(crate) const RPC_ADDRESS: &str = "dfs.namenode.rpc-address.";
/// How the active `NameNode` of a name service is found.
pub(crate) const PROXY_PROVIDER: &str = "dfs.client.failover.proxy.provider.";
/// The older name of [`DEFAULT_FS`].
pub(crate) const OLD_DEFAULT_FS: &str = "fs.default.name";
/// Names of files that are read.
pub(crate) const SUFFIXES: &str = "suffixes";

const NAMENODES_ROW: &str = "dfs.ha.namenodes.*";
pub(crate) const RPC_ADDRESS_ROW: &str = "dfs.namenode.rpc-address.*";

/// Every key of an HDFS link: CREATE LINK and the HDFS pipelines of the `SingleStore` documentation,
/// and the client properties of Hadoop (core-default.xml, hdfs-default.xml) that mean something to a
/// client of one cluster.
pub(crate) const KEYS: &[Key] = &[
    Key::config(AUTHENTICATION, Shape::Text),
    Key::config(USER, Shape::Text),
    Key::config(KEYTAB, Shape::Text),
    Key::config(CACHE, Shape::Text),
    Key::config(NAMENODE_PRINCIPAL, Shape::Text),
    Key::config(NAMENODE_PATTERN, Shape::Text),
    Key::config("dfs.datanode.kerberos.principal", Shape::Text),
    Key::config(RPC_PROTECTION, Shape::Text),
    Key::config(DATA_PROTECTION, Shape::Text),
    Key::config(USE_HOSTNAME, Shape::Boolean),
    Key::config(FALLBACK, Shape::Boolean),
    Key::config(DEFAULT_FS, Shape::Text),
    Key::config(OLD_DEFAULT_FS, Shape::Text),
    Key::config(SERVICES, Shape::Text),
    Key::config("dfs.internal.nameservices", Shape::Text),
    Key::config(NAMENODES_ROW, Shape::Text),
    Key::config(RPC_ADDRESS_ROW, Shape::Text),
    Key::config("dfs.namenode.servicerpc-address.*", Shape::Text),
    Key::config("dfs.namenode.http-address.*", Shape::Text),
    Key::config("dfs.namenode.https-address.*", Shape::Text),
    Key::config("dfs.client.failover.proxy.provider.*", Shape::Text),
    Key::config("disable_gunzip", Shape::Boolean),
    Key::config(SUFFIXES, Shape::TextList),
    Key::config("dfs.block.access.token.enable", Shape::Boolean),
    Key::config("dfs.blocksize", Shape::Text),
    Key::config(
        "dfs.client.block.write.replace-datanode-on-failure.best-effort",
        Shape::Boolean,
    ),
    Key::config(
        "dfs.client.block.write.replace-datanode-on-failure.enable",
        Shape::Boolean,
    ),
    Key::config(
        "dfs.client.block.write.replace-datanode-on-failure.policy",
        Shape::Text,
    ),
    Key::config("dfs.client.datanode-restart.timeout", Shape::Text),
    Key::config("dfs.client.failover.max.attempts", Shape::Integer(0, 1000)),
    Key::config("dfs.client.failover.random.order", Shape::Boolean),
    Key::config("dfs.client.failover.resolve-needed", Shape::Text),
    Key::config("dfs.client.failover.resolver.useFQDN", Shape::Boolean),
    Key::config(
        "dfs.client.failover.sleep.base.millis",
        Shape::Integer(0, 3_600_000),
    ),
    Key::config(
        "dfs.client.failover.sleep.max.millis",
        Shape::Integer(0, 3_600_000),
    ),
    Key::config("dfs.client.read.shortcircuit", Shape::Boolean),
    Key::config("dfs.client.retry.policy.enabled", Shape::Boolean),
    Key::config("dfs.client.socket-timeout", Shape::Integer(0, 3_600_000)),
    Key::config(
        "dfs.data.transfer.saslproperties.resolver.class",
        Shape::Text,
    ),
    Key::config(
        "dfs.datanode.socket.write.timeout",
        Shape::Integer(0, 3_600_000),
    ),
    Key::config("dfs.domain.socket.path", Shape::Text),
    Key::config("dfs.encrypt.data.transfer", Shape::Boolean),
    Key::config("dfs.encrypt.data.transfer.algorithm", Shape::Text),
    Key::config(
        "dfs.encrypt.data.transfer.cipher.key.bitlength",
        Shape::Integer(0, 1024),
    ),
    Key::config("dfs.encrypt.data.transfer.cipher.suites", Shape::Text),
    Key::config("dfs.http.policy", Shape::Text),
    Key::config("dfs.replication", Shape::Integer(1, 512)),
    Key::config("hadoop.security.auth_to_local", Shape::Text),
    Key::config("hadoop.security.authorization", Shape::Boolean),
    Key::config("hadoop.security.key.provider.path", Shape::Text),
    Key::config("hadoop.security.token.service.use_ip", Shape::Boolean),
    Key::config("ipc.client.connect.max.retries", Shape::Integer(0, 1000)),
    Key::config(
        "ipc.client.connect.max.retries.on.timeouts",
        Shape::Integer(0, 1000),
    ),
    Key::config("ipc.client.connect.timeout", Shape::Integer(0, 3_600_000)),
    Key::config("ipc.client.rpc-timeout.ms", Shape::Integer(0, 3_600_000)),
];
