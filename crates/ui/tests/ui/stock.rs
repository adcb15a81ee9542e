//! The page of stock, and how stock reads on the others: what an operator who is asked "why is it sold out?" sees.

use crate::desk::{Desk, TOKEN};
use crate::world::stock::{due, flow_of_stock, pair, stock_room};
use axum::http::StatusCode;
use engine::overview::Accepted;
use engine::work::drift::{Checked, Difference, Report, keep};
use engine::work::stock_now::{Answered, LooksNow, StockNow};
use kernel::fault::{Fault, FaultKind};
use kernel::subject::Subject;
use std::sync::atomic::Ordering;
use store::Store;
use store::delivery::DeliveryState;
use store::operate::{By, Pause, PauseScope};

async fn by_day() -> Desk {
    let desk = Desk::signed_in().await;
    stock_room(&desk.scribe()).await;
    desk
}

const COLOGNE: &str = "/orders/acme/ats%3ALAMP-OAK-40%40K%25C3%2596LN";

#[tokio::test]
async fn each_location_says_what_the_source_has_what_the_shop_was_set_to_and_how_it_stands() {
    let page = by_day().await.get("/stock?sku=LAMP-OAK-40").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("WH-1 acme ● told on hand 120 reserved 7 safety 2 counted 5 available 111 set in shop 110");
    page.says(
        "1 of 6 committed units are held back, because the source has not counted them: 111 - 1 = 110.",
    );
    page.says("Changed 01:47:05 (26 min ago) at wms Set 01:47:06 (25 min ago) in shopify");
    // Term by term, in the words of the command.
    page.says("120 on hand -7 reserved at the source -2 kept back by the rule \"2\" 111 available");
    page.says("5 units of this shop's unshipped orders are in these figures already");
    // Units of the source, and what waits for what.
    page.says(
        "WH-2 acme ■ late on hand 3 case reserved 1 case safety 2 counted – available 22 set in shop 33",
    );
    page.says("36 on hand: 3 case, by the rule \"case = 12 each\"");
    page.says("waits for");
    page.says("until 02:13:19 (in 14 s)");
    // Dead with its cause, and the way to act.
    page.says("KÖLN acme ■ dead letter");
    page.says("shopify has no variant \"LAMP-OAK-40\"");
    page.says("its life; release or skip");
    assert!(page.body.contains(COLOGNE), "{}", page.body);
    page.says("WH-3 acme ○ shadowed");
    page.says("The flow runs in shadow: nothing was sent.");
}

/// A shop that has something else than it is to have at one place, and does not answer of the others.
#[derive(Debug)]
struct Shop;

#[async_trait::async_trait]
impl LooksNow for Shop {
    async fn now(&self, subjects: &[Subject]) -> Vec<StockNow> {
        let now = |subject: &Subject| match subject.path.ends_with("@WH-1") {
            true => StockNow {
                answered: Answered::Answered,
                available: Some(9_999),
                committed: Some(6),
                in_flight: Some(1),
                to_show: Some(110),
                since: Some("2026-11-24T00:13:05Z".parse().unwrap()),
                history_url: Some("https://admin.shopify.com/history".to_owned()),
                why: Some("changed_in_shop"),
                terms: vec!["         110  to show in Shopify".to_owned()],
                ..StockNow::default()
            },
            false => StockNow::unreachable("no answer within 4 s"),
        };
        subjects.iter().map(now).collect()
    }
}

#[tokio::test]
async fn what_the_shop_has_now_stands_beside_it_and_a_shop_that_does_not_answer_fails_no_page() {
    let mut flow = flow_of_stock();
    let shop = kernel::id::ShopId::new("acme").unwrap();
    flow.now.insert(shop, std::sync::Arc::new(Shop));
    let desk = Desk::with(vec![flow]);
    desk.sign_in(TOKEN).await;
    stock_room(&desk.scribe()).await;
    let page = desk.get("/stock?sku=LAMP-OAK-40").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("safety 2 counted 5 available 111 in flight 1 to show 110 in shop now 9999 committed 6 set in shop 110");
    page.says("What the shop has is not what it is to have: changed in the shop by somebody else.");
    page.says("In the shop since 01:13:05 (1 h ago) its history there");
    page.says("111 available 5 units of this shop's unshipped orders are in these figures already 110 to show in Shopify");
    page.says("The shop could not be asked what it has now: no answer within 4 s");
    assert!(page.body.contains("data-refresh-s=\"60\""), "a shop is not asked every ten seconds");

    let page = desk.get("/stock?sku=LAMP-OAK-40&offline=true").await;
    page.says("The shop was not asked what it has now: it was not to be asked.");
    page.says_not("9999");
}

#[tokio::test]
async fn what_is_on_its_way_is_shown_with_its_date_and_what_may_be_sold_then() {
    let desk = Desk::signed_in().await;
    let scribe = desk.scribe();
    let level =
        r#""on_hand": 5, "incoming": [{"quantity": "40", "at": "2026-12-01T00:00:00Z"}, {"quantity": 7}]"#;
    scribe.level("LAMP", "WH-1", level, scribe.ago(5000), due(scribe.now), None).await;
    desk.get("/stock?sku=LAMP").await.says("Comes 1 Dec 01:00:00");
    desk.get("/stock?sku=LAMP").await.says("40 more, 43 available then");
    desk.get("/stock?sku=LAMP").await.says("Comes 7 more; the source says no date");
}

#[tokio::test]
async fn an_outlet_is_told_by_its_part_and_not_by_the_whole() {
    let desk = by_day().await;
    let at = desk.scribe().ago(60_000);
    let level = r#""on_hand": "120", "reserved": 7"#;
    desk.scribe().level("LAMP-ASH-40", "WEB", level, at, due(at), None).await;
    let page = desk.get("/stock?sku=LAMP-ASH-40").await;
    page.says("available 78 set in shop –");
    page.says("It shows 70 % of what is free where it lies for several locations");
    page.says_not("<dt>on hand</dt>");
    // The whole is in the terms.
    page.says("120 on hand -7 reserved at the source -2 kept back by the rule \"2\" 111 available");
}

#[tokio::test]
async fn an_unknown_sku_gets_a_clear_sentence() {
    let desk = by_day().await;
    let page = desk.get("/stock?sku=lamp-oak-40").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.says("Nothing was ever told of the SKU “lamp-oak-40”.");
    page.says("Capitals count.");
    assert!(!page.body.contains("data-refresh-s"), "what is not there is not asked for again");
    let hostile = desk.get("/stock?sku=%3Cscript%3Ealert(1)%3C/script%3E").await;
    hostile.says_not("<script>alert");
    // An order is no stock, however it is called.
    desk.scribe().order(1, desk.scribe().ago(1000), crate::world::To::erp(desk.scribe().now)).await;
    assert_eq!(desk.get("/stock?sku=%231").await.status, StatusCode::NOT_FOUND);
    let life = desk.get("/orders/acme/ats%3ANO-SUCH%40WH-1").await;
    assert_eq!(life.status, StatusCode::NOT_FOUND);
    life.says("Nothing was ever told of NO-SUCH at WH-1 of shop acme.");
}

#[tokio::test]
async fn without_a_flow_of_stock_its_page_says_what_to_add_and_is_not_in_the_navigation() {
    let desk = Desk::with(vec![]);
    desk.sign_in(TOKEN).await;
    assert!(!desk.get("/").await.body.contains("href=\"/stock\""));
    let page = desk.get("/stock").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("No flow moves stock. Add one of domain inventory");
    page.says("tidegate check");
    page.says_not("name=\"sku\"");
    assert!(Desk::signed_in().await.get("/").await.body.contains("href=\"/stock\""));
    assert_eq!(Desk::new().get("/stock").await.status, StatusCode::SEE_OTHER, "it wants a session");
}

#[tokio::test]
async fn the_drift_is_a_table_and_a_plot() {
    let page = by_day().await.get("/stock").await;
    page.says("stock_to_shopify at acme");
    assert_eq!(page.body.matches("<svg").count(), 2, "a wide and a narrow one");
    assert_eq!(page.body.matches("<circle").count(), 2 * 14);
    page.says("1,244 differences (1,240 differ, 4 not in the shop)");
    let words = "Differences that 14 full checks of stock_to_shopify at acme found, over time: 3 of them found any; the last found 0.";
    assert!(page.body.contains(words), "{}", page.body);
    page.says("03:43:05 1,244 1,240 differ, 4 not in the shop 1,244 100,000 / 99,996 ada: a full check");
    page.says("3 2 differ, 1 only in the shop only told 100,012 / 100,013");
    page.says("none 0 100,000 / 100,000");
    let fresh = Desk::signed_in().await.get("/stock").await;
    fresh.says("No full check has been made yet. tidegate reconcile inventory --dry-run");
    assert!(!fresh.body.contains("<svg"));
}

#[tokio::test]
async fn each_flow_and_shop_has_a_plot_of_its_own() {
    let mut both = flow_of_stock();
    let other = kernel::id::ShopId::new("other").unwrap();
    both.shops.push(other.clone());
    let desk = Desk::with(vec![both]);
    desk.sign_in(TOKEN).await;
    stock_room(&desk.scribe()).await;
    let checked = Checked {
        flow: "stock_to_shopify".to_owned(),
        shop: "other".to_owned(),
        began: desk.scribe().now,
        who: "ada".to_owned(),
        why: "a full check".to_owned(),
        source: 7,
        shop_has: 7,
        ..Checked::default()
    };
    let report = Report { checked, ..Report::default() };
    keep(desk.store.as_ref(), (&flow_of_stock().name, &other), report, desk.scribe().now).await.unwrap();
    let page = desk.get("/stock").await;
    assert_eq!(page.body.matches("<svg").count(), 4);
    page.says("none 0 7 / 7 stock_to_shopify at other ada: a full check");
}

#[tokio::test]
async fn a_check_is_shown_pair_by_pair_and_given_as_a_file() {
    let desk = by_day().await;
    let list = desk.get("/stock").await;
    let path = "/stock/checks/stock_to_shopify/acme/6";
    assert!(list.body.contains(&format!("href=\"{path}\"")), "{}", list.body);
    let page = desk.get(path).await;
    page.says("Differences: 1,244 – 1,240 differ, 4 not in the shop. Taken up again: 1,244.");
    page.says("LAMP-0 WH-1 5 7 differs never came");
    page.says("944 more are left out");
    let missing = desk.get(&format!("{path}?cause=unknown_sku")).await;
    missing.says("LAMP-3 WH-1 5 – not in the shop");
    missing.says_not("never came");

    let table = desk.get(&format!("{path}/differences.csv")).await;
    assert_eq!(table.body.lines().count(), 1 + 1_244);
    assert!(
        table.body.contains("stock_to_shopify,acme,LAMP-9,WH-1,5,7,differs,missed,,,,"),
        "{}",
        table.body
    );
    let whole: serde_json::Value =
        serde_json::from_str(&desk.get(&format!("{path}/check.json")).await.body).unwrap();
    assert_eq!((&whole["number"], &whole["causes"]["differs"]), (&6.into(), &1_240.into()));
    assert_eq!(whole["differences"].as_array().unwrap().len(), 1_244);

    let one = Difference {
        sku: "LAMP".to_owned(),
        location: "WH-1".to_owned(),
        cause: "wrong_location".to_owned(),
        why: Some("changed_in_shop".to_owned()),
        changed_at: Some(desk.scribe().ago(60_000)),
        elsewhere: Some("Warehouse 2".to_owned()),
        elsewhere_has: Some(12),
        ..Difference::default()
    };
    let (flow, shop) = (flow_of_stock().name, kernel::id::ShopId::new("acme").unwrap());
    let checked = Checked { flow: flow.to_string(), shop: shop.to_string(), ..Checked::default() };
    let report = Report { checked, differences: vec![one] };
    keep(desk.store.as_ref(), (&flow, &shop), report, desk.scribe().now).await.unwrap();
    let told = desk.get("/stock/checks/stock_to_shopify/acme/15").await;
    told.says("at another location: 12 at Warehouse 2, of which the source does not tell");
    told.says("changed in the shop by somebody else 02:12:05");

    desk.get("/stock/checks/stock_to_shopify/acme/14").await.says("Nothing differs.");
    for nothing in ["/stock/checks/stock_to_shopify/acme/16", "/stock/checks/s/other/1", &format!("{path}/x")]
    {
        assert_eq!(desk.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    assert_eq!(Desk::new().get(path).await.status, StatusCode::SEE_OTHER, "it wants a session");
}

#[tokio::test]
async fn stock_reads_as_stock_on_the_other_pages_and_leads_to_its_sku() {
    let desk = by_day().await;
    let list = desk.get("/orders").await;
    list.says("LAMP-OAK-40 at WH-2 ■ late the level to shopify");
    assert!(list.body.contains("href=\"/stock?sku=LAMP-OAK-40\""));
    let group = desk.get(&desk.get("/dead-letters").await.link("missing_item")).await;
    group.says("The stock LAMP-OAK-40 at KÖLN no variant has the SKU");
    assert!(group.body.contains("href=\"/stock?sku=LAMP-OAK-40\""));
    // Found by its SKU, wherever it is typed.
    let seen = desk.get("/orders?q=LAMP-OAK-40").await;
    assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, "/stock?sku=LAMP-OAK-40"));

    let life = desk.get(COLOGNE).await;
    assert_eq!(life.status, StatusCode::OK);
    life.says("Stock / LAMP-OAK-40 at KÖLN (acme)");
    life.says(
        "LAMP-OAK-40 at KÖLN ■ dead letter The level waits for variant \"LAMP-OAK-40\" to exist in shopify",
    );
    life.says("stock_to_shopify takes the level to shopify");
    life.says("The pair First told");
    life.says("Pause this pair…");
    for page in [&list, &group, &life] {
        let text = page.text();
        // Within a lane's or a key's own spelling alone.
        assert!(!text.replace("acme/ats:", "").contains("ats:"), "{text}");
        page.says_not(">ats ");
    }
}

#[tokio::test]
async fn a_dead_level_is_released_on_its_own_page_and_the_audit_reads_it_aloud() {
    let desk = by_day().await;
    let life =
        desk.store.life(&pair("LAMP-OAK-40", "KÖLN").shop, pair("LAMP-OAK-40", "KÖLN").root()).await.unwrap();
    let id = life.deliveries[0].id.to_string();
    let fields = [("delivery", id.as_str()), ("why", "variant made")];
    let done = desk.act(&format!("{COLOGNE}/release"), &fields).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, COLOGNE));
    desk.get("/stock?sku=LAMP-OAK-40").await.says("KÖLN acme ■ late");
    desk.get("/systems").await.says("ada released LAMP-OAK-40 at KÖLN (acme), delivery");

    let scope = PauseScope::Subject(pair("LAMP-OAK-40", "WH-1"));
    let by = By { who: "ada".into(), why: "recount".into(), at: desk.scribe().now };
    desk.store.pause(Pause { scope, by, until: None }).await.unwrap();
    let front = desk.get("/").await;
    front.says("LAMP-OAK-40 at WH-1 (acme) ada: recount");
    front.says_not("ats:");
    desk.get("/systems").await.says("Paused orders and stock LAMP-OAK-40 at WH-1 (acme)");
    let scribe = desk.scribe();
    scribe.level("LAMP-OAK-40", "WH-1", r#""on_hand": 9"#, scribe.ago(100), due(scribe.now), None).await;
    let waits = "waits for the pause of LAMP-OAK-40 at WH-1 (acme) to end ada: recount";
    desk.get("/stock?sku=LAMP-OAK-40").await.says(waits);
    let resume = [("kind", "subject"), ("name", "acme/ats:LAMP-OAK-40@WH-1"), ("why", "counted")];
    desk.act("/systems/resume", &resume).await;
    desk.get("/systems").await.says("Resumed: LAMP-OAK-40 at WH-1 (acme).");
}

#[tokio::test]
async fn a_level_that_cannot_be_read_says_so_and_hides_nothing_else() {
    let desk = Desk::signed_in().await;
    let scribe = desk.scribe();
    let fault = Fault::new(FaultKind::Rejected, "not_quantity", "on_hand is no quantity");
    scribe
        .level("BROKEN", "WH-1", r#""on_hand": "many""#, scribe.ago(5000), DeliveryState::Dead, Some(fault))
        .await;
    let page = desk.get("/stock?sku=BROKEN").await;
    page.says("What the source said last cannot be read:");
    page.says("set in shop –");
    page.says("■ dead letter");
}

#[tokio::test]
async fn what_another_shop_has_is_shown_by_its_own_flow_alone() {
    let mut elsewhere = flow_of_stock();
    elsewhere.shops = vec![kernel::id::ShopId::new("other").unwrap()];
    let desk = Desk::with(vec![elsewhere]);
    desk.sign_in(TOKEN).await;
    let scribe = desk.scribe();
    scribe.level("LAMP", "WH-1", r#""on_hand": 5"#, scribe.ago(5000), due(scribe.now), None).await;
    assert_eq!(desk.get("/stock?sku=LAMP").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn how_much_was_accepted_in_time_stands_on_both_pages_with_the_source_s_clock() {
    let desk = by_day().await;
    let now = desk.scribe().now;
    let ago = |ms: i64| now - jiff::SignedDuration::from_millis(ms);
    let (flow, shop) = (flow_of_stock().name, kernel::id::ShopId::new("acme").unwrap());
    for _ in 0..19 {
        let accepted = Accepted { changed_at: ago(900), heard_at: ago(400), accepted_at: now };
        desk.watched.stock.accepted(&flow, &shop, &accepted);
    }
    // Dated a minute after it had come, and three minutes under way.
    let accepted = Accepted { changed_at: ago(120_000), heard_at: ago(180_000), accepted_at: now };
    assert_eq!(desk.watched.stock.accepted(&flow, &shop, &accepted), Some((180_000, false)));
    for path in ["/", "/stock"] {
        let page = desk.get(path).await;
        page.says("In time over the last hour");
        page.says("of 21 within 1 min; objective 95 %");
        page.says(
            "wms: its clock is ahead of ours by at least 1 min: 1 change was dated after they had come.",
        );
    }
}

/// The newest two thousand are looked at, and what has waited longest lies behind them.
#[tokio::test]
async fn where_more_is_late_than_is_counted_the_objective_is_not_held() {
    for is_late in [false, true] {
        let desk = Desk::signed_in().await;
        let scribe = desk.scribe();
        let now = scribe.now;
        let level = async |sku: &str, ago_ms: i64| {
            scribe.level(sku, "WH-1", r#""on_hand": 5"#, scribe.ago(ago_ms), due(now), None).await
        };
        level("LAMP-OLD", if is_late { 7_200_000 } else { 500 }).await;
        for number in 0..2_000 {
            level(&format!("LAMP-{number}"), 500).await;
        }
        let (flow, shop) = (flow_of_stock().name, kernel::id::ShopId::new("acme").unwrap());
        let accepted = Accepted { changed_at: now, heard_at: now, accepted_at: now };
        desk.watched.stock.accepted(&flow, &shop, &accepted);
        let page = desk.get("/stock").await;
        if is_late {
            page.says("at most 100.00 %");
            page.says("1 of at least 1 within 1 min; objective 95 %");
            page.says("some late now");
        } else {
            page.says("1 of 1 within 1 min; objective 95 %");
            page.says_not("at most 100.00 %");
        }
    }
}

fn typed(seen_at: jiff::Timestamp) -> engine::work::by_hand::ByHand {
    engine::work::by_hand::ByHand {
        path: "ats:LAMP-OAK-40@WH-1".to_owned(),
        sku: "LAMP-OAK-40".to_owned(),
        location: "WH-1".to_owned(),
        wanted: 110,
        has: 9_999,
        sequence: 7,
        seen_at,
        changed_at: None,
        history_url: Some("https://admin.shopify.com/history".to_owned()),
        decided: None,
    }
}

#[tokio::test]
async fn what_is_set_back_on_the_page_is_taken_up_at_once() {
    let desk = by_day().await;
    let (flow, shop) = (flow_of_stock().name, kernel::id::ShopId::new("acme").unwrap());
    let asked = vec![typed(desk.scribe().now)];
    engine::work::by_hand::ask(desk.store.as_ref(), &flow, &shop, asked).await.unwrap();
    let fields = [
        ("flow", flow.as_str()),
        ("shop", "acme"),
        ("path", "ats:LAMP-OAK-40@WH-1"),
        ("decision", "revert"),
        ("why", "a slip of the pen"),
    ];
    desk.act("/stock/by-hand", &fields).await;
    desk.get("/stock").await.says("LAMP-OAK-40 at WH-1 is set back to what the source says: 110.");
    assert_eq!(desk.stage.appended.load(Ordering::SeqCst), 1, "its fact waits until another one comes");
}

#[tokio::test]
async fn what_somebody_typed_is_decided_on_the_page_with_name_and_reason() {
    let desk = by_day().await;
    let (flow, shop) = (flow_of_stock().name, kernel::id::ShopId::new("acme").unwrap());
    let one = typed(desk.scribe().now);
    engine::work::by_hand::ask(desk.store.as_ref(), &flow, &shop, vec![one]).await.unwrap();
    let page = desk.get("/stock").await;
    page.says("LAMP-OAK-40 at WH-1");
    page.says("In the shop 9999, by the source 110.");
    assert!(page.body.contains("https://admin.shopify.com/history"), "{}", page.body);
    let fields = [
        ("flow", flow.as_str()),
        ("shop", "acme"),
        ("path", "ats:LAMP-OAK-40@WH-1"),
        ("decision", "accept"),
        ("why", "counted"),
    ];
    // Without a reason, or a word of what is to become of it, nothing is decided.
    for left_out in [3, 4] {
        let some: Vec<_> =
            fields.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, f)| *f).collect();
        let refused = desk.act("/stock/by-hand", &some).await;
        assert!(refused.status.is_client_error(), "{}", refused.status);
    }
    desk.act("/stock/by-hand", &fields).await;
    let page = desk.get("/stock").await;
    page.says("9999 of LAMP-OAK-40 at WH-1 stands until the source changes it.");
    page.says_not("to be decided");
    let audit = desk.store.audit_entries(10).await.unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].who.as_str()), ("accept_by_hand", "ada"));
}
