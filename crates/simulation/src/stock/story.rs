//! What happens to the stock whatever the hub does: arrivals, sales elsewhere, parcels that leave; and how often the warehouse
//! fails to tell of it.

use super::back::Apart;
use super::bundles::Items;
use crate::life::FAULTS_FOR;
use crate::mix::Mix;
use crate::world::{Todo, World, ns};
use kernel::rng::{Rng, Seeded};
use std::time::Duration;

/// When it is asked first, where it has to be, and how often.
const FIRST_POLL: Duration = Duration::from_secs(3);
pub(super) const POLLED_EVERY: Duration = Duration::from_secs(25);
/// When the first full check begins.
const FIRST_CHECK: Duration = Duration::from_secs(200);

/// Shares are per mille.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StockMix {
    pub pairs: usize,
    /// What is sold as a bundle of the first pairs.
    pub bundles: usize,
    /// Places of the warehouse that are one to the shop; 0 is as 1.
    pub places: usize,
    /// How what lies there is divided over two of the shop's locations, as a flow's `outlets` say it after the name of the place.
    pub divided: Option<&'static str>,
    /// On each shelf at the beginning, at most.
    pub units: u64,
    /// The warehouse says how many units of this shop's orders its figures know of.
    pub counts: bool,
    /// Arrivals, and sales in other channels.
    pub moves: u32,
    /// Other channels sell from the same shelves.
    pub others: bool,
    pub ships: u32,
    /// In two parcels.
    pub splits: u32,
    pub push_lost: u32,
    pub push_late: u32,
    pub push_twice: u32,
    /// It tells by how much a level changed, and not the level.
    pub changes: bool,
    /// It neither pushes nor numbers its levels: it is asked, and the number is the clock's of whoever asks.
    pub polled: bool,
    /// Full checks are made.
    pub checks: bool,
    /// It only pushes: nobody asks it what it has, but for full checks and what is read on purpose.
    pub deaf: bool,
    /// How often somebody takes units off sale in the shop.
    pub by_hand: u32,
    /// Of what was shipped, parcels of which some units come back.
    pub returns: u32,
    /// The warehouse books what comes back by itself, and not by the hub's word.
    pub books_itself: bool,
    /// Orders that the warehouse refuses for a while.
    pub refuses: u32,
}

impl Mix {
    /// Much is shipped, and the warehouse's word of it comes late or never: what one planted bug needs.
    pub fn parcels() -> Self {
        let stock = StockMix {
            pairs: 1,
            units: 12,
            counts: true,
            moves: 8,
            ships: 1000,
            splits: 500,
            push_lost: 300,
            push_late: 600,
            ..StockMix::default()
        };
        // And what is to be set often waits for its next try.
        let (read_fails, refused, throttled) = (250, 300, 300);
        let faults = Self { read_fails, refused, throttled, ..Self::calm() };
        Self { orders: 15, changes_each: 3, stock: Some(stock), ..faults }
    }

    /// The mix of a seed with stock: that of the orders, and how the warehouse behaves.
    pub fn of_stock(rng: &mut Seeded) -> Self {
        let mut mix = Self::of(rng);
        let mut share = |most: u64| -> u32 {
            let level = rng.below(4);
            u32::try_from(if level == 0 { 0 } else { rng.below(most * level / 3 + 1) }).unwrap_or(0)
        };
        let (moves, ships, splits) = (share(12), 400 + share(600), share(500));
        let (push_lost, push_late, push_twice) = (share(400), share(500), share(300));
        mix.orders += 4;
        // What is carried out later than declared may double an order; that is the orders' own story.
        mix.very_late = 0;
        mix.late_apply = mix.late_apply.min(60);
        mix.outage = mix.outage.map(|outage| outage.min(Duration::from_secs(600)));
        let (pairs, units) = (1 + usize::try_from(rng.below(3)).unwrap_or(0), 2 + rng.below(12));
        let mut apart = Apart::of(rng);
        let (returns, refuses) = (apart.below(3), apart.below(3));
        let share = |level: u64, apart: &mut Apart, most: u64| {
            u32::try_from(if level == 0 { 0 } else { 1 + apart.below(most * level / 2) }).unwrap_or(0)
        };
        let (returns, refuses) = (share(returns, &mut apart, 700), share(refuses, &mut apart, 300));
        mix.stock = Some(StockMix {
            pairs,
            // Of what is drawn already, so that a seed without is the run that it was.
            bundles: if units % 3 == 0 { 1 + usize::try_from(units / 3 % 2).unwrap_or(0) } else { 0 },
            places: if units % 4 == 1 { 2 } else { 1 },
            divided: match units {
                2 | 12 => Some("WEB 70% + STORE 30%"),
                7 | 13 => Some("WEB + STORE 2"),
                _ => None,
            },
            units,
            counts: rng.chance(700),
            moves,
            others: rng.chance(400),
            ships,
            splits,
            push_lost,
            push_late,
            push_twice,
            // Of what is drawn already, as above.
            changes: splits % 3 == 2,
            // What a clock numbers that is behind another's is older: nodes' clocks are to be kept in step (ADR 0006).
            polled: splits % 3 == 1 && ships % 6 != 5 && !mix.clock_jumps && !mix.skew,
            checks: ships % 3 == 2,
            deaf: ships % 6 == 5,
            by_hand: if ships % 3 == 2 { 1 + ships % 4 } else { 0 },
            returns,
            books_itself: apart.chance(400),
            refuses,
        });
        mix
    }
}

/// Lays out what will happen at the warehouse.
pub(crate) fn plan(world: &mut World) {
    let Some(mix) = world.mix.stock.clone() else { return };
    let items = Items::new(mix.pairs, mix.bundles, mix.places, mix.divided);
    let mut stock = super::Stock { mix: mix.clone(), items: items.clone(), ..Default::default() };
    stock.shelf.counts = mix.counts;
    stock.apart = Apart::of(&world.rng);
    stock.refuses = mix.refuses > 0;
    let refusals_end = ns(FAULTS_FOR) / 2 + stock.apart.below(ns(FAULTS_FOR) / 3);
    (stock.shelf.items, stock.shop.items) = (items.clone(), items.clone());
    stock.shop.available = vec![0; items.len()];
    let bins = items.bins_in_all();
    for _ in 0..bins {
        let on_hand = i64::try_from(world.rng.below(mix.units + 1)).unwrap_or(0);
        let bin = super::shelf::Bin { on_hand, ..Default::default() };
        stock.shelf.bins.push(bin);
    }
    world.stock = Some(stock);
    for bin in 0..bins {
        world.at(1_000_000, Todo::ShelfMoves(bin, 0));
    }
    let within = ns(FAULTS_FOR) / 2;
    for _ in 0..mix.moves {
        let (at, bin) = (world.rng.below(within), world.rng.below(bins as u64));
        let units = 1 + i64::try_from(world.rng.below(4)).unwrap_or(0);
        let bin = usize::try_from(bin).unwrap_or(0);
        let others = mix.others && world.rng.chance(500);
        world.at(at, Todo::ShelfMoves(bin, if others { -units } else { units }));
    }
    if mix.refuses > 0 {
        world.at(refusals_end, Todo::RefusalsEnd);
    }
    if mix.polled {
        world.at(ns(FIRST_POLL), Todo::ShelfPoll);
    }
    if mix.checks {
        world.at(ns(FIRST_CHECK), Todo::FullCheck);
    }
    for _ in 0..mix.by_hand {
        let (at, item) = (world.rng.below(within), world.rng.below(items.len() as u64));
        let units = 1 + i64::try_from(world.rng.below(3)).unwrap_or(0);
        world.at(at, Todo::ShopByHand(usize::try_from(item).unwrap_or(0), units));
    }
}
