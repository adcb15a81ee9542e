//! What a change of a delivery implies, applied in memory to a piece of work: a duty is added by the rules of
//! supersession; a state is left with all that this brings: its lane, its dead letter, what waits for a reference, an
//! older state that leaves `Unknown` while a newer one is there.

use crate::codec::{self, DEAD, ENDED, UNKNOWN, kind_number, nanos, number_of, state_columns, version_bytes};
use crate::error::{Done, bug};
use crate::view::child;
use crate::work::{Slim, Work};
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::fault::Fault;
use kernel::id::Position;
use kernel::version::Order;
use store::delivery::{DeliveryKind, DeliveryState, NewDelivery, Outcome};
use store::query::Closed;
use store::seal::vault::column_place;

/// Bits of `touched`.
pub(crate) const BY_A_PERSON: i32 = 1;
pub(crate) const RELEASED: i32 = 2;
const WAS_DEAD: i32 = 4;

/// Why a state is taken: the fault of a dead one, who closes the letter of an ended one.
#[derive(Debug, Default)]
pub(crate) struct Because<'a> {
    pub fault: Option<&'a Fault>,
    pub closing: Option<Closed>,
}

/// The envelope that a duty comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub position: Position,
    pub day: i32,
}

/// Flow and system, by number.
type Way = (i32, i32);

impl Work<'_> {
    /// Adds a duty, by the rules of [`NewDelivery::supersedes`].
    pub(crate) async fn insert(&mut self, mut new: NewDelivery, origin: Origin, at: Timestamp) -> Done<()> {
        if new.lane.root != new.subject.root() || new.lane.shop != new.subject.shop {
            return Err(bug(format!("a delivery of {} in the lane {}", new.subject, new.lane)));
        }
        let names = self.desk.names();
        let way = (names.given(new.flow.as_str())?, names.given(new.lane.system.as_str())?);
        if new.supersedes && !self.make_room(&mut new, way, origin, at).await? {
            return Ok(());
        }
        let columns = state_columns(&new.state)?;
        let id = self.next_delivery()?;
        let slim = Slim {
            id,
            root: new.subject.root().to_owned(),
            child: child(&new.subject).to_owned(),
            position: origin.position.0,
            day: origin.day,
            flow: way.0,
            system: way.1,
            kind: kind_number(new.kind),
            phase: columns.phase,
            due_at: columns.due_at,
            wait: columns.wait,
            detail: columns.detail,
            secret: None,
            version: new.version.as_ref().map(version_bytes),
            priority: number_of(new.priority),
            spent: 0,
            failures: 0,
            calls: 0,
            created_at: nanos(at),
            changed_at: nanos(new.changed_at),
            ended_at: (columns.phase == ENDED).then_some(nanos(at)),
            attempt_day: None,
            touched: 0,
        };
        self.changed_lanes.insert(slim.lane());
        self.rows.insert(id, slim.clone());
        self.new_rows.insert(id);
        self.note_standing(&new, &slim)?;
        match &new.state {
            DeliveryState::Dead => self.bury(&slim, at, new.fault.as_ref()).await?,
            DeliveryState::Ended(outcome) => self.ended(&slim, outcome, at, None).await?,
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {}
        }
        if let Some(secret) = columns.secret {
            self.keep_secret(&slim, &secret).await?;
        }
        Ok(())
    }

    /// Ends what the new one overtakes and takes over its priority; `false`: the new one is dropped.
    async fn make_room(
        &mut self,
        new: &mut NewDelivery,
        way: Way,
        origin: Origin,
        at: Timestamp,
    ) -> Done<bool> {
        let (root, child, kind) = (new.subject.root(), child(&new.subject), kind_number(new.kind));
        let same = |row: &&Slim| {
            row.phase < ENDED
                && row.flow == way.0
                && row.kind == kind
                && row.root == root
                && row.child == child
        };
        let olders: Vec<Slim> = self.rows.values().filter(same).cloned().collect();
        for older in olders {
            if new.kind == DeliveryKind::Read && older.is_open() {
                // One that may be under way could miss what the new one is about.
                let hold = self.holds.get(&(root.to_owned(), way.1));
                if hold.is_some_and(|hold| hold.delivery == older.id) {
                    continue;
                }
                let row = self.row_mut(older.id)?;
                row.priority = row.priority.min(number_of(new.priority));
                self.changed_lanes.insert(older.lane());
                return Ok(false);
            }
            if older.phase != UNKNOWN {
                new.priority = new.priority.min(codec::priority(older.priority));
                let superseded = DeliveryState::Ended(Outcome::Superseded { by: origin.position });
                self.set_state(older.id, &superseded, at, Because::default()).await?;
            }
        }
        Ok(true)
    }

    /// The small row of (flow, subject): the newest version that routing took, the newest delivery of its state.
    fn note_standing(&mut self, new: &NewDelivery, row: &Slim) -> Done<()> {
        let overtaken = matches!(new.state, DeliveryState::Ended(Outcome::Superseded { .. }));
        let of_state = new.kind == DeliveryKind::State && !overtaken;
        let key = (row.root.clone(), row.child.clone(), row.flow);
        let standing = self.standings.entry(key.clone()).or_default();
        if new.kind != DeliveryKind::Read {
            standing.target = Some(row.system);
        }
        if of_state {
            standing.newest = Some(row.id);
        }
        if let Some(version) = new.version.as_ref().filter(|_| of_state) {
            let known = codec::version(standing.routed.clone())?;
            if known.is_none_or(|known| version.against(&known) != Order::Older) {
                standing.routed = Some(version_bytes(version));
                standing.routed_position = Some(row.position);
            }
        }
        self.changed_standings.insert(key);
        Ok(())
    }

    /// Changes the state of a delivery, with all that it implies.
    pub(crate) async fn set_state(
        &mut self,
        id: i64,
        state: &DeliveryState,
        at: Timestamp,
        because: Because<'_>,
    ) -> Done<()> {
        let before = self.row(id)?.clone();
        let overtaken =
            self.overtaken_by(&before, state).map(|by| DeliveryState::Ended(Outcome::Superseded { by }));
        let state = overtaken.as_ref().unwrap_or(state);
        let columns = state_columns(state)?;
        let row = self.row_mut(id)?;
        row.phase = columns.phase;
        row.due_at = columns.due_at;
        row.wait = columns.wait;
        row.detail = columns.detail;
        if columns.phase == ENDED {
            row.ended_at = Some(nanos(at));
        }
        if before.phase == DEAD {
            row.touched |= WAS_DEAD;
        }
        self.changed_lanes.insert(before.lane());
        if before.phase == DEAD {
            self.rise(&before).await?;
        }
        match state {
            DeliveryState::Dead => self.bury(&before, at, because.fault).await?,
            DeliveryState::Ended(outcome) => self.ended(&before, outcome, at, because.closing).await?,
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {}
        }
        if let Some(secret) = columns.secret {
            self.keep_secret(&before, &secret).await?;
        }
        Ok(())
    }

    async fn keep_secret(&mut self, row: &Slim, secret: &str) -> Done<()> {
        let place = column_place("deliveries.secret", row.id);
        let sealed = self.seal(&row.root, &place, secret.as_bytes()).await?;
        self.row_mut(row.id)?.secret = Some(sealed);
        Ok(())
    }

    /// The newer state (or step) that stands open or dead while this one leaves `Unknown` unfinished.
    fn overtaken_by(&self, row: &Slim, state: &DeliveryState) -> Option<Position> {
        let leaves = matches!(state, DeliveryState::Waiting { .. } | DeliveryState::Dead);
        let replaces = [DeliveryKind::State, DeliveryKind::Step].map(kind_number).contains(&row.kind);
        if !leaves || row.phase != UNKNOWN || !replaces {
            return None;
        }
        let newer = self.rows.values().rev().find(|other| {
            other.phase < ENDED
                && other.id > row.id
                && (other.flow, other.kind) == (row.flow, row.kind)
                && (&other.root, &other.child) == (&row.root, &row.child)
        });
        newer.map(|newer| Position(newer.position))
    }

    /// What an end brings: the letter is closed, the lag is taken down.
    async fn ended(
        &mut self,
        row: &Slim,
        outcome: &Outcome,
        at: Timestamp,
        closing: Option<Closed>,
    ) -> Done<()> {
        if row.phase == DEAD || row.touched & WAS_DEAD != 0 {
            self.close_letter(row.id, outcome, at, closing).await?;
        }
        let counted = [DeliveryKind::State, DeliveryKind::Event].map(kind_number).contains(&row.kind);
        if matches!(outcome, Outcome::Delivered { .. }) && counted {
            let lag_ms = elapsed_ms(codec::time(row.changed_at), at);
            self.lags.push((row.flow, nanos(at), lag_ms.cast_signed()));
        }
        Ok(())
    }
}
