//! The page of what runs by the clock.

use crate::desk::{Desk, TOKEN};
use crate::world::cadence::Nights;
use axum::http::StatusCode;
use std::sync::Arc;
use tidegate_ui::{Cadences, Paced, Waiting};

/// One of which nothing can be told.
#[derive(Debug)]
struct Untold;

impl Cadences for Untold {
    fn all(&self) -> Waiting<'_, Result<Vec<Paced>, String>> {
        Box::pin(async { Err("the database cannot be reached".to_owned()) })
    }
}

#[tokio::test]
async fn each_work_says_what_is_next_what_was_last_what_was_missed_and_who_holds_it() {
    let desk = Desk::paced(|now| Arc::new(Nights { now }));
    desk.sign_in(TOKEN).await;
    let page = desk.get("/cadence").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("full check stock_to_shopify at acme ▲ missed 100,000 pairs against 99,996; 4 differ");
    // In the shop's own zone.
    page.says("Next 22 Nov 02:13:05 (2 d ago) Last 21 Nov 02:13:05 (3 d ago, took 1 min 23 s)");
    page.says("Missed 2 times went by; it is made up for once Held by node-b until 03:13:05");
    page.says("Cadence 30 2 * * * Europe/Berlin each put off by up to 30 min");
    page.says("price pull tryton ■ failed it did not answer &#60;in time&#62;");
    page.says_not("<in time>");
    page.says("sweep tryton ● made");
    page.says("sweep tryton ○ on demand Next on demand Last never");
    assert!(page.body.contains("data-refresh-s=\"10\"") && page.body.contains("http-equiv=\"refresh\""));
    assert!(desk.get("/").await.body.contains("href=\"/cadence\""), "nothing leads to it");
    // Nothing is wider than a phone: the cards stand below one another, and no table scrolls.
    page.says_not("<table");
    assert!(page.body.contains("class=\"grid\""));
}

#[tokio::test]
async fn where_nothing_runs_or_nothing_can_be_told_the_page_says_so() {
    let desk = Desk::paced(|_| Arc::new(Untold));
    desk.sign_in(TOKEN).await;
    desk.get("/cadence").await.says("the database cannot be reached");
    let without = Desk::signed_in().await;
    without.get("/cadence").await.says("Nothing runs at a cadence");
    assert!(!without.get("/").await.body.contains("href=\"/cadence\""));
    assert_eq!(Desk::new().get("/cadence").await.status, StatusCode::SEE_OTHER, "it wants a session");
}
