//! Links of a registry, with the checks of each.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use linkdial_core::{Code, Diagnosis, LinkName, Secret, Stage};

use crate::apply::{all_targets, opened};
use crate::check::{CheckError, Selection};
use crate::dial::Dials;
use crate::registry::{Listed, Registry, RegistryError, State};
use crate::report::Check;
use crate::script::{ScriptLink, Use};

/// Links of a registry, with the checks of each.
#[derive(Debug, Default)]
pub(crate) struct Registered {
    pub(crate) dials: Dials,
    /// In the order of their names.
    pub(crate) links: Vec<RegisteredLink>,
}

/// A link of a registry with the numbers of its checks.
#[derive(Debug)]
pub(crate) struct RegisteredLink {
    pub(crate) name: LinkName,
    pub(crate) numbers: Range<usize>,
    pub(crate) state: State,
    /// `None` where its definition is damaged.
    pub(crate) revision: Option<u64>,
    /// The number of the last change of its clauses.
    pub(crate) definition: Option<u64>,
}

impl Registered {
    /// Reads the links that are meant.
    pub(crate) fn read(registry: &Registry, selection: &Selection) -> Result<Self, CheckError> {
        let mut registered = Self::default();
        for (link, added) in selection.links(registry)? {
            registered.add(registry, link, added)?;
        }
        Ok(registered)
    }

    /// Adds a link with its targets, unless it was dropped after it was listed.
    fn add(
        &mut self,
        registry: &Registry,
        listed: Listed,
        added: Vec<Use>,
    ) -> Result<(), RegistryError> {
        let known = registry.read(&listed.name)?;
        let (mut revision, mut definition) = (None, None);
        let numbers = if let Some(stored) = known.link {
            (revision, definition) = (Some(stored.revision), Some(stored.definition));
            let mut link = opened(&stored);
            let added = added.into_iter().map(|used| (used, None));
            link.uses = all_targets(&known.targets, added).1;
            self.dials.add(Arc::new(link))
        } else if known.damaged.is_some() {
            let error = RegistryError::Damaged(listed.name.clone());
            let nothing = Secret::new("{}");
            let link = ScriptLink::stored(listed.name.clone(), listed.kind, &nothing, &nothing);
            let finding = Diagnosis::new(Code::Interrupted(Stage::Define), error.to_string());
            self.dials.add_broken(link, finding.hint(error.hint()))
        } else {
            return Ok(());
        };
        self.links.push(RegisteredLink {
            name: listed.name,
            numbers,
            state: listed.state,
            revision,
            definition,
        });
        Ok(())
    }

    /// Notes on the checks of deferred links since when they are, and by whom.
    pub(crate) fn remark(&self, checks: &mut [Check]) {
        for link in &self.links {
            if let State::Deferred { at, by } = &link.state {
                let remark = format!("since {at:.0} by {by}");
                for check in &mut checks[link.numbers.clone()] {
                    if let Some(step) = check.steps.first_mut() {
                        step.notes.push(("deferred", remark.clone()));
                    }
                }
            }
        }
    }
}

/// Hands over the names, kinds and states of all links, one at a time.
pub(crate) fn each_link(
    registry: &Registry,
    mut each: impl FnMut(Listed),
) -> Result<(), RegistryError> {
    registry.list(None, |link| {
        each(link);
        ControlFlow::Continue(())
    })
}
