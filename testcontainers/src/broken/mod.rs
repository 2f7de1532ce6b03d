//! Servers that misbehave on purpose, one fault each.

mod dead;
mod server;

pub use dead::{BlackHole, RefusedPort, UNREACHABLE};
pub use server::{Broken, Fault};

/// What an SSH server says before anybody asked.
pub const SSH_BANNER: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

/// What a mail server says before anybody asked.
pub const SMTP_BANNER: &[u8] = b"220 mail.example ESMTP ready\r\n";

/// What a plain web server answers to a TLS handshake.
pub const HTTP_BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 11\r\nconnection: close\r\n\r\nbad request";

/// A TLS record that holds a fatal `handshake_failure` alert (RFC 8446, section 6).
pub const TLS_HANDSHAKE_FAILURE: &[u8] = &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];
