//! The second look of a full check: what differed at first may be on its way, or agree by now. Owns why a pair differs, by
//! what the log knows of it and what the shop has this moment.

use super::FullCheck;
use super::running::Run;
use super::source_side::Meant;
use api::admin::StockChecked;
use config::Violation;
use connector::port::{CallContext, ExternalRef, Fed, Observation, Plan as Step, Stage, Wanted};
use domains::inventory::sharing::Component;
use domains::inventory::{composed, folding, parts, path};
use engine::work::WorkError;
use engine::work::by_hand::{self, ByHand};
use engine::work::differs::{Why, why, why_of};
use engine::work::drift;
use engine::work::feed::lifted;
use kernel::envelope::Via;
use kernel::fault::Fault;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use shopify::inventory::{Changed, changed};
use std::collections::{BTreeMap, BTreeSet};
use store::query::SubjectStatus;

/// Pairs that one check reads singly, to see whether their source counts anew: it does for all or for none.
pub(super) const READS: usize = 100;
/// Looked at in one call, and asked of the store at once.
pub(super) const CHUNK: usize = 100;

/// A pair that differs: why, and Shopify's id of its level, where it was set before.
pub(super) struct Judged {
    pub(super) why: Why,
    level: Option<String>,
}

/// A pair as it was looked at.
pub(super) struct Looked {
    pub(super) known: SubjectStatus,
    pub(super) seen: Option<Observation>,
    /// What would be done, or why the shop could not be asked.
    pub(super) plan: Result<Step, Fault>,
}

/// What a second look leaves to be done.
#[derive(Default)]
struct Found {
    /// Typed in the shop.
    by_hand: Vec<ByHand>,
    /// Levels that differing bundles are made of.
    components: BTreeSet<String>,
}

impl FullCheck {
    /// Of what differed, what the shop has this moment, and what the log knows.
    pub(super) async fn second_look(
        &self,
        run: &Run,
        differing: Vec<Fed>,
        places: &BTreeMap<String, String>,
        lines: &mut BTreeMap<(String, String), drift::Difference>,
        told: &mut StockChecked,
    ) -> Result<(), WorkError> {
        let lift = self.scope.lift().await?;
        let mut differing = differing.into_iter().peekable();
        let (mut reads, mut found) = (READS, Found::default());
        while differing.peek().is_some() {
            // It was mapped before: one that cannot be is not among them.
            let chunk = differing.by_ref().take(CHUNK).map(|fed| self.meant(lifted(fed, lift), places));
            let chunk = chunk.collect::<Result<Vec<_>, _>>()?;
            self.look(run, chunk, lines, (&mut reads, &mut found), told).await?;
        }
        if run.mends && self.policy == Violation::Ask {
            run.may().await?;
            self.ask(found.by_hand, told).await?;
        }
        told.appended += self.tell_again(run, &found.components, lift).await?;
        Ok(())
    }

    async fn look(
        &self,
        run: &Run,
        chunk: Vec<Meant>,
        lines: &mut BTreeMap<(String, String), drift::Difference>,
        (reads, found): (&mut usize, &mut Found),
        told: &mut StockChecked,
    ) -> Result<(), WorkError> {
        let judged = self.whys(run, &chunk, reads).await?;
        let mut changed = self.changed(&judged).await?;
        let mut mended = Vec::new();
        for (meant, Judged { why, level }) in chunk.into_iter().zip(judged) {
            *told.whys.entry(why.as_str().to_owned()).or_default() += 1;
            let pair = (meant.sku.clone(), meant.location.clone());
            if why == Why::Settled {
                lines.remove(&pair);
                continue;
            }
            if let Some(line) = lines.get_mut(&pair) {
                line.why = Some(why.as_str().to_owned());
                // As people call it.
                line.location =
                    parts(&meant.subject).map_or_else(|| pair.1.clone(), |(_, location)| location);
            }
            if why == Why::ChangedInShop {
                let changed = level.and_then(|level| changed.remove(&level)).unwrap_or_default();
                if let Some(line) = lines.get_mut(&pair) {
                    line.changed_at = changed.at;
                    found.by_hand.extend(self.by_hand(&meant, line, changed));
                }
            }
            let is_mended = match why {
                Why::Missed => true,
                Why::ChangedInShop => self.policy == Violation::Revert,
                _ => false,
            };
            if run.mends && is_mended {
                if meant.fed.topic == composed::TOPIC {
                    found.components.extend(components_of(&meant));
                    continue;
                }
                // What became of it before is no reason to leave it.
                mended.push(self.scope.fact(meant.fed, Via::Backfill));
            }
        }
        if !mended.is_empty() {
            run.may().await?;
            told.appended += mended.len() as u64;
            self.scope.store.append(mended).await?;
        }
        Ok(())
    }
}

impl FullCheck {
    fn by_hand(&self, meant: &Meant, line: &drift::Difference, changed: Changed) -> Option<ByHand> {
        Some(ByHand {
            path: meant.subject.path.clone(),
            sku: meant.sku.clone(),
            location: line.location.clone(),
            wanted: line.wanted?,
            has: line.has?,
            sequence: number_of(meant),
            seen_at: self.scope.clock.now().wall,
            changed_at: changed.at,
            history_url: changed.history_url,
            decided: None,
        })
    }

    /// When what somebody typed was typed, as Shopify tells it, by the id of its level.
    async fn changed(&self, judged: &[Judged]) -> Result<BTreeMap<String, Changed>, WorkError> {
        let typed = judged.iter().filter(|judged| judged.why == Why::ChangedInShop);
        let levels: Vec<String> = typed.filter_map(|judged| judged.level.clone()).collect();
        Ok(changed(&self.client, &self.scope.call(), &levels).await?)
    }

    /// A person is asked about all that was written by hand and not decided yet.
    pub(super) async fn ask(&self, found: Vec<ByHand>, told: &mut StockChecked) -> Result<(), WorkError> {
        let (store, flow, shop) = (self.scope.store.as_ref(), &self.scope.flow, &self.scope.shop);
        told.newly_asked = by_hand::ask(store, flow, shop, found).await?;
        told.asked = by_hand::Questions::load(store, flow, shop).await?.open().count() as u64;
        Ok(())
    }

    /// Of each, why it differs, by what the shop has this moment and what the log knows. All in one call, so of a chunk.
    pub(super) async fn whys(
        &self,
        run: &Run,
        chunk: &[Meant],
        reads: &mut usize,
    ) -> Result<Vec<Judged>, WorkError> {
        let looked = self.looked(&self.scope.call(), chunk).await?;
        let lift = self.scope.lift().await?;
        for (meant, Looked { known, .. }) in chunk.iter().zip(&looked) {
            if meant.fed.topic != composed::TOPIC {
                run.numbers.compare(&meant.subject, meant.fed.sequence, known, lift)?;
            }
        }
        let mut whys = Vec::with_capacity(chunk.len());
        for (meant, Looked { known, plan, .. }) in chunk.iter().zip(&looked) {
            let why = match plan {
                Ok(Step::Done(_)) => Why::Settled,
                _ => self.why_by_log(meant, known).await?,
            };
            let why = match why {
                Why::Overtaken => self.overtaken(meant, reads).await,
                // It was ours to set it to nothing, and its source names it again.
                Why::ChangedInShop if self.was_zeroed(known).await? => Why::Missed,
                why => why,
            };
            whys.push(Judged { why, level: known.external.as_ref().map(|external| external.id.clone()) });
        }
        Ok(whys)
    }

    /// What the log knows of each, what the shop has this moment, and what would be done about it.
    pub(super) async fn looked(&self, call: &CallContext, chunk: &[Meant]) -> Result<Vec<Looked>, WorkError> {
        let subjects: Vec<Subject> = chunk.iter().map(|meant| meant.subject.clone()).collect();
        let known = self.scope.store.status(&self.scope.flow, &subjects).await?;
        let wanted: Vec<Wanted> =
            chunk.iter().zip(&known).map(|(meant, known)| wanted(meant, known)).collect();
        let seen = self.target.observe_many(call, &wanted).await;
        let looked = known.into_iter().zip(&wanted).zip(seen).map(|((known, wanted), seen)| {
            let plan = seen.as_ref().map(|seen| self.target.plan(wanted, seen)).map_err(Clone::clone);
            Looked { known, seen: seen.ok(), plan }
        });
        Ok(looked.collect())
    }

    /// Why a pair that differs does, by what the log knows.
    pub(super) async fn why_by_log(&self, meant: &Meant, known: &SubjectStatus) -> Result<Why, WorkError> {
        match meant.fed.topic.as_str() {
            composed::TOPIC => Ok(self.why_composed(meant, known).await),
            _ => self.why_level(meant, known).await,
        }
    }

    /// Read once more: a source that has the same level still does not count as it did. One that cannot be asked has moved on.
    async fn overtaken(&self, meant: &Meant, reads: &mut usize) -> Why {
        if *reads == 0 {
            return Why::Settled;
        }
        *reads -= 1;
        match self.scope.source.read(&self.scope.call(), &meant.subject).await {
            Ok(Some(read)) if read.payload == meant.fed.payload => Why::SequenceBack,
            _ => Why::Settled,
        }
    }
}

impl FullCheck {
    /// Of what shares its units: whether the log has the levels that the source has, and what became of it then.
    async fn why_composed(&self, meant: &Meant, known: &SubjectStatus) -> Why {
        match self.scope.source.read(&self.scope.call(), &meant.subject).await {
            Ok(Some(read)) if read.payload == meant.fed.payload => match &known.delivery {
                // Composed in this instant, or before: by its place in the log.
                Some(delivery) => why_of(&delivery.state, false),
                None => Why::Missed,
            },
            // It waits for its turn as it was composed last.
            Ok(None) => {
                known.delivery.as_ref().map_or(Why::Missed, |delivery| why_of(&delivery.state, false))
            }
            _ => Why::Missed,
        }
    }

    /// Of a level: whether the log has what the source has, and what became of it then. By its number; what is the same is the same
    /// under a greater one too, because a source without numbers is numbered by when it was read. What was folded has versions of its own.
    async fn why_level(&self, meant: &Meant, known: &SubjectStatus) -> Result<Why, WorkError> {
        let (sequence, is_folded) = (meant.fed.sequence, is_folded(known));
        let by_number = if is_folded { Why::Missed } else { why(known, sequence) };
        let Some(delivery) = known.delivery.as_ref().filter(|_| by_number == Why::Missed) else {
            return Ok(by_number);
        };
        let Some(heard) = self.scope.store.delivery_payload(delivery.id).await? else {
            return Ok(Why::Missed);
        };
        let is_later = || is_folded && folding::told_version(&heard) > Some(sequence);
        Ok(if folding::is_same(&heard, &meant.fed.payload) {
            why_of(&delivery.state, false)
        } else if is_later() {
            Why::Overtaken
        } else {
            Why::Missed
        })
    }

    /// The levels that differing bundles and components are made of, each read and taken up once: all that shares their units is
    /// composed anew.
    pub(super) async fn tell_again(
        &self,
        run: &Run,
        components: &BTreeSet<String>,
        lift: i64,
    ) -> Result<u64, WorkError> {
        let mut appended = 0;
        for path in components {
            let subject = Subject { shop: self.scope.shop.clone(), path: path.clone() };
            let Some(read) = self.scope.source.read(&self.scope.call(), &subject).await? else { continue };
            let Some(sequence) = read.sequence else { continue };
            let fed =
                Fed { path: path.clone(), topic: read.topic, sequence, payload: read.payload, change: None };
            appended += 1;
            run.may().await?;
            self.scope.store.append(vec![self.scope.fact(lifted(fed, lift), Via::Backfill)]).await?;
        }
        Ok(appended)
    }
}

/// The source's number of what is wanted; of what is composed, which has none, when the newest of its levels changed.
fn number_of(meant: &Meant) -> i64 {
    let composed = composed::read(&meant.fed.payload).ok().filter(|_| meant.fed.topic == composed::TOPIC);
    composed.map_or(meant.fed.sequence, |composed| composed.changed_at().as_millisecond())
}

/// The paths of the levels that it is made of.
pub(super) fn components_of(meant: &Meant) -> Vec<String> {
    let Ok(composed) = composed::read(&meant.fed.payload) else { return Vec::new() };
    let made_of = composed.made_of();
    made_of.iter().flat_map(Component::pairs).map(|(sku, at)| path(sku, at)).collect()
}

fn wanted(meant: &Meant, known: &SubjectStatus) -> Wanted {
    Wanted {
        subject: meant.subject.clone(),
        object_key: ObjectKey::of(&meant.subject),
        body: meant.body.clone(),
        stage: Stage::Present,
        after_confirm: AfterConfirm::default(),
        difference: Difference::Ticket,
        known: known.external.as_ref().map(|external| ExternalRef {
            id: external.id.clone(),
            number: external.number.clone(),
            state: external.state.clone(),
        }),
        also_known_as: Vec::new(),
    }
}

pub(super) fn is_folded(known: &SubjectStatus) -> bool {
    let version = known.delivery.as_ref().and_then(|delivery| delivery.version.as_ref());
    matches!(version, Some(EffectiveVersion::Folded { .. }))
}
