//! The text of a link's statement while it is mended, with what was changed in it.

use std::fmt;
use std::ops::Range;

use crate::script::{Script, ScriptLink, ScriptOptions};

/// A part of a text with what takes its place.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

impl fmt::Debug for Edit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is moved may be a secret.
        formatter
            .debug_struct("Edit")
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// A statement that is mended, edit by edit.
#[derive(Clone)]
pub(crate) struct Draft {
    text: String,
    /// In the statement as it stood, in order and apart.
    edits: Vec<Edit>,
}

impl Draft {
    /// Takes a statement over as it stands.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            edits: Vec::new(),
        }
    }

    /// Returns the text as it is now; it may hold secrets.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns what was changed in the statement as it stood.
    pub(crate) fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Reads the statement by itself; `None` when it is not the one statement that makes a link.
    pub(crate) fn read(&self, options: &ScriptOptions) -> Option<ScriptLink> {
        read(&self.text, options)
    }

    /// Changes parts of the text as it is now; `None` when they are not apart.
    pub(crate) fn apply(&self, mut edits: Vec<Edit>) -> Option<Self> {
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let overlap = edits
            .windows(2)
            .any(|pair| pair[0].range.end > pair[1].range.start);
        let good = |edit: &Edit| self.text.get(edit.range.clone()).is_some();
        if overlap || !edits.iter().all(good) {
            return None;
        }
        let mut draft = self.clone();
        // From the end, so that the places of the others stay.
        for edit in edits.into_iter().rev() {
            draft.change(edit);
        }
        Some(draft)
    }

    fn change(&mut self, edit: Edit) {
        let Edit { range, text } = edit;
        let mut now = range.clone();
        let mut before: Option<Range<usize>> = None;
        let mut shift = 0_isize;
        let mut kept = Vec::with_capacity(self.edits.len() + 1);
        let mut met = Vec::new();
        let mut shift_before = 0_isize;
        for known in &self.edits {
            let start = add(known.range.start, shift);
            let end = start + known.text.len();
            let grown = signed(known.text.len()) - signed(known.range.len());
            if end < range.start {
                shift_before += grown;
                kept.push(known.clone());
            } else if start > range.end {
                kept.push(known.clone());
            } else {
                now = now.start.min(start)..now.end.max(end);
                met.push((known.clone(), start..end));
            }
            shift += grown;
        }
        // Back to the statement as it stood: outside of what was met, lengths are the same.
        if let (Some((first, first_now)), Some((last, last_now))) = (met.first(), met.last()) {
            let start = first.range.start - (first_now.start - now.start);
            let end = last.range.end + (now.end - last_now.end);
            before = Some(start..end);
        }
        let before = before
            .unwrap_or_else(|| add(range.start, -shift_before)..add(range.end, -shift_before));
        let mut merged = self.text[now.start..range.start].to_owned();
        merged.push_str(&text);
        merged.push_str(&self.text[range.end..now.end]);
        self.text.replace_range(range, &text);
        kept.push(Edit {
            range: before,
            text: merged,
        });
        kept.sort_by_key(|edit| edit.range.start);
        self.edits = kept;
    }
}

/// Reads a text that is one statement that makes a link.
pub(crate) fn read(text: &str, options: &ScriptOptions) -> Option<ScriptLink> {
    let files = vec![(String::from("statement"), text.to_owned())];
    let mut script = Script::read(files, options);
    match (script.links.pop(), script.links.is_empty()) {
        (Some(link), true) if script.errors.is_empty() && script.skipped.is_empty() => Some(link),
        _ => None,
    }
}

/// Writes edits into a text; they are apart.
pub(crate) fn write(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut written = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        written.push_str(&text[at..edit.range.start]);
        written.push_str(&edit.text);
        at = edit.range.end;
    }
    written.push_str(&text[at..]);
    written
}

fn signed(length: usize) -> isize {
    isize::try_from(length).expect("no text is longer")
}

fn add(at: usize, shift: isize) -> usize {
    at.checked_add_signed(shift).expect("edits lie in the text")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(range: Range<usize>, text: &str) -> Edit {
        Edit {
            range,
            text: text.to_owned(),
        }
    }

    #[test]
    fn edits_of_edits_are_edits_of_the_statement() {
        let draft = Draft::new("abcdef");
        let draft = draft
            .apply(vec![edit(1..2, "XYZ"), edit(4..4, "-")])
            .unwrap();
        assert_eq!(draft.text(), "aXYZcd-ef");
        let draft = draft.apply(vec![edit(2..5, "!")]).unwrap();
        assert_eq!(draft.text(), "aX!d-ef");
        assert_eq!(draft.edits(), [edit(1..3, "X!"), edit(4..4, "-")]);
        assert!(draft.apply(vec![edit(0..2, ""), edit(1..3, "")]).is_none());
        assert!(draft.apply(vec![edit(0..99, "")]).is_none());
    }

    proptest! {
        #[test]
        fn no_edit_leaves_every_byte(text in "\\PC{0,60}") {
            let draft = Draft::new(&text).apply(Vec::new()).unwrap();
            prop_assert_eq!(draft.text(), &text);
            prop_assert!(draft.edits().is_empty());
            prop_assert_eq!(write(&text, draft.edits()), text);
        }

        #[test]
        fn what_was_changed_turns_the_first_text_into_the_last(
            text in "[a-z]{0,30}",
            edits in prop::collection::vec((0_usize..40, 0_usize..6, "[A-Z]{0,4}"), 0..8),
        ) {
            let mut draft = Draft::new(&text);
            for (start, length, new) in edits {
                let start = start.min(draft.text().len());
                let end = (start + length).min(draft.text().len());
                draft = draft.apply(vec![edit(start..end, &new)]).unwrap();
            }
            prop_assert_eq!(write(&text, draft.edits()), draft.text());
        }
    }
}
