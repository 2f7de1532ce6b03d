//! The page of a code, as `linkdial explain` prints it.

use std::fmt::Write as _;

/// Turns the markdown of a code page into plain text: headings in bold where `color` is set, code
/// marks taken off, text as it is wrapped.
///
/// Knows the little markdown that code pages use: headings, lists, fenced and inline code.
pub fn plain(markdown: &str, color: bool) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = String::with_capacity(markdown.len());
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            text.push_str("    ");
            text.push_str(line);
        } else if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            if color {
                write!(text, "{bold}{heading}{bold:#}").expect("a string takes every write");
            } else {
                text.push_str(heading);
            }
        } else {
            text.push_str(&line.replace("**", "").replace('`', ""));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_lists_and_code_become_text() {
        let page = "# a.b\n\n## What it means\n\nThe `key` is **wrong**.\n\n- one\n\n```sql\nSELECT `x`;\n```\n";
        assert_eq!(
            plain(page, false),
            "a.b\n\nWhat it means\n\nThe key is wrong.\n\n- one\n\n    SELECT `x`;\n"
        );
        assert!(plain(page, true).starts_with("\u{1b}[1ma.b\u{1b}[0m"));
    }
}
