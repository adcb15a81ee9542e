//! A stock keeper: a warehouse system that knows how much of what lies where, counts the reservations of a shop's orders,
//! and tells each change, as reliably as it is asked to.
//!
//! | call | answer |
//! | --- | --- |
//! | `GET /stock?after=POSITION&limit=N` | `{"items": [{"version", "data"}], "next", "more"}`, oldest first; a pair that changed several times stands there once |
//! | `GET /stock/{sku}/{location}` | `{"version", "data"}`, or 404 |
//! | `GET /stock/snapshot` | NDJSON: every pair as `{"version", "data"}`, then `{"items": N, "next": "POSITION"}`; one that ends without that line is not whole |
//! | `POST /orders` | `{"order", "lines": [{"sku", "quantity", "location"?}]}`: reserves, once for each `Idempotency-Key`; 201, or 200 the second time |
//! | `GET /orders/{order}` | `{"order", "state", "lines": [{"sku", "location", "quantity", "shipped"}]}` |
//! | `PUT /orders/{order}` | `{"order"?, "lines"}`: reserves these instead, or nothing any more |
//! | `POST /orders/{order}/cancel`, `/ship`, `/settle` | gives back what is open; ships it; the shop knows of what was shipped |
//! | `POST /releases` | `{"reference", "order", "lines": [{"sku", "quantity", "restock"}]}`: what the shop gave back, once for each reference; 201, or 200 the second time; 422 `unknown_order` |
//! | `GET /releases/{reference}` | `{"reference", "order", "state", "lines": [{"sku", "quantity", "released", "returned"}]}`, or 404 |
//! | `GET /shipments?after=POSITION&limit=N` | as `/stock`: what left the house, by shipment |
//! | `GET /twin/ledger`, `GET|POST /twin/knobs`, `POST /twin/move` | for the judge; no token |
//!
//! Truth is by pair of SKU and location: `on_hand`, `reserved` (of whatever channel), `counted` (of this shop's unshipped
//! orders: reserved, or shipped and not settled), and a version that grows by one with each change. A unit that was shipped
//! stays counted until it is *settled*, that is until the shop has taken it out of what it has sold. Settling before the
//! shop knows holds units back for a moment; settling after it may put a unit on sale that another order has.
//!
//! Where shipments are told (`tells_shipments`), a unit is settled when it leaves: the shop has it committed until it hears of the
//! shipment, and both hold it back meanwhile.
//!
//! Each change is pushed, signed, in the form of docs/connectors/stock_feed.md. It refuses to forget, and to be asked for
//! what it does not have.

mod books;
mod chance;
mod config;
mod counts;
mod form;
mod orders;
mod push;
mod refusal;
mod releases;
mod server;
mod shelf;
mod shipments;
mod snapshot;
mod standalone;
mod twin;

pub use books::Truth;
pub use config::{Knobs, PushTarget, WmsConfig};
pub use counts::{PushCounts, WmsCounts, WmsLedger};
pub use form::TruthRow;
pub use orders::{LineView, OrderView, WantedLine};
pub use refusal::Refusal;
pub use releases::{GivenBack, ReleaseView, ReleasedLine, Restock};
pub use shipments::ShipmentView;
pub use standalone::{StandaloneOptions, run_standalone};
pub use twin::WmsTwin;
