//! A surcharge and a promotion as they are applied: when they count, and what they do.

use crate::audience::{Audience, Buyer, nearest};
use crate::document::Kind;
use crate::goods::Goods;
use crate::validity::Validity;
use kernel::money::Currency;
use kernel::quantity::Unit;
use rust_decimal::Decimal;

/// When a rule counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    pub approved: bool,
    pub validity: Validity,
    pub audience: Vec<Audience>,
    pub goods: Goods,
    /// With which kinds of source.
    pub contract: bool,
    pub list: bool,
    /// None: in every currency.
    pub currency: Option<Currency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurchargeRule {
    pub id: Box<str>,
    pub priority: i32,
    pub when: When,
    pub unit: Unit,
    pub effect: SurchargeEffect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurchargeEffect {
    /// 100 and the percentage.
    OfHundred(Decimal),
    Amount(Decimal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionRule {
    pub id: Box<str>,
    pub priority: i32,
    pub when: When,
    pub stacks: bool,
    /// In `unit`.
    pub minimum: Option<Decimal>,
    pub unit: Unit,
    pub effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    PercentOff(Decimal),
    AmountOff(Decimal),
    FixedPrice(Decimal),
    /// Of every `buy + get` units, `get` are at `percent_off`.
    BuyGet {
        buy: u32,
        get: u32,
        percent_off: Decimal,
    },
}

/// Why a rule that is for this SKU does not count here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    Draft,
    NotValid,
    OtherBuyer,
    OtherCurrency,
    OtherSource,
}

impl When {
    /// Whether it counts; for goods that it is not for, nothing is said at all.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn counts(&self, buyer: &Buyer, currency: Currency, kind: Kind, at_s: i64) -> Result<(), Idle> {
        let source = match kind {
            Kind::Contract => self.contract,
            Kind::List => self.list,
        };
        if nearest(&self.audience, buyer).is_none() {
            Err(Idle::OtherBuyer)
        } else if !self.approved {
            Err(Idle::Draft)
        } else if !self.validity.contains(at_s) {
            Err(Idle::NotValid)
        } else if self.currency.is_some_and(|own| own != currency) {
            Err(Idle::OtherCurrency)
        } else if source {
            Ok(())
        } else {
            Err(Idle::OtherSource)
        }
    }
}
