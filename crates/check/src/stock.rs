//! The rules of a flow of stock: what is kept back, units, bundles, which locations are one, and which are divided. What is wrong with
//! one is said by the domain that reads it.

mod levels;
mod places;

use crate::judge::Judge;
use config::{Code, Finding, Flow, OnlyInShop, Origin, Setting, Source, Spot};
use domains::inventory::bundles::Bundles;
use domains::inventory::drop::LineFault;
use domains::inventory::outlets::Outlets;
use domains::inventory::pools::Pools;
use domains::inventory::{RuleFault, Rules};
use kernel::id::FlowName;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows() {
        if flow.domain.as_str() == "inventory" {
            levels::judge(judge, name, flow);
            rules(judge, name, flow);
            whole(judge, name, flow);
            only_in_shop(judge, name, flow);
            if let Some(jitter) = &flow.stock.full_check_jitter {
                let key = format!("flows.{name}.stock.full_check_jitter");
                crate::cadence::jitters(judge, key, "full check", jitter, flow.stock.full_check.as_ref());
            }
        } else {
            means_nothing(judge, name, flow);
        }
    }
}

fn rules(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let rules = match Rules::parse(&texts(&flow.stock.safety), &texts(&flow.stock.units)) {
        Ok(rules) => rules,
        Err(faults) => return tell(judge, name, flow, &faults),
    };
    let pools = match Pools::parse(&texts(&flow.stock.locations)) {
        Ok(pools) => pools,
        Err(faults) => {
            tell(judge, name, flow, &faults);
            Pools::default()
        }
    };
    let outlets = match Outlets::parse(&texts(&flow.stock.outlets), &pools) {
        Ok(outlets) => outlets,
        Err(faults) => {
            tell(judge, name, flow, &faults);
            Outlets::default()
        }
    };
    places::judge(judge, name, flow, &pools, &outlets);
    let rules = rules.with_pools(pools).with_outlets(outlets);
    let bundles = bundles(judge, name, flow, &rules);
    let are_known = bundles.is_some();
    let bundled = rules.with_bundles(Arc::new(bundles.unwrap_or_default()), &texts(&flow.stock.bundle_share));
    match bundled {
        Ok(rules) => {
            // Of bundles that cannot be read nobody knows what they would say.
            let mut idle = rules.without_effect();
            idle.retain(|fault| are_known || fault.list == "safety" || fault.list == "outlets");
            tell_of(judge, name, flow, Code::Policy, &idle);
        }
        Err(faults) => tell(judge, name, flow, &faults),
    }
    if flow.stock.bundles.is_none() && flow.stock.bundle_share.origin != Origin::Default {
        let (at, key) = (&flow.stock.bundle_share.origin, format!("flows.{name}.stock.bundle_share"));
        let help = "name the file of bundles, as in bundles = \"mappings/bundles.csv\", or take it out";
        judge.finding(Code::Policy, at, key, "stock.bundle_share means nothing without stock.bundles", help);
    }
}

/// A full check of a source that cannot say all that it has would fail each time.
fn whole(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let source = &flow.source.value;
    // A system that is unknown or damaged is another rule's.
    if judge.descriptor(source).is_none_or(|descriptor| descriptor.tells_whole) {
        return;
    }
    let stock = &flow.stock;
    let zero = (stock.only_in_shop.value == OnlyInShop::Zero).then_some(&stock.only_in_shop.origin);
    let written =
        [("full_check", stock.full_check.as_ref().map(|check| &check.origin)), ("only_in_shop", zero)];
    for (key, at) in written {
        let Some(at) = at else { continue };
        let message = format!(
            "stock.{key} of flow {name} needs a source that can be asked for all that it has, and {source} cannot"
        );
        let help = format!(
            "for a stock feed, set url in [systems.{source}.connection] (GET /stock/snapshot), or beside its folder how files of all that \
             there is are called, as in snapshot = \"full-*.csv\"; or take {key} out"
        );
        judge.finding(Code::NotServed, at, format!("flows.{name}.stock.{key}"), message, help);
    }
}

/// A check that only tells sets nothing to 0.
fn only_in_shop(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let (policy, mends) = (&flow.stock.only_in_shop, &flow.stock.full_check_mends);
    if policy.value == OnlyInShop::Zero && flow.stock.full_check.is_some() && !mends.value {
        let message = format!("flow {name} sets what only the shop has to 0, and its full check only tells");
        let help = "take full_check_mends = false out, or write only_in_shop = \"report\"";
        let finding = Finding::new(Code::Policy, &policy.origin, message, help);
        let finding = finding.key(format!("flows.{name}.stock.only_in_shop"));
        judge.push(finding.related("the other of the two", &mends.origin));
    }
}

fn tell(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, faults: &[RuleFault]) {
    tell_of(judge, name, flow, Code::Value, faults);
}

fn tell_of(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, code: Code, faults: &[RuleFault]) {
    for fault in faults {
        let list = match fault.list {
            "units" => &flow.stock.units,
            "bundle_share" => &flow.stock.bundle_share,
            "locations" => &flow.stock.locations,
            "outlets" => &flow.stock.outlets,
            _ => &flow.stock.safety,
        };
        let at = list.value.get(fault.index).map_or(&list.origin, |rule| &rule.origin);
        let (message, help) =
            fault.message.split_once("; ").unwrap_or((fault.message.as_str(), "correct the rule"));
        judge.finding(code, at, format!("flows.{name}.stock.{}", fault.list), message, help);
    }
}

fn texts(list: &Setting<Vec<Setting<String>>>) -> Vec<String> {
    list.value.iter().map(|text| text.value.clone()).collect()
}

/// Other flows of stock that take the same source's levels for the same shop.
fn others_of_the_same<'a>(
    judge: &Judge<'a>,
    name: &'a FlowName,
    flow: &'a Flow,
) -> impl Iterator<Item = (&'a FlowName, &'a Flow)> {
    judge.flows().filter(move |(other, of)| {
        *other != name
            && of.domain.as_str() == "inventory"
            && of.source.value == flow.source.value
            && of.shares_shops_with(flow)
    })
}

/// What a flow's file of bundles says, where it can be read.
fn bundles(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, rules: &Rules) -> Option<Bundles> {
    let file = flow.stock.bundles.as_ref()?;
    let key = format!("flows.{name}.stock.bundles");
    one_file(judge, name, flow, file, &key);
    let mapping = judge.mapping(name);
    for field in ["bundles", "parts"] {
        if mapping.is_some_and(|mapping| !mapping.rules.iter().any(|rule| rule.to.starts_with(field))) {
            let message = format!("the flow has bundles, and its mapping does not write {field}");
            let help = "take the rules for bundle_share, bundles and parts from mappings/stock_to_shopify.toml: without them the \
                        same units would be sold by themselves and in bundles";
            judge.finding(Code::Policy, &file.origin, key.clone(), message, help);
        }
    }
    let text = match judge.inputs.bundles.get(name.as_str())? {
        Ok(text) => text,
        Err(error) => {
            let message = format!("{} cannot be read: {error}", file.value.display());
            let help = "write a CSV file whose first line is bundle,component,quantity";
            judge.finding(Code::Value, &file.origin, key, message, help);
            return None;
        }
    };
    match Bundles::parse(text, rules) {
        Ok(bundles) => Some(bundles),
        Err(refused) => {
            let text = String::from_utf8_lossy(text);
            let source = Source::new(file.value.display().to_string(), text.clone().into_owned());
            for fault in &refused.faults {
                let at = Origin::File(Spot::new(&source, place(&text, fault)));
                let (message, help) =
                    fault.problem.split_once("; ").unwrap_or((fault.problem.as_str(), "correct the row"));
                judge.finding(Code::Value, &at, key.clone(), message, help);
            }
            None
        }
    }
}

/// What is composed of one source's levels goes to all of its flows: they have to mean the same bundles.
fn one_file(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, file: &Setting<PathBuf>, key: &str) {
    let same = |other: &Flow| {
        let path = other.stock.bundles.as_ref().map(|path| &path.value);
        path == Some(&file.value) && texts(&other.stock.units) == texts(&flow.stock.units)
    };
    let other = others_of_the_same(judge, name, flow).find(|(_, of)| !same(of));
    if let Some((other, _)) = other {
        let message =
            format!("flows.{other} takes the stock of the same system for the same shop by other bundles");
        let help = "give both flows the same bundles and units, or each a shop of its own";
        judge.finding(Code::Policy, &file.origin, key.to_owned(), message, help);
    }
}

/// Where in a file.
fn place(text: &str, fault: &LineFault) -> Range<usize> {
    let index = usize::try_from(fault.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let column = usize::try_from(fault.column.saturating_sub(1)).unwrap_or(0);
    let within = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    let cell = line[within..].find([',', ';', '\t']).unwrap_or(line.len() - within);
    start + within..start + within + cell
}

fn means_nothing(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let stock = &flow.stock;
    let lists = [
        ("safety", &stock.safety),
        ("units", &stock.units),
        ("bundle_share", &stock.bundle_share),
        ("locations", &stock.locations),
        ("outlets", &stock.outlets),
    ];
    let lists = lists.into_iter().map(|(key, list)| (key, list.origin.clone()));
    let bundles = stock.bundles.iter().map(|file| ("bundles", file.origin.clone()));
    let policy = [("only_in_shop", stock.only_in_shop.origin.clone())];
    let full_check = stock.full_check.iter().map(|check| ("full_check", check.origin.clone()));
    let jitter = stock.full_check_jitter.iter().map(|jitter| ("full_check_jitter", jitter.origin.clone()));
    for (key, origin) in lists.chain(bundles).chain(policy).chain(full_check).chain(jitter) {
        if origin != Origin::Default {
            let message = format!("stock.{key} means nothing to a flow of {}", flow.domain.as_str());
            let help = "take it out, or move it to a flow of inventory";
            judge.finding(Code::Policy, &origin, format!("flows.{name}.stock.{key}"), message, help);
        }
    }
}
