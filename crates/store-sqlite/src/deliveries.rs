//! Deliveries as rows: a duty is added, and changes its state with all that this implies: its lane, its dead letter,
//! what waits for a reference, an older state that leaves `Unknown` while a newer one is there.

use crate::codec::{self, DEAD, ENDED, UNKNOWN, kind_number, nanos, state_columns, version_bytes};
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::roots::{Root, child};
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::fault::Fault;
use kernel::id::Position;
use kernel::version::Order;
use rusqlite::{Row, params};
use store::delivery::{DeliveryKind, DeliveryState, NewDelivery, Outcome};
use store::query::Closed;
use store::seal::vault::column_place;

/// Bits of `touched`.
pub(crate) const BY_A_PERSON: i64 = 1;
pub(crate) const RELEASED: i64 = 2;
const WAS_DEAD: i64 = 4;

/// What the rules read of a delivery.
#[derive(Debug, Clone)]
pub(crate) struct Slim {
    pub id: i64,
    pub root: Root,
    pub child: String,
    pub position: i64,
    pub flow: i64,
    pub system: i64,
    pub kind: i64,
    pub phase: i64,
    pub priority: i64,
    pub changed_at: i64,
    touched: i64,
}

pub(crate) const SLIM: &str = "SELECT d.id, d.shop, d.root, d.child, d.position, d.flow, d.system, d.kind, \
     d.phase, d.priority, d.changed_at, d.touched, r.data_key FROM deliveries d JOIN roots r ON r.id = d.root";

pub(crate) fn slim_of(row: &Row<'_>) -> Done<Slim> {
    Ok(Slim {
        id: row.get(0)?,
        root: Root { shop: row.get(1)?, id: row.get(2)?, data_key: row.get(12)? },
        child: row.get(3)?,
        position: row.get(4)?,
        flow: row.get(5)?,
        system: row.get(6)?,
        kind: row.get(7)?,
        phase: row.get(8)?,
        priority: row.get(9)?,
        changed_at: row.get(10)?,
        touched: row.get(11)?,
    })
}

impl Slim {
    pub(crate) fn is_open(&self) -> bool {
        self.phase < DEAD
    }
}

/// Why a state is taken: the fault of a dead one, who closes the letter of an ended one.
#[derive(Debug, Default)]
pub(crate) struct Because<'a> {
    pub fault: Option<&'a Fault>,
    pub closing: Option<Closed>,
}

impl Desk {
    pub(crate) fn slim(&self, id: i64) -> Done<Option<Slim>> {
        self.view().one(&[SLIM, " WHERE d.id = ?1"].concat(), [id], slim_of)
    }

    /// Adds a duty, by the rules of [`NewDelivery::supersedes`].
    pub(crate) fn insert_delivery(
        &mut self,
        root: Root,
        mut new: NewDelivery,
        position: Position,
        at: Timestamp,
    ) -> Done<()> {
        if new.lane.root != new.subject.root() || new.lane.shop != new.subject.shop {
            return Err(bug(format!("a delivery of {} in the lane {}", new.subject, new.lane)));
        }
        let (flow, system) = (self.number(new.flow.as_str())?, self.number(new.lane.system.as_str())?);
        if new.supersedes && !self.make_room(root, &mut new, (flow, system), position, at)? {
            return Ok(());
        }
        let columns = state_columns(&new.state)?;
        let sql = "INSERT INTO deliveries (shop, root, child, position, flow, system, kind, phase, due_at, wait, \
                   detail, version, priority, spent, failures, calls, created_at, changed_at, ended_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, 0, ?14, ?15, ?16)";
        let (kind, phase) = (kind_number(new.kind), columns.phase);
        self.execute(
            sql,
            params![
                root.shop,
                root.id,
                child(&new.subject),
                position.0,
                flow,
                system,
                kind,
                phase,
                columns.due_at,
                columns.wait,
                columns.detail,
                new.version.as_ref().map(version_bytes),
                new.priority as i64,
                nanos(at),
                nanos(new.changed_at),
                (phase == ENDED).then_some(nanos(at)),
            ],
        )?;
        let id = self.connection.last_insert_rowid();
        self.note_standing(root, &new, (flow, system), position, id)?;
        let slim = Slim {
            id,
            root,
            child: child(&new.subject).to_owned(),
            position: position.0,
            flow,
            system,
            kind,
            phase,
            priority: new.priority as i64,
            changed_at: nanos(new.changed_at),
            touched: 0,
        };
        match &new.state {
            DeliveryState::Dead => self.bury(&slim, at, new.fault.as_ref())?,
            DeliveryState::Ended(outcome) => self.ended(&slim, outcome, at, None)?,
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {}
        }
        if let Some(secret) = columns.secret {
            self.keep_secret(&slim, &secret)?;
        }
        if phase == ENDED { Ok(()) } else { self.refresh(root.shop, root.id, system) }
    }

    /// Ends what the new one overtakes and takes over its priority; `false`: the new one is dropped.
    fn make_room(
        &mut self,
        root: Root,
        new: &mut NewDelivery,
        (flow, system): (i64, i64),
        position: Position,
        at: Timestamp,
    ) -> Done<bool> {
        let sql = [
            SLIM,
            " WHERE d.shop = ?1 AND d.root = ?2 AND d.phase < 3 AND d.flow = ?3 AND d.kind = ?4 \
                          AND d.child = ?5 ORDER BY d.id",
        ]
        .concat();
        let key = params![root.shop, root.id, flow, kind_number(new.kind), child(&new.subject)];
        for older in self.view().all(&sql, key, slim_of)? {
            if new.kind == DeliveryKind::Read && older.is_open() {
                // One that may be under way could miss what the new one is about.
                if self.claims.hold((root.id, system)).is_some_and(|hold| hold.delivery == older.id) {
                    continue;
                }
                let sql = "UPDATE deliveries SET priority = min(priority, ?2) WHERE id = ?1";
                self.execute(sql, [older.id, new.priority as i64])?;
                self.refresh(root.shop, root.id, system)?;
                return Ok(false);
            }
            if older.phase != UNKNOWN {
                new.priority = new.priority.min(codec::priority(older.priority));
                let superseded = DeliveryState::Ended(Outcome::Superseded { by: position });
                self.set_state(&older, &superseded, at, Because::default())?;
            }
        }
        Ok(true)
    }

    /// The small row of (flow, subject): the newest version that routing took, the newest delivery of its state.
    fn note_standing(
        &self,
        root: Root,
        new: &NewDelivery,
        (flow, system): (i64, i64),
        position: Position,
        id: i64,
    ) -> Done<()> {
        let overtaken = matches!(new.state, DeliveryState::Ended(Outcome::Superseded { .. }));
        let of_state = new.kind == DeliveryKind::State && !overtaken;
        let target = (new.kind != DeliveryKind::Read).then_some(system);
        let newest = of_state.then_some(id);
        let child = child(&new.subject);
        let routed = match new.version.as_ref().filter(|_| of_state) {
            Some(version) => {
                let sql =
                    "SELECT routed FROM standings WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4";
                let key = params![root.shop, root.id, child, flow];
                let known = self.view().one(sql, key, |row| codec::version(row.get(0)?))?.flatten();
                let newer = known.is_none_or(|known| version.against(&known) != Order::Older);
                newer.then(|| version_bytes(version))
            }
            None => None,
        };
        let sql = "INSERT INTO standings (shop, root, child, flow, target, routed, routed_position, newest) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET \
                   target = coalesce(?5, target), routed = coalesce(?6, routed), \
                   routed_position = coalesce(?7, routed_position), newest = coalesce(?8, newest)";
        let routed_position = routed.is_some().then_some(position.0);
        let row = params![root.shop, root.id, child, flow, target, routed, routed_position, newest];
        self.execute(sql, row)?;
        Ok(())
    }

    /// Changes the state of a delivery, with all that it implies.
    pub(crate) fn set_state(
        &mut self,
        row: &Slim,
        state: &DeliveryState,
        at: Timestamp,
        because: Because<'_>,
    ) -> Done<()> {
        let overtaken =
            self.overtaken_by(row, state)?.map(|by| DeliveryState::Ended(Outcome::Superseded { by }));
        let state = overtaken.as_ref().unwrap_or(state);
        let columns = state_columns(state)?;
        let was_dead = if row.phase == DEAD { WAS_DEAD } else { 0 };
        let sql = "UPDATE deliveries SET phase = ?2, due_at = ?3, wait = ?4, detail = ?5, \
                   ended_at = coalesce(?6, ended_at), touched = touched | ?7 WHERE id = ?1";
        let ended_at = (columns.phase == ENDED).then_some(nanos(at));
        let phase = columns.phase;
        let row_of = params![row.id, phase, columns.due_at, columns.wait, columns.detail, ended_at, was_dead];
        self.execute(sql, row_of)?;
        if row.phase == DEAD {
            self.rise(row)?;
        }
        match state {
            DeliveryState::Dead => self.bury(row, at, because.fault)?,
            DeliveryState::Ended(outcome) => self.ended(row, outcome, at, because.closing)?,
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {}
        }
        if let Some(secret) = columns.secret {
            self.keep_secret(row, &secret)?;
        }
        self.refresh(row.root.shop, row.root.id, row.system)
    }

    fn keep_secret(&mut self, row: &Slim, secret: &str) -> Done<()> {
        let place = column_place("deliveries.secret", row.id);
        let sealed = self.seal_for(row, &place, secret.as_bytes())?;
        self.execute("UPDATE deliveries SET secret = ?2 WHERE id = ?1", params![row.id, sealed])?;
        Ok(())
    }

    /// Seals a column under the root of a delivery.
    pub(crate) fn seal_for(&mut self, row: &Slim, place: &store::seal::Place, plain: &[u8]) -> Done<Vec<u8>> {
        let (shop, path) = self.view().root_names(row.root)?;
        let mut root = row.root;
        self.seal_column(&mut root, shop.as_str(), &path, place, plain)
    }

    /// The newer state (or step) that stands open or dead while this one leaves `Unknown` unfinished.
    fn overtaken_by(&self, row: &Slim, state: &DeliveryState) -> Done<Option<Position>> {
        let leaves = matches!(state, DeliveryState::Waiting { .. } | DeliveryState::Dead);
        let replaces = [DeliveryKind::State, DeliveryKind::Step].map(kind_number).contains(&row.kind);
        if !leaves || row.phase != UNKNOWN || !replaces {
            return Ok(None);
        }
        let sql = "SELECT position FROM deliveries WHERE shop = ?1 AND root = ?2 AND phase < 3 AND flow = ?3 \
                   AND kind = ?4 AND child = ?5 AND id > ?6 ORDER BY id DESC LIMIT 1";
        let key = params![row.root.shop, row.root.id, row.flow, row.kind, row.child, row.id];
        self.view().one(sql, key, |row| Ok(Position(row.get(0)?)))
    }

    /// What an end brings: the letter is closed, the lag is taken down.
    fn ended(&mut self, row: &Slim, outcome: &Outcome, at: Timestamp, closing: Option<Closed>) -> Done<()> {
        if row.phase == DEAD || row.touched & WAS_DEAD != 0 {
            self.close_letter(row.id, outcome, at, closing)?;
        }
        let counted = [DeliveryKind::State, DeliveryKind::Event].map(kind_number).contains(&row.kind);
        if matches!(outcome, Outcome::Delivered { .. }) && counted {
            let lag_ms = elapsed_ms(codec::time(row.changed_at), at);
            let sql = "INSERT INTO lags (flow, ended_at, lag_ms) VALUES (?1, ?2, ?3)";
            self.execute(sql, params![row.flow, nanos(at), lag_ms.cast_signed()])?;
        }
        Ok(())
    }
}
