//! The night of 24 November: exports were on time until the ERP began to answer 502 and its breaker opened.

use super::{Scribe, Stage, To, answered, later, link, subject, system, well};
use engine::SystemView;
use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind};
use std::time::Duration;
use store::Store;
use store::delivery::{DeliveryKind, DeliveryState, EndedAttempt, Move, Outcome, Wait};
use store::operate::{By, Pause, PauseScope};
use store::query::DeliveryFilter;

const MINUTE: i64 = 60_000;

/// Everything at once.
pub(crate) async fn night(scribe: &Scribe<'_>, stage: &Stage) {
    exported(scribe).await;
    rich(scribe, 1042).await;
    late(scribe).await;
    dead(scribe).await;
    looked(scribe).await;
    by_hand(scribe).await;
    *stage.systems.lock().unwrap() = vec![
        SystemView {
            breaker: "open",
            breaker_opens_in_ms: Some(24_000),
            trouble: Some("transient (http_502): erp answered 502 Bad Gateway to “create”".into()),
            ..well("erp", 0, 8)
        },
        SystemView { throttled_for_ms: Some(1_400), ..well("shopify", 2, 4) },
        well("wms", 1, 4),
    ];
}

/// An hour of exports until nine minutes ago; a bump in the middle.
async fn exported(scribe: &Scribe<'_>) {
    let mut number = 1100;
    for minute in (9..60).rev() {
        let busy = 3 + (minute * 7 % 5) + if (20..30).contains(&minute) { 4 } else { 0 };
        for place in 0..busy {
            let at = scribe.ago(minute * MINUTE - place * 5_000);
            let bump = if (24..29).contains(&minute) { 9 } else { 1 };
            let lag =
                (900 + (minute * 131 + place * 977) % 2_600) * bump + if minute == 26 { 42_000 } else { 0 };
            scribe.order(number, scribe.ago(minute * MINUTE - place * 5_000 + lag), To::erp(at)).await;
            scribe.deliver("erp", at, at).await;
            number += 1;
        }
    }
}

/// An order with a long life: a doubt about its create, a look-up, two more steps, the number's way back, an echo, a
/// refund, and a person who looked after it.
pub(crate) async fn rich(scribe: &Scribe<'_>, number: u32) {
    let order = subject(number);
    let placed = scribe.ago(47 * MINUTE);
    let at = later(placed, 820);
    let position = scribe.fact(&order, "orders/create", Via::Webhook, placed, at).await;
    let routed = later(at, 35);
    scribe.route(&order, position, placed, routed, vec![To::erp(routed)]).await;

    let claim = scribe.claim("erp", routed).await;
    let create = scribe.begin(&claim, "create", 1, later(routed, 12)).await;
    let cut = later(routed, 10_012);
    let fault = Fault::new(FaultKind::Ambiguous, "time_out", "erp did not answer within 10 s");
    let found = later(cut, 15_400);
    let mut seen = EndedAttempt { id: create, ended_at: found, fault: Some(fault), by_look_up: Some(true) };
    let sale = link(&order, "SO-2026-01042", later(routed, 8_200));
    scribe.go(Move { ended: Some(seen.clone()), external: Some(sale), ..scribe.still(&claim, found) }).await;
    let quote = scribe.begin(&claim, "quote", 2, later(found, 30)).await;
    seen = answered(quote, later(found, 470));
    scribe.go(Move { ended: Some(seen), ..scribe.still(&claim, later(found, 470)) }).await;
    let confirm = scribe.begin(&claim, "confirm", 3, later(found, 500)).await;
    let done = later(found, 1_130);
    let step = Move {
        ended: Some(answered(confirm, done)),
        state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
        keep: false,
        ..scribe.still(&claim, done)
    };
    scribe.go(step).await;

    let told = scribe.fact(&order, "object/told", Via::Outcome, done, done).await;
    let back = To { kind: DeliveryKind::State, ..To::due("erp_number_back", "shopify", later(done, 20)) };
    scribe.route(&order, told, done, later(done, 20), vec![back]).await;
    let claim = scribe.claim("shopify", later(done, 20)).await;
    let set = scribe.begin(&claim, "set_metafields", 1, later(done, 25)).await;
    let written = later(done, 390);
    let step = Move {
        ended: Some(answered(set, written)),
        state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
        keep: false,
        ..scribe.still(&claim, written)
    };
    scribe.go(step).await;

    let echo = later(written, 2_100);
    let position = scribe.fact(&order, "orders/updated", Via::Webhook, written, echo).await;
    let unchanged = To::erp(echo).state(DeliveryState::Ended(Outcome::Unchanged));
    scribe.route(&order, position, echo, later(echo, 18), vec![unchanged]).await;
    let by = By {
        who: "ada".into(),
        why: "customer asked to hold the delivery".into(),
        at: scribe.ago(12 * MINUTE),
    };
    let pause = Pause { scope: PauseScope::Subject(order.clone()), by, until: Some(scribe.ago(9 * MINUTE)) };
    scribe.store.pause(pause).await.unwrap();
    let refund = order.child("refund", "8800");
    let at = scribe.ago(8 * MINUTE);
    let position = scribe.fact(&refund, "refunds/create", Via::Sweep, scribe.ago(11 * MINUTE), at).await;
    let event = To { kind: DeliveryKind::Event, ..To::erp(later(at, 22)) };
    scribe.route(&refund, position, scribe.ago(11 * MINUTE), later(at, 22), vec![event]).await;
}

/// Behind the breaker, and one whose answer is not known.
async fn late(scribe: &Scribe<'_>) {
    for number in 0..12_u32 {
        let at = scribe.ago(8 * MINUTE - i64::from(number) * 38_000);
        let to = To::erp(at);
        let to = match number {
            1..=3 => to.state(DeliveryState::Waiting {
                due_at: Some(scribe.ago(-14_000)),
                wait: Wait::Backoff { failures: 4, fault: FaultKind::Transient, code: "http_502".into() },
            }),
            _ => to,
        };
        scribe.order(1500 + number, at, to).await;
        if number == 0 {
            unanswered(scribe, at).await;
        }
    }
    let paid = DeliveryState::Waiting {
        due_at: None,
        wait: Wait::Condition { text: "the order to be paid".into() },
    };
    scribe.order(1520, scribe.ago(31 * MINUTE), To::erp(scribe.now).state(paid)).await;
}

/// The lane that is due has sent its create; nobody knows what came of it.
async fn unanswered(scribe: &Scribe<'_>, at: Timestamp) {
    let claim = scribe.claim("erp", at).await;
    scribe.begin(&claim, "create", 1, at).await;
    let settle = DeliveryState::Unknown { due_at: scribe.ago(-9_000), wait: Wait::Settle { not_there: 1 } };
    scribe.go(Move { state: Some(settle), keep: false, ..scribe.still(&claim, later(at, 10_000)) }).await;
}

async fn dead(scribe: &Scribe<'_>) {
    for (number, sku) in [(1601, "LAMP-OAK-40"), (1602, "LAMP-OAK-40"), (1603, "SHADE-LINEN ")] {
        let fault = Fault::new(FaultKind::Rejected, "missing_item", format!("no item with code {sku:?}"));
        let to = To::dead(fault.missing("item", sku).field("lines[0].sku"));
        scribe.order(number, scribe.ago(i64::from(1640 - number) * MINUTE), to).await;
    }
    let fault = Fault::new(FaultKind::Rejected, "closed_period", "the period October 2026 is closed");
    scribe.order(1604, scribe.ago(95 * MINUTE), To::dead(fault.field("invoice_date"))).await;
    let fault =
        Fault::new(FaultKind::Ambiguous, "unknown_answer", "the answer never came and cannot be looked up");
    let to = To { flow: "orders_to_wms", target: "wms", ..To::dead(fault) };
    scribe.order(1605, scribe.ago(22 * MINUTE), to).await;
}

/// Looks that found nothing, so that the next one lies ahead.
async fn looked(scribe: &Scribe<'_>) {
    for awaited in scribe.store.awaited(None, 10).await.unwrap() {
        let next = later(scribe.now, 96_000 + awaited.waiting * 41_000);
        for _ in 0..7 {
            let again = scribe.store.awaited_again(&awaited.shop, &awaited.system, &awaited.reference, next);
            again.await.unwrap();
        }
    }
}

async fn by_hand(scribe: &Scribe<'_>) {
    let fault = Fault::new(FaultKind::Rejected, "missing_tax", "no tax with rate 19 % for DE");
    scribe.order(1606, scribe.ago(160 * MINUTE), To::dead(fault.field("lines[1].tax"))).await;
    let letters = scribe.store.dead_letters(DeliveryFilter::default(), false).await.unwrap();
    let id = letters.iter().find(|letter| letter.label.as_deref() == Some("#1606")).unwrap().delivery;
    let by =
        |why: &str, minutes: i64| By { who: "ada".into(), why: why.into(), at: scribe.ago(minutes * MINUTE) };
    let which = DeliveryFilter { ids: vec![id], ..Default::default() };
    scribe.store.skip(which, by("a test order of the agency", 140)).await.unwrap();
    let pause = Pause {
        scope: PauseScope::System(system("wms")),
        by: by("stock count until four in the morning", 35),
        until: Some(later(scribe.now, 2 * 3_600_000 + Duration::from_secs(600).as_millis() as u64)),
    };
    scribe.store.pause(pause).await.unwrap();
    scribe
        .order(1607, scribe.ago(20 * MINUTE), To::due("orders_to_wms", "wms", scribe.ago(20 * MINUTE)))
        .await;
}
