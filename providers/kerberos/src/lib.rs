#![doc = include_str!("../README.md")]

mod cache;
mod conf;
mod der;
mod encryption;
mod exchange;
mod fault;
mod file;
#[doc(hidden)]
pub mod fuzz;
mod gss;
#[cfg(test)]
mod hostile;
mod identity;
mod kdc_answer;
mod kdc_error;
mod kdc_request;
mod keytab;
mod login;
mod material;
mod octets;
mod offer;
mod principal;
mod profile;
mod realm;
#[cfg(test)]
mod referral;
mod refusal;
mod ticket;
mod turn;
mod visit;

pub use cache::{CacheError, CachedTicket, TicketCache};
pub use conf::Krb5Conf;
pub use encryption::EncryptionType;
pub use fault::{Guilty, KerberosFault, Part};
pub use gss::Initiator;
pub use identity::{Identity, Proof};
pub use keytab::{Keytab, KeytabEntry, KeytabError, KeytabFile};
pub use login::{LogIn, Login, Unproved, log_in};
pub use material::{Environment, Material, Ready, Settled, Source, Stated};
pub use principal::{InvalidPrincipal, Principal};
pub use realm::{KdcSource, Realm};
