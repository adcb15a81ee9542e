//! What was read is kept between runs: what a night takes then, and what is never believed.

use super::bulk::{in_bulk, lists};
use super::{charged, d, dry, list, many, of, options, plain, run, sent, shop, tiers};
use crate::support::call;
use async_trait::async_trait;
use domains::prices::{Rule, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tidegate_shopify::graphql::ShopClient;
use tidegate_shopify::prices::{HandMade, Memory, Options, Plan, Progress, Whole, Written, hydrate, plan};
use tokio::sync::Notify;
use twin::shop::catalogue::generated;
use twin::shopify::{ApiFault, BulkFault, Plan as ShopPlan, ShopifyTwin};

/// Outlives the runs.
#[derive(Debug, Default)]
struct Kept(Mutex<BTreeMap<u64, Vec<u8>>>);

#[async_trait]
impl Memory for Kept {
    async fn read(&self, list: u64) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.lock().unwrap().get(&list).cloned())
    }

    async fn write(&self, list: u64, record: Vec<u8>) -> Result<(), String> {
        self.0.lock().unwrap().insert(list, record);
        Ok(())
    }

    async fn keep_only(&self, lists: &BTreeSet<u64>) -> Result<(), String> {
        self.0.lock().unwrap().retain(|list, _| lists.contains(list));
        Ok(())
    }
}

impl Kept {
    fn damage(&self) {
        for record in self.0.lock().unwrap().values_mut() {
            let middle = record.len() / 2;
            record[middle] ^= 4;
        }
    }
}

/// With a memory that is empty.
fn with(options: Options) -> (Options, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    (Options { memory: Some(kept.clone()), ..options }, kept)
}

/// How often something was read in bulk.
fn reads_in_bulk(twin: &ShopifyTwin) -> u64 {
    twin.stats().api.get("bulkOperationRunQuery").copied().unwrap_or(0)
}

/// One price in a hundred is another.
fn night() -> Vec<Wanted> {
    let one = |location: u64| {
        let mut prices = many(1_000);
        prices.iter_mut().step_by(100).for_each(|(_, offer)| *offer = plain("77.00"));
        list(&format!("l{location}"), &[location], prices)
    };
    (1..=3).map(one).collect()
}

async fn killed(client: &Arc<ShopClient>, wanted: Vec<Wanted>, options: &Options) {
    let writing = Arc::new(Notify::new());
    let (told, other, how) = (writing.clone(), client.clone(), options.clone());
    let run = tokio::spawn(async move {
        let mut tell = |progress: &Progress<'_>| {
            if matches!(progress, Progress::Writing { done, .. } if *done > 0) {
                told.notify_one();
            }
        };
        hydrate(&other, &call(), &wanted, &how, &mut tell).await
    });
    writing.notified().await;
    run.abort();
    assert!(run.await.is_err_and(|error| error.is_cancelled()), "killed while it writes");
}

async fn planned(client: &Arc<ShopClient>, wanted: &[Wanted], options: &Options) -> Plan {
    plan(client, &call(), wanted, options, &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn a_second_run_sends_nothing_and_reads_no_price_and_a_night_reads_back_what_it_wrote() {
    let (twin, client) = shop(1_000, ShopPlan::Plus).await;
    let (options, _kept) = with(in_bulk());
    let first = run(&client, &lists(), &options).await;
    assert_eq!((first.unsettled, first.refused.as_slice(), first.notes.as_slice()), (0, &[][..], &[][..]));
    let (before, counts) = (reads_in_bulk(&twin), twin.price_counts());
    let again = run(&client, &lists(), &options).await;
    assert_eq!((sent(&again), again.plan.counts().same), (Written::default(), 3_000));
    assert_eq!((again.plan.basis.kept, again.plan.basis.whole.as_slice()), (3_000, &[][..]));
    assert_eq!(twin.price_counts(), counts);
    assert_eq!(reads_in_bulk(&twin) - before, 2, "catalogs and variants, and no price");

    let before = reads_in_bulk(&twin);
    let done = run(&client, &night(), &Options { direct_max: 100, ..options.clone() }).await;
    assert_eq!((done.written.calls, done.written.changes, done.unsettled), (3, 30, 0));
    assert_eq!(reads_in_bulk(&twin) - before, 3, "catalogs twice");
    assert_eq!(charged(&twin, 2, &generated::sku(101), 1).0, "77.00");
    let told = planned(&client, &night(), &Options { against_shop: true, ..options }).await;
    assert!(told.is_empty() && told.drift() == 0, "all of it is so: {told}");
    assert_eq!(told.basis.whole.len(), 3);
}

#[tokio::test]
async fn a_first_load_that_was_killed_goes_on_and_no_price_is_missed() {
    let (twin, client) = shop(1_000, ShopPlan::Plus).await;
    for _ in 0..3 {
        twin.order_bulk_fault(BulkFault::TimeOut { after: u64::MAX });
    }
    twin.order_bulk_fault(BulkFault::Hang { after: 1 });
    // Although it is not known of the lists that they are plain: they were made by the run that was killed.
    let wanted = || lists().into_iter().map(|one| Wanted { has_quantities: true, ..one }).collect::<Vec<_>>();
    let (options, _kept) = with(Options { again_max: 4, ..in_bulk() });
    killed(&client, wanted(), &options).await;
    let before = twin.price_counts().prices_set;
    assert!((250..3_000).contains(&before), "killed in the middle: {before}");
    let done = run(&client, &wanted(), &options).await;
    assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]));
    let why: BTreeSet<Whole> = done.plan.basis.whole.iter().map(|(_, why)| *why).collect();
    assert_eq!(why, [Whole::ManyOpen].into());
    assert_eq!(done.plan.drift(), 0, "its own prices are nobody else's");
    let counts = twin.price_counts();
    assert_eq!((counts.prices_set, counts.prices_set_again), (3_000, 0));
    let told = planned(&client, &wanted(), &Options { against_shop: true, ..options }).await;
    assert!(told.is_empty(), "{told}");
}

/// Whether the lost write was carried out or not: it is not believed, it is looked at.
#[tokio::test]
async fn a_night_that_was_killed_after_an_answer_was_lost_is_looked_at() {
    for (fault, written_before) in [(ApiFault::ErrorBefore, 0), (ApiFault::CutOff, 10)] {
        let (twin, client) = shop(1_000, ShopPlan::Plus).await;
        let (options, _kept) = with(Options { direct_max: 100, ..in_bulk() });
        run(&client, &lists(), &options).await;
        let before = twin.price_counts().prices_set;
        twin.turn_faults(|faults| faults.only = ["priceListFixedPricesUpdate".to_owned()].into());
        twin.fail_next(fault);
        killed(&client, night(), &options).await;
        let done = run(&client, &night(), &options).await;
        let basis = &done.plan.basis;
        assert!((10..=20).contains(&basis.again), "what was begun is read again: {basis:?}");
        assert_eq!(basis.kept + basis.again, 3_000, "{fault:?}");
        assert!(done.plan.counts().changes() <= 30 - written_before, "{fault:?}");
        let counts = twin.price_counts();
        assert_eq!((counts.prices_set - before, counts.prices_set_again), (30, 0), "{fault:?}");
        let told = planned(&client, &night(), &Options { against_shop: true, ..options }).await;
        assert!(told.is_empty() && told.drift() == 0, "{fault:?}: {told}");
    }
}

#[tokio::test]
async fn a_damaged_record_is_noticed_and_all_is_read() {
    let (twin, client) = shop(1_000, ShopPlan::Plus).await;
    let (options, kept) = with(in_bulk());
    run(&client, &lists(), &options).await;
    kept.damage();
    let done = run(&client, &night(), &options).await;
    let why: Vec<Whole> = done.plan.basis.whole.iter().map(|(_, why)| *why).collect();
    assert_eq!(why, [Whole::Damaged; 3]);
    assert!(done.plan.to_string().contains("3 read in whole, because what was kept of them is damaged"));
    assert_eq!((done.plan.counts().changes(), done.unsettled), (30, 0));
    assert_eq!(twin.price_counts().prices_set_again, 0);
    let next = run(&client, &night(), &options).await;
    assert_eq!((next.plan.basis.kept, next.plan.basis.whole.len()), (3_000, 0), "it is good again");
}

#[tokio::test]
async fn what_was_typed_by_hand_is_found_by_the_full_comparison_and_told_apart() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let wanted =
        |second: &str| vec![list("l", &[1], of(&[("SKU-0001", plain("7.00")), ("SKU-0002", plain(second))]))];
    let (options, _kept) = with(options());
    let compared = Options { against_shop: true, ..options.clone() };
    run(&client, &wanted("3.00"), &options).await;
    twin.price_by_hand("tidegate/l EUR", "SKU-0001", Some(d("1.00"))).unwrap();
    assert!(planned(&client, &wanted("3.00"), &options).await.is_empty(), "nobody looked");
    let done = run(&client, &wanted("3.30"), &compared).await;
    let told = &done.plan.catalogs[0];
    assert_eq!(
        (told.drift, told.counts.up),
        (1, 2),
        "one was typed, the other is another price of the owner"
    );
    let one = &told.drifted[0];
    assert_eq!((one.sku.as_deref(), one.from, one.to), (Some("SKU-0001"), Some(700), Some(100)));
    let text = done.plan.to_string();
    assert!(text.contains("1 prices were changed by somebody else"), "{text}");
    assert!(text.contains("SKU-0001 700 → 100"), "{text}");
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "7.00");
    // One that comes or goes is seen by the number of prices, without being asked for.
    twin.price_by_hand("tidegate/l EUR", "SKU-0003", Some(d("1.00"))).unwrap();
    let done = run(&client, &wanted("3.30"), &options).await;
    assert_eq!(done.plan.basis.whole, [("tidegate/l EUR".to_owned(), Whole::Count)]);
    assert_eq!((done.plan.drift(), done.plan.counts().gone), (1, 1));
    assert_ne!(charged(&twin, 1, "SKU-0003", 1).0, "1.00");
    assert!(dry(&client, &wanted("3.30")).await.is_empty());
}

#[tokio::test]
async fn where_the_policy_says_so_what_was_typed_by_hand_stays_and_is_told() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let wanted =
        |first: &str| vec![list("l", &[1], of(&[("SKU-0001", plain(first)), ("SKU-0002", plain("3.00"))]))];
    let (options, _kept) = with(Options { hand_made: HandMade::Stays, ..options() });
    let compared = Options { against_shop: true, ..options.clone() };
    run(&client, &wanted("7.00"), &options).await;
    twin.price_by_hand("tidegate/l EUR", "SKU-0001", Some(d("1.00"))).unwrap();
    twin.price_by_hand("tidegate/l EUR", "SKU-0003", Some(d("2.00"))).unwrap();
    let done = run(&client, &wanted("7.00"), &compared).await;
    assert_eq!((done.plan.drift(), sent(&done), done.unsettled), (2, Written::default(), 0));
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "1.00");
    // Every night it stays, and is not read for that; whoever asks is told again.
    let done = run(&client, &wanted("7.00"), &options).await;
    assert_eq!((done.plan.basis.whole.len(), done.plan.calls()), (0, 0));
    assert_eq!(run(&client, &wanted("7.00"), &compared).await.plan.drift(), 2);
    // Until the owner says another price.
    let done = run(&client, &wanted("6.00"), &options).await;
    assert_eq!((done.unsettled, done.refused.as_slice()), (0, &[][..]));
    assert_eq!(charged(&twin, 1, "SKU-0001", 1).0, "6.00");
    assert_eq!(charged(&twin, 1, "SKU-0003", 1).0, "2.00");
}

#[tokio::test]
async fn breaks_and_rules_are_kept_and_read_back_too() {
    let (twin, client) = shop(0, ShopPlan::Plus).await;
    let rule = Some(Rule { minimum: 2, maximum: None, increment: 2 });
    let wanted = |tenth: &str| {
        let offer = domains::prices::Offer { rule, ..tiers(&[("1", "9"), ("10", tenth)]) };
        vec![list("l", &[1], of(&[("SKU-0001", offer), ("SKU-0002", plain("3"))]))]
    };
    let (options, _kept) = with(options());
    run(&client, &wanted("8"), &options).await;
    let again = run(&client, &wanted("8"), &options).await;
    assert_eq!((again.plan.basis.kept, sent(&again)), (2, Written::default()));
    let done = run(&client, &wanted("7"), &options).await;
    assert_eq!((done.plan.counts().quantities, done.written.calls, done.unsettled), (1, 1, 0));
    assert_eq!(charged(&twin, 1, "SKU-0001", 10).0, "7.00");
    // All of it goes, and a night later nothing of it is asked for any more.
    let none = || vec![list("l", &[1], of(&[("SKU-0002", plain("3"))]))];
    run(&client, &none(), &options).await;
    let told = planned(&client, &none(), &options).await;
    assert!(told.is_empty() && told.basis.kept == 1, "{told}");
    assert!(planned(&client, &none(), &Options { against_shop: true, ..options }).await.is_empty());
}
