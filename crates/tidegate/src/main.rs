//! The binary: command line and wiring, the only place that knows every crate.

fn main() {}
