//! `tidegate prices explain`: one price, step by step.

use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, at, list, text};
use crate::cli::operate::query;
use serde_json::Value;

/// Which price counts, and why: every step of its derivation
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// In any spelling
    #[arg(required_unless_present = "variant", conflicts_with = "variant")]
    sku: Option<String>,
    /// In place of the SKU: Shopify's id of the variant, or its number
    #[arg(long, value_name = "ID")]
    variant: Option<String>,
    /// Whose variant it is, where the hub has several shops
    #[arg(long, requires = "variant")]
    shop: Option<String>,
    /// In the unit
    #[arg(long, default_value = "1")]
    quantity: String,
    /// As UN/ECE Recommendation 20 writes it; a piece unless said
    #[arg(long)]
    unit: Option<String>,
    /// ISO 4217; nothing is ever converted
    #[arg(long)]
    currency: String,
    /// As the terms spell it; without it, for nobody in particular
    #[arg(long, value_name = "ID")]
    company_location: Option<String>,
    /// At an instant, also a former one: by the terms and prices of then
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
}

pub(super) async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let asked = query(&[
        ("sku", args.sku.as_deref()),
        ("variant", args.variant.as_deref()),
        ("shop", args.shop.as_deref()),
        ("quantity", Some(&args.quantity)),
        ("unit", args.unit.as_deref()),
        ("currency", Some(&args.currency)),
        ("company_location", args.company_location.as_deref()),
        ("at", args.at.as_deref()),
    ]);
    let answer = client.get(&format!("/prices/explain?{asked}")).await?;
    if json {
        page::json(&answer);
    } else {
        drawn(&answer).print();
    }
    Ok(())
}

fn drawn(answer: &Value) -> Page {
    let (line, currency) = (&answer["line"], text(&answer["currency"]));
    let mut page = Page::new();
    page.line(format!(
        "{} × {}, for {}, at {} by version {}",
        text(&line["quantity"]),
        text(&line["sku"]),
        text(&answer["buyer"]),
        at(&answer["at"]),
        text(&answer["version"])
    ));
    page.blank();
    if line["status"] == "priced" {
        let average = if line["average"] == true { " on average" } else { "" };
        page.line(format!(
            "{} {currency} each{average}, {} {currency} in all",
            text(&line["unit_price"]),
            text(&line["total"])
        ));
    } else {
        page.line(format!("not priced: {}", text(&line["message"])));
    }
    if line["quantity_rule"]["allowed"] == false {
        let rule = &line["quantity_rule"];
        page.line(format!(
            "the quantity is not allowed: from {} in steps of {}{}",
            text(&rule["minimum"]),
            text(&rule["step"]),
            rule["maximum"].as_str().map(|most| format!(", at most {most}")).unwrap_or_default()
        ));
    }
    page.blank();
    for (index, step) in list(&line["why"]).iter().enumerate() {
        page.line(format!("{:>3}. {}", index + 1, text(step)));
    }
    page
}
