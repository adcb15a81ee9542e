//! What a piece of work has changed, written at once: one statement for each table, sent without waiting for an answer,
//! which comes with that of the commit.

use crate::codec::{DEAD, UNKNOWN, WAITING, nanos};
use crate::desk::later;
use crate::error::{Done, bug};
use crate::work::{Slim, Work};
use std::collections::BTreeSet;
use store::lane::{self, Member};

/// A lane as its row will be.
#[derive(Debug)]
struct LaneRow<'a> {
    root: &'a str,
    system: i32,
    flow: i32,
    priority: i32,
    due_at: Option<i64>,
    waiting: i32,
    unknown: i32,
    dead: i32,
    oldest: Option<i64>,
}

impl Work<'_> {
    pub(crate) async fn flush(self) -> Done<()> {
        self.write_deliveries().await?;
        self.lanes().await?;
        self.write_standings().await?;
        self.write_begun().await?;
        self.write_finished().await?;
        self.write_links().await?;
        self.write_lags().await
    }

    /// New ones and changed ones alike.
    async fn write_deliveries(&self) -> Done<()> {
        let shop = self.shop;
        let written = self.new_rows.union(&self.changed_rows);
        let rows = written.map(|id| self.row(*id)).collect::<Done<Vec<&Slim>>>()?;
        if rows.is_empty() {
            return Ok(());
        }
        macro_rules! column {
            ($($name:ident),*) => {$(let $name: Vec<_> = rows.iter().map(|row| row.$name.clone()).collect();)*};
        }
        column!(
            id, root, child, position, day, flow, system, kind, phase, due_at, wait, detail, secret, version
        );
        column!(priority, spent, failures, calls, created_at, changed_at, ended_at, attempt_day, touched);
        later!(
            self.desk,
            DELIVERIES,
            shop,
            id,
            root,
            child,
            position,
            day,
            flow,
            system,
            kind,
            phase,
            due_at,
            wait,
            detail,
            secret,
            version,
            priority,
            spent,
            failures,
            calls,
            created_at,
            changed_at,
            ended_at,
            attempt_day,
            touched
        )
    }

    /// Brings the rows of lanes in step with their members and holders; deletes those with neither.
    async fn lanes(&self) -> Done<()> {
        let shop = self.shop;
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for lane in &self.changed_lanes {
            match self.lane(lane)? {
                Some(row) => kept.push(row),
                None => gone.push(lane),
            }
        }
        if !gone.is_empty() {
            let roots: Vec<String> = gone.iter().map(|lane| lane.0.clone()).collect();
            let systems: Vec<i32> = gone.iter().map(|lane| lane.1).collect();
            later!(self.desk, IDLE_LANES, shop, roots, systems)?;
        }
        if kept.is_empty() {
            return Ok(());
        }
        macro_rules! column {
            ($($name:ident),*) => {$(let $name: Vec<_> = kept.iter().map(|row| row.$name).collect();)*};
        }
        let root: Vec<String> = kept.iter().map(|row| row.root.to_owned()).collect();
        column!(system, flow, priority, due_at, waiting, unknown, dead, oldest);
        let holds: Vec<_> =
            kept.iter().map(|row| self.holds.get(&(row.root.to_owned(), row.system))).collect();
        let owner: Vec<Option<String>> =
            holds.iter().map(|hold| hold.map(|hold| hold.owner.clone())).collect();
        let fence: Vec<Option<i64>> = holds.iter().map(|hold| hold.map(|hold| hold.fence)).collect();
        let until: Vec<Option<i64>> = holds.iter().map(|hold| hold.map(|hold| hold.until)).collect();
        let length: Vec<Option<i64>> = holds.iter().map(|hold| hold.map(|hold| hold.length_ns)).collect();
        let delivery: Vec<Option<i64>> = holds.iter().map(|hold| hold.map(|hold| hold.delivery)).collect();
        later!(
            self.desk, LANES, shop, root, system, flow, priority, due_at, waiting, unknown, dead, oldest,
            owner, fence, until, length, delivery
        )
    }

    fn lane<'a>(&self, (root, system): &'a (String, i32)) -> Done<Option<LaneRow<'a>>> {
        let of_lane = |row: &&Slim| row.phase <= DEAD && row.system == *system && row.root == *root;
        let rows: Vec<&Slim> = self.rows.values().filter(of_lane).collect();
        if rows.is_empty() && !self.holds.contains_key(&(root.clone(), *system)) {
            return Ok(None);
        }
        let members = rows.iter().map(|row| row.member()).collect::<Done<Vec<Member<i32>>>>()?;
        let count = |phase| rows.iter().filter(|row| row.phase == phase).count();
        let number = |phase| i32::try_from(count(phase)).map_err(|_| bug("a lane of two thousand million"));
        let flows: BTreeSet<i32> = rows.iter().map(|row| row.flow).collect();
        let due = lane::due(&members);
        Ok(Some(LaneRow {
            root,
            system: *system,
            flow: if flows.len() == 1 { flows.first().copied().unwrap_or(0) } else { 0 },
            priority: due.map_or(0, |(_, priority)| crate::codec::number_of(priority)),
            due_at: due.map(|(due_at, _)| nanos(due_at)),
            waiting: number(WAITING)?,
            unknown: number(UNKNOWN)?,
            dead: number(DEAD)?,
            oldest: rows.iter().filter(|row| row.phase != DEAD).map(|row| row.changed_at).min(),
        }))
    }

    async fn write_standings(&self) -> Done<()> {
        let shop = self.shop;
        if self.changed_standings.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> =
            self.changed_standings.iter().filter_map(|key| Some((key, self.standings.get(key)?))).collect();
        let root: Vec<String> = rows.iter().map(|(key, _)| key.0.clone()).collect();
        let child: Vec<String> = rows.iter().map(|(key, _)| key.1.clone()).collect();
        let flow: Vec<i32> = rows.iter().map(|(key, _)| key.2).collect();
        macro_rules! column {
            ($($name:ident),*) => {$(let $name: Vec<_> = rows.iter().map(|(_, row)| row.$name.clone()).collect();)*};
        }
        column!(target, routed, routed_position, delivered, digest, attempted, newest);
        later!(
            self.desk,
            WRITE_STANDINGS,
            shop,
            root,
            child,
            flow,
            target,
            routed,
            routed_position,
            delivered,
            digest,
            attempted,
            newest
        )
    }

    async fn write_begun(&self) -> Done<()> {
        let shop = self.shop;
        if self.begun.is_empty() {
            return Ok(());
        }
        let rows = &self.begun;
        macro_rules! column {
            ($($name:ident),*) => {$(let $name: Vec<_> = rows.iter().map(|row| row.$name.clone()).collect();)*};
        }
        column!(day, id, root, delivery, step, revision, call_key, started_at, call);
        later!(self.desk, BEGUN, shop, day, id, root, delivery, step, revision, call_key, started_at, call)
    }

    async fn write_finished(&self) -> Done<()> {
        let shop = self.shop;
        if self.finished.is_empty() {
            return Ok(());
        }
        let rows = &self.finished;
        macro_rules! column {
            ($($name:ident),*) => {$(let $name: Vec<_> = rows.iter().map(|row| row.$name.clone()).collect();)*};
        }
        column!(day, id, ended_at, by_look_up, fault);
        later!(self.desk, FINISHED, shop, day, id, ended_at, by_look_up, fault)
    }

    async fn write_links(&self) -> Done<()> {
        let shop = self.shop;
        if self.links.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = self.links.values().collect();
        let root: Vec<String> = rows.iter().map(|link| link.root.clone()).collect();
        let child: Vec<String> = rows.iter().map(|link| link.child.clone()).collect();
        let system: Vec<i32> = rows.iter().map(|link| link.system).collect();
        let object_key: Vec<String> =
            rows.iter().map(|link| link.external.object_key.as_str().to_owned()).collect();
        let id: Vec<String> = rows.iter().map(|link| link.external.id.clone()).collect();
        let number: Vec<Option<String>> = rows.iter().map(|link| link.external.number.clone()).collect();
        let state: Vec<Option<String>> = rows.iter().map(|link| link.external.state.clone()).collect();
        let created_at: Vec<i64> = rows.iter().map(|link| nanos(link.external.created_at)).collect();
        let adopted: Vec<bool> = rows.iter().map(|link| link.external.adopted).collect();
        later!(
            self.desk, LINKS, shop, root, child, system, object_key, id, number, state, created_at, adopted
        )
    }

    async fn write_lags(&self) -> Done<()> {
        let shop = self.shop;
        if self.lags.is_empty() {
            return Ok(());
        }
        let flow: Vec<i32> = self.lags.iter().map(|lag| lag.0).collect();
        let ended_at: Vec<i64> = self.lags.iter().map(|lag| lag.1).collect();
        let lag_ms: Vec<i64> = self.lags.iter().map(|lag| lag.2).collect();
        later!(self.desk, LAGS, shop, flow, ended_at, lag_ms)
    }
}

const DELIVERIES: &str = "INSERT INTO deliveries (shop, id, root, child, position, day, flow, system, kind, phase, \
     due_at, wait, detail, secret, version, priority, spent, failures, calls, created_at, changed_at, ended_at, \
     attempt_day, touched) SELECT $1, n.* FROM unnest($2::int8[], $3::text[], $4::text[], $5::int8[], $6::int4[], \
     $7::int4[], $8::int4[], $9::int4[], $10::int4[], $11::int8[], $12::int4[], $13::text[], $14::bytea[], \
     $15::bytea[], $16::int4[], $17::int4[], $18::int4[], $19::int4[], $20::int8[], $21::int8[], $22::int8[], \
     $23::int4[], $24::int4[]) AS n \
     ON CONFLICT (shop, id) DO UPDATE SET phase = excluded.phase, due_at = excluded.due_at, wait = excluded.wait, \
     detail = excluded.detail, secret = coalesce(excluded.secret, deliveries.secret), \
     priority = excluded.priority, spent = excluded.spent, failures = excluded.failures, calls = excluded.calls, \
     ended_at = excluded.ended_at, attempt_day = excluded.attempt_day, touched = excluded.touched";

const IDLE_LANES: &str = "DELETE FROM lanes WHERE shop = $1 AND root = ANY($2) \
     AND (root, system) IN (SELECT n.root, n.system FROM unnest($2::text[], $3::int4[]) AS n (root, system))";

const LANES: &str = "INSERT INTO lanes (shop, root, system, flow, priority, due_at, waiting, unknown, dead, oldest, \
     owner, fence, held_until, lease_ns, delivery) SELECT $1, n.* FROM unnest($2::text[], $3::int4[], $4::int4[], \
     $5::int4[], $6::int8[], $7::int4[], $8::int4[], $9::int4[], $10::int8[], $11::text[], $12::int8[], $13::int8[], \
     $14::int8[], $15::int8[]) AS n ON CONFLICT (shop, root, system) DO UPDATE SET flow = excluded.flow, \
     priority = excluded.priority, due_at = excluded.due_at, waiting = excluded.waiting, unknown = excluded.unknown, \
     dead = excluded.dead, oldest = excluded.oldest, owner = excluded.owner, fence = excluded.fence, \
     held_until = excluded.held_until, lease_ns = excluded.lease_ns, delivery = excluded.delivery";

const WRITE_STANDINGS: &str = "INSERT INTO standings (shop, root, child, flow, target, routed, routed_position, \
     delivered, digest, attempted, newest) SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::int4[], $5::int4[], \
     $6::bytea[], $7::int8[], $8::bytea[], $9::bytea[], $10::bool[], $11::int8[]) AS n \
     ON CONFLICT (shop, root, child, flow) DO UPDATE SET target = excluded.target, routed = excluded.routed, \
     routed_position = excluded.routed_position, delivered = excluded.delivered, digest = excluded.digest, \
     attempted = excluded.attempted, newest = excluded.newest";

const BEGUN: &str = "INSERT INTO attempts (shop, day, id, root, delivery, step, revision, call_key, started_at, call) \
     SELECT $1, n.* FROM unnest($2::int4[], $3::int8[], $4::text[], $5::int8[], $6::int4[], $7::int4[], $8::text[], \
     $9::int8[], $10::bytea[]) AS n";

const FINISHED: &str = "INSERT INTO attempts (shop, day, id, root, delivery, step, revision, call_key, started_at, \
     ended_at, by_look_up, fault) SELECT $1, n.day, n.id, '', 0, 0, 0, '', 0, n.ended_at, n.by_look_up, n.fault \
     FROM unnest($2::int4[], $3::int8[], $4::int8[], $5::bool[], $6::bytea[]) \
     AS n (day, id, ended_at, by_look_up, fault) ON CONFLICT (shop, day, id) DO UPDATE SET \
     ended_at = excluded.ended_at, by_look_up = excluded.by_look_up, fault = excluded.fault, call = NULL";

const LINKS: &str = "INSERT INTO external_refs (shop, root, child, system, object_key, id, number, state, created_at, \
     adopted) SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::int4[], $5::text[], $6::text[], $7::text[], \
     $8::text[], $9::int8[], $10::bool[]) AS n ON CONFLICT (shop, root, child, system) DO UPDATE SET \
     object_key = excluded.object_key, id = excluded.id, number = excluded.number, state = excluded.state, \
     created_at = excluded.created_at, adopted = excluded.adopted";

const LAGS: &str = "INSERT INTO lags (shop, flow, ended_at, lag_ms) \
     SELECT $1, n.* FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS n";

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) const STATEMENTS: &[(&str, &str)] = &[
    ("flush.deliveries", DELIVERIES),
    ("flush.idle_lanes", IDLE_LANES),
    ("flush.lanes", LANES),
    ("flush.standings", WRITE_STANDINGS),
    ("flush.begun", BEGUN),
    ("flush.finished", FINISHED),
    ("flush.links", LINKS),
    ("flush.lags", LAGS),
];
