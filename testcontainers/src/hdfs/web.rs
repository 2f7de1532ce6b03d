//! What a NameNode's web server is asked: the REST interface of HDFS, and the state of the node.
//!
//! It shares no code with the clients under test, and does not even speak their protocol.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;

use super::HdfsUser;
use super::contents::HdfsEntry;
use crate::Error;
use crate::store::escape;
use crate::wire::Wire;

/// The web server of a NameNode, for the superuser.
#[derive(Debug, Clone)]
pub(super) struct Web(Wire);

/// A DataNode as a NameNode sees it.
#[derive(Debug)]
pub(super) struct Live {
    /// The port that clients read from and write to.
    pub(super) port: u16,
    /// How many blocks it has told of.
    pub(super) blocks: u64,
}

impl Web {
    pub(super) fn new(port: u16) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self(Wire { address, tls: None })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.0.address
    }

    /// Returns the living DataNodes of a NameNode that is out of safe mode.
    pub(super) fn live(&self) -> Result<Vec<Live>, String> {
        let info = self.bean("NameNodeInfo")?;
        if info["Safemode"] != "" {
            return Err(format!("it is in safe mode: {}", info["Safemode"]));
        }
        let nodes = info["LiveNodes"].as_str().unwrap_or_default();
        let nodes: Value = serde_json::from_str(nodes).unwrap_or_default();
        let nodes = nodes
            .as_object()
            .into_iter()
            .flat_map(|nodes| nodes.values());
        let nodes = nodes.map(|node| {
            let address = node["xferaddr"].as_str().unwrap_or_default();
            let port = address
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok());
            Some(Live {
                port: port?,
                blocks: node["numBlocks"].as_u64()?,
            })
        });
        let nodes: Option<_> = nodes.collect();
        nodes.ok_or_else(|| format!("the DataNodes are told of in another way: {info}"))
    }

    /// Agrees when the web server answers, which is half of a start.
    pub(super) fn is_up(&self) -> Result<(), String> {
        self.0.healthy("/jmx?qry=java.lang:type=Runtime")
    }

    /// Agrees when the NameNode answers calls, be it to say that it stands by.
    pub(super) fn answers(&self) -> Result<(), String> {
        let words = match self.root() {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        if words.contains("StandbyException") {
            return Ok(());
        }
        Err(words)
    }

    /// Returns whether a NameNode is the active one.
    pub(super) fn is_active(&self) -> Result<bool, String> {
        Ok(self.bean("NameNodeStatus")?["State"] == "active")
    }

    fn bean(&self, name: &str) -> Result<Value, String> {
        let query = format!("qry=Hadoop:service=NameNode,name={name}");
        let reply = self.0.call("GET", "/jmx", &query, &[], b"");
        let reply = reply.map_err(|error| error.to_string())?;
        let reply: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        match &reply["beans"][0] {
            Value::Null => Err(format!("there is no {name} yet")),
            bean => Ok(bean.clone()),
        }
    }

    pub(super) fn set_rights(
        &self,
        path: &str,
        owner: &str,
        group: &str,
        mode: u16,
    ) -> Result<(), Error> {
        let owner = format!("&owner={owner}&group={group}");
        self.call("PUT", path, "SETOWNER", &owner)?;
        let mode = format!("&permission={mode:o}");
        self.call("PUT", path, "SETPERMISSION", &mode).map(drop)
    }

    pub(super) fn set_replication(&self, path: &str, copies: u16) -> Result<(), Error> {
        let copies = format!("&replication={copies}");
        self.call("PUT", path, "SETREPLICATION", &copies).map(drop)
    }

    /// Everything below a folder, in no order.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<HdfsEntry>, Error> {
        let told = self.call("GET", folder, "LISTSTATUS", "")?;
        let refused = || Error::Refused {
            doing: format!("list {folder} of HDFS"),
            answer: told.to_string(),
        };
        let entries = told["FileStatuses"]["FileStatus"].as_array();
        let mut all = Vec::new();
        for entry in entries.ok_or_else(refused)? {
            let entry = HdfsEntry::read(folder, entry).ok_or_else(refused)?;
            if entry.is_folder {
                all.extend(self.list(&entry.path)?);
            }
            all.push(entry);
        }
        Ok(all)
    }

    pub(super) fn root(&self) -> Result<HdfsEntry, Error> {
        let told = self.call("GET", "/", "GETFILESTATUS", "")?;
        HdfsEntry::read("/", &told["FileStatus"]).ok_or_else(|| Error::Refused {
            doing: "look at the root of HDFS".to_owned(),
            answer: told.to_string(),
        })
    }

    /// The DataNodes that readers of a file are sent to, once for each block.
    pub(super) fn locations(&self, path: &str) -> Result<Vec<SocketAddr>, Error> {
        let told = self.call("GET", path, "GETFILEBLOCKLOCATIONS", "")?;
        let blocks = told["BlockLocations"]["BlockLocation"].as_array();
        let names = blocks.into_iter().flatten();
        let names = names.flat_map(|block| block["names"].as_array().into_iter().flatten());
        let addresses = names.map(|name| name.as_str()?.parse().ok());
        let addresses: Option<Vec<SocketAddr>> = addresses.collect();
        addresses.ok_or_else(|| Error::Refused {
            doing: format!("find {path} of HDFS"),
            answer: told.to_string(),
        })
    }

    fn call(&self, method: &str, path: &str, operation: &str, more: &str) -> Result<Value, Error> {
        let path: Vec<_> = path.split('/').map(escape).collect();
        let path = format!("/webhdfs/v1{}", path.join("/"));
        let user = HdfsUser::Superuser.name();
        let query = format!("op={operation}&user.name={user}{more}");
        let reply = self.0.call(method, &path, &query, &[], b"")?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }
}
