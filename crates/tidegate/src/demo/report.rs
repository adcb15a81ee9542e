//! What the play says while it goes on, on standard error: a bar on a terminal, lines elsewhere. The ledger comes last.

use super::ledger::{Ledger, OBJECTIVE_MS};
use super::stage::Stage;
use super::warehouse::StockLedger;
use super::{Args, stage};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use std::io::{IsTerminal as _, Write as _};

/// Tells.
#[derive(Debug)]
pub struct Teller {
    bar: ProgressBar,
    began: Timestamp,
    on_terminal: bool,
}

impl Teller {
    pub fn new() -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} orders placed  {per_sec}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, began: stage::now(), on_terminal }
    }

    fn say(&self, text: &str) {
        let after = stage::now().duration_since(self.began);
        let line = format!("{:>3} s  {text}", after.as_secs());
        if self.on_terminal {
            self.bar.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    pub(super) fn opening(&self, args: &Args, stage: &Stage) {
        self.bar.set_length(args.orders);
        self.say(&format!(
            "{} orders at {} a second, seed {}: a shop at {}, an ERP at {}, the hub at {}, its files in {}",
            args.orders,
            args.rate(),
            args.seed,
            stage.ground.shop.url(),
            stage.erp.url(),
            stage.ground.hub.url(),
            stage.ground.folder.display()
        ));
        if !args.calm {
            self.say("all the while webhooks are doubled, sent five at once, held back, sent late and old; 2 % never come");
        }
    }

    pub(super) fn stocked(&self, stock: &StockLedger) {
        self.say(&format!(
            "the shop sells what the warehouse has: {} pairs of item and location",
            stock.pairs
        ));
    }

    pub fn act(&self, text: &str) {
        self.say(text);
    }

    pub(super) fn placed(&self, placed: u64, of: u64) {
        self.bar.set_position(placed);
        if !self.on_terminal && placed.is_multiple_of((of / 5).max(1)) {
            self.say(&format!("{placed} of {of} orders placed"));
        }
    }

    pub(super) fn catching_up(&self) {
        self.say("all orders are placed; the hub catches up, the sweep looks for what no webhook told of");
    }

    pub fn missing(&self, missing: usize) {
        self.bar.set_message(format!("{missing} still to come"));
    }

    pub(super) fn ledger(&self, ledger: &Ledger, json: bool) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        eprintln!("{}", written(ledger, "the ERP's own books"));
        if json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", ledger.json()).context("standard output is closed")?;
        }
        Ok(())
    }

    pub(super) fn staying(&self, stage: &Stage, playground: &str) -> anyhow::Result<()> {
        let token = std::fs::read_to_string(stage.ground.token_file())?;
        eprintln!(
            "\nIt stays up until Ctrl-C. Break it yourself: {playground}\nThe hub's page: {}  (sign in with {})\nThe operator's commands: tidegate status -c {}",
            stage.ground.hub.url(),
            token.trim(),
            stage.ground.folder.join("tidegate.toml").display()
        );
        Ok(())
    }
}

/// For a person.
pub fn written(ledger: &Ledger, books: &str) -> String {
    let counts = &ledger.counts;
    let by = |map: &std::collections::BTreeMap<String, u64>| {
        let parts: Vec<String> = map.iter().map(|(name, count)| format!("{count} {name}")).collect();
        if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) }
    };
    let mut text = format!("\nThe ledger: what the shop created, against {books}\n\n");
    let mut row =
        |name: &str, count: String, note: String| text += &format!("  {name:<22} {count:>9}{note}\n");
    row("sent", counts.sent.to_string(), String::new());
    row("exported", counts.exported.to_string(), String::new());
    row("dead", counts.dead.to_string(), by(&ledger.dead_by_cause));
    row("filtered", counts.filtered.to_string(), by(&ledger.filtered_by_rule));
    row("doubled", counts.doubled.to_string(), String::new());
    row("lost", counts.lost.to_string(), String::new());
    row(
        "released by triage",
        counts.released.to_string(),
        "  of the exported: what they lacked came to exist".to_owned(),
    );
    row(
        "found by the sweep",
        counts.swept.to_string(),
        "  of the exported: some fact of theirs came by no webhook".to_owned(),
    );
    row("touched by hand", counts.hands.to_string(), String::new());
    row(
        "amounts",
        format!("{}/{}", ledger.amounts.compared - ledger.amounts.wrong, ledger.amounts.compared),
        "  sales whose gross is what the shop charges now".to_owned(),
    );
    row(
        "amounts by prove",
        format!("{}/{}", ledger.proved.compared - ledger.proved.wrong, ledger.proved.compared),
        format!("  {}", ledger.proved.sums.iter().map(added_up).collect::<Vec<_>>().join("; ")),
    );
    row(
        "tickets",
        ledger.amounts.tickets.to_string(),
        "  changed after the ERP had confirmed them: a person decides, by policy".to_owned(),
    );
    row(
        "numbers back",
        ledger.numbers_back.to_string(),
        "  orders that show the ERP's number in the shop".to_owned(),
    );
    row(
        "export lag p50 / p99",
        format!("{} / {}", seconds(ledger.lag_p50_ms), seconds(ledger.lag_p99_ms)),
        format!(
            "  objective {}, {}.{} % within; failures included",
            seconds(OBJECTIVE_MS),
            ledger.within_objective_per_mille / 10,
            ledger.within_objective_per_mille % 10
        ),
    );
    row(
        "out of order",
        ledger.out_of_order.to_string(),
        "  changes that came to the books after a newer one of their order".to_owned(),
    );
    row("hub killed", ledger.kills.to_string(), "  times, by SIGKILL".to_owned());
    row(
        "webhook requests",
        ledger.webhooks_sent.to_string(),
        format!("  {} of them copies, {} never sent", ledger.webhook_duplicates, ledger.webhooks_never_sent),
    );
    if let Some(stock) = &ledger.stock {
        row(
            "stock, pair by pair",
            format!("{}/{}", stock.pairs - stock.differing, stock.pairs),
            format!(
                "  sell in the shop what the warehouse has to sell; {} changes, {} of them told to nobody",
                stock.changes, stock.untold
            ),
        );
        row(
            "found by full check",
            stock.found.to_string(),
            format!("  pairs that differed; {} changes were in no list", stock.unlisted),
        );
        row("oversold", stock.oversold.to_string(), "  units that were sold and that nobody has".to_owned());
        row(
            "reserved",
            stock.reserved.to_string(),
            format!(
                "  orders at the warehouse, each once; {} asked for again, {} with an item that it has not",
                stock.asked_again, stock.unreserved
            ),
        );
    }
    if let Some(prices) = &ledger.prices {
        row(
            "carts answered",
            prices.carts.to_string(),
            format!(
                "  of {} lines in all, {} of them wrong; {} carts met a killed hub",
                prices.lines, prices.wrong, prices.unanswered
            ),
        );
        row(
            "cart p50 / p95 / p99",
            format!("{} / {} / {}", ms(prices.p50_us), ms(prices.p95_us), ms(prices.p99_us)),
            format!("  {} % within 300 ms", per_cent(prices.within_promise_per_mille)),
        );
        row(
            "priced by the ERP",
            prices.live.to_string(),
            format!(
                "  lines that it prices when asked; the list stood in for {} more, and said why",
                prices.fallback
            ),
        );
        let held = match prices.is_held {
            Some(true) => "held",
            Some(false) => "LIVE",
            None => "not tried",
        };
        row("every price halved", held.to_owned(), "  a load that nobody should have made".to_owned());
        row(
            "charged as agreed",
            prices.as_agreed.to_string(),
            format!(
                "  orders; {} were not, and a person is told why{}",
                prices.differing,
                by(&prices.by_cause)
            ),
        );
    }
    for wrong in &ledger.wrong {
        text += &format!("  ! {wrong}\n");
    }
    text += if ledger.holds() {
        "\nNothing lost, nothing doubled, every order accounted for."
    } else {
        "\nTHE LEDGER DOES NOT HOLD: see above; the hub's files were kept."
    };
    text
}

/// A sum of both sides as `prove` gives it.
fn added_up(sum: &serde_json::Value) -> String {
    let amount = |name: &str| sum[name]["amount"].as_str().unwrap_or("?").to_owned();
    format!(
        "{} charged - {} rightly not there - {} in the books = {} {}",
        amount("source"),
        amount("not_at_target"),
        amount("at_target"),
        amount("difference"),
        sum["source"]["currency"].as_str().unwrap_or_default()
    )
}

fn ms(us: u64) -> String {
    format!("{}.{:01} ms", us / 1000, us % 1000 / 100)
}

fn per_cent(per_mille: u64) -> String {
    format!("{}.{}", per_mille / 10, per_mille % 10)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}
