//! Which rights a check of a bucket takes.

use crate::probe::Probe;
use crate::stage::Stage;

/// A right over what is in a bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// To list the names.
    List,
    /// To read an object.
    Read,
    /// To write an object that is not there yet.
    Write,
    /// To delete an object.
    Delete,
}

/// What a check does, as far as it decides which rights it takes: no more than the uses of the target,
/// and the sentinel where that is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and most of their combinations happen"
)]
pub struct Needs {
    /// Whether an object is read for its own sake.
    pub reads: bool,
    /// Whether something is written.
    pub writes: bool,
    /// Whether a sentinel is written, read back and deleted.
    pub proves_writing: bool,
    /// Whether an object was read, so that this right is there.
    pub has_read: bool,
}

impl Needs {
    /// Takes them from a check that has ended.
    pub fn of(probe: &Probe) -> Self {
        let intent = probe.intent();
        Self {
            reads: intent.reads(),
            writes: intent.write,
            proves_writing: probe.may_write(),
            has_read: probe.has_passed(Stage::Read),
        }
    }

    /// Returns all rights, in the order of the calls.
    pub fn all(self) -> Vec<Right> {
        let mut rights = vec![Right::List];
        let mut add = |wanted: bool, right| {
            if wanted && !rights.contains(&right) {
                rights.push(right);
            }
        };
        add(self.reads, Right::Read);
        add(self.writes, Right::Write);
        add(self.proves_writing, Right::Read);
        add(self.proves_writing, Right::Delete);
        rights
    }

    /// Returns the rights that are missing when one was refused: with it those of the calls behind it,
    /// which were not tried.
    pub fn missing(self, refused: Right) -> Vec<Right> {
        let mut missing = self.all();
        let first = missing.iter().position(|right| *right == refused);
        missing.drain(..first.unwrap_or_default());
        // What was read was read before; nothing may have been there to read.
        let untried = self.proves_writing && !self.has_read && refused == Right::Write;
        if untried && !missing.contains(&Right::Read) {
            missing.push(Right::Read);
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::Right::{Delete, List, Read, Write};
    use super::*;

    const READS: Needs = Needs {
        reads: true,
        writes: false,
        proves_writing: false,
        has_read: false,
    };

    #[test]
    fn who_only_reads_needs_no_right_to_write() {
        assert_eq!(READS.missing(List), [List, Read]);
        assert_eq!(READS.missing(Read), [Read]);
    }

    #[test]
    fn who_writes_needs_what_the_sentinel_does() {
        let writes = Needs {
            reads: false,
            writes: true,
            ..READS
        };
        assert_eq!(writes.missing(List), [List, Write]);
        let proves = Needs {
            proves_writing: true,
            ..writes
        };
        assert_eq!(proves.missing(List), [List, Write, Read, Delete]);
        assert_eq!(proves.missing(Write), [Write, Read, Delete]);
        let both = Needs {
            reads: true,
            ..proves
        };
        assert_eq!(both.missing(Write), [Write, Delete, Read]);
        let both = Needs {
            has_read: true,
            ..both
        };
        assert_eq!(both.missing(Write), [Write, Delete]);
        assert_eq!(both.missing(Delete), [Delete]);
    }
}
