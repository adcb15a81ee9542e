//! The bucket against a clock that is moved by hand.

use super::*;
use jiff::Timestamp;
use kernel::clock::Now;

#[derive(Debug, Default)]
struct Hand(Mutex<u64>);

impl Hand {
    fn advance(&self, wait: Duration) {
        *self.0.lock().unwrap() += u64::try_from(wait.as_nanos()).unwrap();
    }
}

impl Clock for Hand {
    fn now(&self) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH, mono: Mono(*self.0.lock().unwrap()) }
    }
}

fn standard() -> (Arc<Hand>, Arc<CostBucket>) {
    let clock = Arc::new(Hand::default());
    (clock.clone(), CostBucket::new(100, clock))
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Takes and forgets: as a call that was never answered.
fn spend(bucket: &Arc<CostBucket>, claim: Claim, cost: u32) {
    drop(bucket.take(claim, cost).unwrap());
}

#[test]
fn points_are_taken_before_and_come_back_by_the_second() {
    let (clock, bucket) = standard();
    spend(&bucket, Claim::LIVE, 1990);
    assert_eq!(bucket.take(Claim::LIVE, 100).unwrap_err(), ms(900));
    clock.advance(ms(899));
    assert_eq!(bucket.take(Claim::LIVE, 100).unwrap_err(), ms(1));
    clock.advance(ms(1));
    spend(&bucket, Claim::LIVE, 100);
    assert_eq!(bucket.status().available, 0);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(bucket.status(), ThrottleStatus { maximum: 2000, available: 2000, restore_rate: 100 });
    // What is dearer than the whole bucket takes all of it, and does not wait for ever.
    spend(&bucket, Claim::LIVE, 9000);
}

/// Two nodes, each with a bucket of its own that stands for the one of the shop.
#[test]
fn nodes_spend_together_what_one_would() {
    let clock = Arc::new(Hand::default());
    let buckets = [CostBucket::new(100, clock.clone()), CostBucket::new(100, clock.clone())];
    for bucket in &buckets {
        bucket.among(2);
    }
    let mut spent = 0;
    for second in 0..61 {
        for bucket in &buckets {
            while let Ok(taken) = bucket.take(Claim::LIVE, 10) {
                drop(taken);
                spent += 10;
            }
        }
        assert!(spent <= 2000 + second * 100, "{spent} points in {second} s");
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(spent, 2000 + 60 * 100, "and no less");
    // Of what Shopify says is left each takes its part, and all of it once the other has gone.
    let told = ThrottleStatus { maximum: 2000, available: 1000, restore_rate: 100 };
    buckets[0].take(Claim::LIVE, 10).unwrap().answered("Order", None, Some(told));
    assert_eq!(buckets[0].take(Claim::LIVE, 600).unwrap_err(), ms(2000));
    buckets[0].among(1);
    assert_eq!(buckets[0].take(Claim::LIVE, 600).unwrap_err(), ms(1000));
}

#[test]
fn an_answer_corrects_the_level_less_what_is_under_way() {
    let (_, bucket) = standard();
    let (first, second) = (bucket.take(Claim::LIVE, 500).unwrap(), bucket.take(Claim::LIVE, 300).unwrap());
    let told = |available| Some(ThrottleStatus { maximum: 4000, available, restore_rate: 200 });
    first.answered("Order", Some(480), told(3900));
    assert_eq!(bucket.status(), ThrottleStatus { maximum: 4000, available: 3600, restore_rate: 200 });
    assert_eq!((bucket.cost_of("Order", 500), bucket.cost_of("Other", 500)), (480, 500));
    second.answered("Other", None, told(3890));
    assert_eq!(bucket.status().available, 3890);
}

#[test]
fn what_was_not_sent_comes_back_and_what_was_not_answered_does_not() {
    let (_, bucket) = standard();
    bucket.take(Claim::LIVE, 500).unwrap().unsent();
    assert_eq!(bucket.status().available, 2000);
    spend(&bucket, Claim::LIVE, 500);
    assert_eq!(bucket.status().available, 1500);
    // It is not under way for ever: the next answer counts in full.
    let told = Some(ThrottleStatus { maximum: 2000, available: 1999, restore_rate: 100 });
    bucket.take(Claim::LIVE, 1).unwrap().answered("Shop", Some(1), told);
    assert_eq!(bucket.status().available, 1999);
}

#[test]
fn a_lower_priority_has_its_share_and_no_more() {
    let (clock, bucket) = standard();
    let sweep = Claim::sweep(25);
    for _ in 0..5 {
        spend(&bucket, sweep, 100);
    }
    // A quarter of 2,000 is spent; a quarter of 100 a second comes back.
    assert_eq!(bucket.take(sweep, 100).unwrap_err(), ms(4000));
    assert_eq!(bucket.status().available, 1500);
    spend(&bucket, Claim::LIVE, 1000);
    spend(&bucket, Claim::backfill(10), 100);
    clock.advance(ms(4000));
    spend(&bucket, sweep, 100);
    // Over a long time it is the share of what comes back.
    let mut calls = 0;
    for _ in 0..600 {
        clock.advance(ms(1000));
        while let Ok(taken) = bucket.take(sweep, 50) {
            drop(taken);
            calls += 1;
        }
    }
    assert!((295..=305).contains(&calls), "{calls} calls of 50 points in 600 s of 25 points");
    assert!(bucket.status().available > 1900);
}

#[test]
fn a_call_dearer_than_the_share_is_made_and_paid_off() {
    let (clock, bucket) = standard();
    let small = Claim::backfill(10);
    spend(&bucket, small, 900);
    let wait = bucket.take(small, 900).unwrap_err();
    assert_eq!(wait, ms(90_000));
    clock.advance(wait);
    spend(&bucket, small, 900);
}

#[test]
fn who_waits_goes_before_lower_priorities_but_not_for_ever() {
    let (clock, bucket) = standard();
    let sweep = Claim::sweep(50);
    spend(&bucket, Claim::LIVE, 2000);
    assert_eq!(bucket.take(Claim::LIVE, 400).unwrap_err(), ms(4000));
    clock.advance(ms(1000));
    // 100 points are there, and they are somebody's.
    assert_eq!(bucket.take(sweep, 50).unwrap_err(), ms(3000));
    clock.advance(ms(3000));
    spend(&bucket, Claim::LIVE, 400);
    // Live takes all that comes, for longer than a sweep may be held back; it was held back for 3 s already.
    let mut held = ms(3000);
    loop {
        let wait = bucket.take(Claim::LIVE, 100).unwrap_err();
        match bucket.take(sweep, 10) {
            Ok(taken) => break drop(taken),
            Err(_) => {
                clock.advance(wait);
                held += wait;
                spend(&bucket, Claim::LIVE, 90);
            }
        }
        assert!(held < Duration::from_secs(60), "a sweep is held back for ever");
    }
    assert!(held >= HELD_MAX, "{held:?}");
}

#[test]
fn a_backfill_is_held_back_by_a_sweep() {
    let (clock, bucket) = standard();
    spend(&bucket, Claim::LIVE, 2000);
    assert_eq!(bucket.take(Claim::sweep(50), 200).unwrap_err(), ms(2000));
    clock.advance(ms(500));
    assert_eq!(bucket.take(Claim::backfill(50), 10).unwrap_err(), ms(1500));
    spend(&bucket, Claim::LIVE, 10);
}

#[test]
fn a_storefront_goes_after_orders_and_before_stock_and_leaves_two_fifths() {
    let (clock, bucket) = standard();
    spend(&bucket, Claim::LIVE, 2000);
    assert_eq!(bucket.take(Claim::LIVE, 100).unwrap_err(), ms(1000));
    clock.advance(ms(500));
    assert_eq!(bucket.take(Claim::STOREFRONT, 10).unwrap_err(), ms(500), "the order's points");
    clock.advance(ms(500));
    spend(&bucket, Claim::LIVE, 100);
    assert_eq!(bucket.take(Claim::STOREFRONT, 100).unwrap_err(), ms(1000));
    clock.advance(ms(500));
    assert_eq!(bucket.take(Claim::STOCK, 10).unwrap_err(), ms(500), "the buyer's points");
    clock.advance(Duration::from_secs(60));
    for _ in 0..12 {
        spend(&bucket, Claim::STOREFRONT, 100);
    }
    assert!(bucket.take(Claim::STOREFRONT, 100).is_err());
    spend(&bucket, Claim::STOCK, 800);
}
