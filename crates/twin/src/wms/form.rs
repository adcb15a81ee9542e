//! How a pair is written: for a push, for the feed and for the snapshot alike, byte for byte, so that the same state told
//! in two ways is one fact.

use super::books::Truth;
use super::shelf::Slot;
use serde::Serialize;

/// A pair as it was at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) slot: Slot,
    pub(super) truth: Truth,
}

/// One row of the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruthRow {
    pub sku: String,
    pub location: &'static str,
    #[serde(flatten)]
    pub truth: Truth,
}

#[derive(Serialize)]
struct Data<'a> {
    sku: &'a str,
    location: &'a str,
    on_hand: String,
    reserved: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<String>,
    unit: &'static str,
    changed_at: String,
}

impl Told {
    pub(super) fn row(self) -> TruthRow {
        TruthRow { sku: self.slot.sku(), location: self.slot.location(), truth: self.truth }
    }

    fn data(self, tells_counted: bool) -> String {
        let (sku, truth) = (self.slot.sku(), self.truth);
        let data = Data {
            sku: &sku,
            location: self.slot.location(),
            on_hand: truth.on_hand.to_string(),
            reserved: truth.reserved.to_string(),
            counted: tells_counted.then(|| truth.counted.to_string()),
            unit: "each",
            changed_at: truth.changed_at.to_string(),
        };
        // Texts always serialise.
        serde_json::to_string(&data).unwrap_or_default()
    }

    /// `{"version", "data"}`.
    pub(super) fn item(self, tells_counted: bool) -> String {
        format!("{{\"version\":{},\"data\":{}}}", self.truth.version, self.data(tells_counted))
    }

    /// The body of a push.
    pub(super) fn pushed(self, shop: &str, tells_counted: bool) -> String {
        let subject = format!("{shop}/ats:{}@{}", segment(&self.slot.sku()), segment(self.slot.location()));
        let (version, data) = (self.truth.version, self.data(tells_counted));
        format!(
            "{{\"subject\":\"{subject}\",\"version\":{version},\"topic\":\"stock/level\",\"data\":{data}}}"
        )
    }
}

/// Whatever is not a letter, a digit, `-`, `_` or `.` is written `%XX`.
fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_in_the_form_of_a_stock_feed() {
        let changed_at = "2026-11-26T14:00:00Z".parse().unwrap();
        let truth = Truth { on_hand: 120, reserved: 7, counted: 5, version: 17, changed_at };
        let told = Told { slot: Slot(0), truth };
        let body = "{\"subject\":\"acme/ats:SKU-0001@WH-1\",\"version\":17,\"topic\":\"stock/level\",\"data\":\
            {\"sku\":\"SKU-0001\",\"location\":\"WH-1\",\"on_hand\":\"120\",\"reserved\":\"7\",\"counted\":\"5\",\"unit\":\"each\",\
            \"changed_at\":\"2026-11-26T14:00:00Z\"}}";
        assert_eq!(told.pushed("acme", true), body);
        assert!(!told.item(false).contains("counted"));
        assert_eq!(segment("A/B@ü"), "A%2FB%40%C3%BC");
    }
}
