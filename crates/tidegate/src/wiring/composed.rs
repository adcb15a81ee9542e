//! A source of stock whose levels are also sold in bundles, together with those of other locations, or divided over several of the
//! shop's: what is composed is read from the hub's own log, where the newest of these levels lie, and not from the source. So a source that only pushes has bundles and
//! pools as well, and they cost no call. Owns how it is put together; all else is the source's own.

mod whole;

use super::Loaded;
use super::connectors::Connected;
use super::plan::{self, INVENTORY};
use async_trait::async_trait;
use connector::port::{CallContext, Changes, ListPage, ListQuery, Part, Read, Source, Whole};
use domains::inventory::composed::{self, TOPIC};
use domains::inventory::sharing::{self, Component};
use domains::inventory::{self, Rules};
use kernel::fault::{Fault, FaultKind};
use kernel::id::{FlowName, ShopId};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::delivery::{Delivery, DeliveryState, Wait};
use store::{Store, StoreError};

/// Whose bundles, pools and outlets.
#[derive(Debug, Clone)]
struct Of {
    flow: FlowName,
    /// Empty: all.
    shops: Vec<ShopId>,
    rules: Rules,
}

#[derive(Debug)]
struct Composing {
    inner: Arc<dyn Source>,
    /// The source can be asked.
    asked: bool,
    store: Arc<dyn Store>,
    flows: Vec<Of>,
}

/// Puts one before each source of a flow that composes.
pub fn over(loaded: &Loaded, connected: &mut Connected, store: &Arc<dyn Store>) -> anyhow::Result<()> {
    for (name, inner) in &mut connected.sources {
        let mut flows = Vec::new();
        for (flow_name, flow) in &loaded.config.flows {
            if flow.source.value != *name || flow.domain.as_str() != INVENTORY {
                continue;
            }
            let rules = plan::rules(loaded, flow_name, flow)?;
            let shops = flow.shops.iter().flat_map(|shops| shops.iter().map(|shop| shop.value.clone()));
            if !rules.bundles().is_empty() || !rules.pools().is_empty() || !rules.outlets().is_empty() {
                flows.push(Of { flow: flow_name.clone(), shops: shops.collect(), rules });
            }
        }
        if !flows.is_empty() {
            let (asked, store) = (loaded.reads_states(name), store.clone());
            *inner = Arc::new(Composing { inner: inner.clone(), asked, store, flows });
        }
    }
    Ok(())
}

impl Composing {
    fn of(&self, shop: &ShopId) -> Option<&Of> {
        self.flows.iter().find(|of| of.shops.is_empty() || of.shops.contains(shop))
    }

    /// What is composed, as the log has it. `None`: it is not there, or waits to be set as it is: then the shop is looked at
    /// when its turn comes, and not before, because all that share units are one lane. Where the bundles were changed since it
    /// was asked for, the engine finds out when its turn comes (`Facts::displaced`).
    async fn composed(&self, call: &CallContext, of: &Of, subject: &Subject) -> Result<Option<Read>, Fault> {
        let Some((sku, location)) = inventory::parts(subject) else { return Ok(None) };
        let made_of = sharing::made_of(&of.rules, &sku, &location);
        let pairs: Vec<(&str, &str)> = made_of.iter().flat_map(Component::pairs).collect();
        let subject_of = |(sku, at): &(&str, &str)| inventory::subject(subject.shop.clone(), sku, at);
        let subjects: Vec<Subject> = pairs.iter().map(subject_of).collect();
        let known = self.store.status(&of.flow, &subjects).await.map_err(|error| no_store(&error))?;
        let mut levels = Levels::new();
        let mut newest = None;
        for (((sku, at), level), known) in pairs.iter().zip(&subjects).zip(known) {
            newest = newest.max(known.delivery.as_ref().map(|delivery| delivery.position.0));
            if let Some(delivery) = known.delivery {
                levels.insert(
                    ((*sku).to_owned(), (*at).to_owned()),
                    self.level(call, level, delivery.id).await?,
                );
            }
        }
        let own = self.store.status(&of.flow, std::slice::from_ref(subject)).await;
        let own = own.map_err(|error| no_store(&error))?.pop();
        // Of two levels that were committed in reverse the later one to be routed has the earlier place: what is composed of both
        // is no older than what was composed before.
        let newest = newest.max(own.as_ref().and_then(|own| place_of(own.routed.as_ref()?)));
        // Of a location that it knows nothing of at all, it says nothing.
        if levels.is_empty() {
            return Ok(None);
        }
        let read = Read { sequence: newest, ..read(&sku, &location, &made_of, &levels)? };
        let waits = own.and_then(|own| own.delivery).filter(|delivery| waits_as_old(delivery, newest));
        if let Some(waits) = waits {
            // A level that was committed before the newest and routed after it is in one and not in the other.
            let payload = self.store.delivery_payload(waits.id).await.map_err(|error| no_store(&error))?;
            if payload.is_some_and(|payload| payload[..] == read.payload[..]) {
                return Ok(None);
            }
        }
        Ok(Some(read))
    }

    /// The newest level of a component: from the log, and where it is kept no more, from the source.
    async fn level(
        &self,
        call: &CallContext,
        component: &Subject,
        delivery: kernel::id::DeliveryId,
    ) -> Result<Vec<u8>, Fault> {
        let kept = self.store.delivery_payload(delivery).await.map_err(|error| no_store(&error))?;
        let level = match kept {
            Some(kept) => Some(kept.to_vec()),
            None if self.asked => self.inner.read(call, component).await?.map(|read| read.payload),
            None => None,
        };
        let Some(level) = level else {
            let what = format!(
                "the level of {component} is kept no more, so what shares its units is left as it is: let its source tell it \
                 again"
            );
            return Err(Fault::new(FaultKind::Rejected, "stock_level_gone", what).field("parts"));
        };
        inventory::read(&level).map_err(inventory::StockFault::into_fault)?;
        Ok(level)
    }
}

/// The place in the log of the newest that a composed version is made of.
fn place_of(version: &EffectiveVersion) -> Option<i64> {
    match version {
        EffectiveVersion::Sequence { sequence } => Some(*sequence),
        EffectiveVersion::Dated { .. } | EffectiveVersion::Folded { .. } => None,
    }
}

/// Whether what is composed of nothing newer than this waits for its turn.
fn waits_as_old(delivery: &Delivery, newest: Option<i64>) -> bool {
    let waits = matches!(&delivery.state, DeliveryState::Waiting { wait, .. } if *wait != Wait::Reading);
    waits && delivery.version.as_ref().and_then(place_of) == newest
}

/// Levels as they came, by SKU and the source's location.
type Levels = BTreeMap<(String, String), Vec<u8>>;

fn read(sku: &str, location: &str, made_of: &[Component], levels: &Levels) -> Result<Read, Fault> {
    let level = |sku: &str, at: &str| levels.get(&(sku.to_owned(), at.to_owned())).map(Vec::as_slice);
    let payload = composed::write(sku, location, made_of, level);
    let updated_at = composed::read(&payload).map_err(inventory::StockFault::into_fault)?.changed_at();
    Ok(Read { payload, topic: TOPIC.to_owned(), updated_at, sequence: None })
}

fn no_store(error: &StoreError) -> Fault {
    Fault::new(
        FaultKind::Transient,
        "TG-7024",
        format!("the levels that it is made of cannot be read: {error}"),
    )
}

#[async_trait]
impl Source for Composing {
    async fn whole(&self, call: &CallContext, domain: &str) -> Result<Box<dyn Whole>, Fault> {
        let whole = self.inner.whole(call, domain).await?;
        Ok(match self.of(&call.shop).filter(|_| domain == INVENTORY) {
            Some(of) => Box::new(whole::Composed::new(whole, of.rules.clone(), call.shop.clone())),
            None => whole,
        })
    }

    async fn changes(&self, call: &CallContext, domain: &str, after: Option<&str>) -> Result<Changes, Fault> {
        self.inner.changes(call, domain, after).await
    }

    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        let is_alone = inventory::alone(subject).is_some() || inventory::parts(subject).is_none();
        match self.of(&subject.shop).filter(|_| !is_alone) {
            Some(of) => self.composed(call, of, subject).await,
            // A source that only pushes has nothing to say.
            None if !self.asked => Ok(None),
            None => self.inner.read(call, subject).await,
        }
    }

    async fn parts(&self, call: &CallContext, subject: &Subject) -> Result<Option<Vec<Part>>, Fault> {
        self.inner.parts(call, subject).await
    }

    async fn list(&self, call: &CallContext, domain: &str, query: &ListQuery) -> Result<ListPage, Fault> {
        self.inner.list(call, domain, query).await
    }
}
