//! Logs to standard error, as the configuration says. What is in them is decided where they are written.

use anyhow::Context as _;
use config::{Config, LogFormat};
use tracing_subscriber::EnvFilter;

/// Once in the life of a process.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let hub = config.hub().context("the configuration has no [hub]")?;
    // Other crates' own chatter is of no use to an operator.
    let level = hub.log_level.value.as_str();
    let filter = EnvFilter::try_new(format!("warn,{}", ours(level))).context("the log filter")?;
    // A line that cannot be written (the log lies on a disk that is full) is a line less: what the subscriber would say of
    // that goes the same way, and its failure would end whoever wanted to log.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .log_internal_errors(false);
    let started = match hub.log_format.value {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}

/// The crates of the hub at a level.
fn ours(level: &str) -> String {
    const CRATES: [&str; 11] = [
        "",
        "api",
        "ui",
        "engine",
        "store",
        "store_sqlite",
        "store_postgres",
        "connector",
        "connectors",
        "shopify",
        "mapping",
    ];
    let names = CRATES.iter().map(|name| match *name {
        "" => format!("tidegate={level}"),
        name => format!("tidegate_{name}={level}"),
    });
    names.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_level_makes_a_filter_that_is_understood() {
        for level in ["error", "warn", "info", "debug", "trace"] {
            tracing_subscriber::EnvFilter::try_new(format!("warn,{}", super::ours(level))).unwrap();
        }
    }
}
