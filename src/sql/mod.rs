//! The statement language: text to tree. Knows no backend and does no I/O.

mod source;

pub use source::{Excerpt, Place};
