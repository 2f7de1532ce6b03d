//! Files of a script, and places in them that a person can go to.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use linkdial_core::Secret;

use crate::harmless::is_harmful;

/// A place in a file. Both numbers count from 1; columns count characters, not bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// The file as it was named on the command line; `<stdin>` for standard input.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

/// One line of a script with the part to underline. It never holds a value of `CREDENTIALS`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excerpt {
    /// The number of the line.
    pub line: u32,
    /// The line, secrets masked, cut to a readable width.
    pub text: String,
    /// Characters of `text` before the underlined part.
    pub start: usize,
    /// Characters to underline; at least 1.
    pub width: usize,
}

/// What stands for a masked value, and for the part of a long line that is cut off.
const MASK: char = '…';
/// The most characters of an excerpt.
const WIDTH: usize = 160;
/// Characters kept before the underlined part of a long line.
const LEAD: usize = 60;
/// Bytes to either side of the place that are looked at; the rest of a very long line is not.
const REACH: usize = 640;
/// Distance of the marks that keep a look-up short in a file that is one long line.
const BLOCK: usize = 1024;

/// The number of a file in its script.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct FileId(pub(crate) usize);

/// One file with the means to show places in it. It knows which parts must not be shown.
pub(crate) struct SourceFile {
    name: Arc<str>,
    text: Secret,
    line_starts: Vec<usize>,
    marks: Vec<Mark>,
    masks: Vec<Range<usize>>,
}

/// Line and characters before it in the line, at the start of a block.
#[derive(Clone, Copy)]
struct Mark {
    line: u32,
    column: u32,
}

impl Mark {
    fn step(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        } else if !is_continuation(byte) {
            self.column += 1;
        }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SourceFile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SourceFile {
    /// Takes a file over. Nothing of it may be shown before [`SourceFile::hide`] was called.
    pub(crate) fn new(name: &str, text: String) -> Self {
        let mut line_starts = vec![0];
        let mut marks = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut mark = Mark { line: 1, column: 0 };
        // A byte order mark is no character of the first line.
        let counted_from = if text.starts_with('\u{feff}') { 3 } else { 0 };
        for (at, byte) in text.bytes().enumerate() {
            if at % BLOCK == 0 {
                marks.push(mark);
            }
            if at >= counted_from {
                mark.step(byte);
            }
            if byte == b'\n' {
                line_starts.push(at + 1);
            }
        }
        if text.len().is_multiple_of(BLOCK) {
            marks.push(mark);
        }
        Self {
            name: name.into(),
            text: Secret::new(text),
            line_starts,
            marks,
            masks: Vec::new(),
        }
    }

    /// Returns the name, as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text.
    pub(crate) fn text(&self) -> &str {
        self.text.expose()
    }

    /// Says which parts no excerpt may show; they lie in order and apart.
    pub(crate) fn hide(&mut self, masks: Vec<Range<usize>>) {
        self.masks = masks;
    }

    /// Returns line and column of a byte.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let bytes = self.text().as_bytes();
        let offset = offset.min(bytes.len());
        let block = offset / BLOCK;
        let mut mark = self.marks[block];
        let skip = if self.text().starts_with('\u{feff}') {
            3
        } else {
            0
        };
        for &byte in bytes
            .get((block * BLOCK).max(skip)..offset)
            .unwrap_or_default()
        {
            mark.step(byte);
        }
        Place {
            file: Arc::clone(&self.name),
            line: mark.line,
            column: mark.column + 1,
        }
    }

    /// Returns the line of a span with the part to underline, cut at the line's end.
    pub(crate) fn excerpt(&self, span: &Range<usize>) -> Excerpt {
        let text = self.text();
        let start = floor_boundary(text, span.start);
        let index = self.line_starts.partition_point(|&at| at <= start) - 1;
        let line_start = self.line_starts[index];
        let line_end = self
            .line_starts
            .get(index + 1)
            .map_or(text.len(), |next| next - 1);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let line_end = line_start + line.len();
        let start = start.min(line_end);
        let end = floor_boundary(text, span.end).clamp(start, line_end);

        let from = floor_boundary(text, start.saturating_sub(REACH)).max(line_start);
        let to = floor_boundary(text, start + REACH).min(line_end);
        let cells = self.cells(from..to);
        let first = cells.partition_point(|cell| cell.source.end <= start);
        let after = cells
            .partition_point(|cell| cell.source.start < end)
            .max(first + 1);

        let begin = if cells.len() > WIDTH {
            first.saturating_sub(LEAD).min(cells.len() - WIDTH)
        } else {
            0
        };
        let stop = cells.len().min(begin + WIDTH);
        let mut shown: Vec<char> = cells[begin..stop].iter().map(|cell| cell.shown).collect();
        if (begin > 0 || from > line_start)
            && let Some(cell) = shown.first_mut()
        {
            *cell = MASK;
        }
        if (stop < cells.len() || to < line_end)
            && let Some(cell) = shown.last_mut()
        {
            *cell = MASK;
        }
        Excerpt {
            line: u32::try_from(index + 1).unwrap_or(u32::MAX),
            text: shown.into_iter().collect(),
            start: first - begin,
            width: after.min(stop.max(first + 1)) - first,
        }
    }

    /// Turns a part of a line into what may be shown: one cell a character, one a masked part.
    fn cells(&self, part: Range<usize>) -> Vec<Cell> {
        let text = self.text();
        let mut masks = self.masks[self.masks.partition_point(|mask| mask.end <= part.start)..]
            .iter()
            .peekable();
        let mut cells = Vec::new();
        let mut at = part.start;
        while at < part.end {
            if let Some(mask) = masks.next_if(|mask| mask.start <= at) {
                let end = mask.end.min(part.end);
                cells.push(Cell {
                    shown: MASK,
                    source: at..end,
                });
                at = end;
                continue;
            }
            let Some(shown) = text[at..].chars().next() else {
                break;
            };
            let source = at..at + shown.len_utf8();
            at = source.end;
            let shown = match shown {
                '\u{feff}' => continue,
                '\t' => ' ',
                shown if is_harmful(shown) => char::REPLACEMENT_CHARACTER,
                shown => shown,
            };
            cells.push(Cell { shown, source });
        }
        cells
    }
}

struct Cell {
    shown: char,
    source: Range<usize>,
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Returns the last boundary of a character at or before a byte.
pub(super) fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
