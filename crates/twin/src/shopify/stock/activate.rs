//! `inventoryActivate`: stocks an item at a location. An item that was stocked there before has its quantities back
//! (since 2026-04); one that is stocked there stays as it is, and its quantities cannot be set on the way.

use super::{Fault, Pair, Stock};
use jiff::Timestamp;
use std::sync::Arc;

/// The arguments, with ids as numbers.
#[derive(Clone, Copy, Debug)]
pub(in crate::shopify) struct Activation {
    pub(in crate::shopify) inventory_item_id: u64,
    pub(in crate::shopify) location_id: u64,
    pub(in crate::shopify) available: Option<i64>,
    pub(in crate::shopify) on_hand: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::shopify) struct Activated {
    pub(in crate::shopify) pair: Pair,
    /// False where it was stocked there already.
    pub(in crate::shopify) is_new: bool,
}

impl Stock {
    pub(in crate::shopify) fn activate(
        &mut self,
        wanted: &Activation,
        key: &Arc<str>,
        at: Timestamp,
    ) -> Result<Activated, Vec<Fault>> {
        let because = "The product couldn't be stocked because";
        let Some(good) = self.goods.by_inventory_item(wanted.inventory_item_id) else {
            return Err(vec![fault("inventoryItemId", format!("{because} it wasn't found."))]);
        };
        let Some(pair) = self.pair(good, wanted.location_id) else {
            return Err(vec![fault("locationId", format!("{because} the location wasn't found."))]);
        };
        let was_active = self.levels[pair.slot()].is_active();
        let given = [("available", wanted.available), ("onHand", wanted.on_hand)];
        let given: Vec<_> = given.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
        let text = match given.as_slice() {
            [_, _] => Some("not allowed to set available and on_hand quantities at the same time"),
            [(_, value)] if *value < 0 => Some("the quantity can't be negative"),
            [_] if was_active => {
                Some("its quantity cannot be set when the item is already active at the location")
            }
            _ => None,
        };
        if let Some(text) = text {
            let said = |name: &str| fault(name, format!("{because} {text}."));
            return Err(given.iter().map(|(name, _)| said(name)).collect());
        }
        if !was_active {
            self.counts.activated += 1;
            if let [(_, value)] = given.as_slice() {
                let committed = self.levels[pair.slot()].committed;
                let available = if wanted.on_hand.is_some() { value - committed } else { *value };
                self.set_available(pair, available, Some(key), at);
            }
            self.set_active(pair, true, at);
        }
        Ok(Activated { pair, is_new: !was_active })
    }
}

fn fault(field: &str, text: String) -> Fault {
    Fault { code: "", field: Some(vec![field.to_owned()]), text }
}
