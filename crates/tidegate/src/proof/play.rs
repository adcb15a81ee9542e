//! The play of a proof: what happens in the shop, to the hub and in the warehouse, side by side, until nothing is missing.

use super::stock::{self, Everyday, StockProof};
use super::{Day, Gate, Proof, System, flows};
use crate::demo::{Ground, Ledger, Played, new_folder, pause, reasons, workload};
use anyhow::Context as _;
use kernel::rng::{Rng as _, Seeded};
use std::time::Duration;
use twin::shop::Mix;
use twin::shopify::StockConfig;

/// Without headway: a real system takes up to ten seconds for an order, several queue up, and an unknown answer is looked up
/// after thirty-five.
const CATCH_UP: Duration = Duration::from_secs(120);

pub(super) async fn play<S: System>(system: &S, day: &Day) -> anyhow::Result<Proof> {
    let (name, connector) = (S::NAME, S::CONNECTOR);
    let seed = day.seed.unwrap_or_else(crate::wiring::clock::seed);
    let mut rng = Seeded::new(seed);
    system.known().await.with_context(|| {
        format!("{name} cannot be asked; start it by `cargo xtask services ensure {connector}`")
    })?;
    let gate = Gate::open(system.url(), seed).await?;
    let folder = new_folder(day.dir.clone())?;
    let shelves = if day.stock { stock::shelves(day.others) } else { StockConfig::default() };
    let office = system.office(gate.url());
    let mut ground = Ground::lay(folder, seed, true, &office, None, day.plan, shelves).await?;
    if day.stock {
        flows::configure(&ground.folder, connector, &system.as_source())?;
        system.configure(&ground.folder)?;
    }
    eprintln!("seed {seed}; the hub's files are in {}", ground.folder.display());
    ground.hub.start().await?;
    ground.subscribed().await?;
    let house = if day.stock { Some(system.house(&stock::skus(day.others)).await?) } else { None };
    let everyday = house
        .as_ref()
        .map(|house| Everyday::new(house, &ground.shop, day.others, day.free).waiting(S::GIVES_BACK_BEFORE));
    match &everyday {
        Some(everyday) => {
            everyday.prepare().await?;
            stock::ready(everyday, &ground).await?;
        }
        None => system.stocked().await?,
    }

    let mut played = Played::default();
    let span_ms = day.orders * 60_000 / day.per_minute;
    let orders = workload(rng.next_u64(), day.orders, 1, 60_000 / day.per_minute, mix(day.stock, span_ms));
    let mut instants: Vec<u64> = (0..day.kills).map(|_| span_ms / 10 + rng.below(span_ms * 8 / 10)).collect();
    instants.sort_unstable();
    let (shop, hub) = (&ground.shop, &mut ground.hub);
    let kills = async {
        let mut at_ms = 0;
        for instant in instants {
            pause(Duration::from_millis(instant - at_ms)).await;
            at_ms = instant;
            eprintln!("the hub is killed");
            hub.kill().await?;
            hub.start().await?;
        }
        anyhow::Ok(())
    };
    let sold = async {
        for (at, change) in orders {
            played.apply(shop, at, &change).await;
        }
    };
    let moves = async {
        let Some(everyday) = &everyday else { return anyhow::Ok(()) };
        everyday.changes(seed, day.changes, Duration::from_millis(span_ms)).await
    };
    let shipping = async {
        let Some(everyday) = &everyday else { return anyhow::Ok(()) };
        everyday.shipping().await
    };
    let until_evening = async {
        let ((), killed, moved) = tokio::join!(sold, kills, moves);
        if let Some(everyday) = &everyday {
            everyday.evening();
        }
        killed.and(moved)
    };
    gate.trouble(true);
    let (ended, shipped) = tokio::join!(until_evening, shipping);
    ended.and(shipped)?;
    gate.trouble(false);
    eprintln!("all orders are placed; {} answers and requests were lost on their way so far", gate.lost());
    let missing = async || match system.references().await {
        Ok(there) => played.missing(&ground.shop, &there),
        Err(_) => usize::MAX,
    };
    ground.caught_up(CATCH_UP, missing).await;
    let stock = match &everyday {
        Some(everyday) => {
            let (shop, hub) = (&ground.shop, &mut ground.hub);
            let killed = async {
                if S::GIVES_BACK_BEFORE && day.kills > 0 {
                    pause(Duration::from_secs(3)).await;
                    eprintln!("the hub is killed while units are given back");
                    hub.kill().await?;
                    hub.start().await?;
                }
                anyhow::Ok(())
            };
            gate.trouble(true);
            let (taken_off, killed) = tokio::join!(system.before_they_leave(shop, CATCH_UP), killed);
            gate.trouble(false);
            killed?;
            let taken_off = taken_off?;
            everyday.let_go();
            everyday.ship_rest(CATCH_UP).await?;
            let mut proof = everyday.agreed(CATCH_UP).await?;
            gate.trouble(true);
            let refunds = system.afterwards(&ground.shop, CATCH_UP).await?;
            gate.trouble(false);
            // What came back lies on its shelf again, and is sold.
            if refunds.is_some() {
                proof = everyday.agreed(CATCH_UP).await?;
            }
            Some(StockProof { sold_out: played.refused, refunds: refunds.or(taken_off), ..proof })
        }
        None => None,
    };
    let orders = ground.shop.orders();
    let records = system.records(&orders).await?;
    let proofs = ground.proofs().await?;
    let mut ledger = Ledger::of(&orders, &records.sales, &played, &reasons(&proofs));
    ledger.proved(&proofs);
    // The system has SKUs that the shop does not have, and parcels of earlier plays: what is amiss with ours, pairs and parcels
    // tell.
    ledger.stray(ground.letters(|flow| !stock::FLOWS.iter().any(|told| flow == told)).await?);
    ledger.kills = ground.hub.kills();
    ledger.webhooks(&ground.shop.stats().webhooks);
    drop(everyday);
    let proof = Proof { ledger, further: records.further, stock };
    ground.strike(day.dir.is_some() || !proof.holds()).await?;
    Ok(proof)
}

/// What the systems' test databases know: the twenty things, and taxes of 21 % and 9 %.
fn mix(stock: bool, span_ms: u64) -> Mix {
    let mix = Mix {
        vat_percent: (21, 9),
        unknown_sku: 0,
        poison: 0,
        gift_card_bought: 10,
        tip: 20,
        many_lines: 0,
        changed: 350,
        change_delay_ms: (0, span_ms / 4),
        ..Mix::demo()
    };
    // What has left cannot be edited or called off: where parcels leave, orders stay as they are. A line whose variant is gone sets
    // nothing aside in the shop, so that the system may rightly refuse it.
    if stock { Mix { changed: 0, null_variant: 0, ..mix } } else { mix }
}
