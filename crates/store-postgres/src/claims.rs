//! Claims: lanes that are due and free, a batch of them at once. Who holds a lane stands in the lane's own row, so that it
//! has one holder by the key of the table; a hold ends with its lease, and every later write is told apart by its fence.
//!
//! Lanes and roots that somebody else is at work on are passed over, never waited for. Each statement is of one shop.

use crate::bind::args;
use crate::board::NextDue;
use crate::codec::{self, nanos};
use crate::desk::{Desk, Shared, transact};
use crate::error::{Done, bug};
use crate::unrouted::opened_or_empty;
use crate::view::{
    DELIVERY, DELIVERY_COLUMNS, ENVELOPE, ENVELOPE_COLUMNS, PAYLOAD, PAYLOAD_FROM, child, key_of,
};
use crate::work::{Slim, slim_of};
use futures_util::future::{join, join_all, try_join4};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::id::{AttemptId, SystemName};
use kernel::key::CallKey;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use store::delivery::{Claim, Delivery, DeliveryState, OpenAttempt, Standing};
use store::lane::{self, Member, Stand};
use store::port::ClaimRequest;
use store::seal::vault::call_place;

/// A lane that is due, with its head.
#[derive(Debug)]
struct Due {
    priority: i32,
    due_at: i64,
    root: String,
    head: i64,
    /// Its head is an attempt without an answer.
    is_unknown: bool,
}

/// Looks for lanes that have a head, while there are lanes that are due and have none to offer.
const LOOKS_MAX: usize = 8;

pub(crate) struct Here {
    pub shared: Arc<Shared>,
}

pub(crate) async fn claim(
    shared: &Arc<Shared>,
    requests: &[ClaimRequest],
    owner: &str,
) -> Done<Vec<(SystemName, Vec<Claim>)>> {
    let here = Here { shared: shared.clone() };
    let claimed: Done<Vec<(SystemName, Vec<Claim>)>> =
        transact!(here, Derived, desk => desk.claim_all(requests, owner).await);
    let claimed = claimed?;
    stir(shared, &claimed);
    Ok(claimed)
}

/// What is known of the shops whose lanes are held now is looked at again.
pub(crate) fn stir(shared: &Shared, claimed: &[(SystemName, Vec<Claim>)]) {
    let lanes = claimed.iter().flat_map(|(_, claims)| claims).map(|claim| &claim.lane);
    shared.board.stir(lanes.filter_map(|lane| shared.names.shop_number(&lane.shop)));
}

impl Desk {
    pub(crate) async fn claim_all(
        &self,
        requests: &[ClaimRequest],
        owner: &str,
    ) -> Done<Vec<(SystemName, Vec<Claim>)>> {
        let mut claimed = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            let last = index + 1 == requests.len();
            claimed.push((request.system.clone(), self.claim(request, owner, last).await?));
        }
        Ok(claimed)
    }

    /// `last`: nothing else is done at this desk.
    async fn claim(&self, request: &ClaimRequest, owner: &str, last: bool) -> Done<Vec<Claim>> {
        let Some(system) = self.names().number(request.system.as_str()) else { return Ok(Vec::new()) };
        let except = request.except_flows.iter();
        let except: Vec<i32> = except.filter_map(|flow| self.names().number(flow.as_str())).collect();
        let mut due = Vec::new();
        let all = self.names().shops();
        let (now, board) = (nanos(request.now), &self.shared.board);
        let shops: Vec<i32> =
            all.iter().copied().filter(|shop| board.may_be_due(*shop, system, now)).collect();
        for shop in &shops {
            let of_shop = self.due(*shop, system, request, &except).await?;
            if of_shop.is_empty() && all.len() > 1 && request.limit > 0 {
                // Nothing for this one: when there will be, so that it is not asked until then.
                board.put_due(self.writes, *shop, self.next_due_of(*shop).await?);
            }
            due.extend(of_shop.into_iter().map(|due| (*shop, due)));
        }
        if shops.len() > 1 {
            due.sort_by_key(|(_, due)| (due.priority, due.due_at));
            due.truncate(request.limit as usize);
        }
        let mut of_shops: BTreeMap<i32, Vec<Due>> = BTreeMap::new();
        let order: Vec<i64> = due.iter().map(|(_, due)| due.head).collect();
        for (shop, due) in due {
            of_shops.entry(shop).or_default().push(due);
        }
        let mut claims = BTreeMap::new();
        let last_shop = of_shops.keys().next_back().copied().filter(|_| last);
        for (shop, due) in of_shops {
            let last = last_shop == Some(shop);
            claims.extend(self.take(shop, system, due, request, owner, last).await?);
        }
        Ok(order.iter().filter_map(|head| claims.remove(head)).collect())
    }

    /// Lanes of a shop that are due and free, best priority first, then longest due; locked from now on.
    async fn due(&self, shop: i32, system: i32, request: &ClaimRequest, except: &[i32]) -> Done<Vec<Due>> {
        let wanted = request.limit as usize;
        let mut passed_over: Vec<String> = Vec::new();
        for lane in request.except_lanes.iter().filter(|lane| lane.system == request.system) {
            if self.names().shop_number(&lane.shop) == Some(shop) {
                passed_over.push(lane.root.clone());
            }
        }
        let (now, limit) = (nanos(request.now), i64::from(request.limit));
        let mut found = Vec::new();
        for _ in 0..LOOKS_MAX {
            let rows = self.all(DUE, args![shop, system, now, except, passed_over, limit]).await?;
            let asked = rows.len();
            let lanes = rows.iter().map(|row| Ok((row.try_get(1)?, row.try_get(2)?, row.try_get(0)?)));
            let lanes = lanes.collect::<Done<Vec<(i32, i64, String)>>>()?;
            let heads = self.heads(shop, system, &lanes, request.now, except).await?;
            for (priority, due_at, root) in lanes {
                match heads.get(&root) {
                    Some((head, is_unknown)) if found.len() < wanted => {
                        passed_over.push(root.clone());
                        found.push(Due { priority, due_at, root, head: *head, is_unknown: *is_unknown });
                    }
                    _ => passed_over.push(root),
                }
            }
            if found.len() >= wanted || asked < wanted {
                break;
            }
        }
        Ok(found)
    }

    /// The delivery that each lane offers, if it offers one, and whether it is an attempt without an answer.
    async fn heads(
        &self,
        shop: i32,
        system: i32,
        lanes: &[(i32, i64, String)],
        now: Timestamp,
        except: &[i32],
    ) -> Done<BTreeMap<String, (i64, bool)>> {
        if lanes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let roots: Vec<&str> = lanes.iter().map(|lane| lane.2.as_str()).collect();
        let mut members: BTreeMap<String, Vec<Member<i32>>> = BTreeMap::new();
        for row in self.all(MEMBERS, args![shop, roots, system]).await? {
            let slim: Slim = slim_of(&row)?;
            members.entry(slim.root.clone()).or_default().push(slim.member()?);
        }
        let head = |of_lane: &[Member<i32>]| {
            let head = lane::head(of_lane, now, |flow| except.contains(flow))?;
            let is_unknown = |member: &Member<i32>| matches!(member.stand, Stand::Unknown(_));
            Some((head.0, of_lane.iter().any(|member| member.id == head && is_unknown(member))))
        };
        Ok(members.into_iter().filter_map(|(root, of_lane)| Some((root, head(&of_lane)?))).collect())
    }

    /// Takes them: by delivery.
    async fn take(
        &self,
        shop: i32,
        system: i32,
        due: Vec<Due>,
        request: &ClaimRequest,
        owner: &str,
        last: bool,
    ) -> Done<BTreeMap<i64, Claim>> {
        let roots: Vec<&str> = due.iter().map(|due| due.root.as_str()).collect();
        let heads: Vec<i64> = due.iter().map(|due| due.head).collect();
        let until = nanos(after(request.now, request.lease));
        let length = i64::try_from(request.lease.as_nanos()).unwrap_or(i64::MAX);
        let held = async { self.all(HOLD, args![shop, system, roots, heads, owner, until, length]).await };
        let facts = async { self.all(&CLAIMED, args![shop, heads]).await };
        let last = last && due.iter().all(|due| !due.is_unknown);
        let closed = async { if last { self.close().await } else { Ok(()) } };
        let standings = self.standings(shop, &roots, system);
        let (held, facts, standings, ()) = try_join4(held, facts, standings, closed).await?;
        let fences = held.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let fences = fences.collect::<Done<BTreeMap<String, i64>>>()?;
        let mut claims = BTreeMap::new();
        for row in &facts {
            let delivery = self.shared.delivery_of(row)?;
            let envelope = self.shared.envelope_of(row, DELIVERY_COLUMNS)?;
            let at = DELIVERY_COLUMNS + ENVELOPE_COLUMNS;
            let payload = opened_or_empty(self.shared.payload_of(row, at, &envelope))?;
            let flow = self.names().given(delivery.flow.as_str())?;
            let of = (delivery.lane.root.clone(), child(&delivery.subject).to_owned(), flow);
            let fence =
                fences.get(&delivery.lane.root).ok_or_else(|| bug("a lane that was locked is gone"))?;
            let claim = Claim {
                lane: delivery.lane.clone(),
                fence: *fence,
                envelope,
                payload,
                standing: standings.get(&of).cloned().unwrap_or_else(Standing::default),
                open_attempt: None,
                delivery,
            };
            claims.insert(claim.delivery.id.0, claim);
        }
        self.open_attempts(shop, &mut claims).await?;
        Ok(claims)
    }

    async fn open_attempts(&self, shop: i32, claims: &mut BTreeMap<i64, Claim>) -> Done<()> {
        let unknown =
            claims.values().filter(|claim| matches!(claim.delivery.state, DeliveryState::Unknown { .. }));
        let unknown: Vec<i64> = unknown.map(|claim| claim.delivery.id.0).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for row in self.all(OPEN_ATTEMPTS, args![shop, unknown]).await? {
            if let Some(claim) = claims.get_mut(&row.try_get(0)?) {
                claim.open_attempt = self.open_attempt(&row, &claim.delivery)?;
            }
        }
        Ok(())
    }

    /// The newest attempt of a delivery, if it has no answer yet.
    fn open_attempt(&self, row: &tokio_postgres::Row, of: &Delivery) -> Done<Option<OpenAttempt>> {
        if row.try_get::<_, Option<i64>>(5)?.is_some() {
            return Ok(None);
        }
        let call_key: String = row.try_get(3)?;
        let frozen = match row.try_get::<_, Option<Vec<u8>>>(6)? {
            Some(column) => {
                let (key, place) = (key_of(row, 7)?, call_place(&call_key));
                let opened =
                    self.shared.open_column(&of.lane.shop, &of.lane.root, key.as_ref(), &place, &column)?;
                opened.unwrap_or_default()
            }
            None => Vec::new(),
        };
        Ok(Some(OpenAttempt {
            id: AttemptId(row.try_get(1)?),
            step: self.names().name(row.try_get(2)?)?.as_ref().to_owned(),
            call_key: CallKey(call_key),
            frozen: frozen.into(),
            started_at: codec::time(row.try_get(4)?),
        }))
    }

    /// Earliest time at which a free lane of each system is due, or a held one whose holder may have died.
    pub(crate) async fn next_due(&self) -> Done<BTreeMap<SystemName, Timestamp>> {
        let board = &self.shared.board;
        let mut next: BTreeMap<SystemName, Timestamp> = BTreeMap::new();
        let asked = self.names().shops().into_iter().map(|shop| async move {
            if let Some(due) = board.due(shop) {
                return Ok(due);
            }
            let due = self.next_due_of(shop).await?;
            board.put_due(self.writes, shop, due.clone());
            Done::Ok(due)
        });
        let (asked, closed) = join(join_all(asked), self.close()).await;
        closed?;
        for of_shop in asked {
            for (system, due_at) in of_shop? {
                let due_at = codec::time(due_at);
                let earliest = next.entry(self.names().system(system)?).or_insert(due_at);
                *earliest = (*earliest).min(due_at);
            }
        }
        Ok(next)
    }

    async fn next_due_of(&self, shop: i32) -> Done<NextDue> {
        let rows = self.all(NEXT_DUE, args![shop]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Ends the holds of an owner's earlier life and hands out attempts without an answer at once. Returns how many.
    pub(crate) async fn begin_epoch(&self, owner: &str, now: Timestamp) -> Done<u64> {
        // Whoever looks up counts from when it found the attempt: look-ups so far count no more.
        let mut found = 0;
        for shop in self.names().shops() {
            self.execute(END_HOLDS, args![shop, owner]).await?;
            let unknown = self.all(UNKNOWN_LANES, args![shop, nanos(now)]).await?;
            let roots = unknown.iter().map(|row| Ok(row.try_get(0)?)).collect::<Done<Vec<String>>>()?;
            let systems = unknown.iter().map(|row| Ok(row.try_get(1)?)).collect::<Done<Vec<i32>>>()?;
            found += self.execute(LOOK_UP_NOW, args![shop, roots, systems, nanos(now)]).await?;
            self.execute(LANES_NOW, args![shop, roots, systems, nanos(now)]).await?;
            self.execute(DROP_IDLE, args![shop]).await?;
        }
        Ok(found)
    }
}

/// The lanes of each flow and priority apart, each by its own stretch of the index: a flow that is passed over costs
/// nothing, however long its queue. Held lanes stay in the index until their hold ends.
const DUE: &str = "WITH RECURSIVE flows AS ( \
     (SELECT flow FROM lanes WHERE shop = $1 AND system = $2 AND due_at IS NOT NULL ORDER BY flow LIMIT 1) \
     UNION ALL SELECT (SELECT l.flow FROM lanes l WHERE l.shop = $1 AND l.system = $2 AND l.due_at IS NOT NULL \
     AND l.flow > f.flow ORDER BY l.flow LIMIT 1) FROM flows f WHERE f.flow IS NOT NULL) \
     SELECT c.root, c.priority, c.due_at FROM flows f \
     CROSS JOIN (VALUES (0), (1), (2)) AS p (priority) CROSS JOIN LATERAL ( \
     SELECT l.root, l.priority, l.due_at FROM lanes l JOIN roots r ON r.shop = l.shop AND r.root = l.root \
     WHERE l.shop = $1 AND r.shop = $1 AND l.system = $2 AND l.flow = f.flow AND l.priority = p.priority \
     AND l.due_at <= $3 AND (l.held_until IS NULL OR l.held_until <= $3) AND l.root <> ALL ($5) \
     ORDER BY l.due_at LIMIT $6 FOR NO KEY UPDATE OF l, r SKIP LOCKED) c \
     WHERE f.flow IS NOT NULL AND f.flow <> ALL ($4) ORDER BY c.priority, c.due_at LIMIT $6";

const MEMBERS: &str = "SELECT d.id, d.root, d.child, d.position, d.day, d.flow, d.system, d.kind, d.phase, \
     d.due_at, d.wait, d.detail, d.priority, d.spent, d.failures, d.calls, d.created_at, d.changed_at, d.ended_at, \
     d.attempt_day, d.touched \
     FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL (SELECT * FROM deliveries \
     WHERE shop = $1 AND root = n.root AND phase < 3 AND system = $3 OFFSET 0) d";

/// A claim need not be on disk when it is answered, and neither is the number that it drew: a server that loses power may
/// draw it again. The digits behind it differ even then, so that no two holders ever have one fence.
const HOLD: &str = "INSERT INTO lanes (shop, root, system, flow, priority, waiting, unknown, dead, owner, fence, held_until, \
     lease_ns, delivery) SELECT $1, n.root, $2, 0, 0, 0, 0, 0, $5, \
     nextval('fences') * 1048576 + floor(random() * 1048576)::int8, $6, $7, n.delivery \
     FROM unnest($3::text[], $4::int8[]) AS n (root, delivery) \
     ON CONFLICT (shop, root, system) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, \
     held_until = excluded.held_until, lease_ns = excluded.lease_ns, delivery = excluded.delivery \
     RETURNING root, fence";

static CLAIMED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {DELIVERY}, {ENVELOPE}, {PAYLOAD} FROM unnest($2::int8[]) AS n (id) \
         CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE shop = $1 AND id = n.id OFFSET 0) d \
         LEFT JOIN LATERAL (SELECT * FROM data_keys WHERE shop = $1 AND root = d.root OFFSET 0) k ON true \
         CROSS JOIN LATERAL (SELECT * FROM envelopes WHERE shop = $1 AND day = d.day AND position = d.position OFFSET 0) e \
         {PAYLOAD_FROM}"
    )
});

const OPEN_ATTEMPTS: &str = "SELECT d.id, a.id, a.step, a.call_key, a.started_at, a.ended_at, a.call, k.id, k.master, \
     k.wrapped FROM unnest($2::int8[]) AS n (id) CROSS JOIN LATERAL (SELECT * FROM deliveries \
     WHERE shop = $1 AND id = n.id OFFSET 0) d CROSS JOIN LATERAL (SELECT * FROM attempts WHERE shop = $1 \
     AND day = d.attempt_day AND delivery = d.id ORDER BY id DESC LIMIT 1) a \
     LEFT JOIN data_keys k ON k.shop = $1 AND k.root = d.root";

const NEXT_DUE: &str = "WITH RECURSIVE ways AS ( \
     (SELECT system, flow, priority FROM lanes WHERE shop = $1 AND due_at IS NOT NULL \
     ORDER BY system, flow, priority LIMIT 1) \
     UNION ALL SELECT n.system, n.flow, n.priority FROM ways w CROSS JOIN LATERAL (SELECT l.system, l.flow, l.priority \
     FROM lanes l WHERE l.shop = $1 AND l.due_at IS NOT NULL \
     AND (l.system, l.flow, l.priority) > (w.system, w.flow, w.priority) \
     ORDER BY l.system, l.flow, l.priority LIMIT 1) n) \
     SELECT t.system, min(t.at) FROM ( \
     SELECT w.system, d.due_at AS at FROM ways w CROSS JOIN LATERAL (SELECT l.due_at FROM lanes l WHERE l.shop = $1 \
     AND l.system = w.system AND l.flow = w.flow AND l.priority = w.priority AND l.due_at IS NOT NULL \
     AND l.owner IS NULL ORDER BY l.due_at LIMIT 1) d \
     UNION ALL SELECT w.system, greatest(h.due_at, h.held_until) FROM ways w CROSS JOIN LATERAL (SELECT l.due_at, \
     l.held_until FROM lanes l WHERE l.shop = $1 AND l.system = w.system AND l.flow = w.flow \
     AND l.priority = w.priority AND l.due_at IS NOT NULL ORDER BY l.due_at LIMIT 256) h WHERE h.held_until IS NOT NULL \
     ) t GROUP BY t.system";

const END_HOLDS: &str = "UPDATE lanes SET owner = NULL, fence = NULL, held_until = NULL, lease_ns = NULL, \
     delivery = NULL WHERE shop = $1 AND owner = $2";

const UNKNOWN_LANES: &str = "SELECT l.root, l.system FROM lanes l JOIN roots r ON r.shop = l.shop AND r.root = l.root \
     WHERE l.shop = $1 AND l.unknown > 0 AND (l.held_until IS NULL OR l.held_until <= $2) \
     ORDER BY l.root, l.system FOR NO KEY UPDATE OF r, l";

const LOOK_UP_NOW: &str = "UPDATE deliveries d SET due_at = $4, wait = 2, detail = '0' \
     FROM unnest($2::text[], $3::int4[]) AS n (root, system) \
     WHERE d.shop = $1 AND d.root = n.root AND d.system = n.system AND d.phase = 1";

/// One that is unknown holds its lane: the lane is due when it is.
const LANES_NOW: &str = "UPDATE lanes l SET due_at = $4, owner = NULL, fence = NULL, held_until = NULL, \
     lease_ns = NULL, delivery = NULL FROM unnest($2::text[], $3::int4[]) AS n (root, system) \
     WHERE l.shop = $1 AND l.root = n.root AND l.system = n.system";

const DROP_IDLE: &str =
    "DELETE FROM lanes WHERE shop = $1 AND owner IS NULL AND waiting = 0 AND unknown = 0 AND dead = 0";

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) fn statements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("claims.due", DUE),
        ("claims.members", MEMBERS),
        ("claims.hold", HOLD),
        ("claims.claimed", &CLAIMED),
        ("claims.open_attempts", OPEN_ATTEMPTS),
        ("claims.next_due", NEXT_DUE),
    ]
}
