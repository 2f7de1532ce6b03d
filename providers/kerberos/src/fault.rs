//! What went wrong, and which part of the identity is to blame.

use linkdial_core::{Code, Diagnosis, KeyPlace};

/// The part of a link that a fault comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The name of the client or its realm.
    Principal,
    /// The keytab or the ticket cache.
    Keys,
    /// The name of the service.
    Service,
    /// Nothing that the link says: the network, the KDC, the clock, `krb5.conf`.
    Outside,
}

/// Where a link names the parts.
#[derive(Clone, Debug, Default)]
pub struct Guilty {
    /// The key with the principal.
    pub principal: Option<KeyPlace>,
    /// The key with the keytab or the ticket cache.
    pub keys: Option<KeyPlace>,
    /// The key with the name of the service.
    pub service: Option<KeyPlace>,
}

/// A finding about Kerberos, before it is known which keys of the link are guilty.
#[derive(Clone, Debug, PartialEq)]
pub struct KerberosFault {
    part: Part,
    diagnosis: Box<Diagnosis>,
}

impl KerberosFault {
    pub(crate) fn new(part: Part, diagnosis: Diagnosis) -> Self {
        Self {
            part,
            diagnosis: Box::new(diagnosis),
        }
    }

    /// Returns what kind of fault it is.
    pub const fn code(&self) -> Code {
        self.diagnosis.code
    }

    /// Returns the part of the link that it comes from.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// Returns the finding, with the keys of the link that are guilty.
    pub fn into_diagnosis(self, guilty: &Guilty) -> Diagnosis {
        let place = match self.part {
            Part::Principal => &guilty.principal,
            Part::Keys => &guilty.keys,
            Part::Service => &guilty.service,
            Part::Outside => &None,
        };
        match place {
            Some(place) => self.diagnosis.key(place.clone()),
            None => *self.diagnosis,
        }
    }

    /// Adds a piece of evidence.
    #[must_use]
    pub(crate) fn evidence(self, name: &'static str, value: impl std::fmt::Display) -> Self {
        Self {
            part: self.part,
            diagnosis: Box::new(self.diagnosis.evidence(name, value)),
        }
    }
}

impl From<Diagnosis> for KerberosFault {
    /// A fault of the ladder: nothing of the link is to blame.
    fn from(diagnosis: Diagnosis) -> Self {
        Self::new(Part::Outside, diagnosis)
    }
}
