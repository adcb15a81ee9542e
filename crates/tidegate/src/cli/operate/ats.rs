//! `tidegate ats`: what may be sold of a SKU, at each location, and why; and that a source counts its states anew.

use super::by_hand::{self, Decision};
use super::client::Client;
use super::deliveries::standing;
use super::known::{self, Kind};
use super::page::{self, Page, at, list, text};
use super::{Place, Why, query, who};
use crate::cli::Failure;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate ats show SKU-0001
  tidegate ats show SKU-0001 --location WH-1 --explain
  tidegate ats show SKU-0001 --json | jq '.stock[].fact.state.available'
  tidegate ats by-hand
  tidegate ats accept SKU-0001 --location WH-1 --why \"counted on the floor\"
  tidegate ats reset-sequence --why \"the warehouse was restored from its backup of Monday\"";

/// Stock: what may be sold, at each location, and why
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// What the source said last, what follows from it, and what the shop was set to
    Show {
        /// As its source spells it; capitals count
        sku: String,
        /// One shop; without it, all
        #[arg(long)]
        shop: Option<String>,
        /// One location, as the source spells it
        #[arg(long)]
        location: Option<String>,
        /// How the number came about, term by term
        #[arg(long)]
        explain: bool,
    },
    /// Quantities that somebody typed in the shop and a person is asked about (`violation = "ask"`)
    ByHand,
    /// What somebody typed stands, until the source changes the pair
    Accept(Decision),
    /// What somebody typed is set back to what the source says
    Revert(Decision),
    /// Says that a source counts its states anew, after it was restored or replaced: from now on each of its numbers counts
    /// above all that came before. Without it every level that it tells is an older one, and none is sent
    ResetSequence {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        why: Why,
    },
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let (sku, shop, location, explain) = match &args.which {
        Which::Show { sku, shop, location, explain } => (sku, shop, location, explain),
        Which::ByHand => return by_hand::all(client, json).await,
        Which::Accept(decision) => return by_hand::decide(client, decision, true, json).await,
        Which::Revert(decision) => return by_hand::decide(client, decision, false, json).await,
        Which::ResetSequence { place, why } => return reset(client, place, why, json).await,
    };
    let named = [("sku", Some(sku.as_str())), ("shop", shop.as_deref())];
    let asked = client.get(&format!("/ats?{}", query(&named))).await;
    if let Err(Failure::NotFound(_)) = &asked {
        known::are_known(client, &[(Kind::Shop, shop.as_deref())]).await?;
    }
    let mut answer = asked?;
    if let (Some(location), Some(stock)) = (location, answer["stock"].as_array_mut()) {
        let known: Vec<String> = stock.iter().map(|pair| text(&pair["fact"]["state"]["location"])).collect();
        stock.retain(|pair| pair["fact"]["state"]["location"] == location.as_str());
        if stock.is_empty() {
            let what = format!("{sku} is not known at {location:?}; its locations: {}", known.join(", "));
            return Err(Failure::NotFound(what));
        }
    }
    if json {
        page::json(&answer);
    } else {
        drawn(sku, list(&answer["stock"]), *explain).print();
    }
    Ok(())
}

async fn reset(client: &Client, place: &Place, why: &Why, json: bool) -> Result<(), Failure> {
    let mut asked = json!({ "who": who(), "why": why.why });
    place.named(&mut asked);
    let answer = client.post("/ats/reset-sequence", &asked).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(format!(
        "from now on the numbers of {} for {} count above all that came before; where it can be asked, it is asked from its \
         beginning",
        text(&answer["system"]),
        text(&answer["shop"])
    ));
    page.print();
    Ok(())
}

fn drawn(sku: &str, stock: &[Value], explain: bool) -> Page {
    let mut page = Page::new();
    page.line(format!("{sku}, as its source said last"));
    let rows = stock.iter().map(|pair| {
        let state = &pair["fact"]["state"];
        let set = list(&pair["external"]).iter().find(|external| external["system"] == pair["target"]);
        vec![
            text(&pair["shop"]),
            text(&state["location"]),
            text(&state["on_hand"]),
            text(&state["reserved"]),
            text(&state["counted"]),
            text(&state["available"]),
            set.map(|set| text(&set["state"])).unwrap_or_default(),
            at(&pair["fact"]["changed_at"]),
            stands(pair),
        ]
    });
    let heads = [
        "shop",
        "location",
        "on hand",
        "reserved",
        "counted",
        "available",
        "set in shop",
        "changed (UTC)",
        "stands",
    ];
    page.table(&heads, rows.collect());
    for pair in stock {
        let told = text(&pair["unreadable"]);
        if !told.is_empty() {
            page.line(format!("{}: {told}", text(&pair["subject"])));
        }
        for letter in list(&pair["dead_letters"]) {
            page.line(format!(
                "{}: dead: {}; {}",
                text(&pair["subject"]),
                text(&letter["cause"]["cause"]),
                text(&letter["cause"]["advice"])
            ));
        }
        if explain {
            page.blank();
            page.line(format!("{}, by {}", text(&pair["subject"]), text(&pair["flow"])));
            for term in list(&pair["fact"]["why"]) {
                page.line(format!("  {}", text(term)));
            }
        }
    }
    page
}

fn stands(pair: &Value) -> String {
    match list(&pair["open"]).first() {
        Some(open) => standing(open),
        None if !list(&pair["dead_letters"]).is_empty() => "dead".to_owned(),
        None => "told".to_owned(),
    }
}
