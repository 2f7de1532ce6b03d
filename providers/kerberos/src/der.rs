//! Reads DER (X.690) that a peer sent. Never beyond the end, and never a panic.
//!
//! picky-asn1-der writes our requests. It does not read answers: it takes the first byte of an empty
//! INTEGER, which panics, and picky-krb's `KrbError` has `cusec` as a time, so that it can not read
//! the errors of servers that send it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
const GENERALIZED_TIME: u8 = 0x18;

/// The tag of an explicit field.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// The tag of a message.
pub(crate) const fn application(number: u8) -> u8 {
    0x60 | number
}

/// The elements that are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Takes the next element off: its tag and its contents.
    pub(crate) fn next(&mut self) -> Option<(u8, Self)> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        // Tags of several bytes and lengths without end do not occur.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits
                    .iter()
                    .fold(0_u64, |sum, it| sum << 8 | u64::from(*it));
                (usize::try_from(length).ok()?, rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, Self(contents)))
    }

    /// Takes the next element off, which has to have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Self> {
        let (found, contents) = self.next()?;
        (found == tag).then_some(contents)
    }

    /// Takes the next element off where it has this tag; `None` within where it has not.
    #[expect(
        clippy::option_option,
        reason = "a field that is left out is no damage"
    )]
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Option<Self>> {
        if self.0.first() == Some(&tag) {
            return self.expect(tag).map(Some);
        }
        Some(None)
    }

    /// Takes an explicit field off and returns what is in its one element.
    pub(crate) fn field(&mut self, number: u8, tag: u8) -> Option<Self> {
        self.expect(context(number))?.only(tag)
    }

    /// As [`Der::field`], for a field that may be left out.
    #[expect(
        clippy::option_option,
        reason = "a field that is left out is no damage"
    )]
    pub(crate) fn optional_field(&mut self, number: u8, tag: u8) -> Option<Option<Self>> {
        match self.optional(context(number))? {
            Some(field) => field.only(tag).map(Some),
            None => Some(None),
        }
    }

    /// Returns the contents of the only element.
    pub(crate) fn only(mut self, tag: u8) -> Option<Self> {
        let contents = self.expect(tag)?;
        self.is_empty().then_some(contents)
    }

    /// Reads the contents of an INTEGER.
    pub(crate) fn number(self) -> Option<i64> {
        let (&first, _) = self.0.split_first()?;
        if self.0.len() > 8 {
            return None;
        }
        let sign = if first & 0x80 == 0 { 0 } else { -1 };
        Some(
            self.0
                .iter()
                .fold(sign, |sum, it| sum << 8 | i64::from(*it)),
        )
    }

    /// Takes an explicit field with an INTEGER off.
    pub(crate) fn number_field(&mut self, number: u8) -> Option<i64> {
        self.field(number, INTEGER)?.number()
    }

    /// Takes an explicit field with text off.
    pub(crate) fn text_field(&mut self, number: u8) -> Option<String> {
        let (_, text) = self.expect(context(number))?.next()?;
        Some(text.text())
    }

    /// Reads text, whichever kind of string it is.
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }

    /// Takes an explicit field with a time off.
    pub(crate) fn time_field(&mut self, number: u8) -> Option<Timestamp> {
        self.field(number, GENERALIZED_TIME)?.time()
    }

    /// As [`Der::time_field`], for a field that may be left out.
    #[expect(
        clippy::option_option,
        reason = "a field that is left out is no damage"
    )]
    pub(crate) fn optional_time_field(&mut self, number: u8) -> Option<Option<Timestamp>> {
        match self.optional_field(number, GENERALIZED_TIME)? {
            Some(time) => time.time().map(Some),
            None => Some(None),
        }
    }

    /// Reads `YYYYMMDDHHMMSSZ` (RFC 4120, section 5.2.3).
    fn time(self) -> Option<Timestamp> {
        let text = std::str::from_utf8(self.0).ok()?;
        let digits = text.strip_suffix('Z')?;
        if digits.len() != 14 || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
        let small = |from: usize| i8::try_from(part(from, from + 2)?).ok();
        let time = DateTime::new(
            part(0, 4)?,
            small(4)?,
            small(6)?,
            small(8)?,
            small(10)?,
            small(12)?,
            0,
        );
        Offset::UTC.to_timestamp(time.ok()?).ok()
    }
}
