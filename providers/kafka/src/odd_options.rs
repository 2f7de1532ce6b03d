//! Spellings of options that somebody might hope get past the table.

use linkdial_core::{Clause, ClauseName, Clauses, Code, Definition, Kind, Settings};

use crate::config::Config;
use crate::keys::{KEYS, REFUSED};

/// Reads a link with one option in CONFIG.
fn read(json: &str) -> (Option<Config>, Vec<Code>) {
    let definition = Definition {
        kind: Kind::Kafka,
        config: Clause::parse(ClauseName::Config, json),
        credentials: Clause::empty(ClauseName::Credentials),
    };
    let mut clauses = Clauses::new(&definition, KEYS);
    let config = Config::read(&mut clauses);
    let codes = clauses.into_findings();
    (config, codes.into_iter().map(|it| it.code).collect())
}

/// The letters of an option, which is as much as a careless reader would look at.
fn letters(option: &str) -> String {
    let letters = option.chars().filter(char::is_ascii_alphanumeric);
    letters.collect::<String>().to_ascii_lowercase()
}

fn spellings(option: &str) -> Vec<String> {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    let camel: Vec<String> = option.split('.').map(capital).collect();
    vec![
        option.to_uppercase(),
        camel.join("."),
        camel.concat(),
        option.replace('.', "_"),
        option.replace('.', "-"),
        option.replace('.', ".."),
        option.replacen('.', " . ", 1),
        format!(" {option}"),
        format!("{option} "),
        format!("\t{option}\n"),
        format!("\u{a0}{option}"),
        format!("{option}."),
        format!(".{option}"),
        format!("{option}\0"),
        format!("{option}\u{200b}"),
        option.replacen('e', "е", 1),
        format!("default_topic_conf.{option}"),
        format!("rdkafka.{option}"),
        format!("{option}=x"),
        format!("client.id\n{option}"),
    ]
}

/// Under its own name a refused option is refused, whatever it holds; under another it is no option.
#[test]
fn no_spelling_of_a_refused_option_reaches_the_client() {
    let options = REFUSED.iter().flat_map(|group| group.options);
    for (option, _) in options {
        for value in [
            "\"/tmp/x.so\"",
            "[\"/tmp/x.so\"]",
            "{\"a\": \"/tmp/x.so\"}",
            "7",
        ] {
            let name = serde_json::Value::from(*option);
            let (config, codes) = read(&format!("{{{name}: {value}}}"));
            assert!(config.is_none(), "{option} {value}: {codes:?}");
            // Nor behind an empty value of the same name.
            let (config, codes) = read(&format!("{{{name}: null, {name}: {value}}}"));
            assert!(
                config.is_none() || codes.contains(&Code::DefineDuplicateKey),
                "{option} {value}"
            );
        }
        for spelling in spellings(option) {
            let name = serde_json::Value::from(spelling.as_str());
            let (config, codes) = read(&format!("{{{name}: \"/tmp/x.so\"}}"));
            let known = REFUSED.iter().flat_map(|group| group.options);
            let known = known.map(|(option, _)| *option);
            if known.into_iter().any(|it| it == spelling) {
                continue;
            }
            let Some(config) = config else { continue };
            assert!(
                codes.contains(&Code::DefineUnknownKey),
                "{spelling:?}: {codes:?}"
            );
            for (passed, _) in config.client_options(&Settings::default()) {
                assert_ne!(letters(&passed), letters(option), "{spelling:?}");
            }
        }
    }
}

/// The client is given what the table lists, letter by letter, and nothing else.
#[test]
fn only_options_of_the_table_reach_the_client() {
    let mut members = Vec::new();
    for key in KEYS {
        members.push(format!("{}: \"1\"", serde_json::Value::from(key.name)));
    }
    let other = [
        "plugin.library.pathz",
        "bootstrap.servers ",
        "x",
        "",
        "Debug",
    ];
    for name in other {
        members.push(format!("{}: \"1\"", serde_json::Value::from(name)));
    }
    for member in members {
        let (config, _) = read(&format!("{{{member}}}"));
        let Some(config) = config else { continue };
        for (passed, _) in config.client_options(&Settings::default()) {
            assert!(KEYS.iter().any(|key| key.name == passed), "{passed:?}");
            let refused = REFUSED.iter().flat_map(|group| group.options);
            let harmless: Vec<_> = refused.filter(|(name, _)| *name == passed).collect();
            assert!(
                harmless.iter().all(|(_, values)| values.contains(&"1")),
                "{passed}"
            );
        }
    }
}
