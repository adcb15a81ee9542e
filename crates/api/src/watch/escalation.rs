//! What a person should hear of, ready to be sent: the structured event and the sinks it goes to.

use super::IntakeNotice;
use engine::notice::{Notice, What};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind, Severity};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Debug;

/// One event. What is in it may leave the house: ids, codes and our own texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Escalation {
    pub at: Timestamp,
    pub severity: Severity,
    /// `breaker_opened`, `dead_letter`, `wrong_shop`, …
    pub notice: String,
    /// One sentence.
    pub summary: String,
    pub details: Value,
}

/// Where escalations go. Must not block: it is called on the hub's own task.
pub trait Sink: Send + Sync + Debug {
    fn raise(&self, escalation: &Escalation);
}

/// The log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogSink;

impl Sink for LogSink {
    fn raise(&self, escalation: &Escalation) {
        let (name, summary) = (escalation.notice.as_str(), escalation.summary.as_str());
        match escalation.severity {
            Severity::Info => {
                tracing::info!(notice.name = name, notice.severity = "info", "{summary}");
            }
            Severity::Ticket => {
                tracing::warn!(notice.name = name, notice.severity = "ticket", "{summary}");
            }
            Severity::Page => {
                tracing::error!(notice.name = name, notice.severity = "page", "{summary}");
            }
        }
    }
}

impl Escalation {
    pub fn of_intake(at: Timestamp, severity: Severity, notice: &IntakeNotice) -> Self {
        let details = serde_json::to_value(notice).unwrap_or(Value::Null);
        Self { at, severity, notice: notice.name().into(), summary: notice.summary(), details }
    }

    pub fn of_engine(at: Timestamp, notice: &Notice) -> Self {
        let details = details(&notice.what);
        let name = details.get("notice").and_then(Value::as_str).unwrap_or("notice").to_owned();
        Self { at, severity: notice.severity, notice: name, summary: summary(&notice.what), details }
    }
}

/// The fault without what its target may have quoted from the payload.
fn plain(fault: &Fault) -> String {
    let field = fault.field.as_deref().map(|field| format!(" at {field}")).unwrap_or_default();
    match own_text(fault.kind) {
        true => format!("{} ({}): {}", fault.kind, fault.code, fault.message),
        false => format!("{} ({}){field}", fault.kind, fault.code),
    }
}

/// Faults whose text is the connector's own, about the connection and not about a payload.
fn own_text(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Transient | FaultKind::Throttled | FaultKind::Unauthorized | FaultKind::Bug)
}

fn details(what: &What) -> Value {
    let mut details = serde_json::to_value(what).unwrap_or(Value::Null);
    if let Some(fault) = details.get_mut("fault") {
        let kind = fault.get("kind").and_then(Value::as_str).and_then(FaultKind::parse);
        if !kind.is_some_and(own_text) {
            *fault = json!({ "kind": fault["kind"], "code": fault["code"], "field": fault["field"] });
        }
    }
    details
}

fn summary(what: &What) -> String {
    match what {
        What::BreakerOpened { system, fault } => {
            format!("{system} is in trouble and is left alone for a while: {}", plain(fault))
        }
        What::BreakerClosed { system } => format!("{system} works again"),
        What::CredentialsRefused { system, fault } => {
            format!(
                "{system} refuses the credentials: {}; renew them, what waits goes on by itself",
                plain(fault)
            )
        }
        What::DeadLetter { system, flow, subject, fault } => {
            format!("{subject} is a dead letter of {flow} at {system}: {}", plain(fault))
        }
        What::UnknownAnswer { system, subject, code } => {
            format!("nobody knows yet whether {system} acted on {subject} ({code}); it is looked up")
        }
        What::Conflicts { system, count } => {
            format!("{count} conflicts at {system} within a minute: somebody else writes the same objects")
        }
        What::ManyObjects { system, subject, ids } => {
            format!(
                "{system} has {} objects for {subject} ({}): remove all but one",
                ids.len(),
                ids.join(", ")
            )
        }
        What::LateApply { system, subject } => format!(
            "{system} applied a call for {subject} later than settle_after: look for a double, and raise settle_after"
        ),
        What::StoreUnavailable { why } => {
            format!("the store cannot commit ({why}): the intake answers 503 until it can")
        }
        What::Stall { system, since_s, due } => {
            format!("{due} deliveries are due at {system} and none was done for {since_s} s")
        }
        What::Silence { topic, since_s } => {
            format!("no {topic} for {since_s} s, longer than usual: see whether the subscription is alive")
        }
        What::Bug { what } => format!("a fault in Tidegate itself: {what}; please report it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::{FlowName, ShopId, SystemName};
    use kernel::subject::Subject;

    #[test]
    fn what_a_target_wrote_about_a_payload_does_not_leave_the_house() {
        for (kind, leaves) in [
            (FaultKind::Rejected, false),
            (FaultKind::Ambiguous, false),
            (FaultKind::Conflict, false),
            (FaultKind::Transient, true),
            (FaultKind::Unauthorized, true),
        ] {
            let fault = Fault::new(kind, "bad_party", "no party jane@example.com")
                .field("party")
                .missing("party", "jane@example.com");
            let what = What::DeadLetter {
                system: SystemName::new("erp").unwrap(),
                flow: FlowName::new("orders").unwrap(),
                subject: Subject::new(ShopId::new("acme").unwrap(), "order", "7"),
                fault,
            };
            let escalation =
                Escalation::of_engine(Timestamp::UNIX_EPOCH, &Notice::new(Severity::Ticket, what));
            let sent = serde_json::to_string(&escalation).unwrap();
            assert_eq!(sent.contains("jane@example.com"), leaves, "{kind}: {sent}");
            assert!(sent.contains("acme/order:7") && sent.contains("bad_party"), "{sent}");
            assert_eq!(escalation.notice, "dead_letter");
        }
    }
}
