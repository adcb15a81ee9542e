//! The page of prices: what a finance person who asks "which price, and why?" sees.

use crate::desk::{Desk, TOKEN};
use axum::http::StatusCode;
use std::sync::Arc;
use tidegate_ui::{PriceAsked, PriceChanged, PriceStanding, PriceTold, Prices, PricesHydrated, Waiting};

/// Knows one SKU, and writes down nothing.
#[derive(Debug)]
struct Knows;

impl Prices for Knows {
    fn explain(&self, asked: PriceAsked) -> Waiting<'_, Result<PriceTold, String>> {
        Box::pin(async move {
            if asked.company_location.as_deref() == Some("L-404") {
                return Err("\"L-404\" is none of the locations in the terms of prices".to_owned());
            }
            let price = match asked.sku.as_str() {
                "PUMP-10" => Ok(["99.00", "1188.00", "129.00"].map(str::to_owned)),
                _ => Err("no list that is for this buyer has a price for it".to_owned()),
            };
            Ok(PriceTold {
                version: 7,
                at: asked.at.unwrap_or("2026-11-26T01:13:00Z".parse().unwrap()),
                buyer: asked
                    .company_location
                    .map_or("nobody in particular".to_owned(), |id| format!("{id} of ACME")),
                list: price.is_ok().then(|| "ACME-2026".to_owned()),
                price,
                steps: vec![format!("Contract 'ACME-2026' counts for {} pieces.", asked.quantity)],
            })
        })
    }

    fn changes(&self, sku: String, _: usize) -> Waiting<'_, Result<Vec<PriceChanged>, String>> {
        let change = |at: &str, before: &str, after: &str, amount, why: Option<&str>| PriceChanged {
            at: at.parse().unwrap(),
            list: "ACME-2026".to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
            amount,
            load: 41,
            source: "erp <b>".to_owned(),
            by: "anna".to_owned(),
            approved_because: why.map(str::to_owned),
        };
        let all = vec![
            change("2026-11-20T10:00:00Z", "104.5", "99", Some(99.0), Some("agreed by mail")),
            change("2026-10-01T10:00:00Z", "", "104.5", Some(104.5), None),
        ];
        Box::pin(async move { Ok(if sku == "PUMP-10" { all } else { Vec::new() }) })
    }

    fn hydrations(&self, _: usize) -> Waiting<'_, Result<Vec<PricesHydrated>, String>> {
        let run = |at: &str, against_shop, drift, failed: Option<&str>| PricesHydrated {
            at: at.parse().unwrap(),
            shop: "acme".to_owned(),
            took_ms: 14_900,
            who: "tidegate".to_owned(),
            why: "its cadence".to_owned(),
            against_shop,
            failed: failed.map(str::to_owned),
            changes: 36_000,
            of_these: "36,000 up".to_owned(),
            drift,
            largest_drift: (drift > 0).then(|| "SKU-0001 880 → 100".to_owned()),
            at_the_cart: 7,
        };
        let all = vec![
            run("2026-11-25T02:00:00Z", true, 3, None),
            run("2026-11-24T02:00:00Z", false, 0, Some("the shop is <locked>")),
            run("2026-11-23T02:00:00Z", true, 0, None),
        ];
        Box::pin(async move { Ok(all) })
    }

    fn standing(&self) -> Waiting<'_, Result<PriceStanding, String>> {
        let standing = PriceStanding {
            words: "Version 7 with 2 prices in 2 lists.".to_owned(),
            held: vec!["load 42 of erp by anna: 300 prices fall by more than 40 %".to_owned()],
            damage: Vec::new(),
        };
        Box::pin(async move { Ok(standing) })
    }
}

async fn desk() -> Desk {
    let desk = Desk::priced(Arc::new(Knows));
    desk.sign_in(TOKEN).await;
    desk
}

#[tokio::test]
async fn a_price_is_told_step_by_step_with_who_changed_it() {
    let page = desk().await.get("/prices?sku=PUMP-10&quantity=12&currency=EUR&location=L-1").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("For L-1 of ACME");
    page.says("99.00 EUR each, 1188.00 EUR in all; list price 129.00");
    page.says("Contract 'ACME-2026' counts for 12 pieces.");
    page.says("by version 7; from ACME-2026");
    page.says("none 104.5 41 erp &#60;b&#62; anna");
    page.says("104.5 99 41 erp &#60;b&#62; anna approved: agreed by mail");
    page.says("Waits for a person: load 42 of erp by anna: 300 prices fall by more than 40 %");
    // A plot for the list, drawn for a wide window and for a phone.
    assert_eq!(page.body.matches("<polyline").count(), 2);
    assert!(!page.body.contains("erp <b>"), "what others wrote is text");
}

#[tokio::test]
async fn what_is_asked_wrongly_is_said_and_what_was_typed_stays() {
    let desk = desk().await;
    for (query, words) in [
        ("sku=PUMP-10", "Say the currency"),
        ("sku=PUMP-10&currency=EUR&at=yesterday", "“yesterday” is no instant"),
        ("sku=PUMP-10&currency=EUR&location=L-404", "none of the locations"),
    ] {
        let page = desk.get(&format!("/prices?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        page.says(words);
        assert!(page.body.contains("value=\"PUMP-10\""));
    }
    let page = desk.get("/prices?sku=NO-SUCH&currency=EUR").await;
    page.says("Not priced: no list that is for this buyer has a price for it");
    page.says("No load has ever had a price for “NO-SUCH”.");
    let hostile = desk.get("/prices?sku=%3Cscript%3Ealert(1)%3C/script%3E&currency=EUR").await;
    hostile.says_not("<script>alert");
}

#[tokio::test]
async fn a_hub_without_prices_says_how_to_have_them() {
    let desk = Desk::signed_in().await;
    let front = desk.get("/").await;
    assert!(!front.body.contains("href=\"/prices\""));
    desk.get("/prices").await.says("This hub has no prices.");
    let with = self::desk().await;
    assert!(with.get("/").await.body.contains("href=\"/prices\""));
    with.get("/prices").await.says("Version 7 with 2 prices in 2 lists.");
}

#[tokio::test]
async fn what_was_brought_into_the_catalogs_is_plotted_and_told() {
    let desk = desk().await;
    let page = desk.get("/prices").await;
    page.says("In the shops' catalogs");
    page.says("36,000 36,000 up 3 SKU-0001 880 → 100 7 14 s tidegate: its cadence");
    page.says("failed the shop is &#60;locked&#62;");
    // The two comparisons are a line, for a wide window and for a phone; the run that only wrote is no point of it.
    assert_eq!((page.body.matches("<polyline").count(), page.body.matches("<circle").count()), (2, 4));
    assert!(page.body.contains("1 of 2 comparisons found any"));
    desk.get("/prices?sku=PUMP-10&currency=EUR").await.says_not("In the shops' catalogs");
}
