//! The pages as an operator meets them: over the public router, with the store in memory and a clock that stands.

mod access;
mod acts;
mod cadence;
mod desk;
mod pages;
mod prices;
mod stock;
mod world;
