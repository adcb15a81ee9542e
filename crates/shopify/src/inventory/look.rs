//! Many pairs of SKU and location, looked at in as few reads as Shopify allows: by the level's id where one is known, else
//! by SKU. A level that is gone, or that is no longer of this pair, is looked for by SKU again: Shopify made the item anew.

use super::places::{Places, similar};
use super::seen::{AllKin, Kin, Level, Seen, alike, among, observation, unreadable};
use super::want::{Want, Where};
use super::{code, find};
use crate::graphql::{Claim, Deadline, STOCK_LEVELS, ShopClient};
use crate::mapped::wrong;
use connector::port::{CallContext, Observation, Observed, Wanted};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One query may ask for 1,000 points, and counted at its dearest a level costs 4.
pub(super) const LEVELS_MAX: usize = 240;
const LEVEL: &str = "gid://shopify/InventoryLevel/";

type Answers = Vec<Option<Result<Observation, Fault>>>;

/// One pair that is asked for.
#[derive(Debug)]
struct Ask<'a> {
    index: usize,
    wanted: &'a Wanted,
    sku: String,
    location: String,
    /// SKUs that share its units.
    kin: Vec<String>,
    /// Other locations that show the same units: as the mapping calls each, and its id.
    elsewhere: Vec<(String, String)>,
}

pub(super) async fn many(
    client: &ShopClient,
    places: &Places,
    call: &CallContext,
    wanted: &[Wanted],
) -> Vec<Result<Observation, Fault>> {
    let deadline = Deadline::new(client, call);
    let mut answers: Answers = vec![None; wanted.len()];
    let asks = match resolved(client, places, &deadline, wanted, &mut answers).await {
        Ok(asks) => asks,
        Err(fault) => return wanted.iter().map(|_| Err(fault.clone())).collect(),
    };
    let (shared, asks): (Vec<_>, Vec<_>) = asks.into_iter().partition(Ask::is_shared);
    with_kin(client, &deadline, &shared, &mut answers).await;
    let (known, mut unknown): (Vec<_>, Vec<_>) = asks.into_iter().partition(|ask| ask.level().is_some());
    for known in known.chunks(LEVELS_MAX) {
        by_id(client, &deadline, known, &mut answers).await;
    }
    unknown.extend(known.into_iter().filter(|ask| answers[ask.index].is_none()));
    by_sku(client, &deadline, &unknown, &mut answers).await;
    let unanswered = || Err(Fault::new(FaultKind::Bug, code::UNSEEN, "a stock level was not looked at"));
    answers.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect()
}

impl Ask<'_> {
    fn is_shared(&self) -> bool {
        !self.kin.is_empty() || !self.elsewhere.is_empty()
    }

    /// Where something of it is looked at.
    fn locations(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.location).chain(self.elsewhere.iter().map(|(_, id)| id)).map(String::as_str)
    }

    /// The level that we set before.
    fn level(&self) -> Option<&str> {
        let id = self.wanted.known.as_ref()?.id.as_str();
        id.starts_with(LEVEL).then_some(id)
    }

    fn answer(&self, answers: &mut Answers, seen: Seen) {
        answers[self.index] = Some(Ok(observation(seen, false, self.wanted.known.as_ref())));
    }
}

/// Each pair with its location's id; those that name none are answered.
async fn resolved<'a>(
    client: &ShopClient,
    places: &Places,
    deadline: &Deadline,
    wanted: &'a [Wanted],
    answers: &mut Answers,
) -> Result<Vec<Ask<'a>>, Fault> {
    let wants: Vec<_> = wanted.iter().map(|wanted| Want::read(&wanted.body)).collect();
    let names: BTreeSet<&str> = wants
        .iter()
        .flatten()
        .flat_map(Want::locations)
        .filter_map(|location| match location {
            Where::Name(name) => Some(name.as_str()),
            Where::Gid(_) => None,
        })
        .collect();
    let places = match names.is_empty() {
        true => None,
        false => Some(places.of(client, deadline, &names).await?),
    };
    let mut asks = Vec::with_capacity(wanted.len());
    for (index, (wanted, want)) in wanted.iter().zip(&wants).enumerate() {
        let (sku, location) = (String::new(), String::new());
        let mut ask = Ask { index, wanted, sku, location, kin: Vec::new(), elsewhere: Vec::new() };
        let Ok(want) = want else {
            // What is wrong with it is the plan's to say.
            ask.answer(answers, Seen::Unreadable);
            continue;
        };
        ask.sku.clone_from(&want.sku);
        ask.kin = want.shared.kin(&want.sku).into_iter().map(str::to_owned).collect();
        let id = |location: &Where| match (location, &places) {
            (Where::Gid(gid), _) => Ok(gid.clone()),
            (Where::Name(name), Some(places)) => places.get(name).cloned().ok_or_else(|| name.clone()),
            (Where::Name(name), None) => Err(name.clone()),
        };
        let others = want.other_locations().map(|other| Ok((other.as_str().to_owned(), id(other)?)));
        let others: Result<Vec<_>, String> = others.collect();
        match (id(&want.location), others) {
            (Ok(location), Ok(others)) => {
                if let Some(two) = two_at_one(want, &location, &others) {
                    answers[index] = Some(Err(two));
                    continue;
                }
                (ask.location, ask.elsewhere) = (location, others);
            }
            // What is shown at a place that the shop does not have nobody knows.
            (Err(name), _) | (_, Err(name)) => {
                let similar = places.as_ref().and_then(|places| similar(places, &name));
                ask.answer(answers, Seen::NoLocation { name, similar });
                continue;
            }
        }
        asks.push(ask);
    }
    Ok(asks)
}

/// By name and by number two may be one: what the one shows the other would set.
fn two_at_one(want: &Want, own: &str, others: &[(String, String)]) -> Option<Fault> {
    let mut all = BTreeMap::from([(own, want.location.as_str())]);
    let two = others.iter().find_map(|(name, id)| Some((all.insert(id, name)?, name)));
    two.map(|(one, other)| {
        let what =
            format!("locations of which each stands there once: {one:?} and {other:?} are one of the shop's");
        wrong(code::BODY, "outlets", &what)
    })
}

/// Answers those whose level is there and is still this pair's.
async fn by_id(client: &ShopClient, deadline: &Deadline, asks: &[Ask<'_>], answers: &mut Answers) {
    let ids: BTreeSet<&str> = asks.iter().filter_map(Ask::level).collect();
    let reply = client.ask_within(deadline, Claim::STOCK, &STOCK_LEVELS, &json!({ "ids": ids })).await;
    let nodes = match &reply {
        Ok(reply) => reply.data.get("nodes").and_then(Value::as_array).ok_or_else(unreadable),
        Err(fault) => Err(fault.clone()),
    };
    let nodes = match nodes {
        Ok(nodes) => nodes,
        Err(fault) => {
            asks.iter().for_each(|ask| answers[ask.index] = Some(Err(fault.clone())));
            return;
        }
    };
    let nodes: BTreeMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((node.get("id")?.as_str()?, node))).collect();
    for ask in asks {
        let Some(node) = ask.level().and_then(|id| nodes.get(id)) else { continue };
        let item = &node["item"];
        if item["sku"].as_str() != Some(&ask.sku) || node["location"]["id"].as_str() != Some(&ask.location) {
            continue;
        }
        match Level::read(node, item, None, &ask.sku) {
            Ok(level) => ask.answer(answers, Seen::Level(level)),
            Err(fault) => answers[ask.index] = Some(Err(fault)),
        }
    }
}

/// Answers all of them.
async fn by_sku(client: &ShopClient, deadline: &Deadline, asks: &[Ask<'_>], answers: &mut Answers) {
    let mut by_location: BTreeMap<&str, Vec<&Ask<'_>>> = BTreeMap::new();
    for ask in asks {
        by_location.entry(&ask.location).or_default().push(ask);
    }
    for (location, asks) in by_location {
        for asks in asks.chunks(find::SKUS_MAX) {
            let skus: BTreeSet<&str> = asks.iter().map(|ask| ask.sku.as_str()).collect();
            match find::stock(client, deadline, &skus, location).await {
                Ok(variants) => {
                    asks.iter()
                        .for_each(|ask| answers[ask.index] = Some(found(ask, &variants, BTreeMap::new())));
                }
                Err(fault) => asks.iter().for_each(|ask| answers[ask.index] = Some(Err(fault.clone()))),
            }
        }
    }
}

/// What the shop has of some SKUs at a location, or why that could not be seen.
type Shelf = Result<Vec<Value>, Fault>;

/// Answers those that share their units, each together with all that it shares them with, wherever they are shown.
async fn with_kin(client: &ShopClient, deadline: &Deadline, asks: &[Ask<'_>], answers: &mut Answers) {
    let mut by_location: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ask in asks {
        for location in ask.locations() {
            let skus = std::iter::once(&ask.sku).chain(&ask.kin).map(String::as_str);
            by_location.entry(location).or_default().extend(skus);
        }
    }
    let mut shelves: BTreeMap<&str, Shelf> = BTreeMap::new();
    for (location, skus) in by_location {
        shelves.insert(location, shelf(client, deadline, location, &skus).await);
    }
    for ask in asks {
        answers[ask.index] = Some(found_among(ask, &shelves));
    }
}

async fn shelf(client: &ShopClient, deadline: &Deadline, location: &str, skus: &BTreeSet<&str>) -> Shelf {
    let skus: Vec<&str> = skus.iter().copied().collect();
    let mut variants = Vec::new();
    for skus in skus.chunks(find::SKUS_MAX) {
        variants.extend(find::stock(client, deadline, &skus.iter().copied().collect(), location).await?);
    }
    Ok(variants)
}

fn found_among(ask: &Ask<'_>, shelves: &BTreeMap<&str, Shelf>) -> Result<Observation, Fault> {
    let shelf = |location: &str| match shelves.get(location) {
        Some(shelf) => shelf.as_deref().map_err(Clone::clone),
        None => Err(Fault::new(FaultKind::Bug, code::UNSEEN, "a location was not looked at")),
    };
    let mut elsewhere = BTreeMap::new();
    for (name, location) in &ask.elsewhere {
        elsewhere.insert(name.clone(), kin(ask, shelf(location)?, location)?);
    }
    found(ask, shelf(&ask.location)?, elsewhere)
}

/// What is shown and sold at a location of each SKU that shares units; nothing of one that the shop has not there. Of several
/// variants with one SKU all counts.
fn kin(ask: &Ask<'_>, variants: &[Value], location: &str) -> Result<BTreeMap<String, Kin>, Fault> {
    let is_kin =
        |sku: &str| ask.kin.iter().any(|kin| kin == sku) || location != ask.location && sku == ask.sku;
    let mut all: BTreeMap<String, Kin> = BTreeMap::new();
    for variant in variants {
        let sku = variant.get("sku").and_then(Value::as_str).unwrap_or_default();
        let item = &variant["inventoryItem"];
        let Some(level) = item.get("inventoryLevel").filter(|level| level.is_object()) else { continue };
        if is_kin(sku) {
            let level = Level::read(level, item, Some(location), sku)?;
            let kin = all.entry(sku.to_owned()).or_default();
            kin.available += level.available.max(0);
            kin.committed += level.committed.max(0);
        }
    }
    Ok(all)
}

fn found(
    ask: &Ask<'_>,
    variants: &[Value],
    elsewhere: BTreeMap<String, BTreeMap<String, Kin>>,
) -> Result<Observation, Fault> {
    let sku = |variant: &&Value| variant.get("sku").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mine: Vec<&Value> = variants.iter().filter(|variant| sku(variant) == ask.sku).collect();
    let (own, location) = (ask.sku.clone(), ask.location.clone());
    let known = ask.wanted.known.as_ref();
    let seen = match mine.as_slice() {
        [] => {
            let similar = variants.iter().map(|variant| sku(&variant)).find(|sku| alike(sku, &own));
            Seen::NoSku { sku: own, similar }
        }
        [variant] => {
            let item = &variant["inventoryItem"];
            match item.get("inventoryLevel").filter(|level| level.is_object()) {
                Some(level) => Seen::Level(Level::read(level, item, Some(&location), &own)?),
                None => {
                    let id = item["id"].as_str().ok_or_else(unreadable)?.to_owned();
                    let tracked = item["tracked"].as_bool().ok_or_else(unreadable)?;
                    Seen::NotStocked { item: id, location, sku: own, tracked }
                }
            }
        }
        several => {
            let ids = several.iter().map(|variant| variant["id"].as_str().unwrap_or_default().to_owned());
            let object = Observed::Many(ids.collect());
            return Ok(Observation { object, context: Value::Null, missing: Vec::new() });
        }
    };
    let here = kin(ask, variants, &ask.location)?;
    Ok(among(seen, false, known, AllKin { here, elsewhere }))
}
