//! What the link does with single blobs: reads one byte, writes the sentinel.

use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{RequestContent, StatusCode};
use azure_storage_blob::models::{
    AccessTier, BlobClientDeleteOptions, BlobClientDownloadOptions, BlobClientDownloadResult,
    BlobClientUploadOptions, BlobItem, HttpRange,
};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use linkdial_core::store::{Deleted, Object, Put, SENTINEL, Store, Written};
use linkdial_core::{Code, Diagnosis};

use crate::config::Auth;
use crate::error::Call;
use crate::provider::Session;

/// What every answer about a blob has, and no other server sends.
const BLOB_TYPE: &str = "x-ms-blob-type";

/// Takes what matters of a blob of the listing; nothing for a directory of a hierarchical
/// namespace, which is listed as an empty blob.
pub(crate) fn listed(blob: &BlobItem) -> Option<Object> {
    let metadata = blob.metadata.as_ref().and_then(|it| it.values.as_ref());
    let folder = metadata.is_some_and(|values| {
        values
            .get("hdi_isfolder")
            .is_some_and(|value| value == "true")
    });
    if folder {
        return None;
    }
    let properties = blob.properties.as_ref();
    let length = properties.and_then(|it| it.content_length);
    let tier = properties.and_then(|it| it.access_tier.as_ref());
    Some(Object {
        key: blob.name.clone()?,
        empty: length.unwrap_or_default() == 0,
        offline: matches!(tier, Some(AccessTier::Archive)),
    })
}

impl Store for Session<'_> {
    type Answer = ();

    fn resource(&self, key: &str) -> String {
        format!("{}/{key}", self.container.name)
    }

    async fn read(&self, object: &Object) -> Result<(), Diagnosis> {
        if object.empty {
            return self.look_at(&object.key).await;
        }
        let mut answer = self.download(&object.key, 1).await?;
        loop {
            match answer.body.try_next().await {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(_)) => return Ok(()),
                Ok(None) => {
                    return Err(self
                        .not_azure(Call::GetBlob, &self.resource(&object.key))
                        .evidence("answer", "no byte came"));
                }
                Err(error) => {
                    let resource = self.resource(&object.key);
                    return Err(self.diagnose(Call::GetBlob, &resource, error).await);
                }
            }
        }
    }

    async fn put(&self, key: &str) -> Put {
        let options = BlobClientUploadOptions {
            blob_content_type: Some("text/plain".to_owned()),
            ..BlobClientUploadOptions::default()
        }
        .if_not_exists();
        let content = RequestContent::from(SENTINEL.to_vec());
        let blob = self.blob(key);
        match Box::pin(blob.upload(content, Some(options))).await {
            Ok(answer) => {
                let written = Written {
                    version: answer.version_id,
                    etag: answer.etag.map(|etag| etag.to_string()),
                };
                Put::Written(written, None)
            }
            Err(error) => {
                let status = error.http_status().map(u16::from);
                let resource = self.resource(key);
                let diagnosis = self.diagnose(Call::PutBlob, &resource, error).await;
                Put::unconfirmed(status, diagnosis)
            }
        }
    }

    async fn fetch(&self, key: &str) -> Result<Bytes, Diagnosis> {
        // One byte more than was written shows whether there is one.
        let answer = self.download(key, SENTINEL.len() as u64 + 1).await?;
        match answer.body.collect().await {
            Ok(bytes) => Ok(bytes),
            Err(error) => {
                let resource = self.resource(key);
                Err(self.diagnose(Call::GetBlob, &resource, error).await)
            }
        }
    }

    async fn delete(&self, key: &str, written: Option<&Written>) -> Result<Deleted, Diagnosis> {
        let etag = written.and_then(|written| written.etag.clone());
        let current = BlobClientDeleteOptions {
            if_match: etag.map(Into::into),
            ..BlobClientDeleteOptions::default()
        };
        let mut deleted = self.delete_once(key, current).await?;
        // Where the account keeps versions, the first delete only makes an older one of it.
        if let Some(version) = written.and_then(|written| written.version.clone()) {
            let older = BlobClientDeleteOptions {
                version_id: Some(version),
                ..BlobClientDeleteOptions::default()
            };
            deleted = self.delete_once(key, older).await?;
        }
        if let (Deleted::Gone(kept), Some((folder, _))) = (&mut deleted, key.rsplit_once('/'))
            && self.bare
        {
            kept.push(format!(
                "where the account has a hierarchical namespace, the directory `{}` stays",
                self.resource(folder)
            ));
        }
        Ok(deleted)
    }

    fn leftover_hint(&self, resource: &str, written: Option<&Written>) -> String {
        if written.is_none_or(|written| written.version.is_none()) {
            return format!("delete `{resource}` by hand, and look for a lease or a lock");
        }
        let right = match self.config.auth {
            Auth::SharedKey(_) => "",
            Auth::Sas(_) => "; a signature needs x (delete version) in `sp` for that",
        };
        format!(
            "delete `{resource}` with that version by hand, and look for a lease or a lock{right}"
        )
    }
}

impl Session<'_> {
    /// Asks for the properties of a blob, which takes the same right as reading it.
    async fn look_at(&self, key: &str) -> Result<(), Diagnosis> {
        let blob = self.blob(key);
        let resource = self.resource(key);
        match Box::pin(blob.get_properties(None)).await {
            Ok(answer) if header(answer.headers(), BLOB_TYPE).is_some() => Ok(()),
            Ok(_) => Err(self.not_azure(Call::GetBlobProperties, &resource)),
            Err(error) => Err(self
                .diagnose(Call::GetBlobProperties, &resource, error)
                .await),
        }
    }

    /// Asks for the first bytes of a blob. What comes is bounded by the transport.
    async fn download(
        &self,
        key: &str,
        length: u64,
    ) -> Result<BlobClientDownloadResult, Diagnosis> {
        let options = BlobClientDownloadOptions {
            range: Some(HttpRange::new(0, length)),
            parallel: std::num::NonZero::new(1),
            ..BlobClientDownloadOptions::default()
        };
        let blob = self.blob(key);
        let resource = self.resource(key);
        let answer = match Box::pin(blob.download(Some(options))).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.diagnose(Call::GetBlob, &resource, error).await),
        };
        // Any server can answer 200 to a GET.
        if header(&answer.headers, BLOB_TYPE).is_none() {
            return Err(self.not_azure(Call::GetBlob, &resource));
        }
        Ok(answer)
    }

    async fn delete_once(
        &self,
        key: &str,
        options: BlobClientDeleteOptions<'_>,
    ) -> Result<Deleted, Diagnosis> {
        let blob = self.blob(key);
        match Box::pin(blob.delete(Some(options))).await {
            // Delete Blob, Response headers: `false` says that soft delete keeps it.
            Ok(answer) => {
                let soft = header(answer.headers(), "x-ms-delete-type-permanent") == Some("false");
                let kept = "the account's soft delete keeps the sentinel for its days".to_owned();
                Ok(Deleted::Gone(soft.then_some(kept).into_iter().collect()))
            }
            // It never arrived, or somebody else removed it.
            Err(error) if error.http_status() == Some(StatusCode::NotFound) => {
                let resource = self.resource(key);
                match self.diagnose(Call::DeleteBlob, &resource, error).await {
                    gone if gone.code == Code::AccessNotFound => Ok(Deleted::Absent),
                    other => Err(other),
                }
            }
            Err(error) => {
                let resource = self.resource(key);
                Err(self.diagnose(Call::DeleteBlob, &resource, error).await)
            }
        }
    }
}

fn header<'a>(headers: &'a Headers, name: &'static str) -> Option<&'a str> {
    headers.get_optional_str(&HeaderName::from_static(name))
}
