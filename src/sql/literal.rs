//! Text after SQL unescaping that still knows where each byte of it stands in a file.

use std::ops::Range;

use linkdial_core::Secret;

use super::source::FileId;

/// A decoded text with the way back to the file.
///
/// The text may be put together from several literals, as `ALTER LINK ... SET CONFIG ::key = ''`
/// does.
#[derive(Clone, Debug)]
pub(crate) struct MappedText {
    text: Secret,
    pieces: Vec<Piece>,
}

/// A run of the text; it ends where the next one starts.
#[derive(Clone, Debug)]
struct Piece {
    start: usize,
    file: FileId,
    raw: Range<usize>,
    /// Whether the bytes are the same in the file, one by one. If not, the piece is one unit.
    verbatim: bool,
}

impl MappedText {
    /// Decodes the content of a string literal by MySQL's rules.
    ///
    /// `quote` is the delimiter that stands for itself when doubled. `\%` and `\_` keep their
    /// backslash, as they do outside of patterns.
    pub(crate) fn decode(source: &str, content: Range<usize>, quote: u8, file: FileId) -> Self {
        let raw = &source.as_bytes()[content.clone()];
        let mut text = String::with_capacity(raw.len());
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let run = raw[at..]
                .iter()
                .position(|&byte| byte == b'\\' || byte == quote)
                .unwrap_or(raw.len() - at);
            if run > 0 {
                let span = content.start + at..content.start + at + run;
                pieces.push(Piece {
                    start: text.len(),
                    file,
                    raw: span.clone(),
                    verbatim: true,
                });
                text.push_str(&source[span]);
                at += run;
                continue;
            }
            let start = text.len();
            let rest = &source[content.start + at + 1..content.end];
            let taken = match rest.chars().next() {
                None => {
                    text.push(char::from(raw[at]));
                    1
                }
                Some(next) if raw[at] == b'\\' => {
                    unescape(next, &mut text);
                    1 + next.len_utf8()
                }
                // A literal between typographic quotes does not end at a plain one.
                Some(next) => {
                    text.push(char::from(quote));
                    if next == char::from(quote) { 2 } else { 1 }
                }
            };
            pieces.push(Piece {
                start,
                file,
                raw: content.start + at..content.start + at + taken,
                verbatim: false,
            });
            at += taken;
        }
        if pieces.is_empty() {
            pieces.push(Piece {
                start: 0,
                file,
                raw: content,
                verbatim: false,
            });
        }
        Self {
            text: Secret::new(text),
            pieces,
        }
    }

    /// Makes a text whose every part lies at one place of the file.
    pub(crate) fn opaque(text: impl Into<Box<str>>, file: FileId, raw: Range<usize>) -> Self {
        Self {
            text: Secret::new(text),
            pieces: vec![Piece {
                start: 0,
                file,
                raw,
                verbatim: false,
            }],
        }
    }

    /// Returns the decoded text.
    pub(crate) fn text(&self) -> &str {
        self.text.expose()
    }

    /// Returns where a range of the text lies in its file.
    pub(crate) fn locate(&self, range: &Range<usize>) -> Option<(FileId, Range<usize>)> {
        let first = self.piece(range.start)?;
        let start = if first.verbatim {
            (first.raw.start + range.start - first.start).min(first.raw.end)
        } else {
            first.raw.start
        };
        if range.end <= range.start {
            return Some((first.file, start..start));
        }
        let last = self.piece(range.end - 1)?;
        let end = if last.verbatim {
            (last.raw.start + range.end - last.start).min(last.raw.end)
        } else {
            last.raw.end
        };
        if last.file == first.file && end >= start {
            Some((first.file, start..end))
        } else {
            Some((first.file, start..first.raw.end))
        }
    }

    /// Returns the text with one range replaced.
    pub(crate) fn splice(&self, range: &Range<usize>, parts: &[Self]) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut pieces = Vec::new();
        self.copy(0..range.start, &mut text, &mut pieces);
        for part in parts {
            part.copy(0..part.text.len(), &mut text, &mut pieces);
        }
        self.copy(range.end..self.text.len(), &mut text, &mut pieces);
        Self {
            text: Secret::new(text),
            pieces,
        }
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.start <= at);
        self.pieces.get(index.checked_sub(1)?)
    }

    fn copy(&self, range: Range<usize>, text: &mut String, pieces: &mut Vec<Piece>) {
        if range.is_empty() {
            return;
        }
        let base = text.len();
        let from = self
            .pieces
            .partition_point(|piece| piece.start <= range.start)
            .saturating_sub(1);
        for piece in &self.pieces[from..] {
            if piece.start >= range.end {
                break;
            }
            let skipped = range.start.saturating_sub(piece.start);
            let mut copy = piece.clone();
            copy.start = base + (piece.start + skipped - range.start);
            if piece.verbatim {
                copy.raw.start += skipped;
            }
            pieces.push(copy);
        }
        text.push_str(&self.text()[range]);
    }
}

fn unescape(escaped: char, text: &mut String) {
    match escaped {
        '0' => text.push('\0'),
        'b' => text.push('\u{8}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'Z' => text.push('\u{1a}'),
        '%' | '_' => {
            text.push('\\');
            text.push(escaped);
        }
        other => text.push(other),
    }
}
