//! The binary: command line and wiring, the only place that knows every crate.

#![expect(
    unreachable_pub,
    reason = "a binary exports nothing: `pub` says what a module offers to its neighbours"
)]

mod bench;
mod cli;
mod demo;
#[cfg(test)]
mod histories;
mod medusa_proof;
mod moving;
mod proof;
mod restoring;
mod run;
mod torture;
mod tryton_proof;
mod wiring;

use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::dispatch(cli::Cli::parse())
}
