//! Whether an order is exported now, later or never, and when it is confirmed. Pure decisions.
//!
//! Filters guard the create alone: once an attempt was made or an object exists, every newer state is delivered.

use jiff::Timestamp;
use kernel::clock;
use kernel::flow::{ConfirmWhen, ExportWhen, Mode, OrderPolicy};

use super::model::Order;
use super::status::FinancialStatus;

/// What is known of earlier deliveries of this order to this target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdmitHistory {
    /// An external ref exists.
    pub exported: bool,
    /// A create was begun, with whatever outcome.
    pub attempted: bool,
}

/// What happens to an order that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    Export,
    /// Looked at again when a newer state comes; holds no lane, costs no attempt.
    Wait {
        on: WaitFor,
        reason: String,
    },
    Filtered {
        rule: FilterRule,
        text: String,
    },
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// A newer state that meets `export_when`.
    Payment,
}

/// The rule that keeps an order out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilterRule {
    FlowOff,
    TestOrder,
    BeforeGoLive,
    CancelledBeforeExport,
}

impl FilterRule {
    /// As it is stored and counted.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FlowOff => "flow_off",
            Self::TestOrder => "test_order",
            Self::BeforeGoLive => "before_go_live",
            Self::CancelledBeforeExport => "cancelled_before_export",
        }
    }
}

/// Decides about one state of an order. `named_by_backfill`: a backfill asked for this very order.
#[must_use]
pub fn admit(
    order: &Order,
    policy: &OrderPolicy,
    history: AdmitHistory,
    named_by_backfill: bool,
) -> Admission {
    let filtered = |rule, text: String| Admission::Filtered { rule, text };
    if policy.mode == Mode::Off {
        return filtered(FilterRule::FlowOff, "the flow is off".to_owned());
    }
    if history.exported || history.attempted {
        return Admission::Export;
    }
    if order.test {
        return filtered(FilterRule::TestOrder, "test order".to_owned());
    }
    if order.created_at < policy.go_live_at && !named_by_backfill {
        let text = format!(
            "before go-live: created {}, the flow takes orders from {}",
            order.created_at, policy.go_live_at
        );
        return filtered(FilterRule::BeforeGoLive, text);
    }
    if let Some(cancellation) = &order.cancellation {
        let text = format!("cancelled before export, at {}", cancellation.cancelled_at);
        return filtered(FilterRule::CancelledBeforeExport, text);
    }
    if policy.export_when.iter().any(|condition| met(order, *condition)) {
        return Admission::Export;
    }
    Admission::Wait { on: WaitFor::Payment, reason: unmet(order, policy) }
}

fn met(order: &Order, condition: ExportWhen) -> bool {
    let paid = order.financial_status.is_some_and(FinancialStatus::was_paid);
    match condition {
        ExportWhen::Paid => paid,
        ExportWhen::Authorised => paid || order.financial_status == Some(FinancialStatus::Authorized),
        ExportWhen::PaymentTerms => order.payment_terms.is_some(),
    }
}

fn unmet(order: &Order, policy: &OrderPolicy) -> String {
    let is = order.financial_status.map_or("unknown", financial_text);
    let wanted: Vec<_> = policy
        .export_when
        .iter()
        .map(|condition| match condition {
            ExportWhen::Paid => "paid",
            ExportWhen::Authorised => "authorised",
            ExportWhen::PaymentTerms => "on payment terms",
        })
        .collect();
    match wanted.as_slice() {
        [] => "the flow's export_when names no condition, so that no order ever meets it".to_owned(),
        wanted => format!("waits until it is {}; it is {is}", wanted.join(" or ")),
    }
}

fn financial_text(status: FinancialStatus) -> &'static str {
    match status {
        FinancialStatus::Pending => "pending",
        FinancialStatus::Authorized => "authorised",
        FinancialStatus::PartiallyPaid => "partially paid",
        FinancialStatus::Paid => "paid",
        FinancialStatus::PartiallyRefunded => "partially refunded",
        FinancialStatus::Refunded => "refunded",
        FinancialStatus::Voided => "voided",
        FinancialStatus::Expired => "expired",
    }
}

/// When the object in the target is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmDue {
    Now,
    At(Timestamp),
    /// When a state arrives that says it was paid.
    WhenPaid,
    Never,
}

/// `created_at` is when the object was created in the target: the wait counts from there and is not restarted by a
/// newer state. A cancelled order is not confirmed any more.
#[must_use]
pub fn confirm_due(order: &Order, policy: &OrderPolicy, created_at: Timestamp, now: Timestamp) -> ConfirmDue {
    if order.cancellation.is_some() {
        return ConfirmDue::Never;
    }
    match policy.confirm_when {
        ConfirmWhen::AtOnce => ConfirmDue::Now,
        ConfirmWhen::Never => ConfirmDue::Never,
        ConfirmWhen::Paid if met(order, ExportWhen::Paid) => ConfirmDue::Now,
        ConfirmWhen::Paid => ConfirmDue::WhenPaid,
        ConfirmWhen::After(wait) => {
            let due = clock::after(created_at, wait);
            if due <= now { ConfirmDue::Now } else { ConfirmDue::At(due) }
        }
    }
}
