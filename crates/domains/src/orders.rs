//! Orders: the canonical order, how it is read from Shopify's two forms, and the pure decisions about it.
//!
//! The state of an order is the order *as edited and not as refunded* (DESIGN section 4): refunds, payments and
//! fulfilments are events derived from it and never change it. Both forms, the webhook's body and the GraphQL
//! answer, give byte-equal canonical forms; what only one of them can give is not part of it.

mod admission;
mod canonical;
mod event;
mod fault;
mod identify;
mod line;
mod mend;
mod model;
mod paging;
mod party;
mod personal;
mod read;
mod status;
mod take;
mod topic;
mod totals;

pub use admission::{Admission, AdmitHistory, ConfirmDue, FilterRule, WaitFor, admit, confirm_due};
pub use canonical::{canonical_bytes, digest, effective_version, json_schema, with_digest};
pub use event::{DerivedEvent, EventKind, events};
pub use fault::{BodyCode, BodyFault};
pub use identify::{Identity, identify};
pub use line::{Allocation, Attribute, Duty, Line, LineAmounts, LineQuantities, ShippingLine, Tax, TaxRate};
pub use mend::{MENDED_TOPIC, MendFault, changed_paths, mend, mend_body, read_canonical};
pub use model::{Cancellation, Discount, Order, OrderTotals, Source, Totals};
pub use paging::{Document, NextRead, external_ids, merge, next_read};
pub use party::{Address, Company, Contact, Customer, PaymentSchedule, PaymentTerms};
pub use personal::{PERSONAL, PersonalField, PersonalKind};
pub use read::{from_graphql, from_graphql_value, from_rest, from_rest_value};
/// How a body of Shopify's is read, for what is read beside orders.
pub(crate) mod parsed {
    pub(crate) use super::read::{Amount, At, Currencies, Form, Read, arithmetic, ids};
}
pub use status::{FinancialStatus, FulfilmentStatus};
pub use take::{Taken, take};
pub use topic::{ORDER_TOPICS, TopicKind, classify};
