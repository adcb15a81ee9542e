//! Every history of one order in the shop, up to a length, and every way in which its webhooks may come: in the end the ERP has one sale
//! of it, one document for each refund and payment, none for an edit, to the cent.
//!
//! What runs is the hub's own: intake, routing, the step function, facts, mappings, the connectors and the source, between the
//! look-alikes of shop and ERP; time is simulated, so that nothing waits ([`world`]). The judge knows the shop's own order and the
//! ERP's own books alone ([`judge`]).

mod arrival;
mod history;
mod judge;
mod performed;
mod planted;
mod play;
mod played;
mod world;

use arrival::Arrival;
use history::{Action, Confirmed, History, Start};
use judge::Sold;
use kernel::rng::{Rng as _, Seeded};
use played::Played;
use world::World;

/// Histories up to this length are played in every arrival.
const WHOLE: usize = 2;
/// Those of one action more in this many arrivals, drawn by a seed.
const DRAWN: usize = 2;
const SEED: u64 = 5;
/// What the numbers above come to; fewer would mean that the shop refuses what it allowed, or that something is left out.
const SEQUENCES: usize = 1_708;
/// Each a test of its own, so that the runner spreads them over the cores.
const SHARDS: usize = 4;

/// What is to be played: each history with each of its arrivals, or with some that the seed draws.
fn plays(whole: usize, longest: usize, drawn: usize) -> Vec<(History, Arrival)> {
    let mut rng = Seeded::new(SEED);
    let mut plays = Vec::new();
    for history in history::all(longest) {
        let mut arrivals = arrival::all(history.actions.len());
        if history.actions.len() > whole {
            for index in 0..drawn.min(arrivals.len()) {
                let left = (arrivals.len() - index) as u64;
                arrivals.swap(index, index + usize::try_from(rng.below(left)).unwrap());
            }
            arrivals.truncate(drawn);
        }
        plays.extend(arrivals.into_iter().map(|arrival| (history.clone(), arrival)));
    }
    plays
}

fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// `TIDEGATE_HISTORIES_WHOLE`, `…_LONGEST` and `…_DRAWN` play more of them.
async fn shard(number: usize) {
    let whole = setting("TIDEGATE_HISTORIES_WHOLE", WHOLE);
    let longest = setting("TIDEGATE_HISTORIES_LONGEST", WHOLE + 1);
    let plays = plays(whole, longest, setting("TIDEGATE_HISTORIES_DRAWN", DRAWN));
    let mut played = Played::default();
    for confirmed in [Confirmed::Never, Confirmed::AtOnce] {
        let mut world = World::open(confirmed, None).await;
        let ours = plays
            .iter()
            .enumerate()
            .filter(|(index, (history, _))| index % SHARDS == number && history.confirmed == confirmed);
        for (index, (history, arrival)) in ours {
            let found = play::play(&mut world, history, arrival, index as u64).await;
            played.counts(history, arrival, &found);
        }
    }
    println!("{played}");
    assert!(played.wrong.is_empty(), "{played}");
    played.is_enough(SEQUENCES / SHARDS);
}

macro_rules! shards {
    ($($name:ident: $number:literal),* $(,)?) => {
        $(#[tokio::test] async fn $name() { shard($number).await; })*
    };
}

shards! {
    each_history_leaves_one_sale_and_one_document_for_each_refund_and_payment_1: 0,
    each_history_leaves_one_sale_and_one_document_for_each_refund_and_payment_2: 1,
    each_history_leaves_one_sale_and_one_document_for_each_refund_and_payment_3: 2,
    each_history_leaves_one_sale_and_one_document_for_each_refund_and_payment_4: 3,
}

/// One of a draft, of these actions.
fn history(start: Start, actions: &[Action]) -> History {
    History { confirmed: Confirmed::Never, start, actions: actions.to_vec() }
}

#[tokio::test]
async fn the_judge_notices_a_cent_a_document_too_many_and_one_that_is_missing() {
    let mut world = World::open(Confirmed::Never, None).await;
    let history = history(Start::Authorised, &[Action::Capture, Action::RefundRestocked]);
    let found = play::play(&mut world, &history, &Arrival::Prompt, 1).await;
    assert_eq!(found.wrong, Vec::<String>::new());
    let (order, reference) = (found.order.clone(), judge::reference(&found.order));
    assert!(world.erp.misprice(&reference, rust_decimal::Decimal::new(1, 2)));
    let told =
        |world: &World, order: &twin::shop::Order| judge::judge(order, Sold::Must, &world.books(order));
    assert!(told(&world, &order)[0].contains("gross"), "{:?}", told(&world, &order));
    let mut other = (*order).clone();
    other.transactions.retain(|one| one.kind != twin::shop::TransactionKind::Capture);
    let wrong = told(&world, &other).join("; ");
    assert!(wrong.contains("payment"), "{wrong}");
    let mut other = (*order).clone();
    other.refunds.clear();
    let wrong = told(&world, &other).join("; ");
    assert!(wrong.contains("credit note"), "{wrong}");
    let books = judge::Books { sales: Vec::new(), ..world.books(&order) };
    assert_eq!(judge::judge(&order, Sold::Must, &books), ["the sale is missing"]);
}

#[tokio::test]
async fn planted_mistakes_of_refunds_and_edits_are_noticed() {
    let paid = history(Start::Authorised, &[Action::EditLess, Action::Capture, Action::RefundRestocked]);
    let called_off = history(Start::Unpaid, &[Action::Capture, Action::RefundKept, Action::Cancel]);
    for mistake in planted::ALL {
        let (history, arrival) = match mistake {
            planted::Mistake::BeforeItsOrder => (&called_off, Arrival::Backwards),
            _ => (&paid, Arrival::Prompt),
        };
        let mut world = World::open(Confirmed::Never, Some(mistake)).await;
        let found = play::play(&mut world, history, &arrival, 1).await;
        assert!(!found.wrong.is_empty(), "{mistake:?} goes unnoticed");
        let mut world = World::open(Confirmed::Never, None).await;
        let found = play::play(&mut world, history, &arrival, 1).await;
        assert_eq!(found.wrong, Vec::<String>::new(), "without {mistake:?}");
    }
}
