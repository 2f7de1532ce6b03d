//! Reads the fixed and counted fields of keytabs and ticket caches. Never beyond the end.

/// What is left of a file, in one byte order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Octets<'a> {
    rest: &'a [u8],
    little_endian: bool,
}

impl<'a> Octets<'a> {
    pub(crate) const fn big_endian(rest: &'a [u8]) -> Self {
        Self {
            rest,
            little_endian: false,
        }
    }

    /// Reads numbers in the order of this machine.
    pub(crate) const fn native(rest: &'a [u8]) -> Self {
        Self {
            rest,
            little_endian: cfg!(target_endian = "little"),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes the next `count` bytes off.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// Takes the next `count` bytes off, to be read on their own.
    pub(crate) fn part(&mut self, count: usize) -> Option<Self> {
        let rest = self.take(count)?;
        Some(Self { rest, ..*self })
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(if self.little_endian {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.try_into().ok()?;
        Some(if self.little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// Takes bytes behind their number in 16 bits.
    pub(crate) fn counted16(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(usize::from(count))
    }

    /// Takes bytes behind their number in 32 bits.
    pub(crate) fn counted32(&mut self) -> Option<&'a [u8]> {
        let count = self.u32()?;
        self.take(usize::try_from(count).ok()?)
    }
}
