//! The promises of mappings, tested through the public API in one binary.

mod findings;
mod guide;
mod orders;
mod properties;
mod real_bodies;
mod support;
mod verbs;
mod worked;
