//! A hundred shops beside one with the same total: what an append and a claim take, and the processor time of whole
//! rounds, in turn.

use super::ground::{Ground, Kind};
use super::life::Life;
use super::{Pairs, ROUND, ROUNDS, SETS, kinds};
use crate::bench::clock::{median, quartiles};
use crate::bench::figure::Figure;
use crate::bench::{Bench, PART_SHOPS as PART};

const SHOPS: usize = 100;
/// Rounds whose processor time is looked at together.
const TOGETHER: usize = 10;

pub async fn measure(bench: &Bench, postgres: bool) -> anyhow::Result<Vec<Figure>> {
    let orders = bench.orders.unwrap_or(if bench.quick { 2_000 } else { 100_000 });
    let mut figures = Vec::new();
    for kind in kinds(postgres) {
        figures.extend(of_store(bench, kind, orders).await?);
    }
    Ok(figures)
}

async fn of_store(bench: &Bench, kind: Kind, orders: usize) -> anyhow::Result<Vec<Figure>> {
    let (of_one, of_many) = (kind.ground(bench, "one").await?, kind.ground(bench, "hundred").await?);
    let (one_place, many_place) = (of_one.fresh("one_shop").await?, of_many.fresh("hundred_shops").await?);
    let (mut one, mut many) =
        (Life::new(one_place.store.clone(), 1), Life::new(many_place.store.clone(), SHOPS));
    for (life, ground, name) in [(&mut one, &of_one, "one shop"), (&mut many, &of_many, "a hundred shops")] {
        life.grow_to(orders, bench, &format!("{}, {name}", kind.name())).await?;
        ground.settle().await?;
    }
    let (one_rows, many_rows) = (one_place.rows().await?, many_place.rows().await?);
    bench.tell(&format!("{}: {one_rows} rows of one shop, {many_rows} of a hundred", kind.name()));
    let (mut pairs, mut cpu) = (Pairs::default(), Vec::new());
    for _ in 0..SETS {
        pairs.measure(&mut one, &mut many).await?;
        for _ in 0..ROUNDS / TOGETHER {
            cpu.push((rounds(&mut one, &of_one).await?, rounds(&mut many, &of_many).await?));
        }
    }
    drop((one, many));
    one_place.drop_it()?;
    many_place.drop_it()?;
    of_one.stop().await?;
    of_many.stop().await?;
    let name = |what| format!("{}, {what} at {orders} orders of a hundred shops", kind.name());
    let beside = format!("one shop with as many orders ({one_rows} rows)");
    Ok(vec![
        pairs.figure(PART, name("append"), |took| took.append, &beside).target("≤ 1"),
        pairs.figure(PART, name("claim"), |took| took.claim, &beside).target("≤ 1"),
        of_cpu(name("processor time"), &cpu),
    ])
}

/// Processor time of an order's whole life, in milliseconds.
async fn rounds(life: &mut Life, ground: &Ground) -> anyhow::Result<f64> {
    let before = ground.cpu_s();
    for _ in 0..TOGETHER {
        life.round(ROUND).await?;
    }
    Ok((ground.cpu_s() - before) * 1e3 / (TOGETHER * ROUND) as f64)
}

fn of_cpu(name: String, cpu: &[(f64, f64)]) -> Figure {
    let ratios: Vec<f64> = cpu.iter().map(|(one, many)| many / one).collect();
    let (low, high) = quartiles(ratios.clone());
    let middle = |of: fn(&(f64, f64)) -> f64| median(cpu.iter().map(of).collect());
    let note = format!(
        "{:.2} to {:.2} ms an order, its whole life, this process and the server; middle half of {} {low:.2} to {high:.2}",
        middle(|pair| pair.1),
        middle(|pair| pair.0),
        cpu.len()
    );
    Figure::new(PART, name, median(ratios), "×").target("≤ 1").note(note)
}
