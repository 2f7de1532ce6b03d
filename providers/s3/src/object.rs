//! One byte of one object, and the sentinel of the write stage.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectStorageClass, ServerSideEncryption};
use linkdial_core::{Code, Diagnosis, Halt, Probe, Stage};

use crate::config::{CUSTOMER_KEY, Encryption};
use crate::error::{Call, place};
use crate::provider::Session;

/// What the sentinel holds.
const SENTINEL: &[u8] = b"written by linkdial to prove that this link can write; safe to delete\n";

/// At most so many objects are tried when those before were deleted since the listing.
const TRIES: usize = 3;

/// An object of the listing that the read stage may try.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    key: String,
    empty: bool,
}

impl Object {
    /// Takes objects that a pipeline would read: not a folder marker, with one of the suffixes;
    /// first those that are online and not empty.
    pub(crate) fn choose(objects: &[&aws_sdk_s3::types::Object], suffixes: &[String]) -> Vec<Self> {
        let wanted = |key: &str| {
            !key.ends_with('/')
                && (suffixes.is_empty() || suffixes.iter().any(|suffix| key.ends_with(suffix)))
        };
        let mut chosen: Vec<(bool, Self)> = objects
            .iter()
            .filter_map(|object| {
                let key = object.key().filter(|key| wanted(key))?.to_owned();
                let offline = matches!(
                    object.storage_class(),
                    Some(ObjectStorageClass::Glacier | ObjectStorageClass::DeepArchive)
                );
                let empty = object.size().unwrap_or_default() == 0;
                Some((offline, Self { key, empty }))
            })
            .collect();
        chosen.sort_by_key(|(offline, object)| (*offline, object.empty));
        chosen
            .into_iter()
            .take(TRIES)
            .map(|(_, object)| object)
            .collect()
    }
}

/// Reads one byte. With a customer key, the read without it must be refused as well: some stores
/// drop the key's headers without a word.
pub(crate) async fn read(
    probe: &mut Probe,
    session: &Session<'_>,
    candidates: Vec<Object>,
    truncated: bool,
) -> Result<(), Halt> {
    if candidates.is_empty() {
        probe.skip(Stage::Read, "no object to read");
        probe.note(
            "unproven",
            if truncated {
                "reading was not tried: none of the first objects below the target fits"
            } else {
                "reading was not tried: nothing below the target fits"
            },
        );
        return Ok(());
    }
    let work = async {
        let mut gone = None;
        for object in candidates {
            let resource = session.resource(&object);
            match session.prove_read(&object, &resource).await {
                Err(diagnosis) if diagnosis.code == Code::AccessNotFound => gone = Some(diagnosis),
                result => return result.map(|answer| (resource, answer)),
            }
        }
        Err(gone.expect("there is a candidate, and each one before was not found"))
    };
    let (resource, answer) = probe
        .step(&session.endpoint, &[Stage::Read], Box::pin(work))
        .await?;
    probe.note("object", &resource);
    if let Some(encryption) = answer.server_side_encryption() {
        probe.note("encryption", encryption.as_str());
    } else if answer.sse_customer_algorithm().is_some() {
        probe.note("encryption", "SSE-C");
    }
    Ok(())
}

/// How far the sentinel got.
#[derive(Debug)]
enum Sentinel {
    /// The store never had it.
    Absent,
    /// The request went out, and no answer came.
    Unknown,
    /// The store confirmed it, in a bucket with versions under this one.
    Written(Option<String>),
}

/// Writes a sentinel under a name of its own, reads it back, compares and deletes it.
pub(crate) async fn write(probe: &mut Probe, session: &Session<'_>) -> Result<(), Halt> {
    if !probe.may_write() {
        probe.skip(Stage::Write, "writing was not asked for");
        probe.note(
            "unproven",
            "the right to write was not tried; --write tries it",
        );
        return Ok(());
    }
    // Behind the prefix: a policy may allow that and nothing else.
    let object = Object {
        key: format!(
            "{}.linkdial-{:016x}{:016x}",
            session.bucket.prefix,
            random(),
            random()
        ),
        empty: false,
    };
    let resource = session.resource(&object);
    let sentinel = Mutex::new(Sentinel::Absent);
    let work = async {
        session.put(&object, &resource, &sentinel).await?;
        session.compare(&object, &resource).await
    };
    let walked = probe
        .step(&session.endpoint, &[Stage::Write], Box::pin(work))
        .await;
    if walked.is_ok() {
        probe.note("sentinel", &resource);
    }
    let version = match sentinel
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        Sentinel::Absent => return walked,
        Sentinel::Unknown => None,
        Sentinel::Written(version) => version,
    };
    let delete = session.delete(&object, version.as_deref(), &resource);
    if let Err(left) = probe.cleanup(delete).await {
        let finding = leftover(&resource, version.as_deref(), &left);
        probe.finding(Some(&session.endpoint), finding);
    }
    walked
}

impl Session<'_> {
    fn resource(&self, object: &Object) -> String {
        format!("{}/{}", self.bucket.name, object.key)
    }

    /// Reads one byte as the link would, and proves that a customer key is really needed.
    async fn prove_read(
        &self,
        object: &Object,
        resource: &str,
    ) -> Result<GetObjectOutput, Diagnosis> {
        if !matches!(self.config.encryption, Encryption::Customer { .. }) {
            return self.read_byte(object, false).await;
        }
        match self.read_byte(object, true).await {
            Ok(answer) => match self.read_byte(object, false).await {
                Ok(_) => Err(not_encrypted(resource)),
                Err(refused) if refused.code == Code::ReadKeyRequired => Ok(answer),
                Err(other) => Err(other),
            },
            // A wrong customer key and a missing right look alike on some stores. Without any key
            // the store asks for one only after it has granted the right.
            Err(denied) if denied.code == Code::ReadDenied => {
                match self.read_byte(object, false).await {
                    Err(without) if without.code == Code::ReadKeyRequired => {
                        Err(key_mismatch(resource, denied))
                    }
                    _ => Err(denied),
                }
            }
            Err(diagnosis) => Err(diagnosis),
        }
    }

    /// Asks for the first byte and waits until it is here; an empty object has none.
    async fn read_byte(
        &self,
        object: &Object,
        customer: bool,
    ) -> Result<GetObjectOutput, Diagnosis> {
        let mut answer = self.get(object, customer, !object.empty).await?;
        let resource = self.resource(object);
        let page = answer.content_range().is_none()
            && answer
                .content_type()
                .is_some_and(|it| it.starts_with("text/html"))
            && !object.key.contains(".htm");
        if page {
            return Err(self.not_s3(Call::GetObject, &resource));
        }
        if object.empty {
            return Ok(answer);
        }
        loop {
            match answer.body.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(_)) => return Ok(answer),
                Some(Err(error)) => {
                    return Err(self.transport.take_fault().unwrap_or_else(|| {
                        self.not_s3(Call::GetObject, &resource)
                            .evidence("error", error)
                    }));
                }
                None => {
                    return Err(self
                        .not_s3(Call::GetObject, &resource)
                        .evidence("answer", "no byte came"));
                }
            }
        }
    }

    async fn get(
        &self,
        object: &Object,
        customer: bool,
        one_byte: bool,
    ) -> Result<GetObjectOutput, Diagnosis> {
        let mut request = self
            .client
            .get_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_request_payer(self.payer())
            .set_range(one_byte.then(|| "bytes=0-0".to_owned()));
        if let (true, Encryption::Customer { key, md5 }) = (customer, &self.config.encryption) {
            request = request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key.expose())
                .sse_customer_key_md5(md5);
        }
        match Box::pin(request.send()).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let resource = self.resource(object);
                Err(self.diagnose(Call::GetObject, &resource, error).await)
            }
        }
    }

    async fn put(
        &self,
        object: &Object,
        resource: &str,
        sentinel: &Mutex<Sentinel>,
    ) -> Result<(), Diagnosis> {
        let mut request = self
            .client
            .put_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_request_payer(self.payer())
            .content_type("text/plain")
            .body(ByteStream::from_static(SENTINEL));
        request = match &self.config.encryption {
            Encryption::Bucket => request,
            Encryption::Managed { algorithm, key_id } => request
                .server_side_encryption(ServerSideEncryption::from(algorithm.as_str()))
                .set_ssekms_key_id(key_id.clone()),
            Encryption::Customer { key, md5 } => request
                .sse_customer_algorithm("AES256")
                .sse_customer_key(key.expose())
                .sse_customer_key_md5(md5),
        };
        let now = |state: Sentinel| {
            *sentinel.lock().unwrap_or_else(PoisonError::into_inner) = state;
        };
        now(Sentinel::Unknown);
        let answer = match Box::pin(request.send()).await {
            Ok(answer) => answer,
            Err(error) => {
                // A refusal is an answer, and what is refused was not stored.
                if error
                    .raw_response()
                    .is_some_and(|it| it.status().as_u16() >= 400)
                {
                    now(Sentinel::Absent);
                }
                return Err(self.diagnose(Call::PutObject, resource, error).await);
            }
        };
        now(Sentinel::Written(answer.version_id().map(str::to_owned)));
        let confirmed = match &self.config.encryption {
            Encryption::Bucket => true,
            Encryption::Managed { algorithm, .. } => answer
                .server_side_encryption()
                .is_some_and(|it| it.as_str() == algorithm),
            Encryption::Customer { .. } => answer.sse_customer_algorithm().is_some(),
        };
        if confirmed {
            return Ok(());
        }
        Err(Diagnosis::new(
            Code::WriteNotEncrypted,
            format!(
                "{} did not confirm the encryption that the link asks for",
                self.endpoint
            ),
        )
        .evidence("resource", resource)
        .hint("this store ignores the x-amz-server-side-encryption keys of CONFIG"))
    }

    async fn compare(&self, object: &Object, resource: &str) -> Result<(), Diagnosis> {
        let answer = self.get(object, true, false).await?;
        let read = answer.body.collect().await.map_err(|error| {
            self.transport.take_fault().unwrap_or_else(|| {
                Diagnosis::new(
                    Code::WriteReadbackDiffers,
                    "the sentinel could not be read back",
                )
                .evidence("error", error)
            })
        })?;
        if read.into_bytes().as_ref() == SENTINEL {
            return Ok(());
        }
        Err(Diagnosis::new(
            Code::WriteReadbackDiffers,
            format!("`{resource}` came back other than it was written"),
        )
        .hint("something between here and the store changes objects"))
    }

    async fn delete(
        &self,
        object: &Object,
        version: Option<&str>,
        resource: &str,
    ) -> Result<(), Diagnosis> {
        let request = self
            .client
            .delete_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_version_id(version.map(str::to_owned))
            .set_request_payer(self.payer());
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.diagnose(Call::DeleteObject, resource, error).await),
        }
    }
}

/// A number nobody else draws; the standard library's hasher is seeded by the system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn not_encrypted(resource: &str) -> Diagnosis {
    Diagnosis::new(
        Code::ReadNotEncrypted,
        format!("`{resource}` comes back without the customer key as well"),
    )
    .evidence("resource", resource)
    .key(place(CUSTOMER_KEY))
    .hint("the store ignores SSE-C, or the object was written without it: it is not protected")
}

fn key_mismatch(resource: &str, denied: Diagnosis) -> Diagnosis {
    let mut diagnosis = Diagnosis::new(
        Code::ReadKeyMismatch,
        format!("`{resource}` is encrypted with another customer key"),
    )
    .key(place(CUSTOMER_KEY))
    .hint("give the key that it was written with");
    diagnosis.evidence = denied.evidence;
    diagnosis
}

fn leftover(resource: &str, version: Option<&str>, left: &Diagnosis) -> Diagnosis {
    Diagnosis::new(
        Code::WriteLeftover,
        format!("the sentinel `{resource}` could not be deleted"),
    )
    .evidence("resource", resource)
    .evidence("version", version.unwrap_or_default())
    .evidence("reason", &left.message)
    .hint(if version.is_some() {
        format!("delete that version by hand; allow s3:DeleteObjectVersion on `{resource}`")
    } else {
        format!("delete it by hand; allow s3:DeleteObject on `{resource}`")
    })
}
