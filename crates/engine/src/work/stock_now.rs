//! What a shop has this moment of pairs of stock, beside what the log knows of them: for whoever is asked why both differ. Owns the
//! form of the answer and its words, which are those of the full check; who asks the shop is the wiring's.

use async_trait::async_trait;
use jiff::Timestamp;
use kernel::id::{FlowName, ShopId};
use kernel::subject::Subject;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

/// Of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct StockNow {
    pub answered: Answered,
    /// Why the shop did not answer, or what is amiss with what it has: there is no such SKU.
    pub problem: Option<String>,
    /// What the shop has; absent also where it has not the item there.
    pub available: Option<i64>,
    /// Sold by this shop, and not shipped yet.
    pub committed: Option<i64>,
    /// Of these, what is held back; absent for a bundle, whose components have it each.
    pub in_flight: Option<i64>,
    /// What `available` is to be, by what the source said last and what was sold since.
    pub to_show: Option<i64>,
    /// Since when the shop has it, by its own word.
    pub since: Option<Timestamp>,
    /// The shop's own page, where a person sees by whom.
    pub history_url: Option<String>,
    /// Why they differ: `missed`, `under_way`, `dead_letter` or `changed_in_shop`; absent: they agree, or nobody knows.
    pub why: Option<&'static str>,
    /// From what is available at the source to what the shop has, a line for each term.
    pub terms: Vec<String>,
}

/// Whether the shop was asked, and did answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    #[default]
    NotAsked,
    Unreachable,
    Answered,
}

impl StockNow {
    /// Nobody asked.
    #[must_use]
    pub fn not_asked(why: &str) -> Self {
        Self { problem: Some(why.to_owned()), ..Self::default() }
    }

    /// It was asked, and gave no answer in time.
    #[must_use]
    pub fn unreachable(why: impl Into<String>) -> Self {
        Self { answered: Answered::Unreachable, problem: Some(why.into()), ..Self::default() }
    }
}

/// Asks one shop, for one flow.
#[async_trait]
pub trait LooksNow: Send + Sync + Debug {
    /// One answer for each, in their order, within some seconds: what cannot be had in time is said, and is no failure.
    async fn now(&self, subjects: &[Subject]) -> Vec<StockNow>;
}

/// A pair that is asked about: by which flow, and who asks its shop, if anybody can.
pub type Asked<'a> = (&'a FlowName, &'a Subject, Option<&'a Arc<dyn LooksNow>>);

/// Of each, in their order; all of one flow and shop in one question. `offline`: nobody is asked.
pub async fn look(all: &[Asked<'_>], offline: bool) -> Vec<StockNow> {
    let why = if offline { "it was not to be asked" } else { "nothing here can ask it" };
    let mut nows = vec![StockNow::not_asked(why); all.len()];
    let mut together: BTreeMap<(&FlowName, &ShopId), Vec<usize>> = BTreeMap::new();
    for (place, (flow, subject, _)) in all.iter().enumerate().filter(|_| !offline) {
        together.entry((flow, &subject.shop)).or_default().push(place);
    }
    for places in together.values() {
        let Some((_, _, Some(looks))) = places.first().and_then(|place| all.get(*place)) else { continue };
        let subjects: Vec<Subject> = places.iter().map(|place| all[*place].1.clone()).collect();
        for (place, now) in places.iter().zip(looks.now(&subjects).await) {
            nows[*place] = now;
        }
    }
    nows
}

/// Why a pair differs, as a person reads it.
#[must_use]
pub fn why_words(why: &str) -> &str {
    match why {
        "missed" => "never came",
        "under_way" => "under way",
        "dead_letter" => "dead: see `tidegate dead-letters`",
        "changed_in_shop" => "changed in the shop by somebody else",
        "settled" => "agree by now",
        "sequence_back" => "the source counts anew",
        "zeroed" => "set to 0",
        other => other,
    }
}
