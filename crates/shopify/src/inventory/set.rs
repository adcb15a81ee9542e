//! Many frozen members in one call of Shopify's. Owns their order, the call's key, and whose an answer is.
//!
//! Shopify takes all members or none. So a refusal that names some is theirs; for the others nothing was done and
//! nothing is wrong, and they come again at once in another call.

use super::code;
use super::config::Config;
use super::seen::{AllKin, Level, Seen, among};
use crate::graphql::{Claim, Reply, SET_STOCK, ShopClient, frozen};
use connector::port::{Applied, CallContext};
use kernel::fault::{Fault, FaultKind};
use kernel::key::{CallKey, hex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// Shopify's bound for the entries of an array.
const MEMBERS_MAX: usize = 250;

/// One level to be set, and what its caller calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) index: usize,
    pub(super) key: &'a CallKey,
    pub(super) level: Level,
    pub(super) quantity: i64,
    /// What shares its units, as it was seen when this was decided.
    pub(super) kin: AllKin,
}

type Answer = (usize, Result<Applied, Fault>);

pub(super) async fn many(
    client: &ShopClient,
    config: &Config,
    call: &CallContext,
    mut members: Vec<Member<'_>>,
) -> Vec<Answer> {
    // By what they are and not by who came first: the same members are the same call.
    members.sort_by(|one, other| order(one).cmp(&order(other)));
    let (mut sent, mut answers): (Vec<Member<'_>>, Vec<Answer>) = (Vec::new(), Vec::new());
    for member in members {
        // Shopify refuses a pair that stands twice in a call; the second is then stale and is looked at again.
        let twice = sent.last().is_some_and(|before| pair(&before.level) == pair(&member.level));
        match twice || sent.len() >= MEMBERS_MAX {
            true => answers.push((member.index, Err(for_another()))),
            false => sent.push(member),
        }
    }
    if sent.is_empty() {
        return answers;
    }
    let body = frozen(&SET_STOCK, &variables(config, &sent));
    match client.send_many(call, Claim::STOCK, &SET_STOCK, body).await {
        Err(fault) => answers.extend(sent.iter().map(|member| (member.index, Err(fault.clone())))),
        Ok(reply) if reply.user_errors.is_empty() => {
            let changes = changes(&reply);
            answers.extend(sent.iter().map(|member| (member.index, applied(member, &changes))));
        }
        Ok(reply) => answers.extend(refused(&sent, reply)),
    }
    answers
}

fn pair(level: &Level) -> (&str, &str) {
    (&level.item, &level.location)
}

fn order<'a>(member: &'a Member<'_>) -> (&'a str, &'a str, &'a CallKey) {
    let (item, location) = pair(&member.level);
    (item, location, member.key)
}

fn variables(config: &Config, members: &[Member<'_>]) -> Value {
    let quantity = |member: &Member<'_>| {
        json!({
            "inventoryItemId": member.level.item,
            "locationId": member.level.location,
            "quantity": member.quantity,
            "changeFromQuantity": member.level.available,
        })
    };
    // Shopify shows the first part of such an id beside the change in the item's history.
    let document = members.first().map(|first| format!("gid://tidegate/Call/{}", first.key));
    json!({
        "input": {
            "name": "available",
            "reason": config.reason,
            "referenceDocumentUri": document,
            "quantities": members.iter().map(quantity).collect::<Vec<_>>(),
        },
        "key": key(members.iter().map(|member| member.key)),
    })
}

/// One key for the members' keys, in the form that Shopify recommends: a UUID (version 8, RFC 9562).
pub(super) fn key<'a>(keys: impl Iterator<Item = &'a CallKey>) -> String {
    let mut hash = Sha256::new();
    for key in keys {
        hash.update((key.as_str().len() as u64).to_be_bytes());
        hash.update(key.as_str());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// What each pair is now, of those that the answer names.
fn changes(reply: &Reply) -> BTreeMap<(String, String), Option<i64>> {
    let changes = reply.data.pointer("/inventorySetQuantities/inventoryAdjustmentGroup/changes");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let change = |change: &Value| {
        let pair = (text(&change["item"]["id"])?, text(&change["location"]["id"])?);
        (change["name"] == "available").then(|| (pair, change["quantityAfterChange"].as_i64()))
    };
    changes.and_then(Value::as_array).into_iter().flatten().filter_map(change).collect()
}

/// Without an error all were set. One that the answer does not name, or names with another quantity, is looked up.
fn applied(member: &Member<'_>, changes: &BTreeMap<(String, String), Option<i64>>) -> Result<Applied, Fault> {
    let (level, quantity) = (&member.level, member.quantity);
    let shown = match changes.get(&(level.item.clone(), level.location.clone())) {
        Some(after) => after.is_none_or(|after| after == quantity),
        // Shopify names no pair whose quantity stays.
        None => level.available == quantity,
    };
    if !shown {
        let what = format!(
            "Shopify's answer does not show {:?} at {} as it was set: it will be looked up",
            level.sku, level.location
        );
        return Err(Fault::new(FaultKind::Ambiguous, code::NOT_SHOWN, what));
    }
    // An order changes both, and then the call is stale; a fulfilment lowers what is committed alone, and has the pair
    // looked at again by itself.
    let level = Level { available: quantity, ..level.clone() };
    let external = level.external();
    let observation = among(Seen::Level(level), true, None, member.kin.clone());
    Ok(Applied { external: Some(external), observation: Some(observation) })
}

fn refused(members: &[Member<'_>], reply: Reply) -> Vec<Answer> {
    let count = reply.user_errors.len();
    let mut own: Vec<Option<Fault>> = vec![None; members.len()];
    let mut of_all = None;
    for error in reply.user_errors {
        let place = error.field.as_deref().and_then(place).filter(|place| *place < members.len());
        match place {
            Some(place) => {
                let what = format!("{:?} at {}", members[place].level.sku, members[place].level.location);
                own[place].get_or_insert_with(|| error.fault(&what, 1));
            }
            None => {
                of_all.get_or_insert_with(|| error.fault("the stock levels", count));
            }
        }
    }
    let faults = members.iter().zip(own);
    let rest = || of_all.clone().unwrap_or_else(for_another);
    faults.map(|(member, own)| (member.index, Err(own.unwrap_or_else(rest)))).collect()
}

/// `3` of `input.quantities.3.changeFromQuantity`.
fn place(field: &str) -> Option<usize> {
    let mut parts = field.split('.').skip_while(|part| *part != "quantities").skip(1);
    parts.next()?.parse().ok()
}

pub(super) fn for_another() -> Fault {
    let what = "Shopify takes all or none, and another stock level of the same call was refused: this one goes again at \
                once";
    Fault::new(FaultKind::Throttled, code::FOR_ANOTHER, what).retry_after(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_s_key_is_that_of_its_members() {
        let keys = ["tg-1-7-1", "tg-2-8-1"].map(|key| CallKey(key.to_owned()));
        let one = key(keys.iter());
        assert_eq!(one, key(keys.iter()));
        assert_ne!(one, key(keys.iter().rev()));
        assert_ne!(one, key(keys.iter().take(1)));
        let joined = CallKey("tg-1-7-1tg-2-8-1".to_owned());
        assert_ne!(one, key([&joined].into_iter()));
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!((parts, &one[14..15]), (vec![8, 4, 4, 4, 12], "8"));
    }

    #[test]
    fn an_error_names_its_member() {
        for (field, expected) in [
            ("input.quantities.3.changeFromQuantity", Some(3)),
            ("quantities.0", Some(0)),
            ("input.quantities", None),
            ("input.reason", None),
            ("input.quantities.x", None),
        ] {
            assert_eq!(place(field), expected, "{field}");
        }
    }
}
