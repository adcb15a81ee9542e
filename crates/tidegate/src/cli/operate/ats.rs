//! `tidegate ats`: what may be sold of a SKU, at each location, and why; and that a source counts its states anew.

use super::by_hand::{self, Decision};
use super::client::Client;
use super::deliveries::standing;
use super::known::{self, Kind};
use super::page::{self, Page, at, list, text};
use super::{Place, Why, query, who};
use crate::cli::Failure;
use engine::work::stock_now::why_words;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate ats show SKU-0001
  tidegate ats show SKU-0001 --location WH-1 --explain
  tidegate ats show SKU-0001 --offline              asks nobody else
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
    /// What the source said last, what follows from it, what the shop has this moment, since when, and why they differ
    Show {
        /// As its source spells it; capitals count
        sku: String,
        /// One shop; without it, all
        #[arg(long)]
        shop: Option<String>,
        /// One location, as the source spells it
        #[arg(long)]
        location: Option<String>,
        /// How the number came about, term by term, up to what the shop shows
        #[arg(long)]
        explain: bool,
        /// Asks neither the shop nor the source what they have this moment
        #[arg(long)]
        offline: bool,
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
    let (sku, shop, location, explain, offline) = match &args.which {
        Which::Show { sku, shop, location, explain, offline } => (sku, shop, location, explain, offline),
        Which::ByHand => return by_hand::all(client, json).await,
        Which::Accept(decision) => return by_hand::decide(client, decision, true, json).await,
        Which::Revert(decision) => return by_hand::decide(client, decision, false, json).await,
        Which::ResetSequence { place, why } => return reset(client, place, why, json).await,
    };
    let named =
        [("sku", Some(sku.as_str())), ("shop", shop.as_deref()), ("offline", offline.then_some("true"))];
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
    let was_asked = stock.iter().any(|pair| pair["now"]["answered"] != "not_asked");
    page.line(match was_asked {
        true => format!("{sku}, as its source said last, and as its shop has it now"),
        false => format!("{sku}, as its source said last; its shop was not asked"),
    });
    let (mut heads, mut ends) =
        (vec!["shop", "location", "on hand", "reserved", "safety", "available"], Vec::new());
    if was_asked {
        heads.extend(["in flight", "to show", "in shop", "committed", "since (UTC)"]);
    } else {
        heads.extend(["set in shop", "changed (UTC)"]);
    }
    heads.push("stands");
    let rows = stock.iter().map(|pair| row(pair, was_asked));
    page.table(&heads, rows.collect());
    let divided = stock.iter().filter(|pair| !pair["fact"]["part"].is_null());
    let parts: Vec<String> = divided
        .map(|pair| {
            format!("{} {}", text(&pair["fact"]["state"]["location"]), text(&pair["fact"]["part"]["takes"]))
        })
        .collect();
    if !parts.is_empty() && !explain {
        page.line(format!(
            "of what lies at one location for several of the shop's each shows its part: {}; --explain says of how much",
            parts.join(", ")
        ));
    }
    for pair in stock {
        ends.extend(told_of(pair));
    }
    for end in ends {
        page.line(end);
    }
    for pair in stock.iter().filter(|_| explain) {
        page.blank();
        page.line(format!("{}, by {}", text(&pair["subject"]), text(&pair["flow"])));
        for term in list(&pair["fact"]["why"]).iter().chain(list(&pair["now"]["terms"])) {
            page.line(format!("  {}", text(term)));
        }
    }
    page
}

fn row(pair: &Value, was_asked: bool) -> Vec<String> {
    let fact = &pair["fact"];
    let (state, shelf, now) = (&fact["state"], &fact["figures"]["shelf"], &pair["now"]);
    let mut row = vec![text(&pair["shop"]), text(&state["location"])];
    let part = &fact["part"];
    // What lies there lies there for all of them: only what it may show is its own.
    let of_all = |figure: &str| if part.is_null() { text(&shelf[figure]) } else { String::new() };
    row.extend(["on_hand", "reserved", "safety"].map(of_all));
    row.push(text(if part.is_null() { &state["available"] } else { &part["available"] }));
    if was_asked {
        row.extend(["in_flight", "to_show", "available", "committed"].map(|figure| text(&now[figure])));
        row.push(at(&now["since"]));
    } else {
        row.extend([set_to(pair), at(&fact["changed_at"])]);
    }
    row.push(stands(pair));
    row
}

fn set_to(pair: &Value) -> String {
    let set = list(&pair["external"]).iter().find(|external| external["system"] == pair["target"]);
    set.map(|set| text(&set["state"])).unwrap_or_default()
}

/// What stands below the table: what comes, what cannot be read or asked, and what is dead.
fn told_of(pair: &Value) -> Vec<String> {
    let subject = text(&pair["subject"]);
    let said = |what: String| format!("{subject}: {what}");
    let mut told: Vec<String> =
        list(&pair["fact"]["figures"]["incoming"]).iter().map(incoming).map(said).collect();
    let unreadable = text(&pair["unreadable"]);
    if !unreadable.is_empty() {
        told.push(said(unreadable));
        return told;
    }
    let (now, problem) = (&pair["now"], text(&pair["now"]["problem"]));
    match now["answered"].as_str() {
        Some("unreachable") => {
            let set = set_to(pair);
            let set = if set.is_empty() { String::new() } else { format!("; it was set to {set} last") };
            told.push(said(format!("the shop could not be asked: {problem}{set}")));
        }
        Some("answered") if !problem.is_empty() => told.push(said(problem)),
        _ => {}
    }
    for letter in list(&pair["dead_letters"]) {
        let cause = &letter["cause"];
        told.push(said(format!("dead: {}; {}", text(&cause["cause"]), text(&cause["advice"]))));
    }
    told
}

fn incoming(promise: &Value) -> String {
    let quantity = text(&promise["quantity"]);
    let comes = match quantity.is_empty() {
        true => "of what it is made of more comes".to_owned(),
        false => format!("{quantity} more come"),
    };
    match promise["at"].is_null() {
        true => format!("{comes}, and the source says no date"),
        false => format!("from {} on {} available: {comes}", at(&promise["at"]), text(&promise["available"])),
    }
}

/// Why the shop has not what it is to have; where it has, how the newest level stands.
fn stands(pair: &Value) -> String {
    let why = pair["now"]["why"].as_str();
    match (list(&pair["open"]).first(), why) {
        (Some(open), Some(why)) if why == "under_way" => format!("{}, {}", why_words(why), standing(open)),
        (Some(open), _) => standing(open),
        (None, Some(why)) => why_words(why).to_owned(),
        (None, None) if !list(&pair["dead_letters"]).is_empty() => "dead".to_owned(),
        (None, None) => "told".to_owned(),
    }
}

#[cfg(test)]
mod tests;
