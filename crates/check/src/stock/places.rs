//! Which locations are one to the shop, and which are divided over several of its own: what the mapping makes of these names, and
//! what other flows of the same levels do.

use super::{others_of_the_same, texts};
use crate::judge::Judge;
use config::{Code, Finding, Flow, Origin, Setting, Spot};
use domains::inventory::outlets::Outlets;
use domains::inventory::pools::Pools;
use kernel::id::FlowName;
use mapping::Word;
use serde_json::Value;
use std::collections::BTreeMap;

type List = Setting<Vec<Setting<String>>>;
/// What the mapping's table of locations makes of each name.
type Words = BTreeMap<String, Word>;

pub(super) fn judge(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, pools: &Pools, outlets: &Outlets) {
    let mapping = judge.mapping(name);
    let location = mapping.and_then(|mapping| mapping.rules.iter().find(|rule| rule.to == "location"));
    let words = location.map(|rule| rule.words.clone()).filter(|words| !words.is_empty());
    if let Some(words) = words {
        let mut told = |list: &List, key: &str, rule: &str, message: String, help: String| {
            let key = format!("flows.{name}.stock.{key}");
            judge.finding(Code::Policy, written(list, rule), key, message, help);
        };
        of_pools(&flow.stock.locations, &words, pools, outlets, &mut told);
        of_outlets(&flow.stock.outlets, &words, outlets, &mut told);
        at_one(judge, name, flow, &words, outlets);
    }
    let writes = |field: &str| {
        mapping.is_none_or(|mapping| mapping.rules.iter().any(|rule| rule.to.starts_with(field)))
    };
    if !outlets.is_empty() && !writes("outlets") {
        let key = format!("flows.{name}.stock.outlets");
        let message = "the flow divides what lies at one location, and its mapping does not write outlets";
        let help = "take the rule for outlets from mappings/stock_to_shopify.toml: without it the same units would be sold at each \
                    of them";
        judge.finding(Code::Policy, &flow.stock.outlets.origin, key, message, help);
    }
    of_others(judge, name, flow);
}

/// Where the rule for a place is written.
fn written<'a>(list: &'a List, place: &str) -> &'a Origin {
    let names =
        |text: &&Setting<String>| text.value.split('=').next().is_some_and(|name| name.trim() == place);
    list.value.iter().find(names).map_or(&list.origin, |text| &text.origin)
}

/// Told of a rule of a list: by the list's key and the place that the rule is for, what is wrong, and what to do.
type Tell<'a> = dyn FnMut(&List, &str, &str, String, String) + 'a;

fn of_pools(list: &List, words: &Words, pools: &Pools, outlets: &Outlets, tell: &mut Tell<'_>) {
    for (pool, sources) in pools.all() {
        // One that is divided is shown at its outlets.
        if !words.contains_key(pool) && outlets.of(pool).is_none() {
            unknown(list, "locations", pool, pool, tell);
        }
        for source in sources.iter().filter(|source| words.contains_key(*source)) {
            let message = format!(
                "{source:?} is shown at {pool:?}, and stands in the mapping's table of locations as well: nothing is set there"
            );
            let help = "take it out of that table, or out of stock.locations".to_owned();
            tell(list, "locations", pool, message, help);
        }
    }
}

fn of_outlets(list: &List, words: &Words, outlets: &Outlets, tell: &mut Tell<'_>) {
    for (place, all) in outlets.all() {
        for outlet in all.iter().filter(|outlet| !words.contains_key(&outlet.location)) {
            unknown(list, "outlets", place, &outlet.location, tell);
        }
        if words.contains_key(place) {
            let message = format!(
                "{place:?} is shown at its outlets, and stands in the mapping's table of locations as well: nothing is set there"
            );
            let help = "take it out of that table, or out of stock.outlets".to_owned();
            tell(list, "outlets", place, message, help);
        }
    }
}

/// Names that the table makes one of the shop's locations: one that shows a part, and another. What the one sets the other takes back.
fn at_one(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, words: &Words, outlets: &Outlets) {
    let Some(mapping) = judge.mapping(name) else { return };
    let is_outlet = |location: &str| outlets.place_of(location).is_some();
    let mut known: BTreeMap<String, Vec<(&String, &Word)>> = BTreeMap::new();
    for (location, word) in words {
        known.entry(one_of_the_shop(&word.value)).or_default().push((location, word));
    }
    let at = |word: &Word| Origin::File(Spot::new(&mapping.source, word.span.clone()));
    for (shown, mut all) in known {
        all.sort_by_key(|(_, word)| word.span.start);
        let Some((first, first_word)) = all.iter().find(|(location, _)| is_outlet(location)).copied() else {
            continue;
        };
        for (other, word) in all.into_iter().filter(|(location, _)| *location != first) {
            let both = if is_outlet(other) { "both are outlets" } else { "the first is an outlet" };
            let message = format!(
                "{first:?} and {other:?} stand for one of the shop's locations, {shown:?}, and {both} of flow {name}: each would set what \
                 the other shows"
            );
            let help =
                "give each outlet a location of its own in this table, or take one out of stock.outlets";
            let finding = Finding::new(Code::Policy, &at(word), message, help)
                .key(format!("flows.{name}.stock.outlets"));
            let finding = finding.related("the other name", &at(first_word));
            judge.push(finding.related("the outlets", &flow.stock.outlets.origin));
        }
    }
}

/// A location of Shopify's as a mapping may write it: by its number, with what stands before it or without, or by its name.
fn one_of_the_shop(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = text.trim();
    text.strip_prefix("gid://shopify/Location/").unwrap_or(text).to_owned()
}

fn unknown(list: &List, key: &str, rule: &str, location: &str, tell: &mut Tell<'_>) {
    let message =
        format!("the mapping's table of locations does not know {location:?}, so nothing of it would be set");
    let help =
        format!("write there which of the shop's locations it is, as in \"{location}\" = \"Warehouse 7\"");
    tell(list, key, rule, message, help);
}

/// What is composed of one source's levels goes to all of its flows: they have to mean the same places.
fn of_others(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let lists = |flow: &Flow| [texts(&flow.stock.locations), texts(&flow.stock.outlets)];
    let own = lists(flow);
    let Some(key) = own.iter().position(|list| !list.is_empty()) else { return };
    let other = others_of_the_same(judge, name, flow).find(|(_, other)| lists(other) != own);
    let Some((other, _)) = other else { return };
    let (key, list) = [("locations", &flow.stock.locations), ("outlets", &flow.stock.outlets)][key];
    let message =
        format!("flows.{other} takes the stock of the same system for the same shop by other {key}");
    let help = format!("give both flows the same {key}, or each a shop of its own");
    let key = format!("flows.{name}.stock.{key}");
    judge.finding(Code::Policy, &list.origin, key, message, help);
}
