//! A buyer's prices inside Shopify's checkout. Owns two Shopify Functions, [`cart_transform`] and [`discounts`]: what each is given
//! (the input queries beside them), what each answers, and when it had rather fail than answer. A price itself is
//! `tidegate-pricing`'s to say, from what [`pricing::carried`] brings along in a metafield of the company location.
//!
//! Each is a pure function from one text to another, so that it runs here as it runs there. Neither has a clock, a network or a
//! memory: a day comes with the input, prices come with the metafield. `docs/checkout.md` says which of them fits which plan.

pub mod cart_transform;
mod decided;
pub mod discounts;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

/// What Shopify takes of an answer.
pub const OUTPUT_BYTES_MAX: usize = 20_000;

/// Runs one of them as Shopify does: the input comes in, the answer goes out; a failure is said in the log and changes nothing.
#[must_use]
pub fn run(function: fn(&str) -> Result<String, String>) -> ExitCode {
    let mut input = String::new();
    let answer = match std::io::stdin().read_to_string(&mut input) {
        Ok(_) => function(&input),
        Err(_) => Err("the input is no text".to_owned()),
    };
    let written = match &answer {
        Ok(answer) => std::io::stdout().write_all(answer.as_bytes()),
        Err(why) => std::io::stderr().write_all(why.as_bytes()),
    };
    if answer.is_ok() && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An answer as Shopify takes it: all of it, or none.
fn bounded(answer: String) -> Result<String, String> {
    if answer.len() > OUTPUT_BYTES_MAX {
        return Err("more lines of this cart change than Shopify takes in one answer".to_owned());
    }
    Ok(answer)
}
