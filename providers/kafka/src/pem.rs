//! What became of a PEM text on its way through SQL and JSON into a link.

/// How the line breaks of a PEM are written in a statement: SQL takes one backslash, JSON the other.
const BREAKS: &str = "write \\\\n in the statement for each line break";

/// Returns what to do about a text that is no PEM of this kind; nothing of its body is repeated.
pub(crate) fn hint(text: &str, wanted: &str) -> String {
    let Some((_, rest)) = text.split_once("-----BEGIN ") else {
        return format!("it begins with -----BEGIN {wanted}-----; {BREAKS}");
    };
    let (label, body) = rest.split_once("-----").unwrap_or((rest, ""));
    let end = body.find("-----END");
    let inside = end.map_or(body, |end| &body[..end]);
    let what = if inside.contains("\\n") {
        "it has too many backslashes: \\n is still there as two letters"
    } else if end.is_none() {
        "it is cut: no -----END line closes it; copy it whole"
    } else if inside.contains('\n') {
        if label.contains(wanted) {
            "letters of it are missing or changed: copy it again"
        } else {
            return format!("something else stands there; it begins with -----BEGIN {wanted}-----");
        }
    } else if inside.trim().contains(' ') || inside.starts_with(' ') {
        "spaces stand in the place of its line breaks"
    } else if inside.starts_with('n') && inside.ends_with('n') {
        "a plain n stands in the place of its line breaks, for want of a backslash"
    } else {
        "its line breaks are gone"
    };
    format!("{what}; {BREAKS}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pasted_is_told_apart() {
        let form = |between: &str| {
            let lines = [
                "-----BEGIN CERTIFICATE-----",
                "MIIB",
                "AAAA",
                "-----END CERTIFICATE-----",
            ];
            lines.join(between)
        };
        let cut = "-----BEGIN CERTIFICATE-----\nMIIB\nAA".to_owned();
        let key = form("\n").replace("CERTIFICATE", "PRIVATE KEY");
        for (text, said) in [
            (form("\\n"), "too many backslashes"),
            (form("\\\n"), "missing or changed"),
            (form(" "), "spaces"),
            (form("n"), "a plain n"),
            (form(""), "are gone"),
            (form("\n"), "missing or changed"),
            (cut, "it is cut"),
            (key, "something else"),
            (
                "/etc/ca.pem".to_owned(),
                "begins with -----BEGIN CERTIFICATE",
            ),
            ("-----BEGIN ".to_owned(), "it is cut"),
            (String::new(), "begins with"),
        ] {
            let hint = hint(&text, "CERTIFICATE");
            assert!(hint.contains(said), "{text:?}: {hint}");
            assert!(!hint.contains("MIIB") && !hint.contains("AAAA"), "{hint}");
            let whole = said != "something else";
            assert_eq!(hint.contains("write \\\\n in"), whole, "{hint}");
        }
    }
}
