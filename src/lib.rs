//! Dials SingleStore connection links with real clients before they are registered.

pub mod script;
pub mod sql;
