//! Financial and fulfilment status, derived from transactions and lines; nothing sets them.

use super::order::Order;
use super::payment::{TransactionKind, TransactionStatus};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinancialStatus {
    Pending,
    Authorized,
    PartiallyPaid,
    Paid,
    PartiallyRefunded,
    Refunded,
    Voided,
}

impl FinancialStatus {
    pub fn rest(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
        }
    }

    /// `displayFinancialStatus`.
    pub fn graphql(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Authorized => "AUTHORIZED",
            Self::PartiallyPaid => "PARTIALLY_PAID",
            Self::Paid => "PAID",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
            Self::Voided => "VOIDED",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FulfilmentStatus {
    Unfulfilled,
    Partial,
    Fulfilled,
}

impl FulfilmentStatus {
    /// None is JSON null.
    pub fn rest(self) -> Option<&'static str> {
        match self {
            Self::Unfulfilled => None,
            Self::Partial => Some("partial"),
            Self::Fulfilled => Some("fulfilled"),
        }
    }

    /// `displayFulfillmentStatus`.
    pub fn graphql(self) -> &'static str {
        match self {
            Self::Unfulfilled => "UNFULFILLED",
            Self::Partial => "PARTIALLY_FULFILLED",
            Self::Fulfilled => "FULFILLED",
        }
    }
}

impl Order {
    pub fn financial_status(&self) -> FinancialStatus {
        let totals = self.totals();
        let (received, refunded) = (totals.received.shop, totals.refunded.shop);
        if received.is_zero() {
            return self.unpaid_status(totals.total.shop.is_zero());
        }
        if refunded >= received {
            FinancialStatus::Refunded
        } else if !refunded.is_zero() {
            FinancialStatus::PartiallyRefunded
        } else if totals.outstanding.shop.is_sign_positive() && !totals.outstanding.shop.is_zero() {
            FinancialStatus::PartiallyPaid
        } else {
            FinancialStatus::Paid
        }
    }

    fn unpaid_status(&self, free: bool) -> FinancialStatus {
        let happened =
            |kind| self.transactions.iter().any(|t| t.kind == kind && t.status == TransactionStatus::Success);
        if happened(TransactionKind::Void) || (self.cancelled_at.is_some() && !free) {
            FinancialStatus::Voided
        } else if happened(TransactionKind::Authorization) {
            FinancialStatus::Authorized
        } else if free {
            FinancialStatus::Paid
        } else {
            FinancialStatus::Pending
        }
    }

    pub fn fulfilment_status(&self) -> FulfilmentStatus {
        if self.lines.iter().all(|line| line.fulfilled == 0) {
            FulfilmentStatus::Unfulfilled
        } else if self.lines.iter().any(|line| line.fulfillable() > 0) {
            FulfilmentStatus::Partial
        } else {
            FulfilmentStatus::Fulfilled
        }
    }
}
