//! What grants the rights that a link lacks, in the words of its backend.

use std::fmt::Write as _;

use crate::redact::Redactor;

/// A longer text is no help, in bytes; names of a server's may be long.
const LONGEST: usize = 8 * 1024;

/// A statement or command that grants what is missing for what the link is used for, and no more.
///
/// Whoever runs the backend copies it as it is. The names in it come from links and servers: they are
/// escaped for the language of the text, and there is no policy where they can not be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// What it is and whom to give it to, such as `policy for the user`.
    pub title: String,
    /// What it is written in.
    pub language: Language,
    /// The text, of one or more lines.
    pub text: String,
}

/// What a policy is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// A document.
    Json,
    /// Commands.
    Shell,
}

impl Language {
    /// Returns the tag of a block of code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Shell => "sh",
        }
    }
}

impl Policy {
    /// Makes one of a JSON document.
    pub fn json(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            language: Language::Json,
            text: text.into(),
        }
    }

    /// Makes one of a command: each word is quoted where a shell would change it. `None` where a word
    /// holds what no line shows, such as a line break.
    pub fn command<'a>(
        title: impl Into<String>,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        let mut text = String::new();
        for word in words {
            if word.chars().any(char::is_control) {
                return None;
            }
            let gap = if text.is_empty() { "" } else { " " };
            write!(text, "{gap}{}", shell_word(word)).ok()?;
        }
        Some(Self {
            title: title.into(),
            language: Language::Shell,
            text,
        })
    }

    /// Returns whether it may be shown: with a part cut or taken out it would grant something else.
    pub(crate) fn is_whole(&self, redactor: &Redactor) -> bool {
        let shown = |text: &String| redactor.redacted(text.clone()) == *text;
        self.text.len() <= LONGEST && shown(&self.text) && shown(&self.title)
    }
}

/// Writes a text so that a shell takes it for one word.
pub fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:+,@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        for (name, word) in [
            ("/data/in", "/data/in"),
            ("User:CN=a,O=b", "User:CN=a,O=b"),
            ("", "''"),
            ("/my data", "'/my data'"),
            ("/a'b", "'/a'\\''b'"),
            ("/$(x)*`y`", "'/$(x)*`y`'"),
        ] {
            assert_eq!(shell_word(name), word);
        }
        let command = Policy::command("", ["hdfs", "dfs", "/a b"]).unwrap();
        assert_eq!(command.text, "hdfs dfs '/a b'");
        assert_eq!(Policy::command("", ["hdfs", "/a\nrm"]), None);
    }

    #[test]
    fn what_a_secret_stands_in_is_not_shown() {
        let mut redactor = Redactor::default();
        redactor.add("s3cr3t-of-the-link");
        let policy = |text: &str| Policy::json("title", text);
        assert!(policy("{}").is_whole(&redactor));
        assert!(!policy("{\"a\": \"s3cr3t-of-the-link\"}").is_whole(&redactor));
        assert!(!policy(&"x".repeat(LONGEST + 1)).is_whole(&redactor));
    }
}
