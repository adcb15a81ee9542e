//! `tidegate store`: the store itself, not what is in it. Works on the store directly; where a hub runs on it, only what
//! changes nothing is answered.

mod copy;
mod reopen;

use super::{Common, Failure, block_on};

const EXAMPLES: &str = "\
Examples:
  tidegate store copy --to postgres:env:TIDEGATE_PG --dry-run   what would move, and whether it can
  tidegate store copy --to postgres:env:TIDEGATE_PG             moves the configured store there
  tidegate store reopen --why 'the move was called off'         lets a hub run on the former store again";

/// The store itself: what is in it, where it lies, moving it elsewhere
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Copy(copy::Args),
    Reopen(reopen::Args),
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    block_on(async {
        match &args.what {
            What::Copy(args) => copy::run(common, args).await,
            What::Reopen(args) => reopen::run(common, args).await,
        }
    })
}
