//! Webhook subscriptions: what the flows need against what is live, and the changes between. Owns the comparison and
//! how each change is made; when it is made is the hub's. Touches only what sends to our own address.

mod apply;
mod plan;
mod topic;

pub use apply::{Applied, apply, list};
pub use plan::{Action, Change, Live, Need, Spec, Wanted, advice, plan};
pub use topic::{APP_TOPICS, COMPLIANCE_TOPICS, Topic, enum_name, order_topics};
