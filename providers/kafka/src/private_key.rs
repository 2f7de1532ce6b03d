//! Private keys that have a password: PKCS#8 (RFC 5958) with PBES2 (RFC 8018).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkdial_core::Secret;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Reader as _, SliceReader};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoRef, Error};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

/// Rounds of PBKDF2; OpenSSL takes 2048, and careful people less than a million.
const MAX_ROUNDS: u32 = 5_000_000;

/// The product of the three costs of scrypt; OpenSSL's is 2^17. Memory is at most 128 bytes of it.
const MAX_COST: u64 = 1 << 20;

/// How a text holds a private key, as far as its lines tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// PKCS#8 with a password.
    Encrypted,
    /// The form of old OpenSSL with a password (RFC 1421, 4.6.1.1).
    Legacy,
    /// Without a password, or no key at all.
    Plain,
}

/// Why a key stays closed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Locked {
    /// It is no key.
    Garbled,
    /// It was encrypted in a way that is not known here, or too expensive: its name.
    Scheme(String),
    WrongPassword,
}

/// Returns the form of the first private key of a text.
pub(crate) fn form(pem: &[u8]) -> Form {
    let text = String::from_utf8_lossy(pem);
    let mut keys = text.split("-----BEGIN ").skip(1);
    match keys.find(|block| {
        block
            .lines()
            .next()
            .unwrap_or_default()
            .contains("PRIVATE KEY-----")
    }) {
        Some(block) if block.starts_with("ENCRYPTED ") => Form::Encrypted,
        Some(block) if block.contains("Proc-Type: 4,ENCRYPTED") => Form::Legacy,
        _ => Form::Plain,
    }
}

/// Opens a key of the form [`Form::Encrypted`]. Takes up to some seconds.
///
/// # Errors
///
/// When the password is not the one, or the scheme not one of PBES2.
pub(crate) fn open(pem: &[u8], password: &Secret) -> Result<PrivateKeyDer<'static>, Locked> {
    let document = decode(pem).ok_or(Locked::Garbled)?;
    let info = EncryptedPrivateKeyInfoRef::try_from(&document[..]);
    let info = info.map_err(|_| scheme_of(&document))?;
    affordable(&info.encryption_algorithm)?;
    let opened = info
        .decrypt(password.expose())
        .map_err(|error| match error {
            Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid }) => {
                Locked::Scheme(oid.to_string())
            }
            _ => Locked::WrongPassword,
        })?;
    let key = PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec());
    Ok(PrivateKeyDer::Pkcs8(key))
}

fn decode(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// Names the scheme of a document that has the right form and another scheme than is known.
fn scheme_of(document: &[u8]) -> Locked {
    let read = || {
        SliceReader::new(document)?.sequence(|reader| {
            let scheme: AlgorithmIdentifierRef<'_> = reader.decode()?;
            let _: &OctetStringRef = reader.decode()?;
            pkcs8::der::Result::Ok(scheme.oid.to_string())
        })
    };
    read().map_or(Locked::Garbled, Locked::Scheme)
}

/// A key may ask for hours and gigabytes.
fn affordable(scheme: &EncryptionScheme) -> Result<(), Locked> {
    let Some(parameters) = scheme.pbes2() else {
        return Err(Locked::Scheme(scheme.oid().to_string()));
    };
    match &parameters.kdf {
        Kdf::Pbkdf2(kdf) if kdf.iteration_count > MAX_ROUNDS => {
            let rounds = kdf.iteration_count;
            Err(Locked::Scheme(format!("PBKDF2 of {rounds} rounds")))
        }
        Kdf::Scrypt(kdf) => {
            let (block, lanes) = (kdf.block_size.into(), kdf.parallelization.into());
            let cost = kdf
                .cost_parameter
                .saturating_mul(block)
                .saturating_mul(lanes);
            if cost > MAX_COST {
                return Err(Locked::Scheme(format!("scrypt of cost {cost}")));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use pkcs8::EncryptedPrivateKeyInfo;
    use pkcs8::der::SecretDocument;
    use pkcs8::pkcs5::pbes2::{self, Pbkdf2Params, Salt, ScryptParams};
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    /// One key, written by OpenSSL 3.0 without a password and with it in several ways.
    const PLAIN: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvhKk/k1mdsEGItXt
NntCBZzRA7JvVTFKpIoo3LESbL+hRANCAAQmtXExRqsDAGX00wCx+qIPDzNXHvtB
6gmF6GqWkPtSZ2HJsFO5cMkbpAcaSwaKKIDZQVJzY4C00eZtpk+/nC8+
-----END PRIVATE KEY-----";
    const KNOWN: [&str; 4] = [
        // openssl pkcs8 -topk8
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgw8mneo3jqEQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEK4wa25IHR4XhJIUfrO9S+4EgZBI
na3aAgdJ7OdG7MidAgVaAYOw60jqr14sKpjRMZNxTUZciba0jRn65KZ3BbyHDidA
/SoIdRGwrcxaPW+mdoynIygwqIK3X1p9Gavbp5FTW8FruO71l8cZu3qhnYo8ZmmI
dOPdWYyXshgLekL0HKnwnbwZds5KN2YnN6OmJYKIUvkXOBV0NxUNO3zCvvMdkBY=
-----END ENCRYPTED PRIVATE KEY-----",
        // -v2 des3 -v2prf hmacWithSHA1
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHVMEAGCSqGSIb3DQEFDTAzMBsGCSqGSIb3DQEFDDAOBAiZRu38QpgJ+QICCAAw
FAYIKoZIhvcNAwcECFlvXWT76u/aBIGQ7PG+82E9MATFjcxpUSRA7V1LB073vzJ7
t5xTztFr82MPAV2UB0LFvFkQkTtAy4gAasYEGyXCIEjGXcXSyYI8Iem/woHwTPnd
SYuoc0tnJkIQkzr+h5dZouL+CqivNsVRt1o9ib8vPUtDwQVrHzG8rdehX9rrwR44
yKwgULLzn2f7yuR1ZgoSiz8LmlWZKf6g
-----END ENCRYPTED PRIVATE KEY-----",
        // -v2 aes-128-cbc -v2prf hmacWithSHA512
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhzgZzQM9lmNQICCAAw
DAYIKoZIhvcNAgsFADAdBglghkgBZQMEAQIEEG6PdyICqK/m8sf0pFFjEksEgZAt
vRMWSbVcqehp1FXqa0ES1/X6LE3QOgNPEjy3d74kfFhBvoSD5QoeF78gcyvjGQLE
JCZIyNycA7PU5U7R/GViMK9u1XjBLr6LWI2ZG5h38x+YVlXGOAFoq5kIMjnK2eWO
0s1BvBSPc3mpdEPW26Pg88MSxnCthXWi014VM6j6s4+pvGH2XHJYWgxirQ/iknQ=
-----END ENCRYPTED PRIVATE KEY-----",
        // -scrypt
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhzZlvEI1/LKgICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBBvVdbrjIW8UL9oK2D5gNjpBIGQJLvWy4Mocm2n
70brNEeOR1yykQBY5bfYBO9k2rBzLR/KznEUbzzx9M106RwdJGHVJXvoBYtDnsqk
8YRYZspFK8sEqn+WzixotGrs/utJIcTS4A8+5Fx6E0aHSYReqAQHDGc5UyGS1Lz8
2XRSSpUvpozg/dJHLm+AtZ+BXrgHU79x8vL2sPoF9r6B5r4LYCj+
-----END ENCRYPTED PRIVATE KEY-----",
    ];
    /// -v1 PBE-SHA1-3DES and -v1 PBE-MD5-DES
    const OTHER: [&str; 2] = [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIHcabJ8C0fhcCAggABIGQvnViHHQ/5wp0SOeS
9vlUoejEt5JMm+MxYi+SSyL1w0/vSJuTKD0MSg+x2YYTxuqEDWV6W8oNML7ABGc+
MOyDgI4fsxUy9HOAwX6M3ysQcsmZnxRiRnRoa6vm/8VnbmaP/H9GcgPFEM12/BpV
H9bNFQSegsh0uFHVVV8N5GgVJ4pS3OgAAWhtHSL+CfqOD0jh
-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGwMBsGCSqGSIb3DQEFAzAOBAjtNzc4deHPxgICCAAEgZBcONnFdPs9D6njEuUd
EUB54atMuIOKbnVaAQFSSLpbb9oK2PdJ8aFv7tqKa+vYdB/LkSecND8esjdQpRVX
hI++klGNeZbUOt6FI/CmcPPKfiQMY83NluESqDnyQx4DW2p1aagPls+l8PHxqKfw
WQtechEsZ5CjadbjJiGhoA+Pkwdchg+bT7KEWt2/kY/oWb4=
-----END ENCRYPTED PRIVATE KEY-----",
    ];
    /// openssl ec -aes256
    const LEGACY: &str = "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,1B81B5B281250D8B025DEFAE20C43E20

UHV6tgWCfGggIXAY1yErgjqBzSpkM+3FjA9cPL0YEs9ubooq396Kn/GpLAt3f6Cg
BVfw1mLijVOaq9Sp1lSwgOLeHdDqv96xXFnOk0nFA4pdgQU08QVK5CDWxjVZIhE7
2BFQGlRNHUp1d7oxR+6bl8smyKJXJiQxLvPyoOaC4sg=
-----END EC PRIVATE KEY-----";

    fn password() -> Secret {
        Secret::new("op3n-sesame")
    }

    /// A key that was never encrypted, with the costs that it asks for.
    fn asks_for(kdf: Kdf) -> String {
        let encryption = pbes2::EncryptionScheme::Aes256Cbc { iv: [7; 16] };
        let info = EncryptedPrivateKeyInfo {
            encryption_algorithm: pbes2::Parameters { kdf, encryption }.into(),
            encrypted_data: OctetStringRef::new(&[7; 32]).unwrap(),
        };
        let document = SecretDocument::try_from(info).unwrap();
        format!("{BEGIN}\n{}\n{END}", STANDARD.encode(document.as_bytes()))
    }

    #[test]
    fn keys_of_openssl_are_opened_with_their_password_alone() {
        let plain = PrivateKeyDer::from_pem_slice(PLAIN.as_bytes()).unwrap();
        for pem in KNOWN {
            let opened = open(pem.as_bytes(), &password()).unwrap();
            let pkcs8 = matches!(opened, PrivateKeyDer::Pkcs8(_));
            assert!(pkcs8 && opened.secret_der() == plain.secret_der(), "{pem}");
            for wrong in ["op3n-sesam", "op3n-sesame ", ""] {
                let wrong = open(pem.as_bytes(), &Secret::new(wrong));
                assert_eq!(wrong.err(), Some(Locked::WrongPassword), "{pem}");
            }
        }
    }

    #[test]
    fn a_scheme_that_is_not_known_is_named() {
        let named = ["1.2.840.113549.1.12.1.3", "1.2.840.113549.1.5.3"];
        for (pem, name) in OTHER.into_iter().zip(named) {
            let locked = open(pem.as_bytes(), &password()).unwrap_err();
            assert_eq!(locked, Locked::Scheme(name.to_owned()));
        }
    }

    #[test]
    fn no_key_takes_hours() {
        let salt = || Salt::new(*b"of eight").unwrap();
        let rounds = |count| {
            Pbkdf2Params::hmac_sha256(count, b"of eight")
                .unwrap()
                .into()
        };
        let scrypt = |cost_parameter| {
            Kdf::Scrypt(ScryptParams {
                salt: salt(),
                cost_parameter,
                block_size: 8,
                parallelization: 1,
                key_length: None,
            })
        };
        for (kdf, named) in [
            (rounds(MAX_ROUNDS + 1), "PBKDF2 of 5000001 rounds"),
            (scrypt(1 << 18), "scrypt of cost 2097152"),
            (scrypt(1 << 62), "scrypt of cost 18446744073709551615"),
        ] {
            let locked = open(asks_for(kdf).as_bytes(), &password()).unwrap_err();
            assert_eq!(locked, Locked::Scheme(named.to_owned()));
        }
        let locked = open(asks_for(rounds(2048)).as_bytes(), &password());
        assert_eq!(locked.err(), Some(Locked::WrongPassword));
    }

    #[test]
    fn the_form_is_that_of_the_first_key() {
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        for (pem, wanted) in [
            (PLAIN, Form::Plain),
            (LEGACY, Form::Legacy),
            (KNOWN[0], Form::Encrypted),
            ("no key ENCRYPTED", Form::Plain),
            ("", Form::Plain),
        ] {
            assert_eq!(form(pem.as_bytes()), wanted);
            let behind = format!("{certificate}{pem}");
            assert_eq!(form(behind.as_bytes()), wanted);
        }
        let two = format!("{PLAIN}\n{}", KNOWN[0]);
        assert_eq!(form(two.as_bytes()), Form::Plain);
    }

    #[test]
    fn what_is_no_key_is_garbled() {
        let cut = &KNOWN[0][..200];
        let other = format!("{BEGIN}\nTUlJQg==\n{END}");
        for pem in [cut, BEGIN, &other, PLAIN, ""] {
            let locked = open(pem.as_bytes(), &password()).unwrap_err();
            assert_eq!(locked, Locked::Garbled, "{pem}");
        }
    }
}
