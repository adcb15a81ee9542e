//! `tidegate dead-letters`: what needs a person, grouped by cause; trying it again, or giving it up with a reason.

use super::client::Client;
use super::deliveries::{more, standing};
use super::edit::Edit;
use super::known::{Kind, judged};
use super::letters::{Selection, group_id};
use super::page::{self, Page, at, exactly, list, many, number, text};
use super::{Why, query, who};
use crate::cli::Failure;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate dead-letters list
  tidegate dead-letters show 4711
  tidegate dead-letters edit 4711 --field lines[0].sku=SKU-0001 --why \"misspelt in the shop\"
  tidegate dead-letters release 4711 --why \"price corrected\"
  tidegate dead-letters release --group 3d69a558 --why \"the period is open\"
  tidegate dead-letters skip 4711 --why \"entered by hand as S-1021\"

Release is safe at any time: what was sent before is looked up first. Skip gives a delivery up; it is never sent.
Edit without --field and --file opens the order in $EDITOR. What it becomes is held against docs/schema/order.schema.json; the
order as it came is kept, and the shop's next change of it takes the correction's place.";

/// Dead letters: what needs a person, by cause
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// The groups with their cause, and the newest letters
    List {
        /// For this system alone
        #[arg(long)]
        system: Option<String>,
        /// Of this flow alone
        #[arg(long)]
        flow: Option<String>,
        /// Of this shop alone
        #[arg(long)]
        shop: Option<String>,
        /// Those that were closed, with by whom and why
        #[arg(long)]
        closed: bool,
        /// So many letters
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Older than this delivery, as the page before says
        #[arg(long, value_name = "DELIVERY")]
        before: Option<i64>,
    },
    /// One, with every call that was made for it
    Show {
        /// By its number
        #[arg(value_name = "DELIVERY")]
        id: i64,
    },
    /// Its order is corrected by hand, and then delivered
    Edit(Edit),
    /// They are tried again, one after the other
    Release {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        why: Why,
    },
    /// They are closed without being delivered
    Skip {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        why: Why,
    },
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    match &args.which {
        Which::List { system, flow, shop, closed, limit, before } => {
            let (limit, before) = (limit.to_string(), before.map(|before| before.to_string()));
            let asked = query(&[
                ("system", system.as_deref()),
                ("flow", flow.as_deref()),
                ("shop", shop.as_deref()),
                ("closed", closed.then_some("true")),
                ("limit", Some(&limit)),
                ("before", before.as_deref()),
            ]);
            let asked = client.get(&format!("/dead-letters?{asked}")).await;
            let (flow, system, shop) = (flow.as_deref(), system.as_deref(), shop.as_deref());
            let named = [(Kind::Flow, flow), (Kind::System, system), (Kind::Shop, shop)];
            let none = |answer: &Value| list(&answer["letters"]).is_empty();
            let mut answer = judged(client, asked, &named, none).await?;
            name_groups(&mut answer);
            if json {
                page::json(&answer);
            } else {
                listed(&answer, *closed).print();
            }
            Ok(())
        }
        Which::Show { id } => {
            let letter =
                client.get(&format!("/dead-letters/{id}")).await.map_err(|failure| never(failure, *id))?;
            if json {
                page::json(&letter);
            } else {
                drawn(&letter).print();
            }
            Ok(())
        }
        Which::Edit(edit) => super::edit::run(client, edit, json).await,
        Which::Release { selection, why } => close(client, Closing::Release, selection, why, json).await,
        Which::Skip { selection, why } => close(client, Closing::Skip, selection, why, json).await,
    }
}

/// In the words of the command line.
fn never(failure: Failure, id: i64) -> Failure {
    match failure {
        Failure::NotFound(_) => Failure::NotFound(format!(
            "delivery {id} was never a dead letter; `tidegate dead-letters list` has all that are open"
        )),
        other => other,
    }
}

/// So that scripts can release what they read.
fn name_groups(answer: &mut Value) {
    for group in answer["groups"].as_array_mut().into_iter().flatten() {
        group["id"] = group_id(&text(&group["fingerprint"])).into();
    }
}

fn listed(answer: &Value, closed: bool) -> Page {
    let mut page = Page::new();
    let letters = list(&answer["letters"]);
    if letters.is_empty() {
        page.line(if closed { "no dead letter was closed" } else { "no dead letter is open" });
    }
    if !list(&answer["groups"]).is_empty() {
        groups(&mut page, list(&answer["groups"]));
        page.blank();
    }
    let rows = letters.iter().map(|letter| {
        let how = if letter["closed"].is_null() {
            text(&letter["fault"]["message"])
        } else {
            format!("closed by {}: {}", text(&letter["closed"]["who"]), text(&letter["closed"]["why"]))
        };
        vec![
            text(&letter["delivery"]),
            name(letter),
            text(&letter["shop"]),
            group_id(&text(&letter["fingerprint"])),
            at(&letter["dead_at"]),
            how,
        ]
    });
    page.table(&["delivery", "order", "shop", "group", "dead since (UTC)", "why"], rows.collect());
    more(&mut page, &answer["next"]);
    page
}

fn name(letter: &Value) -> String {
    match text(&letter["label"]) {
        label if label.is_empty() => text(&letter["subject"]["path"]),
        label => label,
    }
}

/// Also a part of the status.
pub fn groups(page: &mut Page, groups: &[Value]) {
    let rows = groups.iter().map(|group| {
        let cause = &group["cause"];
        vec![
            group_id(&text(&group["fingerprint"])),
            text(&group["count"]),
            text(&group["flow"]),
            text(&cause["cause"]),
            text(&cause["owner"]),
            next(group),
            at(&group["oldest"]),
        ]
    });
    page.table(&["group", "letters", "flow", "cause", "owner", "what to do", "since (UTC)"], rows.collect());
}

fn next(group: &Value) -> String {
    let advice = text(&group["cause"]["advice"]);
    match list(&group["awaited"]) {
        [] => advice,
        awaited => {
            let soonest = awaited.iter().map(|one| at(&one["next_look_at"])).min().unwrap_or_default();
            format!("{advice}; looked for again at {soonest}")
        }
    }
}

fn drawn(letter: &Value) -> Page {
    let mut page = Page::new();
    page.line(format!(
        "Delivery {} of {} ({}), {} at {}",
        text(&letter["delivery"]),
        name(letter),
        text(&letter["shop"]),
        text(&letter["flow"]),
        text(&letter["system"]),
    ));
    page.line(format!("dead since {} UTC", at(&letter["dead_at"])));
    let (fault, cause) = (&letter["fault"], &letter["cause"]);
    page.line(format!("cause  {}", text(&cause["cause"])));
    page.line(format!(
        "fault  {} ({}): {}",
        text(&fault["kind"]),
        text(&fault["code"]),
        text(&fault["message"])
    ));
    if !fault["field"].is_null() {
        page.line(format!("field  {}", text(&fault["field"])));
    }
    page.line(format!("owner  {}", text(&cause["owner"])));
    page.line(format!("to do  {}", text(&cause["advice"])));
    let fingerprint = text(&letter["fingerprint"]);
    page.line(format!("group  {} ({fingerprint})", group_id(&fingerprint)));
    let closed = &letter["closed"];
    if !closed.is_null() {
        page.line(format!(
            "closed {} UTC by {}: {}",
            at(&closed["at"]),
            text(&closed["who"]),
            text(&closed["why"])
        ));
    }
    if !letter["delivery_now"].is_null() {
        page.line(format!("now    {}", standing(&letter["delivery_now"])));
    }
    attempts(&mut page, list(&letter["attempts"]));
    page
}

fn attempts(page: &mut Page, attempts: &[Value]) {
    page.blank();
    if attempts.is_empty() {
        page.line("No call was made for it.");
        return;
    }
    let rows = attempts.iter().map(|attempt| {
        let fault = &attempt["fault"];
        let answer = match (attempt["ended_at"].is_null(), fault.is_null()) {
            (true, _) => "no answer yet".to_owned(),
            (false, true) => "done".to_owned(),
            (false, false) => {
                format!("{} ({}): {}", text(&fault["kind"]), text(&fault["code"]), text(&fault["message"]))
            }
        };
        vec![exactly(&attempt["started_at"]), text(&attempt["step"]), text(&attempt["call_key"]), answer]
    });
    page.table(&["call (UTC)", "step", "key", "answer"], rows.collect());
}

#[derive(Debug, Clone, Copy)]
enum Closing {
    Release,
    Skip,
}

async fn close(
    client: &Client,
    closing: Closing,
    selection: &Selection,
    why: &Why,
    json: bool,
) -> Result<(), Failure> {
    let mut asked = selection.asked(client).await?;
    asked["who"] = who().into();
    asked["why"] = why.why.as_str().into();
    let path = match closing {
        Closing::Release => "/dead-letters/release",
        Closing::Skip => "/dead-letters/skip",
    };
    let answer = selection.judged(client, client.post(path, &asked).await).await?;
    let count = number(&answer["count"]);
    if count == 0 && selection.one_by_one() {
        return Err(Failure::NotFound(
            "none of these is an open dead letter: nothing was done; `tidegate dead-letters show` says how one stands"
                .to_owned(),
        ));
    }
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    let letters = many(count, "dead letter");
    page.line(match closing {
        Closing::Release => format!("{letters} released: tried again, one after the other"),
        Closing::Skip => format!("{letters} skipped: never to be sent"),
    });
    page.print();
    Ok(())
}
