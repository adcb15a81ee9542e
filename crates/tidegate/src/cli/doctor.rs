//! `tidegate doctor`: the check, and then each system tried: reachable, credentials, scopes, API version, clock, live
//! subscriptions. It changes nothing.

use super::operate::page::{self, Page};
use super::{Common, Failure, block_on, configuration, shopify as command};
use crate::wiring::{self, Loaded};
use config::SHOPIFY;
use domains::inventory::outlets::Outlet;
use kernel::clock::Clock;
use kernel::id::{FlowName, ShopId};
use serde_json::{Value, json};
use shopify::doctor::{Expected, Outcome, clock_of, probe};
use shopify::graphql::Shops;
use shopify::subscriptions::{list, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wiring::clock::SystemClock;
use wiring::plan::{INVENTORY, rules};

const EXAMPLES: &str = "\
Examples:
  tidegate doctor
  tidegate doctor --json | jq '.probes[] | select(.outcome != \"well\")'

Exit codes: 0 all is well, or only warnings; 3 something failed.";

/// The check, and then each system tried: reachable, credentials, scopes, API version, clock, subscriptions
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// One line of the answer.
struct Line {
    of: String,
    name: String,
    outcome: Outcome,
    text: String,
}

pub fn run(common: &Common, _: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let shops = wiring::shops::clients(&loaded, &clock)?;
    let connected = wiring::connectors::build(&loaded, shops.clone(), None)?;
    let lines = block_on(async {
        let mut lines = Vec::new();
        lines.extend(of_postgres(&loaded, &clock).await);
        for (id, shop) in &loaded.config.shops {
            let expected = Expected {
                scopes: scopes(&loaded, &shop.app.value),
                time_zone: shop.time_zone.value.iana_name().unwrap_or("UTC").to_owned(),
                restore_rate: shop.plan.value.restore_rate(),
            };
            lines.extend(of_shop(&loaded, &shops, id, &expected, clock.as_ref()).await);
        }
        for (name, connector) in connected.connectors.iter().filter(|(name, _)| name.as_str() != SHOPIFY) {
            let Some(shop) = loaded.config.shops.keys().next() else { continue };
            let line =
                |outcome, text| Line { of: name.to_string(), name: "health".to_owned(), outcome, text };
            lines.push(match connector.health(&command::call(shop, clock.as_ref())).await {
                Ok(()) => line(Outcome::Well, format!("{name} answers, and takes the credentials")),
                Err(fault) => line(Outcome::Failed, fault.to_string()),
            });
            // What its answer was dated.
            lines.extend(connector.clock_ahead_ms().map(|ahead_ms| {
                let probe = clock_of(name.as_str(), ahead_ms);
                Line {
                    of: name.to_string(),
                    name: probe.name.to_owned(),
                    outcome: probe.outcome,
                    text: probe.text,
                }
            }));
        }
        Ok(lines)
    })?;
    told(common, &lines);
    if lines.iter().any(|line| line.outcome == Outcome::Failed) { Err(Failure::Found) } else { Ok(()) }
}

/// The store, where it is not embedded: reached, ours, and of which schema.
async fn of_postgres(loaded: &Loaded, clock: &Arc<dyn Clock>) -> Option<Line> {
    let postgres = loaded.config.postgres.as_ref()?;
    let asked = async {
        let options = wiring::open::options(loaded, postgres, clock)?;
        Ok::<_, anyhow::Error>(store_postgres::PostgresStore::pending_migrations(&options).await?)
    };
    let (outcome, text) = match asked.await {
        Err(error) => (Outcome::Failed, format!("{error:#}")),
        Ok(pending) => match pending.as_slice() {
            [] => (Outcome::Well, "PostgreSQL answers, and its tables are those of this program".to_owned()),
            [first, ..] if first.number == 1 => {
                (Outcome::Warning, "PostgreSQL answers; the first start of a hub makes its tables".to_owned())
            }
            pending => {
                let text = format!(
                    "PostgreSQL answers; the next start of a hub applies {} migrations",
                    pending.len()
                );
                (Outcome::Warning, text)
            }
        },
    };
    Some(Line { of: "store".to_owned(), name: "database".to_owned(), outcome, text })
}

/// The scopes that the flows need of an app, with what needs each.
fn scopes(loaded: &Loaded, app: &str) -> BTreeMap<String, BTreeSet<String>> {
    let needs =
        loaded.report.explanation.scopes.iter().filter(|need| need.app == app && !need.needed_by.is_empty());
    needs.map(|need| (need.scope.clone(), need.needed_by.iter().cloned().collect())).collect()
}

async fn of_shop(
    loaded: &Loaded,
    shops: &Shops,
    shop: &ShopId,
    expected: &Expected,
    clock: &dyn Clock,
) -> Vec<Line> {
    let line =
        |name: &str, outcome, text| Line { of: shop.to_string(), name: name.to_owned(), outcome, text };
    let client = match shops.get(shop) {
        Ok(client) => client,
        Err(fault) => return vec![line("token", Outcome::Failed, fault.to_string())],
    };
    let call = command::call(shop, clock);
    let probes = probe(client, &call, expected).await;
    let reachable = !probes.iter().any(|probe| probe.name == "token" && probe.outcome == Outcome::Failed);
    let mut lines: Vec<Line> =
        probes.into_iter().map(|probe| line(probe.name, probe.outcome, probe.text)).collect();
    if !reachable {
        return lines;
    }
    for (flow, outlets) in outlets(loaded, shop) {
        let (outcome, text) = match shopify::inventory::outlets(client, &call, &outlets).await {
            Err(fault) => (Outcome::Failed, fault.to_string()),
            Ok(wrong) if wrong.is_empty() => {
                (Outcome::Well, format!("each of the {} of {flow} is a location of its own", outlets.len()))
            }
            Ok(wrong) => (Outcome::Failed, format!("{flow}: {}", wrong.join("; "))),
        };
        lines.push(line("outlets", outcome, text));
    }
    let Some(wanted) = wiring::subscriptions::wanted(loaded, shop) else { return lines };
    lines.push(match list(client, &call).await {
        Err(fault) => line("subscriptions", Outcome::Failed, fault.to_string()),
        Ok(live) => match plan(&wanted, &live).iter().filter(|change| change.is_due()).count() {
            0 => line("subscriptions", Outcome::Well, "as the flows need them".to_owned()),
            due => {
                let text = format!(
                    "{due} differ from what the flows need; the running hub mends them, and so does `tidegate shopify \
                     subscriptions apply`"
                );
                line("subscriptions", Outcome::Warning, text)
            }
        },
    });
    lines
}

/// Of each flow that divides stock over several of a shop's locations: what its mapping makes of the name of each. One that it does not know
/// is the check's to tell.
fn outlets<'a>(loaded: &'a Loaded, shop: &ShopId) -> Vec<(&'a FlowName, BTreeMap<String, Value>)> {
    let mut all = Vec::new();
    for (name, flow) in &loaded.config.flows {
        let here = flow.domain.as_str() == INVENTORY && flow.target.as_str() == SHOPIFY && flow.serves(shop);
        let rules = here.then(|| rules(loaded, name, flow)).and_then(Result::ok);
        let fields = loaded.mappings.get(name).map(mapping::Mapping::fields);
        let words = fields.and_then(|fields| fields.iter().find(|(to, _)| to.as_str() == "location"));
        let (Some(rules), Some((_, location))) = (rules, words) else { continue };
        let outlets = rules.outlets().all().flat_map(|(_, outlets)| outlets);
        let of = |outlet: &Outlet| {
            let word = location.words.get(&outlet.location)?;
            Some((outlet.location.clone(), word.value.clone()))
        };
        let outlets: BTreeMap<String, Value> = outlets.filter_map(of).collect();
        if !outlets.is_empty() {
            all.push((name, outlets));
        }
    }
    all
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Well => "well",
        Outcome::Warning => "warning",
        Outcome::Failed => "FAILED",
    }
}

fn told(common: &Common, lines: &[Line]) {
    if common.json {
        let row = |line: &Line| {
            let outcome = word(line.outcome).to_lowercase();
            json!({ "of": line.of, "probe": line.name, "outcome": outcome, "text": line.text })
        };
        let probes: Vec<Value> = lines.iter().map(row).collect();
        page::json(&json!({ "findings": [], "probes": probes }));
        return;
    }
    let row = |line: &Line| {
        vec![line.of.clone(), line.name.clone(), word(line.outcome).to_owned(), line.text.clone()]
    };
    let mut page = Page::new();
    page.table(&["of", "probe", "outcome", "what was found"], lines.iter().map(row).collect());
    page.print();
}
