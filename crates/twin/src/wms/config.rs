//! How a warehouse is set up, and what can be turned at run time.

use crate::shopify::ShopClock;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub struct WmsConfig {
    /// On 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// `Authorization: Bearer …`
    pub token: String,
    /// The first stock, the movements, and what becomes of requests and pushes.
    pub seed: u64,
    /// SKUs beyond the catalogue's twenty: `GEN-000001`, …
    pub generated: u32,
    /// What each pair begins with, from and to.
    pub on_hand: (u64, u64),
    pub knobs: Knobs,
    /// None: nobody is told.
    pub push: Option<PushTarget>,
    pub clock: ShopClock,
}

impl Default for WmsConfig {
    fn default() -> Self {
        Self {
            port: 0,
            token: "wms-twin-token".to_owned(),
            seed: 1,
            generated: 0,
            on_hand: (0, 500),
            knobs: Knobs::default(),
            push: None,
            clock: ShopClock::default(),
        }
    }
}

/// Who is told of each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushTarget {
    /// `http://127.0.0.1:8080/ingest/wms/inventory`.
    pub url: String,
    /// Signs the body.
    pub secret: String,
    /// The shop's id at the hub: the first part of each subject.
    pub shop: String,
}

/// Shares are per mille. The default is a warehouse in good health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knobs {
    /// No push at all is sent: a lost stretch.
    pub mute: bool,
    /// Changes are written past the books, as by a script on its database: no push, and no list of changes shows them; a
    /// snapshot and a question for the pair do.
    pub unlisted: bool,
    pub drop_per_mille: u32,
    pub duplicate_per_mille: u32,
    /// Held until a later change of the same pair was sent, or for `delay_max_ms`.
    pub reorder_per_mille: u32,
    pub delay_per_mille: u32,
    pub delay_max_ms: u64,
    /// A push that is not taken is sent again, up to so many times in all; then it is given up.
    pub push_attempts: u32,
    pub pushes_at_once: usize,
    /// Orders are accepted, and counted only when `count_held` says so (or this is turned off).
    pub hold_orders: bool,
    /// An order for more than is free is refused (422 `no_stock`), and so are more units by an edit.
    pub refuses_short: bool,
    /// Says how much of the shop's orders it has counted.
    pub tells_counted: bool,
    /// Shipments are pushed too, to the domain `orders` beside that of stock; what is shipped is settled at once.
    pub tells_shipments: bool,
    /// Shipments have a tracking number.
    pub tracks: bool,
    /// Requests that are answered with 503 and not carried out.
    pub error_per_mille: u32,
    /// Requests that are carried out and answered with 502.
    pub error_after_per_mille: u32,
    /// Of the feed, at most.
    pub page_size: usize,
    /// A snapshot ends after so many pairs, as if it were whole but for its last line.
    pub cut_snapshot_after: Option<u64>,
    /// A snapshot has so many pairs and ends as if these were all.
    pub short_snapshot_after: Option<u64>,
    /// A snapshot has each stretch of pairs twice: two of them at once wrote into one file.
    pub mix_snapshots: bool,
    /// A snapshot says nothing more after so many pairs, and does not end.
    pub hang_snapshot_after: Option<u64>,
    /// Movements that hit the hottest hundredth of the pairs: a sale.
    pub hot_per_mille: u32,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            mute: false,
            unlisted: false,
            drop_per_mille: 0,
            duplicate_per_mille: 0,
            reorder_per_mille: 0,
            delay_per_mille: 0,
            delay_max_ms: 1000,
            push_attempts: 6,
            pushes_at_once: 32,
            hold_orders: false,
            refuses_short: false,
            tells_counted: true,
            tells_shipments: false,
            tracks: true,
            error_per_mille: 0,
            error_after_per_mille: 0,
            page_size: 500,
            cut_snapshot_after: None,
            short_snapshot_after: None,
            mix_snapshots: false,
            hang_snapshot_after: None,
            hot_per_mille: 0,
        }
    }
}

impl Knobs {
    /// Some of them, as JSON; the others stay.
    pub(super) fn turned(&self, some: &serde_json::Value) -> serde_json::Result<Self> {
        let mut all = serde_json::to_value(self)?;
        if let (serde_json::Value::Object(all), serde_json::Value::Object(some)) = (&mut all, some) {
            all.extend(some.clone());
        }
        serde_json::from_value(all)
    }
}
