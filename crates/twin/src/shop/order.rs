//! The order as the shop keeps it: everything that the REST webhook body and the Admin GraphQL `Order` show.
//!
//! It holds elementary amounts only; every total is computed (`totals`), every status derived (`status`). It does not
//! know how it is written on the wire, nor what an ERP makes of it. What only the judge may know (`traps`) never
//! leaves this crate.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::line::{DiscountApplication, Line, ShippingLine};
use super::money::{Currencies, MoneyBag};
use super::payment::{PaymentTerms, Transaction};
use super::refund::Refund;
use super::trap::Trap;

/// What the orders of one shop have in common.
#[derive(Clone, Debug)]
pub struct ShopProfile {
    pub id: u64,
    /// `acme.myshopify.com`.
    pub domain: String,
    /// Dates in webhook bodies carry the offset of this zone.
    pub time_zone: TimeZone,
    /// The one location of the shop, for restocks and fulfilments.
    pub location_id: u64,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub shop: Arc<ShopProfile>,
    /// 64 bits; most are beyond 2^53.
    pub id: u64,
    /// `#1001`.
    pub name: String,
    /// The count of the shop's orders; `order_number` in bodies is this plus 1000.
    pub number: u64,
    pub confirmation_number: String,
    pub token: String,
    pub created_at: Timestamp,
    pub processed_at: Timestamp,
    /// Whole seconds, as Shopify's: two changes may share one.
    pub updated_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub cancel_reason: Option<CancelReason>,
    pub money: Currencies,
    pub taxes_included: bool,
    pub duties_included: bool,
    pub tax_exempt: bool,
    pub test: bool,
    /// `web`, `pos`, `shopify_draft_order`, or an app's id.
    pub source_name: String,
    pub source_identifier: Option<String>,
    pub app: Option<App>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub note: Option<String>,
    pub note_attributes: Vec<(String, String)>,
    /// Sorted, as the admin shows them.
    pub tags: Vec<String>,
    pub po_number: Option<String>,
    pub customer: Option<Customer>,
    pub billing_address: Option<Address>,
    pub shipping_address: Option<Address>,
    /// Present on B2B orders.
    pub company: Option<PurchasingCompany>,
    pub lines: Vec<Line>,
    pub shipping_lines: Vec<ShippingLine>,
    pub discount_applications: Vec<DiscountApplication>,
    /// A tip that is not one of the lines (older checkouts).
    pub tip_without_line: MoneyBag,
    /// `currentTotalPrice` at the moment of placing; later edits leave it alone.
    pub original_total: MoneyBag,
    pub transactions: Vec<Transaction>,
    pub refunds: Vec<Refund>,
    pub fulfilments: Vec<Fulfilment>,
    pub payment_terms: Option<PaymentTerms>,
    pub metafields: Vec<Metafield>,
    /// The judge's own knowledge; on no wire.
    pub traps: Vec<Trap>,
    /// How many ids of parts this order has given out.
    pub parts_numbered: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    Customer,
    Inventory,
    Fraud,
    Declined,
    Other,
}

impl CancelReason {
    pub fn rest(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Inventory => "inventory",
            Self::Fraud => "fraud",
            Self::Declined => "declined",
            Self::Other => "other",
        }
    }

    pub fn graphql(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Inventory => "INVENTORY",
            Self::Fraud => "FRAUD",
            Self::Declined => "DECLINED",
            Self::Other => "OTHER",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    pub id: u64,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    pub id: u64,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub tax_exempt: bool,
    pub created_at: Timestamp,
    pub default_address: Option<Address>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub address1: Option<String>,
    pub address2: Option<String>,
    pub city: Option<String>,
    pub province: Option<String>,
    pub province_code: Option<String>,
    pub country: Option<String>,
    pub country_code: Option<String>,
    pub zip: Option<String>,
    pub phone: Option<String>,
    pub latitude: Option<Decimal>,
    pub longitude: Option<Decimal>,
}

impl Address {
    /// `Ada Byron`; none where both names are.
    pub fn name(&self) -> Option<String> {
        let names: Vec<_> = [&self.first_name, &self.last_name].into_iter().flatten().cloned().collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// Who bought, on a B2B order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchasingCompany {
    pub company_id: u64,
    pub company_name: String,
    pub company_external_id: Option<String>,
    pub location_id: u64,
    pub location_name: String,
    /// `CUST-001`: the party's code in the back office.
    pub location_external_id: Option<String>,
    pub contact_id: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fulfilment {
    pub id: u64,
    /// `#1001.1`.
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub location_id: u64,
    pub tracking: Tracking,
    /// Taken back: its units are open again.
    pub cancelled_at: Option<Timestamp>,
    /// Line id and quantity.
    pub lines: Vec<(u64, u32)>,
}

/// How its way can be followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    pub company: Option<String>,
    pub numbers: Vec<String>,
    pub urls: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metafield {
    pub id: u64,
    pub namespace: String,
    pub key: String,
    /// `single_line_text_field`, `json`, …
    pub kind: String,
    pub value: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Order {
    /// `gid://shopify/Order/…`.
    pub fn gid(&self) -> String {
        gid("Order", self.id)
    }

    /// `order_number` of a body.
    pub fn order_number(&self) -> u64 {
        self.number + 1000
    }

    /// The next id for a part of this order: a function of the order and the count, so that a run can be repeated.
    pub fn part_id(&mut self) -> u64 {
        self.parts_numbered += 1;
        part_id(self.id, self.parts_numbered)
    }

    pub fn line(&self, id: u64) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    pub fn refund_of(&self, id: u64) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    pub fn transaction(&self, id: u64) -> Option<&Transaction> {
        self.transactions.iter().find(|transaction| transaction.id == id)
    }

    pub fn metafield(&self, namespace: &str, key: &str) -> Option<&Metafield> {
        self.metafields.iter().find(|field| field.namespace == namespace && field.key == key)
    }
}

/// `gid://shopify/{kind}/{id}`.
pub fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// Spreads ids of parts over 53 to 62 bits for large order ids, and keeps them small for small ones.
fn part_id(order_id: u64, count: u64) -> u64 {
    let mixed = super::chance::mix(order_id ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    if order_id > 1 << 53 { (1 << 53) + 1 + (mixed >> 2) / 2 } else { 10_000_000_000 + (mixed >> 20) }
}
