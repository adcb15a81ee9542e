//! Shopify's two sides: webhooks in ([`webhook`]), Admin GraphQL out ([`graphql`]) with what stands on it: orders read
//! and listed ([`source`]), the ERP's number written back ([`write_back`]), stock set ([`inventory`]) shipments recorded
//! ([`fulfilment`]) and refused orders held ([`hold`]), all behind one [`target`]; what is there in whole ([`bulk`]), for whom a
//! customer may buy ([`roles`]), [`subscriptions`] and the [`doctor`].
//!
//! Owns Shopify's own rules: signatures, versions, scopes, costs, what an answer means. Decides nothing about orders
//! (that is `domains`), keeps no queue, retries nothing, and knows no store.

pub mod bulk;
pub mod doctor;
pub mod fulfilment;
pub mod graphql;
pub mod hold;
pub mod inventory;
mod mapped;
pub mod prices;
pub mod reference;
pub mod roles;
pub mod source;
pub mod subscriptions;
pub mod target;
pub mod variants;
pub mod version;
pub mod webhook;
pub mod write_back;
