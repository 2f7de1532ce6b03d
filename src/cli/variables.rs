//! The values that fill `${NAME}` in a script.

use std::fs::File;
use std::path::{Path, PathBuf};

use linkdial_core::Secret;

use super::environment;
use super::exit::Failure;
use super::input::{MAX_SIDE_FILE, bounded, unreadable_within};
use crate::script::Variables;
use crate::script::variables::is_name;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Variables")]
pub(super) struct VariableArguments {
    /// Take variables from a file: a JSON object of strings, or lines `NAME=VALUE`
    ///
    /// In the second form empty lines and lines that start with `#` are skipped, white space
    /// around name and value is dropped, and one pair of quotes around the value is taken off.
    /// The values are secret. Repeatable.
    #[arg(long = "vars", value_name = "FILE")]
    vars_files: Vec<PathBuf>,
    /// Take these variables from the environment; their values are secret
    #[arg(long, value_name = "NAME[,NAME]", value_delimiter = ',')]
    vars_env: Vec<String>,
    /// Set one variable to a value that is no secret; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    vars: Vec<(String, String)>,
}

impl VariableArguments {
    /// Returns the files that values are read from.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.vars_files
    }

    /// Gathers all; of several sources `--var` wins over `--vars-env`, and that over `--vars`.
    pub(super) fn read(&self) -> Result<Variables, Failure> {
        let mut variables = Variables::default();
        for path in &self.vars_files {
            for (name, value) in read_file(path)? {
                variables.set(name, value.expose(), true);
            }
        }
        if !self.vars_env.iter().all(|name| is_name(name)) {
            return Err(Failure::Usage(
                "`--vars-env`: a name of a variable has letters, digits and `_`; the value stays in \
                 the environment"
                    .to_owned(),
            ));
        }
        let mut missing = Vec::new();
        for name in &self.vars_env {
            match environment::variable(name) {
                Ok(value) => variables.set(name, value.expose(), true),
                Err(reason) => missing.push(format!("`{name}` {reason}")),
            }
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Failure::Usage(format!("`--vars-env`: {missing}")));
        }
        for (name, value) in &self.vars {
            variables.set(name, value.as_str(), false);
        }
        Ok(variables)
    }
}

fn read_file(path: &Path) -> Result<Vec<(String, Secret)>, Failure> {
    let file = path.display().to_string();
    let text = match File::open(path).and_then(|file| bounded(file, MAX_SIDE_FILE)) {
        Ok(text) => text,
        Err(_) if file.contains(['=', '{', '\n']) && !path.exists() => {
            return Err(Failure::Usage(
                "`--vars` names a file with variables, and takes none itself: a value stays in the \
                 environment, and `--vars-env` names it"
                    .to_owned(),
            ));
        }
        Err(error) => {
            let reason = unreadable_within(&file, &error, MAX_SIDE_FILE);
            return Err(Failure::Usage(format!("`--vars`: {reason}")));
        }
    };
    parse(&text).map_err(|reason| Failure::Usage(format!("`--vars {file}`: {reason}")))
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, the name of letters, digits and `_`, no digit first".into()),
    }
}

/// Reads either form. The reasons it gives quote no value.
fn parse(text: &str) -> Result<Vec<(String, Secret)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, _)| is_name(name))
            .ok_or_else(|| format!("line {} is not NAME=VALUE", index + 1))?;
        let value = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(value);
        variables.push((name.to_owned(), Secret::new(value)));
    }
    Ok(variables)
}

fn json(text: &str) -> Result<Vec<(String, Secret)>, String> {
    // serde_json's own sentence may quote the text.
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| {
            format!(
                "it is not a JSON object (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
    object
        .into_iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => Ok((name, Secret::new(text))),
            serde_json::Value::Array(_)
            | serde_json::Value::Bool(_)
            | serde_json::Value::Null
            | serde_json::Value::Number(_)
            | serde_json::Value::Object(_) => Err(format!(
                "the value of `{name}` is no string: put it into quotes"
            )),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, value.expose().to_owned()))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn reads_lines() {
        let text = "# a comment\r\n\nA=1\n B = two words \nC=\"x=y\"\nD='\nE=\n";
        let expected = [
            pair("A", "1"),
            pair("B", "two words"),
            pair("C", "x=y"),
            pair("D", "'"),
            pair("E", ""),
        ];
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn reads_json() {
        let text = r#" {"A": "1", "N": "5", "O": "{\"k\":\"v\"}"}"#;
        let expected = [pair("A", "1"), pair("N", "5"), pair("O", r#"{"k":"v"}"#)];
        assert_eq!(pairs(text), expected);
        for value in ["5", "true", "null", r#"["1"]"#, r#"{"k": "v"}"#] {
            let reason = parse(&format!(r#"{{"A": "1", "N": {value}}}"#)).unwrap_err();
            assert_eq!(reason, "the value of `N` is no string: put it into quotes");
        }
    }

    #[test]
    fn reasons_quote_no_value() {
        for text in [
            "A=1\ns3cr3t",
            "export A=s3cr3t",
            r#"{"A": s3cr3t}"#,
            r#"{"A": ["s3cr3t"]}"#,
        ] {
            let reason = parse(text).unwrap_err();
            assert!(!reason.contains("s3cr3t"), "{reason}");
        }
    }
}
