//! A round of the torture: orders at their pace, and what befalls the hub meanwhile, at instants that chance chooses.

use super::disk::SmallDisk;
use super::mood::{healthy, mood};
use super::server::Server;
use super::{Args, Tally};
use crate::demo::{Database, Ground, Played, Stage, pause, workload};
use kernel::rng::{Rng, Seeded};
use std::time::Duration;
use twin::shop::Mix;

/// What befalls the hub at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// SIGKILL, and it is started again after so long.
    Kill { away_ms: u64 },
    /// SIGKILL to one of several, which stays away while the others go on.
    KillOne { away_ms: u64 },
    /// SIGSTOP for longer than a lease, then SIGCONT.
    Freeze { for_ms: u64 },
    /// All connections to the store at once.
    Cut,
    /// SIGKILL to the PostgreSQL itself, which is started again after so long.
    KillServer { away_ms: u64 },
    /// No byte can be written until webhooks were refused for it, and for so long after. `killed`: the hub is, meanwhile.
    FillDisk { for_ms: u64, killed: bool },
}

/// For how long nodes are frozen: they wake to find their lanes taken over.
const FROZEN_MS: (u64, u64) = (7_000, 5_000);

/// What there is to be struck, beside the nodes.
pub(super) struct Struck<'a> {
    pub server: Option<&'a mut Server>,
    pub disk: Option<&'a mut SmallDisk>,
}

/// When, and what; in their order. Where there is a server or a disk, one blow is for it.
fn blows(
    rng: &mut Seeded,
    count: u32,
    span_ms: u64,
    several: bool,
    (server, disk): (bool, bool),
) -> Vec<(u64, Blow)> {
    let mut instants: Vec<u64> = (0..count).map(|_| rng.below(span_ms + 2_000)).collect();
    instants.sort_unstable();
    let blow = |instant: u64, rng: &mut Seeded| match several {
        false => Blow::Kill { away_ms: if instant.is_multiple_of(5) { 700 } else { 0 } },
        true => match rng.below(8) {
            0..=3 => Blow::KillOne { away_ms: rng.below(5_000) },
            4..=6 => Blow::Freeze { for_ms: FROZEN_MS.0 + rng.below(FROZEN_MS.1) },
            _ => Blow::Cut,
        },
    };
    let mut all: Vec<(u64, Blow)> =
        instants.into_iter().map(|instant| (instant, blow(instant, rng))).collect();
    // While orders still come, so that somebody is there to be refused.
    let at_ms = rng.below(span_ms / 2);
    if server {
        all.push((at_ms, Blow::KillServer { away_ms: rng.below(4_000) }));
    }
    if disk {
        all.push((at_ms, Blow::FillDisk { for_ms: rng.below(1_500), killed: rng.chance(500) }));
    }
    all.sort_by_key(|(instant, _)| *instant);
    all
}

/// One round: orders and blows, side by side.
pub(super) async fn round(
    args: &Args,
    tally: &mut Tally,
    stage: &mut Stage,
    played: &mut Played,
    rng: &mut Seeded,
    mut with: Struck<'_>,
) -> anyhow::Result<()> {
    stage.erp.turn(|knobs| *knobs = mood(rng, &healthy(knobs)));
    let span_ms = (args.orders * 1000 / args.rate).max(1000);
    let mut mix = Mix::demo();
    mix.change_delay_ms = (0, span_ms / 2);
    // Nobody adds items here.
    mix.unknown_sku = 0;
    let first = u64::from(tally.rounds - 1) * args.orders + 1;
    let orders = workload(rng.next_u64(), args.orders, first, 1000 / args.rate, mix);
    let Ground { shop, hub, database, .. } = &mut stage.ground;
    let shop = &*shop;
    let there = (with.server.is_some(), with.disk.is_some());
    let blows = blows(rng, args.kills, span_ms, hub.count() > 1, there);
    let strike_all = async {
        let mut at_ms = 0;
        for (instant, blow) in blows {
            while at_ms < instant {
                let step = (instant - at_ms).min(LOOK_MS);
                pause(Duration::from_millis(step)).await;
                at_ms += step;
                hub.back().await?;
            }
            match blow {
                Blow::Kill { away_ms } => {
                    hub.kill().await?;
                    pause(Duration::from_millis(away_ms)).await;
                    hub.start().await?;
                }
                Blow::KillOne { away_ms } => hub.kill_for(Duration::from_millis(away_ms)).await?,
                Blow::Freeze { for_ms } => hub.freeze_for(Duration::from_millis(for_ms))?,
                Blow::Cut => tally.cut += cut_all(database.as_ref()).await?,
                Blow::KillServer { away_ms } => {
                    if let Some(server) = &mut with.server {
                        server.kill()?;
                        tally.server_kills += 1;
                        pause(Duration::from_millis(away_ms)).await;
                        server.again().await?;
                    }
                }
                Blow::FillDisk { for_ms, killed } => {
                    if let Some(disk) = &mut with.disk {
                        let for_ = Duration::from_millis(for_ms);
                        let full = disk.fill_for(for_, killed, hub, shop).await?;
                        tally.disk_full += 1;
                        tally.refused += full.refused;
                        tally.recovered_ms = tally.recovered_ms.max(full.recovered_ms);
                    }
                }
            }
        }
        // Whoever sleeps sleeps out: its lease has to end before it wakes.
        while hub.is_short_of_nodes() {
            pause(Duration::from_millis(LOOK_MS)).await;
            hub.back().await?;
        }
        anyhow::Ok(())
    };
    let play_all = async {
        for (at, change) in orders {
            played.apply(shop, at, &change).await;
        }
    };
    let ((), struck) = tokio::join!(play_all, strike_all);
    struck?;
    stage.erp.turn(|knobs| *knobs = healthy(knobs));
    Ok(())
}

async fn cut_all(database: Option<&Database>) -> anyhow::Result<u32> {
    match database {
        Some(database) => database.cut().await,
        None => Ok(0),
    }
}

/// How often who is away or frozen is looked after.
const LOOK_MS: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_nodes_are_killed_frozen_and_cut_off_and_one_is_killed_alone() {
        let mut rng = Seeded::new(1);
        let blows_of = |several, rng: &mut Seeded| blows(rng, 100, 10_000, several, (false, false));
        let (one, many) = (blows_of(false, &mut rng), blows_of(true, &mut rng));
        assert!(one.iter().all(|(_, blow)| matches!(blow, Blow::Kill { .. })));
        let count = |of: fn(&Blow) -> bool| many.iter().filter(|(_, blow)| of(blow)).count();
        assert!(count(|blow| matches!(blow, Blow::KillOne { .. })) > 20);
        assert!(count(|blow| matches!(blow, Blow::Freeze { for_ms } if *for_ms > 6_000)) > 20);
        assert!(count(|blow| matches!(blow, Blow::Cut)) > 3 && many.is_sorted_by_key(|(at, _)| *at));
    }

    #[test]
    fn a_server_and_a_disk_are_struck_once_while_orders_come() {
        let struck = blows(&mut Seeded::new(3), 4, 10_000, true, (true, true));
        let at = |of: fn(&Blow) -> bool| {
            let mut found = struck.iter().filter(|(_, blow)| of(blow)).map(|(at, _)| *at);
            (found.next(), found.next())
        };
        for found in [
            at(|blow| matches!(blow, Blow::KillServer { .. })),
            at(|blow| matches!(blow, Blow::FillDisk { .. })),
        ] {
            assert!(matches!(found, (Some(at), None) if at < 5_000), "{found:?}");
        }
        assert!(struck.is_sorted_by_key(|(at, _)| *at));
    }
}
