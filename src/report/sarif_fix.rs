//! A proved correction as a fix of SARIF, which an editor can carry out.

use serde::Serialize;

use super::STDIN;
use super::corrected::heading;
use super::sarif::{ArtifactLocation, Message, message, uri};
use crate::correction::{CorrectedText, Correction};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fix {
    description: Message,
    artifact_changes: Vec<ArtifactChange>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    inserted_content: Option<Content>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct Content {
    text: String,
}

impl Fix {
    /// Returns `None` where the changes stand in no file, or hold what nobody may see.
    pub(super) fn of(correction: &Correction) -> Option<Self> {
        let edits = &correction.edits;
        if edits.is_empty() || edits.iter().any(|edit| &*edit.start.file == STDIN) {
            return None;
        }
        let changes: Vec<&str> = correction
            .changes
            .iter()
            .map(|it| it.text.as_str())
            .collect();
        let text = format!("{}: {}", heading(correction), changes.join("; "));
        let mut files: Vec<&str> = edits.iter().map(|edit| &*edit.start.file).collect();
        files.dedup();
        let artifact_changes = files.into_iter().map(|file| {
            let edits = edits.iter().filter(|edit| &*edit.start.file == file);
            ArtifactChange {
                artifact_location: ArtifactLocation { uri: uri(file) },
                replacements: edits.map(Replacement::of).collect(),
            }
        });
        Some(Self {
            description: message(&text, None),
            artifact_changes: artifact_changes.collect(),
        })
    }
}

impl Replacement {
    fn of(edit: &CorrectedText) -> Self {
        let (start, end) = (&edit.start, &edit.end);
        Self {
            deleted_region: Region {
                start_line: start.line,
                start_column: start.column,
                end_line: end.line,
                end_column: end.column,
            },
            inserted_content: (!edit.text.is_empty()).then(|| Content {
                text: edit.text.clone(),
            }),
        }
    }
}
