//! Walks an object from what is to what is wanted, as the engine would, with a new connector for each step: what a
//! hub that is killed between every two steps does. Owns no judgement of faults.

use super::{Bench, Kept};
use crate::descriptor::UnknownAnswer;
use crate::port::{Applied, Connector, Done, Observation, Observed, Plan, Step, Wanted};
use kernel::fault::Fault;
use kernel::key::CallKey;
use std::sync::Arc;
use tokio::time::timeout;

/// More steps than any object needs.
const STEPS_MAX: usize = 12;

/// One object on its way.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    bench: &'a Bench<'a>,
    pub(super) wanted: Wanted,
    /// The names of the steps whose calls were answered.
    pub(super) applied: Vec<String>,
    /// The lengths of each step's request and answer.
    pub(super) lengths: Vec<(usize, usize)>,
    /// The outcome of the last answered step, while the hub still has it.
    fresh: Option<Observation>,
}

/// Where a walk is.
#[derive(Debug)]
pub(super) enum At {
    Before { connector: Arc<dyn Connector>, step: Step, key: CallKey },
    Done(Done),
}

/// What is left of a step's outcome when the next one is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// The outcome, as the hub has it while it lives: what the answer said is planned from.
    Kept,
    /// Only the external ref that was committed: observed again.
    Recorded,
    /// The hub was killed before the outcome's commit: the call is unknown.
    Lost,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("first", &self.first).finish_non_exhaustive()
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(bench: &'a Bench<'a>, wanted: Wanted) -> Self {
        Self { bench, wanted, applied: Vec::new(), lengths: Vec::new(), fresh: None }
    }

    /// Observes and plans. Fails if either does, or if `plan` is not the same twice.
    pub(super) async fn stand(&mut self) -> Result<At, String> {
        let connector = self.bench.connector();
        let observation = match self.fresh.take() {
            Some(observation) => observation,
            None => connector
                .observe(&self.bench.call(), &self.wanted)
                .await
                .map_err(|fault| format!("observe failed: {fault}"))?,
        };
        let plan = connector.plan(&self.wanted, &observation);
        if plan != connector.plan(&self.wanted, &observation) {
            return Err("plan gives two answers to one question: it must be pure".to_owned());
        }
        match plan {
            Plan::Done(done) => Ok(At::Done(done)),
            Plan::NotAllowed(fault) => Err(format!("plan does not allow what the fixture wants: {fault}")),
            Plan::Next(step) => {
                let key = self.bench.call_key(&self.wanted);
                Ok(At::Before { connector, step, key })
            }
        }
    }

    /// Makes the call of a step and notes what came of it.
    pub(super) async fn apply(
        &mut self,
        connector: &dyn Connector,
        step: &Step,
        key: &CallKey,
        memory: Memory,
    ) -> Result<(), String> {
        let applied = connector
            .apply(&self.bench.call(), key, step)
            .await
            .map_err(|fault| format!("{} failed: {fault}", step.name))?;
        self.lengths.extend(self.bench.proxy.last_lengths());
        self.note(step, applied, memory)
    }

    /// An answered create that names nothing would be taken for an absence by a search that lags.
    fn note(&mut self, step: &Step, applied: Applied, memory: Memory) -> Kept {
        self.applied.push(step.name.clone());
        let told = applied.external.or_else(|| match &applied.observation.as_ref()?.object {
            Observed::One(state) => Some(state.external.clone()),
            Observed::None | Observed::Many(_) => None,
        });
        if step.creates && told.as_ref().is_none_or(|external| external.id.is_empty()) {
            return Err(format!("the answer to {} names no object", step.name));
        }
        if told.is_some() && memory != Memory::Lost {
            self.wanted.known = told;
        }
        self.fresh = applied.observation.filter(|_| memory == Memory::Kept);
        Ok(())
    }

    /// To the end.
    pub(super) async fn finish(&mut self, memory: Memory) -> Result<Done, String> {
        for _ in 0..STEPS_MAX {
            match self.stand().await? {
                At::Done(done) => return Ok(done),
                At::Before { connector, step, key } => {
                    self.apply(&*connector, &step, &key, memory).await?;
                    if memory == Memory::Lost {
                        self.settle(&step, &key).await?;
                    }
                }
            }
        }
        Err(format!("not done after {STEPS_MAX} steps: {:?}", self.applied))
    }

    /// Up to the step of this number, the first being 0; `None` where there are fewer.
    pub(super) async fn reach(
        &mut self,
        number: usize,
    ) -> Result<Option<(Arc<dyn Connector>, Step, CallKey)>, String> {
        loop {
            match self.stand().await? {
                At::Done(_) => return Ok(None),
                At::Before { connector, step, key } if self.applied.len() == number => {
                    return Ok(Some((connector, step, key)));
                }
                At::Before { connector, step, key } => {
                    self.apply(&*connector, &step, &key, Memory::Recorded).await?;
                }
            }
        }
    }

    /// After a call whose outcome is unknown: with a native key the same call again, which is the look-up.
    pub(super) async fn settle(&mut self, step: &Step, key: &CallKey) -> Kept {
        let connector = self.bench.connector();
        if matches!(connector.descriptor().unknown, UnknownAnswer::NativeKey { .. }) {
            let again = connector.apply(&self.bench.call(), key, step).await;
            let again = again.map_err(|fault| format!("{} again under its own key: {fault}", step.name))?;
            self.note(step, again, Memory::Recorded)?;
        }
        Ok(())
    }

    /// The call of a step within a time, and what fault it ends in.
    pub(super) async fn fails(
        &self,
        connector: &dyn Connector,
        step: &Step,
        key: &CallKey,
        short: bool,
    ) -> Result<Fault, String> {
        let call = if short { self.bench.short_call() } else { self.bench.call() };
        let most = call.time_out + self.bench.fixture.grace();
        match timeout(most, connector.apply(&call, key, step)).await {
            Err(_) => Err(format!("{} does not end at its time-out of {:?}", step.name, call.time_out)),
            Ok(Err(fault)) => Ok(fault),
            Ok(Ok(_)) => Err(format!("{} was taken for answered", step.name)),
        }
    }
}
