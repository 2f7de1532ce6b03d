//! The copy of a script that `--fix` writes.

use linkdial_core::{Definition, LinkName};

use super::draft::{Edit, write};
use crate::script::link_clause::same;
use crate::script::{Script, ScriptLink, ScriptOptions};
use crate::sql::source::FileId;

/// What proved corrections change in a script.
#[derive(Debug, Default)]
pub(crate) struct Fixes {
    fixes: Vec<Fix>,
    /// Repairs of targets that stand in no file.
    pub(crate) left_out: usize,
}

/// What the corrections of one link change.
#[derive(Debug)]
pub(super) struct Fix {
    name: LinkName,
    definition: Definition,
    edits: Vec<(FileId, Edit)>,
    /// How many changes they are.
    pub(super) parts: usize,
}

/// A script with repairs.
#[derive(Debug)]
pub(crate) struct Copy {
    /// All of it; what was not repaired is as it was, secrets included.
    pub(crate) text: String,
    /// How many changes were made.
    pub(crate) repairs: usize,
    /// Links whose repairs are not in it, since other statements change them, and how many those are.
    pub(crate) missing: Vec<(LinkName, usize)>,
}

impl Fix {
    pub(super) fn new(link: &ScriptLink, parts: usize) -> Self {
        Self {
            name: link.name.clone(),
            definition: link.definition.clone(),
            edits: Vec::new(),
            parts,
        }
    }

    pub(super) fn add(&mut self, file: FileId, edit: Edit) {
        if !self
            .edits
            .iter()
            .any(|(known, it)| (*known, it) == (file, &edit))
        {
            self.edits.push((file, edit));
        }
    }
}

impl Fixes {
    pub(super) fn push(&mut self, fix: Fix) {
        self.fixes.push(fix);
    }

    /// Repairs a script of one file. A repair that would not leave the link that was dialled, such as
    /// one in a statement that other statements change, is left out and named.
    pub(crate) fn copy(&self, name: &str, text: &str, options: &ScriptOptions) -> Copy {
        let mut fixes: Vec<&Fix> = self.fixes.iter().collect();
        loop {
            let edits = fixes.iter().flat_map(|fix| &fix.edits);
            let edits = edits.filter(|(file, _)| *file == FileId(0));
            let edits: Vec<Edit> = edits.map(|(_, edit)| edit.clone()).collect();
            let text = write(text, &edits);
            let script = Script::read(vec![(name.to_owned(), text.clone())], options);
            let before = fixes.len();
            fixes.retain(|fix| {
                let mut links = script.links.iter().filter(|link| link.name == fix.name);
                links.any(|link| {
                    same(&link.definition.config, &fix.definition.config)
                        && same(&link.definition.credentials, &fix.definition.credentials)
                })
            });
            if fixes.len() == before {
                let is_in = |fix: &&Fix| fixes.iter().any(|it| std::ptr::eq(*it, *fix));
                let missing = self.fixes.iter().filter(|fix| !is_in(fix));
                return Copy {
                    text,
                    repairs: fixes.iter().map(|fix| fix.parts).sum(),
                    missing: missing.map(|fix| (fix.name.clone(), fix.parts)).collect(),
                };
            }
        }
    }
}
