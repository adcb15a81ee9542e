//! What was written, read back: some prices of many price lists in few calls, because each call has to go there and back.

use super::patience::Shop;
use super::read::{gid, plain_price};
use crate::graphql::OPEN_PRICES;
use domains::prices::{ARRAY_MAX, Held};
use kernel::fault::Fault;
use kernel::money::Currency;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Lists, or parts of them, that the document asks for at a time.
const SLOTS: usize = 20;

/// Some variants of one list.
pub(super) struct Asked {
    pub(super) list: u64,
    pub(super) currency: Currency,
    pub(super) variants: BTreeSet<u64>,
}

/// As many variants to a question as a page has prices.
pub(super) fn queries(of: &BTreeSet<u64>) -> Vec<Value> {
    let of: Vec<u64> = of.iter().copied().collect();
    let one = |some: &[u64]| {
        let terms: Vec<String> = some.iter().map(|variant| format!("variant_id:{variant}")).collect();
        Value::from(terms.join(" OR "))
    };
    of.chunks(ARRAY_MAX).map(one).collect()
}

impl Shop<'_> {
    /// By list; those without any price of them are there too.
    pub(super) async fn open_prices(&self, asked: &[Asked]) -> Result<BTreeMap<u64, Held>, Fault> {
        let mut held: BTreeMap<u64, Held> = asked.iter().map(|one| (one.list, Held::new())).collect();
        let parts: Vec<(&Asked, Value)> = asked
            .iter()
            .flat_map(|one| queries(&one.variants).into_iter().map(move |query| (one, query)))
            .collect();
        for some in parts.chunks(SLOTS) {
            let mut variables = Map::new();
            for slot in 0..SLOTS {
                // A slot that is not used has to name a list all the same.
                let (one, query) = some.get(slot).unwrap_or(&some[0]);
                variables.insert(format!("l{slot}"), gid("PriceList", one.list).into());
                variables.insert(format!("u{slot}"), (slot < some.len()).into());
                if slot < some.len() {
                    variables.insert(format!("q{slot}"), query.clone());
                }
            }
            let mut reply = self.read(&OPEN_PRICES, &Value::Object(variables)).await?;
            for (slot, (one, _)) in some.iter().enumerate() {
                let nodes = reply.data.pointer_mut(&format!("/p{slot}/prices/nodes")).map(Value::take);
                // A list that is gone by now has no prices; the next round makes it anew.
                let Some(Value::Array(nodes)) = nodes else { continue };
                let held = held.entry(one.list).or_default();
                for node in nodes {
                    held.extend([plain_price(node, one.currency)?]);
                }
            }
        }
        Ok(held)
    }
}
