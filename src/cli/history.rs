//! `linkdial history`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use linkdial_core::{Kind, LinkName};

use super::exit::{Exit, Failure};
use super::registry::{Absent, RegistryArguments, UserArguments, failure};
use super::sweep::kind;
use super::{duration, terminal};
use crate::Selection;
use crate::history::{CheckName, PastCheck, PastSweep, SweepState, diff, expiries_of_past};
use crate::registered::{Registered, each_link};
use crate::registry::{Grant, Permission, Registry, RegistryError};
use crate::report::{Detail, HistoryFormat, HistoryView, HumanOptions, render_history};
use wildmatch::WildMatch;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  linkdial history                        all sweeps, the newest first
  linkdial history shop.orders            past verdicts of a link
  linkdial history --diff                 what changed between the last two sweeps
  linkdial history --diff 12 15           between these two
  linkdial history --sweep 12             the checks of one sweep
  linkdial history --expires-within 30d   what runs out; exit code 1 when something does

Exit codes: 0 it was shown, 1 something ends within --expires-within, 2 bad usage: no such sweep
or link; 3 linkdial could not do its work: no registry or key.")]
pub(super) struct Arguments {
    /// Past verdicts of these links: `database.name`, or `name` in any database; `*` and `?` stand
    /// for other letters
    #[arg(value_name = "NAME-GLOB")]
    name: Option<String>,
    /// What changed: between the last two sweeps, from sweep A to the last one, or from A to B
    #[arg(
        long,
        value_name = "SWEEP",
        num_args = 0..=2,
        value_parser = number_of_a_sweep,
        conflicts_with_all = ["name", "sweep", "expires_within", "keep"]
    )]
    diff: Option<Vec<u64>>,
    /// The checks of one sweep
    #[arg(
        long,
        value_name = "SWEEP",
        value_parser = number_of_a_sweep,
        conflicts_with_all = ["name", "expires_within", "keep"]
    )]
    sweep: Option<u64>,
    /// What runs out within this time according to the last sweeps; exit 1 when something does
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration::parse_age,
        conflicts_with = "name"
    )]
    expires_within: Option<Duration>,
    /// Forget sweeps that are older, but for the last time that each link was green
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration::parse_age,
        conflicts_with_all = ["name", "expires_within"]
    )]
    keep: Option<Duration>,
    /// The newest nights of each check that are shown of a link
    #[arg(long, value_name = "N", default_value = "30", requires = "name")]
    last: usize,
    /// Only links of these kinds, such as `s3,kafka`
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,
    /// Only links of this database
    #[arg(long, value_name = "NAME")]
    in_database: Option<String>,
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    format: HistoryFormat,
    #[command(flatten)]
    registry: RegistryArguments,
    #[command(flatten)]
    user: UserArguments,
}

pub(super) fn run(arguments: Arguments, color: bool) -> Result<Exit, Failure> {
    let opened = arguments.registry.open(Absent::Refuse)?;
    settle(&opened.registry);
    let shelf = Shelf {
        registry: &opened.registry,
        kinds: arguments.kinds,
        database: arguments.in_database,
        grants: grants(&opened.registry, &arguments.user.user)?,
    };
    let now = Timestamp::now();
    let mut exit = Exit::Good;
    let view = if let Some(name) = &arguments.name {
        shelf.of_links(name, arguments.last)?
    } else if let Some(numbers) = &arguments.diff {
        shelf.diff(numbers)?
    } else if let Some(number) = arguments.sweep {
        let sweep = shelf.sweep(number)?;
        let checks = shelf.checks(number)?;
        HistoryView::Sweep(sweep, checks)
    } else if let Some(within) = arguments.expires_within {
        let mut expiries = expiries_of_past(&shelf.known_now()?);
        let ends = now.checked_add(within).unwrap_or(Timestamp::MAX);
        expiries.retain(|expiry| expiry.at <= ends);
        if !expiries.is_empty() {
            exit = Exit::Failed;
        }
        HistoryView::Expiries(expiries)
    } else {
        if let Some(keep) = arguments.keep {
            shelf.forget(&arguments.user.user, keep, now)?;
        }
        HistoryView::Sweeps(shelf.sweeps()?)
    };
    let options = HumanOptions {
        detail: Detail::Normal,
        color,
    };
    terminal::print(|out| render_history(&view, arguments.format, options, now, out))?;
    Ok(exit)
}

fn number_of_a_sweep(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "write the number of a sweep, as `linkdial history` lists them")
}

/// Lets a sweep that was killed say so, where none runs and the registry can be written.
fn settle(registry: &Registry) {
    if let Ok(lock) = registry.lock_at_once() {
        registry.settle_sweeps(&lock).ok();
    }
}

/// Returns the permissions of a user; `None` for root, who may see everything.
fn grants(registry: &Registry, user: &str) -> Result<Option<Vec<Grant>>, Failure> {
    if user == Registry::ROOT {
        return Ok(None);
    }
    let grants = registry.grants(user).map_err(|error| failure(&error))?;
    Ok(Some(grants))
}

/// The history as one user sees it.
struct Shelf<'a> {
    registry: &'a Registry,
    kinds: Vec<Kind>,
    database: Option<String>,
    grants: Option<Vec<Grant>>,
}

impl Shelf<'_> {
    fn shows(&self, link: &LinkName) -> bool {
        let database = link.database.as_deref().unwrap_or_default();
        let meant = self.database.as_deref();
        meant.is_none_or(|meant| meant == database)
            && self.grants.as_ref().is_none_or(|grants| {
                let mut grants = grants.iter();
                grants.any(|grant| grant.allows(Permission::ShowLink, database))
            })
    }

    fn wants(&self, check: &PastCheck) -> bool {
        self.shows(&check.name.link) && (self.kinds.is_empty() || self.kinds.contains(&check.kind))
    }

    fn sweeps(&self) -> Result<Vec<PastSweep>, Failure> {
        collect(|each| self.registry.sweeps(each))
    }

    fn sweep(&self, number: u64) -> Result<PastSweep, Failure> {
        let sweeps = self.sweeps()?;
        let newest = sweeps.first().map(|sweep| sweep.number);
        let mut sweeps = sweeps.into_iter();
        sweeps
            .find(|sweep| sweep.number == number)
            .ok_or_else(|| match newest {
                None => Failure::Usage("there is no sweep yet".to_owned()),
                Some(newest) => Failure::Usage(format!(
                    "there is no sweep {number}; the newest one is {newest}"
                )),
            })
    }

    fn checks(&self, sweep: u64) -> Result<Vec<PastCheck>, Failure> {
        let mut checks: Vec<PastCheck> =
            collect(|each| self.registry.checks_of_sweep(sweep, each))?;
        checks.retain(|check| self.wants(check));
        Ok(checks)
    }

    /// Returns the state of every check as it was known after a sweep.
    fn known_after(&self, sweep: u64) -> Result<Vec<PastCheck>, Failure> {
        let before = sweep.saturating_add(1);
        let mut checks: Vec<PastCheck> = collect(|each| self.registry.last_checks(before, each))?;
        checks.retain(|check| self.wants(check));
        Ok(checks)
    }

    /// Returns what is known now of the checks that the registry still has. One that is red takes the
    /// dates over that it had when it was green.
    fn known_now(&self) -> Result<Vec<PastCheck>, Failure> {
        let selection = Selection::default();
        let registered = Registered::read(self.registry, &selection);
        let registered = registered.map_err(|error| Failure::Broken(error.to_string()))?;
        let targets = registered.dials.targets().map(|(link, target)| {
            let target = target.map_or_else(String::new, ToString::to_string);
            (link.clone(), target)
        });
        let targets: HashSet<(LinkName, String)> = targets.collect();
        let mut checks = self.known_after(u64::MAX)?;
        checks.retain(|check| {
            let name = &check.name;
            targets.contains(&(name.link.clone(), name.target.clone()))
        });
        for check in checks.iter_mut().filter(|check| check.is_red()) {
            let remembered = self.registry.remembered(&check.name, u64::MAX);
            let remembered = remembered.map_err(|error| failure(&error))?;
            if let Some((green, ..)) = &remembered.green {
                check.facts.add_dates_of(&green.facts);
            }
        }
        Ok(checks)
    }

    fn links_now(&self) -> Result<HashSet<LinkName>, Failure> {
        let mut links = HashSet::new();
        let read = each_link(self.registry, |link| {
            links.insert(link.name);
        });
        read.map_err(|error| failure(&error))?;
        Ok(links)
    }

    fn of_links(&self, name: &str, last: usize) -> Result<HistoryView, Failure> {
        let pattern = WildMatch::new(name);
        let fits = |link: &LinkName| {
            if name.contains('.') {
                pattern.matches(&link.to_string())
            } else {
                pattern.matches(&link.name)
            }
        };
        let links = self.registry.links_of_history();
        let mut links = links.map_err(|error| failure(&error))?;
        links.retain(|link| fits(link) && self.shows(link));
        if links.is_empty() {
            return Err(Failure::Usage(format!("no sweep has dialled `{name}`")));
        }
        let sweeps = self.sweeps()?.into_iter();
        let started: BTreeMap<u64, Timestamp> =
            sweeps.map(|sweep| (sweep.number, sweep.started)).collect();
        let mut checks = Vec::new();
        for link in links {
            let mut of_link = Vec::new();
            let mut seen: HashMap<CheckName, usize> = HashMap::new();
            let read = self.registry.checks_of_link(&link, |check, sweep| {
                let count = seen.entry(check.name.clone()).or_default();
                if let Some(&at) = started.get(&sweep)
                    && *count < last
                    && self.wants(&check)
                {
                    *count += 1;
                    of_link.push((check, sweep, at));
                }
                ControlFlow::Continue(())
            });
            read.map_err(|error| failure(&error))?;
            // Stable: the newest of each check stays first.
            of_link.sort_by(|(left, ..), (right, ..)| left.name.cmp(&right.name));
            checks.extend(of_link);
        }
        if checks.is_empty() {
            return Err(Failure::Usage(format!(
                "no sweep has dialled `{name}` as a link of these kinds"
            )));
        }
        Ok(HistoryView::Link(checks))
    }

    fn diff(&self, numbers: &[u64]) -> Result<HistoryView, Failure> {
        let counted =
            |sweep: &PastSweep| matches!(sweep.state, SweepState::Complete | SweepState::Cut);
        let sweeps = self.sweeps()?.into_iter().filter(|it| counted(it));
        let last: Vec<u64> = sweeps.map(|sweep| sweep.number).take(2).collect();
        let (before, now) = match (numbers, last.as_slice()) {
            ([before, now], _) | ([before], [now, ..]) | ([], [now, before]) => (*before, *now),
            _ => {
                terminal::note("nothing to compare yet: the history has fewer than two sweeps");
                return Ok(HistoryView::Sweeps(self.sweeps()?));
            }
        };
        let (first, second) = (self.sweep(before)?, self.sweep(now)?);
        for sweep in [&first, &second] {
            if !counted(sweep) {
                return Err(Failure::Usage(format!(
                    "sweep {} has nothing to compare: it is {}",
                    sweep.number,
                    sweep.state.as_str()
                )));
            }
        }
        // A sweep may have dialled a part of the links: the others are as they were known then. Those
        // that are gone are no news.
        let own: HashSet<CheckName> = self.checks(now)?.into_iter().map(|it| it.name).collect();
        let links = self.links_now()?;
        let mut then = self.known_after(now)?;
        then.retain(|it| own.contains(&it.name) || links.contains(&it.name.link));
        let mut changes = diff(&self.known_after(before)?, &then);
        for change in &mut changes {
            let named = self.registry.name_definitions(change);
            named.map_err(|error| failure(&error))?;
        }
        Ok(HistoryView::Diff {
            before: first,
            now: second,
            changes,
        })
    }

    fn forget(&self, user: &str, keep: Duration, now: Timestamp) -> Result<(), Failure> {
        if self.grants.is_some() {
            return Err(Failure::Usage(format!(
                "user `{user}` may not forget sweeps (sql.not-permitted)\nhint: only root may"
            )));
        }
        let oldest = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
        let lock = self.registry.lock_for_sweep();
        let gone = lock.and_then(|_lock| self.registry.forget_sweeps(oldest));
        match gone.map_err(|error| failure(&error))? {
            0 => {}
            1 => terminal::note("forgot 1 sweep"),
            gone => terminal::note(&format!("forgot {gone} sweeps")),
        }
        Ok(())
    }
}

/// Gathers what is handed over one by one.
fn collect<T>(
    read: impl FnOnce(&mut dyn FnMut(T) -> ControlFlow<()>) -> Result<(), RegistryError>,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    read(&mut |one| {
        all.push(one);
        ControlFlow::Continue(())
    })
    .map_err(|error| failure(&error))?;
    Ok(all)
}
