//! Properties of Hadoop, and the folder of files that a node or a tool reads them from.

use std::fmt::Write as _;

use super::world;
use crate::{Error, Scratch};

/// The folder of settings, below the folder of a run.
pub(super) const CONF: &str = "conf";

/// Nobody is in it: the superuser has its rights by its name.
const SUPERGROUP: &str = "supergroup";

/// Longer than any test: a DataNode that is killed stays advertised.
const RECHECK_MS: &str = "600000";

const LOG: &str = "log4j.rootLogger=INFO,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.target=System.err
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d %p %c{1}: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
";

/// Properties of Hadoop.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties(Vec<(String, String)>);

impl Properties {
    /// What every node has, and every tool.
    pub(super) fn common() -> Self {
        let mut properties = Self::default();
        let groups = world::groups();
        for (name, value) in [
            // Without these a NameNode runs a program to find the groups of each user.
            (
                "hadoop.security.group.mapping",
                "org.apache.hadoop.security.NullGroupsMapping",
            ),
            ("hadoop.user.group.static.mapping.overrides", &groups),
            // Java expands it to a folder of the run.
            ("hadoop.tmp.dir", "${java.io.tmpdir}"),
            ("dfs.permissions.superusergroup", SUPERGROUP),
            ("dfs.datanode.hostname", "localhost"),
            (
                "dfs.namenode.datanode.registration.ip-hostname-check",
                "false",
            ),
            ("dfs.namenode.safemode.extension", "0"),
            ("dfs.heartbeat.interval", "1"),
            ("dfs.namenode.heartbeat.recheck-interval", RECHECK_MS),
            ("dfs.namenode.redundancy.interval.seconds", "1s"),
            // A DataNode and a tool wait a second for a NameNode that is just about to listen.
            ("ipc.client.connect.retry.interval", "50"),
            ("ipc.client.connect.max.retries", "1000"),
        ] {
            properties.set(name, value);
        }
        properties
    }

    /// Sets a property, instead of what it was set to before.
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
    }

    /// The same with more properties, which win.
    pub(super) fn with<N: Into<String>, V: Into<String>>(
        &self,
        more: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut all = self.clone();
        for (name, value) in more {
            all.set(name, value);
        }
        all
    }

    /// Writes the folder of settings into that of a run.
    pub(super) fn write(&self, folder: &Scratch) -> Result<(), Error> {
        let xml = self.xml();
        // Defaults of HDFS come after the first file, and HDFS is not all that reads the second.
        for name in ["core-site.xml", "hdfs-site.xml"] {
            folder.write(&format!("{CONF}/{name}"), &xml)?;
        }
        folder.write(&format!("{CONF}/log4j.properties"), LOG)?;
        // The jars have no pages, and a node does not start without a folder for them.
        for node in ["hdfs", "datanode", "journal"] {
            let pages = folder.path().join(CONF).join("webapps").join(node);
            std::fs::create_dir_all(pages).map_err(Error::io("make a folder"))?;
        }
        Ok(())
    }

    fn xml(&self) -> String {
        let mut xml = "<configuration>\n".to_owned();
        for (name, value) in &self.0 {
            let value = value.replace('&', "&amp;").replace('<', "&lt;");
            writeln!(
                xml,
                "<property><name>{name}</name><value>{value}</value></property>"
            )
            .expect("a string takes everything");
        }
        xml + "</configuration>\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_setting_wins() {
        let mut properties = Properties::default();
        properties.set("a", "1");
        let properties = properties.with([("a", "<&"), ("b", "2")]);
        assert_eq!(
            properties.xml(),
            "<configuration>\n\
             <property><name>a</name><value>&lt;&amp;</value></property>\n\
             <property><name>b</name><value>2</value></property>\n\
             </configuration>\n"
        );
    }
}
