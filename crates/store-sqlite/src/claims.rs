//! Claims: which lanes are held, by whom, until when. They live in memory alone: this store has one process, whose
//! start ends all earlier leases, so that a claim costs no commit.

use crate::codec;
use crate::desk::{Desk, Undo};
use crate::error::Done;
use crate::lanes::member_of;
use crate::roots::Root;
use crate::view::{SealedPayload, system_name};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::envelope::{Envelope, Priority};
use kernel::id::{DeliveryId, SystemName};
use kernel::subject::Lane;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::delivery::{Claim, Delivery, DeliveryState, OpenAttempt, Standing};
use store::lane;
use store::port::ClaimRequest;

/// Root and system, by number.
pub(crate) type LaneNumber = (i64, i64);

#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub owner: String,
    pub until: Timestamp,
    pub length: Duration,
    pub fence: i64,
    pub delivery: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Claims {
    held: BTreeMap<LaneNumber, Hold>,
    fence: i64,
    /// Flows that ever had a lane at a system: those a claim looks at.
    flows: BTreeMap<i64, BTreeSet<i64>>,
}

impl Claims {
    pub(crate) fn load(connection: &Connection) -> Done<Self> {
        let mut claims = Self::default();
        let mut statement = connection.prepare("SELECT DISTINCT system, flow FROM lanes")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            claims.saw(row.get(0)?, row.get(1)?);
        }
        Ok(claims)
    }

    pub(crate) fn saw(&mut self, system: i64, flow: i64) {
        self.flows.entry(system).or_default().insert(flow);
    }

    pub(crate) fn hold(&self, lane: LaneNumber) -> Option<&Hold> {
        self.held.get(&lane)
    }

    pub(crate) fn put_back(&mut self, lane: LaneNumber, before: Option<Hold>) {
        match before {
            Some(hold) => self.held.insert(lane, hold),
            None => self.held.remove(&lane),
        };
    }

    fn end_leases(&mut self, now: Timestamp) {
        self.held.retain(|_, hold| hold.until > now);
    }

    /// Lanes held by an owner.
    pub(crate) fn of_owner(&self, owner: &str) -> Vec<LaneNumber> {
        self.held.iter().filter(|(_, hold)| hold.owner == owner).map(|(lane, _)| *lane).collect()
    }
}

/// A claim whose payload is still sealed.
#[derive(Debug)]
pub(crate) struct SealedClaim {
    pub lane: Lane,
    pub fence: i64,
    pub delivery: Delivery,
    pub envelope: Envelope,
    pub payload: Option<SealedPayload>,
    pub standing: Standing,
    pub open_attempt: Option<OpenAttempt>,
}

impl SealedClaim {
    pub(crate) fn with(self, payload: Option<bytes::Bytes>) -> Claim {
        let Self { lane, fence, delivery, envelope, standing, open_attempt, .. } = self;
        Claim { lane, fence, delivery, envelope, payload, standing, open_attempt }
    }
}

/// A lane that is due, with its head.
struct Due {
    due_at: i64,
    shop: i64,
    root: i64,
    delivery: DeliveryId,
}

impl Desk {
    /// Changes a hold within a transaction.
    pub(crate) fn set_hold(&mut self, lane: LaneNumber, hold: Option<Hold>) {
        let before = self.claims.held.get(&lane).cloned();
        self.undo.push(Undo::Hold(lane, before));
        self.claims.put_back(lane, hold);
    }

    pub(crate) fn claim(&mut self, request: &ClaimRequest, owner: &str) -> Done<Vec<SealedClaim>> {
        self.claims.end_leases(request.now);
        let Some(system) = self.names.number(request.system.as_str()) else { return Ok(Vec::new()) };
        let except: Vec<i64> =
            request.except_flows.iter().filter_map(|flow| self.names.number(flow.as_str())).collect();
        let mut claims = Vec::new();
        for priority in [Priority::Live, Priority::Sweep, Priority::Backfill] {
            let wanted = (request.limit as usize).saturating_sub(claims.len());
            if wanted == 0 {
                break;
            }
            for due in self.due(system, priority, wanted, request, &except)? {
                claims.extend(self.take(system, &due, request, owner)?);
            }
        }
        Ok(claims)
    }

    /// Lanes of one priority that are due and free, longest due first.
    fn due(
        &self,
        system: i64,
        priority: Priority,
        wanted: usize,
        request: &ClaimRequest,
        except: &[i64],
    ) -> Done<Vec<Due>> {
        let now = codec::nanos(request.now);
        let mut found = Vec::new();
        let flows = self.claims.flows.get(&system).into_iter().flatten();
        for flow in flows.filter(|flow| !except.contains(flow)) {
            let sql = "SELECT shop, root, due_at FROM lanes WHERE system = ?1 AND flow = ?2 AND priority = ?3 \
                       AND due_at <= ?4 ORDER BY due_at";
            let mut statement = self.prepared(sql)?;
            let mut rows = statement.query(params![system, flow, priority as i64, now])?;
            let mut of_flow = 0;
            while of_flow < wanted {
                let Some(row) = rows.next()? else { break };
                let (shop, root, due_at) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if self.claims.held.contains_key(&(root, system)) {
                    continue;
                }
                let members = self.members(shop, root, system)?;
                let head = lane::head(&members, request.now, |flow| except.contains(flow));
                if let Some(delivery) = head
                    && !self.is_excepted(shop, root, request)?
                {
                    found.push(Due { due_at, shop, root, delivery });
                    of_flow += 1;
                }
            }
        }
        found.sort_by_key(|due| due.due_at);
        found.truncate(wanted);
        Ok(found)
    }

    fn is_excepted(&self, shop: i64, root: i64, request: &ClaimRequest) -> Done<bool> {
        if request.except_lanes.is_empty() {
            return Ok(false);
        }
        let (shop, path) = self.view().lane_of(shop, root)?;
        let is_it = |lane: &Lane| lane.root == path && lane.shop == shop && lane.system == request.system;
        Ok(request.except_lanes.iter().any(is_it))
    }

    fn take(
        &mut self,
        system: i64,
        due: &Due,
        request: &ClaimRequest,
        owner: &str,
    ) -> Done<Option<SealedClaim>> {
        let view = self.view();
        let Some((delivery, root)) = view.delivery(due.delivery.0)? else { return Ok(None) };
        let Some(envelope) = view.envelope(delivery.position.0)? else { return Ok(None) };
        let payload = view.sealed_payload(delivery.position.0)?;
        let flow = view.names.number(delivery.flow.as_str()).unwrap_or_default();
        let standing = view.standing(root, &delivery.subject, flow, system)?;
        let unknown = matches!(delivery.state, DeliveryState::Unknown { .. });
        let open_attempt = if unknown { view.open_attempt(&delivery)? } else { None };
        self.claims.fence += 1;
        let fence = self.claims.fence;
        let hold = Hold {
            owner: owner.to_owned(),
            until: after(request.now, request.lease),
            length: request.lease,
            fence,
            delivery: due.delivery.0,
        };
        self.set_hold((due.root, system), Some(hold));
        debug_assert_eq!(root.shop, due.shop);
        let lane = delivery.lane.clone();
        Ok(Some(SealedClaim { lane, fence, delivery, envelope, payload, standing, open_attempt }))
    }

    /// Earliest time at which a free lane of each system is due.
    pub(crate) fn next_due(&self) -> Done<BTreeMap<SystemName, Timestamp>> {
        let mut next = BTreeMap::new();
        for (system, flows) in &self.claims.flows {
            let mut earliest: Option<i64> = None;
            for flow in flows {
                for priority in 0..3 {
                    let due_at = self.first_free(*system, *flow, priority)?;
                    earliest = [earliest, due_at].into_iter().flatten().min();
                }
            }
            if let Some(due_at) = earliest {
                next.insert(system_name(&self.names, *system)?, codec::time(due_at));
            }
        }
        Ok(next)
    }

    fn first_free(&self, system: i64, flow: i64, priority: i64) -> Done<Option<i64>> {
        let sql = "SELECT root, due_at FROM lanes WHERE system = ?1 AND flow = ?2 AND priority = ?3 \
                   AND due_at IS NOT NULL ORDER BY due_at";
        let mut statement = self.prepared(sql)?;
        let mut rows = statement.query([system, flow, priority])?;
        while let Some(row) = rows.next()? {
            if !self.claims.held.contains_key(&(row.get(0)?, system)) {
                return Ok(Some(row.get(1)?));
            }
        }
        Ok(None)
    }

    /// The lane a move names, if it is held under that fence.
    pub(crate) fn held_under(&self, lane: &Lane, fence: i64) -> Done<Option<(Root, LaneNumber)>> {
        let Some(system) = self.names.number(lane.system.as_str()) else { return Ok(None) };
        let Some(root) = self.view().root(lane.shop.as_str(), &lane.root)? else { return Ok(None) };
        let held = self.claims.hold((root.id, system)).is_some_and(|hold| hold.fence == fence);
        Ok(held.then_some((root, (root.id, system))))
    }

    /// Gives lanes back in memory alone.
    pub(crate) fn give_back(&mut self, lanes: &[(Lane, i64)]) -> Done<()> {
        for (lane, fence) in lanes {
            if let Some((_, number)) = self.held_under(lane, *fence)? {
                self.set_hold(number, None);
            }
        }
        Ok(())
    }

    /// Gives lanes back, their delivery due again at a time.
    pub(crate) fn give_back_until(&mut self, lanes: &[(Lane, i64, Timestamp)]) -> Done<()> {
        for (lane, fence, due_at) in lanes {
            let Some((root, number)) = self.held_under(lane, *fence)? else { continue };
            let delivery = self.claims.hold(number).map(|hold| hold.delivery);
            let sql = "UPDATE deliveries SET due_at = ?2 WHERE id = ?1 AND phase < 2";
            self.execute(sql, params![delivery, codec::nanos(*due_at)])?;
            self.set_hold(number, None);
            self.refresh(root.shop, root.id, number.1)?;
        }
        Ok(())
    }
}

impl Desk {
    /// Those of a lane that have not ended.
    pub(crate) fn members(&self, shop: i64, root: i64, system: i64) -> Done<Vec<lane::Member<i64>>> {
        let sql = "SELECT id, position, kind, phase, due_at, priority, flow, changed_at FROM deliveries \
                   WHERE shop = ?1 AND root = ?2 AND phase < 3 AND system = ?3";
        self.view().all(sql, [shop, root, system], |row| Ok(member_of(row)?.0))
    }
}
