//! Certificates and keys of a link: inline, or in files that belong to the cluster's nodes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use linkdial_core::net::{CertificateFacts, ClientIdentity, Roots, TlsOptions};
use linkdial_core::{
    Clauses, Code, Diagnosis, Halt, KeyPlace, Outcome, Probe, Secret, Settings, Stage, read_file,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Config;
use crate::keys::{Pair, TlsKeys};
use crate::pem;
use crate::private_key::{self, Form, Locked};

/// No file of certificates is longer, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

const WITHOUT_PASSWORD: &str = "add it to CREDENTIALS";

/// A certificate that ends within this many days is worth a warning.
const EXPIRES_SOON_DAYS: i64 = 30;

/// Where a certificate or key comes from.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) key: &'static str,
    pub(crate) place: KeyPlace,
    text: Text,
    /// A folder of such files may stand there as well.
    folders: bool,
}

#[derive(Debug)]
enum Text {
    Inline(Secret),
    File(PathBuf),
}

/// What a link brings along for TLS.
#[derive(Debug)]
pub(crate) struct Tls {
    keys: &'static TlsKeys,
    pub(crate) ca: Option<Source>,
    pub(crate) certificate: Option<Source>,
    pub(crate) key: Option<Source>,
    password: Option<Secret>,
    password_place: KeyPlace,
}

/// TLS as it is dialled, and what of the link is not part of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) options: TlsOptions,
    /// What the client certificate says.
    certificate: Option<CertificateFacts>,
    /// The link names a CA that is not here.
    pub(crate) without_ca: bool,
    /// The link names a client certificate or key that can not be used here.
    pub(crate) without_identity: bool,
}

impl Source {
    fn read(clauses: &mut Clauses<'_>, pair: &Pair) -> Option<Self> {
        let (file, inline) = (pair.file, pair.inline.unwrap_or_default());
        let source = |key, place, text| {
            Some(Self {
                key,
                place,
                text,
                folders: false,
            })
        };
        match (clauses.text(file), clauses.secret(inline)) {
            (Some(_), Some(_)) => {
                let places = (clauses.place(file), clauses.place(inline));
                clauses.add(
                    Diagnosis::new(
                        Code::DefineConflictingKeys,
                        format!("`{file}` and `{inline}` are both given"),
                    )
                    .key(places.0)
                    .key(places.1)
                    .hint("keep one of the two"),
                );
                None
            }
            (Some(path), None) => source(file, clauses.place(file), Text::File(path.into())),
            (None, Some(pem)) => source(inline, clauses.place(inline), Text::Inline(pem)),
            (None, None) => None,
        }
    }

    /// Reads where the CA is.
    fn read_ca(clauses: &mut Clauses<'_>, pair: &Pair) -> Option<Self> {
        let source = Self::read(clauses, pair)?;
        // The client takes the system's own roots then, and so does the dial.
        let probe = matches!(&source.text, Text::File(path) if path == Path::new("probe"));
        (!probe).then_some(Self {
            folders: true,
            ..source
        })
    }

    fn bad(&self, what: &str, hint: &str) -> Diagnosis {
        let (code, where_) = match &self.text {
            Text::Inline(_) => (Code::DefineInvalidValue, String::new()),
            Text::File(path) => (Code::DefineFileUnreadable, path.display().to_string()),
        };
        Diagnosis::new(code, format!("`{}` {what}", self.key))
            .evidence("file", where_)
            .key(self.place.clone())
            .hint(hint)
    }

    /// Returns the PEM text; `Ok(None)` when the file is not on this machine.
    async fn load(&self, settings: &Settings) -> Result<Option<Vec<u8>>, Diagnosis> {
        let path = match &self.text {
            Text::Inline(pem) => return Ok(Some(pem.expose().as_bytes().to_vec())),
            Text::File(path) => path,
        };
        let local = settings.local_path(path);
        match read_files(local, self.folders).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self
                .bad(
                    "names a file that can not be read",
                    "it has to be a PEM file that the user of the cluster may read",
                )
                .evidence("read", local.display())
                .evidence("error", error.kind())),
        }
    }

    fn pem_hint(&self, wanted: &str) -> String {
        match &self.text {
            Text::Inline(text) => pem::hint(text.expose(), wanted),
            Text::File(_) => format!("it begins with -----BEGIN {wanted}-----"),
        }
    }

    fn no_key(&self) -> Diagnosis {
        self.bad(
            "holds no private key in PEM form",
            &self.pem_hint("PRIVATE KEY"),
        )
    }

    fn open_plain(&self, pem: &[u8]) -> Result<PrivateKeyDer<'static>, Diagnosis> {
        PrivateKeyDer::from_pem_slice(pem).map_err(|_| self.no_key())
    }

    fn not_here(&self) -> Diagnosis {
        let path = match &self.text {
            Text::Inline(_) => String::new(),
            Text::File(path) => path.display().to_string(),
        };
        Diagnosis::new(
            Code::DefineFileNotHere,
            format!(
                "`{}` names a file of the cluster that is not on this machine",
                self.key
            ),
        )
        .evidence("file", &path)
        .key(self.place.clone())
        .hint(format!("give a copy with --file {path}=LOCAL_PATH"))
    }
}

/// Reads a file; of a folder, where that is allowed, all files in it as far as they fit.
async fn read_files(path: &Path, folders: bool) -> io::Result<Vec<u8>> {
    if !(folders && tokio::fs::metadata(path).await?.is_dir()) {
        return Ok(read_file(path, MAX_FILE).await?.to_vec());
    }
    let mut all = Vec::new();
    let mut entries = tokio::fs::read_dir(path).await?;
    while let Some(entry) = entries.next_entry().await? {
        let left = MAX_FILE.saturating_sub(all.len() as u64);
        // A folder of certificates has other things in it as well, and links that lead nowhere.
        if let Ok(bytes) = read_file(&entry.path(), left).await {
            all.extend_from_slice(&bytes);
            all.push(b'\n');
        }
    }
    Ok(all)
}

impl Tls {
    /// Reads what both clauses say, and checks what stands there inline.
    pub(crate) fn read(clauses: &mut Clauses<'_>, keys: &'static TlsKeys) -> Self {
        let tls = Self {
            keys,
            ca: Source::read_ca(clauses, &keys.ca),
            certificate: Source::read(clauses, &keys.certificate),
            key: Source::read(clauses, &keys.key),
            password: clauses.secret(keys.password),
            password_place: clauses.place(keys.password),
        };
        let inline = |source: &Option<Source>| match source.as_ref().map(|it| &it.text) {
            Some(Text::Inline(pem)) => Some(pem.expose().as_bytes().to_vec()),
            _ => None,
        };
        if let (Some(source), Some(pem)) = (&tls.ca, inline(&tls.ca))
            && let Err(finding) = roots(source, &pem)
        {
            clauses.add(finding);
        }
        let has = |pair: &Pair| {
            let inline = pair.inline.is_some_and(|inline| clauses.has(inline));
            inline || clauses.has(pair.file)
        };
        match (has(&keys.certificate), has(&keys.key)) {
            (true, false) => clauses.missing(
                keys.key.file,
                "the link has a client certificate and no private key",
                format!("add {}", keys.key.names()),
            ),
            (false, true) => clauses.missing(
                keys.certificate.file,
                "the link has a private key and no client certificate",
                format!("add {}", keys.certificate.names()),
            ),
            _ => {}
        }
        let both = (inline(&tls.certificate), inline(&tls.key));
        if let (Some(key), (chain, Some(secret))) = (&tls.key, both) {
            match (private_key::form(&secret), &tls.certificate, chain) {
                (Form::Plain, Some(certificate), Some(chain)) => {
                    let identity = key
                        .open_plain(&secret)
                        .and_then(|secret| identity((certificate, &chain), (key, secret)));
                    identity
                        .err()
                        .into_iter()
                        .for_each(|finding| clauses.add(finding));
                }
                (Form::Encrypted, ..) if tls.password.is_none() => {
                    let (what, hint) = (tls.without_password(key), WITHOUT_PASSWORD);
                    clauses.missing(keys.password, what, hint);
                }
                // It takes time to open one: that is the walk's.
                _ => {}
            }
        }
        tls
    }

    /// Returns whether the link brings anything along.
    pub(crate) fn is_given(&self) -> bool {
        [&self.ca, &self.certificate, &self.key]
            .iter()
            .any(|source| source.is_some())
    }

    /// Reads the files and records what is wrong with them, which ends the walk, or only missing
    /// here, which does not.
    pub(crate) async fn prepare(&self, probe: &mut Probe) -> Result<Loaded, Halt> {
        let settings = Arc::clone(probe.settings());
        let mut findings = Vec::new();
        let loaded = self.load(&settings, &mut findings).await;
        if let Some(facts) = &loaded.certificate {
            probe.pass(Stage::Define, None);
            probe.note("client_subject", &facts.subject);
            probe.note("client_not_after", facts.not_after);
        }
        let mut halt = None;
        for finding in findings {
            if finding.outcome == Outcome::Fail {
                halt = Some(probe.halt(None, finding));
            } else {
                probe.finding(None, finding);
            }
        }
        halt.map_or(Ok(loaded), Err)
    }

    /// Says of a finding about certificates which key of the link it hangs on.
    pub(crate) fn explain(
        &self,
        loaded: &Loaded,
        config: &Config,
        finding: Diagnosis,
    ) -> Diagnosis {
        let keys = self.keys;
        match finding.code {
            Code::TlsUnknownIssuer => {
                let place = self.ca.as_ref().map(|it| it.place.clone());
                let finding = finding.key(place.unwrap_or_else(|| config.place(keys.ca.file)));
                if loaded.without_ca {
                    finding
                        .outcome(Outcome::Unverified)
                        .hint("the link's own CA may have signed it, and is not here")
                } else if let Some(ca) = &self.ca {
                    finding.hint(format!("put the CA that signed it into `{}`", ca.key))
                } else {
                    finding.hint(format!("name its CA with {}", keys.ca.names()))
                }
            }
            Code::TlsClientCertificateRequired => {
                let finding = finding.key(config.place(keys.certificate.file));
                if loaded.without_identity {
                    Diagnosis {
                        message: "the server wants a client certificate, and that of the link is \
                                  not here"
                            .to_owned(),
                        ..finding
                    }
                    .outcome(Outcome::Unverified)
                    .hint("give copies of certificate and key with --file")
                } else {
                    let (certificate, key) = (keys.certificate.file, keys.key.file);
                    finding.hint(format!("add `{certificate}` and `{key}`"))
                }
            }
            Code::TlsClientCertificateRefused => match &self.certificate {
                Some(source) => finding.key(source.place.clone()),
                None => finding,
            },
            _ => finding,
        }
    }

    /// Reads the files. What is wrong with them or missing goes to `findings`.
    async fn load(&self, settings: &Settings, findings: &mut Vec<Diagnosis>) -> Loaded {
        let mut loaded = Loaded::default();
        let mut take = async |source: &Option<Source>| {
            let source = source.as_ref()?;
            match source.load(settings).await {
                Ok(Some(pem)) => return Some(pem),
                Ok(None) => findings.push(source.not_here()),
                Err(finding) => findings.push(finding),
            }
            None
        };
        let ca = take(&self.ca).await;
        let certificate = take(&self.certificate).await;
        let pem = take(&self.key).await;
        let key = match (&self.key, pem) {
            (Some(source), Some(pem)) => match self.open(source, pem).await {
                Ok(key) => Some(key),
                Err(finding) => {
                    findings.push(finding);
                    None
                }
            },
            _ => None,
        };
        match (&self.ca, &ca) {
            (Some(source), Some(pem)) => match roots(source, pem) {
                Ok(roots) => loaded.options.roots = Some(roots),
                Err(finding) => findings.push(finding),
            },
            (source, _) => loaded.without_ca = source.is_some(),
        }
        if let (Some(source), Some(pem)) = (&self.certificate, &certificate) {
            loaded.certificate = leaf(pem);
            let facts = loaded.certificate.as_ref();
            findings.extend(facts.and_then(|it| validity(source, it, Timestamp::now())));
        }
        match ((&self.certificate, &certificate), (&self.key, key)) {
            ((Some(certificate), Some(chain)), (Some(key), Some(secret))) => {
                match identity((certificate, chain), (key, secret)) {
                    Ok(identity) => loaded.options.identity = Some(identity),
                    Err(finding) => findings.push(finding),
                }
            }
            ((certificate, _), _) => loaded.without_identity = certificate.is_some(),
        }
        loaded
    }

    /// Opens a private key, with the password where it has one.
    async fn open(
        &self,
        source: &Source,
        pem: Vec<u8>,
    ) -> Result<PrivateKeyDer<'static>, Diagnosis> {
        let unproven = |what: &str, hint: &str| {
            Diagnosis::new(
                Code::DefineNotCompiledIn,
                format!("this build of linkdial can not open {what}"),
            )
            .key(source.place.clone())
            .hint(format!(
                "{hint}, or check it with `openssl pkey -in KEY -noout`; the dial goes on without it"
            ))
        };
        match private_key::form(&pem) {
            Form::Plain => return source.open_plain(&pem),
            Form::Legacy => {
                return Err(unproven(
                    "a private key that is encrypted in the old form of OpenSSL",
                    "write it anew with `openssl pkcs8 -topk8 -in KEY -out NEW_KEY`",
                ));
            }
            Form::Encrypted => {}
        }
        let Some(password) = self.password.clone() else {
            let what = self.without_password(source);
            return Err(Diagnosis::new(Code::DefineMissingKey, what)
                .key(self.password_place.clone())
                .hint(WITHOUT_PASSWORD));
        };
        // The rounds are the choice of whoever made the key: they must not hold up other checks.
        let opened = tokio::task::spawn_blocking(move || private_key::open(&pem, &password));
        opened
            .await
            .unwrap_or(Err(Locked::Garbled))
            .map_err(|locked| match locked {
                Locked::WrongPassword => Diagnosis::new(
                    Code::DefineInvalidValue,
                    format!("`{}` does not open `{}`", self.keys.password, source.key),
                )
                .key(self.password_place.clone())
                .hint("check it with `openssl pkey -in KEY -noout`, which asks for the password"),
                Locked::Scheme(scheme) => unproven(
                    "a private key that is encrypted in this way",
                    "write it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW_KEY`",
                )
                .evidence("encrypted_with", scheme),
                Locked::Garbled => source.no_key(),
            })
    }

    fn without_password(&self, source: &Source) -> String {
        let password = self.keys.password;
        format!(
            "`{}` has a password, and `{password}` is not given",
            source.key
        )
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty())
}

fn roots(source: &Source, pem: &[u8]) -> Result<Roots, Diagnosis> {
    let found = certificates(pem).and_then(|found| Roots::new(found).ok());
    found.ok_or_else(|| {
        source.bad(
            "holds no certificate in PEM form",
            &source.pem_hint("CERTIFICATE"),
        )
    })
}

/// Puts certificate and key together.
fn identity(
    (certificate, chain): (&Source, &[u8]),
    (key, secret): (&Source, PrivateKeyDer<'static>),
) -> Result<ClientIdentity, Diagnosis> {
    let chain = certificates(chain).ok_or_else(|| {
        certificate.bad(
            "holds no certificate in PEM form",
            &certificate.pem_hint("CERTIFICATE"),
        )
    })?;
    ClientIdentity::new(chain, secret).map_err(|error| {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            Diagnosis::new(
                Code::DefineCertificateKeyMismatch,
                "client certificate and private key do not belong together",
            )
            .key(certificate.place.clone())
            .key(key.place.clone())
            .hint("put the key there that the certificate was made for")
        } else {
            key.bad(
                "holds a key that can not be used",
                "use RSA of 2048 bits or more, P-256, P-384 or Ed25519",
            )
        }
    })
}

/// Reads what the first certificate of a chain says.
fn leaf(pem: &[u8]) -> Option<CertificateFacts> {
    CertificateFacts::parse(certificates(pem)?.first()?)
}

/// Returns what the dates of the client certificate say.
fn validity(source: &Source, facts: &CertificateFacts, now: Timestamp) -> Option<Diagnosis> {
    let days = facts.days_left(now);
    let (code, what) = if facts.not_after < now {
        (Code::TlsExpired, format!("expired {} days ago", -days - 1))
    } else if facts.not_before > now {
        (Code::TlsNotYetValid, "is not valid yet".to_owned())
    } else if days < EXPIRES_SOON_DAYS {
        (Code::TlsExpiresSoon, format!("expires in {days} days"))
    } else {
        return None;
    };
    let finding = Diagnosis::new(code, format!("the client certificate of the link {what}"))
        .key(source.place.clone())
        .hint("make a new one, and check the clock of this machine");
    let listed = facts.listed().into_iter();
    Some(listed.fold(finding, |finding, (name, value)| {
        finding.evidence(name, value)
    }))
}
