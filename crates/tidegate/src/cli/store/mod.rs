//! `tidegate store`: the store itself, not what is in it. Works on the store directly; where a hub runs on it, only what
//! changes nothing is answered.

mod backup;
mod copy;
mod info;
mod migrate;
mod reopen;

use super::{Common, Failure, block_on};
use store::Schema;

const EXAMPLES: &str = "\
Examples:
  tidegate store info                                           whose it is, where it lies, how large
  tidegate store migrate --dry-run                              which migrations the next start would run
  tidegate store backup --to /backup/tidegate-2026-11-24.db     a whole, checked copy, while the hub runs
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
    Info(info::Args),
    Migrate(migrate::Args),
    Backup(backup::Args),
    Copy(copy::Args),
    Reopen(reopen::Args),
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    block_on(async {
        match &args.what {
            What::Info(args) => info::run(common, args).await,
            What::Migrate(args) => migrate::run(common, args).await,
            What::Backup(args) => backup::run(common, args).await,
            What::Copy(args) => copy::run(common, args).await,
            What::Reopen(args) => reopen::run(common, args).await,
        }
    })
}

/// Which programs may run on a store, for a person.
fn may_run(schema: Schema, known: u32) -> String {
    let Schema { number, oldest } = schema;
    format!(
        "schema {number}: programs that know schema {oldest} or a later one may run on it; this one knows {known}"
    )
}
