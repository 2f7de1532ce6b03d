//! The forms in which secrets travel, and where a text holds one of them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use crate::secret::Secret;
use crate::spelling::{Escape, escape};

/// Shorter forms are only found where they stand as a word of their own: a secret `s` would
/// otherwise eat every sentence.
pub(crate) const SUBSTRING_LENGTH: usize = 4;

/// The beginning of a form is found when it agrees in this many bytes; fewer are often chance.
const CUT_LENGTH: usize = 8;

/// A part of a secret, wherever in it, is found when it is so long, in bytes.
const PART_LENGTH: usize = 12;

/// Longer secrets are keys in PEM and the like, whose lines are found as pieces.
const LONGEST_WITH_PARTS: usize = 256;

/// A longer form is searched in pieces of this size, so that the search stays linear.
const PIECE_LENGTH: usize = 64;

/// A text is read as it is, and with its escapes decoded this many times: a peer quotes what
/// another has quoted.
const DEPTH: usize = 3;

/// Forms of secrets in one order, to look up the text at a place.
///
/// Forms and texts are compared in lower case and with escapes decoded, so that it does not matter
/// who wrote them down.
#[derive(Clone, Default)]
pub(crate) struct Forms {
    /// Sorted, each once.
    pieces: Vec<Piece>,
    /// Which first two bytes a piece has: most places of a text are passed over by it.
    starts: Starts,
    /// Sorted digests of all parts of [`PART_LENGTH`], and the first two bytes of each.
    parts: Vec<u64>,
    part_starts: Starts,
}

#[derive(Clone)]
struct Piece {
    text: Secret,
    /// So many bytes must agree when the rest is not there.
    enough: usize,
    /// The longest other piece that this one begins with.
    inner: Option<usize>,
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        self.text.expose().as_bytes()
    }
}

impl Forms {
    /// Takes more secrets in; one call for many is cheaper than a call for each.
    pub(crate) fn extend<'a>(&mut self, forms: impl IntoIterator<Item = &'a str>) {
        for form in forms {
            let mut view = View::raw(form);
            self.add(&view.text, lead(form));
            for _ in 0..DEPTH {
                let Some(decoded) = view.decoded() else { break };
                view = decoded;
                // What is left of a secret that is nothing but an escape would be found anywhere.
                if view.text.len() >= SUBSTRING_LENGTH {
                    self.add(&view.text, 0);
                }
            }
        }
        self.sort();
    }

    /// Also finds what is left of a secret whose beginning is not there.
    pub(crate) fn extend_parts<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        for secret in secrets {
            let text = View::raw(secret).text;
            // What many keys in PEM begin with says nothing.
            if text.len() <= LONGEST_WITH_PARTS && !text.starts_with("-----begin ") {
                let own = &text.as_bytes()[lead(secret)..];
                for part in own.windows(PART_LENGTH) {
                    self.parts.push(digest(part));
                    self.part_starts.insert(part[0], part[1]);
                }
            }
        }
        self.parts.sort_unstable();
        self.parts.dedup();
    }

    /// Returns how many pieces there are.
    pub(crate) const fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Returns whether a text is all of a form.
    pub(crate) fn has(&self, text: &str) -> bool {
        let view = View::raw(text);
        let form = view.text.as_bytes();
        form.len() < PIECE_LENGTH
            && self
                .pieces
                .binary_search_by(|it| it.bytes().cmp(form))
                .is_ok()
    }

    /// Returns the places of a text that hold a form or a part of a secret; they may overlap.
    pub(crate) fn find(&self, text: &str, views: &[View]) -> Vec<Range<usize>> {
        if self.pieces.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for view in views {
            let bytes = view.text.as_bytes();
            for at in 0..bytes.len() {
                if self.may_start(&bytes[at..])
                    && let Some(range) = self.match_at(text, view, at)
                {
                    found.push(range);
                }
            }
            found.extend(self.cut_end(text, view));
            if !self.parts.is_empty() {
                let windows = bytes.windows(PART_LENGTH).enumerate();
                let windows = windows.filter(|(_, it)| self.part_starts.may_have(it[0], it[1]));
                let known = windows.filter(|(_, it)| self.parts.binary_search(&digest(it)).is_ok());
                found.extend(known.map(|(at, _)| view.place(at, at + PART_LENGTH)));
            }
        }
        found
    }

    fn add(&mut self, form: &str, lead: usize) {
        let mut rest = form;
        let mut enough = CUT_LENGTH + lead;
        loop {
            let end = rest.floor_char_boundary(PIECE_LENGTH);
            self.pieces.push(Piece {
                text: Secret::new(&rest[..end]),
                enough,
                inner: None,
            });
            if end == rest.len() {
                return;
            }
            enough = CUT_LENGTH;
            // The last piece is as long as the others: a short one would be found by chance.
            let last = form.ceil_char_boundary(form.len() - PIECE_LENGTH);
            let next = form.len() - rest.len() + end;
            rest = &form[next.min(last)..];
        }
    }

    fn sort(&mut self) {
        self.pieces
            .sort_by(|one, other| one.bytes().cmp(other.bytes()));
        self.pieces
            .dedup_by(|one, other| one.bytes() == other.bytes());
        self.starts = Starts::default();
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.pieces.len() {
            while let Some(&last) = open.last()
                && !self.pieces[index]
                    .bytes()
                    .starts_with(self.pieces[last].bytes())
            {
                open.pop();
            }
            self.pieces[index].inner = open.last().copied();
            open.push(index);
            match *self.pieces[index].bytes() {
                [first, second, ..] => self.starts.insert(first, second),
                [first] => (0..=255).for_each(|any| self.starts.insert(first, any)),
                [] => {}
            }
        }
    }

    fn may_start(&self, bytes: &[u8]) -> bool {
        match *bytes {
            [first, second, ..] => self.starts.may_have(first, second),
            // The last byte of a text is compared at once.
            [_] => true,
            [] => false,
        }
    }

    /// Returns the place in the text of the longest form, or beginning of one, that starts here.
    fn match_at(&self, text: &str, view: &View, at: usize) -> Option<Range<usize>> {
        let rest = &view.text.as_bytes()[at..];
        let next = self.pieces.partition_point(|piece| piece.bytes() <= rest);
        let before = next.checked_sub(1);
        let begun = [before, Some(next)]
            .into_iter()
            .flatten()
            .filter_map(|index| self.pieces.get(index))
            .map(|piece| (common(piece.bytes(), rest), piece.enough))
            .filter(|(length, enough)| length >= enough)
            .map(|(length, _)| length)
            .max();
        let mut whole = before;
        while let Some(index) = whole
            && !rest.starts_with(self.pieces[index].bytes())
        {
            whole = self.pieces[index].inner;
        }
        let whole = whole
            .map(|index| self.pieces[index].bytes().len())
            .filter(|length| {
                let range = view.place(at, at + length);
                range.len() >= SUBSTRING_LENGTH || is_word(text, range)
            });
        let length = begun.max(whole)?;
        let mut range = view.place(at, at + length);
        if whole != Some(length) && view.cut == Some(at + length) {
            range.end = text.len();
        }
        Some(range)
    }

    /// Returns the end of a text that was cut to a bound, where it is the beginning of a form.
    fn cut_end(&self, text: &str, view: &View) -> Option<Range<usize>> {
        let bytes = view.text.as_bytes();
        [view.cut, Some(bytes.len())]
            .into_iter()
            .flatten()
            .filter_map(|end| {
                (end.saturating_sub(PIECE_LENGTH)..end)
                    .find(|&from| {
                        text.len() - view.place(from, end).start >= CUT_LENGTH
                            && self.begins_with(&bytes[from..end])
                    })
                    .map(|from| view.place(from, end).start..text.len())
            })
            .min_by_key(|range| range.start)
    }

    fn begins_with(&self, start: &[u8]) -> bool {
        let next = self.pieces.partition_point(|piece| piece.bytes() < start);
        self.pieces
            .get(next)
            .is_some_and(|piece| piece.bytes().starts_with(start))
    }
}

fn digest(part: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    hasher.finish()
}

/// A text as it reads, with the place of each byte in the text as it was written.
#[derive(Debug)]
pub(crate) struct View {
    text: String,
    /// Where the spelling of the character that a byte belongs to starts and ends.
    places: Vec<(usize, usize)>,
    /// Where an escape begins that the text's end cuts off.
    cut: Option<usize>,
}

impl View {
    /// Returns all readings of a text.
    pub(crate) fn all(text: &str) -> Vec<Self> {
        let mut views = vec![Self::raw(text)];
        while views.len() <= DEPTH
            && let Some(decoded) = views.last().and_then(Self::decoded)
        {
            views.push(decoded);
        }
        views
    }

    fn raw(text: &str) -> Self {
        let mut view = Self::with_capacity(text.len());
        for (at, char) in text.char_indices() {
            view.push(char, (at, at + char.len_utf8()));
        }
        view
    }

    fn with_capacity(length: usize) -> Self {
        Self {
            text: String::with_capacity(length),
            places: Vec::with_capacity(length),
            cut: None,
        }
    }

    /// Decodes every escape once; `None` when there is none.
    fn decoded(&self) -> Option<Self> {
        if !self.text.contains(['%', '&', '\\']) {
            return None;
        }
        let mut view = Self::with_capacity(self.text.len());
        let mut changed = false;
        let mut at = 0;
        while let Some(char) = self.text[at..].chars().next() {
            let (read, length) = match escape(&self.text[at..]) {
                Escape::Of(read, length) => (read, length),
                Escape::Cut => {
                    view.cut = view.cut.or(Some(view.text.len()));
                    changed = true;
                    (char, char.len_utf8())
                }
                Escape::None => (char, char.len_utf8()),
            };
            changed |= length != char.len_utf8();
            let place = self.place(at, at + length);
            view.push(read, (place.start, place.end));
            at += length;
        }
        view.cut = view.cut.or_else(|| {
            let cut = self.places.get(self.cut?)?.0;
            view.places.iter().position(|place| place.0 >= cut)
        });
        changed.then_some(view)
    }

    /// A plus is a space in a form's data: both read alike. Names of hosts come back in lower case.
    fn push(&mut self, char: char, place: (usize, usize)) {
        if char == '+' {
            self.text.push(' ');
        } else if char.is_ascii() {
            self.text.push(char.to_ascii_lowercase());
        } else {
            self.text.extend(char.to_lowercase());
        }
        self.places.resize(self.text.len(), place);
    }

    fn place(&self, start: usize, end: usize) -> Range<usize> {
        self.places[start].0..self.places[end - 1].1
    }
}

/// The bytes before the part of a secret that nobody else has: a scheme, or the words of a PEM.
fn lead(secret: &str) -> usize {
    if let Some((scheme, _)) = secret.split_once("://") {
        return scheme.len() + 3;
    }
    if let Some(rest) = secret.strip_prefix("-----BEGIN ") {
        return rest.find("-----").map_or(0, |length| 11 + length + 5);
    }
    match secret.split_once(' ') {
        Some((word, _)) if word.bytes().all(|byte| byte.is_ascii_alphabetic()) => word.len() + 1,
        _ => 0,
    }
    .min(PIECE_LENGTH / 2)
}

/// A set of pairs of bytes that may hold more than was put in: a bit for each pair would take
/// eight KiB a link.
#[derive(Clone, Default)]
struct Starts([u64; 32]);

impl Starts {
    fn insert(&mut self, first: u8, second: u8) {
        let (word, bit) = Self::place(first, second);
        self.0[word] |= bit;
    }

    fn may_have(&self, first: u8, second: u8) -> bool {
        let (word, bit) = Self::place(first, second);
        self.0[word] & bit != 0
    }

    fn place(first: u8, second: u8) -> (usize, u64) {
        let bit = ((first >> 5) ^ second) % 64;
        (usize::from(first % 32), 1 << bit)
    }
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// Returns whether a part of a text is no part of a longer word.
pub(crate) fn is_word(text: &str, part: Range<usize>) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    !text[..part.start].ends_with(in_word) && !text[part.end..].starts_with(in_word)
}
