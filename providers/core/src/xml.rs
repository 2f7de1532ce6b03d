//! What an XML document says at its top: error documents are flat, and any server answers 200.

/// Returns the text of the first element of that name; nothing for one with elements inside.
pub fn element(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    (!text.is_empty() && !text.contains('<')).then(|| text.to_owned())
}

/// Returns the local name of the root element.
pub fn root_element(body: &str) -> Option<&str> {
    let mut rest = body.trim_start_matches('\u{feff}').trim_start();
    while rest.starts_with("<?") || rest.starts_with("<!") {
        rest = rest.split_once('>')?.1.trim_start();
    }
    let name = rest.strip_prefix('<')?;
    let end = name.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
    name[..end].rsplit(':').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_roots() {
        let body = "\u{feff}<?xml version=\"1.0\"?>\n<Error><Code>A</Code><Empty></Empty></Error>";
        assert_eq!(root_element(body), Some("Error"));
        assert_eq!(element(body, "Code").as_deref(), Some("A"));
        assert_eq!(element(body, "Empty"), None);
        assert_eq!(element(body, "Error"), None);
        assert_eq!(root_element("<a:Root xmlns:a='x'/>"), Some("Root"));
        for none in ["", "text", "<", "{}", "<?xml"] {
            assert_eq!(root_element(none), None, "{none}");
        }
    }
}
