//! Prices that several nodes of one PostgreSQL share: the store's series `prices` as the read model asks for it, how each node stands,
//! and the task that takes what other nodes changed.

use super::clock::SystemRandom;
use super::node::Turn;
use api::prices::{NodeStanding, Prices, SharedNodes};
use async_trait::async_trait;
use jiff::Timestamp;
use kernel::clock::Clock;
use kernel::key::hex;
use price_store::{PriceStore, Shared, Standing, Step};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::seal::Random as _;
use store::series::SeriesStep;
use store::{Store, StoreError};
use tokio::runtime::Handle;

const SERIES: &str = "prices";
/// Steps that are asked for at once.
const STEPS: u32 = 200;
/// What was put so long ago and belongs to no step is of a node that died.
const UNNAMED: Duration = Duration::from_secs(86_400);
/// So often it is looked whether another node has changed something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A node that does not change says so often that it is there.
const NOTE_EVERY: i64 = 10;
/// One that was silent for so long is no node any more.
const GONE_AFTER_S: i64 = 86_400;
/// Names of nodes, and how each stands, among the store's cursors.
const NODES: &str = "prices/nodes";

/// The series, asked from threads that may wait.
#[derive(Debug)]
pub struct PriceSeries {
    store: Arc<dyn Store>,
    work: Handle,
}

impl PriceSeries {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, work: Handle::current() }
    }

    fn ask<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
        self.work.block_on(asked).map_err(|error| error.to_string())
    }
}

fn read(step: SeriesStep) -> Step {
    let SeriesStep { number, body, digest, bytes, whole, at } = step;
    Step { number, body, digest, bytes, whole, at }
}

impl Shared for PriceSeries {
    fn head(&self) -> Result<Option<Step>, String> {
        Ok(self.ask(self.store.series_head(SERIES))?.map(read))
    }

    fn steps(&self, from: u64) -> Result<Vec<Step>, String> {
        let steps = self.ask(self.store.series_steps(SERIES, from, STEPS))?;
        Ok(steps.into_iter().map(read).collect())
    }

    fn append(&self, step: &Step) -> Result<bool, String> {
        let Step { number, body, digest, bytes, whole, at } = step.clone();
        let step = SeriesStep { number, body, digest, bytes, whole, at };
        self.ask(self.store.append_step(SERIES, &step))
    }

    fn new_body(&self) -> Result<String, String> {
        let mut chance = [0; 16];
        SystemRandom.fill(&mut chance).map_err(|error| error.to_string())?;
        Ok(hex(&chance))
    }

    fn put(&self, body: &str, part: u32, bytes: Vec<u8>, now: Timestamp) -> Result<(), String> {
        self.ask(self.store.put_chunk(SERIES, body, part, bytes, now))
    }

    fn get(&self, body: &str, part: u32) -> Result<Vec<u8>, String> {
        let chunk = self.ask(self.store.chunk(SERIES, body, part))?;
        chunk.ok_or_else(|| format!("chunk {part} of {body} is not there any more"))
    }

    fn forget(&self, before: u64, now: Timestamp) -> Result<(), String> {
        let unnamed = now.checked_sub(UNNAMED).unwrap_or(Timestamp::MIN);
        self.ask(self.store.forget_steps(SERIES, before, unnamed)).map(drop)
    }
}

/// How the nodes stand, as each has noted it.
#[derive(Debug)]
pub struct Noted {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Noted {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn names(&self) -> Result<BTreeSet<String>, StoreError> {
        let names = self.store.cursor(NODES).await?.unwrap_or_default();
        Ok(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// What two nodes write at once into the list of names, the next note puts right.
    async fn note(&self, standing: &NodeStanding) -> Result<(), StoreError> {
        let text = serde_json::to_string(standing).unwrap_or_default();
        self.store.set_cursor(&cursor(&standing.node), &text).await?;
        let mut names = self.names().await?;
        if names.insert(standing.node.clone()) {
            let names: Vec<String> = names.into_iter().collect();
            self.store.set_cursor(NODES, &names.join(" ")).await?;
        }
        Ok(())
    }
}

fn cursor(node: &str) -> String {
    format!("prices/node/{node}")
}

#[async_trait]
impl SharedNodes for Noted {
    async fn all(&self) -> Result<Vec<NodeStanding>, String> {
        let now = self.clock.now().wall;
        let mut all = Vec::new();
        for name in self.names().await.map_err(|error| error.to_string())? {
            let noted = self.store.cursor(&cursor(&name)).await.map_err(|error| error.to_string())?;
            let standing = noted.and_then(|text| serde_json::from_str::<NodeStanding>(&text).ok());
            all.extend(standing.filter(|one| now.as_second() - one.at.as_second() < GONE_AFTER_S));
        }
        Ok(all)
    }
}

/// Takes what other nodes changed, and notes how this one stands, until the hub stops.
pub async fn follow(prices: Arc<Prices>, noted: Noted, node: String, mut turn: Turn) {
    let (mut last, mut failed) = (None::<NodeStanding>, false);
    while !turn.stopped(LOOK_EVERY).await {
        let (store, now) = (prices.store().clone(), noted.clock.now().wall);
        let followed = tokio::task::spawn_blocking(move || followed(&store, now)).await;
        let followed = followed.map_err(|error| error.to_string()).flatten();
        let standing = match followed {
            Ok((Standing { step, newest }, version)) => {
                NodeStanding { node: node.clone(), step, newest, version, at: now }
            }
            Err(error) => {
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!(
                        error,
                        "what other nodes change of prices cannot be taken: carts are answered on"
                    );
                }
                continue;
            }
        };
        if std::mem::take(&mut failed) {
            tracing::info!("what other nodes change of prices is taken again");
        }
        let is_new = last.as_ref().is_none_or(|last| {
            (last.step, last.version) != (standing.step, standing.version)
                || now.as_second() - last.at.as_second() >= NOTE_EVERY
        });
        if is_new {
            match noted.note(&standing).await {
                Ok(()) => last = Some(standing),
                Err(error) => {
                    tracing::debug!(error.message = %error, "how this node stands could not be noted")
                }
            }
        }
    }
}

fn followed(store: &PriceStore, now: Timestamp) -> Result<(Standing, u64), String> {
    let standing = store.follow(now).map_err(|error| error.to_string())?;
    if let Some(why) = store.why_joined() {
        tracing::warn!(why, "this node's prices began anew with a copy of those that all nodes share");
    }
    let standing = standing.ok_or("the prices are not shared")?;
    Ok((standing, store.current().number()))
}
