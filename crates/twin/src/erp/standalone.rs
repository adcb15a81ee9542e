//! The back office as a process of its own, for a person to play with and for benches.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use crate::standalone::{knobs, say};

use super::config::ErpConfig;
use super::knobs::Knobs;
use super::twin::ErpTwin;

#[derive(Clone, Debug, Default)]
pub struct StandaloneOptions {
    /// 0 takes a free one.
    pub port: u16,
    pub control_port: u16,
    pub seed: u64,
    /// None: the default token.
    pub token: Option<String>,
    pub ledger_file: Option<PathBuf>,
    /// `name=value` each; the value is JSON, or a bare word.
    pub knobs: Vec<String>,
}

/// Serves until interrupted. Says where as one line of JSON on standard output, and the ledger as another at the end.
pub async fn run_standalone(options: StandaloneOptions) -> Result<()> {
    let defaults = ErpConfig::default();
    let erp = ErpTwin::start(ErpConfig {
        port: options.port,
        control_port: options.control_port,
        seed: options.seed,
        token: options.token.unwrap_or_else(|| defaults.token.clone()),
        ledger_file: options.ledger_file,
        knobs: read_knobs(&options.knobs)?,
        ..defaults
    })
    .await?;
    say(&json!({ "url": erp.url(), "control_url": erp.control_url(), "token": erp.token() }))?;
    tokio::signal::ctrl_c().await.context("the interrupt signal cannot be awaited")?;
    say(&json!(erp.ledger()))
}

fn read_knobs(settings: &[String]) -> Result<Knobs> {
    Knobs::default().turned(&knobs(settings, "latency_ms=20")?).context("no such knob or value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::erp::Outage;

    #[test]
    fn knobs_are_read_from_flags() {
        let settings = ["latency_ms=20", "outage=unavailable", "refuse=[\"#1001\"]"].map(str::to_owned);
        let knobs = read_knobs(&settings).unwrap();
        assert_eq!((knobs.latency_ms, knobs.outage), (20, Outage::Unavailable));
        assert!(knobs.refuse.contains("#1001"));
        for wrong in ["latency_ms", "latency_sm=20", "latency_ms=soon"] {
            assert!(read_knobs(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
