//! Which pairs there are: every SKU of the catalogue and every generated one, at every warehouse. Spelled exactly.

use crate::shop::catalogue::{ITEMS, WAREHOUSES, generated};

/// A pair's place in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(pub(super) u32);

#[derive(Clone, Copy, Debug)]
pub(super) struct Shelf {
    pub(super) generated: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "twenty and two")]
const SIZES: (u32, u32) = (ITEMS.len() as u32, WAREHOUSES.len() as u32);

impl Shelf {
    pub(super) fn pairs(self) -> u32 {
        (SIZES.0 + self.generated) * SIZES.1
    }

    pub(super) fn slot(self, sku: &str, location: &str) -> Option<Slot> {
        let place = WAREHOUSES.iter().position(|one| one.code == location)?;
        self.item(sku).map(|item| Slot(item * SIZES.1 + u32::try_from(place).unwrap_or(0)))
    }

    /// The same SKU at each location, in the warehouses' order.
    pub(super) fn slots(self, sku: &str) -> Option<impl Iterator<Item = Slot> + use<>> {
        let item = self.item(sku)?;
        Some((0..SIZES.1).map(move |place| Slot(item * SIZES.1 + place)))
    }

    fn item(self, sku: &str) -> Option<u32> {
        if let Some(item) = ITEMS.iter().position(|item| item.sku == sku) {
            return u32::try_from(item).ok();
        }
        let number = generated::number(sku).filter(|number| *number <= self.generated)?;
        (generated::sku(number) == sku).then(|| SIZES.0 + number - 1)
    }
}

impl Slot {
    pub(super) fn sku(self) -> String {
        let item = self.0 / SIZES.1;
        match ITEMS.get(item as usize) {
            Some(known) => known.sku.to_owned(),
            None => generated::sku(item - SIZES.0 + 1),
        }
    }

    pub(super) fn location(self) -> &'static str {
        WAREHOUSES[(self.0 % SIZES.1) as usize].code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_found_by_its_names_and_none_by_others() {
        let shelf = Shelf { generated: 3 };
        assert_eq!(shelf.pairs(), 46);
        for slot in (0..shelf.pairs()).map(Slot) {
            assert_eq!(shelf.slot(&slot.sku(), slot.location()), Some(slot));
        }
        for (sku, location) in
            [("SKU-0021", "WH-1"), ("sku-0001", "WH-1"), ("GEN-000004", "WH-1"), ("SKU-0001", "WH-3")]
        {
            assert_eq!(shelf.slot(sku, location), None, "{sku} {location}");
        }
    }
}
