//! The `linkdial` command.

fn main() {}
