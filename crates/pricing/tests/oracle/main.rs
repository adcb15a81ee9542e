//! A second implementation of `docs/pricing.md`, written from the page alone, as a judge of the first: worked examples judge it
//! ([`worked`]), random cases compare the two ([`compared`]). Only [`library`] knows the library.

mod chance;
mod compared;
mod library;
mod model;
mod mutant;
mod number;
mod planted;
mod properties;
mod quoted;
mod random;
mod refused;
mod rules;
mod small;
mod tell;
mod worked;
