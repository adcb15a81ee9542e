//! A node among others on one PostgreSQL: says twice a second that it lives, which configuration it has and which systems
//! it holds back; tells its engine what the others say. Owns what is said between nodes and which of two configurations
//! counts; what a share of a limit is, the engine knows (docs/adr/0009).

use super::golive::GoLive;
use crate::wiring::open::InForce;
use engine::SystemView;
use engine::effect::Event;
use engine::hub::Hub;
use engine::nodes::{Elsewhere, Nodes, Share};
use kernel::clock::{Clock, Mono};
use kernel::id::SystemName;
use serde::{Deserialize, Serialize};
use shopify::graphql::Shops;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::operate::Beat;
use store::{Store, StoreError};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Between two beats.
pub const BEAT_EVERY: Duration = Duration::from_millis(500);
/// A node that is silent for so long is not counted: its share is the others' then.
pub const BEAT_HOLDS: Duration = Duration::from_secs(3);
/// The others have heard of a node by then, and left it its share.
const HEARD_AFTER: Duration = Duration::from_millis(1_200);
/// Between two looks whether a breaker opened, which the others hear of at once.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Says {
    /// Its configuration.
    pub revision: String,
    /// Systems of which there is something to say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub systems: BTreeMap<String, OfSystem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OfSystem {
    /// The breaker is not closed.
    pub shut: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_for_ms: Option<u64>,
    pub in_work: u32,
}

impl Says {
    pub fn of(revision: &str, systems: &[SystemView]) -> Self {
        let systems = systems.iter().filter_map(|system| {
            let of = OfSystem {
                shut: system.breaker != "closed",
                throttled_for_ms: system.throttled_for_ms,
                in_work: system.in_work,
            };
            (of != OfSystem::default()).then(|| (system.name.clone(), of))
        });
        Self { revision: revision.to_owned(), systems: systems.collect() }
    }

    /// What a later program says may be unknown here; it is a node all the same, of another revision.
    fn read(text: &str) -> Self {
        serde_json::from_str(text)
            .unwrap_or_else(|_| Self { revision: String::new(), systems: BTreeMap::new() })
    }

    fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Which breakers are open.
    fn shut(&self) -> impl Iterator<Item = &String> {
        self.systems.iter().filter(|(_, of)| of.shut).map(|(name, _)| name)
    }

    fn is_shut(&self, system: &str) -> bool {
        self.systems.get(system).is_some_and(|of| of.shut)
    }
}

/// Whether this node's configuration counts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// This process has just begun, maybe with a new one.
    Entering,
    InForce,
    /// Another one does, and nodes that have it live.
    Behind {
        revision: String,
        nodes: usize,
    },
}

/// This node among those that live.
#[derive(Debug)]
pub struct Member {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    name: String,
    in_force: InForce,
    standing: Standing,
    /// The first beat, if others lived then.
    heard_from: Option<Mono>,
    paused: bool,
    /// What each said last.
    last: BTreeMap<String, Says>,
}

impl Member {
    /// Says for the first time that this node lives, and settles whose configuration counts: a new one does from its first
    /// node on; one that was replaced, for as long as no node with the newer one lives.
    pub async fn enter(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        name: String,
        in_force: InForce,
    ) -> anyhow::Result<Self> {
        let standing = Standing::Entering;
        let mut member = Self {
            store,
            clock,
            name,
            in_force,
            standing,
            heard_from: None,
            paused: false,
            last: BTreeMap::new(),
        };
        let live = member.beat(&[]).await?;
        if live.iter().any(|beat| beat.node != member.name) {
            member.heard_from = Some(member.clock.now().mono);
        }
        member.settle(&live).await?;
        Ok(member)
    }

    /// All systems are paused, because the store was last used for other targets.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    pub fn is_in_force(&self) -> bool {
        self.standing == Standing::InForce
    }

    async fn beat(&self, systems: &[SystemView]) -> Result<Vec<Beat>, StoreError> {
        self.say(Says::of(&self.in_force.revision, systems), BEAT_HOLDS).await
    }

    async fn say(&self, says: Says, holds: Duration) -> Result<Vec<Beat>, StoreError> {
        let beat = Beat { node: self.name.clone(), says: says.written() };
        self.store.beat(beat, self.clock.now().wall, holds).await
    }

    /// Looks which configuration is in force. True: this node's is so from now on.
    async fn settle(&mut self, live: &[Beat]) -> anyhow::Result<bool> {
        let ours = &self.in_force.revision;
        let standing = match self.store.installation().await?.revision {
            Some(revision) if revision != *ours => {
                let has_it =
                    |beat: &&Beat| beat.node != self.name && Says::read(&beat.says).revision == revision;
                let nodes = live.iter().filter(has_it).count();
                let stays = match self.standing {
                    Standing::Entering => nodes > 0 && self.store.cursor(&known(ours)).await?.is_some(),
                    Standing::Behind { .. } => nodes > 0,
                    // Another node has put its own in force.
                    Standing::InForce => true,
                };
                if stays { Standing::Behind { revision, nodes } } else { Standing::InForce }
            }
            _ => Standing::InForce,
        };
        let comes = standing == Standing::InForce && self.standing != Standing::InForce;
        if comes {
            self.paused = self.in_force.put(&self.store, &self.clock).await?;
            let since = self.clock.now().wall.to_string();
            self.store.set_cursor(&known(ours), &since).await?;
        }
        if let Standing::Behind { revision, nodes } = &standing
            && self.standing != standing
        {
            tracing::warn!(
                "another configuration is in force (revision {revision}, at {nodes} other nodes): this node (revision \
                 {ours}) takes webhooks and delivers nothing until it is restarted with that one, or no node has it any more"
            );
        }
        self.standing = standing;
        Ok(comes)
    }

    /// What the engine is told, of what all said.
    fn told(&mut self, live: &[Beat], sent: Mono) -> Nodes {
        let says = live.iter().map(|beat| (beat.node.clone(), Says::read(&beat.says)));
        // Only who has the same configuration works beside this one.
        let working: BTreeMap<String, Says> =
            says.filter(|(_, says)| says.revision == self.in_force.revision).collect();
        let place = working.keys().position(|node| *node == self.name);
        let now = self.clock.now().mono;
        let heard = self.heard_from.is_none_or(|from| now.since(from) >= HEARD_AFTER);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let nodes = Nodes {
            held: !self.is_in_force() || !heard || place.is_none(),
            share: Share { place: count(place.unwrap_or_default()), of: count(working.len()).max(1) },
            elsewhere: elsewhere(&working, &self.last, &self.name),
            holds: BEAT_HOLDS.saturating_sub(now.since(sent)),
        };
        self.last = working;
        nodes
    }
}

/// Under which a configuration is remembered that was in force.
fn known(revision: &str) -> String {
    format!("revision/{revision}")
}

/// What the others say of systems, beside what they said before; a node goes before those behind it.
fn elsewhere(
    working: &BTreeMap<String, Says>,
    before: &BTreeMap<String, Says>,
    ours: &str,
) -> BTreeMap<SystemName, Elsewhere> {
    let mut all: BTreeMap<SystemName, Elsewhere> = BTreeMap::new();
    for (node, says) in working.iter().filter(|(node, _)| *node != ours) {
        let before = before.get(node);
        let systems = says.systems.keys().chain(before.into_iter().flat_map(|says| says.systems.keys()));
        for name in systems.collect::<std::collections::BTreeSet<_>>() {
            let Ok(system) = SystemName::new(name) else { continue };
            let now = says.systems.get(name).copied().unwrap_or_default();
            let known = all.entry(system).or_default();
            known.shut |= now.shut;
            known.first |= now.shut && node.as_str() < ours;
            known.well |= !now.shut && before.is_some_and(|says| says.is_shut(name));
            known.in_work = known.in_work.saturating_add(now.in_work);
            known.throttled_for = known.throttled_for.max(now.throttled_for_ms.map(Duration::from_millis));
        }
    }
    all
}

/// The name of the lease on what one node does for all: sweeps, subscriptions, retention, alarms.
const SINGLETONS: &str = "singletons";
const SINGLETONS_HOLD: Duration = Duration::from_secs(10);
/// In beats: how often the lease is renewed, and how often is looked which configuration is in force.
const RENEW_EVERY: u32 = 4;
const SETTLE_EVERY: u32 = 2;

/// A member at work, until it leaves.
#[derive(Debug)]
pub struct AtWork {
    leave: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl AtWork {
    pub fn begin(
        member: Member,
        go_live: GoLive,
        hub: Hub,
        shops: Shops,
        woken: watch::Receiver<u64>,
        first: watch::Sender<bool>,
    ) -> Self {
        let (leave, left) = oneshot::channel();
        let worker = Worker { member, go_live, hub, shops, first, beats: 0 };
        let task = tokio::spawn(worker.work(woken, left));
        Self { leave, task }
    }

    /// Says good-bye, so that the others take over its share at once.
    pub async fn leave(self) {
        let _ = self.leave.send(());
        // A store that cannot be reached hears no good-bye; the others count it out by themselves.
        let _ = tokio::time::timeout(BEAT_HOLDS, self.task).await;
    }
}

struct Worker {
    member: Member,
    go_live: GoLive,
    hub: Hub,
    shops: Shops,
    first: watch::Sender<bool>,
    beats: u32,
}

impl Worker {
    async fn work(mut self, mut woken: watch::Receiver<u64>, mut left: oneshot::Receiver<()>) {
        let mut said = self.says();
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut beat_at = Mono(0);
        loop {
            tokio::select! {
                biased;
                _ = &mut left => break,
                heard = woken.changed() => match heard {
                    Ok(()) => self.hub.tell(Event::Woken),
                    Err(_) => break,
                },
                _ = look.tick() => {
                    let now = self.member.clock.now().mono;
                    let says = self.says();
                    if now < beat_at && says.shut().eq(said.shut()) {
                        continue;
                    }
                    beat_at = now.plus(BEAT_EVERY);
                    said = says.clone();
                    if let Err(error) = self.beat(says).await {
                        tracing::debug!(error.message = %error, "the other nodes were not heard");
                    }
                }
            }
        }
        self.first.send_replace(false);
        // Without a good-bye the others wait until the last beat and the lease end.
        let _ = self.bye(said).await;
    }

    fn says(&self) -> Says {
        Says::of(&self.member.in_force.revision, &self.hub.snapshot().systems)
    }

    /// One beat, and what follows from what the others say.
    async fn beat(&mut self, says: Says) -> anyhow::Result<()> {
        let member = &mut self.member;
        let sent = member.clock.now();
        let live = member.say(says, BEAT_HOLDS).await?;
        if self.beats.is_multiple_of(SETTLE_EVERY) && member.settle(&live).await? {
            tracing::info!("the configuration of this node is in force again: no node with another is left");
            self.go_live.take_up().await?;
        }
        let nodes = member.told(&live, sent.mono);
        for shop in self.shops.iter() {
            shop.bucket().among(nodes.share.of);
        }
        self.hub.tell(Event::Nodes(nodes));
        if !member.is_in_force() {
            if self.first.send_if_modified(|first| std::mem::replace(first, false)) {
                member.store.lease(SINGLETONS, &member.name, sent.wall, Duration::ZERO).await?;
            }
        } else if self.beats.is_multiple_of(RENEW_EVERY) {
            let ours = member.store.lease(SINGLETONS, &member.name, sent.wall, SINGLETONS_HOLD).await?;
            self.first.send_if_modified(|first| std::mem::replace(first, ours) != ours);
        }
        self.beats = self.beats.wrapping_add(1);
        Ok(())
    }

    async fn bye(&self, says: Says) -> Result<(), StoreError> {
        let member = &self.member;
        member.say(says, Duration::ZERO).await?;
        if member.is_in_force() {
            let now = member.clock.now().wall;
            member.store.lease(SINGLETONS, &member.name, now, Duration::ZERO).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(shut: bool, in_work: u32) -> Says {
        let of = OfSystem { shut, throttled_for_ms: None, in_work };
        Says { revision: "r".into(), systems: BTreeMap::from([("erp".to_owned(), of)]) }
    }

    fn of(all: [(&str, Says); 3]) -> BTreeMap<String, Says> {
        all.into_iter().map(|(node, says)| (node.to_owned(), says)).collect()
    }

    #[test]
    fn what_a_node_says_is_read_back_and_a_later_programs_word_is_none() {
        let said = says(true, 2);
        assert_eq!(Says::read(&said.written()), said);
        assert_eq!(Says::read("a word of next year").revision, "");
        assert_eq!(Says::read("{\"revision\":\"r\",\"of\":\"next year\"}").revision, "r");
    }

    #[test]
    fn who_goes_first_probes_and_who_lives_and_has_closed_found_it_well() {
        let erp = SystemName::new("erp").unwrap();
        let before = of([("a", says(true, 0)), ("b", says(false, 1)), ("c", says(true, 2))]);
        let now = of([("a", says(false, 1)), ("b", says(false, 1)), ("c", says(true, 2))]);
        let seen = elsewhere(&now, &before, "b")[&erp];
        assert_eq!(seen, Elsewhere { shut: true, first: false, well: true, throttled_for: None, in_work: 3 });
        // One that has gone has found nothing.
        let gone: BTreeMap<String, Says> = now.clone().into_iter().filter(|(node, _)| node == "b").collect();
        assert_eq!(elsewhere(&gone, &before, "b"), BTreeMap::new());
        assert!(elsewhere(&before, &before, "b")[&erp].first);
        assert!(!elsewhere(&before, &before, "a")[&erp].first, "c is behind it");
    }
}
