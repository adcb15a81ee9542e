//! The two functions as Shopify runs them: against the oracle of prices ([`oracle`]), and against Shopify's published schemas
//! ([`schema`]).

// The oracle's modules know the library by its own name.
extern crate pricing as tidegate_pricing;

#[expect(dead_code, reason = "its own tests use more of it")]
#[path = "../../../../crates/pricing/tests/oracle"]
mod judge {
    pub(crate) mod chance;
    pub(crate) mod library;
    pub(crate) mod model;
    pub(crate) mod mutant;
    pub(crate) mod number;
    pub(crate) mod random;
    pub(crate) mod rules;
}
use judge::{chance, library, model, mutant, number, random, rules};

mod carts;
mod oracle;
mod schema;
