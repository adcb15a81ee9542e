//! What happened in the warehouse, for ledgers.

use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WmsCounts {
    /// Of pairs.
    pub changes: u64,
    /// Of these, such as were written past the books.
    pub unlisted: u64,
    pub receipts: u64,
    /// For other channels.
    pub picks: u64,
    pub corrections: u64,
    /// Reservations for other channels.
    pub holds: u64,
    /// Orders that reserved something.
    pub orders: u64,
    /// Orders that came again under their key.
    pub repeated: u64,
    /// Orders and acts that were refused.
    pub refused: u64,
    pub cancelled: u64,
    /// Runs of parcels, each from one place.
    pub shipments: u64,
    pub shipments_cancelled: u64,
    /// Units.
    pub reserved: u64,
    pub shipped: u64,
    pub settled: u64,
    pub given_back: u64,
    /// What a shop gave back of an order, each once.
    pub releases: u64,
    /// Units that had left and came back.
    pub returned: u64,
    /// Units of orders that were promised when nothing was free any more.
    pub oversold: u64,
    /// Units that were promised and were not there at the next count.
    pub shortage: u64,
}

/// What became of the pushes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PushCounts {
    /// Changes while there was somebody to tell.
    pub due: u64,
    pub attempts: u64,
    /// Answered with 2xx; copies too.
    pub taken: u64,
    /// Given up.
    pub given_up: u64,
    /// Never sent.
    pub dropped: u64,
    pub duplicated: u64,
    pub delayed: u64,
    /// Held until a later change of the same pair was sent.
    pub reordered: u64,
    /// In flight, or waiting for anything.
    pub open: u64,
}

/// The whole ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WmsLedger {
    pub pairs: usize,
    /// Of the newest change.
    pub position: u64,
    #[serde(flatten)]
    pub counts: WmsCounts,
    pub pushes: PushCounts,
    /// Over all pairs, now.
    pub on_hand: i64,
    pub reserved: i64,
    pub counted: i64,
}
