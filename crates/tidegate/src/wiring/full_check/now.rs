//! A few pairs as they are this moment, for whoever shows one SKU: what the shop has of each, what it is to have, term by term, and why
//! both differ, in the words of the [second look](super::second_look). Asks within some seconds and never fails: what could not be
//! had is said.

use super::FullCheck;
use super::second_look::{CHUNK, Looked, is_folded};
use super::source_side::Meant;
use async_trait::async_trait;
use connector::port::{CallContext, Fed, Plan};
use domains::inventory::composed;
use engine::work::WorkError;
use engine::work::differs::Why;
use engine::work::feed::lifted;
use engine::work::stock_now::{Answered, LooksNow, StockNow};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use shopify::inventory::{Changed, changed, explained};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

/// So long the shop is waited for: a person waits.
const SHOP: Duration = Duration::from_secs(4);
/// A little longer, so that it is the call that says why there is no answer.
const SHOP_AND_ALL: Duration = Duration::from_secs(5);
/// So long the source is, of all pairs, beyond that: what it says adds a word.
const SOURCE: Duration = Duration::from_secs(2);

#[async_trait]
impl LooksNow for FullCheck {
    async fn now(&self, subjects: &[Subject]) -> Vec<StockNow> {
        let mut all = Vec::with_capacity(subjects.len());
        for chunk in subjects.chunks(CHUNK) {
            let seen = self.few_now(chunk).await;
            all.extend(
                seen.unwrap_or_else(|error| vec![StockNow::unreachable(error.to_string()); chunk.len()]),
            );
        }
        all
    }
}

/// The newest that the log has of a pair.
struct Newest {
    meant: Meant,
    /// A fact of it is committed, and not routed yet.
    comes: bool,
}

impl FullCheck {
    async fn few_now(&self, subjects: &[Subject]) -> Result<Vec<StockNow>, WorkError> {
        let mut all = vec![
            StockNow::not_asked("what the source said last cannot be read, or is kept no more");
            subjects.len()
        ];
        let (mut places, mut newest) = (Vec::new(), Vec::new());
        for (place, subject) in subjects.iter().enumerate() {
            if let Some(known) = self.newest(subject).await? {
                places.push(place);
                newest.push(known);
            }
        }
        let comes: Vec<bool> = newest.iter().map(|newest| newest.comes).collect();
        let meant: Vec<Meant> = newest.into_iter().map(|newest| newest.meant).collect();
        if meant.is_empty() {
            return Ok(all);
        }
        let call = CallContext { time_out: SHOP, ..self.scope.call() };
        let looked = within(SHOP_AND_ALL, self.looked(&call, &meant)).await;
        let Some(looked) = looked.transpose()? else {
            let late = format!("{} did not answer within {} s", self.scope.shop, SHOP.as_secs());
            return Ok(vec![StockNow::unreachable(late); subjects.len()]);
        };
        let mut levels = Vec::new();
        for ((place, meant), (looked, comes)) in places.iter().zip(&meant).zip(looked.iter().zip(comes)) {
            let by_log = if comes { Why::UnderWay } else { self.why_by_log(meant, &looked.known).await? };
            let (seen, level) = told(meant, looked, by_log);
            all[*place] = seen;
            levels.extend(level.map(|level| (*place, level)));
        }
        self.since(&call, &levels, &mut all).await;
        // Of what is on its way nobody asks whether more is to come.
        let is_settled = |why: Option<&str>| why.is_none_or(|why| why == Why::ChangedInShop.as_str());
        let told = places.iter().zip(&meant).zip(&looked);
        let asks = async {
            for ((place, meant), _) in told.filter(|(_, looked)| !is_folded(&looked.known)) {
                if is_settled(all[*place].why) {
                    self.missed(meant, &mut all[*place]).await;
                }
            }
        };
        // Where not all of them answer in time, that of the others is left untold.
        let _ = within(SOURCE, asks).await;
        Ok(all)
    }

    async fn newest(&self, subject: &Subject) -> Result<Option<Newest>, WorkError> {
        let store = self.scope.store.as_ref();
        let life = store.life(&subject.shop, subject.root()).await?.only(subject);
        let newest = store::newest_state(store, &life, &self.scope.flow, subject).await?;
        let Some((envelope, payload)) = newest else { return Ok(None) };
        let sequence = match envelope.version {
            Some(EffectiveVersion::Sequence { sequence }) => sequence,
            _ => 0,
        };
        let (path, topic, payload) = (subject.path.clone(), envelope.topic, payload.to_vec());
        let fed = Fed { path, topic, sequence, payload, change: None };
        let of_own = |envelope: &kernel::envelope::Envelope| envelope.subject == *subject;
        let comes = life.envelopes.iter().any(|(envelope, routed)| !routed && of_own(envelope));
        Ok(self.meant(fed, &BTreeMap::new()).ok().map(|meant| Newest { meant, comes }))
    }

    /// Since when the shop has what it has; left open where it does not say.
    async fn since(&self, call: &CallContext, levels: &[(usize, String)], all: &mut [StockNow]) {
        let ids: Vec<String> = levels.iter().map(|(_, id)| id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        let Some(Ok(known)) = within(SHOP_AND_ALL, changed(&self.client, call, &ids)).await else { return };
        for (place, id) in levels {
            let Some(Changed { at, history_url }) = known.get(id).cloned() else { continue };
            (all[*place].since, all[*place].history_url) = (at, history_url);
        }
    }

    /// Whether the source, where it can be asked, has another level by now, which never came.
    async fn missed(&self, meant: &Meant, seen: &mut StockNow) {
        if meant.fed.topic == composed::TOPIC {
            return;
        }
        let call = CallContext { time_out: SOURCE, ..self.scope.call() };
        let Ok(Some(read)) = self.scope.source.read(&call, &meant.subject).await else { return };
        let (Some(sequence), Ok(lift)) = (read.sequence, self.scope.lift().await) else { return };
        let fed = Fed {
            path: meant.fed.path.clone(),
            topic: read.topic,
            sequence,
            payload: read.payload,
            change: None,
        };
        let fed = lifted(fed, lift);
        let facts = &self.scope.facts;
        let (Ok(known), Ok(now)) =
            (facts.read(&meant.fed.topic, &meant.fed.payload), facts.read(&fed.topic, &fed.payload))
        else {
            return;
        };
        let differ = ["available", "counted"].iter().any(|figure| known.body[*figure] != now.body[*figure]);
        if fed.sequence > meant.fed.sequence && differ {
            seen.why = Some(Why::Missed.as_str());
            let available = now.body["available"].as_i64().unwrap_or_default();
            seen.terms.push(format!("{available:>12}  available at the source by now, which never came"));
        }
    }
}

/// A pair as it is told, and the id of its level.
fn told(meant: &Meant, looked: &Looked, by_log: Why) -> (StockNow, Option<String>) {
    let pressing = matches!(by_log, Why::UnderWay | Why::Dead);
    let plan = match &looked.plan {
        Ok(plan) => plan,
        Err(fault) => {
            let why = pressing.then(|| by_log.as_str());
            return (StockNow { why, ..StockNow::unreachable(fault.to_string()) }, None);
        }
    };
    let seen = looked.seen.as_ref().and_then(|seen| explained(&meant.body, seen));
    let problem = match plan {
        Plan::NotAllowed(fault) => Some(fault.to_string()),
        Plan::Next(_) | Plan::Done(_) => None,
    };
    let why = (!matches!(plan, Plan::Done(_))).then(|| by_log.as_str());
    let mut told = StockNow { answered: Answered::Answered, problem, why, ..StockNow::default() };
    let Some(seen) = seen else { return (told, None) };
    told.in_flight = seen.in_flight;
    told.to_show = Some(seen.to_show);
    told.terms = seen.terms.iter().map(ToString::to_string).collect();
    let Some(level) = seen.level else { return (told, None) };
    (told.available, told.committed) = (Some(level.available), Some(level.committed));
    (told, Some(level.id))
}

async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(time, work).await.ok()
}
