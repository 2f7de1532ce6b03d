//! A `NameNode` inside the process, for answers that no real one gives.

mod messages;
mod server;

pub use server::{HadoopException, LocatedBlock, NameNodeAnswer, ScriptedNameNode};
