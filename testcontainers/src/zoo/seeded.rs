use std::any::Any;
use std::fmt;

use super::Mark;
use crate::statement::literal;
use crate::{DnsServer, LinkStatement};

/// The lengths of keys in base64, in bytes: those of SSE-C and of Azure, and wrong ones.
const KEY_LENGTHS: [usize; 4] = [24, 32, 48, 64];

/// So much of a line of PEM is looked for; the last line of a key may be shorter.
const PEM_LINE: usize = 40;

/// A fault that is ready to be dialled: its script, its servers, and what must not be seen.
pub struct Seeded {
    /// The SQL.
    pub script: String,
    /// Options that belong to the fault: a proxy, a name server, a file of Kerberos.
    pub options: Vec<String>,
    /// What no output may hold.
    pub secrets: Vec<String>,
    /// The link and its target, for another tool; `None` where only a statement can say it.
    pub(super) told: Option<(LinkStatement, String)>,
    /// Why no other tool can be told, where an option says it.
    pub(super) untold: Option<&'static str>,
    /// The proxy.
    pub(super) proxy: Option<String>,
    held: Vec<Box<dyn Any + Send>>,
}

impl Seeded {
    /// A text as it stands.
    pub(super) fn script(mark: &Mark, script: impl Into<String>) -> Self {
        let word = mark.word();
        // A statement that is passed over holds a secret too, in every fault.
        let script = format!(
            "CREATE USER zoo IDENTIFIED BY '{word}';
{}
",
            script.into()
        );
        let mut secrets = vec![word, mark.secret()];
        secrets.extend(KEY_LENGTHS.map(|length| mark.base64(length)));
        secrets.extend(private_keys(&script));
        Self {
            script,
            options: Vec::new(),
            secrets,
            told: None,
            untold: None,
            proxy: None,
            held: Vec::new(),
        }
    }

    /// A link with a pipeline that reads from a target.
    pub(super) fn read(mark: &Mark, link: LinkStatement, target: impl Into<String>) -> Self {
        let target = target.into();
        let script = format!(
            "{link}CREATE PIPELINE p AS LOAD DATA LINK {} {} INTO TABLE t;",
            link.quoted_name(),
            literal(&target)
        );
        Self {
            told: Some((link, target)),
            ..Self::script(mark, script)
        }
    }

    /// A link with an export to a target, and leave to write.
    pub(super) fn write(mark: &Mark, link: &LinkStatement, target: &str) -> Self {
        let script = format!(
            "{link}SELECT * FROM t INTO LINK {} {};",
            link.quoted_name(),
            literal(target)
        );
        Self::script(mark, script).option("--write")
    }

    /// A link with an external function at a URL.
    pub(super) fn call(mark: &Mark, link: LinkStatement, url: impl Into<String>) -> Self {
        let url = url.into();
        let script = format!(
            "{link}CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE {} FORMAT JSON \
             LINK {};",
            literal(&url),
            link.quoted_name(),
        );
        Self {
            told: Some((link, url)),
            ..Self::script(mark, script)
        }
    }

    pub(super) fn option(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// An option that no other tool has.
    pub(super) fn own_option(
        self,
        name: &str,
        value: impl fmt::Display,
        why: &'static str,
    ) -> Self {
        let mut seeded = self.option(name).option(value.to_string());
        seeded.untold = Some(why);
        seeded
    }

    /// A name server that is asked in the place of the system's.
    pub(super) fn name_server(self, server: DnsServer) -> Self {
        self.own_option(
            "--dns-server",
            server.addr(),
            "only its own name server is asked",
        )
        .hold(server)
    }

    pub(super) fn proxy(self, url: String) -> Self {
        let mut seeded = self.option("--proxy").option(&url);
        seeded.proxy = Some(url);
        seeded
    }

    /// Another secret that must not be seen.
    pub(super) fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Keeps a server alive as long as the fault.
    pub(super) fn hold(mut self, server: impl Any + Send) -> Self {
        self.held.push(Box::new(server));
        self
    }
}

/// Returns the lines of all private keys in PEM, however the line breaks between them are written.
fn private_keys(script: &str) -> Vec<String> {
    let keys = script.split("PRIVATE KEY-----").skip(1).step_by(2);
    let of_base64 = |char: char| char.is_ascii_alphanumeric() || "+/=".contains(char);
    keys.filter_map(|key| key.split(['"', '-']).next())
        .flat_map(|key| key.split(|char| !of_base64(char)))
        // A letter of an escape stands before a line of 64.
        .filter(|line| line.len() >= PEM_LINE)
        .map(|line| line[line.len() - PEM_LINE..].to_owned())
        .collect()
}

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seeded")
            .field("script", &self.script)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
