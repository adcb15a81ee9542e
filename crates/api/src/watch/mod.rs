//! Who watches the hub and the intake: counts, logs once, and passes on what a person should hear of.
//!
//! Called on the hub's own task: nothing here blocks. Texts that a target wrote are neither logged nor sent, because
//! a target may quote the payload.

mod escalation;
mod intake_notice;
mod webhook_sink;

pub use escalation::{Escalation, LogSink, Sink};
pub use intake_notice::IntakeNotice;
pub use webhook_sink::{SinkError, WebhookSink};

use crate::admin::{StockCheck, StockChecked};
use engine::effect::{Ending, Folded};
use engine::hub::{Called, Watcher};
use engine::notice::Notice;
use engine::overview::StockLags;
use kernel::clock::Clock;
use kernel::fault::Severity;
use std::sync::Arc;
use telemetry::Metrics;

/// Metrics, logs and escalation in one.
#[derive(Debug)]
pub struct Watching {
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    sinks: Vec<Arc<dyn Sink>>,
    stock: StockLags,
}

impl Watching {
    /// The log is always a sink; `sinks` are those beside it.
    pub fn new(metrics: Arc<Metrics>, clock: Arc<dyn Clock>, sinks: Vec<Arc<dyn Sink>>) -> Self {
        let mut all: Vec<Arc<dyn Sink>> = vec![Arc::new(LogSink)];
        all.extend(sinks);
        Self { metrics, clock, sinks: all, stock: StockLags::default() }
    }

    /// Counts what flows of stock promise as well.
    #[must_use]
    pub fn counting(self, stock: StockLags) -> Self {
        Self { stock, ..self }
    }

    /// What was counted of flows of stock.
    pub fn stock(&self) -> &StockLags {
        &self.stock
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Something at the doors that a person should hear of.
    pub fn intake(&self, severity: Severity, notice: &IntakeNotice) {
        self.raise(&Escalation::of_intake(self.clock.now().wall, severity, notice));
    }

    /// A full check found what a person has to decide.
    pub fn asked(&self, check: &dyn StockCheck, told: &StockChecked) {
        if told.newly_asked > 0 {
            let (flow, shop) = (check.flow().clone(), check.shop().clone());
            let notice = IntakeNotice::WrittenByHand { flow, shop, count: told.newly_asked };
            self.intake(Severity::Ticket, &notice);
        }
    }

    fn raise(&self, escalation: &Escalation) {
        self.metrics.noticed(&escalation.notice, escalation.severity);
        for sink in &self.sinks {
            sink.raise(escalation);
        }
    }
}

impl Watcher for Watching {
    fn notice(&self, notice: &Notice) {
        self.raise(&Escalation::of_engine(self.clock.now().wall, notice));
    }

    fn called(&self, call: &Called<'_>) {
        self.metrics.called(call.system, call.what, call.fault, call.took);
        let took_ms = u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX);
        match call.fault {
            None => tracing::debug!(
                system.name = %call.system,
                call.step = call.what,
                call.took_ms = took_ms,
                "a call went well"
            ),
            Some(fault) => tracing::info!(
                system.name = %call.system,
                call.step = call.what,
                call.took_ms = took_ms,
                fault.kind = fault.as_str(),
                "a call failed"
            ),
        }
    }

    fn ended(&self, ending: &Ending) {
        self.metrics.ended(&ending.system, &ending.flow, ending.outcome, ending.fault, ending.lag_ms);
        if let Some(accepted) = &ending.accepted
            && let Some((lag_ms, in_time)) = self.stock.accepted(&ending.flow, &ending.shop, accepted)
        {
            self.metrics.stock_accepted(&ending.flow, &ending.shop, lag_ms, in_time);
        }
        tracing::debug!(
            system.name = %ending.system,
            flow.name = %ending.flow,
            delivery.outcome = ending.outcome,
            "a delivery ended"
        );
    }

    fn folded(&self, folded: &Folded) {
        self.metrics.change_folded(&folded.system, &folded.shop, folded.outcome);
    }
}
