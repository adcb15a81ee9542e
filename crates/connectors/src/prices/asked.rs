//! What a comparison asks of prices: what a buyer was to pay at an instant, and when that changed.

use async_trait::async_trait;
use jiff::Timestamp;
use kernel::fault::Fault;
use kernel::money::Currency;
use rust_decimal::Decimal;
use std::fmt::Debug;

/// So many of one article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    pub sku: String,
    pub quantity: Decimal,
}

/// What one line was to cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// For one; the average where several portions have several prices.
    pub unit_price: Decimal,
    /// For the quantity.
    pub total: Decimal,
    pub tax_included: bool,
    /// Which list gave it.
    pub list: String,
}

/// What prices say of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    Price(Price),
    /// Another system makes the price when it is asked, so that nobody can say afterwards what it was.
    MadeBy(String),
    /// And why.
    NoPrice(String),
}

/// An instant from which on a price was, or may have been, another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub at: Timestamp,
    /// `load 12 of erp-nightly`, `the end of a validity`.
    pub by: String,
}

/// The hub's prices, of any instant.
#[async_trait]
pub trait PricesAt: Send + Sync + Debug {
    /// One answer for each line, in their order; by nobody's company where `company_location` is none. `None`: no prices were
    /// there yet at that instant.
    ///
    /// # Errors
    /// The disk fails.
    async fn agreed(
        &self,
        company_location: Option<&str>,
        currency: Currency,
        at: Timestamp,
        goods: &[Goods],
    ) -> Result<Option<Vec<Agreed>>, Fault>;

    /// When the price of an article changed before an instant, for anybody, the newest first; the last few.
    ///
    /// # Errors
    /// The disk fails.
    async fn changes(&self, sku: &str, before: Timestamp) -> Result<Vec<Changed>, Fault>;
}
