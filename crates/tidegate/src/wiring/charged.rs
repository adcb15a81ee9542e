//! The hub's prices, as orders are compared with them: of an instant that is over from the journal, else from memory.

use api::prices::Prices;
use async_trait::async_trait;
use connectors::prices::{Agreed, Changed, Goods, NOT_SERVED, Price, PricesAt};
use jiff::{SignedDuration, Timestamp};
use kernel::fault::{Fault, FaultKind};
use kernel::money::Currency;
use kernel::quantity::Unit;
use price_store::{AuditQuery, PriceStore, PriceStoreError, What};
use pricing::document::Tax;
use pricing::{Book, Buyer, Line, Resolver, Terms, Validity};
use std::cmp::Reverse;
use std::sync::Arc;

/// Changes of one price, and entries of the journal among which changes of the terms are looked for.
const CHANGES_MAX: usize = 8;
const ENTRIES_MAX: usize = 64;

/// What orders are compared with, where there are prices.
pub fn at(prices: Option<&Arc<Prices>>) -> Option<Arc<dyn PricesAt>> {
    prices.map(|prices| Arc::new(Charged(prices.clone())) as Arc<dyn PricesAt>)
}

#[derive(Debug)]
struct Charged(Arc<Prices>);

#[async_trait]
impl PricesAt for Charged {
    async fn agreed(
        &self,
        company_location: Option<&str>,
        currency: Currency,
        at: Timestamp,
        goods: &[Goods],
    ) -> Result<Option<Vec<Agreed>>, Fault> {
        let made_by = |goods: &Goods| self.0.made_by(&goods.sku).map(str::to_owned);
        let made_by: Vec<Option<String>> = goods.iter().map(made_by).collect();
        let cart =
            Cart { location: company_location.map(str::to_owned), currency, at, goods: goods.to_vec() };
        let Some(agreed) = self.waiting(move |store| cart.agreed(store)).await? else { return Ok(None) };
        let told = agreed.into_iter().zip(made_by);
        Ok(Some(told.map(|(agreed, by)| by.map_or(agreed, Agreed::MadeBy)).collect()))
    }

    async fn changes(&self, sku: &str, before: Timestamp) -> Result<Vec<Changed>, Fault> {
        let sku = sku.to_owned();
        self.waiting(move |store| changes(store, &sku, before)).await
    }
}

impl Charged {
    async fn waiting<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PriceStore) -> Result<T, PriceStoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = self.0.store().clone();
        let broke_off = |error: String| Fault::new(FaultKind::Transient, NOT_SERVED, error);
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(done) => done.map_err(|error| broke_off(error.to_string())),
            Err(error) => Err(broke_off(error.to_string())),
        }
    }
}

struct Cart {
    location: Option<String>,
    currency: Currency,
    at: Timestamp,
    goods: Vec<Goods>,
}

impl Cart {
    fn agreed(&self, store: &PriceStore) -> Result<Option<Vec<Agreed>>, PriceStoreError> {
        let current = store.current();
        if self.at >= current.from() {
            let is_there = current.terms_document().is_some();
            return Ok(is_there.then(|| self.priced(current.terms(), &current.book())));
        }
        let past = store.past(self.at)?;
        if past.terms().lists().is_empty() {
            return Ok(None);
        }
        let priced = self.priced(past.terms(), &past);
        match past.fault() {
            Some(fault) => Err(fault),
            None => Ok(Some(priced)),
        }
    }

    fn priced<B: Book>(&self, terms: &Terms, book: &B) -> Vec<Agreed> {
        let nobody = Buyer::default();
        let buyer = match &self.location {
            None => Ok(&nobody),
            Some(id) => terms.buyer(id).ok_or_else(|| format!("the terms of prices do not name {id}")),
        };
        let buyer = match buyer {
            Ok(buyer) => buyer,
            Err(why) => return self.goods.iter().map(|_| Agreed::NoPrice(why.clone())).collect(),
        };
        let resolver = Resolver::new(terms, book, buyer, self.currency, self.at.as_second());
        let one = |goods: &Goods| {
            let line = Line { sku: &goods.sku, quantity: goods.quantity, unit: Unit::piece() };
            match resolver.price(&line) {
                Err(cause) => Agreed::NoPrice(cause.to_string()),
                Ok(priced) => Agreed::Price(Price {
                    unit_price: priced.unit_price,
                    total: priced.total,
                    tax_included: priced.tax == Tax::Included,
                    list: terms.list(priced.source.list).map(|list| list.id.to_string()).unwrap_or_default(),
                }),
            }
        };
        self.goods.iter().map(one).collect()
    }
}

/// By loads, by changes of the terms, and by themselves: where something of what counts today begins or ends.
fn changes(store: &PriceStore, sku: &str, before: Timestamp) -> Result<Vec<Changed>, PriceStoreError> {
    let until = before.checked_add(SignedDuration::from_nanos(1)).ok();
    let of_sku = AuditQuery { sku: Some(sku.to_owned()), until, ..AuditQuery::default() };
    let loads = store.audit(&of_sku, CHANGES_MAX)?;
    let by_load = |load: u64, source: &str| format!("load {load} of {source}");
    let mut changes: Vec<Changed> = loads
        .into_iter()
        .map(|change| Changed { at: change.at, by: by_load(change.load, &change.source) })
        .collect();
    let all = AuditQuery { until, ..AuditQuery::default() };
    for entry in store.entries(&all, ENTRIES_MAX)? {
        if let What::Terms { .. } = entry.what {
            changes.push(Changed { at: entry.at, by: format!("terms set by {}", entry.by) });
        }
    }
    let version = store.current();
    let terms = version.terms();
    for list in terms.lists() {
        ends(&mut changes, list.validity, &format!("list {}", list.id));
    }
    for promotion in terms.promotions() {
        ends(&mut changes, promotion.when.validity, &format!("promotion {}", promotion.id));
    }
    for surcharge in terms.surcharges() {
        ends(&mut changes, surcharge.when.validity, &format!("surcharge {}", surcharge.id));
    }
    for list in terms.lists() {
        if let Some(pricing::Price::Windows(windows)) = version.price_of(&list.id, sku) {
            for window in windows.iter() {
                ends(&mut changes, window.validity, &format!("the price in {}", list.id));
            }
        }
    }
    changes.retain(|change| change.at <= before);
    changes.sort_by_key(|change| Reverse(change.at));
    changes.dedup_by_key(|change| change.at);
    changes.truncate(CHANGES_MAX);
    Ok(changes)
}

fn ends(changes: &mut Vec<Changed>, validity: Validity, what: &str) {
    for (second, how) in [(validity.from_s, "began"), (validity.until_s, "ended")] {
        if let Some(at) = second.and_then(|second| Timestamp::from_second(second).ok()) {
            changes.push(Changed { at, by: format!("{what} {how}") });
        }
    }
}
