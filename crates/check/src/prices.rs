//! Whether what `[prices]` says can be so: the shops that it names, the callers' tokens, and the system that makes prices when
//! it is asked. What a price is, and whether a load is right, is judged when it is loaded.

use crate::judge::Judge;
use config::{Code, Finding, LivePrices, Origin, Prices, SecretRef};
use kernel::flow::duration_text;
use pricing::goods::Goods;
use std::collections::BTreeMap;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    let Some(prices) = &judge.config.prices else { return };
    let shops = prices.storefront.iter().flat_map(|storefront| &storefront.shops);
    for shop in shops.flat_map(|shops| &shops.value) {
        judge.refers("shops", shop.value.as_str(), &shop.origin, "prices.storefront.shops");
    }
    callers(judge, prices);
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
