//! What somebody wrote by hand where another system's word counts, and a person is asked about: whether it stands or is undone.
//! Owns the open questions of one flow at one shop, and what a decision does. Until one is made nothing is written; the owner's
//! next change of the same thing settles it, because it is delivered like any other.

use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::id::{FlowName, ShopId};
use kernel::subject::Subject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::log::NewEnvelope;
use store::operate::{AuditEntry, By};
use store::{Store, StoreError};
use tokio::sync::Mutex;

/// So many are open of one flow at one shop; what is found beyond is asked about once there is room.
pub const QUESTIONS_MAX: usize = 1_000;
/// So many that were decided are remembered beside them; what is found beyond is asked about anew.
const DECIDED_MAX: usize = 10_000;
/// One that decides at a time. Of other processes it is seen afterwards whether they came in between.
static DECIDING: Mutex<()> = Mutex::const_new(());
/// A decision that another process wrote over is written again so often.
const TRIES: u32 = 5;

/// One thing that was written by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// Without the shop: `ats:SKU-0001@WH-1`.
    pub path: String,
    pub sku: String,
    pub location: String,
    /// What it is to be, and what was found instead.
    pub wanted: i64,
    pub has: i64,
    /// The source's number of what is wanted: with another one it is another question.
    pub sequence: i64,
    /// When it was found.
    pub seen_at: Timestamp,
    /// When Shopify says that the quantity was changed last; not by whom: it does not say.
    pub changed_at: Option<Timestamp>,
    /// Shopify's own page, where a person sees by whom.
    pub history_url: Option<String>,
    pub decided: Option<Decided>,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub stands: bool,
    pub who: String,
    pub why: String,
    pub at: Timestamp,
}

impl ByHand {
    /// The same question: nothing happened there since.
    fn is_same(&self, other: &Self) -> bool {
        (&self.path, self.has, self.sequence) == (&other.path, other.has, other.sequence)
    }
}

/// Decisions of one flow at one shop, by path. They stand apart from what is asked, which a check writes while a person decides: neither
/// writes over the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Decisions(BTreeMap<String, Decision>);

/// On what was found there, with the source's word of then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Decision {
    has: i64,
    sequence: i64,
    #[serde(flatten)]
    decided: Decided,
}

impl Decision {
    fn is_on(&self, asked: &ByHand) -> bool {
        (self.has, self.sequence) == (asked.has, asked.sequence) && self.decided.at >= asked.seen_at
    }
}

/// The questions of one flow at one shop, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questions(pub BTreeMap<String, ByHand>);

/// Why nothing was decided.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecideError {
    #[error("nothing is asked about {0}: it was decided, or the source changed it since")]
    NotAsked(String),
    #[error("the log no longer has what the source said of {0}: a backfill of the SKU reads it anew")]
    Gone(Subject),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Questions {
    /// # Errors
    /// The store's.
    pub async fn load(store: &dyn Store, flow: &FlowName, shop: &ShopId) -> Result<Self, StoreError> {
        let mut asked: Self = read(store, &name(flow, shop)).await?;
        for (path, decision) in Decisions::load(store, flow, shop).await?.0 {
            let Some(one) = asked.0.get_mut(&path).filter(|one| decision.is_on(one)) else { continue };
            if decision.decided.stands {
                one.decided = Some(decision.decided);
            } else {
                // It was undone: found again, it is asked anew.
                asked.0.remove(&path);
            }
        }
        Ok(asked)
    }

    async fn save(&self, store: &dyn Store, flow: &FlowName, shop: &ShopId) -> Result<(), StoreError> {
        // Plain data always serialises.
        let text = serde_json::to_string(self).unwrap_or_default();
        store.set_cursor(&name(flow, shop), &text).await
    }

    /// Those that nobody has decided.
    pub fn open(&self) -> impl Iterator<Item = &ByHand> {
        self.0.values().filter(|one| one.decided.is_none())
    }
}

impl Decisions {
    async fn load(store: &dyn Store, flow: &FlowName, shop: &ShopId) -> Result<Self, StoreError> {
        read(store, &decided_name(flow, shop)).await
    }

    /// Beside those of others, as far as these are on what is still asked.
    async fn add(
        store: &dyn Store,
        (flow, shop): (&FlowName, &ShopId),
        path: &str,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let asked: Questions = read(store, &name(flow, shop)).await?;
            let mut all = Self::load(store, flow, shop).await?;
            all.0.retain(|path, decision| asked.0.get(path).is_some_and(|asked| decision.is_on(asked)));
            all.0.insert(path.to_owned(), decision.clone());
            // Plain data always serialises.
            let text = serde_json::to_string(&all).unwrap_or_default();
            store.set_cursor(&decided_name(flow, shop), &text).await?;
            if Self::load(store, flow, shop).await?.0.get(path) == Some(decision) {
                break;
            }
        }
        Ok(())
    }
}

async fn read<T: Default + DeserializeOwned>(store: &dyn Store, name: &str) -> Result<T, StoreError> {
    let text = store.cursor(name).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn name(flow: &FlowName, shop: &ShopId) -> String {
    format!("by_hand/{flow}/{shop}")
}

fn decided_name(flow: &FlowName, shop: &ShopId) -> String {
    format!("by_hand/{flow}/{shop}/decided")
}

/// All that a check found to be written by hand takes the place of what was asked before; what is asked still keeps what was
/// decided. Returns how many are asked for the first time.
///
/// # Errors
/// The store's.
pub async fn ask(
    store: &dyn Store,
    flow: &FlowName,
    shop: &ShopId,
    found: Vec<ByHand>,
) -> Result<u64, StoreError> {
    let before = Questions::load(store, flow, shop).await?;
    let (mut now, mut new) = (Questions::default(), 0);
    let (mut open, mut decided) = (0, 0);
    for one in found {
        let known = before.0.get(&one.path).filter(|known| known.is_same(&one)).cloned();
        let is_new = known.is_none();
        let one = known.unwrap_or(one);
        // What was decided takes the room of no question.
        let (taken, most) = match one.decided {
            None => (&mut open, QUESTIONS_MAX),
            Some(_) => (&mut decided, DECIDED_MAX),
        };
        if *taken < most {
            *taken += 1;
            new += u64::from(is_new);
            now.0.insert(one.path.clone(), one);
        }
    }
    now.save(store, flow, shop).await?;
    Ok(new)
}

/// What a person says of one: it stands until the source changes the pair, or what the source said last is brought again.
///
/// # Errors
/// Nothing is asked, or it cannot be undone.
pub async fn decide(
    store: &dyn Store,
    flow: &FlowName,
    shop: &ShopId,
    path: &str,
    stands: bool,
    by: &By,
) -> Result<ByHand, DecideError> {
    let _one_at_a_time = DECIDING.lock().await;
    let mut questions = Questions::load(store, flow, shop).await?;
    let asked = questions.0.remove(path).filter(|one| one.decided.is_none());
    let mut one = asked.ok_or_else(|| DecideError::NotAsked(format!("{shop}/{path}")))?;
    let (who, why, at) = (by.who.clone(), by.why.clone(), by.at);
    let decided = Decided { stands, who, why, at };
    one.decided = Some(decided.clone());
    if !stands {
        let subject = Subject { shop: shop.clone(), path: path.to_owned() };
        let life = store.life(shop, subject.root()).await?;
        let newest = store::newest_state(store, &life, flow, &subject).await?;
        let (envelope, payload) = newest.ok_or(DecideError::Gone(subject))?;
        store.append(vec![NewEnvelope::again(envelope, payload, Via::Backfill, at)]).await?;
    }
    // A clock that was put back does not put a decision before its question.
    let decided = Decided { at: at.max(one.seen_at), ..decided };
    let decision = Decision { has: one.has, sequence: one.sequence, decided };
    Decisions::add(store, (flow, shop), path, &decision).await?;
    let action = if stands { "accept_by_hand" } else { "revert_by_hand" };
    let target = format!("{flow}, {shop}/{path}: {} by hand, where the source says {}", one.has, one.wanted);
    let entry = AuditEntry {
        at,
        who: by.who.clone(),
        action: action.to_owned(),
        target,
        why: by.why.clone(),
        count: 1,
    };
    store.audit(entry).await?;
    Ok(one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::MemoryStore;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn found(sku: &str, has: i64, sequence: i64) -> ByHand {
        ByHand {
            path: format!("ats:{sku}@WH-1"),
            sku: sku.to_owned(),
            location: "WH-1".to_owned(),
            wanted: 7,
            has,
            sequence,
            seen_at: at(1),
            changed_at: None,
            history_url: None,
            decided: None,
        }
    }

    #[tokio::test]
    async fn what_was_decided_is_not_asked_again_until_something_happens_there() {
        let store = MemoryStore::new();
        let (flow, shop) = (FlowName::new("stock").unwrap(), ShopId::new("acme").unwrap());
        let by = By { who: "Ada".to_owned(), why: "counted".to_owned(), at: at(5) };
        let ask = |found| ask(&store, &flow, &shop, found);
        assert_eq!(ask(vec![found("A", 99, 1), found("B", 5, 1)]).await, Ok(2));
        let path = "ats:A@WH-1";
        let decided = decide(&store, &flow, &shop, path, true, &by).await.unwrap();
        assert!(decided.decided.is_some_and(|decided| decided.stands && decided.who == "Ada"));
        let again = decide(&store, &flow, &shop, path, false, &by).await;
        assert!(matches!(again, Err(DecideError::NotAsked(_))), "{again:?}");

        // The next check finds both: one is decided, the other still open.
        assert_eq!(ask(vec![found("A", 99, 1), found("B", 5, 1)]).await, Ok(0));
        let questions = Questions::load(&store, &flow, &shop).await.unwrap();
        assert_eq!(questions.open().map(|one| one.sku.as_str()).collect::<Vec<_>>(), ["B"]);
        // Another quantity, or another word of the source, is another question.
        assert_eq!(ask(vec![found("A", 98, 1), found("B", 5, 2)]).await, Ok(2));
        assert_eq!(ask(Vec::new()).await, Ok(0));
        assert_eq!(Questions::load(&store, &flow, &shop).await.unwrap(), Questions::default());
        // What cannot be undone stays asked.
        assert_eq!(ask(vec![found("A", 98, 1)]).await, Ok(1));
        let gone = decide(&store, &flow, &shop, path, false, &by).await;
        assert!(matches!(gone, Err(DecideError::Gone(_))), "{gone:?}");
        assert_eq!(Questions::load(&store, &flow, &shop).await.unwrap().open().count(), 1);
        assert_eq!(store.audit_entries(10).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_check_that_writes_what_it_found_takes_no_decision_away() {
        let store = MemoryStore::new();
        let (flow, shop) = (FlowName::new("stock").unwrap(), ShopId::new("acme").unwrap());
        let by = By { who: "Ada".to_owned(), why: "counted".to_owned(), at: at(5) };
        let both = || vec![found("A", 99, 1), found("B", 5, 1)];
        ask(&store, &flow, &shop, both()).await.unwrap();
        // The check has read what is asked before the person decides, and writes it after that.
        let read = Questions::load(&store, &flow, &shop).await.unwrap();
        decide(&store, &flow, &shop, "ats:A@WH-1", true, &by).await.unwrap();
        read.save(&store, &flow, &shop).await.unwrap();
        let questions = Questions::load(&store, &flow, &shop).await.unwrap();
        assert_eq!(questions.open().map(|one| one.sku.as_str()).collect::<Vec<_>>(), ["B"]);
        decide(&store, &flow, &shop, "ats:B@WH-1", true, &by).await.unwrap();
        assert_eq!(ask(&store, &flow, &shop, both()).await, Ok(0));
        assert_eq!(Questions::load(&store, &flow, &shop).await.unwrap().open().count(), 0);
        // Gone, and typed anew later: that is another question, though it is the same quantity.
        ask(&store, &flow, &shop, Vec::new()).await.unwrap();
        let later = ByHand { seen_at: at(9), ..found("A", 99, 1) };
        assert_eq!(ask(&store, &flow, &shop, vec![later]).await, Ok(1));
        assert_eq!(Questions::load(&store, &flow, &shop).await.unwrap().open().count(), 1);
    }

    #[tokio::test]
    async fn what_was_decided_takes_the_room_of_no_question() {
        let store = MemoryStore::new();
        let (flow, shop) = (FlowName::new("stock").unwrap(), ShopId::new("acme").unwrap());
        let by = By { who: "Ada".to_owned(), why: "counted".to_owned(), at: at(5) };
        let all = |count| (0..count).map(|number| found(&format!("S-{number:04}"), 1, 1)).collect::<Vec<_>>();
        assert_eq!(ask(&store, &flow, &shop, all(QUESTIONS_MAX + 2)).await, Ok(QUESTIONS_MAX as u64));
        for sku in ["S-0000", "S-0001"] {
            decide(&store, &flow, &shop, &format!("ats:{sku}@WH-1"), true, &by).await.unwrap();
        }
        assert_eq!(ask(&store, &flow, &shop, all(QUESTIONS_MAX + 2)).await, Ok(2));
        let questions = Questions::load(&store, &flow, &shop).await.unwrap();
        assert_eq!((questions.open().count(), questions.0.len()), (QUESTIONS_MAX, QUESTIONS_MAX + 2));
    }
}
