//! Label sets and the closed words in them.

use prometheus_client::encoding::EncodeLabelSet;

/// Which door a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// `POST /webhooks/shopify`.
    Webhook,
    /// `POST /ingest/{system}/{domain}`.
    Ingest,
}

impl Door {
    pub fn as_str(self) -> &'static str {
        match self {
            Door::Webhook => "webhook",
            Door::Ingest => "ingest",
        }
    }
}

/// What a delivery in the queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueState {
    Waiting,
    Due,
    Unknown,
    Dead,
}

impl QueueState {
    pub const ALL: [QueueState; 4] =
        [QueueState::Waiting, QueueState::Due, QueueState::Unknown, QueueState::Dead];

    pub fn as_str(self) -> &'static str {
        match self {
            QueueState::Waiting => "waiting",
            QueueState::Due => "due",
            QueueState::Unknown => "unknown",
            QueueState::Dead => "dead",
        }
    }
}

/// A breaker's state as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerValue {
    Closed = 0,
    Probing = 1,
    Open = 2,
}

impl BreakerValue {
    /// As the engine's view spells it; anything else counts as open, so that it is looked at.
    pub fn parse(text: &str) -> Self {
        match text {
            "closed" => BreakerValue::Closed,
            "probing" => BreakerValue::Probing,
            _ => BreakerValue::Open,
        }
    }
}

macro_rules! labels {
    ($($name:ident { $($field:ident: $type:ty),* })*) => {
        $(#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(crate) struct $name { $(pub(crate) $field: $type),* })*
    };
}

labels! {
    AtDoor { door: &'static str }
    OnTime { door: &'static str, met: &'static str }
    Answer { door: &'static str, status: u16, reason: &'static str }
    PriceAnswer { door: &'static str, status: u16 }
    Came { came: &'static str }
    OfServer { server: &'static str }
    Ended { system: String, flow: String, outcome: &'static str, fault: &'static str }
    OfFlow { system: String, flow: String }
    AtShop { flow: String, shop: String }
    AtShopOnTime { flow: String, shop: String, met: &'static str }
    AtShopByCause { flow: String, shop: String, cause: String }
    SourceAtShop { system: String, shop: String }
    Folded { system: String, shop: String, outcome: &'static str }
    Called { system: String, step: String, fault: &'static str }
    OfSystem { system: String }
    Queue { system: String, state: &'static str }
    OfTopic { shop: String, topic: String }
    Action { action: &'static str }
    OfShop { shop: String }
    Hydration { shop: String, outcome: &'static str }
    Topic { topic: String }
    Noticed { notice: String, severity: &'static str }
    OfSink { sink: &'static str }
    Build { version: &'static str, revision: String }
}
