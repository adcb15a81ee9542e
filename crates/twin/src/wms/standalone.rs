//! The warehouse as a process of its own, for a person to play with, for the demo and for benches.

use super::config::{Knobs, PushTarget, WmsConfig};
use super::twin::WmsTwin;
use crate::shopify::ShopClock;
use crate::shopify::clock::after;
use crate::standalone::{knobs, say};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::time::Duration;

/// What `tidegate twin wms` takes.
#[derive(Clone, Debug, Default)]
pub struct StandaloneOptions {
    /// 0 takes a free one.
    pub port: u16,
    pub seed: u64,
    /// None: the default token.
    pub token: Option<String>,
    pub generated: u32,
    /// Movements in a second; 0: only those that are asked for.
    pub moves_per_second: u32,
    /// Who is told of each change.
    pub push: Option<PushTarget>,
    /// `name=value` each; the value is JSON, or a bare word.
    pub knobs: Vec<String>,
}

/// Movements come in beats of this length.
const BEAT: Duration = Duration::from_millis(100);

/// Serves until interrupted. Says where as one line of JSON on standard output, and the ledger as another at the end.
pub async fn run_standalone(options: StandaloneOptions) -> Result<()> {
    let defaults = WmsConfig::default();
    let wms = WmsTwin::start(WmsConfig {
        port: options.port,
        seed: options.seed,
        token: options.token.unwrap_or_else(|| defaults.token.clone()),
        generated: options.generated,
        knobs: read_knobs(&options.knobs)?,
        push: options.push,
        ..defaults
    })
    .await?;
    say(&json!({ "url": wms.url(), "token": wms.token() }))?;
    tokio::select! {
        biased;
        stopped = tokio::signal::ctrl_c() => stopped.context("the interrupt signal cannot be awaited")?,
        () = play(&wms, options.moves_per_second) => {}
    }
    say(&json!(wms.ledger()))
}

async fn play(wms: &WmsTwin, per_second: u32) {
    if per_second == 0 {
        return std::future::pending().await;
    }
    let clock = ShopClock::real(1);
    let (mut due, mut owed) = (clock.now(), 0);
    loop {
        owed += per_second;
        wms.stir(owed / 10);
        owed %= 10;
        due = after(due, BEAT);
        clock.wait_until(due).await;
    }
}

fn read_knobs(settings: &[String]) -> Result<Knobs> {
    Knobs::default().turned(&knobs(settings, "drop_per_mille=20")?).context("no such knob or value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_are_read_from_flags() {
        let settings = ["drop_per_mille=20", "mute=true"].map(str::to_owned);
        let knobs = read_knobs(&settings).unwrap();
        assert_eq!((knobs.drop_per_mille, knobs.mute), (20, true));
        for wrong in ["mute", "drop=20", "mute=perhaps"] {
            assert!(read_knobs(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
