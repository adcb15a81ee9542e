//! The connector `stock_feed`: a warehouse or order management system that tells its stock in Tidegate's own form
//! (docs/connectors/stock_feed.md). It pushes to `/ingest`; where it has an address it is asked: for one pair, for what
//! changed, and for all; or it drops files into a folder. Takes nothing; knows nothing of what becomes of a level.

mod answer;
mod config;
mod folder;
mod shipments;
mod snapshot;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use config::Config;
use connector::descriptor::{Descriptor, OrderAbilities, Service, UnknownAnswer};
use connector::list::{AsSource, Kind};
use connector::outbound::{Answer, Outbound, Request, segment};
use connector::port::{CallContext, Changes, ListPage, ListQuery, Read, Source, Whole};
use connector::settings::{Secrets, Settings};
use domains::inventory::drop::Takes;
use folder::Folder;
use http::{Method, StatusCode};
use kernel::fault::{Fault, FaultKind};
use kernel::subject::Subject;
use std::sync::Arc;

/// What it gives.
const SCHEMA: &str = "stock/1";
/// The topic of a level.
const TOPIC: &str = "stock/level";

/// Our own codes; each has a page in `docs/errors/`.
mod code {
    /// The system is not asked: it has no address, or what is asked for is no stock.
    pub(super) const NOT_SERVED: &str = "TG-3401";
    /// An answer that is not in the form.
    pub(super) const FORM: &str = "TG-3402";
    /// The whole ended before its end.
    pub(super) const CUT_OFF: &str = "TG-3403";
    /// Two wholes in one answer.
    pub(super) const MIXED: &str = "TG-3404";
    /// A file of the folder.
    pub(super) const FILE_REFUSED: &str = "TG-3405";
    /// The folder itself.
    pub(super) const FOLDER: &str = "TG-3406";
    /// No file that is all that there is, or none that may be used.
    pub(super) const NO_SNAPSHOT: &str = "TG-3407";
}

pub const KIND: Kind = Kind {
    name: "stock_feed",
    describe,
    connect: |_| Err(vec!["stock_feed: takes nothing, so that no flow can have it as its target".to_owned()]),
    source: Some(source),
    takes: false,
};

/// What it can do with these settings, or all that is wrong with them. Makes no call and needs no secret.
pub fn describe(settings: &Settings) -> Result<Descriptor, Vec<String>> {
    let config = Config::read(settings, Secrets::Referred)?;
    Ok(Descriptor {
        kind: "stock_feed".to_owned(),
        title: "a stock feed in Tidegate's own form".to_owned(),
        services: [("inventory", SCHEMA), ("orders", shipments::SCHEMA)]
            .map(|(domain, schema)| Service::source(domain, schema))
            .to_vec(),
        unknown: UnknownAnswer::Neither,
        health: false,
        observe_first: false,
        resolves_references: false,
        tells_changes: config.outbound.is_some() || config.folder.is_some(),
        tells_whole: config.outbound.is_some() || (config.folder.is_some() && config.snapshots.is_some()),
        reads_states: config.outbound.is_some(),
        only_changes: config.folder.is_some() && config.files == Takes::Changes,
        orders: OrderAbilities::default(),
        settings: config::SETTINGS.to_vec(),
    })
}

/// Ready to be asked. Makes no call.
pub fn source(settings: &Settings) -> AsSource {
    let config = Config::read(settings, Secrets::Resolved)?;
    let outbound =
        config.outbound.as_ref().map(Outbound::new).transpose().map_err(|problem| vec![problem])?;
    let (files, location, snapshots) = (config.files, config.location, config.snapshots);
    let folder = config.folder.map(|root| Arc::new(Folder::new(root, files, location, snapshots)));
    Ok(Arc::new(StockFeed { outbound, folder }))
}

#[derive(Debug)]
struct StockFeed {
    outbound: Option<Outbound>,
    folder: Option<Arc<Folder>>,
}

impl StockFeed {
    fn outbound(&self) -> Result<&Outbound, Fault> {
        self.outbound.as_ref().ok_or_else(|| {
            let what =
                "the system has no address and only tells: set url in its connection so that it can be asked";
            Fault::new(FaultKind::Rejected, code::NOT_SERVED, what)
        })
    }

    /// `None`: the system says that there is no such thing.
    async fn ask(&self, call: &CallContext, path: String) -> Result<Option<Answer>, Fault> {
        let answer = self.outbound()?.send(call, Request::read(Method::GET, path)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.success().map(Some)
    }
}

#[async_trait]
impl Source for StockFeed {
    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        let Some((sku, location)) = domains::inventory::parts(subject) else {
            let what = format!("{subject} is no stock of one SKU at one location");
            return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
        };
        let path = format!("/stock/{}/{}", segment(&sku), segment(&location));
        let Some(answer) = self.ask(call, path).await? else { return Ok(None) };
        answer::read(&answer).map(Some)
    }

    async fn list(&self, _: &CallContext, domain: &str, _: &ListQuery) -> Result<ListPage, Fault> {
        let what = format!("a stock feed lists no {domain} by date: it is asked for what changed");
        Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what))
    }

    async fn whole(&self, call: &CallContext, domain: &str) -> Result<Box<dyn Whole>, Fault> {
        only_stock(domain)?;
        if let Some(folder) = self.folder.clone() {
            let (shop, now) = (call.shop.clone(), call.now);
            let whole = blocking(move || folder.whole(&shop, now)).await?;
            return Ok(Box::new(whole));
        }
        let pieces = self.outbound()?.pieces(call, "/stock/snapshot", snapshot::BYTES_MAX).await?;
        Ok(Box::new(snapshot::Snapshot::new(pieces)))
    }

    async fn changes(&self, call: &CallContext, domain: &str, after: Option<&str>) -> Result<Changes, Fault> {
        if domain == "orders" {
            let answer = self.ask(call, shipments::path(&call.shop, after)).await?;
            return shipments::changes(&answer.ok_or_else(|| not_found("/shipments"))?);
        }
        only_stock(domain)?;
        if let Some(folder) = self.folder.clone() {
            let (shop, after, now) = (call.shop.clone(), after.map(str::to_owned), call.now);
            return blocking(move || folder.changes(&shop, after.as_deref(), now)).await;
        }
        let path =
            after.map_or_else(|| "/stock".to_owned(), |after| format!("/stock?after={}", segment(after)));
        let answer = self.ask(call, path).await?.ok_or_else(|| not_found("/stock"))?;
        answer::changes(&answer)
    }
}

/// Files are read where that holds up nobody.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|_| {
        Err(Fault::new(FaultKind::Bug, code::FOLDER, "the reading of the folder ended by itself"))
    })
}

fn not_found(path: &str) -> Fault {
    let what = format!("GET {path} answers 404: correct url in its connection");
    Fault::new(FaultKind::Rejected, code::FORM, what)
}

fn only_stock(domain: &str) -> Result<(), Fault> {
    if domain == "inventory" {
        return Ok(());
    }
    Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, format!("a stock feed has no {domain}")))
}
