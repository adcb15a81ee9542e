//! Webhooks in: whether a request is what it says, from headers and raw bytes alone. Owns the header names, the
//! signature, and the shop that a body itself names. Parses nothing before the signature is proved; stores nothing,
//! and decides nothing about topics.

mod body_shop;
pub mod header;
mod refusal;
mod signature;
mod verify;

pub use body_shop::SHOP_MEMBERS;
pub use refusal::Refusal;
pub use signature::{AppSecrets, sign};
pub use verify::{ShopEntry, Verified, VersionStanding, dedupe_key, verify};
