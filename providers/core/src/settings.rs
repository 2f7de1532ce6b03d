//! How deep, how long and over which network a probe goes.

use std::time::Duration;

use crate::net::Net;
use crate::probe::Stage;

/// What the caller allows a probe to do.
#[derive(Debug)]
pub struct Settings {
    /// The last stage to walk.
    pub until: Stage,
    /// Whether the write stage may run where the intent writes.
    pub write: bool,
    /// Whether an HTTP link may send one batch of zero rows.
    pub post_empty: bool,
    /// The deadline of each stage.
    pub stage_timeout: Duration,
    /// The deadline of one check as a whole.
    pub check_timeout: Duration,
    /// Names, addresses, certificates and routes.
    pub net: Net,
}

impl Settings {
    /// The deadline of each stage unless the caller says otherwise.
    pub const STAGE_TIMEOUT: Duration = Duration::from_secs(5);
    /// The deadline of one check unless the caller says otherwise.
    pub const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            until: Stage::Write,
            write: false,
            post_empty: false,
            stage_timeout: Self::STAGE_TIMEOUT,
            check_timeout: Self::CHECK_TIMEOUT,
            net: Net::default(),
        }
    }
}
