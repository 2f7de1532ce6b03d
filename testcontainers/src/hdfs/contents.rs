use serde_json::Value;

/// A file or folder of an HDFS.
///
/// What a client has made and removed again still shows in `modified` of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HdfsEntry {
    /// The absolute path.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The owner.
    pub owner: String,
    /// The group.
    pub group: String,
    /// The rights: nine bits, and a tenth one for what only owners may remove.
    pub mode: u16,
    /// The bytes of a file; 0 for a folder.
    pub length: u64,
    /// When it was changed, in milliseconds of Unix time.
    pub modified: u64,
}

impl HdfsEntry {
    pub(super) fn read(folder: &str, told: &Value) -> Option<Self> {
        let text = |key: &str| told[key].as_str().map(str::to_owned);
        let folder = folder.trim_end_matches('/');
        Some(Self {
            path: format!("{folder}/{}", told["pathSuffix"].as_str()?),
            is_folder: told["type"] == "DIRECTORY",
            owner: text("owner")?,
            group: text("group")?,
            mode: u16::from_str_radix(told["permission"].as_str()?, 8).ok()?,
            length: told["length"].as_u64()?,
            modified: told["modificationTime"].as_u64()?,
        })
    }
}
