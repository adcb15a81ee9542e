//! Money that moves: transactions with their kinds, and the terms under which a B2B order is paid.

use jiff::Timestamp;

use super::money::MoneyBag;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub id: u64,
    pub kind: TransactionKind,
    pub status: TransactionStatus,
    /// `shopify_payments`, `manual`, `gift_card`, `bogus`.
    pub gateway: String,
    pub amount: MoneyBag,
    pub parent_id: Option<u64>,
    pub created_at: Timestamp,
    pub test: bool,
    /// `#1001.1`.
    pub payment_id: String,
    pub authorization: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionKind {
    Authorization,
    Capture,
    Sale,
    Void,
    Refund,
}

impl TransactionKind {
    pub fn rest(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::Sale => "sale",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }

    pub fn graphql(self) -> &'static str {
        match self {
            Self::Authorization => "AUTHORIZATION",
            Self::Capture => "CAPTURE",
            Self::Sale => "SALE",
            Self::Void => "VOID",
            Self::Refund => "REFUND",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    Success,
    Failure,
}

impl TransactionStatus {
    pub fn rest(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    pub fn graphql(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentTerms {
    pub id: u64,
    /// `Net 30`.
    pub name: String,
    pub kind: PaymentTermsKind,
    pub due_in_days: Option<u32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub schedules: Vec<PaymentSchedule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentTermsKind {
    Net,
    Receipt,
    Fulfillment,
    Fixed,
}

impl PaymentTermsKind {
    pub fn rest(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Receipt => "receipt",
            Self::Fulfillment => "fulfillment",
            Self::Fixed => "fixed",
        }
    }

    pub fn graphql(self) -> &'static str {
        match self {
            Self::Net => "NET",
            Self::Receipt => "RECEIPT",
            Self::Fulfillment => "FULFILLMENT",
            Self::Fixed => "FIXED",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentSchedule {
    pub id: u64,
    pub amount: MoneyBag,
    pub issued_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}
