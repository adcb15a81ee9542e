//! A hundred million contract prices in memory: what they take, how long they are built, and what a cart of 100 lines costs, beside the
//! floor: the same look-ups in plain sorted arrays.
//!
//! `cargo run --release -p tidegate-price-store --example hundred-million -- [millions of prices] [millions of changes] [folder]`

#![expect(clippy::disallowed_methods, reason = "it measures time and prints it")]

mod book;
mod measure;
mod world;

use jiff::Timestamp;
use measure::{Cart, Clock, Spread, memory};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tidegate_price_store::{Guards, LoadRequest, Mode, Options, Outcome, PriceStore};
use world::World;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (millions, changes) = (number(100)?, number(10)?);
    let folder =
        arguments.next().map_or_else(|| std::env::temp_dir().join("tidegate-hundred-million"), PathBuf::from);
    let world = World::new(millions * 1_000_000);
    println!(
        "{} prices: {} lists, {} SKUs; 4 % have tiers, 2 % a validity",
        world.prices(),
        world.lists.len(),
        world.skus.len()
    );
    println!("before: {}", memory());

    let clock = Clock::start();
    let store = PriceStore::open(&folder, Options { guards: Guards::none() })?;
    if store.current().prices() == 0 {
        store.set_terms(world.terms().as_bytes(), "example", false, at(0))?;
        let outcome = store.load(request(Mode::All), world.rows(), at(1))?;
        let Outcome::Live { diff, .. } = outcome else { return Err("not live".into()) };
        println!("built from a stream, on the disk and live: {clock}; {} new", diff.total.new);
    } else {
        println!("opened again: {clock}");
    }
    told(&store);

    let version = store.current();
    let carts: Vec<Cart> = (0..2000).map(|cart| world.cart(&version, cart)).collect();
    let floor = book::Floor::of(&version);
    println!("\na cart of 100 lines, each asked in 3 lists (µs):");
    println!("  floor, sorted arrays, SKUs as numbers   {}", measure::each(&carts, |cart| floor.cart(cart)));
    drop(floor);
    println!(
        "  read model, SKUs as numbers             {}",
        measure::each(&carts, |cart| book::look_up(&version, cart))
    );
    println!(
        "  read model, SKUs as texts               {}",
        measure::each(&carts, |cart| book::look_up_texts(&version, cart))
    );
    println!(
        "  resolved by the rules, line by line     {}",
        measure::each(&carts, |cart| book::resolve(&version, cart, false))
    );
    println!(
        "  the same, the whole cart at once        {}",
        measure::each(&carts, |cart| book::resolve(&version, cart, true))
    );
    drop(version);

    under_load(&store, &world, &carts, changes * 1_000_000)?;
    let clock = Clock::start();
    store.merge(at(3))?;
    println!("\nmerged: {clock}");
    told(&store);
    drop(store);
    let clock = Clock::start();
    let store = PriceStore::open(&folder, Options { guards: Guards::none() })?;
    println!("\nopened again: {clock}");
    told(&store);
    Ok(())
}

/// Carts while a load goes live.
fn under_load(
    store: &PriceStore,
    world: &World,
    carts: &[Cart],
    changes: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    if changes == 0 {
        return Ok(());
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let clock = Clock::start();
            let outcome = store.load(request(Mode::Changes), world.changes(changes), at(2));
            done.store(true, Ordering::Release);
            outcome.map(|outcome| (outcome, clock.to_string()))
        });
        let mut spread = Spread::default();
        while !done.load(Ordering::Acquire) {
            for cart in carts {
                let began = Instant::now();
                let version = store.current();
                std::hint::black_box(book::resolve(&version, cart, true));
                spread.add(began.elapsed());
            }
        }
        let (outcome, took) = loading.join().map_err(|_| "the load panicked")??;
        let Outcome::Live { diff, .. } = outcome else { return Err("not live".into()) };
        println!(
            "\na load of {} changes, live after {took}, carts and all; carts meanwhile:",
            diff.total.changed()
        );
        println!("  resolved by the rules, a cart at once   {spread}");
        told(store);
        Ok(())
    })
}

fn told(store: &PriceStore) {
    let stats = store.stats();
    let per_price = stats.centibytes_per_price as f64 / 100.0;
    let dictionary = stats.dictionary_bytes as f64 / stats.prices.max(1) as f64;
    println!(
        "{} prices in {:.1} MB: {per_price:.2} bytes each, of which the dictionary {dictionary:.2}; at most {} layers; on the disk {:.1} MB; {}",
        stats.prices,
        stats.resident_bytes as f64 / 1e6,
        stats.layers_max,
        stats.disk_bytes as f64 / 1e6,
        memory()
    );
}

fn request(mode: Mode) -> LoadRequest {
    LoadRequest { source: "example".into(), by: "example".into(), note: None, mode, dry_run: false }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap_or(Timestamp::UNIX_EPOCH)
}
