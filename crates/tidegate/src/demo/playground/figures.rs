//! How everything stands while somebody plays: counted from the shop and from the ERP's own books, never from the hub; of the hub only
//! what it says of itself. Whether anything is lost only a ledger can say that is taken at rest: until then it is on its way.

use super::super::ledger::Ledger;
use super::super::play::{Played, is_exportable, reference};
use super::super::stage::{Stage, now, open_work};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use twin::shop::Trap;

/// Of so many orders that came last the lag is told.
const LAG_OF: usize = 100;

const ANSWERS_WITHIN: Duration = Duration::from_millis(800);

/// All that the page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Figures {
    pub(super) placed: u64,
    /// Of those, the ones that are in the ERP's books.
    pub(super) in_books: u64,
    /// To be there, and not there yet.
    pub(super) on_their_way: u64,
    /// How long the oldest of them has been, in seconds.
    pub(super) oldest_s: u64,
    /// Of those on their way, the ones with an item that the ERP does not know.
    pub(super) unknown_item: u64,
    /// Orders that no ERP will ever take: a person's.
    pub(super) poisoned: u64,
    /// Not to be there: tests, what was called off before, what is not paid.
    pub(super) not_to_be: u64,
    /// More than one sale of one order, now.
    pub(super) doubled: u64,
    pub(super) lag_p50_ms: Option<u64>,
    pub(super) lag_p99_ms: Option<u64>,
    pub(super) webhook_requests: u64,
    pub(super) webhook_copies: u64,
    pub(super) webhooks_never_sent: u64,
    pub(super) kills: u32,
    pub(super) freezes: u32,
    pub(super) hub: Hub,
    /// Orders keep coming.
    pub(super) steady: bool,
    /// Taken when nothing was on its way.
    pub(super) ledger: Option<Taken>,
}

/// What the hub says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Hub {
    pub(super) answers: bool,
    /// Of the ERP: `closed` is well.
    pub(super) breaker: String,
    pub(super) dead_letters: u64,
    pub(super) open_work: u64,
}

/// The whole account of every order, as the demo ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Taken {
    pub(super) at: Timestamp,
    pub(super) orders: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) dead: u64,
    pub(super) holds: bool,
    pub(super) wrong: Vec<String>,
}

impl Taken {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let counts = &ledger.counts;
        Self {
            at: now(),
            orders: counts.sent,
            lost: counts.lost,
            doubled: counts.doubled,
            dead: counts.dead,
            holds: ledger.holds(),
            wrong: ledger.wrong.clone(),
        }
    }
}

impl Hub {
    fn of(status: Option<&Value>) -> Self {
        let Some(status) = status else { return Self::default() };
        let list = |name: &str| status[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let erp = list("systems").iter().find(|system| system["name"] == "erp");
        // A node that has not called it yet does not know.
        let breaker = erp.and_then(|erp| erp["running"]["breaker"].as_str()).unwrap_or("unknown").to_owned();
        let dead_letters = list("dead_letters").iter().filter_map(|group| group["count"].as_u64()).sum();
        Self { answers: true, breaker, dead_letters, open_work: open_work(status) }
    }
}

impl Figures {
    /// As it is now; the ledger that was taken last stays.
    pub(super) async fn look(&mut self, stage: &Stage, played: &Played) {
        // One that is frozen takes the question and never answers.
        let status = tokio::time::timeout(ANSWERS_WITHIN, stage.ground.status()).await;
        let status = status.ok().and_then(Result::ok);
        let webhooks = stage.ground.shop.stats().webhooks;
        let at = now();
        let (orders, sales) = (stage.ground.shop.orders(), stage.erp.sales());
        let mut first: BTreeMap<&str, Timestamp> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for sale in &sales {
            if first.insert(&sale.content.reference, sale.created_at).is_some() {
                twice.insert(sale.content.reference.as_str());
            }
        }
        let (mut books, mut way, mut unknown, mut poisoned, mut other, mut oldest) = (0, 0, 0, 0, 0, 0);
        let mut lags = Vec::new();
        for order in &orders {
            if let Some(there) = first.get(reference(order.id).as_str()) {
                books += 1;
                if let Some(from) = played.exportable.get(&order.id) {
                    lags.push((*there, millis(*from, *there)));
                }
            } else if played.poison.contains(&order.id) {
                poisoned += 1;
            } else if !is_exportable(order) {
                other += 1;
            } else {
                way += 1;
                unknown += u64::from(order.traps.contains(&Trap::UnknownSku));
                let since = played.exportable.get(&order.id).map_or(0, |from| millis(*from, at) / 1_000);
                oldest = oldest.max(since);
            }
        }
        lags.sort_unstable();
        let mut last: Vec<u64> = lags.iter().rev().take(LAG_OF).map(|(_, lag)| *lag).collect();
        last.sort_unstable();
        *self = Self {
            placed: orders.len() as u64,
            in_books: books,
            on_their_way: way,
            oldest_s: oldest,
            unknown_item: unknown,
            poisoned,
            not_to_be: other,
            doubled: twice.len() as u64,
            lag_p50_ms: at_share(&last, 50),
            lag_p99_ms: at_share(&last, 99),
            webhook_requests: webhooks.attempts,
            webhook_copies: webhooks.duplicates + webhooks.copies + webhooks.stale,
            webhooks_never_sent: webhooks.never_sent,
            kills: stage.ground.hub.kills(),
            freezes: stage.ground.hub.freezes,
            hub: Hub::of(status.as_ref()),
            steady: self.steady,
            ledger: self.ledger.take(),
        };
    }

    /// Nothing is under way that the hub knows of, nor any webhook: what is not in the books now has a reason, or is lost.
    pub(super) fn at_rest(&self, stage: &Stage) -> bool {
        self.hub.answers && self.hub.open_work == 0 && stage.ground.shop.webhook_counts().borrow().open == 0
    }
}

fn at_share(sorted: &[u64], percent: usize) -> Option<u64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}

fn millis(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hub_that_does_not_answer_says_so_and_one_that_does_how_the_erp_is_to_it() {
        assert_eq!(Hub::of(None), Hub::default());
        let status = json!({
            "systems": [
                { "name": "shopify", "running": { "breaker": "closed" }, "due": 0, "unknown": 0 },
                { "name": "erp", "running": { "breaker": "open" }, "due": 3, "unknown": 1 },
            ],
            "dead_letters": [{ "count": 2 }, { "count": 5 }],
            "log": { "unrouted": 1 }, "in_work": 2,
        });
        let hub = Hub::of(Some(&status));
        let wanted = Hub { answers: true, breaker: "open".to_owned(), dead_letters: 7, open_work: 7 };
        assert_eq!(hub, wanted);
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!(at_share(&[], 50), None);
        assert_eq!(at_share(&[7], 99), Some(7));
        assert_eq!(at_share(&[1, 2, 3, 4], 50), Some(3));
    }
}
