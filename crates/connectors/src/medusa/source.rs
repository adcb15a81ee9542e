//! Medusa as a source (docs/connectors/medusa.md): of stock, and of what it shipped. It pushes nothing and numbers nothing: it is
//! read and compared ([`moved`](super::moved)), under numbers of our own clock ([`connector::polled`]).

use super::ask::Ask;
use super::code;
use super::config::Config;
use super::levels::{Level, Of, Page, Pages, TOPIC};
use super::moved::Told;
use super::ours::Ours;
use async_trait::async_trait;
use connector::list::AsSource;
use connector::outbound::{Outbound, within};
use connector::polled::Numbers;
use connector::port::{CallContext, Changes, ListPage, ListQuery, Read, Source, Stated, Whole};
use connector::settings::{Secrets, Settings};
use domains::inventory;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ready to be asked. Makes no call.
pub fn source(settings: &Settings) -> AsSource {
    let config = Config::read(settings, Secrets::Resolved)?;
    let outbound = Outbound::new(&config.outbound).map_err(|problem| vec![problem])?;
    let (numbers, told, ours) = (Numbers::default(), Mutex::default(), Mutex::default());
    Ok(Arc::new(MedusaSource(Arc::new(Shared { config, outbound, numbers, told, ours }))))
}

#[derive(Debug)]
struct MedusaSource(Arc<Shared>);

/// What is kept between two questions.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    outbound: Outbound,
    pub(super) numbers: Numbers,
    told: Mutex<BTreeMap<ShopId, Told>>,
    ours: Mutex<BTreeMap<ShopId, Ours>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn ask<'a>(&'a self, call: &'a CallContext) -> Ask<'a> {
        Ask { outbound: &self.outbound, config: &self.config, call }
    }

    pub(super) fn told<T>(&self, shop: &ShopId, with: impl FnOnce(&mut Told) -> T) -> T {
        with(locked(&self.told).entry(shop.clone()).or_default())
    }

    pub(super) fn ours<T>(&self, shop: &ShopId, with: impl FnOnce(&mut Ours) -> T) -> T {
        with(locked(&self.ours).entry(shop.clone()).or_default())
    }

    async fn level(&self, call: &CallContext, sku: String, location: &str) -> Result<Option<Read>, Fault> {
        let path = inventory::path(&sku, location);
        let mut pages = Pages::new(Of::Sku(sku));
        while let Some(Page { number, levels }) = pages.next(self, call).await? {
            if let Some(level) = levels.iter().find(|level| level.path() == path) {
                self.told(&call.shop, |told| told.read(level, number));
                return Ok(Some(Read {
                    payload: level.payload(),
                    topic: TOPIC.to_owned(),
                    updated_at: level.updated_at,
                    sequence: Some(number),
                }));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Source for MedusaSource {
    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        let Some((sku, location)) = inventory::parts(subject) else {
            return Err(not_served(format!("{subject} is no stock of one SKU at one location")));
        };
        self.asked()?;
        within(call, self.0.level(call, sku, &location)).await
    }

    async fn list(&self, _: &CallContext, domain: &str, _: &ListQuery) -> Result<ListPage, Fault> {
        Err(not_served(format!("Medusa lists no {domain} by date: it is asked for what changed")))
    }

    async fn whole(&self, call: &CallContext, domain: &str) -> Result<Box<dyn Whole>, Fault> {
        self.only_stock(domain)?;
        let (shared, call) = (self.0.clone(), call.clone());
        Ok(Box::new(Snapshot { shared, call, pages: Pages::new(Of::All) }))
    }

    async fn changes(&self, call: &CallContext, domain: &str, after: Option<&str>) -> Result<Changes, Fault> {
        if domain == "orders" {
            self.asked()?;
            return self.0.ask(call).shipment_changes(after).await;
        }
        self.only_stock(domain)?;
        self.0.stock_changes(call, after).await
    }
}

impl MedusaSource {
    fn asked(&self) -> Result<(), Fault> {
        let what = "the system is not asked for stock or shipments: name its locations in its connection, as in locations = \
                    { ROT = \"sloc_…\" }";
        if self.0.config.is_asked() { Ok(()) } else { Err(not_served(what.to_owned())) }
    }

    fn only_stock(&self, domain: &str) -> Result<(), Fault> {
        if domain == "inventory" {
            self.asked()
        } else {
            Err(not_served(format!("Medusa is not asked for {domain}")))
        }
    }
}

fn not_served(what: String) -> Fault {
    Fault::new(FaultKind::Rejected, code::NOT_SERVED, what)
}

/// All that Medusa has, for the full check: no more than a page of it is held.
#[derive(Debug)]
struct Snapshot {
    shared: Arc<Shared>,
    call: CallContext,
    pages: Pages,
}

#[async_trait]
impl Whole for Snapshot {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        while let Some(Page { number, levels }) = self.pages.next(&self.shared, &self.call).await? {
            self.shared.told(&self.call.shop, |told| told.compare_only(&levels, number));
            if !levels.is_empty() {
                let stated = |level: &Level| Stated { sequence: number, payload: level.payload().into() };
                return Ok(levels.iter().map(stated).collect());
            }
        }
        Ok(Vec::new())
    }
}
