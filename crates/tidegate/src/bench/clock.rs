//! Real time for the measurements, and what a process took of the machine, from `/proc`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a measurement is about the real clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Blocks this thread: the pace of an open loop is kept to within a tenth of a millisecond, which a runtime's timer
/// does not do.
#[expect(clippy::disallowed_methods, reason = "a measurement is about the real clock")]
pub fn block_until(due: Instant) {
    let left = due.saturating_duration_since(now());
    if !left.is_zero() {
        std::thread::sleep(left);
    }
}

/// Linux counts processor time in ticks of 10 ms.
const TICKS_A_SECOND: f64 = 100.0;

/// Seconds of processor time that a process took so far, all threads, user and system.
pub fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / TICKS_A_SECOND
}

/// Seconds of processor time of these processes and of all below them, those included that have ended and were waited
/// for: a server that makes a process for each connection is measured whole.
pub fn cpu_tree_s(roots: &[u32]) -> f64 {
    tree(roots).values().sum::<u64>() as f64 / TICKS_A_SECOND
}

/// Seconds of processor time of these processes and of all below them, by the scheduler's own account: finer than ticks.
/// What has ended is not among it, so it is for spans in which nobody ends.
pub fn scheduled_s(roots: &[u32]) -> f64 {
    tree(roots).keys().map(|pid| scheduled_ns(*pid)).sum::<u64>() as f64 / 1e9
}

/// The first number of each thread's `schedstat`.
fn scheduled_ns(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_thread = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads.filter_map(of_thread).sum()
}

/// Resident megabytes of these processes and of all below them, what several share counted once (`Pss`).
pub fn resident_tree_mb(roots: &[u32]) -> f64 {
    tree(roots).keys().map(|pid| proportional_mb(*pid).unwrap_or_else(|| resident_mb(*pid))).sum()
}

fn proportional_mb(pid: u32) -> Option<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// The processes at and below these, each with its ticks and those of its children that have ended.
fn tree(roots: &[u32]) -> BTreeMap<u32, u64> {
    let all: BTreeMap<u32, (u32, u64)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_and_ticks(pid)?)))
        .collect();
    let mut found = BTreeMap::new();
    let mut open: Vec<u32> = roots.to_vec();
    while let Some(pid) = open.pop() {
        let Some((_, ticks)) = all.get(&pid) else { continue };
        if found.insert(pid, *ticks).is_none() {
            open.extend(all.iter().filter(|(_, (parent, _))| *parent == pid).map(|(child, _)| *child));
        }
    }
    found
}

/// `proc(5)`: the parent is the fourth field, user and system time with those of waited-for children the 14th to 17th.
fn parent_and_ticks(pid: u32) -> Option<(u32, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = after_name.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((after_name.get(1)?.parse().ok()?, ticks))
}

/// Resident megabytes of a process now.
pub fn resident_mb(pid: u32) -> f64 {
    status_mb(pid, "VmRSS:")
}

/// The highest that it ever was.
pub fn peak_mb(pid: u32) -> f64 {
    status_mb(pid, "VmHWM:")
}

fn status_mb(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Share of both processors that others took since the last look, to say how noisy the machine was: all that was
/// neither idle nor of a process that the measurement started is theirs.
#[derive(Debug)]
pub struct Neighbours {
    busy: f64,
    own: f64,
    at: Instant,
}

impl Neighbours {
    pub fn look(pids: &[u32]) -> Self {
        Self { busy: busy_s(), own: own_s(pids), at: now() }
    }

    /// Processors in use by others since then, as a number of processors.
    pub fn since(&self, pids: &[u32]) -> f64 {
        let span_s = self.at.elapsed().as_secs_f64();
        ((busy_s() - self.busy) - (own_s(pids) - self.own)).max(0.0) / span_s.max(0.001)
    }
}

fn own_s(pids: &[u32]) -> f64 {
    // This process's children are among the roots: they are not counted twice.
    cpu_tree_s(pids) + cpu_s(std::process::id())
}

/// Of all processors, all but idle and waiting for the disk.
fn busy_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    // Guests are counted in user and nice already.
    (ticks.iter().take(8).sum::<f64>() - idle) / TICKS_A_SECOND
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Between which two the middle half of them lies.
pub fn quartiles(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values.get(values.len() * share / 4).copied().unwrap_or(f64::NAN);
    (at(1), at(3))
}

/// How far apart: the smallest and the largest.
pub fn spread(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// In milliseconds.
pub fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "nothing is computed but a mean of two small whole numbers")]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
        assert_eq!(spread(&[2.0, 1.0, 3.0]), (1.0, 3.0));
        assert_eq!(quartiles(vec![4.0, 1.0, 2.0, 3.0, 5.0, 8.0, 7.0, 6.0]), (3.0, 7.0));
        assert!(quartiles(vec![]).0.is_nan());
    }

    #[test]
    fn this_process_takes_memory_and_time() {
        assert!(resident_mb(std::process::id()) > 0.5);
        assert!(cpu_s(std::process::id()) >= 0.0);
        assert!(busy_s() > 0.0);
        let own = [std::process::id()];
        assert!(resident_tree_mb(&own) > 0.5);
        assert!(scheduled_s(&own) > 0.0);
        // In this order: time goes by between the two.
        let alone = cpu_s(own[0]);
        assert!(cpu_tree_s(&own) >= alone && tree(&own).contains_key(&own[0]));
    }
}
