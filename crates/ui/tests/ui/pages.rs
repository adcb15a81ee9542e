//! What each page shows: what an operator needs, in words, and nothing of a payload.

use crate::desk::{Desk, Seen};
use crate::world::night::{night, rich};
use crate::world::{PERSONAL, To, subject};
use axum::http::StatusCode;
use kernel::envelope::Via;
use store::Store;
use store::log::Routed;

async fn by_night() -> Desk {
    let desk = Desk::signed_in().await;
    night(&desk.scribe(), &desk.stage).await;
    desk
}

async fn order(desk: &Desk, number: u32) -> Seen {
    desk.get(&format!("/orders/acme/{}", subject(number).key())).await
}

#[tokio::test]
async fn the_front_page_says_what_is_late_why_and_what_happens_next() {
    let page = by_night().await.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("14 changes are late.");
    page.says("13 changes for erp are late: over 1 min, the oldest by 11 min");
    page.says("waits for the breaker of erp: transient (http_502): erp answered 502 Bad Gateway");
    page.says("Next: erp is asked again by itself; then the oldest go first (in 24 s)");
    // Lag now and of the hour against the objective, throughput, hands.
    page.says("Lag now, p50 / p99");
    page.says("19 of 311 over 1 min");
    page.says("0 / min");
    page.says("0.32 % 1 of the newest 318 orders; goal under 0.1 %");
    page.says("objective 1 min");
    // Each system with its breaker.
    page.says("erp ■ breaker open");
    page.says("next probe in 24 s");
    page.says("shopify ▲ asked us to wait");
    page.says("wms ▲ paused");
    // Dead letters with cause, owner, what happens by itself, and a way to act.
    page.says("3 dead letters erp has no item \"SHADE-LINEN \", nor one other of that kind");
    page.says("looks again in 2 min 17 s and releases what waits once it exists");
    page.says("See, release or skip");
    page.says("orders/create");
}

#[tokio::test]
async fn the_front_page_works_without_a_script() {
    let page = by_night().await.get("/").await;
    assert!(page.body.contains("<noscript><meta http-equiv=\"refresh\""));
    assert!(page.body.contains("name=\"viewport\" content=\"width=device-width"));
    assert!(page.body.contains("<svg"));
}

#[tokio::test]
async fn a_fresh_installation_says_that_it_is_ready_and_every_page_has_its_empty_state() {
    let desk = Desk::signed_in().await;
    let front = desk.get("/").await;
    front.says("Ready. Nothing has arrived yet.");
    front.says("tidegate doctor");
    desk.get("/orders").await.says("Nothing is open: every change has ended.");
    desk.get("/orders?phase=late").await.says("Nothing is late.");
    desk.get("/dead-letters").await.says("No dead letters.");
    desk.get("/systems").await.says("Nothing yet.");
}

#[tokio::test]
async fn an_order_tells_its_whole_life_in_the_zone_of_its_shop() {
    let desk = by_night().await;
    let page = order(&desk, 1042).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    // In this order.
    let story = [
        "Times".to_lowercase().as_str(),
        "01:26:05 ○ Webhook orders/create from shopify",
        "orders_to_erp takes the order to erp",
        "create at erp: found by a look-up",
        "call key tg-",
        "time_out: erp did not answer within 10 s",
        "no clear answer came; a look-up found it done after 25 s",
        "SO-2026-01042 exists in erp",
        "quote at erp: done",
        "confirm at erp: done",
        "orders_to_erp: delivered",
        "27 s after the change",
        "An outcome became a fact: object/told",
        "erp_number_back takes the order to shopify",
        "set_metafields at shopify: done",
        "erp_number_back: delivered",
        "Webhook orders/updated from shopify",
        "orders_to_erp: unchanged",
        "erp has this state already: nothing was sent",
        "ada paused it",
        "customer asked to hold the delivery",
        "Found by the sweep of shopify: its webhook was missed",
        "about refund 8800",
        "orders_to_erp takes refund 8800 to erp",
        "Now: orders_to_erp waits for the breaker of erp",
        "(in 24 s)",
    ]
    .map(str::to_owned);
    let mut rest = text.as_str();
    for wanted in &story {
        let (_, after) =
            rest.split_once(wanted.as_str()).unwrap_or_else(|| panic!("{wanted:?} is not in:\n{rest}"));
        rest = after;
    }
    page.says("times in Europe/Amsterdam");
    page.says("Drawn at 02:13:05");
    page.says("Refund 8800 waits for the breaker of erp (in 24 s).");
    let life = desk.store.life(&crate::world::acme(), subject(1042).root()).await.unwrap();
    page.says(&life.envelopes[0].0.trace.to_string());
}

#[tokio::test]
async fn an_attempt_without_an_answer_and_a_dead_letter_say_what_to_do() {
    let desk = by_night().await;
    let unknown = order(&desk, 1500).await;
    unknown.says("create at erp: no answer yet");
    unknown.says("It cannot be skipped while an answer about it is awaited.");
    unknown.says_not("/skip\"");
    let dead = order(&desk, 1603).await;
    dead.says("The order waits for item \"SHADE-LINEN \" to exist in erp.");
    dead.says("create it in erp, or correct it in shopify; it is released by itself (owner: erp)");
    assert!(dead.body.contains("/release\""));
    let skipped = order(&desk, 1606).await;
    skipped.says("By ada: a test order of the agency.");
    skipped.says("Dead letter closed by ada");
    let unpaid = order(&desk, 1520).await;
    unpaid.says("The order waits for the order to be paid.");
    unpaid.says_not("badge bad");
    let paused = order(&desk, 1607).await;
    paused.says(
        "Paused by ada since 01:38:05: stock count until four in the morning. Goes on by itself at 04:23:05",
    );
}

#[tokio::test]
async fn a_fact_that_is_not_routed_and_one_that_no_flow_wants_say_so() {
    let desk = Desk::signed_in().await;
    let scribe = desk.scribe();
    let (about, at) = (subject(7), scribe.ago(1000));
    let position = scribe.fact(&about, "orders/create", Via::Webhook, at, at).await;
    let page = order(&desk, 7).await;
    page.says("received");
    page.says("committed to the log; to be routed");
    let routed = Routed::nothing(position);
    desk.store.route(vec![routed], scribe.now).await.unwrap();
    let page = order(&desk, 7).await;
    page.says("order 5600000000007 ○ not exported No export flow had to act on it.");
    page.says("no flow had to act on it");
}

#[tokio::test]
async fn orders_are_listed_with_what_they_wait_for_and_filtered() {
    let desk = by_night().await;
    let open = desk.get("/orders").await;
    open.says("#1505 ■ late the order to erp waits for the breaker of erp in 24 s");
    open.says("#1500 ■ late");
    open.says("#1520 ○ waiting the order to erp waits for the order to be paid");
    let late = desk.get("/orders?phase=late&system=erp").await;
    late.says("Late exports for erp");
    late.says_not("#1520");
    late.says_not("#1607");
    let unknown = desk.get("/orders?phase=unknown").await;
    unknown.says("#1500");
    unknown.says_not("#1501");
    let dead = desk.get("/orders?phase=dead&system=wms").await;
    dead.says("#1605 ■ dead letter");
    dead.says_not("#1601");
    let ended = desk.get("/orders?phase=ended").await;
    ended.says("erp has it");
    let next = desk.get(&ended.link("before=")).await;
    assert_eq!(next.status, StatusCode::OK);
    assert_ne!(next.text(), ended.text());
}

#[tokio::test]
async fn an_order_is_found_as_people_call_it() {
    let desk = by_night().await;
    let path = "/orders/acme/order%3A5600000001042";
    for text in [
        "%231042",
        "1042",
        "5600000001042",
        "+%231042+",
        "gid%3A%2F%2Fshopify%2FOrder%2F5600000001042",
        "https%3A%2F%2Fadmin.shopify.com%2Fstore%2Facme%2Forders%2F5600000001042",
    ] {
        let seen = desk.get(&format!("/orders?q={text}")).await;
        assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, path), "{text}");
    }
    let nothing = desk.get("/orders?q=%239999").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    nothing.says("“#9999” No order is known by that name or id.");
    nothing.says("the sweep finds it by itself");
}

#[tokio::test]
async fn an_unknown_order_gets_a_helpful_answer() {
    let desk = by_night().await;
    for path in ["/orders/acme/order%3A999", "/orders/elsewhere/999", "/orders/NOT%20A%20SHOP/999"] {
        let seen = desk.get(path).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
        seen.says("Nothing is known of order 999");
        seen.says("the sweep finds it by itself");
        assert!(seen.body.contains("action=\"/orders\""), "a field to search by");
    }
    let seen = desk.get("/dead-letters/group?system=erp&fingerprint=gone").await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND);
    seen.says("This group has no open dead letters");
}

#[tokio::test]
async fn dead_letters_are_grouped_and_a_group_says_what_it_awaits() {
    let desk = by_night().await;
    let page = desk.get("/dead-letters").await;
    page.says("5 dead letters, grouped by what caused them.");
    page.says("1 dead letter erp refused it: the period October 2026 is closed");
    page.says("wms was asked once and nobody knows whether it acted");
    page.says("#1606 orders_to_erp no tax with rate 19 % for DE closed by ada: a test order of the agency");
    let group = desk.get(&page.link("missing_item")).await;
    group.says("item \"LAMP-OAK-40\" 2 changes of acme wait for it next look in 2 min 58 s");
    group.says("looked 7 times");
    for name in ["#1601", "#1602", "#1603"] {
        group.says(name);
    }
    group.says_not("#1604");
}

#[tokio::test]
async fn systems_show_breaker_limit_backlog_pauses_and_the_audit() {
    let page = by_night().await.get("/systems").await;
    page.says("erp ■ breaker open transient (http_502): erp answered 502 Bad Gateway to “create” Next: next probe in 24 s");
    page.says("in work 0 of 8");
    page.says("orders_to_wms shopify to wms");
    page.says("ada paused system wms stock count until four in the morning");
    page.says("ada skipped delivery");
}

#[tokio::test]
async fn no_page_shows_a_payload_or_personal_data() {
    let desk = by_night().await;
    let mut paths: Vec<String> =
        ["/", "/orders", "/orders?phase=ended", "/orders?phase=dead", "/dead-letters", "/systems"]
            .map(str::to_owned)
            .into();
    let numbers = [1042, 1100, 1500, 1520, 1601, 1605, 1606, 1607];
    paths.extend(numbers.map(|number| format!("/orders/acme/{}", subject(number).key())));
    for path in paths {
        let seen = desk.get(&path).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}");
        for personal in PERSONAL {
            seen.says_not(personal);
        }
        // The source's id of the customer is nobody's business here either.
        seen.says_not("7001");
    }
}

#[tokio::test]
async fn what_a_shadow_would_have_sent_is_not_shown() {
    let desk = Desk::signed_in().await;
    let scribe = desk.scribe();
    let at = scribe.ago(5000);
    let would = store::delivery::Outcome::Shadowed { would: PERSONAL.join(" ") };
    scribe.order(9, at, To::erp(at).state(store::delivery::DeliveryState::Ended(would))).await;
    let page = order(&desk, 9).await;
    page.says("the flow runs in shadow: nothing was sent");
    page.says_not(PERSONAL[0]);
}

#[tokio::test]
async fn what_others_wrote_is_shown_as_text() {
    let desk = Desk::signed_in().await;
    let scribe = desk.scribe();
    rich(&scribe, 1042).await;
    let fault =
        kernel::fault::Fault::new(kernel::fault::FaultKind::Rejected, "x", "<script>alert(1)</script>");
    scribe.order(1, scribe.ago(1000), To::dead(fault)).await;
    let group = desk.get("/dead-letters").await.link("fingerprint=");
    for path in ["/", "/dead-letters", &group, "/orders/acme/5600000000001"] {
        let seen = desk.get(path).await;
        seen.says_not("<script>alert");
        seen.says("alert(1)");
    }
    let fingerprint = desk.get(&group).await.field("fingerprint");
    let fields = [
        ("system", "erp"),
        ("fingerprint", fingerprint.as_str()),
        ("count", "1"),
        ("why", "<script>alert(2)</script>"),
        ("sure", "yes"),
    ];
    desk.act("/dead-letters/skip", &fields).await;
    for path in ["/dead-letters", "/systems", "/orders/acme/5600000000001"] {
        let seen = desk.get(path).await;
        seen.says_not("<script>alert");
        seen.says("alert(2)");
    }
    let seen = desk.get("/orders?q=%3Cscript%3Ealert%3C%2Fscript%3E").await;
    seen.says_not("<script>alert");
}

#[tokio::test]
async fn the_flow_of_truth_is_a_picture_for_each_width_and_a_text() {
    let desk = Desk::signed_in().await;
    assert!(desk.get("/systems").await.body.contains("href=\"/flow-of-truth\""));
    let page = desk.get("/flow-of-truth").await;
    page.says("orders: shopify owns it");
    assert!(page.body.contains("erp &#60;live&#62;"), "{}", page.body);
    for width in ["wide", "narrow"] {
        let path = format!("/flow-of-truth/{width}.svg");
        assert!(page.body.contains(&path));
        let picture = desk.get(&path).await;
        assert_eq!(
            (picture.status, picture.headers["content-type"].as_bytes()),
            (StatusCode::OK, &b"image/svg+xml"[..])
        );
        picture.says(width);
        // It may style itself, and run nothing.
        let may = picture.headers["content-security-policy"].to_str().unwrap();
        assert!(may.contains("style-src 'unsafe-inline'") && may.contains("default-src 'none'"), "{may}");
        assert!(!may.contains("script-src"), "{may}");
    }
    assert_eq!(desk.get("/flow-of-truth/other.svg").await.status, StatusCode::NOT_FOUND);
    // No page of ours has such leave.
    assert!(!page.headers["content-security-policy"].to_str().unwrap().contains("unsafe-inline"));
    assert_eq!(Desk::new().get("/flow-of-truth/wide.svg").await.status, StatusCode::SEE_OTHER);
}
