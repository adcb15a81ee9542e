//! `tidegate orders`: one order's whole life, and the orders that something is or was to be done for.

use super::client::Client;
use super::deliveries::{Which as Filter, standing};
use super::known::{Kind, are_known};
use super::page::{self, Page, at, exactly, list, text};
use super::query;
use crate::cli::Failure;
use connector::outbound::segment;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const EXAMPLES: &str = "\
Examples:
  tidegate orders show '#1001'                 quoted, because # begins a comment in a shell; 1001 will do, too
  tidegate orders show 5678 --shop acme        by Shopify's id
  tidegate orders list --system erp --phase waiting";

/// Orders: one order's whole life, or those that wait
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// From the webhook through every attempt to the ERP's number, and what it waits for
    Show {
        #[command(flatten)]
        named: Named,
    },
    /// The orders of the newest deliveries
    List {
        #[command(flatten)]
        filter: Filter,
    },
}

/// An order as people call it.
#[derive(Debug, clap::Args)]
pub struct Named {
    /// '#1001', Shopify's id, or acme/order:5678
    #[arg(value_name = "ORDER")]
    name: String,
    /// Where several shops have an order of that name
    #[arg(long)]
    shop: Option<String>,
}

/// An order by its address.
#[derive(Debug)]
pub struct Found {
    pub shop: String,
    pub order: String,
}

impl Found {
    pub fn subject(&self) -> String {
        format!("{}/order:{}", self.shop, self.order)
    }
}

impl Named {
    /// Exactly one: what is done to an order is never done to its namesake.
    pub async fn found(&self, client: &Client) -> Result<Found, Failure> {
        if let Some((shop, order)) = self.name.split_once("/order:") {
            if self.shop.as_deref().is_some_and(|named| named != shop) {
                let text = format!("{} is an order of {shop}: leave --shop out", self.name);
                return Err(Failure::Usage(text));
            }
            return Ok(Found { shop: shop.to_owned(), order: order.to_owned() });
        }
        let answer = client.get(&format!("/orders?{}", query(&[("name", Some(&self.name))]))).await?;
        let here = |order: &&Value| self.shop.as_ref().is_none_or(|shop| order["shop"] == shop.as_str());
        let found: Vec<&Value> = list(&answer["orders"]).iter().filter(here).collect();
        match found.as_slice() {
            [] => Err(self.missing(client).await),
            [one] => Ok(Found { shop: text(&one["shop"]), order: text(&one["order"]) }),
            several => {
                let several: Vec<String> = several.iter().map(|order| text(&order["subject"])).collect();
                Err(Failure::Usage(format!(
                    "{} orders are called {}: {}; name one of these, or --shop",
                    several.len(),
                    self.name,
                    several.join(", ")
                )))
            }
        }
    }

    /// The hub speaks of its API where it knows no such order: said in the words of the command line.
    pub async fn told(&self, client: &Client, failure: Failure) -> Failure {
        match failure {
            Failure::NotFound(_) => self.missing(client).await,
            other => other,
        }
    }

    /// The shop that it is said to be of is there.
    pub async fn shop_is_known(&self, client: &Client) -> Result<(), Failure> {
        let shop = self.name.split_once("/order:").map(|(shop, _)| shop).or(self.shop.as_deref());
        are_known(client, &[(Kind::Shop, shop)]).await
    }

    async fn missing(&self, client: &Client) -> Failure {
        self.shop_is_known(client).await.err().unwrap_or_else(|| self.unknown())
    }

    fn unknown(&self) -> Failure {
        let shop = self.shop.as_ref().map(|shop| format!(" of shop {shop}")).unwrap_or_default();
        Failure::NotFound(format!(
            "the log knows no order {:?}{shop}. If Shopify has it, the next sweep brings it, or do it now: `tidegate sweep`, \
             or for older ones `tidegate backfill orders --since DAY`. An order's name is as Shopify shows it ('#1001', in \
             quotes); its id will do, too",
            self.name
        ))
    }
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    match &args.which {
        Which::Show { named } => {
            let found = named.found(client).await?;
            let life = match client.get(&address(&found.shop, &found.order)).await {
                Ok(life) => life,
                Err(failure) => return Err(named.told(client, failure).await),
            };
            if json {
                page::json(&life);
            } else {
                drawn(&life).print();
            }
            Ok(())
        }
        Which::List { filter } => {
            let orders = listed(client, filter).await?;
            if json {
                page::json(&orders);
            } else {
                overview(&orders).print();
            }
            Ok(())
        }
    }
}

fn address(shop: &str, order: &str) -> String {
    format!("/orders/{}/{}", segment(shop), segment(order))
}

/// The orders of a page of deliveries, in its order, each with its name.
async fn listed(client: &Client, filter: &Filter) -> Result<Value, Failure> {
    let page = filter.page(client, None).await?;
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut orders: Vec<Value> = Vec::new();
    for delivery in list(&page["deliveries"]) {
        let (shop, root) = (text(&delivery["lane"]["shop"]), text(&delivery["lane"]["root"]));
        let Some(order) = root.strip_prefix("order:") else { continue };
        let place = match places.get(&(shop.clone(), root.clone())) {
            Some(place) => *place,
            None => {
                let life = client.get(&address(&shop, order)).await?;
                places.insert((shop.clone(), root.clone()), orders.len());
                orders.push(json!({
                    "shop": shop, "order": order, "subject": life["subject"], "about": life["about"],
                    "external": life["external"], "deliveries": [],
                }));
                orders.len() - 1
            }
        };
        if let Some(deliveries) = orders.get_mut(place).and_then(|order| order["deliveries"].as_array_mut()) {
            deliveries.push(delivery.clone());
        }
    }
    Ok(json!({ "orders": orders, "next": page["next"] }))
}

fn overview(answer: &Value) -> Page {
    let mut page = Page::new();
    let mut rows = Vec::new();
    for order in list(&answer["orders"]) {
        for delivery in list(&order["deliveries"]) {
            rows.push(vec![
                name(order),
                text(&order["shop"]),
                text(&delivery["flow"]),
                text(&delivery["lane"]["system"]),
                at(&delivery["changed_at"]),
                standing(delivery),
            ]);
        }
    }
    if rows.is_empty() {
        page.line("no order is so");
    }
    page.table(&["order", "shop", "flow", "system", "changed (UTC)", "stands"], rows);
    super::deliveries::more(&mut page, &answer["next"]);
    page
}

fn name(order: &Value) -> String {
    match text(&order["about"]["label"]) {
        name if name.is_empty() => text(&order["order"]),
        name => name,
    }
}

fn drawn(life: &Value) -> Page {
    let mut page = Page::new();
    page.line(format!("{} of {} ({})", name(life), text(&life["shop"]), text(&life["subject"])));
    let about = &life["about"];
    if !about.is_null() {
        page.line(format!(
            "created {} UTC, last changed {} UTC",
            at(&about["created_at"]),
            at(&about["updated_at"])
        ));
    }
    for external in list(&life["external"]) {
        let state = text(&external["state"]);
        let state = if state.is_empty() { state } else { format!(", {state}") };
        let number = match text(&external["number"]) {
            number if number.is_empty() => text(&external["id"]),
            number => number,
        };
        let part = text(&external["part"]);
        let it = if part.is_empty() { "it".to_owned() } else { part };
        page.line(format!("{} has {it} as {number}{state}", text(&external["system"])));
    }
    for pause in list(&life["pauses"]) {
        page.line(format!("paused by {}: {}", text(&pause["who"]), text(&pause["why"])));
    }
    waiting(&mut page, life);
    traces(&mut page, life);
    page.blank();
    page.line("What happened (UTC)");
    let rows = list(&life["timeline"])
        .iter()
        .map(|moment| vec![exactly(&moment["at"]), text(&moment["what"]), text(&moment["detail"])]);
    page.table(&["at", "what", "detail"], rows.collect());
    page
}

/// What is not done yet, and why not.
fn waiting(page: &mut Page, life: &Value) {
    let open: Vec<&Value> =
        list(&life["deliveries"]).iter().filter(|delivery| !delivery["waits"].is_null()).collect();
    page.blank();
    if open.is_empty() {
        page.line("Nothing is open.");
        return;
    }
    page.line("Open");
    let rows = open.iter().map(|delivery| {
        let why = text(&delivery["waits_for"]["why"]);
        vec![
            text(&delivery["id"]),
            text(&delivery["flow"]),
            text(&delivery["lane"]["system"]),
            text(&delivery["kind"]),
            standing(delivery),
            why,
        ]
    });
    page.table(&["delivery", "flow", "system", "kind", "stands", "why"], rows.collect());
}

/// The same trace stands in the logs, and in `traceparent` of what was sent.
fn traces(page: &mut Page, life: &Value) {
    let mut seen: Vec<String> = Vec::new();
    for envelope in list(&life["envelopes"]) {
        let trace = text(&envelope["trace"]);
        if !trace.is_empty() && !seen.contains(&trace) {
            seen.push(trace);
        }
    }
    if !seen.is_empty() {
        page.line(format!("trace {}", seen.join(", ")));
    }
}
