//! What an append and a claim cost as history grows: at the store's port, without HTTP. A store that is kept small is
//! asked beside the one that grows, turn by turn; the ratio of the two is the figure. Beside it: a hundred shops in place
//! of one, and what of a file stays when retention has been at it.

mod ground;
mod life;
mod order;
pub mod plot;
pub mod retention;
pub mod shops;

pub(super) use ground::opened;
pub(super) use order::fact_of;

use super::clock::{median, quartiles};
use super::figure::{Figure, Plotted};
use super::{Bench, PART_GROWTH as PART};
use engine::waits::span;
use ground::{Ground, Kind};
use life::{Life, Took};
use std::time::Duration;

/// Orders in one measured round, as a busy second brings them.
const ROUND: usize = 16;
/// Rounds at each size, each with a small store that is new, so that it stays small; those before them are not counted.
const SETS: usize = 3;
const ROUNDS: usize = 50;
const WARMING: usize = 5;
/// What a small store begins with; an order is ten rows.
const SMALL: usize = 1_000;

pub async fn measure(bench: &Bench, postgres: bool) -> anyhow::Result<Vec<Figure>> {
    let sizes: &[usize] = if bench.quick { &[1_000, 10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    let mut figures = Vec::new();
    for kind in kinds(postgres) {
        let (small, grows) = (kind.ground(bench, "small").await?, kind.ground(bench, "grows").await?);
        figures.extend(of_store(bench, kind, &small, &grows, sizes).await?);
        small.stop().await?;
        grows.stop().await?;
    }
    Ok(figures)
}

fn kinds(postgres: bool) -> impl Iterator<Item = Kind> {
    [Kind::Sqlite].into_iter().chain(postgres.then_some(Kind::Postgres))
}

async fn of_store(
    bench: &Bench,
    kind: Kind,
    small: &Ground,
    grows: &Ground,
    sizes: &[usize],
) -> anyhow::Result<Vec<Figure>> {
    let place = grows.fresh("growth_grows").await?;
    let mut many = Life::new(place.store.clone(), 1);
    let mut figures = Vec::new();
    for size in sizes {
        many.grow_to(*size, bench, kind.name()).await?;
        let (orders, rows) = (many.orders, place.rows().await?);
        grows.settle().await?;
        bench.tell(&format!("{}: {orders} orders, {rows} rows; now in turn with a small one", kind.name()));
        let mut pairs = Pairs::default();
        let mut small_rows = 0;
        for _ in 0..SETS {
            let beside = small.fresh("growth_small").await?;
            let mut few = Life::new(beside.store.clone(), 1);
            few.grow_to(SMALL, bench, kind.name()).await?;
            small.settle().await?;
            pairs.measure(&mut few, &mut many).await?;
            small_rows = beside.rows().await?;
            drop(few);
            beside.drop_it()?;
        }
        let beside = format!("a store of at most {small_rows} rows");
        let figure = |what: &'static str, of: fn(&Took) -> f64, target| {
            let store = kind.name();
            let name = format!("{store}, {what} at {rows} rows, {orders} orders");
            let mut figure = pairs.figure(PART, name, of, &beside).target(target);
            let (store, what, middle_half) = (store.to_owned(), what.to_owned(), quartiles(pairs.ratios(of)));
            figure.plotted = Some(Plotted { store, what, rows, middle_half });
            figure
        };
        figures.push(figure("append", |took| took.append, "within 1.5"));
        figures.push(figure("claim", |took| took.claim, "within 1.2"));
    }
    drop(many);
    place.drop_it()?;
    Ok(figures)
}

/// Rounds of two stores in turn: of the one that is the measure, and of the one that is in question.
#[derive(Debug, Default)]
struct Pairs(Vec<(Took, Took)>);

impl Pairs {
    /// Either begins every other time.
    async fn measure(&mut self, of: &mut Life, asked: &mut Life) -> anyhow::Result<()> {
        for round in 0..WARMING + ROUNDS {
            let pair = if round % 2 == 0 {
                let first = of.round(ROUND).await?;
                (first, asked.round(ROUND).await?)
            } else {
                let first = asked.round(ROUND).await?;
                (of.round(ROUND).await?, first)
            };
            if round >= WARMING {
                self.0.push(pair);
            }
        }
        Ok(())
    }

    fn ratios(&self, of: fn(&Took) -> f64) -> Vec<f64> {
        self.0.iter().map(|(measure, asked)| of(asked) / of(measure)).collect()
    }

    /// The median of the rounds' own ratios.
    fn figure(&self, part: &'static str, name: String, of: fn(&Took) -> f64, beside: &str) -> Figure {
        let ratios = self.ratios(of);
        let (low, high) = quartiles(ratios.clone());
        let middle =
            |side: fn(&(Took, Took)) -> &Took| median(self.0.iter().map(|pair| of(side(pair))).collect());
        let (measure, asked) = (middle(|pair| &pair.0), middle(|pair| &pair.1));
        Figure::new(part, name, median(ratios), "×").note(format!(
            "{asked:.2} to {measure:.2} ms for {ROUND}; middle half of {} rounds {low:.2} to {high:.2}; beside {beside}",
            self.0.len()
        ))
    }
}

/// For somebody who waits: how many of how many orders, how fast they go, how long it will take.
pub(super) fn how_far(name: &str, have: usize, of: usize, done: usize, took: Duration) -> String {
    let far = format!("{name}: {have} of {of} orders");
    if done == 0 {
        return far;
    }
    let a_second = done as f64 / took.as_secs_f64().max(0.001);
    let left_s = of.saturating_sub(have) as f64 / a_second;
    format!("{far}, {a_second:.0}/s, {} left", span((left_s * 1e3) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_it_is_and_how_long_it_will_take() {
        let told = how_far("SQLite", 30_000, 100_000, 20_000, Duration::from_secs(10));
        assert_eq!(told, "SQLite: 30000 of 100000 orders, 2000/s, 35 s left");
        assert_eq!(how_far("SQLite", 0, 10, 0, Duration::from_secs(10)), "SQLite: 0 of 10 orders");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_store_that_grew_holds_each_order_whole_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench { quick: true, folder: folder.path().to_owned(), orders: None };
        let ground = Kind::Sqlite.ground(&bench, "grows").await.unwrap();
        let place = ground.fresh("grows").await.unwrap();
        let mut life = Life::new(place.store.clone(), 3);
        let empty = place.rows().await.unwrap();
        life.grow_to(1_100, &bench, "SQLite").await.unwrap();
        let grown = place.rows().await.unwrap();
        life.round(ROUND).await.unwrap();
        let after_a_round = place.rows().await.unwrap();
        assert_eq!(after_a_round - grown, 10 * ROUND as u64, "ten rows an order");
        // What stands once for a shop besides: its topic.
        assert_eq!(grown - empty, 10 * 1_100 + 3);
        let size = place.store.log_size().await.unwrap();
        assert_eq!((size.envelopes, size.unrouted), (1_100 + ROUND as u64, 0));
        assert!(place.store.next_due().await.unwrap().is_empty(), "nothing waits");
    }
}
