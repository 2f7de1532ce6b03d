//! The key file of a service account, and the tokens that its private key signs.
//!
//! The tokens are those of `object_store`: a JSON Web Token that the account signs for itself and that
//! Google takes as a bearer token, without an exchange (Google AIP-4111). Nothing is asked for
//! anywhere: the metadata server and the application default credentials are out of reach.

use std::sync::Arc;

use async_trait::async_trait;
use linkdial_core::{Clause, ClauseName, Clauses, Code, Diagnosis, Secret};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder};

use crate::config::SERVICE_ACCOUNT;

/// The members of a key file that a token is made of.
const NEEDED: [&str; 3] = ["client_email", "private_key", "private_key_id"];

/// A service account, able to sign for itself.
#[derive(Clone)]
pub(crate) struct ServiceAccount {
    /// The name that policies know it by.
    pub(crate) email: String,
    /// The project that it belongs to, where the file says so.
    pub(crate) project: Option<String>,
    credentials: GcpCredentialProvider,
    /// Whether the signature of its tokens is wrong on purpose.
    wrong: bool,
}

impl std::fmt::Debug for ServiceAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServiceAccount")
            .field("email", &self.email)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

impl ServiceAccount {
    /// Returns the same account, whose tokens have one wrong character in their signature.
    pub(crate) fn with_wrong_signature(&self) -> Self {
        Self {
            wrong: true,
            ..self.clone()
        }
    }

    /// Returns a token, the last one as long as that holds for more than five minutes. No packet is
    /// sent for it.
    pub(crate) async fn token(&self) -> Result<Secret, Diagnosis> {
        match self.credentials.get_credential().await {
            Ok(credential) => {
                let token = Secret::new(credential.bearer.as_str());
                let wrong = self.wrong.then(|| token.changed_token()).flatten();
                Ok(wrong.unwrap_or(token))
            }
            // What the error says may quote the key.
            Err(_) => Err(Diagnosis::new(
                Code::AuthenticateTokenInvalid,
                "the private key of the service account can not sign a token",
            )
            .key(crate::config::place(SERVICE_ACCOUNT))
            .hint("make a new key for the service account")),
        }
    }
}

/// Reads the key file; everything that is wrong with it is a finding.
pub(crate) fn read(clauses: &mut Clauses<'_>) -> Option<ServiceAccount> {
    let Some(file) = clauses.document(SERVICE_ACCOUNT) else {
        if clauses.failed_at(SERVICE_ACCOUNT) {
            return None;
        }
        if has_a_member_twice(clauses) {
            clauses.add(
                invalid(format!("`{SERVICE_ACCOUNT}` has a member twice"))
                    .key(clauses.place(SERVICE_ACCOUNT))
                    .hint("paste the key file as it is"),
            );
            return None;
        }
        clauses.add(
            invalid(format!("`{SERVICE_ACCOUNT}` holds no JSON object"))
                .key(clauses.place(SERVICE_ACCOUNT))
                .hint(
                    "paste the key file as it is, as an object; inside a string every quote and \
                     backslash of it needs a backslash",
                ),
        );
        return None;
    };
    let text = |member| file.text(member).map(Secret::expose);
    let kind = text("type").unwrap_or_default();
    if kind != "service_account" {
        clauses.add(
            invalid(format!(
                "`{SERVICE_ACCOUNT}` is not the key file of a service account"
            ))
            .evidence("found", kind)
            .evidence("allowed", "service_account")
            .key(clauses.place_in(SERVICE_ACCOUNT, "type"))
            .hint(
                "download a key of a service account; logins of people and workload identities \
                     need a server that lends tokens",
            ),
        );
        return None;
    }
    for member in NEEDED.into_iter().filter(|member| text(member).is_none()) {
        clauses.add(
            Diagnosis::new(
                Code::DefineMissingKey,
                format!("`{SERVICE_ACCOUNT}` lacks `{member}`"),
            )
            .key(clauses.place_in(SERVICE_ACCOUNT, member))
            .hint("paste the whole key file"),
        );
    }
    let email = text("client_email")?.to_owned();
    let (key, key_id) = (text("private_key")?, text("private_key_id")?);
    // The parsers below quote the bytes of the key in their errors: none of their words is shown.
    let Ok(credentials) = credentials(&email, key, key_id) else {
        let (reason, hint) = fault(key);
        clauses.add(
            invalid("the private key of the service account can not be read".to_owned())
                .evidence("reason", reason)
                .key(clauses.place_in(SERVICE_ACCOUNT, "private_key"))
                .hint(hint),
        );
        return None;
    };
    Some(ServiceAccount {
        email,
        project: text("project_id").map(str::to_owned),
        credentials,
        wrong: false,
    })
}

/// Says what is wrong with a private key, and how to mend it, without a word of the key.
fn fault(pem: &str) -> (&'static str, &'static str) {
    if pem.contains("\\n") {
        (
            "its line breaks are the two characters `\\n`",
            "they were escaped once too often: JSON needs `\\n`, which is `\\\\n` in a string of SQL",
        )
    } else if !pem.contains("-----BEGIN ") {
        (
            "no BEGIN line",
            "copy it from the key file, from BEGIN to END",
        )
    } else if !pem.trim().contains('\n') {
        (
            "its line breaks are missing",
            "copy it from the key file, where JSON has `\\n` at the end of each line; that is `\\\\n` in \
             a string of SQL",
        )
    } else if !pem.contains("-----END ") {
        (
            "no END line",
            "copy it from the key file, from BEGIN to END",
        )
    } else {
        (
            "what stands between BEGIN and END is no key of RSA",
            "copy it again from the key file, or make a new key for the service account",
        )
    }
}

/// Returns whether the file, given as text, is spoilt by that alone.
fn has_a_member_twice(clauses: &Clauses<'_>) -> bool {
    let Some(text) = clauses.secret(SERVICE_ACCOUNT) else {
        return false;
    };
    let file = Clause::parse(ClauseName::Credentials, text.expose());
    let mut faults = file.faults().iter();
    faults.any(|fault| fault.code == Code::DefineDuplicateKey)
}

fn invalid(message: String) -> Diagnosis {
    Diagnosis::new(Code::DefineInvalidValue, message)
}

/// Makes what signs. Only these three members reach `object_store`: it also takes another address and
/// a switch that leaves the signature out from a key file.
fn credentials(
    email: &str,
    private_key: &str,
    private_key_id: &str,
) -> object_store::Result<GcpCredentialProvider> {
    let file = serde_json::json!({
        "client_email": email,
        "private_key": private_key,
        "private_key_id": private_key_id,
    });
    let store = GoogleCloudStorageBuilder::new()
        .with_service_account_key(file.to_string())
        // It wants one, and nothing is asked of it.
        .with_bucket_name("unused")
        .with_http_connector(Offline)
        .build()?;
    Ok(Arc::clone(store.credentials()))
}

/// The network as `object_store` sees it: there is none.
#[derive(Debug)]
struct Offline;

impl HttpConnector for Offline {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Self))
    }
}

#[async_trait]
impl HttpService for Offline {
    async fn call(&self, _request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let refused = std::io::Error::other("tokens are made without a request");
        Err(HttpError::new(HttpErrorKind::Connect, refused))
    }
}
