//! Entry points for hostile bytes, as those of `linkdial_core::fuzz`: the greeting of a `NameNode`, and
//! the words of the client about its answers.

use linkdial_core::fuzz::Target;

use crate::{client, negotiation};

/// The readers of this crate.
pub const TARGETS: &[Target] = &[
    ("namenode_offer", negotiation::fuzz),
    ("hdfs_words", client::fuzz),
];
