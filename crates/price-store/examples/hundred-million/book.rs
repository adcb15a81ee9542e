//! One cart, four ways.

use crate::measure::Cart;
use kernel::money::Currency;
use kernel::quantity::Unit;
use pricing::{Line, Price, Resolver};
use rust_decimal::Decimal;
use std::sync::Arc;
use tidegate_price_store::Version;

/// The floor: of each list its SKUs, sorted, and a price each in four bytes; a binary search. No tiers, no validity, no texts, no layers.
pub(crate) struct Floor {
    lists: Vec<(Vec<u32>, Vec<u32>)>,
}

impl Floor {
    pub(crate) fn of(version: &Version) -> Self {
        let mut lists = Vec::new();
        for (id, _) in version.lists() {
            let walked = version.list(id).into_iter().flat_map(|list| version.walk(list));
            lists.push(walked.map(|(sku, price)| (sku, cents(&price))).unzip());
        }
        Self { lists }
    }

    pub(crate) fn cart(&self, cart: &Cart) -> u64 {
        let mut sum = 0;
        for sku in &cart.sku_numbers {
            for list in &cart.list_numbers {
                let (of_list, prices) = &self.lists[list.0 as usize];
                if let Ok(place) = of_list.binary_search(sku) {
                    sum += u64::from(prices[place]);
                }
            }
        }
        sum
    }
}

pub(crate) fn look_up(version: &Version, cart: &Cart) -> usize {
    let prices = cart
        .sku_numbers
        .iter()
        .flat_map(|sku| cart.list_numbers.iter().map(|list| version.price(*list, *sku)));
    prices.flatten().count()
}

pub(crate) fn look_up_texts(version: &Version, cart: &Cart) -> usize {
    let skus = cart.skus.iter().filter_map(|sku| version.key(sku));
    let prices = skus.flat_map(|sku| cart.list_numbers.iter().map(move |list| version.price(*list, sku)));
    prices.flatten().count()
}

/// As a request does it: the version, the buyer, the candidates, then line by line to the rounded price.
pub(crate) fn resolve(version: &Arc<Version>, cart: &Cart, at_once: bool) -> usize {
    let Ok(currency) = Currency::from_code("EUR") else { return 0 };
    let Some(buyer) = version.terms().buyer(&cart.location) else { return 0 };
    let book = version.book();
    let resolver = Resolver::new(version.terms(), &book, buyer, currency, 1_800_000_100);
    let line = |sku| Line { sku, quantity: Decimal::TEN, unit: Unit::piece() };
    let lines: Vec<Line<'_>> = cart.skus.iter().map(|sku| line(sku)).collect();
    if at_once {
        resolver.prices(lines.iter()).iter().flatten().count()
    } else {
        lines.iter().filter(|line| resolver.price(line).is_ok()).count()
    }
}

fn cents(price: &Price) -> u32 {
    let amount = match price {
        Price::Plain(amount) => *amount,
        Price::Windows(windows) => {
            windows.first().and_then(|window| window.tiers.first()).map_or(Decimal::ZERO, |tier| tier.amount)
        }
    };
    u32::try_from((amount * Decimal::ONE_HUNDRED).trunc().mantissa()).unwrap_or(u32::MAX)
}
