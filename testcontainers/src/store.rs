use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::wire::{Reply, Wire};
use crate::{Error, Login};

/// Everything but RFC 3986's unreserved characters, as Signature Version 4 asks for.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A small S3 client for tests: prepares objects and proves what was left behind.
///
/// It shares no code with the client under test.
#[derive(Debug, Clone)]
pub struct Store {
    wire: Wire,
    region: String,
    login: Login,
}

impl Store {
    pub(crate) fn new(wire: Wire, region: &str, login: Login) -> Self {
        Self {
            wire,
            region: region.to_owned(),
            login,
        }
    }

    /// The same server seen with another login.
    #[must_use]
    pub fn with_login(&self, login: Login) -> Self {
        Self {
            login,
            ..self.clone()
        }
    }

    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn make_bucket(&self, bucket: &str) -> Result<(), Error> {
        self.call("PUT", &format!("/{bucket}"), &[], &[], b"")
            .map(drop)
    }

    /// Removes a bucket with all its objects, a thousand at most.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn remove_bucket(&self, bucket: &str) -> Result<(), Error> {
        for key in self.list(bucket, "")? {
            self.delete(bucket, &key)?;
        }
        self.call("DELETE", &format!("/{bucket}"), &[], &[], b"")
            .map(drop)
    }

    /// Puts an object.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn put(&self, bucket: &str, key: &str, body: &[u8]) -> Result<(), Error> {
        self.put_with(bucket, key, body, &[])
    }

    /// Puts an object with these header fields too, names in lower case.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Result<(), Error> {
        self.call("PUT", &object(bucket, key), &[], headers, body)
            .map(drop)
    }

    /// Puts an object encrypted with a customer's key of 32 bytes; the server must speak TLS.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn put_encrypted(
        &self,
        bucket: &str,
        key: &str,
        body: &[u8],
        customer_key: &[u8; 32],
    ) -> Result<(), Error> {
        let prefix = "x-amz-server-side-encryption-customer";
        let headers = [
            (format!("{prefix}-algorithm"), "AES256".to_owned()),
            (format!("{prefix}-key"), BASE64.encode(customer_key)),
            (
                format!("{prefix}-key-md5"),
                BASE64.encode(Md5::digest(customer_key)),
            ),
        ];
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        self.put_with(bucket, key, body, &headers)
    }

    /// Reads a whole object.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, Error> {
        self.call("GET", &object(bucket, key), &[], &[], b"")
            .map(|reply| reply.body)
    }

    /// Deletes an object; one that does not exist is deleted already.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        self.call("DELETE", &object(bucket, key), &[], &[], b"")
            .map(drop)
    }

    /// The keys below a prefix, a thousand at most, in the order of the server.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let query = [("list-type", "2"), ("prefix", prefix)];
        let reply = self.call("GET", &format!("/{bucket}"), &query, &[], b"")?;
        Ok(elements(&reply.text(), "Key"))
    }

    /// Trades the login for a temporary one at the server's STS (`AssumeRole`, 15 minutes).
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with anything but success.
    pub fn assume_role(&self, role_arn: &str) -> Result<Login, Error> {
        let parameters = [
            ("DurationSeconds", "900"),
            ("RoleArn", role_arn),
            ("RoleSessionName", "test"),
        ];
        let text = self.action("sts", "AssumeRole", "2011-06-15", &parameters)?;
        let one = |name| {
            elements(&text, name)
                .into_iter()
                .next()
                .ok_or_else(|| Error::Refused {
                    doing: "assume a role".to_owned(),
                    answer: format!("no {name} in the answer"),
                })
        };
        Ok(Login {
            access_key_id: one("AccessKeyId")?,
            secret_access_key: one("SecretAccessKey")?,
            session_token: Some(one("SessionToken")?),
        })
    }

    /// Sends an action of AWS's query protocol and returns the answer in XML.
    pub(crate) fn action(
        &self,
        service: &str,
        action: &str,
        version: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Error> {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            let value = escape(value);
            body.extend(["&", name, "=", &value]);
        }
        let form = ("content-type", "application/x-www-form-urlencoded");
        self.signed(service, "POST", "/", &[], &[form], body.as_bytes())
            .map(|reply| reply.text())
    }

    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Error> {
        self.signed("s3", method, path, query, headers, body)
    }

    /// Sends one request with Signature Version 4.
    ///
    /// The way from the request to the signature is described in "AWS Signature Version 4 for API
    /// requests" of the IAM user guide.
    fn signed(
        &self,
        service: &str,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Error> {
        let time = timestamp();
        let scope = format!("{}/{}/{service}/aws4_request", &time[..8], self.region);
        let digest = hex(&Sha256::digest(body));

        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut sent: Vec<_> = headers.iter().copied().map(owned).collect();
        sent.push(owned(("x-amz-content-sha256", &digest)));
        sent.push(owned(("x-amz-date", &time)));
        if let Some(token) = &self.login.session_token {
            sent.push(owned(("x-amz-security-token", token)));
        }
        let mut signed = sent.clone();
        signed.push(("host".to_owned(), self.wire.host()));
        signed.sort();
        let names: Vec<_> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = signed
            .iter()
            .flat_map(|(n, v)| [n.as_str(), ":", v, "\n"])
            .collect();

        let mut query: Vec<_> = query
            .iter()
            .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
            .collect();
        query.sort();
        let query = query.join("&");
        let request = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}");
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hex(&Sha256::digest(request))
        );
        let secret = format!("AWS4{}", self.login.secret_access_key).into_bytes();
        let key = scope.split('/').fold(secret, |key, part| mac(&key, part));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.login.access_key_id,
            hex(&mac(&key, &text))
        );
        sent.push(("authorization".to_owned(), authorization));

        self.wire.call(method, path, &query, &sent, body)
    }
}

/// The path of an object in a bucket, or of a blob in a container.
pub(crate) fn object(bucket: &str, key: &str) -> String {
    let parts: Vec<_> = key.split('/').map(escape).collect();
    format!("/{bucket}/{}", parts.join("/"))
}

pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn timestamp() -> String {
    let now = OffsetDateTime::now_utc();
    let (hour, minute, second) = now.to_hms();
    let month = u8::from(now.month());
    format!(
        "{}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z",
        now.year(),
        now.day()
    )
}

pub(crate) fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The text of every element of this name; enough for answers without attributes or escapes.
pub(crate) fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let texts = xml
        .split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close));
    texts.map(|(text, _)| text.to_owned()).collect()
}
