//! Tryton as a source (docs/connectors/tryton.md): of stock, and of what it shipped. It pushes nothing and numbers nothing: it
//! is asked what moved ([`moved`](super::moved)), and read under numbers of our own clock ([`connector::polled`]).

use super::ask::Ask;
use super::code;
use super::config::Config;
use super::levels::{Codes, TOPIC};
use super::moved::Known;
use super::places::Places;
use super::rpc::{Rpc, Session};
use super::whole::Snapshot;
use async_trait::async_trait;
use connector::list::AsSource;
use connector::outbound::within;
use connector::polled::Numbers;
use connector::port::{CallContext, Changes, ListPage, ListQuery, Read, Source, Whole};
use connector::settings::{Secrets, Settings};
use domains::inventory;
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the connection's locations and what lies below them are taken for the same.
const PLACES_FOR: Duration = Duration::from_secs(300);

/// Ready to be asked. Makes no call.
pub fn source(settings: &Settings) -> AsSource {
    let config = Config::read(settings, Secrets::Resolved)?;
    let rpc = Rpc::new(&config, Session::default()).map_err(|problem| vec![problem])?;
    Ok(Arc::new(TrytonSource(Arc::new(Shared {
        config,
        rpc,
        numbers: Numbers::default(),
        places: Mutex::default(),
        known: Mutex::default(),
    }))))
}

#[derive(Debug)]
struct TrytonSource(Arc<Shared>);

/// What is kept between two questions.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    rpc: Rpc,
    pub(super) numbers: Numbers,
    places: Mutex<Option<(Timestamp, Arc<Places>)>>,
    known: Mutex<BTreeMap<ShopId, Known>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn ask<'a>(&'a self, call: &'a CallContext) -> Ask<'a> {
        Ask { rpc: &self.rpc, config: &self.config, call }
    }

    pub(super) fn known<T>(&self, shop: &ShopId, with: impl FnOnce(&mut Known) -> T) -> T {
        with(locked(&self.known).entry(shop.clone()).or_default())
    }

    /// The connection's places, asked for every few minutes: a new shelf is below its warehouse from then on.
    pub(super) async fn places(&self, call: &CallContext) -> Result<Arc<Places>, Fault> {
        if self.config.locations.is_empty() {
            let what = "the system is not asked for stock or shipments: name its locations in its connection, as in locations \
                        = { \"WH-1\" = \"WH\" }";
            return Err(Fault::new(FaultKind::Rejected, code::LOCATION, what));
        }
        let fresh = |at: &Timestamp| kernel::clock::elapsed_ms(*at, call.now) < PLACES_FOR.as_millis() as u64;
        if let Some((_, places)) = locked(&self.places).as_ref().filter(|(at, _)| fresh(at)) {
            return Ok(places.clone());
        }
        let places = Arc::new(self.ask(call).places().await?);
        *locked(&self.places) = Some((call.now, places.clone()));
        Ok(places)
    }

    async fn level(&self, call: &CallContext, sku: String, location: &str) -> Result<Option<Read>, Fault> {
        let places = self.places(call).await?;
        let Some(at) = places.named(location) else { return Ok(None) };
        let number = self.numbers.next(call.now);
        let codes = Codes::from([(sku, call.now)]);
        let levels = self.ask(call).levels(&places, Some(at), &codes, number).await?;
        Ok(levels.into_iter().next().map(|level| Read {
            payload: level.payload,
            topic: TOPIC.to_owned(),
            updated_at: call.now,
            sequence: Some(number),
        }))
    }
}

#[async_trait]
impl Source for TrytonSource {
    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        let Some((sku, location)) = inventory::parts(subject) else {
            let what = format!("{subject} is no stock of one SKU at one location");
            return Err(Fault::new(FaultKind::Rejected, code::NO_SUCH_KIND, what));
        };
        within(call, self.0.level(call, sku, &location)).await
    }

    async fn list(&self, _: &CallContext, domain: &str, _: &ListQuery) -> Result<ListPage, Fault> {
        let what = format!("Tryton lists no {domain} by date: it is asked for what changed");
        Err(Fault::new(FaultKind::Rejected, code::NO_SUCH_KIND, what))
    }

    async fn whole(&self, call: &CallContext, domain: &str) -> Result<Box<dyn Whole>, Fault> {
        only_stock(domain)?;
        let places = within(call, self.0.places(call)).await?;
        Ok(Box::new(Snapshot::new(self.0.clone(), places, call.clone())))
    }

    async fn changes(&self, call: &CallContext, domain: &str, after: Option<&str>) -> Result<Changes, Fault> {
        let orders = domain == "orders";
        if !orders {
            only_stock(domain)?;
        }
        let places = within(call, self.0.places(call)).await?;
        let ask = self.0.ask(call);
        if orders {
            return within(call, ask.shipment_changes(&places, after)).await;
        }
        within(call, ask.stock_changes(&self.0, &places, after)).await
    }
}

fn only_stock(domain: &str) -> Result<(), Fault> {
    if domain == "inventory" {
        return Ok(());
    }
    Err(Fault::new(FaultKind::Rejected, code::NO_SUCH_KIND, format!("Tryton is not asked for {domain}")))
}
