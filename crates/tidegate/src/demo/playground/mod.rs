//! What stays up at the end of the demo: a page on which anybody may break things, and see what becomes of the orders. Owns who does
//! what in which order: one hand does all that is pressed, lets the orders happen, brings back whom it killed, and counts. The hub
//! serves its own pages; this one is the demo's, and survives it.

mod buttons;
mod door;
mod figures;

use super::acts::add_surely;
use super::ledger::Ledger;
use super::play::{Played, workload};
use super::report::Teller;
use super::stage::{Stage, now, pause};
use anyhow::Context as _;
use buttons::{Asked, Button};
use figures::{Figures, Taken};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use twin::shop::{Change, Mix, Order, Trap, What};

/// So often it is counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// Between two orders of a hundred, and of those that keep coming.
const RUSH_MS: u64 = 20;
const STEADY_MS: u64 = 200;
/// Later changes of an order come within so long.
const CHANGES_MS: (u64, u64) = (1_000, 10_000);
/// What the hub has not got on with for so long once all is well again will not come.
const CATCH_UP: Duration = Duration::from_secs(180);
/// While somebody plays nobody waits longer for the stock to agree: the account says by what it does not.
const AGREES_WITHIN: Duration = Duration::from_secs(10);
/// A rest that lasts so many looks is one: the sweep comes every five seconds, and leaves what is younger than ten to its webhook.
const RESTS: u32 = 18;

/// A button that was pressed, and who waits for what came of it.
#[derive(Debug)]
struct Press {
    button: Button,
    done: oneshot::Sender<Result<(), String>>,
}

/// All that changes while somebody plays.
#[derive(Debug)]
struct Game<'a> {
    stage: &'a mut Stage,
    played: &'a mut Played,
    teller: &'a Teller,
    seed: u64,
    /// Of the next order.
    number: u64,
    /// What will happen in the shop; those of one instant in their order.
    to_come: BTreeMap<(Timestamp, u64), Change>,
    order: u64,
    /// Items of which the ERP does not know yet.
    unknown: Vec<String>,
    steady: bool,
    figures: Figures,
    /// Looks in a row at which nothing was under way.
    rests: u32,
    /// Something happened since the last ledger.
    stale: bool,
}

/// Until Ctrl-C; returns the ledger of all that happened, if anything did.
pub(super) async fn open(
    stage: &mut Stage,
    played: &mut Played,
    teller: &Teller,
    (seed, first): (u64, u64),
    ledger: &Ledger,
) -> anyhow::Result<Option<Ledger>> {
    let (presses, mut pressed) = mpsc::channel(8);
    let (shown, show) = watch::channel(serde_json::Value::Null);
    let door = door::open(presses, show, stage.ground.hub.url().to_owned()).await?;
    teller.staying(stage, door.url())?;
    let mut game = Game {
        stage,
        played,
        teller,
        seed,
        number: first,
        to_come: BTreeMap::new(),
        order: 0,
        unknown: Vec::new(),
        steady: false,
        figures: Figures { ledger: Some(Taken::of(ledger)), ..Figures::default() },
        rests: 0,
        stale: false,
    };
    let mut counted_at = now();
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        game.happens().await;
        game.stage.ground.hub.back().await?;
        if counted_at <= now() {
            counted_at = kernel::clock::after(now(), COUNT_EVERY);
            game.counts(&shown).await?;
        }
        tokio::select! {
            biased;
            stopped = &mut stop => {
                stopped?;
                break;
            }
            Some(press) = pressed.recv() => game.takes(press).await,
            () = pause(game.until_next(counted_at)) => {}
        }
    }
    drop(door);
    game.ends().await
}

impl Game<'_> {
    /// What is due in the shop.
    async fn happens(&mut self) {
        while let Some(next) = self.to_come.first_entry().filter(|next| next.key().0 <= now()) {
            let ((at, _), change) = next.remove_entry();
            self.played.apply(&self.stage.ground.shop, at, &change).await;
            self.stale = true;
        }
        if self.steady && self.to_come.len() < 25 {
            self.place(25, STEADY_MS, usual());
        }
    }

    fn until_next(&self, counted_at: Timestamp) -> Duration {
        let next = self.to_come.first_key_value().map_or(counted_at, |((at, _), _)| (*at).min(counted_at));
        Duration::try_from(next.duration_since(now())).unwrap_or(Duration::ZERO)
    }

    async fn takes(&mut self, press: Press) {
        let done = match press.button.press(self.stage, self.teller).await {
            Ok(None) => Ok(()),
            Ok(Some(asked)) => self.does(asked).await,
            Err(error) => Err(error),
        };
        (self.stale, self.rests) = (true, 0);
        // Whoever pressed it may have closed the page.
        let _ = press.done.send(done.map_err(|error| format!("{error:#}")));
    }

    async fn does(&mut self, asked: Asked) -> anyhow::Result<()> {
        match asked {
            Asked::Orders(count) => self.place(count, RUSH_MS, usual()),
            Asked::Poison => self.place(1, 0, Mix { poison: 1_000, ..plain() }),
            Asked::UnknownItem => self.place(1, 0, Mix { unknown_sku: 1_000, ..plain() }),
            Asked::ItemsAdded => self.add_items().await?,
            Asked::Steady => self.steady = !self.steady,
        }
        Ok(())
    }

    /// Those that orders wait for; of one that the ERP did not take the order waits on.
    async fn add_items(&mut self) -> anyhow::Result<()> {
        while let Some(sku) = self.unknown.last() {
            add_surely(self.stage, sku)
                .await
                .context("the ERP did not take them: press Well, and then this again")?;
            self.unknown.pop();
        }
        self.played.unknown_item.clear();
        Ok(())
    }

    fn place(&mut self, count: u64, interval_ms: u64, mix: Mix) {
        let mix = match self.stage.counter {
            // One currency and prices without tax, as the lists have them.
            Some(_) => Mix { presentment: 0, tax_included: 0, ..mix },
            None => mix,
        };
        let seed = self.seed.wrapping_add(self.number);
        for (at, mut change) in workload(seed, count, self.number, interval_ms, mix) {
            self.order += 1;
            if let What::Place(order) = &mut change.what {
                self.renews_items(order);
            }
            self.to_come.insert((at, self.order), change);
        }
        self.number += count;
    }

    /// An item that the ERP did not know once it may know by now: it gets a name that nobody has heard of.
    fn renews_items(&mut self, order: &mut Order) {
        if !order.traps.contains(&Trap::UnknownSku) {
            return;
        }
        let sku = format!("SKU-NEW-{}", self.order);
        for line in order.lines.iter_mut().filter(|line| line.sku.is_some()) {
            line.sku = Some(sku.clone());
        }
        self.unknown.push(sku);
        self.played.unknown_item.insert(order.id);
    }

    /// Looks, and takes the ledger where nothing is under way any more.
    async fn counts(&mut self, shown: &watch::Sender<serde_json::Value>) -> anyhow::Result<()> {
        self.figures.steady = self.steady;
        self.figures.look(self.stage, self.played).await;
        let at_rest = self.to_come.is_empty() && self.figures.at_rest(self.stage);
        self.rests = if at_rest { self.rests + 1 } else { 0 };
        if self.stale && self.rests >= RESTS {
            // A hub that cannot tell now is asked again at the next rest.
            if let Ok(ledger) = self.account(AGREES_WITHIN).await {
                self.figures.ledger = Some(Taken::of(&ledger));
                self.stale = false;
            }
            self.rests = 0;
        }
        // Plain data always serialises.
        shown.send_replace(serde_json::to_value(&self.figures).unwrap_or_default());
        Ok(())
    }

    /// Of every order; where there is a warehouse, after its nightly check.
    async fn account(&mut self, patience: Duration) -> anyhow::Result<Ledger> {
        if let Some(warehouse) = &mut self.stage.warehouse {
            warehouse.checked(&self.stage.ground, patience, self.teller).await?;
        }
        Ledger::take(self.stage, self.played).await
    }

    /// All is well again, what was to happen has happened, and the account is taken once more.
    async fn ends(mut self) -> anyhow::Result<Option<Ledger>> {
        if self.order == 0 && !self.stale {
            return Ok(None);
        }
        self.steady = false;
        self.to_come.retain(|_, change| !matches!(change.what, What::Place(_)));
        for button in [Button::HooksWell, Button::ErpWell] {
            button.press(self.stage, self.teller).await?;
        }
        self.add_items().await?;
        self.stage.ground.hub.start().await?;
        self.teller.catching_up();
        // Changes of orders that were never placed are none.
        for ((at, _), change) in std::mem::take(&mut self.to_come) {
            if self.stage.ground.shop.order(change.order_id).is_some() {
                self.played.apply(&self.stage.ground.shop, at, &change).await;
            }
        }
        self.stage.caught_up(self.played, CATCH_UP, Some(self.teller)).await;
        Ok(Some(self.account(CATCH_UP).await?))
    }
}

/// The usual day; what nobody can take comes by its own button.
fn usual() -> Mix {
    Mix { poison: 0, unknown_sku: 0, change_delay_ms: CHANGES_MS, ..Mix::demo() }
}

/// Nothing strange but what is asked for.
fn plain() -> Mix {
    Mix { poison: 0, unknown_sku: 0, ..Mix::plain() }
}
