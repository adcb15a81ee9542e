//! A cart without HTTP, in this process: the same look-ups in bare sorted arrays, which is the floor, and the ten rules upon the
//! read model, which is what the hub does between reading a request and writing its answer.

use super::world::{Cart, World};
use crate::bench::clock::now;
use anyhow::Context as _;
use kernel::money::Currency;
use kernel::quantity::Unit;
use price_store::PriceStore;
use pricing::{Line, Resolver};
use rust_decimal::Decimal;
use std::hint::black_box;

const ROUNDS: usize = 5;

/// Of each cart, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    pub p50: f64,
    pub p99: f64,
}

/// What the cart's lines come to for one of each, by the nearest list that has it; what only the list for everybody has counts
/// nothing.
pub fn cents(world: &World, cart: &Cart) -> u64 {
    let priced = cart
        .numbers
        .iter()
        .filter_map(|sku| cart.lists.iter().find_map(|list| world.cents_of(*list as u64, *sku)));
    priced.sum()
}

/// Binary searches in the buyer's lists until one has the SKU. No texts, tiers, terms or sums: eight bytes a price.
pub fn bare(world: &World, carts: &[Cart]) -> Took {
    let columns = world.columns();
    each(carts, |cart| {
        let priced = cart.numbers.iter().filter_map(|sku| {
            cart.lists.iter().find_map(|list| {
                let (skus, prices) = &columns[*list];
                skus.binary_search(sku).ok().map(|place| u64::from(prices[place]))
            })
        });
        priced.sum::<u64>()
    })
}

/// From the version that counts to the rounded totals.
pub fn resolved(store: &PriceStore, carts: &[Cart], at_s: i64) -> anyhow::Result<Took> {
    prices(store, carts.first().context("there is no cart")?, at_s)?;
    Ok(each(carts, |cart| prices(store, cart, at_s).map(|prices| prices.len()).unwrap_or_default()))
}

/// The unit price of each line; none where it has no price.
pub fn prices(store: &PriceStore, cart: &Cart, at_s: i64) -> anyhow::Result<Vec<Option<Decimal>>> {
    let version = store.current();
    let currency = Currency::from_code("EUR").context("the currency")?;
    let buyer = version.terms().buyer(&cart.location).context("the terms know the location")?;
    let book = version.book();
    let resolver = Resolver::new(version.terms(), &book, buyer, currency, at_s);
    let lines: Vec<Line<'_>> = cart
        .lines
        .iter()
        .map(|(sku, quantity)| Line { sku, quantity: Decimal::from(*quantity), unit: Unit::piece() })
        .collect();
    let priced = resolver.prices(lines.iter()).into_iter();
    Ok(priced.map(|priced| priced.ok().map(|priced| priced.unit_price)).collect())
}

/// Round after round over all of them, so that none is warm from the round before.
fn each<T>(carts: &[Cart], run: impl Fn(&Cart) -> T) -> Took {
    let mut nanos = Vec::with_capacity(carts.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for cart in carts {
            let begun = now();
            black_box(run(cart));
            nanos.push(begun.elapsed().as_nanos());
        }
    }
    took(nanos)
}

/// Of each, in any order.
pub fn took(mut nanos: Vec<u128>) -> Took {
    nanos.sort_unstable();
    let at = |percent: usize| nanos.get(nanos.len() * percent / 100).copied().unwrap_or(0) as f64 / 1e3;
    Took { p50: at(50), p99: at(99) }
}
