//! Prices on their way out: what of a price list a shop's catalogs can say, which catalogs it takes, and how the prices that are
//! there differ from those that are wanted.
//!
//! Owns what Shopify's model cannot express (each such price is told with its reason and stays on the cart path), the proof
//! that the lowest price over a location's catalogs is the one that resolution gives, and the comparison. Knows no rule of
//! resolution (that is `pricing`), and reads and writes nothing: who does is the caller.

mod arrange;
mod batch;
mod compare;
mod offer;
mod record;
mod shelf;
mod undercut;
mod wanted;

pub use arrange::{Arranged, CATALOGS_OF_LOCATION_MAX, Catalog, arrange};
pub use batch::{ARRAY_MAX, Batch, batches};
pub use compare::{Change, Counts, Diff, Held, HeldItem, Moved, compare};
pub use offer::{BREAKS_MAX, Item, Minor, Offer, Quantities, Rule, Why, express};
pub use record::Record;
pub use shelf::{Good, Shelf};
pub use undercut::{Undercut, undercuts};
pub use wanted::{Left, List, Place, PriceSource, Wanted, gather};

#[cfg(test)]
mod tests;
