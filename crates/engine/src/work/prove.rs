//! `prove`: accounts for every order that the source has for a day. What was exported is counted and added up again
//! from the source and from the target; only the reasons come from the hub.

mod amounts;

pub use amounts::{Amounts, Because, Differing, Sum};

use super::{Progress, Scope, WorkError};
use amounts::AtTarget;
use connector::port::{CallContext, Connector, Held, ListBy, Listed, Observed, Stage, Wanted};
use jiff::Timestamp;
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::ObjectKey;
use kernel::money::MoneyBag;
use serde::Serialize;
use std::sync::Arc;
use store::delivery::{DeliveryState, Outcome};
use store::query::SubjectStatus;
use tokio::task::JoinSet;

/// One order and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    pub subject: String,
    pub label: String,
    pub fate: Fate,
    /// How many objects the target has under its key; absent when it could not be asked.
    pub at_target: Option<u64>,
    pub hands: bool,
    pub released: bool,
    pub swept: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    Exported {
        number: Option<String>,
    },
    Waiting {
        reason: String,
    },
    Dead {
        code: String,
        message: String,
    },
    Filtered {
        rule: String,
    },
    /// The log has never heard of it: the next sweep will.
    Unheard,
    /// Skipped by a person, redacted.
    Closed {
        how: String,
    },
}

/// The whole day.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Proof {
    pub source: u64,
    pub exported: u64,
    pub waiting: u64,
    pub dead: u64,
    pub filtered: u64,
    pub unheard: u64,
    pub closed: u64,
    /// Exported by the hub's word, and the target has none.
    pub lost: u64,
    /// The target has more than one.
    pub doubled: u64,
    /// Not exported by the hub's word, and the target has one.
    pub unclaimed: u64,
    pub hands: u64,
    pub released: u64,
    pub swept: u64,
    pub amounts: Amounts,
    pub accounts: Vec<Account>,
}

impl Proof {
    /// Every order is accounted for, and the target agrees, also about what each comes to.
    pub fn holds(&self) -> bool {
        self.lost == 0
            && self.doubled == 0
            && self.unclaimed == 0
            && self.unheard == 0
            && self.amounts.wrong == 0
    }
}

/// Walks the orders that were created in a span. `difference` is the flow's: what it accepts is no discrepancy.
pub async fn prove(
    scope: &Scope,
    target: &Arc<dyn Connector>,
    difference: &Difference,
    from: Timestamp,
    until: Timestamp,
    progress: &dyn Progress,
) -> Result<Proof, WorkError> {
    let mut proof = Proof::default();
    let totals = target.descriptor().orders.lists_totals;
    if !totals {
        proof.amounts.counts_only.insert(scope.flow.clone());
    }
    let mut cursor = None;
    loop {
        let page = scope.list(ListBy::CreatedAt, from, Some(until), cursor, totals).await?;
        let subjects: Vec<_> = page.items.iter().map(|item| item.subject.clone()).collect();
        let known = scope.store.status(&scope.flow, &subjects).await?;
        for (items, known) in page.items.chunks(AT_ONCE).zip(known.chunks(AT_ONCE)) {
            let told = ask(scope, target, totals, items, known).await;
            for ((item, known), told) in items.iter().zip(known).zip(told) {
                let fate = fate(known);
                if totals {
                    let (at_target, charged) = (told.at_target(), told.charged);
                    proof.amounts.add(item, charged, at_target, &settled(known, &fate), difference);
                }
                proof.add(item, known, fate, told.count);
            }
            if !progress.at(proof.source, 0) {
                return Err(WorkError::Stopped);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(proof);
        }
    }
}

/// Of so many orders both sides are asked at once: a day of thousands is proved in minutes, and a target that serves
/// the live orders meanwhile is not flooded.
const AT_ONCE: usize = 8;

/// What both sides tell about one order.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    /// How many objects the target has; absent when it could not be asked.
    count: Option<u64>,
    held: Option<Held>,
    charged: Option<MoneyBag>,
}

impl Told {
    fn at_target(&self) -> AtTarget {
        match self.count {
            Some(0) => AtTarget::None,
            Some(1) => AtTarget::One(self.held),
            _ => AtTarget::Untold,
        }
    }
}

/// What is told about each of these, in their order.
async fn ask(
    scope: &Scope,
    target: &Arc<dyn Connector>,
    totals: bool,
    items: &[Listed],
    known: &[SubjectStatus],
) -> Vec<Told> {
    let mut told = vec![Told::default(); items.len()];
    // Whoever stops waiting stops the questions too: a set that is dropped ends its tasks.
    let mut asked = JoinSet::new();
    for (index, (item, known)) in items.iter().zip(known).enumerate() {
        let (scope, target, item, wanted) =
            (scope.clone(), target.clone(), item.clone(), wanted(item, known));
        asked.spawn(async move {
            let (count, held) = observe(&scope.call(), target.as_ref(), &wanted).await;
            let charged = if totals { charged(&scope, &item).await } else { None };
            (index, Told { count, held, charged })
        });
    }
    while let Some(answer) = asked.join_next().await {
        if let Ok((index, answer)) = answer {
            told[index] = answer;
        }
    }
    told
}

async fn observe(call: &CallContext, target: &dyn Connector, wanted: &Wanted) -> (Option<u64>, Option<Held>) {
    let Ok(observation) = target.observe(call, wanted).await else { return (None, None) };
    match &observation.object {
        Observed::None => (Some(0), None),
        Observed::One(_) => (Some(1), target.held(&observation)),
        Observed::Many(ids) => (Some(ids.len() as u64), None),
    }
}

/// As the list tells it; where the list cannot, the order is read.
async fn charged(scope: &Scope, item: &Listed) -> Option<MoneyBag> {
    if item.charged.is_some() {
        return item.charged;
    }
    let read = scope.read(item).await.ok()??;
    let state = scope.facts.read(&read.topic, &read.payload).ok()?;
    scope.facts.charged(&state)
}

/// As the amounts see it: an order that is there, and of which a person skipped the newest state, differs by decision.
fn settled(known: &SubjectStatus, fate: &Fate) -> Fate {
    match known.delivery.as_ref().map(|delivery| &delivery.state) {
        Some(DeliveryState::Ended(Outcome::Skipped { who, why })) => {
            Fate::Closed { how: format!("skipped by {who}: {why}") }
        }
        _ => fate.clone(),
    }
}

/// Asks for the object key alone; nothing of the hub's knowledge goes into the question but the link, where a target
/// can only be asked by it.
fn wanted(item: &Listed, known: &SubjectStatus) -> Wanted {
    Wanted {
        subject: item.subject.clone(),
        object_key: ObjectKey::of(&item.subject),
        body: serde_json::Value::Null,
        stage: Stage::Present,
        after_confirm: AfterConfirm::default(),
        difference: Difference::default(),
        known: known.external.as_ref().map(|external| connector::port::ExternalRef {
            id: external.id.clone(),
            number: external.number.clone(),
            state: external.state.clone(),
        }),
        also_known_as: Vec::new(),
    }
}

impl Proof {
    fn add(&mut self, item: &Listed, known: &SubjectStatus, fate: Fate, at_target: Option<u64>) {
        self.source += 1;
        let exported = matches!(fate, Fate::Exported { .. });
        match &fate {
            Fate::Exported { .. } => self.exported += 1,
            Fate::Waiting { .. } => self.waiting += 1,
            Fate::Dead { .. } => self.dead += 1,
            Fate::Filtered { .. } => self.filtered += 1,
            Fate::Unheard => self.unheard += 1,
            Fate::Closed { .. } => self.closed += 1,
        }
        match at_target {
            Some(0) if exported => self.lost += 1,
            Some(1) if !exported && matches!(fate, Fate::Filtered { .. } | Fate::Unheard) => {
                self.unclaimed += 1
            }
            Some(2..) => self.doubled += 1,
            _ => {}
        }
        self.hands += u64::from(known.hands);
        self.released += u64::from(known.released);
        self.swept += u64::from(known.swept);
        self.accounts.push(Account {
            subject: item.subject.to_string(),
            label: item.label.clone(),
            fate,
            at_target,
            hands: known.hands,
            released: known.released,
            swept: known.swept,
        });
    }
}

/// What the hub says became of it.
fn fate(known: &SubjectStatus) -> Fate {
    let Some(delivery) = &known.delivery else {
        return match (&known.external, &known.about) {
            (Some(external), _) => Fate::Exported { number: external.number.clone() },
            (None, Some(_)) => Fate::Waiting { reason: "routing".to_owned() },
            (None, None) => Fate::Unheard,
        };
    };
    let number = known.external.as_ref().and_then(|external| external.number.clone());
    match &delivery.state {
        DeliveryState::Waiting { wait, .. } | DeliveryState::Unknown { wait, .. } => {
            Fate::Waiting { reason: wait.to_string() }
        }
        DeliveryState::Dead => {
            let (code, message) = known
                .fault
                .as_ref()
                .map_or_else(Default::default, |fault| (fault.code.clone(), fault.message.clone()));
            Fate::Dead { code, message }
        }
        DeliveryState::Ended(Outcome::Filtered { rule }) => Fate::Filtered { rule: rule.clone() },
        DeliveryState::Ended(Outcome::Skipped { who, why }) if number.is_none() => {
            Fate::Closed { how: format!("skipped by {who}: {why}") }
        }
        DeliveryState::Ended(Outcome::Redacted) if known.external.is_none() => {
            Fate::Closed { how: "redacted".to_owned() }
        }
        DeliveryState::Ended(_) => Fate::Exported { number },
    }
}
