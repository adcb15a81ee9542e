//! Shop money and presentment money: two types, because taking one for the other is a fault that others shipped.

use serde::{Deserialize, Serialize};

use rust_decimal::Decimal;

use super::{Currency, Money, MoneyError, Rounding};

/// One kind of money: a newtype whose arithmetic stays within its kind.
macro_rules! kind_of_money {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Money);

        impl $name {
            #[must_use]
            pub fn new(money: Money) -> Self {
                Self(money)
            }

            #[must_use]
            pub fn zero(currency: Currency) -> Self {
                Self(Money::zero(currency))
            }

            /// The plain amount; its kind is then for the caller to remember.
            #[must_use]
            pub fn money(self) -> Money {
                self.0
            }

            #[must_use]
            pub fn currency(self) -> Currency {
                self.0.currency()
            }

            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
                self.0.checked_add(other.0).map(Self)
            }

            pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
                self.0.checked_sub(other.0).map(Self)
            }

            pub fn checked_mul(self, factor: Decimal) -> Result<Self, MoneyError> {
                self.0.checked_mul(factor).map(Self)
            }

            #[must_use]
            pub fn round(self, rule: Rounding) -> Self {
                Self(self.0.round(rule))
            }

            pub fn agrees_with(self, other: Self) -> Result<bool, MoneyError> {
                self.0.agrees_with(other.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

kind_of_money!(
    /// Money in the shop's own currency: what its books are kept in.
    ShopMoney
);
kind_of_money!(
    /// Money in the currency that the buyer saw and paid in.
    PresentmentMoney
);

/// One amount in both kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyBag {
    pub shop: ShopMoney,
    pub presentment: PresentmentMoney,
}

impl MoneyBag {
    #[must_use]
    pub fn new(shop: ShopMoney, presentment: PresentmentMoney) -> Self {
        Self { shop, presentment }
    }

    #[must_use]
    pub fn zero(shop: Currency, presentment: Currency) -> Self {
        Self { shop: ShopMoney::zero(shop), presentment: PresentmentMoney::zero(presentment) }
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.shop.is_zero() && self.presentment.is_zero()
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            shop: self.shop.checked_add(other.shop)?,
            presentment: self.presentment.checked_add(other.presentment)?,
        })
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            shop: self.shop.checked_sub(other.shop)?,
            presentment: self.presentment.checked_sub(other.presentment)?,
        })
    }

    pub fn checked_mul(self, factor: Decimal) -> Result<Self, MoneyError> {
        Ok(Self { shop: self.shop.checked_mul(factor)?, presentment: self.presentment.checked_mul(factor)? })
    }

    #[must_use]
    pub fn round(self, rule: Rounding) -> Self {
        Self { shop: self.shop.round(rule), presentment: self.presentment.round(rule) }
    }
}
