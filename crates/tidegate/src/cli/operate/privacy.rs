//! `tidegate privacy`: what is held of a customer, and what was destroyed at whose request. Prints ids alone.

use super::client::Client;
use super::known::{Kind, judged};
use super::page::{self, Page, at, list, text};
use super::query;
use crate::cli::Failure;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate privacy held --customer 7001 --shop acme
  tidegate privacy certificates";

/// What is held of a customer, and what was destroyed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// What is held of a customer, for a data request
    Held {
        /// Shopify's id of the customer
        #[arg(long)]
        customer: String,
        /// Where there are several shops
        #[arg(long)]
        shop: Option<String>,
    },
    /// What redactions destroyed, when and at whose request
    Certificates,
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let mut page = Page::new();
    let answer = match &args.which {
        Which::Held { customer, shop } => {
            let shop = match shop {
                Some(shop) => shop.clone(),
                None => only_shop(client)?,
            };
            let asked = query(&[("shop", Some(&shop)), ("customer", Some(customer))]);
            let asked = client.get(&format!("/held?{asked}")).await;
            // A slip of the pen would be a false answer to a person who has a right to a true one.
            let none = |answer: &Value| list(&answer["subjects"]).is_empty();
            let answer = judged(client, asked, &[(Kind::Shop, Some(&shop))], none).await?;
            let held = list(&answer["subjects"]);
            if held.is_empty() {
                page.line(format!("nothing is held of customer {customer} of {shop}"));
            }
            held.iter().for_each(|subject| page.line(text(subject)));
            answer
        }
        Which::Certificates => {
            let answer = client.get("/certificates").await?;
            let rows: Vec<Vec<String>> = list(&answer["certificates"])
                .iter()
                .map(|certificate| {
                    let of = |name: &str| text(&certificate[name]);
                    let roots: Vec<String> = list(&certificate["roots"]).iter().map(text).collect();
                    let (keys, duties) = (of("keys_destroyed"), of("duties_ended"));
                    vec![at(&certificate["at"]), of("shop"), of("requested"), keys, duties, roots.join(", ")]
                })
                .collect();
            if rows.is_empty() {
                page.line("nothing was redacted yet");
            }
            page.table(&["at (UTC)", "shop", "requested", "keys destroyed", "duties ended", "of"], rows);
            answer
        }
    };
    if json {
        page::json(&answer);
    } else {
        page.print();
    }
    Ok(())
}

fn only_shop(client: &Client) -> Result<String, Failure> {
    let mut shops = client.config().shops.keys().map(ToString::to_string);
    match (shops.next(), shops.next()) {
        (Some(shop), None) => Ok(shop),
        (None, _) => Err(Failure::Usage("--shop: the configuration has no shop".to_owned())),
        (Some(first), Some(second)) => {
            let all: Vec<String> = [first, second].into_iter().chain(shops).collect();
            Err(Failure::Usage(format!("--shop: name the customer's shop; there are: {}", all.join(", "))))
        }
    }
}
