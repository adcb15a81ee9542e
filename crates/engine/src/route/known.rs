//! What is known while a batch is routed: standings move on within it, those of what is composed as well. Decides nothing.

use kernel::envelope::Envelope;
use kernel::id::{FlowName, Position};
use kernel::subject::Subject;
use kernel::version::{EffectiveVersion, Order};
use std::collections::BTreeMap;
use store::delivery::{DeliveryKind, DeliveryState, NewDelivery, Standing, Wait};

/// Of what, for whom.
type Of = (FlowName, Subject);

#[derive(Debug, Default)]
pub(super) struct Known {
    standings: BTreeMap<Of, Standing>,
    /// The newest place in the batch after which a thing is to be composed anew. What was composed without it and comes behind it
    /// in the batch is older.
    composed_anew: BTreeMap<Of, Position>,
}

/// The version of what is composed of all up to this place in the log.
pub(super) fn composed_of(newest: Position) -> EffectiveVersion {
    EffectiveVersion::Sequence { sequence: newest.0 }
}

impl Known {
    /// As the store had it before the batch.
    pub(super) fn learn(&mut self, flow: &FlowName, subject: &Subject, standing: &Standing) {
        let of = (flow.clone(), subject.clone());
        self.standings.entry(of).or_insert_with(|| standing.clone());
    }

    pub(super) fn get(&self, flow: &FlowName, subject: &Subject) -> Option<&Standing> {
        self.standings.get(&(flow.clone(), subject.clone()))
    }

    /// After all of the batch so far.
    pub(super) fn standing(&mut self, flow: &FlowName, subject: &Subject) -> &mut Standing {
        let of = (flow.clone(), subject.clone());
        let anew = self.composed_anew.get(&of).copied();
        let standing = self.standings.entry(of).or_default();
        if let Some(position) = anew {
            let version = composed_of(position);
            // One that was committed earlier and is routed later does not make it older than it is.
            if standing.routed.as_ref().is_none_or(|routed| version.against(routed) == Order::Newer) {
                standing.routed = Some(version);
                standing.routed_position = Some(position);
            }
        }
        standing
    }

    /// Notes for which others this fact stands in until they are composed anew.
    pub(super) fn stands_in(&mut self, envelope: &Envelope, deliveries: &[NewDelivery]) {
        let stands_in = |new: &&NewDelivery| {
            let waits = matches!(new.state, DeliveryState::Waiting { wait: Wait::Reading, .. });
            waits && new.kind == DeliveryKind::State && new.subject != envelope.subject
        };
        for new in deliveries.iter().filter(stands_in) {
            self.composed_anew.insert((new.flow.clone(), new.subject.clone()), envelope.position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::ShopId;

    fn flow() -> FlowName {
        FlowName::new("stock").unwrap()
    }

    fn bundle() -> Subject {
        Subject { shop: ShopId::new("acme").unwrap(), path: "ats:A@WH/ats:KIT@WH".to_owned() }
    }

    fn routed(place: i64) -> Standing {
        let at = Position(place);
        Standing { routed: Some(composed_of(at)), routed_position: Some(at), ..Standing::default() }
    }

    fn composed_anew(known: &mut Known, place: i64) {
        known.composed_anew.insert((flow(), bundle()), Position(place));
    }

    #[test]
    fn what_is_composed_anew_in_the_batch_has_taken_the_place_of_what_the_store_knew() {
        let mut known = Known::default();
        composed_anew(&mut known, 87);
        known.learn(&flow(), &bundle(), &routed(85));
        assert_eq!(*known.standing(&flow(), &bundle()), routed(87));
        composed_anew(&mut known, 90);
        assert_eq!(*known.standing(&flow(), &bundle()), routed(90), "the newest of several");
    }

    #[test]
    fn one_that_was_committed_earlier_and_is_routed_later_makes_nothing_older() {
        let mut known = Known::default();
        known.learn(&flow(), &bundle(), &routed(85));
        composed_anew(&mut known, 80);
        assert_eq!(*known.standing(&flow(), &bundle()), routed(85));
    }
}
