//! The server and what it says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::messages::{
    Block, BlockId, BlockLocations, Call, DataNode, DataNodeId, FileInfo, FileStatus, Located,
    Permission, RequestHeader, ResponseHeader, Sasl, SaslAuth, Token,
};
use crate::background::{Background, listen};

/// Byte 7 of the greeting of a client that wants to negotiate a login (Hadoop RPC, `AuthProtocol`).
const SASL: u8 = 0xdf;

/// Call numbers of the negotiation and of the connection's context (Hadoop, `RpcConstants`).
const NEGOTIATION: i32 = -33;
const CONTEXT: i32 = -3;

/// `RpcSaslProto.SaslState`.
const NEGOTIATE: i32 = 1;

/// `RpcStatusProto`.
const SUCCESS: i32 = 0;
const ERROR: i32 = 1;
const FATAL: i32 = 2;

/// `RpcErrorCodeProto.ERROR_APPLICATION`.
const APPLICATION: i32 = 1;

/// The version of Hadoop's RPC.
const VERSION: u32 = 9;

/// `HdfsFileStatusProto.FileType.IS_FILE`.
const FILE: i32 = 2;

/// The largest frame that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// An exception as Hadoop's RPC carries it.
#[derive(Debug, Clone, Copy)]
pub struct HadoopException {
    /// The class of Java.
    pub class: &'static str,
    /// Its message, before the stack trace.
    pub message: &'static str,
    /// Whether the connection ends with it.
    pub fatal: bool,
}

/// Where copies of a block are.
#[derive(Debug, Clone)]
pub struct LocatedBlock {
    /// The name of the block's pool.
    pub pool: String,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The `DataNode`s that have it.
    pub copies: Vec<SocketAddr>,
}

/// What a [`ScriptedNameNode`] says to a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NameNodeAnswer {
    /// To `getFileInfo`: a file of this length, in bytes.
    File(u64),
    /// To `getBlockLocations`: these blocks of a file of 100 bytes.
    Blocks(Vec<LocatedBlock>),
    /// To any call: these bytes in the place of its message.
    Bytes(Vec<u8>),
    /// To any call.
    Exception(HadoopException),
    /// Nothing: the connection ends.
    HangUp,
}

type Script = dyn Fn(&str) -> NameNodeAnswer + Send + Sync;

/// A `NameNode` inside the process that lets everybody in and says what a real one does not.
#[derive(Debug)]
pub struct ScriptedNameNode {
    address: SocketAddr,
    _background: Background,
}

impl ScriptedNameNode {
    /// Starts one that answers each call, given by its method such as `getFileInfo`, by the script.
    pub fn start(script: impl Fn(&str) -> NameNodeAnswer + Send + Sync + 'static) -> Self {
        let (listener, address) = listen();
        let script: Arc<Script> = Arc::new(script);
        let background = Background::accept("scripted-namenode", listener, move |stream| {
            let script = Arc::clone(&script);
            // A client that leaves early ends its own connection and nothing else.
            async move { drop(serve(stream, &*script).await) }
        });
        Self {
            address,
            _background: background,
        }
    }

    /// Starts one that throws the same exception at every call.
    pub fn throwing(exception: HadoopException) -> Self {
        Self::start(move |_| NameNodeAnswer::Exception(exception))
    }

    /// Returns where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of a path, such as `/data`.
    pub fn url(&self, path: &str) -> String {
        format!("hdfs://{}{path}", self.address)
    }
}

async fn serve(mut stream: TcpStream, script: &Script) -> io::Result<()> {
    let mut greeting = [0; 7];
    stream.read_exact(&mut greeting).await?;
    loop {
        let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
        if length > LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await?;
        let mut frame = frame.as_slice();
        let call = RequestHeader::decode_length_delimited(&mut frame)?.call_id;
        let answer = if greeting[6] == SASL && call == NEGOTIATION {
            succeeded(call, &simple_login().encode_length_delimited_to_vec())
        } else if call == CONTEXT {
            continue;
        } else {
            let method = Call::decode_length_delimited(&mut frame)?.method;
            match script(&method) {
                NameNodeAnswer::File(length) => {
                    succeeded(call, &file(length).encode_length_delimited_to_vec())
                }
                NameNodeAnswer::Blocks(of) => {
                    succeeded(call, &blocks(of).encode_length_delimited_to_vec())
                }
                NameNodeAnswer::Bytes(bytes) => succeeded(call, &bytes),
                NameNodeAnswer::Exception(exception) => thrown(call, exception),
                NameNodeAnswer::HangUp => return Ok(()),
            }
        };
        let length = u32::try_from(answer.len()).map_err(io::Error::other)?;
        stream.write_u32(length).await?;
        stream.write_all(&answer).await?;
    }
}

/// The one login that it offers is none.
fn simple_login() -> Sasl {
    Sasl {
        state: NEGOTIATE,
        auths: vec![SaslAuth {
            method: "SIMPLE".to_owned(),
            mechanism: String::new(),
        }],
    }
}

fn succeeded(call: i32, message: &[u8]) -> Vec<u8> {
    let header = ResponseHeader {
        call_id: call.cast_unsigned(),
        status: SUCCESS,
        ..ResponseHeader::default()
    };
    [&header.encode_length_delimited_to_vec(), message].concat()
}

fn thrown(call: i32, exception: HadoopException) -> Vec<u8> {
    let trace = "\n\tat org.apache.hadoop.ipc.Server.call(Server.java:1)";
    let header = ResponseHeader {
        call_id: call.cast_unsigned(),
        status: if exception.fatal { FATAL } else { ERROR },
        server_ipc_version: Some(VERSION),
        exception_class: Some(exception.class.to_owned()),
        error: Some(format!("{}{trace}", exception.message)),
        error_detail: Some(APPLICATION),
    };
    header.encode_length_delimited_to_vec()
}

fn file(length: u64) -> FileInfo {
    FileInfo {
        status: Some(FileStatus {
            file_type: FILE,
            path: Vec::new(),
            length,
            permission: Permission { mode: 0o644 },
            owner: "alice".to_owned(),
            group: "team".to_owned(),
            modification_time: 0,
            access_time: 0,
        }),
    }
}

fn blocks(of: Vec<LocatedBlock>) -> BlockLocations {
    BlockLocations {
        located: Some(Located {
            file_length: 100,
            blocks: of.into_iter().map(block).collect(),
            under_construction: false,
            is_last_block_complete: true,
        }),
    }
}

fn block(block: LocatedBlock) -> Block {
    let copy = |address: SocketAddr| DataNode {
        id: DataNodeId {
            ip: address.ip().to_string(),
            host: "node".to_owned(),
            uuid: "uuid".to_owned(),
            transfer_port: address.port().into(),
            info_port: 1,
            ipc_port: 1,
        },
    };
    Block {
        id: BlockId {
            pool: block.pool,
            number: 1,
            generation: 1,
            length: Some(100),
        },
        offset: block.offset,
        copies: block.copies.into_iter().map(copy).collect(),
        corrupt: false,
        token: Token::default(),
    }
}
