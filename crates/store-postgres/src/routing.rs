//! What this node has been handed for routing, so that a decision made on what was known then is not committed after
//! another node has routed something of the same root.
//!
//! Two nodes may look at one root at once; only the table decides. Each commit of routing raises the number at its root;
//! a decision that was made under another number is passed over, and its envelope is handed out anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// More than are ever decided at once; beyond it all is forgotten, and each is asked for again.
const REMEMBERED_MAX: usize = 65_536;

/// Where an envelope stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub shop: i32,
    pub day: i32,
    pub root: String,
}

#[derive(Debug, Default)]
struct Known {
    places: BTreeMap<i64, Place>,
    /// How often something of the root had been routed, when it was handed out or by ourselves since.
    routed: BTreeMap<(i32, String), i64>,
}

#[derive(Debug, Default)]
pub(crate) struct HandedOut(Mutex<Known>);

impl HandedOut {
    pub(crate) fn remember(&self, position: i64, place: Place, routed: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.places.len() >= REMEMBERED_MAX {
            *known = Known::default();
        }
        known.routed.insert((place.shop, place.root.clone()), routed);
        known.places.insert(position, place);
    }

    pub(crate) fn place(&self, position: i64) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).places.get(&position).cloned()
    }

    /// How often the root had been routed when this was handed out; a decision stands if that is so still. `None`: nobody
    /// was handed it, and the decision is the caller's own.
    pub(crate) fn then(&self, position: i64, place: &Place) -> Option<i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.places.get(&position)?;
        known.routed.get(&(place.shop, place.root.clone())).copied()
    }

    /// After the commit: the number that these roots have now, and what waits no more.
    pub(crate) fn routed(&self, roots: impl IntoIterator<Item = (i32, String, i64)>, positions: &[i64]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for position in positions {
            known.places.remove(position);
        }
        for (shop, root, routed) in roots {
            if let Some(then) = known.routed.get_mut(&(shop, root)) {
                *then = routed;
            }
        }
        if known.places.is_empty() {
            known.routed.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_stands_on_how_often_its_root_had_been_routed() {
        let place = Place { shop: 1, day: 1, root: "order:1".into() };
        let handed = HandedOut::default();
        assert_eq!(handed.then(7, &place), None, "nobody was handed it");
        handed.remember(7, place.clone(), 3);
        handed.remember(8, place.clone(), 3);
        assert_eq!(handed.then(7, &place), Some(3));
        handed.routed([(1, "order:1".into(), 4)], &[7]);
        assert_eq!(handed.then(8, &place), Some(4), "we ourselves routed what came before");
        assert_eq!(handed.then(7, &place), None);
    }
}
