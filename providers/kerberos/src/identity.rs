//! Who logs in, and with what.

use crate::cache::TicketCache;
use crate::fault::Guilty;
use crate::keytab::Keytab;
use crate::principal::Principal;

/// A client with what proves it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who it is, realm included.
    pub principal: Principal,
    /// What proves it.
    pub proof: Proof,
    /// Where the link says so.
    pub guilty: Guilty,
}

/// What proves a client to its KDC.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Keys of the principal.
    Keytab(Keytab),
    /// A ticket that somebody else got.
    Cache(TicketCache),
    /// Nothing that is here: the KDC is asked whether it knows the principal, and no more.
    Nothing,
}
