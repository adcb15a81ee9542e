//! Who holds which lane, by what the store answered: two hands on one lane within one lease break promise 4, whatever
//! comes of it.

use crate::world::World;
use kernel::subject::Lane;
use std::collections::BTreeMap;
use std::time::Duration;
use store::delivery::{Claim, Moved};

/// So long after a claim nobody else is given the lane; clocks of nodes that agree stand less apart than the rest.
const HELD_FOR: Duration = Duration::from_secs(50);

#[derive(Debug, Clone, Copy)]
struct Hold {
    node: usize,
    fence: i64,
    since: u64,
}

#[derive(Debug, Default)]
pub struct Holds {
    of_lanes: BTreeMap<Lane, Hold>,
}

impl Holds {
    /// Since when a lane is held under this fence.
    pub fn since(&self, lane: &Lane, fence: i64) -> Option<u64> {
        self.of_lanes.get(lane).filter(|hold| hold.fence == fence).map(|hold| hold.since)
    }

    pub fn let_go(&mut self, lane: &Lane, fence: i64) {
        if self.of_lanes.get(lane).is_some_and(|hold| hold.fence == fence) {
            self.of_lanes.remove(lane);
        }
    }

    /// Lane, fence and whether it is kept, for each move.
    pub fn moved(&mut self, hands: &[(Lane, i64, bool)], moved: &[Moved], now: u64) {
        for ((lane, fence, keep), moved) in hands.iter().zip(moved) {
            match (moved, self.of_lanes.get_mut(lane)) {
                (Moved::Done { .. }, Some(hold)) if *keep && hold.fence == *fence => hold.since = now,
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
            let hold = Hold { node, fence: claim.fence, since: self.now };
            let Some(before) = self.holds.of_lanes.insert(claim.lane.clone(), hold) else { continue };
            let within = self.now < before.since + crate::world::ns(HELD_FOR);
            if within && agree && before.since > self.jumped_at && before.node != node {
                let what =
                    format!("{}: handed to node {node} while node {} holds it", claim.lane, before.node);
                self.judge.violated(4, what);
            }
        }
    }
}
