//! The order as a shop keeps it, how it changes, how a webhook writes it, and a seeded stream of such orders.
//!
//! It shares nothing with the code that it judges: own money, own totals, own spelling of the wire. It knows neither
//! HTTP nor GraphQL; `shopify` serves what is here.

mod body;
pub mod catalogue;
pub mod chance;
mod change;
mod line;
mod money;
mod operations;
mod order;
mod payment;
mod refund;
mod status;
mod totals;
mod trap;
mod workload;

pub use body::{deleted_body, edited_body, fulfilment_body, refund_body, transaction_body, webhook_body};
pub use chance::Chance;
pub use change::{About, Change, Notice, What, placed};
pub use line::{
    DiscountAllocation, DiscountApplication, DiscountKind, DiscountTarget, DiscountValue, Duty, Line,
    ShippingLine, TaxLine,
};
pub use money::{Currencies, Currency, MoneyBag, graphql_amount};
pub use operations::whole_second;
pub use order::{
    Address, App, CancelReason, Customer, Fulfilment, Metafield, Order, PurchasingCompany, ShopProfile,
    Tracking, gid,
};
pub use payment::{
    PaymentSchedule, PaymentTerms, PaymentTermsKind, Transaction, TransactionKind, TransactionStatus,
};
pub use refund::{Refund, RefundCause, RefundLine, RefundRequest, RefundShipping, RestockType};
pub use status::{FinancialStatus, FulfilmentStatus};
pub use totals::Totals;
pub use trap::Trap;
pub use workload::{Mix, Workload, WorkloadConfig};
