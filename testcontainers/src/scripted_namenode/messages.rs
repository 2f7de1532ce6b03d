//! The messages of Hadoop that a scripted `NameNode` reads and writes: `RpcHeader.proto`,
//! `ProtobufRpcEngine.proto`, `ClientNamenodeProtocol.proto` and `hdfs.proto` of Apache Hadoop.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct RequestHeader {
    #[prost(sint32, required, tag = "3")]
    pub(super) call_id: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Call {
    #[prost(string, required, tag = "1")]
    pub(super) method: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResponseHeader {
    #[prost(uint32, required, tag = "1")]
    pub(super) call_id: u32,
    #[prost(int32, required, tag = "2")]
    pub(super) status: i32,
    #[prost(uint32, optional, tag = "3")]
    pub(super) server_ipc_version: Option<u32>,
    #[prost(string, optional, tag = "4")]
    pub(super) exception_class: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(super) error: Option<String>,
    #[prost(int32, optional, tag = "6")]
    pub(super) error_detail: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Sasl {
    #[prost(int32, required, tag = "2")]
    pub(super) state: i32,
    #[prost(message, repeated, tag = "4")]
    pub(super) auths: Vec<SaslAuth>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SaslAuth {
    #[prost(string, required, tag = "1")]
    pub(super) method: String,
    #[prost(string, required, tag = "2")]
    pub(super) mechanism: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FileInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<FileStatus>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FileStatus {
    #[prost(int32, required, tag = "1")]
    pub(super) file_type: i32,
    #[prost(bytes = "vec", required, tag = "2")]
    pub(super) path: Vec<u8>,
    #[prost(uint64, required, tag = "3")]
    pub(super) length: u64,
    #[prost(message, required, tag = "4")]
    pub(super) permission: Permission,
    #[prost(string, required, tag = "5")]
    pub(super) owner: String,
    #[prost(string, required, tag = "6")]
    pub(super) group: String,
    #[prost(uint64, required, tag = "7")]
    pub(super) modification_time: u64,
    #[prost(uint64, required, tag = "8")]
    pub(super) access_time: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Permission {
    #[prost(uint32, required, tag = "1")]
    pub(super) mode: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BlockLocations {
    #[prost(message, optional, tag = "1")]
    pub(super) located: Option<Located>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Located {
    #[prost(uint64, required, tag = "1")]
    pub(super) file_length: u64,
    #[prost(message, repeated, tag = "2")]
    pub(super) blocks: Vec<Block>,
    #[prost(bool, required, tag = "3")]
    pub(super) under_construction: bool,
    #[prost(bool, required, tag = "5")]
    pub(super) is_last_block_complete: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Block {
    #[prost(message, required, tag = "1")]
    pub(super) id: BlockId,
    #[prost(uint64, required, tag = "2")]
    pub(super) offset: u64,
    #[prost(message, repeated, tag = "3")]
    pub(super) copies: Vec<DataNode>,
    #[prost(bool, required, tag = "4")]
    pub(super) corrupt: bool,
    #[prost(message, required, tag = "5")]
    pub(super) token: Token,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BlockId {
    #[prost(string, required, tag = "1")]
    pub(super) pool: String,
    #[prost(uint64, required, tag = "2")]
    pub(super) number: u64,
    #[prost(uint64, required, tag = "3")]
    pub(super) generation: u64,
    #[prost(uint64, optional, tag = "4")]
    pub(super) length: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DataNode {
    #[prost(message, required, tag = "1")]
    pub(super) id: DataNodeId,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DataNodeId {
    #[prost(string, required, tag = "1")]
    pub(super) ip: String,
    #[prost(string, required, tag = "2")]
    pub(super) host: String,
    #[prost(string, required, tag = "3")]
    pub(super) uuid: String,
    #[prost(uint32, required, tag = "4")]
    pub(super) transfer_port: u32,
    #[prost(uint32, required, tag = "5")]
    pub(super) info_port: u32,
    #[prost(uint32, required, tag = "6")]
    pub(super) ipc_port: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Token {
    #[prost(bytes = "vec", required, tag = "1")]
    pub(super) identifier: Vec<u8>,
    #[prost(bytes = "vec", required, tag = "2")]
    pub(super) password: Vec<u8>,
    #[prost(string, required, tag = "3")]
    pub(super) kind: String,
    #[prost(string, required, tag = "4")]
    pub(super) service: String,
}
