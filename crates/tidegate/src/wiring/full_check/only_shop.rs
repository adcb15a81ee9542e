//! What only the shop has, where the flow's policy is to set it to nothing (`only_in_shop = "zero"`). Owns which of it may be: pairs
//! at a location of which the source tells, and which nothing else makes; of a snapshot that could be measured by an earlier one;
//! and never more at once than a snapshot may be smaller. What is set is a fact like any other, a level of nothing on hand, so
//! that rules, lanes, compare-and-set and the next level of the source do the rest.

use super::running::Run;
use super::second_look::CHUNK;
use super::source_side::{Meant, fed_as};
use super::{FullCheck, KEPT};
use api::admin::{CheckError, Checking, StockChecked};
use connector::port::{Fed, Plan as Step};
use domains::inventory::compare::Cause;
use domains::inventory::snapshot::guard;
use domains::inventory::{composed, parts};
use engine::work::WorkError;
use engine::work::drift::Difference;
use kernel::envelope::Via;
use kernel::version::EffectiveVersion;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::delivery::DeliveryState;
use store::operate::{AuditEntry, By};
use store::query::SubjectStatus;

/// What such a level has in it, so that a source which names the pair again is known to say something new.
const MARK: &str = "only_in_shop";

/// What the source told of locations.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Of a level.
    topic: Option<String>,
    /// Of each location of the shop, which of the source's are shown there; none where something is composed there.
    at: BTreeMap<String, BTreeSet<Option<String>>>,
}

impl Heard {
    pub(super) fn of(&mut self, meant: &Meant) {
        let is_composed = meant.fed.topic == composed::TOPIC;
        if !is_composed && self.topic.is_none() {
            self.topic = Some(meant.fed.topic.clone());
        }
        let location = parts(&meant.subject).filter(|_| !is_composed).map(|(_, location)| location);
        match self.at.get_mut(&meant.location) {
            Some(known) if known.contains(&location) => {}
            Some(known) => {
                known.insert(location);
            }
            None => {
                self.at.insert(meant.location.clone(), BTreeSet::from([location]));
            }
        }
    }

    /// The one location of the source that is shown at one of the shop's.
    fn one(&self, shown_at: &str) -> Option<&str> {
        let all = self.at.get(shown_at)?;
        if all.len() == 1 { all.first()?.as_deref() } else { None }
    }
}

/// What is to become of one pair.
enum Fate {
    /// The shop sells nothing of it by now.
    Settled,
    /// What was sent before waits, or died.
    Stands(&'static str),
    Zero(Fed),
    /// What the log knows of it is no level of a source.
    Left,
}

impl FullCheck {
    pub(super) async fn zero(
        &self,
        (run, asked): (&Run, &Checking),
        measured: bool,
        (heard, places): (&Heard, &BTreeMap<String, String>),
        lines: &mut BTreeMap<(String, String), Difference>,
        told: &mut StockChecked,
    ) -> Result<(), CheckError> {
        let cause = Cause::UnknownInSource.as_str();
        let is_one = |line: &Difference| line.cause == cause;
        let found = lines.values().filter(|line| is_one(line)).count();
        // What sells nothing is as it should be.
        lines.retain(|_, line| !is_one(line) || line.has.is_some_and(|has| has > 0));
        let sells = lines.iter().filter(|(_, line)| is_one(line)).map(|(pair, _)| pair);
        let sells: Vec<(String, String)> = sells.cloned().collect();
        if found > sells.len() {
            *told.whys.entry("settled".to_owned()).or_default() += (found - sells.len()) as u64;
        }
        // What the source spells otherwise it does tell of.
        let is_told = |pair: &(String, String)| lines.get(pair).is_some_and(|line| line.spelt.is_some());
        let alone = sells.iter().filter(|pair| !is_told(pair));
        let meant: Vec<Meant> =
            alone.filter_map(|(sku, at)| self.nothing_of(sku, at, heard, places)).collect();
        let (mut left, mut zero) = (sells.len() - meant.len(), Vec::new());
        let mut meant = meant.into_iter().peekable();
        while meant.peek().is_some() {
            let chunk: Vec<Meant> = meant.by_ref().take(CHUNK).collect();
            for (pair, fate) in self.fates(chunk).await? {
                match fate {
                    Fate::Zero(fed) => zero.push((pair, fed)),
                    Fate::Left => left += 1,
                    Fate::Settled => {
                        lines.remove(&pair);
                        *told.whys.entry("settled".to_owned()).or_default() += 1;
                    }
                    Fate::Stands(why) => say(lines, &pair, why, told),
                }
            }
        }
        if left > 0 {
            told.notes.push(format!(
                "{left} pairs that only the shop has are left as they are: the source spells them otherwise, or at their location the \
                 shop shows none of its locations, several, or what is composed of several"
            ));
        }
        // Of more than have names nobody knows how many can be sold.
        let all = told.causes.get(cause).copied().unwrap_or(0);
        let count = if sells.len() < KEPT { zero.len() as u64 } else { all };
        if zero.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.too_many(asked, measured, count, told.shop_has) {
            told.notes.push(format!("{count} pairs that only the shop has are not set to 0: {why}"));
            return Ok(());
        }
        if !run.mends {
            told.notes.push(format!("{} pairs that only the shop has would be set to 0", zero.len()));
            return Ok(());
        }
        for (pair, _) in &zero {
            say(lines, pair, "zeroed", told);
        }
        self.append_zero(run, asked, zero.into_iter().map(|(_, fed)| fed).collect(), told).await
    }

    /// Why it is not done until a person has said so.
    fn too_many(&self, asked: &Checking, measured: bool, count: u64, shop_has: u64) -> Option<String> {
        if asked.accepts.is_some() {
            return None;
        }
        let why = if measured {
            guard(shop_has, shop_has.saturating_sub(count), self.floor_percent).err()?;
            format!("they are more than {} % of what the shop has", 100 - self.floor_percent)
        } else {
            "there is no earlier snapshot by which this one could be measured; the next check does it"
                .to_owned()
        };
        let (flow, shop) = (&self.scope.flow, &self.scope.shop);
        Some(format!(
            "{why}. Where the source is whole, say so: tidegate reconcile inventory --flow {flow} --shop {shop} \
             --accept-smaller \"YOUR NAME: why so many are gone\""
        ))
    }

    async fn append_zero(
        &self,
        run: &Run,
        asked: &Checking,
        zero: Vec<Fed>,
        told: &mut StockChecked,
    ) -> Result<(), CheckError> {
        let (scope, count) = (&self.scope, zero.len() as u64);
        let now = scope.clock.now().wall;
        let by = asked.accepts.clone().unwrap_or_else(|| By::hub("only_in_shop = \"zero\" of its flow", now));
        run.may().await?;
        let mut facts = zero.into_iter().map(|fed| scope.fact(fed, Via::Backfill)).peekable();
        while facts.peek().is_some() {
            scope.store.append(facts.by_ref().take(CHUNK).collect()).await?;
        }
        told.appended += count;
        told.notes.push(format!("{count} pairs that only the shop has are set to 0"));
        let entry = AuditEntry {
            at: now,
            who: by.who,
            action: "zero_only_in_shop".to_owned(),
            target: format!("{}, shop {}: {count} pairs that only the shop has", scope.flow, scope.shop),
            why: by.why,
            count,
        };
        Ok(scope.store.audit(entry).await?)
    }

    /// A level of nothing, where the source has one location that is shown there, and nothing else is made of the SKU.
    fn nothing_of(
        &self,
        sku: &str,
        shown_at: &str,
        heard: &Heard,
        places: &BTreeMap<String, String>,
    ) -> Option<Meant> {
        let (topic, location) = (heard.topic.as_ref()?, heard.one(shown_at)?);
        let now = self.scope.clock.now().wall;
        let level = json!({
            "sku": sku, "location": location, "on_hand": "0", "changed_at": now.to_string(), MARK: true,
        });
        let meant = self.meant(fed_as(topic, 0, level.to_string().into_bytes()), places).ok()?;
        let facts = &self.scope.facts;
        let is_alone = facts.composes(&meant.subject).is_none() && facts.kin(&meant.subject).is_none();
        // What a mapping makes of it may be another pair.
        (is_alone && meant.location == shown_at && meant.sku == sku).then_some(meant)
    }

    async fn fates(&self, chunk: Vec<Meant>) -> Result<Vec<((String, String), Fate)>, WorkError> {
        let looked = self.looked(&self.scope.call(), &chunk).await?;
        let fates = chunk.into_iter().zip(&looked).map(|(meant, looked)| {
            let pair = (meant.sku.clone(), meant.location.clone());
            let agrees = matches!(looked.plan, Ok(Step::Done(_)));
            (pair, if agrees { Fate::Settled } else { fate(meant.fed, &looked.known) })
        });
        Ok(fates.collect())
    }

    /// Whether what was delivered last of a pair is such a level.
    pub(super) async fn was_zeroed(&self, known: &SubjectStatus) -> Result<bool, WorkError> {
        let Some(delivery) = &known.delivery else { return Ok(false) };
        let payload = self.scope.store.delivery_payload(delivery.id).await?;
        let read = payload.and_then(|payload| serde_json::from_slice::<Value>(&payload).ok());
        Ok(read.is_some_and(|level| level[MARK] == true))
    }
}

/// Under the number that its source told last: the next one that it tells is newer.
fn fate(fed: Fed, known: &SubjectStatus) -> Fate {
    match known.delivery.as_ref().map(|delivery| &delivery.state) {
        Some(DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. }) => {
            return Fate::Stands("under_way");
        }
        Some(DeliveryState::Dead) => return Fate::Stands("dead_letter"),
        _ => {}
    }
    match &known.routed {
        None => Fate::Zero(fed),
        Some(EffectiveVersion::Sequence { sequence }) => Fate::Zero(Fed { sequence: *sequence, ..fed }),
        Some(_) => Fate::Left,
    }
}

fn say(
    lines: &mut BTreeMap<(String, String), Difference>,
    pair: &(String, String),
    why: &str,
    told: &mut StockChecked,
) {
    *told.whys.entry(why.to_owned()).or_default() += 1;
    if let Some(line) = lines.get_mut(pair) {
        line.why = Some(why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_that_two_of_the_source_or_something_composed_is_shown_at_is_nobodys_alone() {
        let mut heard = Heard::default();
        let of = |all: &[Option<&str>]| all.iter().map(|one| one.map(str::to_owned)).collect::<BTreeSet<_>>();
        heard.at.insert("one".to_owned(), of(&[Some("WH-1")]));
        heard.at.insert("two".to_owned(), of(&[Some("WH-2"), Some("WH-3")]));
        heard.at.insert("pool".to_owned(), of(&[None]));
        heard.at.insert("both".to_owned(), of(&[None, Some("WH-4")]));
        let one = |at: &str| heard.one(at).map(str::to_owned);
        assert_eq!(one("one"), Some("WH-1".to_owned()));
        assert_eq!((one("two"), one("pool"), one("both"), one("nowhere")), (None, None, None, None));
    }
}
