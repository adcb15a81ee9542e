//! The share of orders that a person touched: the figure by which triage is judged (goal: under 0.1 %).

use super::Watched;
use kernel::subject::Subject;
use serde::Serialize;
use std::collections::BTreeSet;
use store::query::DeliveryFilter;
use store::{Store, StoreError};

/// Counted over the newest deliveries of each export.
const DELIVERIES_MAX: usize = 2000;
const PAGE: u32 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Touched {
    /// The newest orders that were looked at.
    pub orders: u64,
    /// Released, skipped or sent again by a person.
    pub by_hand: u64,
    /// Released by triage alone.
    pub by_triage: u64,
    /// Found by the sweep: their webhook was missed.
    pub swept: u64,
}

impl Touched {
    /// In ten-thousandths, so that 0.1 % is 10.
    pub fn per_10_000(&self) -> Option<u64> {
        (self.orders > 0).then(|| self.by_hand.saturating_mul(10_000).div_ceil(self.orders))
    }
}

pub(super) async fn touched(store: &dyn Store, watched: &Watched) -> Result<Touched, StoreError> {
    let mut touched = Touched::default();
    for (flow, _) in watched.exports() {
        let mut subjects: BTreeSet<Subject> = BTreeSet::new();
        let mut seen = 0;
        let mut filter = DeliveryFilter { flow: Some(flow.clone()), limit: PAGE, ..Default::default() };
        while seen < DELIVERIES_MAX {
            let page = store.deliveries(filter.clone()).await?;
            seen += page.len();
            filter.before = page.last().map(|delivery| delivery.id);
            let full = page.len() >= PAGE as usize;
            subjects.extend(page.into_iter().map(|delivery| delivery.subject));
            if !full {
                break;
            }
        }
        let subjects: Vec<Subject> = subjects.into_iter().collect();
        for status in store.status(flow, &subjects).await? {
            touched.orders += 1;
            touched.by_hand += u64::from(status.hands);
            touched.by_triage += u64::from(status.released && !status.hands);
            touched.swept += u64::from(status.swept);
        }
    }
    Ok(touched)
}
