//! What a cluster and its client answer, and what it means.
//!
//! Hadoop answers with classes of Java and English sentences: `FSPermissionChecker`, `FSNamesystem`,
//! `FSDirectory` and `Client` of Apache Hadoop 3.4. GSS-API answers with numbers of MIT Kerberos
//! (`krb5_err.et`).

use linkdial_core::{
    Blame, Code, Diagnosis, Endpoint, KeyPlace, Outcome, Policy, Stage, shell_word,
};

use crate::client::{Failure, Kind};
use crate::config::Config;
use crate::keys::{AUTHENTICATION, DATA_PROTECTION, KEYTAB, NAMENODE_PRINCIPAL, SERVICES, USER};

/// The first of the numbers of `krb5_err.et`, as GSS-API has it: without a sign.
const KRB5: u32 = 0x96c7_3a00;

/// The vendor's classes, without their packages.
const CLASSES: &[(&str, Code)] = &[
    ("FileNotFoundException", Code::AccessNotFound),
    ("StandbyException", Code::AccessStandby),
    ("ObserverRetryOnActiveException", Code::AccessStandby),
    ("SafeModeException", Code::AccessSafeMode),
    ("RouterSafeModeException", Code::AccessSafeMode),
    ("RetriableException", Code::AccessServerError),
    // Of the server's own code, whatever it was asked.
    ("NullPointerException", Code::AccessServerError),
    ("ArrayIndexOutOfBoundsException", Code::AccessServerError),
    ("ClassCastException", Code::AccessServerError),
    ("ConcurrentModificationException", Code::AccessServerError),
    ("OutOfMemoryError", Code::AccessServerError),
    ("ServerTooBusyException", Code::AccessThrottled),
    ("NSQuotaExceededException", Code::WriteNoSpace),
    ("DSQuotaExceededException", Code::WriteNoSpace),
    ("QuotaByStorageTypeExceededException", Code::WriteNoSpace),
    ("InvalidPathException", Code::AccessNotFound),
    ("UnresolvedPathException", Code::AccessRequestRefused),
];

/// What is asked of a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) config: &'a Config,
    /// What for: decides what a refusal is called.
    pub(crate) stage: Stage,
    /// The name of the call in Hadoop's protocol.
    pub(crate) call: &'static str,
    pub(crate) path: &'a str,
}

impl Asked<'_> {
    /// Makes a finding of a failure.
    pub(crate) fn explain(&self, failure: &Failure) -> Diagnosis {
        let finding = match failure.kind {
            Kind::Exception => self.exception(failure),
            Kind::Fatal => self.fatal(failure),
            Kind::Gss(minor) => self.gss(minor),
            Kind::Stream => self.stream(),
            Kind::Unsupported => self.unsupported(failure),
            Kind::Data => self.block(failure),
            Kind::Downgraded => self.downgraded(),
            Kind::Forbidden => self.forbidden(),
            Kind::Mute | Kind::Client => self.client(failure),
        };
        finding
            .evidence("operation", self.call)
            .evidence("resource", self.path)
            .evidence("remote_code", short(&failure.class))
            .evidence("remote_message", &failure.message)
    }

    const fn denied(&self) -> Code {
        match self.stage {
            Stage::Read => Code::ReadDenied,
            Stage::Write => Code::WriteDenied,
            _ => Code::AccessDenied,
        }
    }

    fn exception(&self, failure: &Failure) -> Diagnosis {
        let class = short(&failure.class);
        let endpoint = self.endpoint;
        let path = self.path;
        // The check of rights comes by a file on its way to the path.
        let below_a_file = class == "ParentNotDirectoryException"
            || failure.message.ends_with("(is not a directory)");
        if below_a_file {
            return Diagnosis::new(
                Code::AccessNotFound,
                format!("a part of `{path}` is a file, not a folder"),
            )
            .hint("check the spelling of the target");
        }
        if class == "AccessControlException" {
            return self.refused_right(failure);
        }
        if class == "AuthorizationException" {
            return self.unauthorized();
        }
        let known = CLASSES.iter().find(|(name, _)| *name == class);
        let code = known.map_or(Code::AccessRequestRefused, |(_, code)| *code);
        if class == "RpcNoSuchProtocolException" {
            return Diagnosis::new(
                Code::AccessNotThisService,
                format!("{endpoint} is a server of Hadoop, and no NameNode"),
            )
            .hint("name the port of the NameNode's calls, usually 8020 or 9000");
        }
        match code {
            Code::AccessNotFound => Diagnosis::new(code, format!("`{path}` does not exist"))
                .hint("check the spelling of the target, and that it belongs to this cluster"),
            Code::AccessStandby => self.standby(),
            Code::AccessSafeMode if self.stage != Stage::Write => Diagnosis::new(
                code,
                format!("{endpoint} is in safe mode and does not know all blocks yet"),
            )
            .outcome(Outcome::Warn)
            .hint("wait until it has left it: `hdfs dfsadmin -safemode get`"),
            Code::AccessSafeMode => Diagnosis::new(
                code,
                format!("{endpoint} is in safe mode and lets nobody write"),
            )
            .hint("wait until it has left it, or end it with `hdfs dfsadmin -safemode leave`"),
            Code::AccessThrottled => Diagnosis::new(code, format!("{endpoint} asks to slow down"))
                .hint("run it again later"),
            Code::WriteNoSpace => Diagnosis::new(code, format!("a quota of `{path}` is used up"))
                .hint(
                    "raise it with `hdfs dfsadmin -setSpaceQuota` or `-setQuota`, or delete files",
                ),
            Code::AccessServerError if class != "RetriableException" => {
                Diagnosis::new(code, format!("{endpoint} failed to answer: {class}"))
                    .hint("look into the log of the NameNode, which has the whole trace")
            }
            Code::AccessServerError => Diagnosis::new(code, format!("{endpoint} is not ready yet"))
                .hint("run it again later"),
            _ if self.stage == Stage::Write
                && failure.message.contains("could only be written to") =>
            {
                Diagnosis::new(
                    Code::AccessServerError,
                    "no DataNode takes new blocks".to_owned(),
                )
                .hint("look at `hdfs dfsadmin -report`: DataNodes may be down, full or excluded")
            }
            _ => Diagnosis::new(
                Code::AccessRequestRefused,
                format!("{endpoint} refuses {} on `{path}`", self.call),
            )
            .hint("the NameNode's own words stand in the evidence, more of them in its log"),
        }
    }

    /// The service as a whole is not for this user (hadoop-policy.xml).
    fn unauthorized(&self) -> Diagnosis {
        Diagnosis::new(
            self.denied(),
            format!("{} lets this user do nothing at all", self.endpoint),
        )
        .key(self.identity())
        .hint("look at `security.client.protocol.acl` in hadoop-policy.xml, and at the proxy users")
    }

    /// The finding that no `NameNode` serves.
    pub(crate) fn standby(&self) -> Diagnosis {
        Diagnosis::new(
            Code::AccessStandby,
            format!(
                "{} is a standby, and no other NameNode is active",
                self.endpoint
            ),
        )
        .key(self.config.place(SERVICES))
        .hint(format!(
            "name the whole name service in `{SERVICES}` and its keys, or look at \
             `hdfs haadmin -getAllServiceState`"
        ))
    }

    /// `Permission denied: user=alice, access=EXECUTE, inode="/priv":root:hdfs:drwx------`
    fn refused_right(&self, failure: &Failure) -> Diagnosis {
        let message = &failure.message;
        let after = |label: &str| {
            let (_, rest) = message.split_once(label)?;
            rest.split(',').next().map(str::trim)
        };
        let user = after("user=").unwrap_or_default();
        let access = after("access=").unwrap_or_default();
        // A name may hold a comma or a quote.
        let (_, named) = message.split_once("inode=\"").unwrap_or_default();
        let (inode, rest) = named.rsplit_once("\":").unwrap_or_default();
        let mut parts = rest.splitn(3, ':');
        let (owner, group, mode) = (parts.next(), parts.next(), parts.next());
        let what = if access.is_empty() {
            format!("may not do {} on `{}`", self.call, self.path)
        } else {
            format!("lacks {} on `{inode}`", access.to_ascii_lowercase())
        };
        let who = if user.is_empty() { "the user" } else { user };
        let finding = Diagnosis::new(self.denied(), format!("{who} {what}"))
            .evidence("principal", user)
            .evidence("access", access)
            .evidence("inode", inode)
            .evidence("owner", owner.unwrap_or_default())
            .evidence("group", group.unwrap_or_default())
            .evidence("mode", mode.unwrap_or_default())
            .key(self.identity());
        let missing = inode.is_empty() || access.is_empty();
        if missing {
            return finding.hint("ask the owner of the folder for the right");
        }
        let letters = letters(access, mode.unwrap_or_default(), self.stage == Stage::Write);
        if self.stage == Stage::Write && inode != self.path && access == "WRITE" {
            return finding.hint(format!(
                "`{path}` is not there: let somebody make it, `hdfs dfs -mkdir -p {path}` and \
                 `hdfs dfs -chown {} {path}`",
                shell_word(user),
                path = shell_word(self.path),
            ));
        }
        let entry = format!("user:{user}:{letters}");
        let words = ["hdfs", "dfs", "-setfacl", "-m", &entry, inode];
        let title = if inode == self.path {
            "an entry for the user, as a superuser or the owner"
        } else {
            "an entry on the way to the path, as a superuser or the owner"
        };
        finding.policy(Policy::command(title, words)).hint(format!(
            "let the user in: `hdfs dfs -setfacl -m {} {}`",
            shell_word(&entry),
            shell_word(inode)
        ))
    }

    fn identity(&self) -> KeyPlace {
        self.config.place(USER)
    }

    /// What a `NameNode` says before it hangs up.
    fn fatal(&self, failure: &Failure) -> Diagnosis {
        let endpoint = self.endpoint;
        if failure.class.ends_with("SaslException") || failure.message.contains("GSS initiate") {
            return Diagnosis::new(
                Code::AuthenticateServiceRefused,
                format!("{endpoint} does not accept the ticket"),
            )
            .key(self.config.place(NAMENODE_PRINCIPAL))
            .hint(
                "it says no more: compare the clocks of KDC and NameNode, and the NameNode's keytab \
                 with `klist -kte` and `kvno`",
            );
        }
        if failure.class.ends_with("AuthorizationException") {
            return self.unauthorized();
        }
        if failure.class.ends_with("AccessControlException") {
            return Diagnosis::new(
                Code::AuthenticateRequired,
                format!("{endpoint} does not let this login in"),
            )
            .key(self.config.place(AUTHENTICATION))
            .hint(format!(
                "set `{AUTHENTICATION}` to kerberos, with user and keytab"
            ));
        }
        Diagnosis::new(
            Code::AccessRequestRefused,
            format!("{endpoint} refuses the connection"),
        )
        .hint("the NameNode's own words stand in the evidence, more of them in its log")
    }

    /// The numbers are those of `krb5_err.et`; linkdial's own login came before, so few of them are
    /// seen here.
    fn gss(&self, minor: u32) -> Diagnosis {
        let at = |key| self.config.place(key);
        let number = minor.wrapping_sub(KRB5);
        let (code, message, key, hint) = match number {
            1 | 18 => (
                Code::AuthenticateMethodDisabled,
                "the KDC has locked the user, or its entry has expired",
                Some(at(USER)),
                "ask who runs the realm",
            ),
            6 => (
                Code::AuthenticatePrincipalUnknown,
                "the KDC does not know the user",
                Some(at(USER)),
                "check the name and its realm",
            ),
            7 => (
                Code::AuthenticateServiceUnknown,
                "the KDC does not know the NameNode's principal",
                Some(at(NAMENODE_PRINCIPAL)),
                "check the NameNode's principal, and [domain_realm] of krb5.conf",
            ),
            14 => (
                Code::AuthenticateEncryptionType,
                "the KDC has no key of the types that the keytab has",
                Some(at(KEYTAB)),
                "write the keytab anew",
            ),
            31 => (
                Code::AuthenticateKeytabStale,
                "the KDC refuses the key of the keytab",
                Some(at(KEYTAB)),
                "write the keytab anew: the key was changed since",
            ),
            32 => (
                Code::AuthenticateTokenExpired,
                "the ticket has expired",
                Some(at(KEYTAB)),
                "renew the ticket cache, or name a keytab",
            ),
            37 | 148 => (
                Code::AuthenticateClockSkew,
                "the clocks of this machine and the KDC differ too much",
                None,
                "set the clock",
            ),
            154 => (
                Code::AuthenticateRealmUnknown,
                "no KDC is known for the realm",
                Some(at(USER)),
                "name the realm's KDC in krb5.conf",
            ),
            156 => (
                Code::AuthenticateKdcUnreachable,
                "no KDC of the realm answered",
                None,
                "check the KDC's address and port in krb5.conf",
            ),
            _ => (
                Code::AuthenticateBadCredentials,
                "the client's own login failed",
                Some(at(KEYTAB)),
                "its words stand in the evidence",
            ),
        };
        let finding = Diagnosis::new(code, message)
            .evidence("minor", minor)
            .hint(hint);
        match key {
            Some(key) => finding.key(key),
            None => finding,
        }
    }

    fn stream(&self) -> Diagnosis {
        let endpoint = self.endpoint;
        Diagnosis::new(
            Code::AccessServerError,
            format!("{endpoint} hangs up instead of answering"),
        )
        .hint("the NameNode's log says why; run it again")
    }

    /// A `DataNode` that does not take what is written, or does not give it back.
    fn block(&self, failure: &Failure) -> Diagnosis {
        let said = failure.said();
        let node = failure.log.iter().find_map(|(node, _)| node.as_ref());
        let node = node.map(|it| format!("{}:{}", it.address, it.port));
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let finding = if has(&["ConnectionReset", "reset by peer", "UnexpectedEof", "eof"]) {
            Diagnosis::new(
                Code::AuthenticateProtectionMismatch,
                "a DataNode hangs up on the block: it wants another protection than the link asks for",
            )
            .key(self.config.place(DATA_PROTECTION))
            .hint(format!("set `{DATA_PROTECTION}` as the cluster's hdfs-site.xml has it"))
        } else if has(&["Timed out connecting"]) {
            Diagnosis::new(
                Code::ConnectTimedOut,
                "a DataNode that the NameNode names did not accept in time",
            )
            .hint("a firewall that drops packets looks like this: check the way from here to the DataNodes")
        } else if has(&["No data received", "Timed out", "timed out"]) {
            Diagnosis::new(
                Code::AccessTimedOut,
                "a DataNode accepted and then did not answer",
            )
            .hint("look at the DataNode's log; it may be stopped, or a firewall answers for it")
        } else if has(&["ConnectionRefused", "refused"]) {
            Diagnosis::new(
                Code::ConnectRefused,
                "a DataNode that the NameNode names refuses",
            )
            .hint("look at `hdfs dfsadmin -report`: the DataNode may be down")
        } else {
            Diagnosis::new(Code::AccessServerError, "no DataNode serves the block")
                .hint("look at `hdfs dfsadmin -report` and at the DataNodes' logs")
        };
        finding
            .evidence("datanode", node.unwrap_or_default())
            .evidence("client_log", said)
    }

    /// Two connections, two offers.
    fn downgraded(&self) -> Diagnosis {
        Diagnosis::new(
            Code::AuthenticateDowngraded,
            format!(
                "{} offers the client another login than it has offered linkdial",
                self.endpoint
            ),
        )
        .key(self.config.place(AUTHENTICATION))
        .hint("something answers in the place of the NameNode: do not send it anything")
    }

    fn forbidden(&self) -> Diagnosis {
        Diagnosis::new(
            Code::ResolveAddressRefused,
            format!(
                "{} sends clients to an address that must not be dialled",
                self.endpoint
            ),
        )
        .hint("no DataNode lives there: ask who runs the cluster")
    }

    fn unsupported(&self, failure: &Failure) -> Diagnosis {
        let zone = failure.message.contains("encryption zone");
        let (code, message) = if zone {
            let message = format!(
                "`{}` lies in an encryption zone, whose keys linkdial does not ask for",
                self.path
            );
            let code = match self.stage {
                Stage::Write => Code::WriteKmsDenied,
                _ => Code::ReadKmsDenied,
            };
            (code, message)
        } else {
            let message = format!("the client can not do {} on `{}`", self.call, self.path);
            (Code::AccessRequestRefused, message)
        };
        Diagnosis::new(code, message)
            .blame(Blame::Tool)
            .outcome(Outcome::Unverified)
            .hint("try it on a node of the cluster with `hdfs dfs -cat`")
    }

    fn client(&self, failure: &Failure) -> Diagnosis {
        if failure.message.contains("libgssapi") {
            return Diagnosis::new(
                Code::DefineNotCompiledIn,
                "this machine lacks the library of Kerberos that the client needs",
            )
            .hint("install libgssapi-krb5-2 (Debian, Ubuntu) or krb5-libs (Fedora)");
        }
        let finding = Diagnosis::new(
            Code::AccessRequestRefused,
            format!("the client gave up on {}", self.call),
        );
        finding
            .blame(Blame::Tool)
            .outcome(Outcome::Unverified)
            .hint(
                "its words stand in the evidence; try it on a node of the cluster with `hdfs dfs`",
            )
    }
}

/// Returns the letters of an entry that allows an access, and no less than everybody has: an entry of
/// its own takes the place of what others may. Who only reads is given nothing to write.
///
/// `mode` is as `ls` writes it, such as `drwxr-x--x`.
fn letters(access: &str, mode: &str, writes: bool) -> String {
    let others: Vec<char> = mode.chars().skip(7).take(3).collect();
    let wants = |word: &str| access.split('_').any(|part| part == word || part == "ALL");
    // What is in a folder can be changed only by who may enter it.
    let enters = wants("EXECUTE") || (wants("WRITE") && mode.starts_with('d'));
    let letter = |letter: char, wanted: bool| {
        if wanted || others.contains(&letter) {
            letter
        } else {
            '-'
        }
    };
    let write = if writes {
        letter('w', wants("WRITE"))
    } else {
        '-'
    };
    [letter('r', wants("READ")), write, letter('x', enters)]
        .iter()
        .collect()
}

/// Returns the name of a class without its package.
fn short(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_allows_what_is_missing_and_no_more() {
        for (access, mode, writes, entry) in [
            ("READ_EXECUTE", "drwx------", false, "r-x"),
            ("EXECUTE", "drwx------", false, "--x"),
            ("READ", "-rw-------", false, "r--"),
            ("READ", "drwxrwx-wx", false, "r-x"),
            ("WRITE", "drwxr-xr-x", true, "rwx"),
            ("WRITE", "drwxr-x---", true, "-wx"),
            ("WRITE", "-rw-r-----", true, "-w-"),
            ("EXECUTE", "drwxr-x---", true, "--x"),
            ("ALL", "drwx------", true, "rwx"),
            ("EXECUTE", "", false, "--x"),
        ] {
            assert_eq!(letters(access, mode, writes), entry, "{access} {mode}");
        }
    }
}
