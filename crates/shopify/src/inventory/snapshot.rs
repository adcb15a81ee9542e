//! What Shopify has, all of it, for the full check: every stock level, streamed from one bulk operation.

use crate::bulk::{self, Finished, Lines, Progress};
use crate::graphql::{ALL_STOCK, ShopClient};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    pub sku: &'a str,
    /// `gid://shopify/Location/1`.
    pub location: &'a str,
    /// Its own id, as an external ref has it.
    pub level: &'a str,
    pub available: i64,
    pub committed: i64,
}

/// All levels, as they come.
#[derive(Debug)]
pub struct Snapshot {
    lines: Lines,
    /// Levels of items without a SKU: nobody can say whose they are.
    without_sku: u64,
    current: Current,
}

/// The level that was read last; its texts are written over by the next one.
#[derive(Debug, Default)]
struct Current {
    sku: String,
    location: String,
    level: String,
    available: i64,
    committed: i64,
}

/// A line, as far as it is read. An item has no quantities.
#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    location: Option<Id<'a>>,
    #[serde(borrow)]
    item: Option<Item<'a>>,
    quantities: Option<Quantities>,
}

#[derive(Debug, Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    sku: Option<Text<'a>>,
}

/// Borrowed where it stands as it is: within an option only by a type of its own.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Of the list of quantities, those that are asked for.
#[derive(Debug, Default)]
struct Quantities {
    available: Option<i64>,
    committed: Option<i64>,
}

impl<'de> Deserialize<'de> for Quantities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Quantities;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of quantities")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Quantities, A::Error> {
                let mut quantities = Quantities::default();
                while let Some(Quantity { name, quantity }) = list.next_element()? {
                    match name.as_ref() {
                        "available" => quantities.available = Some(quantity),
                        "committed" => quantities.committed = Some(quantity),
                        _ => {}
                    }
                }
                Ok(quantities)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[derive(Debug, Deserialize)]
struct Quantity<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    quantity: i64,
}

/// Has Shopify list its stock, and waits until it has. The result may be read more than once.
pub async fn take(
    client: &ShopClient,
    call: &CallContext,
    within: Duration,
    tell: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Finished, Fault> {
    let id = begin(client, call).await?;
    bulk::await_result(client, call, &id, within, tell).await
}

/// Has Shopify list its stock, and waits for nothing: the operation's id, by which it is found again
/// ([`bulk::await_result`]).
pub async fn begin(client: &ShopClient, call: &CallContext) -> Result<String, Fault> {
    bulk::begin(client, call, &ALL_STOCK).await
}

impl Snapshot {
    /// Begins to read a result; the call's time is for the beginning, `within` for the whole.
    pub async fn open(
        client: &Arc<ShopClient>,
        call: &CallContext,
        finished: &Finished,
        within: Duration,
    ) -> Result<Self, Fault> {
        let lines = Lines::open(client, call, finished, within).await?;
        Ok(Self { lines, without_sku: 0, current: Current::default() })
    }

    /// How much of it was read, of how much.
    pub fn read(&self) -> (u64, u64) {
        (self.lines.read(), self.lines.expected())
    }

    /// Levels that were passed over, because their item has no SKU.
    pub fn without_sku(&self) -> u64 {
        self.without_sku
    }

    /// The next level; `None` after the last, if all of them came.
    pub async fn next(&mut self) -> Result<Option<Row<'_>>, Fault> {
        loop {
            let number = self.lines.read() + 1;
            let Some(line) = self.lines.next().await? else { return Ok(None) };
            let line: Line<'_> =
                serde_json::from_slice(line).map_err(|error| broken(number, &error.to_string()))?;
            let Some(quantities) = &line.quantities else { continue };
            let sku = line.item.and_then(|item| item.sku).map(|Text(sku)| sku);
            let Some(sku) = sku.filter(|sku| !sku.is_empty()) else {
                self.without_sku += 1;
                continue;
            };
            let found = |quantity: Option<i64>, name: &str| {
                quantity.ok_or_else(|| broken(number, &format!("it has no {name}")))
            };
            let current = &mut self.current;
            (current.available, current.committed) =
                (found(quantities.available, "available")?, found(quantities.committed, "committed")?);
            let location = line.location.ok_or_else(|| broken(number, "it has no location"))?;
            write_over(&mut current.sku, &sku);
            write_over(&mut current.location, &location.id);
            write_over(&mut current.level, &line.id);
            break;
        }
        let Current { sku, location, level, available, committed } = &self.current;
        Ok(Some(Row { sku, location, level, available: *available, committed: *committed }))
    }
}

fn write_over(text: &mut String, with: &str) {
    text.clear();
    text.push_str(with);
}

fn broken(number: u64, why: &str) -> Fault {
    let what = format!(
        "line {number} of what Shopify lists is no stock level: {why}; it is not taken for a full list"
    );
    Fault::new(FaultKind::Transient, bulk::code::LINE, what)
}
