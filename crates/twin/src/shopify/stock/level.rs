//! What one item has at one location, by Shopify's names of quantities.
//!
//! `on_hand` is no quantity of its own: it is the sum of `available`, `committed` and what is unavailable (which this shop
//! never has).

use serde::Serialize;

/// As a test or a ledger sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Levels {
    /// May be negative: oversold.
    pub available: i64,
    /// Ordered and not yet shipped.
    pub committed: i64,
    pub on_hand: i64,
    /// Stocked there: an inactive level keeps its quantities and sells nothing.
    pub is_active: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Never stocked there, never counted there.
    Absent,
    Inactive,
    Active,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::shopify) struct Level {
    pub(super) available: i64,
    pub(super) committed: i64,
    pub(super) presence: Presence,
    /// Seconds since the epoch.
    pub(super) updated_at: i64,
}

/// The names that `quantities(names:)` knows; the others than these three are always 0 here.
pub(in crate::shopify) const NAMES: [&str; 8] = [
    "available",
    "committed",
    "on_hand",
    "incoming",
    "reserved",
    "damaged",
    "safety_stock",
    "quality_control",
];

impl Level {
    pub(in crate::shopify) fn on_hand(&self) -> i64 {
        self.available + self.committed
    }

    pub(in crate::shopify) fn is_active(&self) -> bool {
        self.presence == Presence::Active
    }

    pub(super) fn exists(&self) -> bool {
        self.presence != Presence::Absent
    }

    /// None of a name that is not Shopify's.
    pub(in crate::shopify) fn quantity(&self, name: &str) -> Option<i64> {
        match name {
            "available" => Some(self.available),
            "committed" => Some(self.committed),
            "on_hand" => Some(self.on_hand()),
            other => NAMES.contains(&other).then_some(0),
        }
    }

    pub(in crate::shopify) fn updated_at(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.updated_at).unwrap_or_default()
    }

    pub(super) fn shown(&self) -> Levels {
        Levels {
            available: self.available,
            committed: self.committed,
            on_hand: self.on_hand(),
            is_active: self.is_active(),
        }
    }
}
