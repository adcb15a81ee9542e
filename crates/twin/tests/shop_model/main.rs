//! The shop's order model, tested as a user of the crate sees it: one binary, so that it is linked once.

mod body;
mod operations;
mod playing;
mod totals;
mod workload;
