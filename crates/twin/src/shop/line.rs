//! Lines of an order: goods, custom lines, gift cards and tips; shipping lines; the discounts and taxes on them.
//!
//! A line keeps the quantity that was ever ordered beside what is current, as Shopify does: its allocations and tax
//! lines stay those of the whole quantity, and what was removed is a share of them.

use rust_decimal::Decimal;

use super::money::{Currencies, MoneyBag};

#[derive(Clone, Debug)]
pub struct Line {
    pub id: u64,
    /// None: a custom line, a tip, or a variant that was deleted since.
    pub variant_id: Option<u64>,
    pub product_id: Option<u64>,
    pub product_exists: bool,
    /// None or empty are both normal input.
    pub sku: Option<String>,
    pub title: String,
    pub variant_title: Option<String>,
    pub vendor: Option<String>,
    /// Ever ordered, with what was removed or refunded since.
    pub quantity: u32,
    /// Less what was removed or refunded.
    pub current_quantity: u32,
    /// Ever fulfilled, with what was returned since.
    pub fulfilled: u32,
    /// The part of the removed that had been fulfilled.
    pub returned: u32,
    /// Of one unit.
    pub price: MoneyBag,
    pub gift_card: bool,
    /// A tip that is a line (current checkouts): no product, no SKU, never taxed, outside of the subtotal.
    pub tip: bool,
    pub taxable: bool,
    pub requires_shipping: bool,
    pub grams: u32,
    pub properties: Vec<(String, String)>,
    pub discount_allocations: Vec<DiscountAllocation>,
    pub tax_lines: Vec<TaxLine>,
    pub duties: Vec<Duty>,
    /// Added by an order edit.
    pub added_by_edit: bool,
}

/// The share of one discount that falls on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountAllocation {
    /// Index into the order's discount applications.
    pub application: usize,
    pub amount: MoneyBag,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxLine {
    pub title: String,
    /// 0.19 for 19 %.
    pub rate: Decimal,
    pub price: MoneyBag,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub id: u64,
    pub harmonized_system_code: String,
    pub country_code_of_origin: String,
    pub price: MoneyBag,
}

#[derive(Clone, Debug)]
pub struct ShippingLine {
    pub id: u64,
    pub title: String,
    pub code: Option<String>,
    pub source: Option<String>,
    pub carrier_identifier: Option<String>,
    /// Before discounts.
    pub price: MoneyBag,
    pub discount_allocations: Vec<DiscountAllocation>,
    pub tax_lines: Vec<TaxLine>,
    /// Of the discounted price; less tax where prices are without it.
    pub refunded: MoneyBag,
    pub refunded_tax: MoneyBag,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountApplication {
    pub kind: DiscountKind,
    pub target: DiscountTarget,
    pub value: DiscountValue,
    /// The code of a code discount, the title of any other.
    pub title: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscountKind {
    Code,
    Manual,
    Automatic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscountTarget {
    Lines,
    Shipping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscountValue {
    /// 10 for 10 %.
    Percentage(Decimal),
    Fixed(MoneyBag),
}

impl Line {
    /// Price × quantity, before discounts.
    pub fn gross(&self) -> MoneyBag {
        self.price * self.quantity
    }

    pub fn discount(&self) -> MoneyBag {
        self.discount_allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// After discounts; with tax where the order's prices include it.
    pub fn net(&self) -> MoneyBag {
        self.gross() - self.discount()
    }

    pub fn tax(&self) -> MoneyBag {
        self.tax_lines.iter().map(|tax| tax.price).sum()
    }

    pub fn duty(&self) -> MoneyBag {
        self.duties.iter().map(|duty| duty.price).sum()
    }

    pub fn removed(&self) -> u32 {
        self.quantity - self.current_quantity
    }

    /// What is left of an amount of the whole line after what was removed took its share.
    pub fn current(&self, money: &Currencies, total: MoneyBag) -> MoneyBag {
        total - money.portion(total, self.removed(), self.quantity)
    }

    /// Not yet fulfilled and not removed; a tip is never fulfilled.
    pub fn fulfillable(&self) -> u32 {
        if self.tip {
            return 0;
        }
        self.quantity.saturating_sub(self.fulfilled + (self.removed() - self.returned))
    }

    /// Title and variant, as the admin shows it.
    pub fn name(&self) -> String {
        match &self.variant_title {
            Some(variant) => format!("{} - {variant}", self.title),
            None => self.title.clone(),
        }
    }

    /// Computes the tax lines anew from the given titles and rates.
    pub fn tax_by(&mut self, money: &Currencies, rates: &[(String, Decimal)], included: bool) {
        self.tax_lines = if self.taxable && !self.gift_card && !self.tip {
            tax_lines(money, self.net(), rates, included)
        } else {
            Vec::new()
        };
    }
}

impl ShippingLine {
    pub fn discount(&self) -> MoneyBag {
        self.discount_allocations.iter().map(|allocation| allocation.amount).sum()
    }

    pub fn discounted(&self) -> MoneyBag {
        self.price - self.discount()
    }

    pub fn tax(&self) -> MoneyBag {
        self.tax_lines.iter().map(|tax| tax.price).sum()
    }
}

/// The tax on a base at several rates, each rounded by itself; taken out of the base where prices include it.
pub(crate) fn tax_lines(
    money: &Currencies,
    base: MoneyBag,
    rates: &[(String, Decimal)],
    included: bool,
) -> Vec<TaxLine> {
    let sum: Decimal = rates.iter().map(|(_, rate)| *rate).sum();
    let divisor = if included { Decimal::ONE + sum } else { Decimal::ONE };
    rates
        .iter()
        .map(|(title, rate)| TaxLine {
            title: title.clone(),
            rate: *rate,
            price: money.round(MoneyBag {
                shop: base.shop * rate / divisor,
                presentment: base.presentment * rate / divisor,
            }),
        })
        .collect()
}
