//! A key pair, and the rules over its two halves.

use linkdial_core::{Change, Clauses, Code, Diagnosis, Secret};

/// A key pair.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The public half.
    pub id: String,
    /// What signs.
    pub secret: Secret,
    /// What goes with a temporary pair.
    pub token: Option<Secret>,
}

impl Keys {
    /// Returns the key id for a report; nothing when it looks like a secret put in its place.
    pub fn shown_id(&self) -> &str {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
        if self.id.len() < SECRET_LENGTH && self.id.chars().all(plain) {
            &self.id
        } else {
            ""
        }
    }
}

/// Secrets are this long on AWS and at Google, and ids are shorter.
const SECRET_LENGTH: usize = 40;

/// What a kind calls the two halves, and how it tells them apart.
#[derive(Clone, Copy, Debug)]
pub struct PairForm {
    /// The key of the public half.
    pub id: &'static str,
    /// The key of what signs.
    pub secret: &'static str,
    /// Whether a text has the form of an id, which no secret has.
    pub looks_like_id: fn(&str) -> bool,
    /// Says which of the two the id is.
    pub hint: &'static str,
}

/// What a link has of a key pair.
#[derive(Clone, Debug)]
pub enum Pair {
    /// Neither half.
    Absent,
    /// Both, without a token.
    Whole(Keys),
    /// One of the two, which is a finding.
    Half,
}

impl Pair {
    /// Reads both halves; what is wrong with them is a finding.
    pub fn read(clauses: &mut Clauses<'_>, form: &PairForm) -> Self {
        let PairForm { id, secret, .. } = *form;
        match (clauses.text(id), clauses.secret(secret)) {
            // What is wrong with one of them is found already.
            (shown, signs)
                if (shown.is_none() || signs.is_none())
                    && (clauses.failed_at(id) || clauses.failed_at(secret)) =>
            {
                Self::Half
            }
            (None, None) => Self::Absent,
            (Some(shown), Some(signs)) => {
                let is_id = form.looks_like_id;
                if is_id(signs.expose()) && !is_id(&shown) {
                    clauses.add(
                        Diagnosis::new(
                            Code::DefineInvalidValue,
                            format!("`{id}` and `{secret}` are swapped"),
                        )
                        .key(clauses.place(id))
                        .key(clauses.place(secret))
                        .hint(form.hint)
                        .repair(Change::Swap(clauses.place(id), clauses.place(secret))),
                    );
                } else if !shown.is_ascii() && !clauses.failed_at(id) {
                    clauses.add(
                        Diagnosis::new(
                            Code::DefineInvalidValue,
                            format!("`{id}` holds a character that no header can carry"),
                        )
                        .key(clauses.place(id))
                        .hint(form.hint),
                    );
                }
                Self::Whole(Keys {
                    id: shown,
                    secret: signs,
                    token: None,
                })
            }
            (shown, _) => {
                let (there, missing) = if shown.is_some() {
                    (id, secret)
                } else {
                    (secret, id)
                };
                clauses.missing(
                    missing,
                    format!("`{there}` stands without `{missing}`"),
                    format!("add `{missing}`, or remove `{there}` for a public bucket"),
                );
                Self::Half
            }
        }
    }
}
