//! The operator's commands: each asks the running hub over its socket, or the store where no hub runs, and prints what
//! it was answered. They judge nothing: the words are the hub's, the same as on its page.

mod ats;
mod audit;
mod backfill;
mod backfill_stock;
mod backup;
mod by_hand;
mod cadence;
pub(super) mod client;
mod dead_letters;
mod deliveries;
mod edit;
mod flows;
mod known;
mod letters;
mod offline;
mod orders;
pub mod page;
mod pauses;
mod prices;
mod privacy;
pub(super) mod progress;
mod prove;
mod reconcile;
mod replay;
mod status;
mod sweep;
mod systems;

use super::{Common, Failure, block_on};
use clap::Subcommand;
use client::Client;
use connector::outbound::segment;
use known::Kind;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub enum Command {
    Status(status::Args),
    Orders(orders::Args),
    Ats(ats::Args),
    Cadence(cadence::Args),
    DeadLetters(dead_letters::Args),
    Deliveries(deliveries::Args),
    Replay(replay::Args),
    Backfill(backfill::Args),
    Prove(prove::Args),
    Reconcile(reconcile::Args),
    Sweep(sweep::Args),
    Systems(systems::Args),
    Flows(flows::Args),
    Subjects(pauses::Subjects),
    Prices(prices::Args),
    Audit(audit::Args),
    Privacy(privacy::Args),
    Backup(backup::Args),
}

pub fn run(common: &Common, command: &Command) -> Result<(), Failure> {
    let json = common.json;
    block_on(async {
        let client = &Client::open(common, matches!(command, Command::Prices(_))).await?;
        match command {
            Command::Status(args) => status::run(client, args, json).await,
            Command::Orders(args) => orders::run(client, args, json).await,
            Command::Ats(args) => ats::run(client, args, json).await,
            Command::Cadence(args) => cadence::run(client, args, json).await,
            Command::DeadLetters(args) => dead_letters::run(client, args, json).await,
            Command::Deliveries(args) => deliveries::run(client, args, json).await,
            Command::Replay(args) => replay::run(client, args, json).await,
            Command::Backfill(args) => backfill::run(client, args, json).await,
            Command::Prove(args) => prove::run(client, args, json).await,
            Command::Reconcile(args) => reconcile::run(client, args, json).await,
            Command::Sweep(args) => sweep::run(client, args, json).await,
            Command::Systems(args) => systems::run(client, args, json).await,
            Command::Flows(args) => flows::run(client, args, json).await,
            Command::Subjects(args) => pauses::subjects(client, args, json).await,
            Command::Prices(args) => prices::run(client, args, json).await,
            Command::Audit(args) => audit::run(client, args, json).await,
            Command::Privacy(args) => privacy::run(client, args, json).await,
            Command::Backup(args) => backup::run(client, args, json).await,
        }
    })
}

/// The reason of whoever does something.
#[derive(Debug, clap::Args)]
pub struct Why {
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", value_parser = reason)]
    pub(super) why: String,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("write the reason: it stands in the audit".to_owned()),
        reason => Ok(reason.to_owned()),
    }
}

/// One flow at one shop; all where nothing is named.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// One flow; without it, all of them
    #[arg(long)]
    flow: Option<String>,
    /// One shop; without it, all of the flow's
    #[arg(long)]
    shop: Option<String>,
}

impl Place {
    /// What came of a work there; one that was refused as it was written may name what there is not.
    async fn judged(&self, client: &Client, asked: Result<Value, Failure>) -> Result<Value, Failure> {
        let named = [(Kind::Flow, self.flow.as_deref()), (Kind::Shop, self.shop.as_deref())];
        known::judged(client, asked, &named, |_| false).await
    }

    /// Put into a question.
    fn named(&self, asked: &mut Value) {
        for (key, value) in [("flow", &self.flow), ("shop", &self.shop)] {
            if let Some(value) = value {
                asked[key] = value.as_str().into();
            }
        }
    }
}

/// Works go on orders alone so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Domain {
    Orders,
}

/// Who asks, for the audit: the person behind `sudo`, or whoever is logged in. The hub's own name is no person's.
pub fn who() -> String {
    let mut known = ["SUDO_USER", "USER"].into_iter().filter_map(|name| std::env::var(name).ok());
    let person = |name: &String| !name.trim().is_empty() && name != "tidegate";
    known.find(person).unwrap_or_else(|| "operator".to_owned())
}

/// A query string of what is given.
fn query(parts: &[(&str, Option<&str>)]) -> String {
    let given = parts.iter().filter_map(|(name, value)| Some(format!("{name}={}", segment((*value)?))));
    given.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_may_be_called_anything() {
        assert_eq!(query(&[("name", Some("#10 &?/ü")), ("shop", None)]), "name=%2310%20%26%3F%2F%C3%BC");
    }

    #[test]
    fn every_command_can_be_asked() {
        <crate::cli::Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_reason_of_blanks_is_none() {
        assert!(reason("  ").is_err());
        assert_eq!(reason(" the price is right now "), Ok("the price is right now".to_owned()));
    }
}
