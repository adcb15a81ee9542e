//! A piece of work on some roots of one shop, in one transaction: their locks are taken in order, what is open of them is
//! read at once, the rules are applied in memory, and what changed is written at once. However many deliveries it
//! is about, it takes the same few statements.
//!
//! Owns what is in memory of it. What a change of state implies stands in `deliveries`, what is written in `flush`.

use crate::bind::args;
use crate::codec::{self, DEAD, UNKNOWN, WAITING};
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::view::{WrappedKey, key_of};
use futures_util::future::{join, try_join};
use kernel::id::{DeliveryId, Position, ShopId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::delivery::StoredRef;
use store::lane::{Member, Stand};
use store::seal::{DataKey, Place};
use tokio_postgres::Row;

/// A delivery as the rules see it.
#[derive(Debug, Clone)]
pub(crate) struct Slim {
    pub id: i64,
    pub root: String,
    pub child: String,
    pub position: i64,
    /// Of its envelope.
    pub day: i32,
    pub flow: i32,
    pub system: i32,
    pub kind: i32,
    pub phase: i32,
    pub due_at: Option<i64>,
    pub wait: i32,
    pub detail: Option<String>,
    pub secret: Option<Vec<u8>>,
    pub version: Option<Vec<u8>>,
    pub priority: i32,
    pub spent: i32,
    pub failures: i32,
    pub calls: i32,
    pub created_at: i64,
    pub changed_at: i64,
    pub ended_at: Option<i64>,
    pub attempt_day: Option<i32>,
    pub touched: i32,
}

/// A row of [`OPEN`], [`NAMED`], or the members of a claim.
pub(crate) fn slim_of(row: &Row) -> Done<Slim> {
    Ok(Slim {
        id: row.try_get(0)?,
        root: row.try_get(1)?,
        child: row.try_get(2)?,
        position: row.try_get(3)?,
        day: row.try_get(4)?,
        flow: row.try_get(5)?,
        system: row.try_get(6)?,
        kind: row.try_get(7)?,
        phase: row.try_get(8)?,
        due_at: row.try_get(9)?,
        wait: row.try_get(10)?,
        detail: row.try_get(11)?,
        // Written once, where a state brings it.
        secret: None,
        version: None,
        priority: row.try_get(12)?,
        spent: row.try_get(13)?,
        failures: row.try_get(14)?,
        calls: row.try_get(15)?,
        created_at: row.try_get(16)?,
        changed_at: row.try_get(17)?,
        ended_at: row.try_get(18)?,
        attempt_day: row.try_get(19)?,
        touched: row.try_get(20)?,
    })
}

impl Slim {
    pub(crate) fn is_open(&self) -> bool {
        self.phase < DEAD
    }
    pub(crate) fn lane(&self) -> (String, i32) {
        (self.root.clone(), self.system)
    }

    pub(crate) fn member(&self) -> Done<Member<i32>> {
        let due_at = self.due_at.map(codec::time);
        let stand = match self.phase {
            WAITING => Stand::Waiting(due_at),
            UNKNOWN => Stand::Unknown(due_at.ok_or_else(|| bug("an unknown delivery without its time"))?),
            DEAD => Stand::Dead,
            _ => return Err(bug("an ended delivery in a lane")),
        };
        Ok(Member {
            id: DeliveryId(self.id),
            position: Position(self.position),
            kind: codec::delivery_kind(self.kind)?,
            stand,
            priority: codec::priority(self.priority),
            flow: self.flow,
        })
    }
}

/// Who holds a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    pub owner: String,
    pub fence: i64,
    pub until: i64,
    pub length_ns: i64,
    pub delivery: i64,
}

/// What is known of a subject at a flow.
#[derive(Debug, Clone, Default)]
pub(crate) struct StandingRow {
    pub target: Option<i32>,
    pub routed: Option<Vec<u8>>,
    pub routed_position: Option<i64>,
    pub delivered: Option<Vec<u8>>,
    pub digest: Option<Vec<u8>>,
    pub attempted: bool,
    pub newest: Option<i64>,
}

/// An attempt that begins.
#[derive(Debug)]
pub(crate) struct Begun {
    pub day: i32,
    pub id: i64,
    pub root: String,
    pub delivery: i64,
    pub step: i32,
    pub revision: i32,
    pub call_key: String,
    pub started_at: i64,
    pub call: Vec<u8>,
}

/// An attempt that ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub day: i32,
    pub id: i64,
    pub ended_at: i64,
    pub by_look_up: Option<bool>,
    pub fault: Option<Vec<u8>>,
}

/// A link with whose it is.
#[derive(Debug)]
pub(crate) struct Link {
    pub root: String,
    pub child: String,
    pub system: i32,
    pub external: StoredRef,
}

/// How many numbers a piece of work will give out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers {
    pub deliveries: usize,
    pub attempts: usize,
}

#[derive(Debug)]
pub(crate) struct Work<'d> {
    pub desk: &'d Desk,
    pub shop: i32,
    pub shop_id: ShopId,
    /// How often something of each root has been routed.
    pub routed: BTreeMap<String, i64>,
    pub rows: BTreeMap<i64, Slim>,
    pub holds: BTreeMap<(String, i32), Hold>,
    pub standings: BTreeMap<(String, String, i32), StandingRow>,
    keys: BTreeMap<String, (i64, DataKey)>,
    pub new_rows: BTreeSet<i64>,
    pub changed_rows: BTreeSet<i64>,
    pub changed_lanes: BTreeSet<(String, i32)>,
    pub changed_standings: BTreeSet<(String, String, i32)>,
    pub begun: Vec<Begun>,
    pub finished: Vec<Finished>,
    pub links: BTreeMap<(String, String, i32), Link>,
    /// Flow, ended_at, lag in milliseconds.
    pub lags: Vec<(i32, i64, i64)>,
    delivery_ids: Vec<i64>,
    attempt_ids: Vec<i64>,
}

impl<'d> Work<'d> {
    /// Takes the locks of these roots, in order, and reads what is open of them, and deliveries that are named.
    pub(crate) async fn on(
        desk: &'d Desk,
        shop_id: &ShopId,
        roots: &BTreeSet<String>,
        deliveries: &[i64],
        numbers: Numbers,
    ) -> Done<Self> {
        let shop = desk.names().given_shop(shop_id)?;
        let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
        // What is read stands behind the locks on the wire, and so is looked at once they are had.
        let locking = async {
            let routed = lock(desk, shop, &roots);
            let reading = read(desk, shop, &roots, deliveries, numbers);
            match desk.is_prepared(LOCK) {
                true => join(routed, reading).await,
                false => (routed.await, reading.await),
            }
        };
        let (routed, mut read) = Box::pin(locking).await;
        let mut routed = routed?;
        if routed.len() < roots.len() {
            let missing: Vec<&str> =
                roots.iter().copied().filter(|root| !routed.contains_key(*root)).collect();
            desk.execute(crate::append::NEW_ROOTS, args![shop, missing]).await?;
            routed = lock(desk, shop, &roots).await?;
            read = self::read(desk, shop, &roots, deliveries, numbers).await;
        }
        let Read { open, named, of_lanes, of_subjects, keys, delivery_ids, attempt_ids } = read?;
        let mut work = Self {
            desk,
            shop,
            shop_id: shop_id.clone(),
            routed,
            rows: BTreeMap::new(),
            holds: BTreeMap::new(),
            standings: BTreeMap::new(),
            keys: BTreeMap::new(),
            new_rows: BTreeSet::new(),
            changed_rows: BTreeSet::new(),
            changed_lanes: BTreeSet::new(),
            changed_standings: BTreeSet::new(),
            begun: Vec::new(),
            finished: Vec::new(),
            links: BTreeMap::new(),
            lags: Vec::new(),
            delivery_ids,
            attempt_ids,
        };
        work.fill(&open, &named, &of_lanes, &of_subjects, &keys)?;
        Ok(work)
    }

    fn fill(
        &mut self,
        open: &[Row],
        named: &[Row],
        of_lanes: &[Row],
        of_subjects: &[Row],
        keys: &[Row],
    ) -> Done<()> {
        for row in open.iter().chain(named) {
            let slim = slim_of(row)?;
            self.rows.insert(slim.id, slim);
        }
        for row in of_lanes {
            let hold = Hold {
                owner: row.try_get(2)?,
                fence: row.try_get(3)?,
                until: row.try_get(4)?,
                length_ns: row.try_get(5)?,
                delivery: row.try_get(6)?,
            };
            self.holds.insert((row.try_get(0)?, row.try_get(1)?), hold);
        }
        for row in of_subjects {
            let standing = StandingRow {
                target: row.try_get(3)?,
                routed: row.try_get(4)?,
                routed_position: row.try_get(5)?,
                delivered: row.try_get(6)?,
                digest: row.try_get(7)?,
                attempted: row.try_get(8)?,
                newest: row.try_get(9)?,
            };
            self.standings.insert((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), standing);
        }
        for row in keys {
            let root: String = row.try_get(0)?;
            if let Some(wrapped) = key_of(row, 1)? {
                let key = self.desk.shared.unwrapped(&self.shop_id, &root, &wrapped)?;
                self.keys.insert(root, (wrapped.id, key));
            }
        }
        Ok(())
    }

    pub(crate) fn next_delivery(&mut self) -> Done<i64> {
        self.delivery_ids.pop().ok_or_else(|| bug("more deliveries than there are numbers for"))
    }
    pub(crate) fn next_attempt(&mut self) -> Done<i64> {
        self.attempt_ids.pop().ok_or_else(|| bug("more attempts than there are numbers for"))
    }

    pub(crate) fn row(&self, id: i64) -> Done<&Slim> {
        self.rows.get(&id).ok_or_else(|| bug(format!("delivery {id} is not at work")))
    }
    pub(crate) fn row_mut(&mut self, id: i64) -> Done<&mut Slim> {
        self.changed_rows.insert(id);
        self.rows.get_mut(&id).ok_or_else(|| bug(format!("delivery {id} is not at work")))
    }

    pub(crate) fn set_hold(&mut self, lane: (String, i32), hold: Option<Hold>) {
        match hold {
            Some(hold) => self.holds.insert(lane.clone(), hold),
            None => self.holds.remove(&lane),
        };
        self.changed_lanes.insert(lane);
    }

    pub(crate) fn has_key(&self, root: &str) -> bool {
        self.keys.contains_key(root)
    }

    /// Seals a small value for a column, under the key in force of a root; made now if there is none.
    pub(crate) async fn seal(&mut self, root: &str, place: &Place, plain: &[u8]) -> Done<Vec<u8>> {
        if !self.keys.contains_key(root) {
            let fresh = Arc::new(self.desk.vault().fresh(self.shop_id.as_str(), root)?);
            let offered = BTreeMap::from([(root, fresh)]);
            let made: BTreeMap<String, WrappedKey> = self.desk.keys_of(self.shop, &[root], &offered).await?;
            let wrapped = made.get(root).ok_or_else(|| crate::append::no_key(&self.shop_id, root))?;
            let key = self.desk.shared.unwrapped(&self.shop_id, root, wrapped)?;
            self.keys.insert(root.to_owned(), (wrapped.id, key));
        }
        let (number, key) = &self.keys[root];
        Ok(key.seal_plain(&*self.desk.vault().random, place, plain)?.to_column(*number))
    }
}

/// What there is of some roots.
struct Read {
    open: Vec<Row>,
    named: Vec<Row>,
    of_lanes: Vec<Row>,
    of_subjects: Vec<Row>,
    keys: Vec<Row>,
    delivery_ids: Vec<i64>,
    attempt_ids: Vec<i64>,
}

async fn read(desk: &Desk, shop: i32, roots: &[&str], deliveries: &[i64], numbers: Numbers) -> Done<Read> {
    let open = async { desk.all(OPEN, args![shop, roots]).await };
    let named = async {
        if deliveries.is_empty() { Ok(Vec::new()) } else { desk.all(NAMED, args![shop, deliveries]).await }
    };
    let of_lanes = async { desk.all(HOLDS, args![shop, roots]).await };
    let of_subjects = async { desk.all(STANDINGS, args![shop, roots]).await };
    let keys = async { desk.all(KEYS_READ, args![shop, roots]).await };
    let ids =
        try_join(next(desk, "delivery_ids", numbers.deliveries), next(desk, "attempt_ids", numbers.attempts));
    let ((open, named), ((of_lanes, of_subjects), (keys, ids))) =
        Box::pin(join(join(open, named), join(join(of_lanes, of_subjects), join(keys, ids)))).await;
    let (delivery_ids, attempt_ids) = ids?;
    Ok(Read {
        open: open?,
        named: named?,
        of_lanes: of_lanes?,
        of_subjects: of_subjects?,
        keys: keys?,
        delivery_ids,
        attempt_ids,
    })
}

async fn lock(desk: &Desk, shop: i32, roots: &[&str]) -> Done<BTreeMap<String, i64>> {
    let rows = desk.all(LOCK, args![shop, roots]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The next numbers of a sequence, the smallest last.
async fn next(desk: &Desk, sequence: &str, count: usize) -> Done<Vec<i64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT nextval($1::text::regclass) FROM generate_series(1, $2)";
    let rows = desk.all(sql, args![sequence, i64::try_from(count).unwrap_or(i64::MAX)]).await?;
    let mut numbers = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Done<Vec<i64>>>()?;
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    Ok(numbers)
}

pub(crate) const LOCK: &str = "SELECT r.root, r.routed FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL ( \
     SELECT root, routed FROM roots WHERE shop = $1 AND root = n.root FOR NO KEY UPDATE) r";

const OPEN: &str = "SELECT d.id, d.root, d.child, d.position, d.day, d.flow, d.system, d.kind, d.phase, \
     d.due_at, d.wait, d.detail, d.priority, d.spent, d.failures, d.calls, d.created_at, d.changed_at, d.ended_at, \
     d.attempt_day, d.touched \
     FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL (SELECT * FROM deliveries \
     WHERE shop = $1 AND root = n.root AND phase < 3 OFFSET 0) d";

const NAMED: &str = "SELECT d.id, d.root, d.child, d.position, d.day, d.flow, d.system, d.kind, d.phase, \
     d.due_at, d.wait, d.detail, d.priority, d.spent, d.failures, d.calls, d.created_at, d.changed_at, d.ended_at, \
     d.attempt_day, d.touched \
     FROM unnest($2::int8[]) AS n (id) CROSS JOIN LATERAL (SELECT * FROM deliveries \
     WHERE shop = $1 AND id = n.id OFFSET 0) d";

const HOLDS: &str = "SELECT l.root, l.system, l.owner, l.fence, l.held_until, l.lease_ns, l.delivery \
     FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL (SELECT * FROM lanes \
     WHERE shop = $1 AND root = n.root AND owner IS NOT NULL OFFSET 0) l";

const STANDINGS: &str = "SELECT s.root, s.child, s.flow, s.target, s.routed, s.routed_position, s.delivered, s.digest, \
     s.attempted, s.newest FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL (SELECT * FROM standings \
     WHERE shop = $1 AND root = n.root OFFSET 0) s";

const KEYS_READ: &str = "SELECT k.root, k.id, k.master, k.wrapped FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL \
     (SELECT * FROM data_keys WHERE shop = $1 AND root = n.root OFFSET 0) k";

/// The hot statements of this file, for the test that looks at their plans.
pub(crate) const STATEMENTS: &[(&str, &str)] = &[
    ("work.lock", LOCK),
    ("work.open", OPEN),
    ("work.named", NAMED),
    ("work.holds", HOLDS),
    ("work.standings", STANDINGS),
    ("work.keys", KEYS_READ),
];
