//! The judge: reads the notes and what the store holds at the end, and names what the contract of the port forbids.
//!
//! Calls that overlapped may have happened in either order; it speaks only of what no order allows.

use super::record::{Entry, Step, Taken, What};
use crate::delivery::{DeliveryState, Moved, Outcome};
use crate::log::{Appended, DedupeKey};
use crate::port::Store;
use crate::query::Life;
use jiff::Timestamp;
use kernel::id::{AttemptId, DeliveryId, Position};
use kernel::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// What a history shows that cannot be, and how much was looked at.
#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<String>,
    /// Facts acknowledged, duplicates told, claims, claims of lanes that another had let go of by time, attempts that a
    /// later owner was told of, moves refused.
    pub facts: usize,
    pub duplicates: usize,
    pub claims: usize,
    pub taken_over: usize,
    pub handed_on: usize,
    pub refused: usize,
}

/// What the store holds of the subjects of a history.
///
/// # Errors
/// Those of the store.
pub async fn lives(store: &dyn Store, entries: &[Entry]) -> crate::port::StoreResult<Vec<Life>> {
    let roots: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Appended { subject, .. } => Some((subject.shop.clone(), subject.root().to_owned())),
            _ => None,
        })
        .collect();
    let mut lives = Vec::with_capacity(roots.len());
    for (shop, root) in roots {
        lives.push(store.life(&shop, &root).await?);
    }
    Ok(lives)
}

/// Judges a whole history. `lives`: after everything was brought to its end.
pub fn judge(entries: &[Entry], lives: &[Life]) -> Verdict {
    let mut verdict = Verdict::default();
    log(entries, lives, &mut verdict);
    newest(entries, lives, &mut verdict);
    let mut lanes: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(claim) = of_lane(&entry.what) {
            lanes.entry(&claim.lane).or_default().push(entry);
        }
    }
    let times = Times::of(entries);
    let mut lives_end: Vec<u64> = entries
        .iter()
        .filter(|entry| matches!(entry.what, What::Reopened))
        .map(|entry| entry.began)
        .collect();
    lives_end.push(u64::MAX);
    for of_lane in lanes.values() {
        let mut rest = of_lane.as_slice();
        for end in &lives_end {
            let (life, later) = rest.split_at(rest.partition_point(|entry| entry.began < *end));
            holds(life, &times, &mut verdict);
            rest = later;
        }
        attempts(of_lane, &mut verdict);
        order(entries, of_lane, &mut verdict);
    }
    verdict
}

fn of_lane(what: &What) -> Option<&Taken> {
    match what {
        What::Claimed { claim, .. } | What::Moved { claim, .. } | What::GaveBack { claim } => Some(claim),
        What::Appended { .. } | What::Routed { .. } | What::Reopened => None,
    }
}

/// Promises 1 and 2: what was acknowledged is there, once; a duplicate is one of something.
fn log(entries: &[Entry], lives: &[Life], verdict: &mut Verdict) {
    let held: BTreeMap<Position, bool> = lives
        .iter()
        .flat_map(|life| life.envelopes.iter().map(|(envelope, routed)| (envelope.position, *routed)))
        .collect();
    let mut stored: BTreeMap<DedupeKey, Vec<Position>> = BTreeMap::new();
    // By key: when a copy may have been stored at the earliest.
    let mut first: BTreeMap<DedupeKey, u64> = BTreeMap::new();
    for entry in entries {
        let What::Appended { key, answer, .. } = &entry.what else { continue };
        if let Some(Appended::Stored(position)) = answer {
            verdict.facts += 1;
            stored.entry(*key).or_default().push(*position);
            match held.get(position) {
                Some(true) => {}
                Some(false) => verdict.violations.push(format!("{position:?} was never routed")),
                None => verdict.violations.push(format!("{position:?} was acknowledged and is not there")),
            }
        }
        if !matches!(answer, Some(Appended::Duplicate { .. })) {
            let began = first.entry(*key).or_insert(entry.began);
            *began = entry.began.min(*began);
        }
    }
    for (key, positions) in &stored {
        if positions.len() > 1 {
            verdict.violations.push(format!("{key:?} was stored {} times: {positions:?}", positions.len()));
        }
    }
    for entry in entries {
        let What::Appended { key, answer: Some(Appended::Duplicate { same_body }), .. } = &entry.what else {
            continue;
        };
        verdict.duplicates += 1;
        if first.get(key).is_none_or(|began| *began > entry.ended) {
            verdict.violations.push(format!("{key:?} was called a duplicate of nothing"));
        }
        if !same_body {
            verdict.violations.push(format!("{key:?} came with the same bytes and was told apart"));
        }
    }
}

/// Promise 5: the newest state of a subject is what was delivered; every event was.
fn newest(entries: &[Entry], lives: &[Life], verdict: &mut Verdict) {
    let outcomes: BTreeMap<Position, Vec<&DeliveryState>> = {
        let mut outcomes: BTreeMap<Position, Vec<&DeliveryState>> = BTreeMap::new();
        for delivery in lives.iter().flat_map(|life| &life.deliveries) {
            outcomes.entry(delivery.position).or_default().push(&delivery.state);
        }
        outcomes
    };
    let mut newest: BTreeMap<&Subject, (i64, Position)> = BTreeMap::new();
    for entry in entries {
        if let What::Appended { subject, number, answer: Some(Appended::Stored(position)), .. } = &entry.what
        {
            let known = newest.entry(subject).or_insert((*number, *position));
            *known = (*known).max((*number, *position));
        }
    }
    for (subject, (number, position)) in newest {
        let ended = outcomes.get(&position).map(Vec::as_slice).unwrap_or_default();
        if !matches!(ended, [DeliveryState::Ended(Outcome::Delivered { .. })]) {
            let text = format!("{subject}: its newest fact {number} at {position:?} ended as {ended:?}");
            verdict.violations.push(text);
        }
    }
}

/// The latest time that any call had told the store of, by where it began.
struct Times(Vec<(u64, Timestamp)>);

impl Times {
    fn of(entries: &[Entry]) -> Self {
        let mut told: Vec<(u64, Timestamp)> = entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Claimed { now: at, .. } | What::Moved { at, .. } => Some((entry.began, *at)),
                _ => None,
            })
            .collect();
        told.sort_unstable();
        let mut latest = Timestamp::MIN;
        for (_, at) in &mut told {
            latest = latest.max(*at);
            *at = latest;
        }
        Self(told)
    }

    fn before(&self, place: u64) -> Timestamp {
        let count = self.0.partition_point(|(began, _)| *began < place);
        self.0[..count].last().map_or(Timestamp::MIN, |(_, at)| *at)
    }
}

/// A claim as it was answered.
struct Hold<'a> {
    entry: &'a Entry,
    claim: &'a Taken,
    until: Timestamp,
}

/// Promises 3 and 4: one holder at a time, and nobody is heard who lost the lane.
fn holds(of_lane: &[&Entry], times: &Times, verdict: &mut Verdict) {
    let mut claims: Vec<Hold<'_>> = of_lane
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Claimed { claim, until, .. } => Some(Hold { entry, claim, until: *until }),
            _ => None,
        })
        .collect();
    claims.sort_by_key(|hold| hold.claim.fence);
    verdict.claims += claims.len();
    for pair in claims.windows(2) {
        let [older, newer] = pair else { continue };
        let (lane, fence) = (&older.claim.lane, older.claim.fence);
        if newer.claim.fence == fence {
            verdict.violations.push(format!("{lane}: fence {fence} was given out twice"));
        } else if newer.entry.ended < older.entry.began {
            verdict.violations.push(format!("{lane}: fence {fence} came after fence {}", newer.claim.fence));
        }
        if let_go(of_lane, fence, newer.entry.ended) {
            continue;
        }
        // A call that comes late with an early time may find what another's time has ended.
        let at = times.before(newer.entry.ended);
        if at < renewed(of_lane, fence, newer.entry.began, older.until) {
            verdict.violations.push(format!(
                "{lane}: taken at {at} under fence {} while fence {fence} held it",
                newer.claim.fence
            ));
        } else {
            verdict.taken_over += 1;
        }
    }
    for entry in of_lane {
        let What::Moved { claim, answer: Some(answer), .. } = &entry.what else { continue };
        let overtaken = |hold: &&Hold<'_>| hold.claim.fence > claim.fence && hold.entry.ended < entry.began;
        match (answer, claims.iter().find(overtaken)) {
            (Moved::Lost, _) => verdict.refused += 1,
            (Moved::Done { .. }, Some(newer)) => verdict.violations.push(format!(
                "{}: fence {} was heard after fence {} was given out",
                claim.lane, claim.fence, newer.claim.fence
            )),
            (Moved::Done { .. }, None) => {}
        }
    }
}

/// Until when a holder surely held the lane, by renewals that were answered before `before`.
fn renewed(of_lane: &[&Entry], fence: i64, before: u64, until: Timestamp) -> Timestamp {
    let renewals =
        of_lane.iter().filter(|entry| entry.ended < before).filter_map(|entry| match &entry.what {
            What::Moved { claim, until: Some(until), answer: Some(Moved::Done { .. }), .. }
                if claim.fence == fence =>
            {
                Some(*until)
            }
            _ => None,
        });
    renewals.max().map_or(until, |renewed| renewed.max(until))
}

/// Whether a holder may have let go of the lane by an act of its own that began before `before`.
fn let_go(of_lane: &[&Entry], fence: i64, before: u64) -> bool {
    of_lane.iter().any(|entry| {
        entry.began < before
            && match &entry.what {
                What::GaveBack { claim } => claim.fence == fence,
                // Refused: its delivery ended before its attempt began, which gives the lane back.
                What::Moved { claim, until, answer, .. } => {
                    claim.fence == fence && (until.is_none() || !matches!(answer, Some(Moved::Done { .. })))
                }
                _ => false,
            }
    })
}

/// Promise 3: an attempt that was begun and not ended is what the next owner is told of.
fn attempts(of_lane: &[&Entry], verdict: &mut Verdict) {
    let begun: Vec<(&Entry, DeliveryId, AttemptId)> = of_lane
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Moved {
                claim, kind: Step::Begins, answer: Some(Moved::Done { begun: Some(id) }), ..
            } => Some((*entry, claim.delivery, *id)),
            _ => None,
        })
        .collect();
    for (began, delivery, attempt) in begun {
        // From here on somebody may have ended it.
        let may_end = of_lane
            .iter()
            .filter(|entry| match &entry.what {
                What::Moved { claim, kind: Step::Ends, answer, .. } => {
                    claim.delivery == delivery
                        && !matches!(answer, Some(Moved::Lost))
                        && entry.ended > began.began
                }
                _ => false,
            })
            .map(|entry| entry.began)
            .min()
            .unwrap_or(u64::MAX);
        for entry in of_lane.iter().filter(|entry| entry.began > began.ended && entry.ended < may_end) {
            let What::Claimed { claim, .. } = &entry.what else { continue };
            if claim.open_attempt == Some(attempt) && claim.delivery == delivery {
                verdict.handed_on += 1;
            } else {
                verdict.violations.push(format!(
                    "{}: {attempt:?} of {delivery:?} has no answer, and the next owner was given {:?} with {:?}",
                    claim.lane, claim.delivery, claim.open_attempt
                ));
            }
        }
    }
}

/// Promise 4 and 5: events in the order of the log, and no older state once a newer one was delivered.
fn order(entries: &[Entry], of_lane: &[&Entry], verdict: &mut Verdict) {
    let ends: Vec<(&Entry, &Taken)> = of_lane
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Moved { claim, kind: Step::Ends, answer, .. } if !matches!(answer, Some(Moved::Lost)) => {
                Some((*entry, claim))
            }
            _ => None,
        })
        .collect();
    let claims: Vec<(&Entry, &Taken)> = of_lane
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Claimed { claim, .. } => Some((*entry, claim)),
            _ => None,
        })
        .collect();
    for (at, claim) in &claims {
        for (end, newer) in &ends {
            let same = newer.subject == claim.subject && !newer.is_event && !claim.is_event;
            if same && newer.number > claim.number && end.ended < at.began {
                verdict.violations.push(format!(
                    "{}: state {} was handed out after {} was delivered",
                    claim.lane, claim.number, newer.number
                ));
            }
        }
    }
    let first_claim = |position: Position| {
        claims.iter().filter(|(_, claim)| claim.position == position).map(|(entry, _)| entry.began).min()
    };
    let routed: BTreeMap<Position, u64> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Routed { positions } => Some(positions.iter().map(|position| (*position, entry.ended))),
            _ => None,
        })
        .flatten()
        .fold(BTreeMap::new(), |mut routed, (position, ended)| {
            routed.entry(position).or_insert(ended);
            routed
        });
    let events: BTreeSet<Position> =
        claims.iter().filter(|(_, claim)| claim.is_event).map(|(_, claim)| claim.position).collect();
    for (index, earlier) in events.iter().enumerate() {
        let may_have_ended =
            ends.iter().filter(|(_, claim)| claim.position == *earlier).map(|(entry, _)| entry.began).min();
        let known = routed.get(earlier).copied().unwrap_or(u64::MAX);
        for later in events.iter().skip(index + 1) {
            let Some(taken) = first_claim(*later) else { continue };
            if taken > known && may_have_ended.is_none_or(|ended| ended > taken_end(&claims, *later)) {
                verdict.violations.push(format!("the event at {later:?} went before the one at {earlier:?}"));
            }
        }
    }
}

/// When the first claim of this position was answered.
fn taken_end(claims: &[(&Entry, &Taken)], position: Position) -> u64 {
    claims
        .iter()
        .filter(|(_, claim)| claim.position == position)
        .map(|(entry, _)| entry.ended)
        .min()
        .unwrap_or(0)
}
