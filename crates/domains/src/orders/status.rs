//! Financial and fulfilment status in one spelling for both forms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the order stands with its money; Shopify's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinancialStatus {
    Pending,
    Authorized,
    PartiallyPaid,
    Paid,
    PartiallyRefunded,
    Refunded,
    Voided,
    Expired,
}

impl FinancialStatus {
    /// REST spells them small, GraphQL in capitals.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "pending" => Self::Pending,
            "authorized" => Self::Authorized,
            "partially_paid" => Self::PartiallyPaid,
            "paid" => Self::Paid,
            "partially_refunded" => Self::PartiallyRefunded,
            "refunded" => Self::Refunded,
            "voided" => Self::Voided,
            "expired" => Self::Expired,
            _ => return None,
        })
    }

    /// Some of the money was there once.
    #[must_use]
    pub fn had_money(self) -> bool {
        self.was_paid() || self == Self::PartiallyPaid
    }

    /// The money was there once: a refund afterwards does not take that back.
    #[must_use]
    pub fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }
}

/// How much of the order has been shipped. Coarser than what the admin shows, because the webhook's body says no
/// more: on hold, scheduled and in progress are all `unfulfilled`, or `partial` once something has gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentStatus {
    Unfulfilled,
    Partial,
    Fulfilled,
    Restocked,
}

impl FulfilmentStatus {
    /// `something_sent`: whether a successful fulfilment exists, which settles the display states between.
    pub(crate) fn parse(text: Option<&str>, something_sent: bool) -> Option<Self> {
        let between = if something_sent { Self::Partial } else { Self::Unfulfilled };
        Some(match text.map(str::to_ascii_lowercase).as_deref() {
            None | Some("unfulfilled" | "fulfillment_not_required") => Self::Unfulfilled,
            Some(
                "in_progress"
                | "on_hold"
                | "open"
                | "pending"
                | "pending_fulfillment"
                | "request_declined"
                | "scheduled",
            ) => between,
            Some("partial" | "partially_fulfilled") => Self::Partial,
            Some("fulfilled") => Self::Fulfilled,
            Some("restocked") => Self::Restocked,
            Some(_) => return None,
        })
    }
}
