//! One module for each page: what it reads, and what it shows.

pub(crate) mod cadence;
pub(crate) mod dead_letters;
pub(crate) mod front;
pub(crate) mod login;
pub(crate) mod order;
pub(crate) mod order_acts;
pub(crate) mod orders;
pub(crate) mod prices;
mod prices_hydrated;
pub(crate) mod stock;
pub(crate) mod stock_by_hand;
pub(crate) mod stock_check;
mod stock_now;
mod stock_pair;
pub(crate) mod systems;
mod timeline;
pub(crate) mod truth;
