//! A key distribution centre of Kerberos, with the files that its clients name.

use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Process, with_port};
use crate::{Error, Scratch, install, wrong_clock};

/// How long a start may take on a busy machine; it usually takes some hundredths of a second.
const START: Duration = Duration::from_secs(30);

/// How long one command of the set-up may take; it usually takes a hundredth of a second.
const COMMAND: Duration = Duration::from_secs(30);

/// How long the server may take to answer one message.
const ANSWER: Duration = Duration::from_secs(5);

/// What is waited for between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// How every `KRB-ERROR` of RFC 4120 begins.
const KRB_ERROR: u8 = 0x7e;

/// The only realm.
const REALM: &str = "LINKDIAL.TEST";

/// What clients read, and what the server and its tools read besides.
const CLIENT_CONF: &str = "krb5.conf";
const SERVER_CONF: &str = "kdc.conf";

/// The variable that names the latter.
const PROFILE: &str = "KRB5_KDC_PROFILE";

/// The kinds of keys that every Kerberos of today has.
const ENCRYPTION_TYPES: [&str; 2] = ["aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96"];

/// How a [`Kdc`] is started.
#[derive(Debug, Clone)]
pub struct KdcOptions {
    encryption_types: Vec<String>,
    preauthentication: bool,
}

impl Default for KdcOptions {
    fn default() -> Self {
        Self {
            encryption_types: ENCRYPTION_TYPES.map(str::to_owned).to_vec(),
            preauthentication: true,
        }
    }
}

impl KdcOptions {
    /// Gives principals keys of these types, by the names of MIT's `supported_enctypes`; the
    /// default is `aes256-cts-hmac-sha1-96` and `aes128-cts-hmac-sha1-96`.
    #[must_use]
    pub fn encryption_types(mut self, types: &[&str]) -> Self {
        self.encryption_types = types.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    /// Hands tickets out to whoever asks, readable with the right key alone. By default a client
    /// has to prove that it knows its key, as with Active Directory.
    #[must_use]
    pub fn without_preauthentication(mut self) -> Self {
        self.preauthentication = false;
        self
    }

    /// Makes the realm and starts its server (a tenth of a second).
    ///
    /// # Errors
    ///
    /// When MIT Kerberos is not installed, or the server cannot be started.
    pub fn start(self) -> Result<Kdc, Error> {
        Kdc::launch(&self)
    }
}

/// The key distribution centre of MIT Kerberos on loopback, for one realm; it ends with the handle.
///
/// It listens on one port for TCP and UDP, and reads and writes no file of the system. Principals
/// appear when a file for them is asked for: `alice` for users, `kafka/localhost` for services, with
/// or without `@` and the realm.
#[derive(Debug)]
pub struct Kdc {
    // The process first: its folder goes only after it has gone.
    process: Process,
    address: SocketAddr,
    realm: Realm,
}

/// The realm's database, and the files that were made of it.
#[derive(Debug)]
struct Realm {
    folder: Scratch,
    /// The principals that the database has. Held while it is changed.
    known: Mutex<HashSet<String>>,
    files: AtomicU32,
}

impl Kdc {
    /// Makes a realm and starts its server (a tenth of a second).
    ///
    /// # Errors
    ///
    /// When MIT Kerberos is not installed, or the server cannot be started.
    pub fn start() -> Result<Self, Error> {
        KdcOptions::default().start()
    }

    /// The server that all tests of one process share; it ends with the process.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Kdc> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("KDC: {error}")))
    }

    fn launch(options: &KdcOptions) -> Result<Self, Error> {
        with_port(|port| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let realm = Realm::make(address, options)?;
            let process = realm.serve(&realm.folder, &realm.path(SERVER_CONF), address, &[])?;
            Ok(Self {
                process,
                address,
                realm,
            })
        })
    }

    /// The address it listens on, with TCP and UDP.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The realm's name.
    pub fn realm(&self) -> &'static str {
        REALM
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// A principal with its realm.
    pub fn principal(&self, name: &str) -> String {
        qualified(name)
    }

    /// The file that clients read, for the variable `KRB5_CONFIG` or Java's
    /// `java.security.krb5.conf`.
    ///
    /// It names the server's address and asks no DNS, neither for servers nor for other names of a
    /// host.
    pub fn krb5_conf(&self) -> PathBuf {
        self.realm.path(CLIENT_CONF)
    }

    /// The same with another address of the server, such as a closed port or a silent one.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub fn krb5_conf_with_kdc(&self, kdc: SocketAddr) -> Result<PathBuf, Error> {
        let file = self.realm.new_file("krb5-other", ".conf");
        fs::write(&file, client_conf(kdc)).map_err(Error::io("write a krb5.conf"))?;
        Ok(file)
    }

    /// Starts another server of the realm, whose clock is wrong by so many seconds, ahead or, with a
    /// minus, behind (a tenth of a second).
    ///
    /// # Errors
    ///
    /// When libfaketime is not installed, or the server cannot be started.
    pub fn with_wrong_clock(&self, seconds: i64) -> Result<WrongKdc, Error> {
        let clock = wrong_clock(seconds)?;
        with_port(|port| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let folder = Scratch::new("kdc")?;
            let conf = fs::read_to_string(self.realm.path(SERVER_CONF));
            let conf = conf.map_err(Error::io("read the settings of a KDC"))?;
            let conf = conf.replace(&self.address.to_string(), &address.to_string());
            let conf = folder.write(SERVER_CONF, conf)?;
            let process = self.realm.serve(&folder, &conf, address, &clock)?;
            let krb5_conf = folder.write(CLIENT_CONF, client_conf(address))?;
            Ok(WrongKdc {
                _process: process,
                address,
                krb5_conf,
                _folder: folder,
            })
        })
    }

    /// A new keytab with the current keys of these principals.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed.
    pub fn keytab(&self, principals: &[&str]) -> Result<PathBuf, Error> {
        let mut known = self.realm.known();
        let keytab = self.realm.new_keytab();
        for principal in principals {
            self.realm.extract(&mut known, principal, &keytab)?;
        }
        Ok(keytab)
    }

    /// A new keytab whose principal got another key afterwards, which makes every older keytab of
    /// it stale too.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed.
    pub fn stale_keytab(&self, principal: &str) -> Result<PathBuf, Error> {
        let mut known = self.realm.known();
        let keytab = self.realm.new_keytab();
        self.realm.extract(&mut known, principal, &keytab)?;
        let principal = qualified(principal);
        self.realm
            .administer(&["change_password", "-randkey", &principal])?;
        Ok(keytab)
    }

    /// A new keytab whose principal is none of the realm any more.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed.
    pub fn unknown_keytab(&self, principal: &str) -> Result<PathBuf, Error> {
        let mut known = self.realm.known();
        let keytab = self.realm.new_keytab();
        self.realm.extract(&mut known, principal, &keytab)?;
        let principal = qualified(principal);
        self.realm
            .administer(&["delete_principal", "-force", &principal])?;
        known.remove(&principal);
        Ok(keytab)
    }

    /// A new keytab whose principal is locked: the KDC gives it no ticket.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed.
    pub fn locked_keytab(&self, principal: &str) -> Result<PathBuf, Error> {
        self.changed_keytab(principal, &["-allow_tix"])
    }

    /// A new keytab whose principal has expired.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed.
    pub fn expired_keytab(&self, principal: &str) -> Result<PathBuf, Error> {
        self.changed_keytab(principal, &["-expire", "1/1/2020"])
    }

    fn changed_keytab(&self, principal: &str, change: &[&str]) -> Result<PathBuf, Error> {
        let keytab = self.keytab(&[principal])?;
        let principal = qualified(principal);
        let words = [&["modify_principal"], change, &[&principal]].concat();
        self.realm.administer(&words)?;
        Ok(keytab)
    }

    /// A keytab of a principal that is made here with keys of these types and no others, by the names
    /// of MIT's `supported_enctypes`.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed, or there is such a principal.
    pub fn keytab_of_types(&self, principal: &str, types: &[&str]) -> Result<PathBuf, Error> {
        let mut known = self.realm.known();
        let keytab = self.realm.new_keytab();
        let qualified = qualified(principal);
        let types = types.iter().map(|it| format!("{it}:normal"));
        let types = types.collect::<Vec<_>>().join(",");
        self.realm
            .administer(&["add_principal", "-e", &types, "-randkey", &qualified])?;
        known.insert(qualified);
        self.realm.extract(&mut known, principal, &keytab)?;
        Ok(keytab)
    }

    /// A new file of tickets, for the variable `KRB5CCNAME`, in which the principal has logged in.
    ///
    /// # Errors
    ///
    /// When the database cannot be changed, or there is no `kinit` or it gets no ticket.
    pub fn ticket_cache(&self, principal: &str) -> Result<PathBuf, Error> {
        self.log_in(principal, &[])
    }

    /// The same with a ticket that has ended (a second).
    ///
    /// # Errors
    ///
    /// As with [`Self::ticket_cache`].
    pub fn expired_ticket_cache(&self, principal: &str) -> Result<PathBuf, Error> {
        let cache = self.log_in(principal, &["-l", "1s"])?;
        // It fails where no ticket is good any more.
        let mut klist = Command::new(install::kerberos("klist")?);
        klist.arg("-s").arg(&cache);
        let begin = Instant::now();
        while install::output("Kerberos", COMMAND, &klist).is_ok() {
            if begin.elapsed() > COMMAND {
                return Err(Error::Refused {
                    doing: "wait for the end of a ticket".to_owned(),
                    answer: "it is still good".to_owned(),
                });
            }
            thread::sleep(INTERVAL);
        }
        Ok(cache)
    }

    fn log_in(&self, principal: &str, options: &[&str]) -> Result<PathBuf, Error> {
        let keytab = self.keytab(&[principal])?;
        let cache = self.realm.new_file("tickets", "");
        let mut kinit = Command::new(install::kerberos("kinit")?);
        kinit.arg("-k").arg("-t").arg(keytab).arg("-c").arg(&cache);
        kinit.args(options).arg(qualified(principal));
        self.realm.run("get a ticket", &mut kinit)?;
        Ok(cache)
    }
}

/// Another server of a [`Kdc`]'s realm, whose clock is wrong; it ends with the handle, which goes before
/// the realm.
#[derive(Debug)]
pub struct WrongKdc {
    // The process first: its folder goes only after it has gone.
    _process: Process,
    address: SocketAddr,
    krb5_conf: PathBuf,
    _folder: Scratch,
}

impl WrongKdc {
    /// The address it listens on, with TCP and UDP.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The file that clients of this server read.
    pub fn krb5_conf(&self) -> PathBuf {
        self.krb5_conf.clone()
    }
}

impl Realm {
    /// Makes the database and the files of settings.
    fn make(address: SocketAddr, options: &KdcOptions) -> Result<Self, Error> {
        let folder = Scratch::new("kdc")?;
        folder.write(CLIENT_CONF, client_conf(address))?;
        folder.write(SERVER_CONF, server_conf(folder.path(), address, options))?;
        let realm = Self {
            folder,
            known: Mutex::default(),
            files: AtomicU32::new(0),
        };
        let mut create = Command::new(install::kerberos("kdb5_util")?);
        // Nobody asks for the password: the key that it makes lies beside the database.
        create.args(["-r", REALM, "-P", "master-pw", "create", "-s"]);
        realm.run("make the realm", &mut create)?;
        Ok(realm)
    }

    /// Starts a server with its settings and its log, and waits until it answers.
    fn serve(
        &self,
        folder: &Scratch,
        conf: &Path,
        address: SocketAddr,
        variables: &[(&str, String)],
    ) -> Result<Process, Error> {
        let mut command = Command::new(install::kerberos("krb5kdc")?);
        self.set_variables(command.arg("-n"));
        command.env(PROFILE, conf);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let process = Process::start("kdc", folder, &command)?;
        process.wait(START, || answers(address))?;
        Ok(process)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn new_file(&self, stem: &str, extension: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.path(&format!("{stem}-{number}{extension}"))
    }

    fn new_keytab(&self) -> PathBuf {
        self.new_file("keys", ".keytab")
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the keys of a principal to a keytab, and makes the principal before if needed.
    fn extract(
        &self,
        known: &mut HashSet<String>,
        principal: &str,
        keytab: &Path,
    ) -> Result<(), Error> {
        let principal = qualified(principal);
        if !known.contains(&principal) {
            self.administer(&["add_principal", "-randkey", &principal])?;
            known.insert(principal.clone());
        }
        let keytab = keytab.display().to_string();
        // Otherwise each extraction would give the principal new keys.
        self.administer(&["ktadd", "-norandkey", "-k", &keytab, &principal])
    }

    fn administer(&self, command: &[&str]) -> Result<(), Error> {
        let mut kadmin = Command::new(install::kerberos("kadmin.local")?);
        kadmin.args(["-r", REALM]).args(command);
        self.run(command[0], &mut kadmin)
    }

    fn run(&self, doing: &str, command: &mut Command) -> Result<(), Error> {
        self.set_variables(command);
        let ran = install::output("Kerberos", COMMAND, command);
        ran.map(drop).map_err(|error| match error {
            Error::Install { reason, .. } => Error::Refused {
                doing: format!("{doing} of Kerberos"),
                answer: reason,
            },
            other => other,
        })
    }

    fn set_variables(&self, command: &mut Command) {
        command
            .env("KRB5_CONFIG", self.path(CLIENT_CONF))
            .env(PROFILE, self.path(SERVER_CONF));
    }
}

/// A principal with its realm.
fn qualified(name: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    format!("{name}@{REALM}")
}

fn client_conf(kdc: SocketAddr) -> String {
    // The first try is by TCP, where a closed port and a silent server differ at once.
    format!(
        "[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {REALM} = {{
  kdc = {kdc}
 }}
[domain_realm]
 localhost = {REALM}
"
    )
}

fn server_conf(folder: &Path, address: SocketAddr, options: &KdcOptions) -> String {
    let folder = folder.display();
    let types = options
        .encryption_types
        .iter()
        .map(|it| format!("{it}:normal"));
    let types = types.collect::<Vec<_>>().join(" ");
    let sign = if options.preauthentication { '+' } else { '-' };
    let master = ENCRYPTION_TYPES[0];
    format!(
        "[kdcdefaults]
 kdc_listen = {address}
 kdc_tcp_listen = {address}
[realms]
 {REALM} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/kadm5.acl
  master_key_type = {master}
  supported_enctypes = {types}
  default_principal_flags = {sign}preauth
 }}
[logging]
 kdc = STDERR
 admin_server = FILE:{folder}/kadmin.log
"
    )
}

/// Agrees when a Kerberos server refuses a message that is too long: it opens both ports before it
/// answers at one of them.
fn answers(address: SocketAddr) -> Result<(), String> {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        stream.write_all(&u32::MAX.to_be_bytes())?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(answer[4])
    };
    match ask() {
        Ok(KRB_ERROR) => Ok(()),
        Ok(other) => Err(format!("an answer begins with {other:#x}")),
        Err(error) => Err(error.to_string()),
    }
}
