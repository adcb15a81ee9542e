//! The backfill of stock: of the pairs that are named, those of which the shop has not what its source says are taken up
//! again, behind live facts. Owns which way they are found: one SKU is read pair by pair, few pairs are looked at in the
//! shop directly, many against Shopify's whole list.
//!
//! Nothing is concluded from what a source does not name, so half of a snapshot does no harm here: what it names is true.
//! One that was killed is gone on with by asking again: what was brought is under way or agrees by then, and Shopify's list
//! is not asked for twice.

use super::running::Run;
use super::second_look::{CHUNK, Judged, READS, components_of};
use super::source_side::{Meant, fed, in_flight};
use super::told::Watch;
use super::{FullCheck, TELL_EVERY, bug, files};
use api::admin::{CheckError, StockBackfilled, StockChecked, StockNamed, StockPair};
use config::Violation;
use connector::port::{Fed, Read};
use domains::inventory::compare::{Cause, Check};
use domains::inventory::sharing::Component;
use domains::inventory::{self, Key, StockFault, composed, parts};
use engine::work::differs::Why;
use engine::work::feed::lifted;
use engine::work::{Progress, WorkError};
use kernel::envelope::Via;
use kernel::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// So many pairs are looked at in the shop directly (100 in a call); for more its whole list is cheaper.
const DIRECT_MAX: usize = 2_000;
/// Pairs that are told one by one; beyond they are counted.
const TOLD_MAX: usize = 25_000;
/// In the folder: the list was read by a plan that came to its end. What follows goes on with it; another plan does not.
const PLANNED: &str = "planned";

/// One backfill.
struct Bringing<'a> {
    check: &'a FullCheck,
    run: &'a Run,
    named: &'a StockNamed,
    progress: &'a dyn Progress,
    places: BTreeMap<String, String>,
    /// By how much the source's numbers are lifted.
    lift: i64,
    /// Single reads that are left.
    reads: usize,
    waiting: Vec<Meant>,
    /// Levels of which something is composed that is to be brought.
    components: BTreeSet<String>,
    /// Pairs that were looked through, and how many there may be (0: nobody knows).
    done: u64,
    total: u64,
    told: StockBackfilled,
}

impl FullCheck {
    pub(super) async fn brought(
        &self,
        named: &StockNamed,
        brings: bool,
        progress: &dyn Progress,
    ) -> Result<StockBackfilled, CheckError> {
        let run = self.begin(brings).await?;
        let brought = self.bring(&run, named, progress).await;
        run.end().await;
        brought
    }

    async fn bring(
        &self,
        run: &Run,
        named: &StockNamed,
        progress: &dyn Progress,
    ) -> Result<StockBackfilled, CheckError> {
        let mut bringing = Bringing {
            check: self,
            run,
            named,
            progress,
            places: shopify::inventory::location_ids(&self.client, &self.scope.call()).await?,
            lift: self.scope.lift().await?,
            reads: READS,
            waiting: Vec::new(),
            components: BTreeSet::new(),
            done: 0,
            total: 0,
            told: StockBackfilled {
                flow: self.scope.flow.to_string(),
                shop: self.scope.shop.to_string(),
                named: named.clone(),
                ..StockBackfilled::default()
            },
        };
        let mut watch = Watch::begin(&self.scope.clock);
        match bringing.few().await? {
            Some(few) => {
                bringing.total = bringing.done + few.len() as u64;
                for meant in few {
                    bringing.done += 1;
                    bringing.take(meant).await?;
                }
            }
            None => bringing.against_the_list().await?,
        }
        bringing.look().await?;
        // What shares units is composed anew once the levels that it is made of are told again.
        self.tell_again(run, &bringing.components, bringing.lift).await?;
        let mut told = bringing.told;
        let mut timed = StockChecked::default();
        watch.told("whole", &mut timed);
        told.took_ms.extend(timed.took_ms);
        Ok(told)
    }
}

impl Bringing<'_> {
    /// The pairs that are meant, where they are few; `None`: all are, or too many.
    async fn few(&mut self) -> Result<Option<Vec<Meant>>, CheckError> {
        // One that cannot be asked for a pair has it in its snapshot.
        if let Some(sku) = self.named.sku.as_ref().filter(|_| self.check.asks) {
            let known = self.of_sku(sku).await?;
            if !known.is_empty() {
                return Ok(Some(known));
            }
        }
        if *self.named == StockNamed::default() {
            return Ok(None);
        }
        let mut whole = self.check.whole(self.run).await?;
        let (mut few, before) = (Vec::new(), self.told.clone());
        loop {
            let come = whole.next().await?;
            if come.is_empty() {
                break;
            }
            let topic = whole.topic();
            for stated in &come {
                self.heard()?;
                few.extend(self.meant(fed(topic, stated)));
            }
            if few.len() > DIRECT_MAX {
                // It is streamed once more, past the shop's list.
                self.told = before;
                self.done = 0;
                return Ok(None);
            }
        }
        Ok(Some(few))
    }

    /// Of a SKU, each pair that was ever told, read as it is now. None of them is known: the source is asked for all it has.
    async fn of_sku(&mut self, sku: &str) -> Result<Vec<Meant>, CheckError> {
        let scope = &self.check.scope;
        let mut read = Vec::new();
        for subject in scope.store.find(sku).await? {
            if subject.shop != scope.shop || parts(&subject).is_none_or(|(of, _)| of != sku) {
                continue;
            }
            // What is composed of it stands in its place.
            if scope.facts.composes(&subject).is_some() {
                continue;
            }
            match self.as_it_is_now(&subject).await? {
                None if scope.facts.kin(&subject).is_some() => self.told.under_way += 1,
                None => self.told.gone += 1,
                Some(found) => {
                    let sequence =
                        found.sequence.ok_or_else(|| bug("a level that was read has no number"))?;
                    let fed = Fed {
                        path: subject.path,
                        topic: found.topic,
                        sequence,
                        payload: found.payload,
                        change: None,
                    };
                    self.told.source += 1;
                    read.extend(self.meant(fed));
                }
            }
        }
        Ok(read)
    }

    /// A level, or what is composed of the levels that the source has this moment.
    async fn as_it_is_now(&self, subject: &Subject) -> Result<Option<Read>, CheckError> {
        let scope = &self.check.scope;
        let known = match scope.source.read(&scope.call(), subject).await? {
            Some(known) if known.topic == composed::TOPIC => known,
            alone => return Ok(alone),
        };
        let composed = composed::read(&known.payload).map_err(StockFault::into_fault)?;
        let made_of = composed.made_of();
        let mut levels = BTreeMap::new();
        for (sku, at) in made_of.iter().flat_map(Component::pairs) {
            let level = inventory::subject(subject.shop.clone(), sku, at);
            if let Some(read) = scope.source.read(&scope.call(), &level).await? {
                levels.insert((sku.to_owned(), at.to_owned()), read.payload);
            }
        }
        let level = |sku: &str, at: &str| levels.get(&(sku.to_owned(), at.to_owned())).map(Vec::as_slice);
        let payload = composed::write(&composed.sku, &composed.location, &made_of, level);
        Ok(Some(Read { payload, ..known }))
    }

    /// Past all that the shop has, as a full check does.
    async fn against_the_list(&mut self) -> Result<(), CheckError> {
        let check = self.check;
        let marker = check.backfills.join(PLANNED);
        let was_planned = marker.exists();
        let (mut kept, note) = check.kept(&check.backfills, was_planned && !self.run.mends)?;
        if was_planned {
            std::fs::remove_file(&marker).map_err(files)?;
        }
        self.told.notes.extend(note.filter(|_| !was_planned));
        let mut read = StockChecked::default();
        let key = Key([crate::wiring::clock::seed(), crate::wiring::clock::seed()]);
        let shelves = check.shop_side(&mut kept, key, self.progress, &mut read).await?;
        self.told.notes.append(&mut read.notes);
        self.told.took_ms.append(&mut read.took_ms);
        self.total = shelves.len();
        let mut shelves = Some(shelves);
        let mut table = None;
        let mut whole = check.whole(self.run).await?;
        loop {
            let come = whole.next().await?;
            if come.is_empty() {
                break;
            }
            let topic = whole.topic();
            for stated in &come {
                self.heard()?;
                let Some(meant) = self.meant(fed(topic, stated)) else { continue };
                if let Some(shelves) = shelves.take() {
                    let in_flight = in_flight(&meant.body);
                    let sorted = tokio::task::spawn_blocking(move || Check::new(shelves, in_flight, 0)).await;
                    table = Some(sorted.map_err(|_| bug("the comparison ended by itself"))?);
                }
                let table = table.as_mut().ok_or_else(|| bug("nothing to compare with"))?;
                match meant.compared(table, &self.places) {
                    None => self.told.agree += 1,
                    Some(Cause::TwiceInSource | Cause::TwiceInShopify) => {
                        self.told.twice += 1;
                        self.tell(&meant, "twice", None);
                    }
                    Some(_) => self.take(meant).await?,
                }
            }
        }
        self.look().await?;
        if self.run.mends {
            kept.forget().map_err(files)?;
        } else {
            // What the plan has read, its doing need not ask for again.
            std::fs::write(&marker, b"").map_err(files)?;
        }
        Ok(())
    }

    fn heard(&mut self) -> Result<(), WorkError> {
        self.told.source += 1;
        self.done += 1;
        if self.done.is_multiple_of(TELL_EVERY) && !self.progress.at(self.done, self.total.max(self.done)) {
            return Err(WorkError::Stopped);
        }
        Ok(())
    }

    /// One of the source's, if it is meant and can be read.
    fn meant(&mut self, fed: Fed) -> Option<Meant> {
        // Whose it is stands in it.
        let Ok(state) = self.check.scope.facts.read(&fed.topic, &fed.payload) else {
            self.told.unreadable += 1;
            return None;
        };
        let is = |named: &Option<String>, field: &str| {
            named.as_deref().is_none_or(|named| state.body[field].as_str() == Some(named))
        };
        let is_since = self.named.since.is_none_or(|since| state.changed_at >= since);
        // A location of the source may be named that is shown together with others.
        let is_there = is(&self.named.location, "location")
            || self.named.location.as_deref().is_some_and(|named| lies_at(&fed, named));
        if !is(&self.named.sku, "sku") || !is_there || !is_since {
            return None;
        }
        self.told.meant += 1;
        let meant = self.check.meant(lifted(fed, self.lift), &self.places);
        self.told.unreadable += u64::from(meant.is_err());
        meant.ok()
    }

    /// It may differ: looked at with others in one call.
    async fn take(&mut self, meant: Meant) -> Result<(), CheckError> {
        self.waiting.push(meant);
        if self.waiting.len() == CHUNK { self.look().await } else { Ok(()) }
    }

    async fn look(&mut self) -> Result<(), CheckError> {
        let chunk = std::mem::take(&mut self.waiting);
        if chunk.is_empty() {
            return Ok(());
        }
        let whys = self.check.whys(self.run, &chunk, &mut self.reads).await?;
        let mut brought = Vec::new();
        for (meant, Judged { why, .. }) in chunk.into_iter().zip(whys) {
            // What somebody typed stands, unless the policy is to set it back: a check tells of it, or asks.
            let stands = why == Why::ChangedInShop && self.check.policy != Violation::Revert;
            let outcome = match why {
                _ if stands => why.as_str(),
                Why::Missed | Why::ChangedInShop => "brought",
                Why::Settled | Why::Overtaken => "agrees",
                other => other.as_str(),
            };
            match why {
                _ if stands => self.told.by_hand += 1,
                Why::Missed | Why::ChangedInShop => self.told.appended += 1,
                Why::Settled | Why::Overtaken => self.told.agree += 1,
                Why::UnderWay => self.told.under_way += 1,
                Why::Dead => self.told.dead_letter += 1,
                Why::SequenceBack => self.told.sequence_back += 1,
            }
            let is_brought = outcome == "brought";
            if outcome != "agrees" || self.named.sku.is_some() {
                self.tell(&meant, outcome, is_brought.then(|| why.as_str()));
            }
            if is_brought && self.run.mends && meant.fed.topic == composed::TOPIC {
                self.components.extend(components_of(&meant));
            } else if is_brought && self.run.mends {
                brought.push(self.check.scope.fact(meant.fed, Via::Backfill));
            }
        }
        if !brought.is_empty() {
            self.run.may().await?;
            self.check.scope.store.append(brought).await?;
        }
        if self.progress.at(self.done, self.total.max(self.done)) {
            Ok(())
        } else {
            Err(WorkError::Stopped.into())
        }
    }

    fn tell(&mut self, meant: &Meant, outcome: &'static str, why: Option<&'static str>) {
        if self.told.pairs.len() < TOLD_MAX {
            let location =
                parts(&meant.subject).map_or_else(|| meant.location.clone(), |(_, location)| location);
            let (sku, available) = (meant.sku.clone(), meant.available);
            self.told.pairs.push(StockPair { sku, location, available, outcome, why });
        }
    }
}

/// Whether something of it lies at one of the source's locations.
fn lies_at(fed: &Fed, location: &str) -> bool {
    let composed = composed::read(&fed.payload).ok().filter(|_| fed.topic == composed::TOPIC);
    composed.is_some_and(|composed| composed.levels().any(|level| level.location == location))
}
