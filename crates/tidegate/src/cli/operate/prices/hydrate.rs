//! `tidegate prices plan` and `hydrate`: price lists into a shop's catalogs.

use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, list, number, text};
use crate::cli::operate::progress::Teller;
use crate::cli::operate::who;
use serde_json::{Value, json};

/// What would be written into a shop's catalogs, what stays at the cart, and why
#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    /// Which shop; the only one, unless said
    #[arg(long)]
    shop: Option<String>,
    /// Compare with all that the shop has, and not with what was last read of it: finds what was typed by hand
    #[arg(long)]
    against_shop: bool,
}

/// Makes a shop's catalogs say what the price lists say; 3 where something of it is left
#[derive(Debug, clap::Args)]
pub(super) struct Hydrate {
    /// Which shop; the only one, unless said
    #[arg(long)]
    shop: Option<String>,
    /// Compare with all that the shop has, and not with what was last read of it: finds what was typed by hand
    #[arg(long)]
    against_shop: bool,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    why: Option<String>,
}

pub(super) async fn plan(client: &Client, args: &Plan, json: bool) -> Result<(), Failure> {
    let how = json!({ "shop": args.shop, "dry_run": true, "against_shop": args.against_shop });
    let answer = asked(client, how, None).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    drawn(&mut page, &answer);
    page.print();
    Ok(())
}

pub(super) async fn hydrate(client: &Client, args: &Hydrate, json: bool) -> Result<(), Failure> {
    let how = json!({ "shop": args.shop, "dry_run": false, "against_shop": args.against_shop });
    let answer = asked(client, how, args.why.as_deref()).await?;
    let is_left = number(&answer["unsettled"]) > 0 || !list(&answer["refused"]).is_empty();
    if json {
        page::json(&answer);
    } else {
        let mut page = Page::new();
        drawn(&mut page, &answer["plan"]);
        let written = &answer["written"];
        page.line(format!(
            "written: {} calls, {} lines in {} operations in bulk; read back in {} rounds",
            number(&written["calls"]),
            number(&written["lines"]),
            number(&written["operations"]),
            number(&answer["rounds"])
        ));
        for note in list(&answer["notes"]) {
            page.line(text(note));
        }
        let rows = list(&answer["refused"]).iter().map(|one| {
            vec![text(&one["catalog"]), text(&one["sku"]), text(&one["code"]), text(&one["message"])]
        });
        page.table(&["refused in", "sku", "code", "what Shopify says"], rows.collect());
        page.line(match number(&answer["unsettled"]) {
            0 => "what is there was read back and is what is wanted".to_owned(),
            left => format!("{left} calls are left: begin it again"),
        });
        page.print();
    }
    if is_left { Err(Failure::Found) } else { Ok(()) }
}

async fn asked(client: &Client, mut asked: Value, why: Option<&str>) -> Result<Value, Failure> {
    asked["who"] = who().into();
    asked["why"] = why.into();
    let mut teller = Teller::new("prices", 0);
    let result = client.stream("/prices/hydrate", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    result
}

fn drawn(page: &mut Page, plan: &Value) {
    page.line(format!("by version {}:", text(&plan["version"])));
    for line in plan["text"].as_str().unwrap_or_default().lines() {
        page.line(line);
    }
}
