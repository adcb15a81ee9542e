//! One folder for each system or protocol, and the list of them. Owns nothing that two of them share: that is
//! `connector`'s.

#![expect(
    clippy::result_large_err,
    reason = "a fault is made once in a call over a network, and boxing it would burden each reader"
)]

mod dropped;
pub mod http;
pub mod medusa;
#[cfg(test)]
mod page;
pub mod price_feed;
pub mod prices;
pub mod stock_feed;
pub mod tryton;
#[cfg(test)]
mod whole;

connector::connector_list! {
    http => crate::http, contract: crate::http::fixture;
    medusa => crate::medusa, contract: crate::medusa::fixture, source: crate::medusa::source;
    tryton => crate::tryton, contract: crate::tryton::fixture, source: crate::tryton::source;
}

/// Systems that facts come from and that take none.
pub fn sources() -> &'static [connector::list::Kind] {
    &[stock_feed::KIND]
}
