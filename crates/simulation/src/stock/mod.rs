//! Stock under the same faults as the orders: a warehouse that counts, reserves and ships, a shop that sells what it shows,
//! and the hub between them, by the domain's own rules and the engine's own steps. Asks the one question for which shops
//! are blamed: was a unit sold twice? What is sold as a bundle of others takes the units of each of them; what lies at several places of
//! the warehouse may be one to the shop, and what lies at one may be divided over several of the shop's. What was shipped comes back, and
//! what was ordered is refused for a while ([`back`]).
//!
//! What nobody could keep apart is left out: nobody ships what was called off, and nothing is called off that has left.

mod back;
mod bundles;
mod buyers;
mod calls;
mod checks;
mod facts;
mod planner;
mod pushes;
mod shelf;
mod shop;
mod story;
mod verdict;

pub use calls::ShopCall;
pub(crate) use calls::{is_a_call, is_ours};
pub use checks::Meant;
pub(crate) use facts::{flows, refunds_of};
pub(crate) use planner::Counter;
pub use pushes::Push;
pub use story::StockMix;
pub(crate) use story::plan;

use crate::source::shop_id;
use bundles::Items;
use kernel::subject::Subject;
use shelf::Shelf;
use shop::Shelves;
use std::collections::{BTreeMap, BTreeSet};

/// Both sides of one run.
#[derive(Debug, Default)]
pub struct Stock {
    pub mix: StockMix,
    pub(crate) items: Items,
    /// The warehouse's truth.
    pub(crate) shelf: Shelf,
    /// What the shop shows and has sold.
    pub(crate) shop: Shelves,
    /// The levels that something was composed of last, by SKU and location; for a planted bug.
    composed_of: BTreeMap<(String, String), Vec<u8>>,
    /// What the shop has heard under each key.
    keys: BTreeMap<String, Vec<u8>>,
    /// What it refused to set last, by item; for a planted bug.
    refused: BTreeMap<usize, i64>,
    apart: back::Apart,
    /// By refund.
    backs: BTreeMap<u64, back::Back>,
    /// The warehouse refuses what it does not like, for a while.
    refuses: bool,
    /// Orders of which it refused the newest state that it was told, for a planted bug.
    refused_orders: BTreeSet<u64>,
}

/// Which item an order takes, and so where.
fn item_of(order: u64, items: usize) -> usize {
    usize::try_from(order % (items.max(1) as u64)).unwrap_or(0)
}

fn sku(kind: usize) -> String {
    format!("SKU-{kind}")
}

/// As the shop calls its one location, where it has one.
const LOCATION: &str = "WH";

/// Of a SKU at a location, as the warehouse tells it.
fn subject((sku, location): (&str, &str)) -> Subject {
    domains::inventory::subject(shop_id(), sku, location)
}
