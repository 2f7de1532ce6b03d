//! One link that is mended: which candidate is dialled next, and what its dial means.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use linkdial_core::{Change, Code, KeyPlace, Outcome, Repair, Stage, Target, stays_with_its_host};

use super::copy::{Fix, Fixes};
use super::draft::{Draft, Edit};
use super::edits::{edits, sql};
use super::sentence::part;
use super::shown::{self, Guard};
use super::{CorrectedPart, CorrectedText, Correction};
use crate::dial::{self, Planned};
use crate::report::{Check, Finding};
use crate::script::link_clause::same;
use crate::script::{ScriptLink, ScriptOptions, Use};

/// The most candidates that are dialled for one check.
const MAX_DIALS: usize = 3;
/// The most changes after one another that a candidate is made of; those that are found without a dial
/// cost nothing.
const MAX_ROUNDS: usize = 6;

/// A link's statement with some changes, and one of its checks' target.
#[derive(Clone)]
struct Candidate {
    draft: Draft,
    link: Arc<ScriptLink>,
    /// The link before each of the changes.
    past: Vec<Arc<ScriptLink>>,
    parts: Vec<CorrectedPart>,
    target: Option<(Target, CorrectedPart)>,
    rounds: usize,
    /// Nothing is changed beside that or after it: the link sent no secret as it was, and no more is
    /// known.
    without_tls: bool,
}

impl Candidate {
    /// Knows what was a secret at any time.
    fn guard(&self, original: &ScriptLink) -> Guard {
        let past = self.past.iter().map(AsRef::as_ref);
        Guard::of(past.chain([original, &self.link]))
    }
}

/// A check that passes with what was changed.
#[derive(Clone)]
struct Proof {
    verdict: Outcome,
    elapsed: Duration,
    target: Option<(Target, CorrectedPart)>,
}

enum State {
    /// A candidate has passed with its own target, and is tried with those of the other checks.
    Crossing {
        candidate: Box<Candidate>,
        proof: Box<Proof>,
        others: VecDeque<usize>,
        found: Vec<(usize, Check)>,
        asked: bool,
    },
    Idle,
    Proving(Box<Candidate>),
}

/// What is known of a link while it is mended.
pub(super) struct Work {
    numbers: Range<usize>,
    planned: Vec<Planned>,
    options: ScriptOptions,
    /// How the checks ended with the statement as it stands.
    found: Vec<Check>,
    /// How they end with what is adopted.
    now: Vec<Check>,
    adopted: Candidate,
    proofs: Vec<Option<Proof>>,
    /// Checks that were not looked at.
    ahead: VecDeque<usize>,
    current: usize,
    dials: usize,
    queue: VecDeque<Candidate>,
    /// How the current check ended with the candidate that is tried with the others.
    passing: Option<Check>,
    state: State,
}

impl Work {
    /// Takes the checks of one link; `None` where its statement can not be mended by itself, such as
    /// one that ALTER LINK has changed.
    pub(super) fn new(
        numbers: Range<usize>,
        planned: &[Planned],
        found: &[Check],
        options: ScriptOptions,
    ) -> Option<Self> {
        let link = planned.first()?.link();
        let (source, _, span) = link.statement()?;
        let draft = Draft::new(source.text().get(span)?);
        let read = draft.read(&options)?;
        let is_whole = read.definition.kind == link.definition.kind
            && same(&read.definition.config, &link.definition.config)
            && same(&read.definition.credentials, &link.definition.credentials);
        let adopted = Candidate {
            draft,
            link: Arc::new(dressed(read, link)),
            past: Vec::new(),
            parts: Vec::new(),
            target: None,
            rounds: 0,
            without_tls: false,
        };
        is_whole.then(|| Self {
            numbers,
            planned: planned.to_vec(),
            options,
            found: found.to_vec(),
            now: found.to_vec(),
            adopted,
            proofs: vec![None; planned.len()],
            ahead: (0..planned.len()).collect(),
            current: 0,
            dials: 0,
            queue: VecDeque::new(),
            passing: None,
            state: State::Idle,
        })
    }

    /// Returns what is to be dialled now; nothing when the work is done.
    pub(super) fn next(&mut self) -> Vec<Planned> {
        if let State::Crossing {
            candidate,
            others,
            asked,
            ..
        } = &mut self.state
        {
            if *asked {
                return Vec::new();
            }
            *asked = true;
            let dials = others.iter().map(|&other| {
                let target = self.proofs[other]
                    .as_ref()
                    .and_then(|it| it.target.as_ref());
                let target = target.map(|(target, _)| target.clone());
                self.planned[other].instead(Arc::clone(&candidate.link), target)
            });
            return dials.collect();
        }
        while matches!(self.state, State::Idle) {
            let candidate = self.queue.pop_front().filter(|_| self.dials < MAX_DIALS);
            if let Some(candidate) = candidate {
                if let Some(candidate) = self.ready(candidate) {
                    self.dials += 1;
                    let target = candidate.target.as_ref().map(|(target, _)| target.clone());
                    let link = Arc::clone(&candidate.link);
                    self.state = State::Proving(Box::new(candidate));
                    return vec![self.planned[self.current].instead(link, target)];
                }
                continue;
            }
            let Some(number) = self.ahead.pop_front() else {
                break;
            };
            self.current = number;
            self.dials = 0;
            self.queue.clear();
            let is_good = self.now[number].verdict() == Outcome::Pass;
            if self.proofs[number].is_none() && !is_good {
                let base = Candidate {
                    rounds: 0,
                    target: None,
                    ..self.adopted.clone()
                };
                self.queue = self.candidates(&base, &self.now[number].clone());
            }
        }
        Vec::new()
    }

    /// Learns how a dial ended.
    pub(super) fn take(&mut self, check: Check) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Proving(candidate) => self.proved(*candidate, check),
            State::Crossing {
                candidate,
                proof,
                mut others,
                mut found,
                asked,
            } => {
                found.extend(others.pop_front().map(|number| (number, check)));
                if others.is_empty() {
                    self.crossed(*candidate, *proof, found);
                } else {
                    self.state = State::Crossing {
                        candidate,
                        proof,
                        others,
                        found,
                        asked,
                    };
                }
            }
        }
    }

    fn proved(&mut self, candidate: Candidate, check: Check) {
        if !mends(&self.found[self.current], &check) {
            if refuses_identity(&check) {
                // Another attempt would be a guess, and may lock an account; so it would be with the
                // link's other targets.
                self.queue.clear();
                self.ahead.clear();
            } else {
                for next in self.candidates(&candidate, &check).into_iter().rev() {
                    self.queue.push_front(next);
                }
            }
            return;
        }
        let proof = Proof {
            verdict: check.verdict(),
            elapsed: check.elapsed,
            target: candidate.target.clone(),
        };
        let changed = candidate.draft.text() != self.adopted.draft.text();
        self.passing = Some(check);
        let others = (0..self.planned.len()).filter(|number| changed && *number != self.current);
        let others: VecDeque<usize> = others.collect();
        if others.is_empty() {
            self.crossed(candidate, proof, Vec::new());
        } else {
            self.state = State::Crossing {
                candidate: Box::new(candidate),
                proof: Box::new(proof),
                others,
                found: Vec::new(),
                asked: false,
            };
        }
    }

    /// Adopts a candidate, unless a check of the link is worse with it.
    fn crossed(&mut self, candidate: Candidate, proof: Proof, found: Vec<(usize, Check)>) {
        self.queue.clear();
        let worse = |(number, check): &(usize, Check)| is_worse(&self.now[*number], check);
        if found.iter().any(worse) {
            return;
        }
        self.adopted = candidate;
        self.proofs[self.current] = Some(proof);
        if let Some(check) = self.passing.take() {
            self.now[self.current] = check;
        }
        for (number, check) in found {
            if mends(&self.found[number], &check) {
                let target = self.proofs[number].take().and_then(|it| it.target);
                self.proofs[number] = Some(Proof {
                    verdict: check.verdict(),
                    elapsed: check.elapsed,
                    target,
                });
            }
            self.now[number] = check;
        }
    }

    /// Returns a candidate that may be dialled: what its clauses alone say against it is mended
    /// first, without a packet.
    fn ready(&self, mut candidate: Candidate) -> Option<Candidate> {
        loop {
            let opened = dial::open(&candidate.link);
            let failed = |it: &&linkdial_core::Diagnosis| it.outcome == Outcome::Fail;
            if !opened.findings.iter().any(|it| failed(&it)) {
                return Some(candidate);
            }
            if candidate.without_tls {
                return None;
            }
            let changes = opened.findings.iter().filter_map(|it| it.repairs.first());
            let changes: Vec<Change> = changes.flat_map(Repair::changes).cloned().collect();
            candidate = self.with(&candidate, &changes)?;
        }
    }

    /// Returns what would mend a check, the likeliest first. Findings beside the one that decides give
    /// their likeliest repair to each of them.
    fn candidates(&self, base: &Candidate, check: &Check) -> VecDeque<Candidate> {
        if base.without_tls {
            return VecDeque::new();
        }
        let mut findings: Vec<&Finding> = check.findings().into_iter().map(|it| it.1).collect();
        if refuses_identity(check) {
            let keys = check
                .headline()
                .map_or(&[][..], |(_, finding)| &finding.keys);
            let named = |place: &KeyPlace| {
                let mut keys = keys.iter();
                keys.any(|key| (key.clause, &key.pointer) == (place.clause, &place.pointer))
            };
            findings.retain(|finding| {
                let changes = finding.repairs.iter().flat_map(Repair::changes);
                finding.code.stage() == Some(Stage::Define)
                    && changes
                        .clone()
                        .any(|change| place(change).is_some_and(named))
            });
        }
        findings.retain(|finding| !finding.repairs.is_empty());
        let Some((first, rest)) = findings.split_first() else {
            return VecDeque::new();
        };
        let alone = rest.is_empty();
        let rest = rest.iter().filter_map(|finding| finding.repairs.first());
        let rest = rest.filter(|repair| !takes_tls_away(repair));
        let rest: Vec<Change> = rest.flat_map(Repair::changes).cloned().collect();
        let first = first.repairs.iter();
        let candidates = first.filter(|repair| alone || !takes_tls_away(repair));
        let candidates = candidates.filter_map(|repair| {
            let mut changes = repair.changes().to_vec();
            let others = rest.iter().filter(|it| !repair.changes().contains(it));
            changes.extend(others.cloned());
            let mut candidate = self.with(base, &changes)?;
            candidate.without_tls |= takes_tls_away(repair);
            Some(candidate)
        });
        candidates.take(MAX_DIALS).collect()
    }

    /// Carries changes out as far as there is a hold for them; `None` where there is for none.
    fn with(&self, base: &Candidate, changes: &[Change]) -> Option<Candidate> {
        let mut candidate = base.clone();
        candidate.rounds += 1;
        if candidate.rounds > MAX_ROUNDS {
            return None;
        }
        let mut changed = false;
        // Places inside a text are right as long as it is as it was.
        let mut changes: Vec<&Change> = changes.iter().collect();
        changes.sort_by_key(|it| !matches!(it, Change::Cut(_) | Change::StraightQuotes(_)));
        for change in changes {
            let guard = candidate.guard(self.planned[self.current].link());
            if let Change::Target(text) = change {
                let Some(used) = self.planned[self.current].target() else {
                    continue;
                };
                if stays_with_its_host(used.as_str(), text) {
                    let target = Target::new(text.as_str())
                        .with_format(used.format().map(str::to_owned))
                        .with_registry(used.registry().map(str::to_owned));
                    let shown = used.to_string();
                    let before = guard.is_harmless(&shown).then_some(shown);
                    let part = part(change, &candidate.link, &candidate.link, &guard);
                    candidate.target = Some((target, CorrectedPart { before, ..part }));
                    changed = true;
                }
                continue;
            }
            let Some(draft) = edits(&candidate.link, candidate.draft.text(), change)
                .and_then(|edits| candidate.draft.apply(edits))
            else {
                continue;
            };
            let Some(read) = draft.read(&self.options) else {
                continue;
            };
            let link = dressed(read, self.planned[self.current].link());
            candidate
                .parts
                .push(part(change, &candidate.link, &link, &guard));
            candidate.draft = draft;
            let before = std::mem::replace(&mut candidate.link, Arc::new(link));
            candidate.past.push(before);
            changed = true;
        }
        changed.then_some(candidate)
    }

    /// Puts what was proved into the checks, and what it changes into the fixes.
    pub(super) fn finish(self, checks: &mut [Check], fixes: &mut Fixes) {
        let Some(original) = self.planned.first().map(Planned::link) else {
            return;
        };
        let guard = self.adopted.guard(original);
        let (link, text) = (&self.adopted.link, self.adopted.draft.text());
        let Some(statement) = shown::statement(link, text, &self.options, &guard) else {
            return;
        };
        if !self.proofs.iter().any(Option::is_some) {
            return;
        }
        let mut fix = Fix::new(link, self.adopted.parts.len());
        let shown_edits = self.place_edits(original, &mut fix, &guard);
        for (number, proof) in self.numbers.clone().zip(&self.proofs) {
            let Some(proof) = proof else { continue };
            let mut changes = self.adopted.parts.clone();
            let mut hidden = false;
            let mut edits = shown_edits.clone().unwrap_or_default();
            if let Some((target, part)) = &proof.target {
                changes.push(part.clone());
                let used = self.planned[number - self.numbers.start].used();
                let mut written = false;
                for (file, span) in used.into_iter().flat_map(Use::places) {
                    let Some(source) = original.source(*file) else {
                        continue;
                    };
                    let Some(quote) = source
                        .text()
                        .get(span.clone())
                        .and_then(|it| it.chars().next())
                    else {
                        continue;
                    };
                    let edit = Edit {
                        range: span.start + 1..span.end - 1,
                        text: sql(target.as_str(), quote),
                    };
                    // Half of a repair is none: where the target may not be shown, no edit is.
                    let is_shown = target.to_string() == target.as_str();
                    if shown_edits.is_some() && is_shown && guard.is_harmless(&edit.text) {
                        edits.push(CorrectedText {
                            start: source.place(edit.range.start),
                            end: source.place(edit.range.end),
                            text: edit.text.clone(),
                        });
                    } else {
                        hidden = true;
                    }
                    fix.add(*file, edit);
                    written = true;
                }
                fix.parts += usize::from(written);
                fixes.left_out += usize::from(!written);
            }
            if hidden {
                edits.clear();
            }
            checks[number].correction = Some(Correction {
                statement: statement.clone(),
                changes,
                verdict: proof.verdict,
                elapsed: proof.elapsed,
                target: proof.target.as_ref().map(|(target, _)| target.to_string()),
                edits,
            });
        }
        fixes.push(fix);
    }

    /// Returns the edits of the statement as a report may show them; `None` when it may not.
    fn place_edits(
        &self,
        original: &ScriptLink,
        fix: &mut Fix,
        guard: &Guard,
    ) -> Option<Vec<CorrectedText>> {
        let (source, file, span) = original.statement()?;
        let mut shown = Vec::new();
        let mut may_be_shown = true;
        for edit in self.adopted.draft.edits() {
            let range = span.start + edit.range.start..span.start + edit.range.end;
            may_be_shown &= guard.is_harmless(&edit.text);
            shown.push(CorrectedText {
                start: source.place(range.start),
                end: source.place(range.end),
                text: edit.text.clone(),
            });
            fix.add(
                file,
                Edit {
                    range,
                    text: edit.text.clone(),
                },
            );
        }
        // What is carried from place to place is a secret as a rule.
        let mut parts = self.adopted.parts.iter();
        may_be_shown &= parts.all(|part| !matches!(part.action, "move" | "swap"));
        may_be_shown.then_some(shown)
    }
}

/// Gives a link that was read by itself what the script says about it elsewhere.
fn dressed(mut read: ScriptLink, link: &ScriptLink) -> ScriptLink {
    read.name = link.name.clone();
    read.place.clone_from(&link.place);
    read.uses.clone_from(&link.uses);
    read.ignored.clone_from(&link.ignored);
    read.deferred = link.deferred;
    for secret in &link.secrets {
        if !read.secrets.contains(secret) {
            read.secrets.push(secret.clone());
        }
    }
    read
}

/// Returns whether a dial shows that what was wrong before is mended: it passes, or warns of nothing
/// but what was wrong as well.
fn mends(before: &Check, after: &Check) -> bool {
    if after.broken {
        return false;
    }
    let codes = |check: &Check| -> Vec<Code> {
        check
            .findings()
            .iter()
            .map(|(_, finding)| finding.code)
            .collect()
    };
    match (before.verdict(), after.verdict()) {
        (_, Outcome::Pass) => true,
        (Outcome::Fail, Outcome::Warn) => !proves_nothing(after),
        (Outcome::Warn, Outcome::Warn) => {
            let (before, after) = (codes(before), codes(after));
            after.len() < before.len() && after.iter().all(|code| before.contains(code))
        }
        _ => false,
    }
}

/// Returns whether a check warns of what leaves open whether the link is good.
pub(super) fn proves_nothing(check: &Check) -> bool {
    let mut findings = check.findings().into_iter();
    findings.any(|(_, finding)| crate::apply::UNPROVEN.contains(&finding.code))
}

/// Returns whether a check ended worse than before.
fn is_worse(before: &Check, after: &Check) -> bool {
    let count = |check: &Check| check.findings().len();
    let verdicts = (before.verdict(), after.verdict());
    after.broken
        || verdicts.1 > verdicts.0
        || (verdicts == (Outcome::Warn, Outcome::Warn) && count(after) > count(before))
}

/// Returns whether a server has refused who the link is, and the refusal itself knows no repair.
fn refuses_identity(check: &Check) -> bool {
    let Some((_, finding)) = check.headline() else {
        return false;
    };
    let about_identity = match finding.code {
        // They are about how to log in, not as whom.
        Code::AuthenticateRequired
        | Code::AuthenticateMechanismNotOffered
        | Code::AuthenticateProtectionMismatch
        | Code::Interrupted(_) => false,
        Code::AccessDenied => true,
        code => code.stage() == Some(Stage::Authenticate),
    };
    about_identity && finding.repairs.is_empty()
}

/// Returns the place that a change is about, where there is one.
const fn place(change: &Change) -> Option<&KeyPlace> {
    match change {
        Change::Cut(place)
        | Change::EscapeLineBreaks(place)
        | Change::Move(place)
        | Change::Port { place, .. }
        | Change::Remove(place)
        | Change::Rename { place, .. }
        | Change::Scheme { place, .. }
        | Change::Set { place, .. }
        | Change::Swap(place, _)
        | Change::Trim(place) => Some(place),
        Change::StraightQuotes(_) | Change::Target(_) => None,
    }
}

fn takes_tls_away(repair: &Repair) -> bool {
    repair.changes().iter().any(Change::takes_tls_away)
}
