//! A back office that looks like any REST ERP, is as strict as one, and can be made as unreliable as one.
//!
//! | call | answer |
//! | --- | --- |
//! | `POST /sales` | 201 and the sale, with its version as `ETag`; honours `Idempotency-Key` where the knob says so |
//! | `GET /sales?reference=…&page=N` | `{"sales", "page", "total", "next_page"}`; also by `ordered_from`, `ordered_until` |
//! | `GET /sales/{id}` | the sale |
//! | `PATCH /sales/{id}` | amends a draft; needs `If-Match` with the version that it is of |
//! | `POST /sales/{id}/confirm` | 409 `already_confirmed` the second time |
//! | `POST /sales/{id}/cancel` | 409 `already_cancelled` the second time |
//! | `GET /items?sku=…`, `GET /parties?code=…` | pages as above; spelled exactly |
//! | `POST /items` | `{"sku", "description"}` |
//! | `GET /health` | 200 |
//! | `POST /oauth/token` | an access token for the client `tidegate` (RFC 6749, 4.4); it serves beside the fixed token |
//! | `POST /credit-notes` | 201; against a sale that stands, never more than it; 422 `unknown_sale`, `totals_mismatch` |
//! | `GET /credit-notes?reference=…&page=N`, `GET /credit-notes/{id}` | as sales are found |
//! | `POST /payments` | 201; for a sale that was made, in its currency, more than nothing; 422 `unknown_sale` |
//! | `GET /payments?reference=…&page=N`, `GET /payments/{id}` | as sales are found |
//! | `POST /prices` | `{"company_location", "currency", "lines": [{"sku", "quantity", "unit"}]}`; the unit price of each, null where there is none |
//! | `GET /twin/ledger`, `GET /twin/ledger/sales?after=ID`, `GET|POST /twin/knobs` | for the judge; no token |
//! | `POST /twin/misprice` | somebody in the office changes a price by hand: `{"reference", "by"}`; no token |
//!
//! Errors are `{"error": {"code", "message", "field"}}`. A sale has `reference`, `party`, `currency`, `lines` (each with
//! `sku`, `quantity`, `unit_price`, and as wanted `description`, `discount` off the whole line, `tax_rate` or
//! `tax_rates`, `tax`) and as wanted `order_number`, `ordered_at`, `tax_included`, `po_number`, `payment_term`,
//! `invoice_address`, `shipment_address`, `note`, `metadata`, `totals {net, tax, gross}`. Amounts are strings. Unknown
//! fields are refused. `reference` is not unique unless the knob says so: to double a sale is as easy as in real life.
//!
//! It refuses to log, to forget, and to be kind.

mod acts;
mod answer;
mod books;
mod call;
mod clock;
mod config;
mod content;
mod control;
mod credit;
mod fate;
mod fields;
mod idempotency;
mod knobs;
mod ledger;
mod office;
mod payments;
mod prices;
mod refusal;
mod server;
mod standalone;
mod tokens;
mod twin;

pub use books::{Item, PartyCard, Sale, SaleState};
pub use config::ErpConfig;
pub use content::{Content, PostalAddress, SaleLine, SaleTotals};
pub use credit::{CreditLine, CreditNote};
pub use knobs::{FaultsOn, Knobs, LateAnswer, Outage};
pub use ledger::{Deed, Entry, Ledger, LedgerLine, read_ledger_file};
pub use payments::Payment;
pub use prices::price as made_price;
pub use refusal::{Code, Refusal};
pub use standalone::{StandaloneOptions, run_standalone};
pub use tokens::CLIENT_ID;
pub use twin::ErpTwin;
