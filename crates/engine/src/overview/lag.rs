//! The lag of exports: now, over the last hour, and minute by minute.
//!
//! Objectives count waiting whatever its reason: what is late and not yet exported counts with its age so far.

use super::Watched;
use super::late::Late;
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use serde::Serialize;
use std::time::Duration;
use store::{Store, StoreError};

/// Minutes in the series, the present one last.
const MINUTES: usize = 60;
/// What counts as now.
const NOW_MINUTES: u64 = 5;
const MINUTE_MS: u64 = 60_000;
/// So many exports are read; where an hour has more, the figures cover the newest.
const SAMPLES_MAX: u32 = 20_000;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lag {
    /// Exports of the last five minutes, and those that are late by now.
    pub now: Quantiles,
    /// Exports of the last hour, and those that are late by now.
    pub hour: Quantiles,
    /// Oldest first.
    pub minutes: Vec<Minute>,
    /// Exports within the last full minute.
    pub per_minute: u64,
    /// Where an hour has more exports than are read: since when they are covered.
    pub covered_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Quantiles {
    pub count: u64,
    pub p50_ms: Option<u64>,
    pub p99_ms: Option<u64>,
    /// Of `count`, how many took longer than the objective.
    pub over: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Minute {
    pub from: Timestamp,
    #[serde(flatten)]
    pub lag: Quantiles,
}

impl Quantiles {
    /// By nearest rank.
    pub(super) fn of(mut lags: Vec<u64>, objective_ms: u64) -> Self {
        lags.sort_unstable();
        let rank = |percent: usize| lags.get((lags.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Self {
            count: lags.len() as u64,
            p50_ms: rank(50),
            p99_ms: rank(99),
            over: lags.iter().filter(|lag| **lag > objective_ms).count() as u64,
        }
    }
}

pub(super) async fn lag(
    store: &dyn Store,
    watched: &Watched,
    late: &Late,
    now: Timestamp,
) -> Result<Lag, StoreError> {
    let hour = Duration::from_millis(MINUTE_MS * MINUTES as u64);
    let since = now.checked_sub(hour).unwrap_or(Timestamp::MIN);
    let samples = store.lags(since, SAMPLES_MAX).await?;
    let full = samples.len() >= SAMPLES_MAX as usize;
    let covered_since = samples.last().filter(|_| full).map(|sample| sample.ended_at);
    let objective_ms = watched.objective_ms();
    let exports = |flow| watched.flows.get(flow).is_some_and(|flow| flow.exports);
    // How many minutes ago, and the lag.
    let ended: Vec<(u64, u64)> = samples
        .iter()
        .filter(|sample| exports(&sample.flow))
        .map(|sample| (elapsed_ms(sample.ended_at, now) / MINUTE_MS, sample.lag_ms))
        .collect();
    let within = |minutes: u64| ended.iter().filter(move |(ago, _)| *ago < minutes).map(|(_, lag)| *lag);
    let minute = |ago: u64| {
        let lags = ended.iter().filter(|(minute, _)| *minute == ago).map(|(_, lag)| *lag).collect();
        let from = now.checked_sub(Duration::from_millis((ago + 1) * MINUTE_MS)).unwrap_or(Timestamp::MIN);
        Minute { from, lag: Quantiles::of(lags, objective_ms) }
    };
    Ok(Lag {
        now: Quantiles::of(within(NOW_MINUTES).chain(late.ages_ms()).collect(), objective_ms),
        hour: Quantiles::of(within(MINUTES as u64).chain(late.ages_ms()).collect(), objective_ms),
        minutes: (0..MINUTES as u64).rev().map(minute).collect(),
        per_minute: within(1).count() as u64,
        covered_since,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(Quantiles::of(vec![], 60), Quantiles::default());
        let of = |lags: std::ops::RangeInclusive<u64>| Quantiles::of(lags.collect(), 60);
        assert_eq!(of(7..=7), Quantiles { count: 1, p50_ms: Some(7), p99_ms: Some(7), over: 0 });
        assert_eq!(of(1..=100), Quantiles { count: 100, p50_ms: Some(50), p99_ms: Some(99), over: 40 });
        assert_eq!(of(1..=1000).p99_ms, Some(990));
    }
}
