//! Moves: what an outcome implies, in one transaction; fenced, and lost where the lane or the delivery is another's.

use crate::append::{Prepared, names as append_names, places as append_places, prepare};
use crate::bind::args;
use crate::claims::Here;
use crate::codec::{UNKNOWN, day, nanos, version_bytes};
use crate::deliveries::{Because, Origin};
use crate::desk::{Desk, Shared, names_of, transact};
use crate::error::Done;
use crate::letters::json;
use crate::partitions::Table;
use crate::work::{Begun, Finished, Link, Numbers, Slim, Work};
use crate::writer::Grouped;
use jiff::Timestamp;
use kernel::clock::after;
use kernel::id::{AttemptId, Position, ShopId};
use kernel::subject::Lane;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use store::delivery::{DeliveryState, EndedAttempt, Move, Moved, NewAttempt, Wait};
use store::seal::vault::{Vault, call_place, column_place};

/// The place of the fault of an attempt.
pub(crate) const ATTEMPT_FAULT: &str = "attempts.fault";

/// A move with its follow-ups sealed on the caller's side.
#[derive(Debug)]
pub(crate) struct PreparedMove {
    step: Move,
    follow_ups: Vec<Prepared>,
}

pub(crate) fn prepared(vault: &Vault, moves: Vec<Move>) -> Result<Vec<PreparedMove>, StoreError> {
    let one = |mut step: Move| {
        let follow_ups = prepare(vault, std::mem::take(&mut step.follow_ups))?;
        Ok(PreparedMove { step, follow_ups })
    };
    moves.into_iter().map(one).collect()
}

impl Grouped for PreparedMove {
    type Answer = Moved;
    const MAX: usize = 64;

    /// The transaction is answered after it is on disk where an attempt begins with it; an outcome is derived: if it is
    /// lost, its attempt is found without an answer and looked up.
    async fn commit(shared: &Arc<Shared>, moves: &[&Self]) -> Done<Vec<Moved>> {
        let (mut names, mut places) = (Vec::new(), Vec::new());
        for PreparedMove { step, follow_ups } in moves {
            names.extend(append_names(follow_ups));
            places.extend(append_places(follow_ups));
            names.push(crate::names::of_shop(&step.lane.shop));
            names.push(step.lane.system.as_str().to_owned());
            if let Some(new) = &step.begun {
                names.extend([new.step.clone(), new.revision.clone()]);
                places.push((Table::Attempts, day(new.started_at)));
            }
            for later in &step.schedule {
                names.extend(names_of(&later.subject));
                names.extend([later.flow.as_str(), later.lane.system.as_str()].map(str::to_owned));
            }
        }
        shared.ensure(names.iter().map(String::as_str)).await?;
        shared.partitions.ensure(&shared.pool, &places).await?;
        let here = Here { shared: shared.clone() };
        let begins = moves.iter().any(|prepared| prepared.step.begun.is_some());
        let moved: Done<Vec<Moved>> = if begins {
            transact!(here, Write, desk => desk.advance(moves).await)
        } else {
            transact!(here, Derived, desk => desk.advance(moves).await)
        };
        let moved = moved?;
        let shops = moves.iter().filter_map(|prepared| shared.names.shop_number(&prepared.step.lane.shop));
        shared.committed(shops);
        Ok(moved)
    }
}

impl Desk {
    async fn advance(&self, moves: &[&PreparedMove]) -> Done<Vec<Moved>> {
        let mut of_shops: BTreeMap<&ShopId, Vec<usize>> = BTreeMap::new();
        for (index, prepared) in moves.iter().enumerate() {
            of_shops.entry(&prepared.step.lane.shop).or_default().push(index);
        }
        let mut moved = vec![Moved::Lost; moves.len()];
        let mut follow_ups: Vec<&Prepared> = Vec::new();
        for (shop, of_shop) in of_shops {
            let steps = || of_shop.iter().map(|index| &moves[*index].step);
            let mut roots: BTreeSet<String> = steps().map(|step| step.lane.root.clone()).collect();
            roots.extend(steps().flat_map(|step| step.schedule.iter().map(|later| later.lane.root.clone())));
            let deliveries: Vec<i64> = steps().map(|step| step.delivery.0).collect();
            let numbers = Numbers {
                deliveries: steps().map(|step| step.schedule.len()).sum(),
                attempts: steps().filter(|step| step.begun.is_some()).count(),
            };
            let mut work = Work::on(self, shop, &roots, &deliveries, numbers).await?;
            for index in of_shop {
                let prepared = moves[index];
                moved[index] = work.move_on(&prepared.step).await?;
                if moved[index] != Moved::Lost {
                    follow_ups.extend(&prepared.follow_ups);
                }
            }
            work.flush().await?;
        }
        if !follow_ups.is_empty() {
            self.append(&follow_ups).await?;
        }
        Ok(moved)
    }
}

impl Work<'_> {
    async fn move_on(&mut self, step: &Move) -> Done<Moved> {
        let Some(system) = self.desk.names().number(step.lane.system.as_str()) else {
            return Ok(Moved::Lost);
        };
        let lane = (step.lane.root.clone(), system);
        if self.holds.get(&lane).is_none_or(|hold| hold.fence != step.fence) {
            return Ok(Moved::Lost);
        }
        let row = self.rows.get(&step.delivery.0).filter(|row| row.lane() == lane).cloned();
        match row {
            Some(row) if row.is_open() || step.begun.is_none() => self.apply(row, lane, step).await,
            // Superseded, skipped or redacted before its attempt began: the lane is free for what comes next.
            _ => {
                self.set_hold(lane, None);
                Ok(Moved::Lost)
            }
        }
    }

    async fn apply(&mut self, row: Slim, lane: (String, i32), step: &Move) -> Done<Moved> {
        let of_flow = (row.root.clone(), row.child.clone(), row.flow);
        if let Some(ended) = &step.ended {
            self.end_attempt(&row, ended).await?;
        }
        if let Some(external) = &step.external {
            let (root, child, system) = (row.root.clone(), row.child.clone(), row.system);
            let link = Link { root: root.clone(), child: child.clone(), system, external: external.clone() };
            self.links.insert((root, child, system), link);
        }
        if let (Some((version, digest)), Some(standing)) = (&step.delivered, self.standings.get_mut(&of_flow))
        {
            standing.delivered = version.as_ref().map(version_bytes);
            standing.digest = Some(digest.to_vec());
            self.changed_standings.insert(of_flow.clone());
        }
        let before = match &step.begun {
            Some(new) => self.begun_before(&row, new).await?,
            None => None,
        };
        let begun = match (&step.begun, before) {
            (Some(new), None) => Some(self.begin(&row, new).await?),
            (_, before) => before,
        };
        if let Some(standing) =
            self.standings.get_mut(&of_flow).filter(|row| begun.is_some() && !row.attempted)
        {
            standing.attempted = true;
            self.changed_standings.insert(of_flow);
        }
        if row.is_open() {
            let changed = self.row_mut(row.id)?;
            changed.spent = step.spent.cast_signed();
            changed.failures = step.failures.cast_signed();
            changed.calls += i32::from(begun.is_some() && before.is_none());
            if let Some(state) = state_after(step, begun.is_some()) {
                let because = Because { fault: step.dead.as_ref(), closing: None };
                self.set_state(row.id, &state, step.at, because).await?;
            }
        }
        let origin = Origin { position: Position(row.position), day: row.day };
        for later in &step.schedule {
            self.insert(later.clone(), origin, step.at).await?;
        }
        let hold = self.holds.get(&lane).filter(|_| step.keep).cloned();
        let kept = hold.map(|mut hold| {
            let length = Duration::from_nanos(hold.length_ns.unsigned_abs());
            hold.until = hold.until.max(nanos(after(step.at, length)));
            hold
        });
        self.set_hold(lane, kept);
        Ok(Moved::Done { begun })
    }

    async fn end_attempt(&mut self, row: &Slim, ended: &EndedAttempt) -> Done<()> {
        let fault = match &ended.fault {
            // What a redacted root's target says is not kept.
            Some(fault) if self.has_key(&row.root) => {
                let place = column_place(ATTEMPT_FAULT, ended.id.0);
                Some(self.seal(&row.root, &place, &json(fault)?).await?)
            }
            _ => None,
        };
        // The one that is open is always the newest.
        let Some(day) = row.attempt_day else { return Ok(()) };
        self.finished.push(Finished {
            day,
            id: ended.id.0,
            ended_at: nanos(ended.ended_at),
            by_look_up: ended.by_look_up,
            fault,
        });
        Ok(())
    }

    /// The attempt that this very move has begun: its commit was done, and its answer was lost on the way, so that it is
    /// asked for again. A call key belongs to one attempt.
    async fn begun_before(&self, row: &Slim, new: &NewAttempt) -> Done<Option<AttemptId>> {
        let Some(day) = row.attempt_day.filter(|_| row.phase == UNKNOWN) else { return Ok(None) };
        let found = self.desk.one(NEWEST_ATTEMPT, args![self.shop, row.id, day]).await?;
        let Some(found) = found else { return Ok(None) };
        let (id, call_key): (i64, &str) = (found.try_get(0)?, found.try_get(1)?);
        Ok((call_key == new.call_key.as_str()).then_some(AttemptId(id)))
    }

    /// Commits an attempt as `sending`, with its frozen call.
    async fn begin(&mut self, row: &Slim, new: &NewAttempt) -> Done<AttemptId> {
        let names = self.desk.names();
        let (step, revision) = (names.given(&new.step)?, names.given(&new.revision)?);
        let id = self.next_attempt()?;
        let call_key = new.call_key.as_str().to_owned();
        let call = self.seal(&row.root, &call_place(&call_key), &new.frozen).await?;
        let day = day(new.started_at);
        self.row_mut(row.id)?.attempt_day = Some(day);
        self.begun.push(Begun {
            day,
            id,
            root: row.root.clone(),
            delivery: row.id,
            step,
            revision,
            call_key,
            started_at: nanos(new.started_at),
            call,
        });
        Ok(AttemptId(id))
    }
}

const NEWEST_ATTEMPT: &str = "SELECT id, call_key FROM attempts WHERE shop = $1 AND delivery = $2 AND day = $3 \
     ORDER BY id DESC LIMIT 1";

/// Where the delivery goes: as the move says, and `Unknown` wherever an attempt begins.
fn state_after(step: &Move, begun: bool) -> Option<DeliveryState> {
    match &step.state {
        Some(state @ DeliveryState::Unknown { .. }) => Some(state.clone()),
        _ if begun => Some(DeliveryState::Unknown { due_at: step.at, wait: Wait::Settle { not_there: 0 } }),
        state => state.clone(),
    }
}

/// A lane, the fence it is held under, and when it is due again (`None`: as it was).
type GivenBack = (Lane, i64, Option<Timestamp>);

/// Gives lanes back, their delivery due again at a time.
pub(crate) async fn give_back(shared: &Arc<Shared>, lanes: Vec<GivenBack>) -> Result<(), StoreError> {
    let here = Here { shared: shared.clone() };
    let done: Done<()> = transact!(here, Derived, desk => desk.give_back(&lanes).await);
    done?;
    shared.committed(lanes.iter().filter_map(|(lane, ..)| shared.names.shop_number(&lane.shop)));
    Ok(())
}

impl Desk {
    async fn give_back(&self, lanes: &[GivenBack]) -> Done<()> {
        let mut of_shops: BTreeMap<&ShopId, Vec<&GivenBack>> = BTreeMap::new();
        for lane in lanes {
            if self.names().shop_number(&lane.0.shop).is_some() {
                of_shops.entry(&lane.0.shop).or_default().push(lane);
            }
        }
        for (shop, of_shop) in of_shops {
            let roots = of_shop.iter().map(|(lane, ..)| lane.root.clone()).collect();
            let mut work = Work::on(self, shop, &roots, &[], Numbers::default()).await?;
            for (lane, fence, due_at) in of_shop {
                let Some(system) = self.names().number(lane.system.as_str()) else { continue };
                let of_lane = (lane.root.clone(), system);
                let Some(hold) = work.holds.get(&of_lane).filter(|hold| hold.fence == *fence).cloned() else {
                    continue;
                };
                let is_open = work.rows.get(&hold.delivery).is_some_and(Slim::is_open);
                if let Some(due_at) = due_at.filter(|_| is_open) {
                    work.row_mut(hold.delivery)?.due_at = Some(nanos(due_at));
                }
                work.set_hold(of_lane, None);
            }
            work.flush().await?;
        }
        Ok(())
    }
}
