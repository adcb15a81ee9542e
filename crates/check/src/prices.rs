//! Whether what `[prices]` says can be so: the shops that it names, the callers' tokens, when catalogs are written, and the system that makes prices when
//! it is asked. What a price is, and whether a load is right, is judged when it is loaded.

use crate::judge::Judge;
use config::{
    Code, Finding, Hydration, LivePrices, Origin, PriceFrom, PriceHydration, PriceMode, PriceOrigin, Prices,
    SecretRef, Setting,
};
use kernel::flow::duration_text;
use pricing::goods::Goods;
use std::collections::BTreeMap;

/// The connector whose systems tell price lists.
const TELLS_PRICES: &str = "tryton";

pub(crate) fn judge(judge: &mut Judge<'_>) {
    let Some(prices) = &judge.config.prices else { return };
    let shops = prices.storefront.iter().flat_map(|storefront| &storefront.shops);
    for shop in shops.flat_map(|shops| &shops.value) {
        judge.refers("shops", shop.value.as_str(), &shop.origin, "prices.storefront.shops");
    }
    callers(judge, prices);
    if let Some(hydrate) = &prices.hydrate {
        hydrated(judge, hydrate);
    }
    sources(judge, prices);
    if let Some(live) = &prices.live {
        skus(judge, live);
        waits(judge, live);
    }
}

/// Who asked could not be told.
fn callers(judge: &mut Judge<'_>, prices: &Prices) {
    let mut seen: BTreeMap<&SecretRef, (&str, &Origin)> = BTreeMap::new();
    for (name, caller) in &prices.callers {
        let token = &caller.bearer_token;
        let Some((first, at)) = seen.insert(&token.value, (name, &token.origin)) else { continue };
        let message = format!("callers {first} and {name} have one token");
        let help = "give each its own: who changed a price is told by it";
        let finding = Finding::new(Code::Value, &token.origin, message, help);
        judge.push(finding.key(format!("prices.callers.{name}.bearer_token")).related("the other", at));
    }
}

/// Each list has one source, and each source a place that can be asked.
fn sources(judge: &mut Judge<'_>, prices: &Prices) {
    let mut before: Vec<(&str, &Setting<String>)> = Vec::new();
    for (name, source) in &prices.sources {
        let key = |key: &str| format!("prices.sources.{name}.{key}");
        for list in &source.lists.value {
            let other = before
                .iter()
                .find(|(of, other)| *of != name && config::lists_overlap(&list.value, &other.value));
            if let Some((of, other)) = other {
                let message =
                    format!("{:?} of {name} and {:?} of {of} mean a list in common", list.value, other.value);
                let help = "give each list to one source: two would write over each other's prices";
                let finding = Finding::new(Code::Value, &list.origin, message, help);
                judge.push(finding.key(key("lists")).related("the other", &other.origin));
            }
            before.push((name, list));
        }
        if source.lists.value.is_empty() {
            let help = "name lists or how their ids begin, as in [\"ERP-*\"]";
            let what = format!("{name} owns no list: whatever it told would be refused");
            judge.finding(Code::Value, &source.lists.origin, key("lists"), what, help);
        }
        place(judge, name, source);
        snapshot(judge, name, source);
    }
}

fn place(judge: &mut Judge<'_>, name: &str, source: &PriceFrom) {
    if let PriceOrigin::Unclear(written) = &source.origin {
        let message = match written.as_slice() {
            [] => format!("{name} does not say where its prices are asked for"),
            several => format!("{name} has {}: prices come from one place", several.join(" and ")),
        };
        let help = "write one of system, url and folder; for another place make a source of its own";
        judge.finding(Code::Value, &source.at, format!("prices.sources.{name}"), message, help);
        return;
    }
    let is_system = matches!(source.origin, PriceOrigin::System(_));
    if let PriceOrigin::System(system) = &source.origin {
        let key = format!("prices.sources.{name}.system");
        judge.refers("systems", system.value.as_str(), &system.origin, &key);
        if let Some(configured) = judge.system(&system.value).filter(|of| of.connector.value != TELLS_PRICES)
        {
            let message =
                format!("{} is a {}, which tells no price lists", system.value, configured.connector.value);
            let help = "name a system whose connector is tryton, or ask a feed (url) or a folder";
            judge.finding(Code::Value, &system.origin, key, message, help);
        }
    }
    let party = Some(("party", &source.party.origin)).filter(|(_, at)| **at != Origin::Default);
    let default_list = source.default_list.as_ref().map(|list| ("default_list", &list.origin));
    for (key, at) in party.into_iter().chain(default_list).filter(|_| !is_system) {
        let message = format!("{key} means nothing without system");
        let help = "leave it out: a feed and a folder bring prices, and the terms say whose they are";
        judge.finding(Code::Value, at, format!("prices.sources.{name}.{key}"), message, help);
    }
    let party = &source.party;
    let is_known =
        party.value == "code" || party.value.strip_prefix("identifier:").is_some_and(|of| !of.is_empty());
    if !is_known {
        let message = format!("party cannot be {:?}", party.value);
        let help =
            "write \"code\", or \"identifier:\" and the type of identifier, as in \"identifier:eu_vat\"";
        judge.finding(Code::Value, &party.origin, format!("prices.sources.{name}.party"), message, help);
    }
}

/// A second cadence is for what changes alone do not tell.
fn snapshot(judge: &mut Judge<'_>, name: &str, source: &PriceFrom) {
    let Some(snapshot) = &source.snapshot else { return };
    let why = match (&source.origin, source.mode.value) {
        (PriceOrigin::Folder(_), _) => "a folder is not asked for more than lies in it",
        (_, PriceMode::Lists | PriceMode::All) => "with this mode each time is a snapshot",
        (_, PriceMode::Changes) => return,
    };
    let help = "leave snapshot out, or write mode = \"changes\" for a system or a feed";
    let message = format!("snapshot means nothing here: {why}");
    judge.finding(Code::Value, &snapshot.origin, format!("prices.sources.{name}.snapshot"), message, help);
}

fn skus(judge: &mut Judge<'_>, live: &LivePrices) {
    const KEY: &str = "prices.live.skus";
    let skus: Vec<&str> = live.skus.value.iter().map(|sku| sku.value.as_str()).collect();
    if skus.is_empty() {
        let help = "name SKUs or how they begin, as in [\"CFG-*\"], or leave [prices.live] out";
        judge.finding(
            Code::Value,
            &live.skus.origin,
            KEY,
            "skus names none: nothing would ever be asked",
            help,
        );
    } else if let Err((place, problem)) = Goods::parse(&skus) {
        let at = live.skus.value.get(place).map_or(&live.skus.origin, |sku| &sku.origin);
        judge.finding(Code::Value, at, KEY, problem, "write SKUs, or how they begin, as in [\"CFG-*\"]");
    }
}

/// A wait that is longer than what it waits for is a slip of the pen.
fn waits(judge: &mut Judge<'_>, live: &LivePrices) {
    let pairs = [
        ("deadline", &live.deadline, "request_timeout", &live.request_timeout),
        ("fresh", &live.fresh, "stale", &live.stale),
    ];
    for (short, shorter, long, longer) in pairs {
        if shorter.value <= longer.value {
            continue;
        }
        let (is, most) = (duration_text(shorter.value), duration_text(longer.value));
        let message = format!("{short} is {is}, longer than {long}, which is {most}");
        let help = format!("write {short} up to \"{most}\", or {long} from \"{is}\" on");
        let finding = Finding::new(Code::Value, &shorter.origin, message, help);
        judge.push(finding.key(format!("prices.live.{short}")).related(long, &longer.origin));
    }
}

fn hydrated(judge: &mut Judge<'_>, hydrate: &PriceHydration) {
    const KEY: &str = "prices.hydrate";
    for shop in hydrate.shops.iter().flat_map(|shops| &shops.value) {
        judge.refers("shops", shop.value.as_str(), &shop.origin, "prices.hydrate.shops");
    }
    // Where every shop goes by its own, the rest is for nobody.
    cadences(judge, &hydrate.all, KEY);
    for (shop, own) in &hydrate.of {
        let key = format!("{KEY}.shop.{shop}");
        judge.refers("shops", shop.as_str(), &own.at, &key);
        cadences(judge, own, &key);
    }
}

/// A price list that is named twice would be written twice.
fn markets(judge: &mut Judge<'_>, of: &Hydration, key: &str) {
    let lists = of.markets.iter().flat_map(|markets| &markets.value);
    let mut seen: BTreeMap<&str, &Origin> = BTreeMap::new();
    for list in lists {
        let Some(first) = seen.insert(&list.value.name, &list.origin) else { continue };
        let message = format!("the price list {:?} is named twice", list.value.name);
        let help = "leave one of them out: a price list has one currency";
        let finding = Finding::new(Code::Value, &list.origin, message, help);
        judge.push(finding.key(format!("{key}.markets")).related("the other", first));
    }
}

/// A run that compares with all that the shop has does what the other does too: two that come together are a slip of the pen.
fn cadences(judge: &mut Judge<'_>, of: &Hydration, key: &str) {
    markets(judge, of, key);
    if let Some(lists) = of.lists.as_ref().filter(|lists| lists.value.is_empty()) {
        let help = "name lists of the terms, or leave lists out: then all are brought out";
        judge.finding(Code::Value, &lists.origin, format!("{key}.lists"), "lists names none", help);
    }
    let own =
        [of.after_load.value, of.when_prices_end.value, of.cadence.is_some(), of.against_shop.is_some()];
    if !own.contains(&true) {
        let message =
            "nothing ever begins a run: it has no cadence, and neither loads nor prices that end begin one";
        let help = "write a cadence, or leave the section out: then it is begun by hand alone";
        judge.finding(Code::Value, &of.at, format!("{key}.cadence"), message, help);
    }
    let (Some(every), Some(against)) = (&of.cadence, &of.against_shop) else { return };
    let is_often = match (every.value.span(), against.value.span()) {
        (Some(every), Some(against)) => against <= every,
        _ => every.value == against.value,
    };
    if is_often {
        let message = format!(
            "against_shop comes as often as cadence ({} and {}): every run would read all that the shop has",
            against.value, every.value
        );
        let help =
            "write a rarer against_shop, or leave cadence out: a comparison writes what is wanted as well";
        let finding = Finding::new(Code::Value, &against.origin, message, help);
        judge.push(finding.key(format!("{key}.against_shop")).related("cadence", &every.origin));
    }
}
