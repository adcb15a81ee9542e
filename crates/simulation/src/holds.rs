//! Who holds which lane, by what the store answered: two hands on one lane within one lease break promise 4, whatever
//! comes of it. A lease counts from when its process asked for it, however late that reached the store.

use crate::world::World;
use engine::effect::Effect;
use jiff::Timestamp;
use kernel::id::SystemName;
use kernel::key::ObjectKey;
use kernel::subject::{Lane, Subject};
use std::collections::BTreeMap;
use std::time::Duration;
use store::delivery::{Claim, Moved};

/// So long after it was asked for nobody else is given the lane; clocks of nodes that agree stand less apart than the rest.
const HELD_FOR: Duration = Duration::from_secs(50);

#[derive(Debug, Clone, Copy)]
struct Hold {
    node: usize,
    fence: i64,
    since: u64,
}

/// When a move got its time; one that the store could not take is tried again with the time that it had.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    at: Timestamp,
    when: u64,
}

#[derive(Debug, Default)]
pub struct Holds {
    of_lanes: BTreeMap<Lane, Hold>,
    /// By lane and fence.
    stamps: BTreeMap<(Lane, i64), Stamp>,
    /// When a node asked for lanes of a system last.
    asked: BTreeMap<(usize, SystemName), u64>,
    /// Taken over before their time, because the clocks of nodes stand apart: what their holders had begun may still
    /// leave, and only the fence stands between.
    taken_early: BTreeMap<Lane, (usize, i64)>,
}

impl Holds {
    /// Since when a lane is held under this fence.
    pub fn since(&self, lane: &Lane, fence: i64) -> Option<u64> {
        self.of_lanes.get(lane).filter(|hold| hold.fence == fence).map(|hold| hold.since)
    }

    /// Whether a lane was taken from this node, which held it under this fence, by a clock that stands apart.
    pub fn was_taken_early(&self, node: usize, lane: &Lane, fence: i64) -> bool {
        self.taken_early.get(lane) == Some(&(node, fence))
    }

    /// A node decides on these now, whenever they are performed.
    pub fn asks(&mut self, node: usize, effects: &[Effect], now: u64) {
        for effect in effects {
            match effect {
                Effect::Claim(request) => {
                    self.asked.insert((node, request.system.clone()), now);
                }
                Effect::Route { claims, .. } => {
                    self.asked.extend(claims.iter().map(|request| ((node, request.system.clone()), now)));
                }
                Effect::Advance(moves) => {
                    for movement in moves {
                        let fresh = Stamp { at: movement.at, when: now };
                        let stamp =
                            self.stamps.entry((movement.lane.clone(), movement.fence)).or_insert(fresh);
                        if stamp.at != movement.at {
                            *stamp = fresh;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    pub fn let_go(&mut self, lane: &Lane, fence: i64) {
        self.stamps.remove(&(lane.clone(), fence));
        if self.of_lanes.get(lane).is_some_and(|hold| hold.fence == fence) {
            self.of_lanes.remove(lane);
        }
    }

    /// Lane, fence and whether it is kept, for each move.
    pub fn moved(&mut self, hands: &[(Lane, i64, bool)], moved: &[Moved], now: u64) {
        for ((lane, fence, keep), moved) in hands.iter().zip(moved) {
            let asked = self.stamps.get(&(lane.clone(), *fence)).map_or(now, |stamp| stamp.when);
            match (moved, self.of_lanes.get_mut(lane)) {
                (Moved::Done { .. }, Some(hold)) if *keep && hold.fence == *fence => {
                    hold.since = hold.since.max(asked);
                }
                _ => self.let_go(lane, *fence),
            }
        }
    }

    /// The start of a node's next life ends what it held; until then its leases run.
    pub fn node_ends(&mut self, node: usize) {
        self.of_lanes.retain(|_, hold| hold.node != node);
    }
}

impl World {
    pub fn now_holds(&mut self, node: usize, claims: &[Claim]) {
        let agree = self.clocks_agree();
        for claim in claims {
            let asked = self.holds.asked.get(&(node, claim.lane.system.clone())).copied();
            let hold = Hold { node, fence: claim.fence, since: asked.unwrap_or(self.now) };
            let Some(before) = self.holds.of_lanes.insert(claim.lane.clone(), hold) else { continue };
            let within = self.now < before.since + crate::world::ns(HELD_FOR);
            if !within || before.node == node {
                continue;
            }
            if agree && before.since > self.jumped_at {
                let what =
                    format!("{}: handed to node {node} while node {} holds it", claim.lane, before.node);
                self.judge.violated(4, what);
            } else {
                self.holds.taken_early.insert(claim.lane.clone(), (before.node, before.fence));
                let root = Subject { shop: claim.lane.shop.clone(), path: claim.lane.root.clone() };
                self.judge.taken_early(before.node, &ObjectKey::of(&root).to_string());
            }
        }
    }
}
