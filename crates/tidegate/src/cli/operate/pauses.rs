//! Holding back a system, a flow or one order, and letting it go on: one question for all three, with a reason and an
//! end. `tidegate subjects` is here, because it has nothing beside them.

use super::client::Client;
use super::page::{self, Page, at, text};
use super::{Why, who};
use crate::cli::Failure;
use serde_json::json;
use std::time::Duration;

/// Why, and for how long.
#[derive(Debug, clap::Args)]
pub struct Hold {
    #[command(flatten)]
    why: Why,
    /// It goes on by itself after so long: 90s, 15m, 2h, 7d; without it, when somebody resumes it
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasts: Option<Duration>,
}

/// As in the configuration.
fn duration(text: &str) -> Result<Duration, String> {
    kernel::flow::duration(text)
        .filter(|lasts| !lasts.is_zero())
        .ok_or_else(|| "write a number with its unit, as in 90s, 15m, 2h or 7d".to_owned())
}

pub async fn pause(client: &Client, scope: &str, name: &str, hold: &Hold, json: bool) -> Result<(), Failure> {
    let for_ms = hold.lasts.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
    let mut asked = json!({ "scope": scope, "name": name, "who": who(), "why": hold.why.why });
    if let Some(for_ms) = for_ms {
        asked["for_ms"] = for_ms.into();
    }
    let answer = client.post("/pauses", &asked).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let pause = &answer["pause"];
    let mut page = Page::new();
    let until = if pause["until"].is_null() {
        format!("until somebody says: tidegate {scope}s resume {name} --why …")
    } else {
        format!("until {} UTC", at(&pause["until"]))
    };
    page.line(format!("{} {} is paused {until}", text(&pause["scope"]), text(&pause["name"])));
    page.print();
    Ok(())
}

/// What is not paused is no failure: it goes on, as was wanted.
pub async fn resume(client: &Client, scope: &str, name: &str, why: &Why, json: bool) -> Result<(), Failure> {
    let asked = json!({ "scope": scope, "name": name, "who": who(), "why": why.why });
    let answer = client.post("/pauses/resume", &asked).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(if answer["resumed"] == true {
        format!("{scope} {name} goes on")
    } else {
        format!("{scope} {name} was not paused")
    });
    page.print();
    Ok(())
}

const EXAMPLES: &str = "\
Examples:
  tidegate subjects pause '#1001' --why \"the customer calls back\" --for 1d
  tidegate subjects resume acme/order:5678 --why \"they did\"";

/// One order and all that belongs to it: holding it back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Subjects {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Sends nothing for an order; what is for it waits
    Pause {
        #[command(flatten)]
        named: super::orders::Named,
        #[command(flatten)]
        hold: Hold,
    },
    /// Lets an order go on
    Resume {
        #[command(flatten)]
        named: super::orders::Named,
        #[command(flatten)]
        why: Why,
    },
}

pub async fn subjects(client: &Client, args: &Subjects, json: bool) -> Result<(), Failure> {
    match &args.which {
        Which::Pause { named, hold } => {
            let found = named.found(client).await?;
            // An order that has not come yet may be held; one of a shop that there is not would never be.
            named.shop_is_known(client).await?;
            pause(client, "subject", &found.subject(), hold, json).await
        }
        Which::Resume { named, why } => {
            let found = named.found(client).await?;
            resume(client, "subject", &found.subject(), why, json).await
        }
    }
}
