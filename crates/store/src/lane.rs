//! Which delivery of a lane is next, and when: the rule of DESIGN section 4 as pure functions that every store uses.
//!
//! Owns the order within one lane; knows no lease, no pause, no clock.

use crate::delivery::{Delivery, DeliveryKind, DeliveryState};
use jiff::Timestamp;
use kernel::envelope::Priority;
use kernel::id::{DeliveryId, FlowName, Position};

/// How a member of a lane stands. Ended deliveries are no members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    Waiting(Option<Timestamp>),
    Unknown(Timestamp),
    Dead,
}

/// What the rule reads of a delivery. `F` is how the store names a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<F> {
    pub id: DeliveryId,
    pub position: Position,
    pub kind: DeliveryKind,
    pub stand: Stand,
    pub priority: Priority,
    pub flow: F,
}

impl<'a> Member<&'a FlowName> {
    /// `None` for a delivery that has ended.
    pub fn of(delivery: &'a Delivery) -> Option<Self> {
        let stand = match &delivery.state {
            DeliveryState::Waiting { due_at, .. } => Stand::Waiting(*due_at),
            DeliveryState::Unknown { due_at, .. } => Stand::Unknown(*due_at),
            DeliveryState::Dead => Stand::Dead,
            DeliveryState::Ended(_) => return None,
        };
        Some(Self {
            id: delivery.id,
            position: delivery.position,
            kind: delivery.kind,
            stand,
            priority: delivery.priority,
            flow: &delivery.flow,
        })
    }
}

impl<F> Member<F> {
    fn order(&self) -> (Position, DeliveryId) {
        (self.position, self.id)
    }
    fn due_at(&self) -> Option<Timestamp> {
        match self.stand {
            Stand::Waiting(due_at) => due_at,
            Stand::Unknown(due_at) => Some(due_at),
            Stand::Dead => None,
        }
    }
}

/// The members that nothing in the lane holds back, whether they are due or not: the one in `Unknown` alone where
/// there is one; else all but the events behind the first event.
fn free<F>(members: &[Member<F>]) -> impl Iterator<Item = &Member<F>> {
    let unknown = members.iter().filter(|m| matches!(m.stand, Stand::Unknown(_))).min_by_key(|m| m.order());
    let first_event = members.iter().filter(|m| m.kind == DeliveryKind::Event).map(Member::order).min();
    members.iter().filter(move |m| match unknown {
        Some(unknown) => unknown.id == m.id,
        None => m.kind != DeliveryKind::Event || Some(m.order()) == first_event,
    })
}

/// The delivery that a claim at `now` gets, if one is due. Those of `passed_over` flows are not offered, yet they
/// hold what they held: an unknown one its lane, an event the events behind it.
pub fn head<F>(
    members: &[Member<F>],
    now: Timestamp,
    passed_over: impl Fn(&F) -> bool,
) -> Option<DeliveryId> {
    free(members)
        .filter(|m| m.due_at().is_some_and(|due_at| due_at <= now) && !passed_over(&m.flow))
        .min_by_key(|m| {
            let rank = match (m.stand, m.kind) {
                (Stand::Unknown(_), _) => 0,
                (_, DeliveryKind::State) => 1,
                _ => 2,
            };
            (rank, m.order())
        })
        .map(|m| m.id)
}

/// When the lane is due next, and with which priority it stands among others: the best of all that wait in it, so
/// that a live fact is not slowed by a backfilled one ahead of it.
pub fn due<F>(members: &[Member<F>]) -> Option<(Timestamp, Priority)> {
    let due_at = free(members).filter_map(Member::due_at).min()?;
    let priority = members.iter().filter(|m| m.due_at().is_some()).map(|m| m.priority).min()?;
    Some((due_at, priority))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryKind::{Event, Read, State, Step};
    use Stand::{Dead, Unknown, Waiting};

    /// What stands in the lane, which is next at second 10, when the lane is due.
    type Case<'a> = (&'a [(i64, DeliveryKind, Stand, u8)], Option<i64>, Option<i64>);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Ids are positions; flow 9 is passed over; the claim comes at second 10.
    fn lane(rows: &[(i64, DeliveryKind, Stand, u8)]) -> Vec<Member<u8>> {
        rows.iter()
            .map(|(id, kind, stand, flow)| Member {
                id: DeliveryId(*id),
                position: Position(*id),
                kind: *kind,
                stand: *stand,
                priority: Priority::Live,
                flow: *flow,
            })
            .collect()
    }

    #[test]
    fn the_head_of_a_lane() {
        let (past, later, never) = (Waiting(Some(at(5))), Waiting(Some(at(50))), Waiting(None));
        let unknown = Unknown(at(5));
        let table: &[Case] = &[
            (&[], None, None),
            (&[(1, State, past, 0)], Some(1), Some(5)),
            (&[(1, State, later, 0)], None, Some(50)),
            (&[(1, State, never, 0)], None, None),
            // A due state goes before an event that is older; a state that is not due holds nothing.
            (&[(1, Event, past, 0), (2, State, past, 0)], Some(2), Some(5)),
            (&[(1, State, later, 0), (2, Event, past, 0)], Some(2), Some(5)),
            // An unknown one goes first, and alone.
            (&[(1, State, past, 0), (2, Event, unknown, 0)], Some(2), Some(5)),
            (&[(1, State, past, 0), (2, Event, Unknown(at(50)), 0)], None, Some(50)),
            // An event that waits or is dead holds back events only.
            (&[(1, Event, later, 0), (2, Event, past, 0)], None, Some(50)),
            (&[(1, Event, Dead, 0), (2, Event, past, 0)], None, None),
            (&[(1, Event, Dead, 0), (2, Event, past, 0), (3, Step, past, 0)], Some(3), Some(5)),
            (&[(1, State, Dead, 0), (2, Event, past, 0)], Some(2), Some(5)),
            // Steps, reads and the first event by position.
            (&[(3, Step, past, 0), (1, Event, past, 0), (2, Read, past, 0)], Some(1), Some(5)),
            // A flow that is passed over offers nothing, and holds what it held.
            (&[(1, State, past, 9), (2, Event, past, 0)], Some(2), Some(5)),
            (&[(1, Event, past, 9), (2, Event, past, 0)], None, Some(5)),
            (&[(1, State, unknown, 9), (2, Event, past, 0)], None, Some(5)),
        ];
        for (row, (rows, expected, due_at)) in table.iter().enumerate() {
            let lane = lane(rows);
            assert_eq!(head(&lane, at(10), |flow| *flow == 9).map(|id| id.0), *expected, "row {row}");
            assert_eq!(due(&lane).map(|(due_at, _)| due_at), due_at.map(at), "row {row}");
        }
    }

    #[test]
    fn a_lane_has_the_best_priority_of_what_waits_in_it() {
        let mut lane = lane(&[(1, State, Waiting(Some(at(1))), 0), (2, Event, Waiting(Some(at(9))), 0)]);
        lane[0].priority = Priority::Backfill;
        assert_eq!(due(&lane), Some((at(1), Priority::Live)));
        lane[1].stand = Dead;
        assert_eq!(due(&lane), Some((at(1), Priority::Backfill)));
    }
}
