//! Money of a body: sets of shop and presentment money, or a bare amount in older bodies.

use kernel::money::{Currency, Money, MoneyBag, MoneyError, PresentmentMoney, ShopMoney};

use super::at::{At, Read};
use crate::json::Json;
use crate::orders::fault::{BodyCode, BodyFault};

/// The two currencies of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Currencies {
    pub(crate) shop: Currency,
    pub(crate) presentment: Currency,
}

/// The names of one amount: the bare one and the set in REST, the set in GraphQL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount<'a> {
    pub(crate) bare: &'a str,
    pub(crate) set: &'a str,
    pub(crate) graphql: &'a str,
}

impl Currencies {
    pub(crate) fn read(order: &At<'_>) -> Read<Self> {
        let shop = currency(&order.need("currency", "currencyCode")?)?;
        let presentment = match order.get("presentment_currency", "presentmentCurrencyCode") {
            Some(at) => currency(&at)?,
            None => shop,
        };
        Ok(Self { shop, presentment })
    }

    pub(crate) fn differ(self) -> bool {
        self.shop != self.presentment
    }

    pub(crate) fn zero(self) -> MoneyBag {
        MoneyBag::zero(self.shop, self.presentment)
    }

    /// An amount that may be missing.
    pub(crate) fn find<'a>(self, at: &'a At<'a>, names: Amount<'a>) -> Read<Option<MoneyBag>> {
        if let Some(set) = at.get(names.set, names.graphql)
            && !matches!(set.json, Json::Object(members) if members.is_empty())
        {
            return self.set(&set).map(Some);
        }
        match at.get(names.bare, names.graphql) {
            Some(bare) => self.bare(&bare).map(Some),
            None => Ok(None),
        }
    }

    /// An amount that must be there and not be negative.
    pub(crate) fn need<'a>(self, at: &'a At<'a>, names: Amount<'a>) -> Read<MoneyBag> {
        let bag = self.find(at, names)?;
        let place = || at.need(names.bare, names.graphql);
        match bag {
            Some(bag) if bag.shop.money().is_negative() || bag.presentment.money().is_negative() => {
                let path = at.get(names.set, names.graphql).or_else(|| at.get(names.bare, names.graphql));
                let message = format!("is {}; it cannot be negative", bag.shop);
                Err(path.map_or_else(
                    || at.fault(BodyCode::Negative, &message),
                    |p| p.fault(BodyCode::Negative, &message),
                ))
            }
            Some(bag) => Ok(bag),
            None => Err(place().err().unwrap_or_else(|| at.fault(BodyCode::Missing, "is missing"))),
        }
    }

    /// `{shop_money, presentment_money}`, or `{shopMoney, presentmentMoney}`.
    pub(crate) fn set(self, at: &At<'_>) -> Read<MoneyBag> {
        if !matches!(at.json, Json::Object(_)) {
            return Err(at.wrong_type("a set of shop and presentment money"));
        }
        let shop = amount(&at.need("shop_money", "shopMoney")?, self.shop)?;
        let presentment = match at.get("presentment_money", "presentmentMoney") {
            Some(at) => amount(&at, self.presentment)?,
            None => self.only_shop(at, shop)?,
        };
        Ok(MoneyBag::new(ShopMoney::new(shop), PresentmentMoney::new(presentment)))
    }

    /// A bare amount is shop money; it stands for both where the order has one currency.
    fn bare(self, at: &At<'_>) -> Read<MoneyBag> {
        let shop = Money::new(at.decimal()?, self.shop);
        let presentment = self.only_shop(at, shop)?;
        Ok(MoneyBag::new(ShopMoney::new(shop), PresentmentMoney::new(presentment)))
    }

    fn only_shop(self, at: &At<'_>, shop: Money) -> Read<Money> {
        if self.differ() {
            let message = format!(
                "has no amount in {}, which the buyer paid in; it is not guessed from {}",
                self.presentment, self.shop
            );
            Err(at.fault(BodyCode::Missing, message))
        } else {
            Ok(shop)
        }
    }
}

fn currency(at: &At<'_>) -> Read<Currency> {
    let Json::String(code) = at.json else { return Err(at.wrong_type("a currency code")) };
    Currency::from_code(code).map_err(|error| at.fault(BodyCode::UnknownCurrency, error.to_string()))
}

fn amount(at: &At<'_>, wanted: Currency) -> Read<Money> {
    // REST says `currency_code`, in some refunds `currency`.
    for key in ["currency_code", "currency"] {
        if let Some(code) = at.get(key, "currencyCode") {
            let found = currency(&code)?;
            if found != wanted {
                let message = format!("is {found} where the order says {wanted}");
                return Err(code.fault(BodyCode::OtherCurrency, message));
            }
        }
    }
    Ok(Money::new(at.need("amount", "amount")?.decimal()?, wanted))
}

/// Arithmetic of one currency only fails by having too many digits; `at` is where they came from.
pub(crate) fn arithmetic(path: impl Into<String>) -> impl FnOnce(MoneyError) -> BodyFault {
    let path = path.into();
    move |error| BodyFault::new(BodyCode::NotDecimal, path, error.to_string())
}
