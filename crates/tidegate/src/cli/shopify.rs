//! `tidegate shopify`: webhook subscriptions, as the flows need them, against those that are live.

use super::operate::page::Page;
use super::{Common, Failure, block_on, configuration, say};
use crate::wiring::{self, Loaded};
use connector::port::CallContext;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use serde_json::{Value, json};
use shopify::graphql::ShopClient;
use shopify::subscriptions::{Action, Change, Wanted, advice, apply, list, plan};
use std::sync::Arc;
use std::time::Duration;
use wiring::clock::SystemClock;

const EXAMPLES: &str = "\
Examples:
  tidegate shopify subscriptions plan            what would be made, changed and taken away, and why
  tidegate shopify subscriptions apply

The running hub does the same every five minutes: what Shopify dropped is made again. A subscription that sends to
another address than hub.public_url is never touched.";

/// Webhook subscriptions, as the flows need them, against those that are live
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Compares or makes them
    Subscriptions {
        #[command(subcommand)]
        act: Act,
        /// Only this shop
        #[arg(long, global = true)]
        shop: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
enum Act {
    /// Shows what would be done
    Plan,
    /// Does it
    Apply,
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let What::Subscriptions { act, shop } = &args.what;
    let loaded = configuration(common)?;
    let shops = chosen(&loaded, shop.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let clients = wiring::shops::clients(&loaded, &clock)?;
    block_on(async {
        let (mut all, mut failed) = (Vec::new(), false);
        for shop in shops {
            let Some(wanted) = wiring::subscriptions::wanted(&loaded, &shop) else {
                say::note(format_args!(
                    "{shop}: no flow listens to webhooks of it, or hub.public_url is not set: it is polled"
                ));
                continue;
            };
            let client = clients.get(&shop).map_err(|fault| anyhow::anyhow!("{fault}"))?;
            let looked = one_shop(client, &shop, &wanted, *act, clock.as_ref()).await?;
            failed |= looked.failed;
            if !common.json {
                let mut page = Page::new();
                page.line(shop.as_str());
                page.table(&["act", "topic", "why"], looked.rows);
                for line in &looked.advice {
                    page.line(format!("note: {line}"));
                }
                page.print();
            }
            all.push(json!({ "shop": shop, "changes": looked.changes, "advice": looked.advice }));
        }
        if common.json {
            say::out(format_args!("{}\n", json!({ "shops": all })));
        }
        if failed { Err(Failure::Found) } else { Ok(()) }
    })
}

fn chosen(loaded: &Loaded, shop: Option<&str>) -> Result<Vec<ShopId>, Failure> {
    let all: Vec<ShopId> = loaded.config.shops.keys().cloned().collect();
    let Some(shop) = shop else { return Ok(all) };
    let found: Vec<ShopId> = all.iter().filter(|known| known.as_str() == shop).cloned().collect();
    if found.is_empty() {
        let names: Vec<&str> = all.iter().map(ShopId::as_str).collect();
        return Err(Failure::NotFound(format!(
            "no shop {shop:?} is configured; there are: {}",
            names.join(", ")
        )));
    }
    Ok(found)
}

/// What came of one shop.
struct Looked {
    rows: Vec<Vec<String>>,
    changes: Vec<Value>,
    advice: Vec<String>,
    failed: bool,
}

/// A call of the command line.
pub fn call(shop: &ShopId, clock: &dyn Clock) -> CallContext {
    CallContext {
        shop: shop.clone(),
        time_out: Duration::from_secs(60),
        trace: TraceId::default(),
        span: 1,
        now: clock.now().wall,
    }
}

async fn one_shop(
    client: &Arc<ShopClient>,
    shop: &ShopId,
    wanted: &Wanted,
    act: Act,
    clock: &dyn Clock,
) -> anyhow::Result<Looked> {
    let call = call(shop, clock);
    let live = list(client, &call).await.map_err(|fault| anyhow::anyhow!("{shop}: {fault}"))?;
    let changes = plan(wanted, &live);
    let (mut rows, mut told, mut failed) = (Vec::new(), Vec::new(), false);
    if act == Act::Plan {
        for change in &changes {
            rows.push(vec![word(&change.action).to_owned(), change.topic.clone(), change.why.clone()]);
            told.push(row(change, None));
        }
    } else {
        for change in changes.iter().filter(|change| !change.is_due()) {
            told.push(row(change, None));
        }
        for applied in apply(client, &call, &changes).await {
            let result = match &applied.result {
                Ok(()) => "done".to_owned(),
                Err(fault) => format!("failed: {fault}"),
            };
            failed |= applied.result.is_err();
            rows.push(vec![
                word(&applied.change.action).to_owned(),
                applied.change.topic.clone(),
                result.clone(),
            ]);
            told.push(row(&applied.change, Some(&result)));
        }
    }
    Ok(Looked { rows, changes: told, advice: advice(wanted, &live), failed })
}

fn word(action: &Action) -> &'static str {
    match action {
        Action::Create(_) => "create",
        Action::Update { .. } => "update",
        Action::Delete { .. } => "delete",
        Action::Keep { .. } => "keep",
    }
}

fn row(change: &Change, result: Option<&str>) -> Value {
    json!({ "action": word(&change.action), "topic": change.topic, "why": change.why, "result": result })
}
