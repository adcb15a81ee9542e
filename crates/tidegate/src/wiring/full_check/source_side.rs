//! The source's side of a full check: each state as it is meant at the target, compared with the shop's as it streams past, and what of
//! it differs. Holds nothing but that.

use super::only_shop::Heard;
use super::running::Run;
use super::straight::Figures;
use super::{FullCheck, KEPT, TELL_EVERY, bug};
use api::admin::{CheckError, StockChecked};
use connector::port::{Came, Fed, Stated, Whole};
use domains::inventory::compare::{Cause, Check, InFlight, Shelves, Truth};
use domains::inventory::composed;
use engine::work::{Progress, WorkError};
use kernel::fault::Fault;
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use serde_json::Value;
use std::collections::BTreeMap;

/// A pair of the source, as it is meant at the target.
pub(super) struct Meant {
    pub(super) fed: Fed,
    pub(super) subject: Subject,
    pub(super) body: Value,
    pub(super) sku: String,
    pub(super) location: String,
    pub(super) available: i64,
    pub(super) counted: Option<i64>,
}

impl FullCheck {
    /// The source's side, compared as it streams past; and what of it differs.
    pub(super) async fn source_side(
        &self,
        run: &Run,
        shelves: Shelves,
        places: &BTreeMap<String, String>,
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<(Check, Vec<Fed>, Option<Came>, Heard), CheckError> {
        let of_shop = shelves.len();
        let mut whole = self.whole(run).await?;
        let mut topic = whole.topic();
        let (mut seen, mut come) = (0, Vec::new());
        // How much is held back is the mapping's to say: the first level that it takes has it.
        let mut first = None;
        while first.is_none() {
            come = whole.next().await?;
            topic = whole.topic();
            if come.is_empty() {
                break;
            }
            first = come.iter().find_map(|stated| self.stated(topic, stated, places).ok());
            if first.is_none() {
                seen += come.len() as u64;
                told.unreadable += come.len() as u64;
            }
        }
        let in_flight = first.as_ref().map_or(InFlight::Counted, |meant| in_flight(&meant.body));
        // A million names are put in order: nothing else is to wait for that.
        let sorted = tokio::task::spawn_blocking(move || Check::new(shelves, in_flight, KEPT)).await;
        let mut check = sorted.map_err(|_| bug("the comparison ended by itself"))?;
        let (mut differing, mut heard) = (Differing::default(), Heard::default());
        // The shop's location of each of the source's.
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        let mut tell_at = TELL_EVERY;
        while !come.is_empty() {
            seen += come.len() as u64;
            if seen >= tell_at {
                tell_at = seen + TELL_EVERY;
                if !progress.at(of_shop + seen, of_shop * 2) {
                    return Err(WorkError::Stopped.into());
                }
            }
            let mut short = Vec::with_capacity(come.len());
            for stated in &come {
                // What the short way cannot read the long way says the same of.
                let figures = self.straight.as_ref().and_then(|way| way.figures(&stated.payload).ok());
                if let Some(figures) = figures {
                    if known.contains_key(&figures.location) {
                        short.push((stated, figures));
                        continue;
                    }
                    if let Ok(meant) = self.stated(topic, stated, places) {
                        heard.of(&meant);
                        known.insert(figures.location, meant.location.clone());
                        differing.compared(meant.compared(&mut check, places), topic, stated);
                        continue;
                    }
                } else if let Ok(meant) = self.stated(topic, stated, places) {
                    heard.of(&meant);
                    differing.compared(meant.compared(&mut check, places), topic, stated);
                    continue;
                }
                // A dead letter says why, as soon as it is pushed or read.
                told.unreadable += 1;
            }
            let truths: Vec<Truth<'_>> = short
                .iter()
                .filter_map(|(_, figures)| {
                    let location = known.get(&figures.location)?;
                    let Figures { sku, available, counted, .. } = figures;
                    Some(Truth { sku, location, available: *available, counted: *counted })
                })
                .collect();
            for ((stated, _), cause) in short.iter().zip(check.add_all(&truths)) {
                differing.compared(cause, topic, stated);
            }
            come = whole.next().await?;
            topic = whole.topic();
        }
        Ok((check, differing.all, whole.came(), heard))
    }

    /// All that the source has, from its first state on.
    pub(super) async fn whole(&self, run: &Run) -> Result<Box<dyn Whole>, Fault> {
        let whole = self.scope.source.whole(&self.scope.call(), self.scope.domain.as_str()).await?;
        run.numbers.may_be_taken_up(whole.numbered(), self.pushes)?;
        Ok(whole)
    }

    /// What a state of the whole is meant to be at the target.
    pub(super) fn stated(
        &self,
        topic: &str,
        stated: &Stated,
        places: &BTreeMap<String, String>,
    ) -> Result<Meant, Fault> {
        self.meant(fed(topic, stated), places)
    }

    pub(super) fn meant(&self, mut fed: Fed, places: &BTreeMap<String, String>) -> Result<Meant, Fault> {
        let state = self.scope.facts.read(&fed.topic, &fed.payload)?;
        let (Some(sku), Some(at)) = (state.body["sku"].as_str(), state.body["location"].as_str()) else {
            return Err(bug("a level that was read names no pair"));
        };
        let mut subject = domains::inventory::subject(self.scope.shop.clone(), sku, at);
        if fed.topic == composed::TOPIC {
            let mut family = self.scope.facts.composes(&subject).unwrap_or_default().into_iter();
            let own = |path: &String| {
                let subject = Subject { shop: subject.shop.clone(), path: path.clone() };
                domains::inventory::parts(&subject).is_some_and(|own| own == (sku.to_owned(), at.to_owned()))
            };
            subject.path = family.find(own).ok_or_else(|| bug("what was composed shares no units"))?;
        }
        fed.path.clone_from(&subject.path);
        let body = self
            .mapper
            .map(&state.body, &subject, &ObjectKey::of(&subject), self.scope.clock.now().wall)?
            .body;
        let (sku, at, available) =
            (body["sku"].as_str(), location(&body["location"]), body["available"].as_i64());
        let (Some(sku), Some(at), Some(available)) = (sku, at, available) else {
            return Err(bug("the mapping made no pair"));
        };
        let location = places.get(&at).cloned().unwrap_or(at);
        let (sku, counted) = (sku.to_owned(), body["counted"].as_i64());
        Ok(Meant { fed, subject, sku, location, available, counted, body })
    }
}

/// As a feed would give it; whose it is its reader says. Its payload is its own, so that nothing else is held with it.
pub(super) fn fed(topic: &str, stated: &Stated) -> Fed {
    fed_as(topic, stated.sequence, stated.payload.to_vec())
}

pub(super) fn fed_as(topic: &str, sequence: i64, payload: Vec<u8>) -> Fed {
    Fed { path: String::new(), topic: topic.to_owned(), sequence, payload, change: None }
}

/// What differs, for the second look: of each cause as many as have their names in the report; some hundred bytes each.
#[derive(Default)]
struct Differing {
    all: Vec<Fed>,
    count: BTreeMap<Cause, usize>,
}

impl Differing {
    fn compared(&mut self, cause: Option<Cause>, topic: &str, stated: &Stated) {
        if let Some(cause) = cause {
            self.keep(cause, fed(topic, stated));
        }
    }

    fn keep(&mut self, cause: Cause, fed: Fed) {
        let count = self.count.entry(cause).or_default();
        if *count < KEPT {
            *count += 1;
            self.all.push(fed);
        }
    }
}

impl Meant {
    /// `places`: the shop's locations by name.
    pub(super) fn compared(&self, check: &mut Check, places: &BTreeMap<String, String>) -> Option<Cause> {
        if self.fed.topic != composed::TOPIC {
            return check.add(&self.truth());
        }
        // What shares its units shows what the others leave of them.
        check.add_by(&self.truth(), |own, others| {
            let others = |sku: &str, at: Option<&str>| {
                others(sku, at.map(|name| places.get(name).map_or(name, String::as_str)))
            };
            shopify::inventory::to_show(&self.body, own, &others).unwrap_or(self.available)
        })
    }

    pub(super) fn truth(&self) -> Truth<'_> {
        Truth { sku: &self.sku, location: &self.location, available: self.available, counted: self.counted }
    }
}

pub(super) fn in_flight(body: &Value) -> InFlight {
    match body["in_flight"].as_str() {
        Some("all") => InFlight::All,
        Some("none") => InFlight::None,
        _ => InFlight::Counted,
    }
}

/// By name, by number or by its global id; the last two as the global id.
pub(super) fn location(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_number { format!("gid://shopify/Location/{text}") } else { text })
}
