//! Who there is, and what lies inside.

use std::fmt;

use super::cluster::HdfsCluster;
use crate::{Error, Scratch};

/// Who there is in an HDFS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HdfsUser {
    /// The superuser, who may do everything.
    Superuser,
    /// Owns all that lies inside.
    Alice,
    /// Owns nothing, and is in no group with anybody.
    Bob,
}

impl HdfsUser {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Superuser, Self::Alice, Self::Bob];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superuser => "hdfs",
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }
}

/// The group of [`HdfsUser::Alice`], and of what she owns.
const GROUP: &str = "team";

/// What users are in which groups, as Hadoop reads it.
pub(super) fn groups() -> String {
    let [superuser, alice, bob] = HdfsUser::ALL.map(HdfsUser::name);
    format!("{superuser}=;{alice}={GROUP};{bob}=others")
}

/// What lies in every HDFS of this crate. All of it belongs to [`HdfsUser::Alice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HdfsPath {
    /// `/data`, a folder that everybody may list: `rwxr-xr-x`.
    Data,
    /// `/data/orders.csv`, some lines that everybody may read: `rw-r--r--`.
    Orders,
    /// `/data/empty.csv`, a file without a byte that everybody may read: `rw-r--r--`.
    EmptyFile,
    /// `/data/large.bin`, 3 MiB in one block, which come in many packets: `rw-r--r--`.
    Large,
    /// `/data/private.csv`, a file that its owner alone may read: `rw-------`.
    PrivateFile,
    /// `/empty`, a folder with nothing in it: `rwxr-xr-x`.
    EmptyFolder,
    /// `/writable`, an empty folder that everybody may write to: `rwxrwxrwx`.
    Writable,
    /// `/private`, a folder that its owner alone may enter: `rwx------`.
    PrivateFolder,
    /// `/private/orders.csv`, a file that everybody might read, had they a way to it: `rw-r--r--`.
    Enclosed,
}

/// The lines of the files that have some.
const ORDERS: &[u8] = b"id,amount\n1,10\n2,20\n3,30\n";

const LARGE: usize = 3 * 1024 * 1024;

/// How many files have a block: all but the empty one.
pub(super) const BLOCKS: u64 = 4;

impl HdfsPath {
    /// All of them, folders before what is in them.
    pub const ALL: [Self; 9] = [
        Self::Data,
        Self::Orders,
        Self::EmptyFile,
        Self::Large,
        Self::PrivateFile,
        Self::EmptyFolder,
        Self::Writable,
        Self::PrivateFolder,
        Self::Enclosed,
    ];

    /// The absolute path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Data => "/data",
            Self::Orders => "/data/orders.csv",
            Self::EmptyFile => "/data/empty.csv",
            Self::Large => "/data/large.bin",
            Self::PrivateFile => "/data/private.csv",
            Self::EmptyFolder => "/empty",
            Self::Writable => "/writable",
            Self::PrivateFolder => "/private",
            Self::Enclosed => "/private/orders.csv",
        }
    }

    /// The rights, as nine bits.
    pub fn mode(self) -> u16 {
        match self {
            Self::Data | Self::EmptyFolder => 0o755,
            Self::Orders | Self::EmptyFile | Self::Large | Self::Enclosed => 0o644,
            Self::PrivateFile => 0o600,
            Self::Writable => 0o777,
            Self::PrivateFolder => 0o700,
        }
    }

    /// The bytes of a file; nothing for a folder.
    pub fn contents(self) -> Option<Vec<u8>> {
        match self {
            Self::Data | Self::EmptyFolder | Self::Writable | Self::PrivateFolder => None,
            Self::EmptyFile => Some(Vec::new()),
            Self::Orders | Self::PrivateFile | Self::Enclosed => Some(ORDERS.to_vec()),
            Self::Large => Some((b' '..=b'~').cycle().take(LARGE).collect()),
        }
    }
}

impl AsRef<str> for HdfsPath {
    fn as_ref(&self) -> &str {
        self.path()
    }
}

impl fmt::Display for HdfsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// Makes all of it, with one copy of each block.
pub(super) fn fill(cluster: &HdfsCluster) -> Result<(), Error> {
    let here = Scratch::new("hdfs")?;
    for path in HdfsPath::ALL {
        let file = path.path().trim_start_matches('/');
        match path.contents() {
            Some(contents) => drop(here.write(file, contents)?),
            None => std::fs::create_dir_all(here.path().join(file))
                .map_err(Error::io("make a folder"))?,
        }
    }
    // The client has no quicker way to more than one file.
    let folders = HdfsPath::ALL.map(HdfsPath::path).into_iter();
    let folders = folders.filter(|path| path.rfind('/') == Some(0));
    let folders: Vec<_> = folders
        .map(|folder| format!("{}{folder}", here.path().display()))
        .collect();
    let mut put = vec!["-put"];
    put.extend(folders.iter().map(String::as_str));
    put.push("/");
    cluster.client_as(HdfsUser::Superuser, &put)?;
    for path in HdfsPath::ALL {
        let web = &cluster.namenodes[0].web;
        web.set_rights(path.path(), HdfsUser::Alice.name(), GROUP, path.mode())?;
    }
    Ok(())
}

/// A number for all of it, which is another one when something of it is.
pub(super) fn checksum() -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for path in HdfsPath::ALL {
        sum.update(format!("{path:?} {path} {} {GROUP}", path.mode()).as_bytes());
        sum.update(&path.contents().unwrap_or_default());
    }
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_with_a_byte_has_a_block() {
        let files = HdfsPath::ALL.into_iter().filter_map(HdfsPath::contents);
        let blocks = files.filter(|contents| !contents.is_empty()).count();
        assert_eq!(u64::try_from(blocks), Ok(BLOCKS));
    }
}
