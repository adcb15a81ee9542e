//! Series in memory.

use super::rows::State;
use crate::series::SeriesStep;
use jiff::Timestamp;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Series {
    steps: BTreeMap<u64, SeriesStep>,
    chunks: BTreeMap<(String, u32), (Timestamp, Vec<u8>)>,
}

impl State {
    pub(super) fn series_head(&self, series: &str) -> Option<SeriesStep> {
        self.series.get(series)?.steps.values().next_back().cloned()
    }

    pub(super) fn series_steps(&self, series: &str, from: u64, limit: u32) -> Vec<SeriesStep> {
        let steps = self.series.get(series).into_iter().flat_map(|series| series.steps.range(from..));
        steps.take(limit as usize).map(|(_, step)| step.clone()).collect()
    }

    pub(super) fn append_step(&mut self, series: &str, step: SeriesStep) -> bool {
        let steps = &mut self.series.entry(series.to_owned()).or_default().steps;
        let is_next = steps.keys().next_back().map_or(1, |last| last + 1) == step.number;
        if is_next {
            steps.insert(step.number, step);
        }
        is_next
    }

    pub(super) fn put_chunk(&mut self, series: &str, of: (String, u32), bytes: Vec<u8>, at: Timestamp) {
        self.series.entry(series.to_owned()).or_default().chunks.insert(of, (at, bytes));
    }

    pub(super) fn chunk(&self, series: &str, body: &str, part: u32) -> Option<Vec<u8>> {
        let (_, bytes) = self.series.get(series)?.chunks.get(&(body.to_owned(), part))?;
        Some(bytes.clone())
    }

    pub(super) fn forget_steps(&mut self, series: &str, before: u64, unnamed: Timestamp) -> u64 {
        let Some(Series { steps, chunks }) = self.series.get_mut(series) else { return 0 };
        let kept = steps.split_off(&before);
        let gone = std::mem::replace(steps, kept).len() as u64;
        chunks.retain(|(body, _), (at, _)| *at >= unnamed || steps.values().any(|step| step.body == *body));
        gone
    }
}
