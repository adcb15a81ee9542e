//! What runs by the clock of a shop: one that was made, one that failed, one whose nights went by, and one that nobody asked for yet.

use jiff::{SignedDuration, Timestamp};
use tidegate_ui::{Cadences, Paced, Waiting};

#[derive(Debug)]
pub(crate) struct Nights {
    pub(crate) now: Timestamp,
}

impl Cadences for Nights {
    fn all(&self) -> Waiting<'_, Result<Vec<Paced>, String>> {
        Box::pin(async { Ok(nights(self.now)) })
    }
}

fn nights(now: Timestamp) -> Vec<Paced> {
    let hours = |hours: i64| now.checked_add(SignedDuration::from_hours(hours)).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let night = Paced {
        work: "full check".into(),
        of: some("stock_to_shopify"),
        shop: some("acme"),
        cadence: "30 2 * * * Europe/Berlin".into(),
        jitter_ms: 1_800_000,
        next: Some(hours(-48)),
        due: true,
        last: Some(hours(-72)),
        took_ms: Some(83_000),
        missed: 2,
        held_by: Some(("node-b".to_owned(), hours(1))),
        failed: false,
        result: some("100,000 pairs against 99,996; 4 differ"),
    };
    let failed = Paced {
        work: "price pull".into(),
        of: some("tryton"),
        shop: None,
        cadence: "10m".into(),
        jitter_ms: 0,
        next: Some(hours(1)),
        due: false,
        missed: 0,
        held_by: None,
        failed: true,
        result: some("it did not answer <in time>"),
        ..night.clone()
    };
    let made =
        Paced { work: "sweep".into(), failed: false, took_ms: Some(250), result: None, ..failed.clone() };
    let asked_for =
        Paced { cadence: "on demand".into(), next: None, last: None, took_ms: None, ..made.clone() };
    vec![night, failed, made, asked_for]
}
