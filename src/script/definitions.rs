//! What ALTER LINK makes of a definition.

use linkdial_core::{Clause, ClauseName};

use super::ScriptLink;
use super::action::{Alter, Change};
use super::faults::Faults;
use super::link_clause::LinkClause;
use super::variables::{Unbound, Variables};

/// Changes the clauses of a link, and tells it what the comments say. `false`, with the faults
/// recorded, when a variable is missing; the link is then of no use.
pub(crate) fn alter(
    link: &mut ScriptLink,
    alter: Alter,
    variables: &Variables,
    faults: &mut Faults,
) -> bool {
    let mut whole = true;
    for (name, change) in alter.changes {
        let before = link.clause_text(name).take();
        let after = match change {
            Change::Replace(clause) => Some(clause),
            Change::Key { key, value, file } => {
                match LinkClause::set(before, name, &key, &value, file, variables) {
                    Ok(after) => Some(after),
                    Err(unbound) => {
                        whole = false;
                        faults.unbound(file, value.span, unbound.name.as_deref());
                        None
                    }
                }
            }
        };
        let (parsed, unbound) = match &after {
            Some(clause) => clause.parse(variables),
            None => (Clause::empty(name), Vec::new()),
        };
        for Unbound { name, span } in &unbound {
            whole = false;
            let place = after.as_ref().and_then(|clause| clause.locate(span));
            if let Some((file, span)) = place {
                faults.unbound(file, span, name.as_deref());
            }
        }
        *link.clause_text(name) = after;
        match name {
            ClauseName::Config => link.definition.config = parsed,
            ClauseName::Credentials => link.definition.credentials = parsed,
        }
    }
    alter.comments.apply(link);
    link.gather_secrets(variables);
    whole
}
