//! The objective of stock: of what changed at its source, how much the target had accepted in time, of each flow and shop
//! over the last hour; and how far the source's clock may be off, as far as what it tells can bound that.
//!
//! Counted by the process that delivers, as it delivers: memory is bounded, a restart begins anew and says since when. Owns the
//! counting and its words; what is late by now comes from the store. Refuses to hide a source whose clock is ahead: what it
//! dated after we heard of it is counted as such, and its lag is taken from when we heard of it.

use super::late::Waiting;
use jiff::Timestamp;
use kernel::id::{FlowName, ShopId, SystemName};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Of a hundred changes, so many are to be in time.
pub const SHARE_PERCENT: u64 = 95;
/// Minutes that are kept.
const MINUTES: i64 = 60;
/// What counts as now.
const NOW_MINUTES: i64 = 5;
/// Four steps to each doubling, up to two days: a quantile is told to a fifth.
const STEPS: usize = 4 * 28;

/// One change of stock that its target accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// By the source's clock.
    pub changed_at: Timestamp,
    /// By ours, as the two that follow: it was taken up.
    pub heard_at: Timestamp,
    pub accepted_at: Timestamp,
}

impl Accepted {
    /// What counts: from the change to its acceptance; where the source dated it after we heard of it, from then.
    #[must_use]
    pub fn lag_ms(&self) -> u64 {
        let from = self.changed_at.min(self.heard_at);
        u64::try_from(signed_ms(from, self.accepted_at)).unwrap_or(0)
    }

    /// From the source's time to our hearing of it: what the clocks differ by, and what it took to come here, together.
    #[must_use]
    pub fn heard_after_ms(&self) -> i64 {
        signed_ms(self.changed_at, self.heard_at)
    }
}

fn signed_ms(from: Timestamp, until: Timestamp) -> i64 {
    until.as_millisecond().saturating_sub(from.as_millisecond())
}

/// A flow of stock that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promised {
    pub source: SystemName,
    pub objective: Duration,
}

/// All flows of stock; shared by whoever counts and whoever asks.
#[derive(Debug, Clone, Default)]
pub struct StockLags(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    flows: BTreeMap<FlowName, Promised>,
    since: Option<Timestamp>,
    counted: Mutex<BTreeMap<(FlowName, ShopId), Hour>>,
}

impl PartialEq for StockLags {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.flows == other.0.flows
    }
}

/// How one flow stands at one shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockObjective {
    pub flow: FlowName,
    pub shop: ShopId,
    pub source: SystemName,
    pub objective_ms: u64,
    /// Of a hundred changes, so many are to be within it.
    pub share_percent: u64,
    pub now: Met,
    pub hour: Met,
    pub clock: ClockOfSource,
    /// Counted since then, where that is less than an hour ago.
    pub since: Option<Timestamp>,
}

/// How much was in time. What waits beyond the objective by now is among it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Met {
    pub count: u64,
    pub within: u64,
    /// Of `count`, those that wait still.
    pub late: u64,
    /// More wait than were counted, beyond the objective too.
    pub more: bool,
    pub p50_ms: Option<u64>,
    pub p95_ms: Option<u64>,
    pub p99_ms: Option<u64>,
}

impl Met {
    /// In hundredths of a percent, rounded down; `None` where nothing changed.
    #[must_use]
    pub fn share_per_10_000(&self) -> Option<u64> {
        self.within.saturating_mul(10_000).checked_div(self.count)
    }

    #[must_use]
    pub fn holds(&self) -> bool {
        !self.more && self.within.saturating_mul(100) >= self.count.saturating_mul(SHARE_PERCENT)
    }
}

/// What is known of a source's clock, by the changes of the last hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClockOfSource {
    /// The least time from a change's date to our hearing of it. Our clock is ahead of the source's by no more than that;
    /// below 0 the source's is ahead of ours, by at least as much.
    pub least_ms: Option<i64>,
    /// Changes that were dated after we had heard of them.
    pub ahead: u64,
    /// The same for people.
    pub words: String,
}

impl ClockOfSource {
    fn of(least_ms: Option<i64>, ahead: u64) -> Self {
        let words = match least_ms {
            None => "nothing changed, so nothing is known of its clock".to_owned(),
            Some(least) if least < 0 => format!(
                "its clock is ahead of ours by at least {}: {} dated after they had come",
                crate::waits::span(least.unsigned_abs()),
                if ahead == 1 { "1 change was".to_owned() } else { format!("{ahead} changes were") },
            ),
            Some(least) => format!(
                "its clock is behind ours by at most {}, and not seen to be ahead",
                crate::waits::span(least.unsigned_abs())
            ),
        };
        Self { least_ms, ahead, words }
    }
}

impl StockLags {
    #[must_use]
    pub fn new(flows: BTreeMap<FlowName, Promised>, since: Timestamp) -> Self {
        Self(Arc::new(Inner { flows, since: Some(since), counted: Mutex::default() }))
    }

    /// The flows that are counted.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowName, &Promised)> {
        self.0.flows.iter()
    }

    /// Takes it down; `None`: the flow moves no stock. Else its lag, and whether that is in time.
    pub fn accepted(&self, flow: &FlowName, shop: &ShopId, accepted: &Accepted) -> Option<(u64, bool)> {
        let promised = self.0.flows.get(flow)?;
        let lag_ms = accepted.lag_ms();
        let within = lag_ms <= ms(promised.objective);
        let mut counted = self.counted();
        counted.entry((flow.clone(), shop.clone())).or_default().add(accepted, lag_ms, within);
        Some((lag_ms, within))
    }

    /// Of each flow at each shop, with what is late by now: how long it has waited.
    pub(super) fn told(
        &self,
        late: &BTreeMap<(FlowName, ShopId), Waiting>,
        now: Timestamp,
    ) -> Vec<StockObjective> {
        let counted = self.counted();
        let hour = Duration::from_secs(60 * MINUTES.unsigned_abs());
        let hour_ago = now.checked_sub(hour).unwrap_or(Timestamp::MIN);
        let of: std::collections::BTreeSet<_> = counted.keys().chain(late.keys()).cloned().collect();
        let mut told = Vec::new();
        for key in of {
            let Some(promised) = self.0.flows.get(&key.0) else { continue };
            let waiting = late.get(&key).map_or(&[][..], |waiting| &waiting.ages_ms);
            // Of which shop those are that were not looked at, nobody knows.
            let more = late.iter().any(|((flow, _), waiting)| *flow == key.0 && waiting.more);
            let empty = Hour::default();
            let hour = counted.get(&key).unwrap_or(&empty);
            told.push(StockObjective {
                source: promised.source.clone(),
                objective_ms: ms(promised.objective),
                share_percent: SHARE_PERCENT,
                now: Met { more, ..hour.met(now, NOW_MINUTES, waiting) },
                hour: Met { more, ..hour.met(now, MINUTES, waiting) },
                clock: hour.clock(now),
                since: self.0.since.filter(|since| *since > hour_ago),
                flow: key.0,
                shop: key.1,
            });
        }
        told
    }

    fn counted(&self) -> MutexGuard<'_, BTreeMap<(FlowName, ShopId), Hour>> {
        self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The minutes of one flow at one shop, by their number since the epoch; no more than an hour of them.
#[derive(Debug, Default)]
struct Hour(BTreeMap<i64, Minute>);

#[derive(Debug)]
struct Minute {
    steps: [u32; STEPS],
    count: u64,
    within: u64,
    least_ms: i64,
    ahead: u64,
}

impl Default for Minute {
    fn default() -> Self {
        Self { steps: [0; STEPS], count: 0, within: 0, least_ms: i64::MAX, ahead: 0 }
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

impl Hour {
    fn add(&mut self, accepted: &Accepted, lag_ms: u64, within: bool) {
        let number = minute(accepted.accepted_at);
        self.0.retain(|minute, _| *minute > number - MINUTES && *minute <= number);
        let minute = self.0.entry(number).or_default();
        minute.steps[step(lag_ms)] += 1;
        minute.count += 1;
        minute.within += u64::from(within);
        minute.least_ms = minute.least_ms.min(accepted.heard_after_ms());
        minute.ahead += u64::from(accepted.heard_after_ms() < 0);
    }

    fn last(&self, now: Timestamp, minutes: i64) -> impl Iterator<Item = &Minute> {
        self.0.range(minute(now) - minutes + 1..).map(|(_, minute)| minute)
    }

    fn met(&self, now: Timestamp, minutes: i64, waiting: &[u64]) -> Met {
        let mut steps = [0u64; STEPS];
        let mut met = Met { late: waiting.len() as u64, ..Met::default() };
        for minute in self.last(now, minutes) {
            met.count += minute.count;
            met.within += minute.within;
            steps.iter_mut().zip(minute.steps).for_each(|(all, of)| *all += u64::from(of));
        }
        met.count += met.late;
        waiting.iter().for_each(|age| steps[step(*age)] += 1);
        met.p50_ms = quantile(&steps, met.count, 50);
        met.p95_ms = quantile(&steps, met.count, 95);
        met.p99_ms = quantile(&steps, met.count, 99);
        met
    }

    fn clock(&self, now: Timestamp) -> ClockOfSource {
        let least_ms = self.last(now, MINUTES).map(|minute| minute.least_ms).min();
        ClockOfSource::of(least_ms, self.last(now, MINUTES).map(|minute| minute.ahead).sum())
    }
}

/// Which step a lag falls into.
fn step(lag_ms: u64) -> usize {
    if lag_ms < 4 {
        return usize::try_from(lag_ms).unwrap_or(0);
    }
    let octave = lag_ms.ilog2();
    let quarter = (lag_ms >> (octave - 2)) & 3;
    let step = u64::from(octave - 1) * 4 + quarter;
    usize::try_from(step).unwrap_or(STEPS).min(STEPS - 1)
}

/// The greatest lag of a step.
fn most(step: usize) -> u64 {
    let step = step as u64;
    if step < 4 {
        return step;
    }
    let (octave, quarter) = (step / 4 + 1, step % 4);
    (1 << octave) + ((quarter + 1) << (octave - 2)) - 1
}

/// By nearest rank, told as the greatest of its step: never less than it was.
fn quantile(steps: &[u64], count: u64, percent: u64) -> Option<u64> {
    let rank = (count * percent).div_ceil(100);
    let mut seen = 0;
    let at = steps.iter().position(|of| {
        seen += of;
        count > 0 && seen >= rank
    })?;
    Some(most(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn change(heard_after_ms: i64, accepted_after_ms: i64, at: Timestamp) -> Accepted {
        let ms = |ms: i64| jiff::SignedDuration::from_millis(ms);
        let heard_at = at - ms(accepted_after_ms);
        Accepted { changed_at: heard_at - ms(heard_after_ms), heard_at, accepted_at: at }
    }

    fn lags(since: Timestamp) -> (StockLags, FlowName, ShopId) {
        let flow = FlowName::new("stock").unwrap();
        let source = SystemName::new("wms").unwrap();
        let promised = Promised { source, objective: Duration::from_secs(120) };
        let lags = StockLags::new(BTreeMap::from([(flow.clone(), promised)]), since);
        (lags, flow, ShopId::new("acme").unwrap())
    }

    #[test]
    fn a_step_holds_what_falls_into_it() {
        for lag in (0..5000).chain([119_999, 120_000, 120_001, 86_400_000]) {
            assert!(most(step(lag)) >= lag, "{lag}");
            assert!(step(lag) == 0 || most(step(lag) - 1) < lag, "{lag}");
            assert!(most(step(lag)) <= lag + lag / 4 + 1, "{lag}: {}", most(step(lag)));
        }
    }

    #[test]
    fn the_share_within_the_objective_is_exact_and_what_waits_is_among_it() {
        let (lags, flow, shop) = lags(at("2026-11-27T00:00:00Z"));
        let now = at("2026-11-27T10:00:30Z");
        for _ in 0..19 {
            lags.accepted(&flow, &shop, &change(40, 119_960, now));
        }
        assert_eq!(lags.accepted(&flow, &shop, &change(41, 119_960, now)), Some((120_001, false)));
        let told = lags.told(&BTreeMap::new(), now);
        let of = &told[0];
        assert_eq!((of.hour.count, of.hour.within, of.hour.share_per_10_000()), (20, 19, Some(9500)));
        assert!(of.hour.holds() && of.since.is_none());
        let waits =
            BTreeMap::from([((flow.clone(), shop.clone()), Waiting { ages_ms: vec![600_000], more: false })]);
        let of = &lags.told(&waits, now)[0];
        assert_eq!((of.now.count, of.now.within, of.now.late), (21, 19, 1));
        assert!(!of.now.holds(), "what waits counts");
        assert!(of.now.p99_ms.is_some_and(|ms| ms >= 600_000));

        // Six minutes later it is no more now, an hour later nothing at all.
        let of = &lags.told(&BTreeMap::new(), at("2026-11-27T10:06:00Z"))[0];
        assert_eq!((of.now.count, of.hour.count), (0, 20));
        let of = &lags.told(&BTreeMap::new(), at("2026-11-27T11:01:00Z"))[0];
        assert_eq!((of.hour.count, of.clock.least_ms), (0, None));
        assert!(of.hour.holds(), "nothing changed");
    }

    #[test]
    fn a_clock_that_is_ahead_is_told_and_hides_no_lag() {
        let (lags, flow, shop) = lags(at("2026-11-27T09:30:00Z"));
        let now = at("2026-11-27T10:00:30Z");
        lags.accepted(&flow, &shop, &change(900, 100, now));
        let of = &lags.told(&BTreeMap::new(), now)[0];
        assert_eq!((of.clock.least_ms, of.clock.ahead), (Some(900), 0));
        assert_eq!(of.since, Some(at("2026-11-27T09:30:00Z")));
        // Dated three minutes ahead: our own 150 s are what it took.
        let lag = lags.accepted(&flow, &shop, &change(-180_000, 150_000, now));
        assert_eq!(lag, Some((150_000, false)));
        let of = &lags.told(&BTreeMap::new(), now)[0];
        assert_eq!((of.clock.least_ms, of.clock.ahead), (Some(-180_000), 1));
        assert!(of.clock.words.contains("ahead of ours by at least 3 min"), "{}", of.clock.words);
        let other = FlowName::new("orders").unwrap();
        assert_eq!(lags.accepted(&other, &shop, &change(1, 1, now)), None);
    }

    #[test]
    fn no_more_than_an_hour_is_kept() {
        let (lags, flow, shop) = lags(at("2026-11-27T00:00:00Z"));
        for minute in 0..300 {
            let now = at("2026-11-27T10:00:30Z") + jiff::SignedDuration::from_mins(minute);
            lags.accepted(&flow, &shop, &change(1, 1, now));
        }
        assert_eq!(lags.counted().values().map(|hour| hour.0.len()).sum::<usize>(), 60);
    }
}
