//! `tidegate deliveries`: what is to be brought to which target, and how each stands. The filters and the words are
//! shared with the lists of orders and of dead letters.

use super::client::Client;
use super::known::{Kind, judged};
use super::page::{self, Page, at, list, text};
use crate::cli::Failure;
use serde_json::Value;
use store::dead::closed_because;
use store::delivery::DeliveryState;

const EXAMPLES: &str = "\
Examples:
  tidegate deliveries list --phase open --system erp
  tidegate deliveries list --phase unknown              calls whose answer never came
  tidegate deliveries list --root order:5678 --shop acme";

/// Deliveries: each with what it waits for
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Newest first
    List {
        #[command(flatten)]
        which: Which,
        /// All that belongs to one thing: order:5678
        #[arg(long)]
        root: Option<String>,
    },
}

/// How a delivery stands, coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Phase {
    /// Not ended: waiting, unknown
    Open,
    Waiting,
    /// A call was made and its answer is not known
    Unknown,
    Dead,
    Ended,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
            Self::Dead => "dead",
            Self::Ended => "ended",
        }
    }
}

/// Which of them.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// To this system alone
    #[arg(long)]
    system: Option<String>,
    /// Through this flow alone
    #[arg(long)]
    flow: Option<String>,
    /// Of this shop alone
    #[arg(long)]
    shop: Option<String>,
    /// That stand so
    #[arg(long)]
    phase: Option<Phase>,
    /// So many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Older than this delivery, as the page before says
    #[arg(long, value_name = "DELIVERY")]
    before: Option<i64>,
}

impl Which {
    /// A page of them.
    pub async fn page(&self, client: &Client, root: Option<&str>) -> Result<Value, Failure> {
        let asked = client.get(&format!("/deliveries?{}", self.query(root))).await;
        let (flow, system, shop) = (self.flow.as_deref(), self.system.as_deref(), self.shop.as_deref());
        let named = [(Kind::Flow, flow), (Kind::System, system), (Kind::Shop, shop)];
        judged(client, asked, &named, |answer| list(&answer["deliveries"]).is_empty()).await
    }

    fn query(&self, root: Option<&str>) -> String {
        let (limit, before) = (self.limit.to_string(), self.before.map(|before| before.to_string()));
        super::query(&[
            ("system", self.system.as_deref()),
            ("flow", self.flow.as_deref()),
            ("shop", self.shop.as_deref()),
            ("phase", self.phase.map(Phase::word)),
            ("root", root),
            ("limit", Some(&limit)),
            ("before", before.as_deref()),
        ])
    }
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let Command::List { which, root } = &args.command;
    let answer = which.page(client, root.as_deref()).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    let rows: Vec<Vec<String>> = list(&answer["deliveries"]).iter().map(row).collect();
    if rows.is_empty() {
        page.line("no delivery is so");
    }
    page.table(&["delivery", "subject", "flow", "system", "kind", "changed (UTC)", "calls", "stands"], rows);
    more(&mut page, &answer["next"]);
    page.print();
    Ok(())
}

fn row(delivery: &Value) -> Vec<String> {
    let subject = &delivery["subject"];
    vec![
        text(&delivery["id"]),
        format!("{}/{}", text(&subject["shop"]), text(&subject["path"])),
        text(&delivery["flow"]),
        text(&delivery["lane"]["system"]),
        text(&delivery["kind"]),
        at(&delivery["changed_at"]),
        text(&delivery["calls"]),
        standing(delivery),
    ]
}

/// How it ended, or what it waits for.
pub fn standing(delivery: &Value) -> String {
    let state: Option<DeliveryState> = serde_json::from_value(delivery["state"].clone()).ok();
    let waits = || match text(&delivery["waits"]) {
        // A condition says it itself: waits until it is paid.
        waits if waits.starts_with("waits ") => waits,
        waits => format!("waits for {waits}"),
    };
    match state {
        Some(DeliveryState::Ended(outcome)) => closed_because(&outcome),
        Some(DeliveryState::Dead) => format!("dead, {}", waits()),
        Some(DeliveryState::Unknown { .. }) => format!("its answer is unknown, {}", waits()),
        _ => waits(),
    }
}

/// How to see those after it.
pub fn more(page: &mut Page, next: &Value) {
    if !next.is_null() {
        page.line(format!("there are more: --before {}", text(next)));
    }
}
