//! Nights on real sockets of this process.
