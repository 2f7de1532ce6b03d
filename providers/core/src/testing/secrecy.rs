//! A server that repeats whatever it hears, in every form it can travel in.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::net::Net;
use crate::provider::Driver;
use crate::settings::Settings;
use crate::target::Intent;

use super::logs::Logs;
use super::server::{Reply, Request, Server, answer};
use super::{Fixture, SECRET, Verdict, dial_blocking, ensure, settings};

/// As many letters of the secret in a row as nobody may see; what is shorter is chance.
const TELLING: usize = 10;

/// Statuses whose answers a provider words differently.
const STATUSES: [&str; 11] = [
    "200", "302", "307", "400", "401", "403", "404", "405", "429", "500", "503",
];

/// Neither the record nor a log nor the text of a debugger shows the secret or a part of it.
pub(super) fn no_secret_in_any_text(driver: &Driver, fixture: &Fixture) -> Verdict {
    for status in STATUSES {
        let server = Server::start(move |request| Reply::Bytes(echo(status, request)));
        look(
            driver,
            fixture,
            &server.base(),
            &format!("an echo with status {status}"),
        )?;
    }
    let raw = Server::start(|request| Reply::Bytes(request.head.clone().into_bytes()));
    look(driver, fixture, &raw.base(), "an echo of the bytes")?;
    let values = Server::start(|request| Reply::Bytes(spoken(request).join("\n").into_bytes()));
    look(
        driver,
        fixture,
        &values.base(),
        "an echo of the header values",
    )?;
    let closed = "http://127.0.0.1:1";
    look(driver, fixture, closed, "a closed port")
}

fn look(driver: &Driver, fixture: &Fixture, base: &str, what: &str) -> Verdict {
    let link = (fixture.link)(base, SECRET);
    let logs = Logs::default();
    let net = Net::builder().build();
    let (steps, debugged) = tracing::subscriber::with_default(logs.clone(), || {
        let steps = dial_blocking(driver, &link, Settings { net, ..settings() }, Intent::READ);
        (
            steps,
            format!("{:?} {link:?}", driver.open(&link.definition)),
        )
    });
    for (place, text) in [
        ("the record", format!("{steps:#?}")),
        ("a log", logs.text()),
        ("the text for debuggers", debugged),
    ] {
        if let Some(found) = leaked(&text, &[SECRET]) {
            return Err(format!("{place} shows `{found}` after {what}"));
        }
    }
    ensure(!steps.is_empty(), || {
        format!("nothing was recorded after {what}")
    })
}

/// Returns the piece of a secret that a text shows, in whatever form. Secrets are ASCII and have 16
/// letters or more.
pub fn leaked(text: &str, secrets: &[&str]) -> Option<String> {
    let forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    let pieces: HashSet<&[u8]> = forms
        .iter()
        .flat_map(|form| form.as_bytes().windows(TELLING))
        .collect();
    text.as_bytes()
        .windows(TELLING)
        .find(|piece| pieces.contains(piece))
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
}

/// Every form in which a secret can travel.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        secret.replace('/', "\\/"),
        encode(secret),
        encode_lower(secret),
        secret.replace('+', "\\u002B"),
        numbered(secret),
        hex(secret),
        hex(secret).to_ascii_uppercase(),
    ];
    // Three places a secret can have among the groups of three that base64 makes.
    for before in ["", "x", "xx"] {
        let with = format!("{before}{secret}");
        for encoded in [STANDARD.encode(&with), URL_SAFE_NO_PAD.encode(&with)] {
            let inner = encoded.trim_end_matches('=');
            forms.push(inner[4..inner.len() - 3].to_owned());
        }
    }
    forms
}

/// The values that a client sent: what an error message of a server likes to quote.
fn spoken(request: &Request) -> Vec<String> {
    let lines = request.head.lines().skip(1);
    let values = lines.filter_map(|line| Some(line.split_once(": ")?.1.to_owned()));
    let mut values: Vec<String> = values.collect();
    values.push(request.target.clone());
    // Longer values first: the interesting ones.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes every write");
        hex
    })
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// As .NET writes it, with lower-case digits.
fn encode_lower(text: &str) -> String {
    let escapes = encode(text);
    let mut parts = escapes.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at(2);
        format!("{text}%{}{rest}", digits.to_ascii_lowercase())
    })
}

/// As HTML with character references, by number in both bases.
fn numbered(text: &str) -> String {
    text.replace('+', "&#43;").replace('/', "&#x2F;")
}

fn echo(status: &str, request: &Request) -> Vec<u8> {
    let said = spoken(request);
    let all = said.join(" ");
    let token = said
        .iter()
        .find_map(|value| value.split(' ').find(|word| word.contains(SECRET)))
        .unwrap_or(SECRET);
    let forms = [
        all.clone(),
        encode(&all),
        encode(token),
        encode_lower(&all),
        encode_lower(token),
        STANDARD.encode(&all),
        STANDARD.encode(token),
        URL_SAFE_NO_PAD.encode(token),
        token.replace('/', "\\/"),
        token.replace('+', "\\u002B"),
        format!("{token:?}"),
    ];
    let told = forms.join(" ; ").replace(['<', '>', '&'], "_");
    let told = format!("{told} ; {}", numbered(token));
    let one_line = told.replace(['\r', '\n'], " ");
    let mut headers = format!(
        "www-authenticate: Bearer realm=\"{token}\", error=\"{token}\", \
         error_description=\"{}\"\r\nlocation: /moved/{token}?key={token}\r\nretry-after: 3\r\n\
         server: {token}\r\nx-request-id: {}\r\nx-amz-request-id: {token}\r\nallow: {token}\r\n\
         x-amz-bucket-region: {token}\r\n",
        one_line.replace('"', "'"),
        encode(token),
    );
    headers.push_str("content-type: application/xml\r\n");
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{token}</Code><Message>{told}</Message>\
         <RequestId>{token}</RequestId><Resource>{token}</Resource><Region>{token}</Region></Error>"
    );
    answer(&format!("{status} {one_line}"), &headers, &body)
}
