//! This crate against the look-alike shop: real HTTP on this machine, one clock for both sides that is moved by hand.

mod client;
mod doctor;
mod documents;
mod fulfilment;
mod hold;
mod inventory;
mod parcel;
mod prices;
mod reference;
mod roles;
mod source;
mod subscriptions;
mod support;
mod webhooks;
mod write_back;
