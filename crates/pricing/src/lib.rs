//! Which price, and why. Owns what a price list, a surcharge and a promotion are, the rules of `docs/pricing.md` by which they
//! become one price, and the derivation that goes with it.
//!
//! Pure: no clock, no files, no async. [`Resolver`] is a function of what is read through the port [`book::Book`], of the
//! [`terms::Terms`] that say which list is for whom, of the buyer and of an instant. Refuses to know where prices are kept
//! (the read model's work), how they come (the loads' work), and any tax.

pub mod answer;
pub mod audience;
pub mod book;
pub mod carried;
pub mod decimal;
pub mod document;
pub mod goods;
pub mod price;
pub mod resolve;
pub mod rounding;
pub mod sku;
pub mod terms;
pub mod trail;
pub mod validity;

pub use answer::{Break, Line, Portion, Priced, QuantityFault, Source, Unpriced};
pub use audience::{Audience, Buyer, Nearness};
pub use book::{Book, MemoryBook};
pub use price::{Price, PriceFault, Tier, Window};
pub use resolve::Resolver;
pub use sku::{Sku, SkuFault};
pub use terms::{Terms, TermsFault};
pub use trail::Step;
pub use validity::Validity;
