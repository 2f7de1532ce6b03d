//! Real servers, broken servers and certificates for tests, each with a ready `CREATE LINK`.
//!
//! Everything listens on loopback, on a port that the system chose, and ends with its handle.
//! Servers inside the process run on a thread and a runtime of their own, so tests of any shape,
//! sync or async, can hold one.

#![cfg_attr(
    not(feature = "containers"),
    allow(
        dead_code,
        unused_imports,
        reason = "what describes images is read by containers alone"
    )
)]

mod azurite;
mod background;
pub mod broken;
mod certs;
mod clock;
#[cfg(feature = "containers")]
mod container;
mod dns;
mod error;
mod fake_gcs;
mod hdfs;
mod http_endpoint;
mod http_service;
mod image;
#[cfg(feature = "containers")]
mod images;
mod install;
mod kafka;
mod kdc;
mod login;
mod minio;
mod moto;
mod nginx;
mod process;
mod proxy;
mod ready;
mod runtime;
mod s3_server;
mod schema_registry;
mod scratch;
mod scripted;
mod scripted_namenode;
mod server;
mod shell;
mod statement;
mod store;
mod switch;
mod token_issuer;
mod versions;
mod web;
mod wire;
pub mod zoo;

pub use azurite::{Azurite, AzuriteOptions, BlobStore, SharedAccess, StorageAccount};
pub use certs::{Certificates, Identity, ServerTls};
pub use clock::wrong_clock;
pub use dns::{DnsAnswer, DnsServer};
pub use error::Error;
pub use fake_gcs::{FakeGcs, FakeGcsOptions, GcsStore, ServiceAccount};
pub use hdfs::{
    Hdfs, HdfsCipher, HdfsCluster, HdfsEdits, HdfsEntry, HdfsNode, HdfsOptions, HdfsPair,
    HdfsPairOptions, HdfsPath, HdfsProtection, HdfsUser, SecuredHdfs, SecuredHdfsOptions,
};
pub use http_endpoint::HttpEndpoint;
#[cfg(feature = "containers")]
pub use images::{ImageState, LocalImage, LocalImages};
pub use kafka::{
    Kafka, KafkaCluster, KafkaContents, KafkaListener, KafkaOptions, KafkaTopic, KafkaUser,
    SecuredKafka,
};
pub use kdc::{Kdc, KdcOptions, WrongKdc};
pub use login::Login;
pub use minio::{KMS_KEY_ID, Minio, MinioOptions, SSE_C_KEY, User};
pub use moto::Moto;
pub use nginx::{Nginx, NginxOptions};
pub use proxy::{ConnectProxy, ProxyBehaviour, ProxyRequest};
pub use runtime::Runtime;
pub use s3_server::S3Server;
pub use schema_registry::{SchemaRegistry, SchemaRegistryOptions};
pub use scratch::Scratch;
pub use scripted::{Match, Script, ScriptedHttp};
pub use scripted_namenode::{HadoopException, LocatedBlock, NameNodeAnswer, ScriptedNameNode};
pub use server::{Server, Whereabouts};
pub use statement::LinkStatement;
pub use store::Store;
pub use switch::Switch;
pub use token_issuer::{TokenIssuer, TokenIssuerOptions};
pub use web::{Answer, Recorded};
