//! The key of a service account, as Google hands it out.

use std::fmt;
use std::sync::OnceLock;

use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

/// The project of every account.
const PROJECT: &str = "linkdial-test";

/// A service account of Google Cloud with a throw-away key, which no server knows.
pub struct ServiceAccount {
    name: String,
    key: KeyPair,
}

impl ServiceAccount {
    /// The key of CREDENTIALS that takes [`ServiceAccount::json`].
    pub const LINK_KEY: &str = "service_account_key";

    /// An account of this name with a new RSA key of 2048 bits (a tenth of a second).
    pub fn generate(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: new_key(),
        }
    }

    /// The account that all tests of one process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ServiceAccount> = OnceLock::new();
        SHARED.get_or_init(|| Self::generate("tests"))
    }

    /// The account's address, `NAME@linkdial-test.iam.gserviceaccount.com`.
    pub fn client_email(&self) -> String {
        format!("{}@{PROJECT}.iam.gserviceaccount.com", self.name)
    }

    /// The private key in PEM (PKCS #8).
    pub fn private_key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The public key in PEM, for who wants to check what the account has signed.
    pub fn public_key_pem(&self) -> String {
        self.key.public_key_pem()
    }

    /// The key file with all members that Google's have.
    ///
    /// Its addresses lead nowhere (`*.invalid`): a client that wants to trade a token there fails,
    /// and sends nothing out of this machine.
    pub fn json(&self) -> Value {
        json!({
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "0123456789abcdef0123456789abcdef01234567",
            "private_key": self.private_key_pem(),
            "client_email": self.client_email(),
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.invalid/o/oauth2/auth",
            "token_uri": "https://oauth2.invalid/token",
            "auth_provider_x509_cert_url": "https://www.invalid/oauth2/v1/certs",
            "client_x509_cert_url": "https://www.invalid/robot/v1/metadata/x509",
            "universe_domain": "googleapis.com",
        })
    }
}

/// A key of 2048 bits.
fn new_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_RSA_SHA256).expect("RSA is supported")
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
