//! What the page of prices asks: which price, why, and who changed it. A port, so that the pages know nothing of price lists.

use jiff::Timestamp;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

/// An answer that may wait for a disk.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whoever knows prices.
pub trait Prices: Send + Sync + Debug {
    /// One price with its derivation; an error is a sentence for whoever asked.
    fn explain(&self, asked: PriceAsked) -> Waiting<'_, Result<PriceTold, String>>;
    /// Who changed the prices of a SKU, newest first.
    fn changes(&self, sku: String, limit: usize) -> Waiting<'_, Result<Vec<PriceChanged>, String>>;
    /// What was brought into the shops' catalogs, newest first.
    fn hydrations(&self, limit: usize) -> Waiting<'_, Result<Vec<PricesHydrated>, String>>;
    /// How things stand, in a sentence or two; and the loads that wait for a person.
    fn standing(&self) -> Waiting<'_, Result<PriceStanding, String>>;
}

/// One price that is asked for, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceAsked {
    pub sku: String,
    pub quantity: String,
    pub currency: String,
    /// None: nobody in particular.
    pub company_location: Option<String>,
    /// None: now.
    pub at: Option<Timestamp>,
}

/// One price, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTold {
    pub version: u64,
    pub at: Timestamp,
    /// Location, company and groups, in words.
    pub buyer: String,
    /// Unit price, total and list price; else why there is none.
    pub price: Result<[String; 3], String>,
    /// The list that gives it.
    pub list: Option<String>,
    pub steps: Vec<String>,
}

/// One change of one price.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceChanged {
    pub at: Timestamp,
    pub list: String,
    pub before: String,
    pub after: String,
    /// Of the smallest quantity, as far as it can be drawn; none: it was gone.
    pub amount: Option<f64>,
    pub load: u64,
    pub source: String,
    pub by: String,
    pub approved_because: Option<String>,
}

/// One run that was to write a shop's catalogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricesHydrated {
    pub at: Timestamp,
    pub shop: String,
    pub took_ms: u64,
    pub who: String,
    pub why: String,
    /// All that the shop has was read: what somebody else changed was found.
    pub against_shop: bool,
    /// Why it did not come to its end.
    pub failed: Option<String>,
    /// Prices that it changed, and in words: so many new, up, …
    pub changes: u64,
    pub of_these: String,
    /// Prices that somebody else had changed, and the one that is furthest off.
    pub drift: u64,
    pub largest_drift: Option<String>,
    pub at_the_cart: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceStanding {
    pub words: String,
    /// Each in a sentence.
    pub held: Vec<String>,
    /// Lists that answer nothing.
    pub damage: Vec<String>,
}
