//! Which items the shop has, by place in its list: the catalogue's first, then the generated ones. Every id and SKU is
//! computed, so that half a million items cost no memory.

use crate::shop::catalogue::{ITEMS, generated};

/// A place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::shopify) struct Good(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Goods {
    generated: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "twenty")]
const OF_CATALOGUE: u32 = ITEMS.len() as u32;

impl Goods {
    pub(super) fn new(generated: u32) -> Self {
        Self { generated }
    }

    pub(in crate::shopify) fn count(self) -> usize {
        (OF_CATALOGUE + self.generated) as usize
    }

    pub(in crate::shopify) fn all(self) -> impl Iterator<Item = Good> {
        (0..OF_CATALOGUE + self.generated).map(Good)
    }

    /// Search is blind to case, as Shopify's is.
    pub(in crate::shopify) fn by_sku(self, sku: &str) -> Option<Good> {
        let of_catalogue = ITEMS.iter().position(|item| item.sku.eq_ignore_ascii_case(sku));
        let place = of_catalogue.and_then(|place| u32::try_from(place).ok());
        place.map(Good).or_else(|| self.of_generated(generated::number(sku)?))
    }

    pub(in crate::shopify) fn by_variant(self, id: u64) -> Option<Good> {
        self.by(id, crate::shop::catalogue::Item::variant_id, generated::variant_id(0))
    }

    pub(in crate::shopify) fn by_inventory_item(self, id: u64) -> Option<Good> {
        self.by(id, crate::shop::catalogue::Item::inventory_item_id, generated::inventory_item_id(0))
    }

    fn by(self, id: u64, of_item: fn(&crate::shop::catalogue::Item) -> u64, base: u64) -> Option<Good> {
        let of_catalogue = ITEMS.iter().position(|item| of_item(item) == id);
        let place = of_catalogue.and_then(|place| u32::try_from(place).ok());
        place.map(Good).or_else(|| self.of_generated(u32::try_from(id.checked_sub(base)?).ok()?))
    }

    fn of_generated(self, number: u32) -> Option<Good> {
        (1..=self.generated).contains(&number).then(|| Good(OF_CATALOGUE + number - 1))
    }
}

impl Good {
    fn item(self) -> Result<&'static crate::shop::catalogue::Item, u32> {
        ITEMS.get(self.0 as usize).ok_or(self.0.saturating_sub(OF_CATALOGUE) + 1)
    }

    fn of<T>(
        self,
        known: impl FnOnce(&'static crate::shop::catalogue::Item) -> T,
        made: impl FnOnce(u32) -> T,
    ) -> T {
        match self.item() {
            Ok(item) => known(item),
            Err(number) => made(number),
        }
    }

    pub(in crate::shopify) fn sku(self) -> String {
        self.of(|item| item.sku.to_owned(), generated::sku)
    }

    pub(in crate::shopify) fn title(self) -> String {
        self.of(|item| item.title.to_owned(), |number| format!("Generated item {number}"))
    }

    pub(in crate::shopify) fn variant_id(self) -> u64 {
        self.of(|item| item.variant_id(), generated::variant_id)
    }

    pub(in crate::shopify) fn product_id(self) -> u64 {
        self.of(|item| item.product_id(), generated::product_id)
    }

    pub(in crate::shopify) fn inventory_item_id(self) -> u64 {
        self.of(|item| item.inventory_item_id(), generated::inventory_item_id)
    }

    pub(in crate::shopify) fn price_cents(self) -> i64 {
        self.of(|item| item.price_cents, |_| 1000)
    }

    pub(in crate::shopify) fn grams(self) -> u32 {
        self.of(|item| item.grams, |_| 100)
    }

    pub(in crate::shopify) fn harmonized_system_code(self) -> Option<&'static str> {
        self.of(|item| Some(item.harmonized_system_code), |_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_found_by_its_sku_and_ids_and_no_other_is() {
        let goods = Goods::new(1_000_001);
        let ends = [0, 1, OF_CATALOGUE - 1, OF_CATALOGUE, OF_CATALOGUE + 1_000_000];
        for good in ends.map(Good) {
            assert_eq!(goods.by_sku(&good.sku()), Some(good), "{}", good.sku());
            assert_eq!(goods.by_sku(&good.sku().to_lowercase()), Some(good));
            assert_eq!(goods.by_variant(good.variant_id()), Some(good));
            assert_eq!(goods.by_inventory_item(good.inventory_item_id()), Some(good));
        }
        for sku in
            ["", "GEN-", "GEN-000000", "GEN-1", "GEN-0000001", "GEN-+00001", "GEN-1000002", "SKU-0021", "ÄÖÜ"]
        {
            assert_eq!(goods.by_sku(sku), None, "{sku}");
        }
        assert_eq!(goods.by_inventory_item(1), None);
    }
}
