//! Tryton as a source of prices (docs/connectors/tryton.md): its price lists, worked out for each product as Tryton's own `compute` does,
//! and whose they are. Tryton has no list of changes: it is asked what was written since ([`changed`]), and only a snapshot finds what
//! was deleted.

mod changed;
mod formula;
mod read;
mod table;

use super::ask::Ask;
use super::config::Config;
use super::rpc::{Rpc, Session};
use crate::price_feed::Spool;
use async_trait::async_trait;
use changed::{Changed, Point, Seen};
use connector::port::CallContext;
use connector::prices::{PriceSource, RowCount, RowFormat, Settled, ToldList, ToldPrices};
use connector::settings::{Secrets, Settings};
use kernel::fault::{Fault, FaultKind};
use read::{Book, Everyone};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use table::Product;

/// A list that is not computed here.
const FORMULA: &str = "TG-3312";
/// What of the price lists does not fit together.
const LISTS: &str = "TG-3313";

/// How a Tryton's price lists become lists of the hub.
#[derive(Debug, Clone)]
pub struct PriceLists {
    /// Before the ids of lists: `erp` makes `erp-3` of Tryton's list 3, and `erp-everyone`.
    pub prefix: String,
    /// What of a party is the company of the terms.
    pub party: Party,
    /// The name of the list for everyone.
    pub default_list: Option<String>,
}

/// What of a party is the company of the terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    Code,
    /// An identifier of this type.
    Identifier(String),
}

/// Ready to be asked; makes no call.
///
/// # Errors
/// What is wrong with the connection.
pub fn price_source(settings: &Settings, how: PriceLists) -> Result<Arc<dyn PriceSource>, Vec<String>> {
    let config = Config::read(settings, Secrets::Resolved)?;
    let rpc = Rpc::new(&config, Session::default()).map_err(|problem| vec![problem])?;
    Ok(Arc::new(TrytonPrices { config, rpc, how, seen: Mutex::default() }))
}

#[derive(Debug)]
struct TrytonPrices {
    config: Config,
    rpc: Rpc,
    how: PriceLists,
    seen: Mutex<Seen>,
}

#[async_trait]
impl PriceSource for TrytonPrices {
    async fn changes(&self, call: &CallContext, after: Option<&str>) -> Result<Option<ToldPrices>, Fault> {
        let Some(point) = after.and_then(Point::of) else { return self.whole(call).await };
        let ask = self.ask(call);
        let changed = ask.prices_changed(&point).await?;
        if ask.everyones_list().await? != point.everyone {
            return self.told(call, &changed, None).await.map(Some);
        }
        let news = self.seen().news(&changed);
        if news.is_empty() {
            return Ok(None);
        }
        if news.lists() {
            return self.told(call, &changed, None).await.map(Some);
        }
        if news.owners() {
            let owners = ask.owners(&self.how).await?;
            if !self.seen().has_lists(owners.keys().copied()) {
                return self.told(call, &changed, None).await.map(Some);
            }
        }
        let products = ask.products_of(&news).await?;
        self.told(call, &changed, Some(products)).await.map(Some)
    }

    async fn whole(&self, call: &CallContext) -> Result<Option<ToldPrices>, Fault> {
        // What is written while the lists are read is asked for next.
        let changed = self.ask(call).newest_prices().await?;
        self.told(call, &changed, None).await.map(Some)
    }

    async fn settled(&self, next: &str, _: Settled<'_>) -> Result<(), Fault> {
        self.seen().settled(next);
        Ok(())
    }

    fn describe(&self) -> String {
        format!("the price lists of {}", self.config.outbound.base)
    }
}

impl TrytonPrices {
    fn ask<'a>(&'a self, call: &'a CallContext) -> Ask<'a> {
        Ask { rpc: &self.rpc, config: &self.config, call }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All lists of these products, or of all.
    async fn told(
        &self,
        call: &CallContext,
        changed: &Changed,
        only: Option<Vec<i64>>,
    ) -> Result<ToldPrices, Fault> {
        let ask = self.ask(call);
        let everyone = ask.everyones_list().await?;
        let book = ask.book(&self.how, everyone).await?;
        let mut writer = Writer { spool: Spool::new()?, digest: Sha256::new() };
        let digits = ask.price_digits().await?;
        let mut last = 0;
        loop {
            let (products, end) = ask.priced_products(&book, only.as_deref(), last).await?;
            for product in &products {
                self.rows(&mut writer, &book, product, digits, only.is_some()).await?;
            }
            match end {
                Some(id) => last = id,
                None => break,
            }
        }
        let (rows, count, of) = writer.end().await?;
        let whole = only.is_none();
        let next = Point::behind(changed, everyone, &of).text();
        self.seen().told(next.clone(), changed);
        if whole {
            self.seen().told_lists(book.companies.keys().copied());
        }
        let lists = book.companies.keys().map(|list| self.id(&list.to_string()));
        let lists = lists.chain([self.id(EVERYONE)]).filter(|_| whole).collect();
        Ok(ToldPrices {
            rows,
            format: RowFormat::Ndjson,
            count: RowCount::Known(count),
            whole,
            lists,
            next,
            more: false,
            terms: Some(self.terms(&book)),
        })
    }

    async fn rows(
        &self,
        writer: &mut Writer,
        book: &Book,
        product: &Product,
        digits: u32,
        also_gone: bool,
    ) -> Result<(), Fault> {
        for list in &book.lists {
            let price = list.price(product, digits).map_err(|why| {
                let what = format!("the price list {:?} ({}): {why}", list.name, list.id);
                Fault::new(FaultKind::Rejected, FORMULA, what)
            })?;
            if book.companies.contains_key(&list.id) {
                writer.row(&self.id(&list.id.to_string()), &product.code, &price, also_gone).await?;
            }
            if book.everyone == Everyone::List(list.id) {
                writer.row(&self.id(EVERYONE), &product.code, &price, also_gone).await?;
            }
        }
        if book.everyone == Everyone::ListPrices {
            let price = product.list_price.map_or(Value::Null, |price| json!(price.normalize().to_string()));
            writer.row(&self.id(EVERYONE), &product.code, &price, also_gone).await?;
        }
        Ok(())
    }

    fn id(&self, list: &str) -> String {
        format!("{}-{list}", self.how.prefix)
    }

    fn terms(&self, book: &Book) -> Vec<ToldList> {
        let told = |id: String, name: &str, companies, tax_included| ToldList {
            id,
            name: name.to_owned(),
            companies,
            currency: book.currency.clone(),
            tax_included,
        };
        let of_everyone = book.lists.iter().find(|list| book.everyone == Everyone::List(list.id));
        let (name, tax) =
            of_everyone.map_or(("list prices", false), |list| (list.name.as_str(), list.tax_included));
        let mut all = vec![told(self.id(EVERYONE), name, None, tax)];
        for list in &book.lists {
            let companies = book.companies.get(&list.id).cloned().unwrap_or_default();
            if !companies.is_empty() {
                all.push(told(self.id(&list.id.to_string()), &list.name, Some(companies), list.tax_included));
            }
        }
        all
    }
}

/// Behind the prefix: the list for everyone.
const EVERYONE: &str = "everyone";

/// Rows, and what they come to.
struct Writer {
    spool: Spool,
    digest: Sha256,
}

impl Writer {
    /// Among changes a price that is none is told as gone; of a whole it is left out.
    async fn row(&mut self, list: &str, sku: &str, price: &Value, also_gone: bool) -> Result<(), Fault> {
        if price.is_null() && !also_gone {
            return Ok(());
        }
        let row = json!({ "list": list, "sku": sku, "price": price }).to_string();
        self.digest.update(row.as_bytes());
        self.spool.row(row.as_bytes()).await
    }

    async fn end(self) -> Result<(std::fs::File, u64, String), Fault> {
        let (file, rows) = self.spool.end().await?;
        Ok((file, rows, kernel::key::hex(&self.digest.finalize()[..8])))
    }
}
