//! Values of an answer, read within the bounds of what came.
//!
//! `kafka-protocol` reserves room for as many elements as an answer says that it has, which is a
//! matter of the answer's honesty. Here the bytes that came are the bound.

use bytes::{Buf as _, Bytes};

/// The body of an answer, from its first byte on. Everything returns `None` where the answer is
/// too short or makes no sense.
#[derive(Debug)]
pub(crate) struct Reader {
    rest: Bytes,
    /// Strings and arrays are compact, and tagged fields follow.
    flexible: bool,
}

impl Reader {
    /// Takes a body whose version is `flexible` (KIP-482) or not.
    pub(crate) fn new(body: Bytes, flexible: bool) -> Self {
        Self {
            rest: body,
            flexible,
        }
    }

    pub(crate) fn skip(&mut self, bytes: usize) -> Option<()> {
        (bytes <= self.rest.len()).then(|| self.rest.advance(bytes))
    }

    pub(crate) fn short(&mut self) -> Option<i16> {
        self.rest.try_get_i16().ok()
    }

    pub(crate) fn int(&mut self) -> Option<i32> {
        self.rest.try_get_i32().ok()
    }

    pub(crate) fn varint(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.rest.try_get_u8().ok()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(value).ok();
            }
        }
        None
    }

    /// Returns a text, empty where the answer has null.
    pub(crate) fn text(&mut self) -> Option<String> {
        let length = if self.flexible {
            self.varint()?.checked_sub(1)
        } else {
            usize::try_from(self.short()?).ok()
        };
        let Some(length) = length else {
            return Some(String::new());
        };
        if length > self.rest.len() {
            return None;
        }
        let text = self.rest.split_to(length);
        String::from_utf8(text.into()).ok()
    }

    pub(crate) fn count(&mut self) -> Option<usize> {
        Some(if self.flexible {
            self.varint()?.saturating_sub(1)
        } else {
            usize::try_from(self.int()?).unwrap_or(0)
        })
    }

    /// Reads an array with a bound on its elements: it grows as they come, whatever number it claims.
    pub(crate) fn array_up_to<T>(
        &mut self,
        most: usize,
        element: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut ahead = Self {
            rest: self.rest.clone(),
            flexible: self.flexible,
        };
        (ahead.count()? <= most).then(|| self.array(element))?
    }

    /// Reads an array: it grows as its elements come, whatever number it claims.
    pub(crate) fn array<T>(&mut self, element: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Some(elements)
    }

    pub(crate) fn tags(&mut self) -> Option<()> {
        if self.flexible {
            for _ in 0..self.varint()? {
                self.varint()?;
                let length = self.varint()?;
                self.skip(length)?;
            }
        }
        Some(())
    }
}
