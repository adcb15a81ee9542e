//! A cart as it is answered. Owns how amounts and lines look on the wire; amounts are texts, because a float is no amount.

use super::asked::CartLine;
use super::live::Quote;
use jiff::Timestamp;
use kernel::money::{Currency, Money, Rounding, exact_mul, parse_exact};
use pricing::document::{Kind, Tax};
use pricing::rounding::To;
use pricing::{Break, Nearness, Portion, Priced, Terms, Unpriced};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// All lines, of one version, one buyer and one instant.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// Which version of all prices answered.
    pub(crate) version: u64,
    /// The instant that the prices are of.
    pub(crate) at: Timestamp,
    pub(crate) currency: Currency,
    pub(crate) company_location: Option<&'a str>,
    pub(crate) lines: Vec<LineTold<'a>>,
}

/// What is known of the variant that a line names, and who asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    pub(crate) sku: Option<&'a str>,
    /// Buyers of a storefront do not learn what the shop has beside what is theirs to buy.
    pub(crate) is_storefront: bool,
}

impl Named<'_> {
    /// Why there is no price for a variant; none: as for any SKU.
    fn unknown(self) -> Option<&'static str> {
        match self.sku {
            _ if self.is_storefront => Some(
                "no price is known for this variant; where the shop has it since a moment, ask again in a moment",
            ),
            None => Some(
                "no variant with this id is known in the shop; where the shop has it since a moment, ask again in a moment",
            ),
            Some("") => Some("this variant has no SKU at Shopify, and prices are kept by SKU"),
            Some(_) => None,
        }
    }
}

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum LineTold<'a> {
    Priced(Box<PricedTold<'a>>),
    NotPriced(NotPriced<'a>),
}

#[derive(Debug, Serialize)]
pub(crate) struct PricedTold<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    quantity: &'a str,
    unit: &'a str,
    unit_price: Amount,
    /// Several portions: the unit price is the total over the quantity.
    #[serde(skip_serializing_if = "is_false")]
    average: bool,
    total: Amount,
    list_price: Option<Amount>,
    tax: Tax,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    portions: Vec<PortionTold>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    breaks: Vec<BreakTold>,
    source: SourceTold<'a>,
    /// A system was to say the price and did not: which price this is, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    surcharges: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    promotions: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity_rule: Option<RuleTold>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct NotPriced<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    quantity: &'a str,
    /// One word: `sku`, `variant`, `quantity`, `no_price`, `range`, `unreadable`.
    reason: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SourceTold<'a> {
    List {
        list: &'a str,
        kind: Kind,
        #[serde(rename = "for")]
        nearness: Nearness,
        #[serde(skip_serializing_if = "Option::is_none")]
        rounding: Option<RoundingTold>,
    },
    Live {
        /// The system that says it.
        live: &'a str,
        age_ms: u64,
    },
}

/// What a line costs, for whoever charges it: so many pieces at each price.
#[derive(Debug)]
pub(crate) struct Charged<'a> {
    pub(crate) variant: Option<&'a str>,
    pub(crate) quantity: &'a str,
    pub(crate) portions: Vec<(Decimal, Decimal)>,
    pub(crate) total: Decimal,
    /// The goods may be ordered in this quantity.
    pub(crate) is_allowed: bool,
}

/// Absent where prices are exact.
#[derive(Debug, Serialize)]
struct RoundingTold {
    to: String,
    half: Rounding,
}

#[derive(Debug, Serialize)]
struct PortionTold {
    quantity: Plain,
    unit_price: Amount,
}

#[derive(Debug, Serialize)]
struct BreakTold {
    minimum: Plain,
    unit_price: Amount,
}

/// In pieces.
#[derive(Debug, Serialize)]
struct RuleTold {
    minimum: Plain,
    step: Plain,
    maximum: Option<Plain>,
    allowed: bool,
}

/// With at least as many decimals as the currency has.
#[derive(Debug, Clone, Copy)]
struct Amount(Decimal, Currency);

/// A number without trailing zeros.
#[derive(Debug, Clone, Copy)]
struct Plain(Decimal);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Money::new(self.0, self.1).amount_text())
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.normalize())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl<'a> LineTold<'a> {
    /// Where its price came from, in a word of the metrics.
    pub(crate) fn came(&self) -> &'static str {
        match self {
            Self::NotPriced(_) => "none",
            Self::Priced(priced) => match (&priced.source, &priced.fallback) {
                (SourceTold::Live { .. }, _) => "live",
                (SourceTold::List { .. }, Some(_)) => "fallback",
                (SourceTold::List { .. }, None) => "list",
            },
        }
    }

    /// Else why it has no price, or that it is asked in another unit.
    pub(crate) fn charged(&self) -> Result<Charged<'a>, String> {
        let priced = match self {
            Self::NotPriced(line) => return Err(line.message.clone()),
            Self::Priced(priced) if priced.unit != PIECE => {
                return Err(format!("it is asked in the unit {}: ask in pieces", priced.unit));
            }
            Self::Priced(priced) => priced,
        };
        let portions = match priced.portions.as_slice() {
            [] => {
                let quantity = parse_exact(priced.quantity).map_err(|error| error.to_string())?;
                vec![(quantity, priced.unit_price.0)]
            }
            several => several.iter().map(|one| (one.quantity.0, one.unit_price.0)).collect(),
        };
        Ok(Charged {
            variant: priced.variant,
            quantity: priced.quantity,
            portions,
            total: priced.total.0,
            is_allowed: priced.quantity_rule.as_ref().is_none_or(|rule| rule.allowed),
        })
    }

    pub(crate) fn unreadable(line: &'a CartLine<'a>, message: String) -> Self {
        Self::NotPriced(NotPriced {
            id: line.id.as_deref(),
            sku: line.sku.as_deref(),
            variant: line.variant.as_deref(),
            quantity: line.quantity.as_ref(),
            reason: "unreadable",
            message,
            why: Vec::new(),
        })
    }

    /// `live`: the system that was to say the price, and what became of it.
    pub(crate) fn of(
        line: &'a CartLine<'a>,
        answer: Result<Priced<'a>, Unpriced>,
        (terms, currency): (&'a Terms, Currency),
        (named, live): (Named<'a>, Option<(&'a str, &Quote)>),
        why: Vec<String>,
    ) -> Self {
        let (id, variant, quantity) = (line.id.as_deref(), line.variant.as_deref(), line.quantity.as_ref());
        let sku = line.sku.as_deref().or(named.sku.filter(|sku| !sku.is_empty()));
        let not_priced = |reason, message, why| {
            Self::NotPriced(NotPriced { id, sku, variant, quantity, reason, message, why })
        };
        let amount = |value| Amount(value, currency);
        let unit = line.unit.as_deref().unwrap_or(PIECE);
        if let Some((system, Quote::Told { unit_price, age })) = live {
            let Some(total) = total(*unit_price, quantity, currency) else {
                let cause = Unpriced::Range;
                return not_priced(cause.code(), cause.to_string(), why);
            };
            let (list_price, tax, rule) = match &answer {
                Ok(priced) => (priced.list_price, priced.tax, RuleTold::of(priced)),
                Err(_) => (None, Tax::Excluded, None),
            };
            let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            return Self::Priced(Box::new(PricedTold {
                id,
                sku,
                variant,
                quantity,
                unit,
                unit_price: amount(*unit_price),
                average: false,
                total: amount(total),
                list_price: list_price.map(amount),
                tax,
                portions: Vec::new(),
                breaks: Vec::new(),
                source: SourceTold::Live { live: system, age_ms },
                fallback: None,
                surcharges: Vec::new(),
                promotions: Vec::new(),
                quantity_rule: rule,
                why,
            }));
        }
        let because = match live {
            Some((_, Quote::Fallback(why))) => Some(why),
            _ => None,
        };
        let priced = match answer {
            Ok(priced) => priced,
            Err(Unpriced::NoPrice | Unpriced::Sku(_))
                if line.variant.is_some() && named.unknown().is_some() =>
            {
                let (sku, reason) = (sku.filter(|_| !named.is_storefront), "variant");
                let message = named.unknown().unwrap_or_default().to_owned();
                return Self::NotPriced(NotPriced { id, sku, variant, quantity, reason, message, why });
            }
            Err(cause) => {
                let message = match because {
                    Some(because) => format!("{because}, and {cause}"),
                    None => cause.to_string(),
                };
                return not_priced(cause.code(), message, why);
            }
        };
        let list = terms.list(priced.source.list);
        let several = priced.portions.len() > 1;
        let portions = priced.portions.iter().filter(|_| several);
        let portion = |Portion { quantity, unit_price }: &Portion| PortionTold {
            quantity: Plain(*quantity),
            unit_price: amount(*unit_price),
        };
        let a_break = |Break { minimum, unit_price }: &Break| BreakTold {
            minimum: Plain(*minimum),
            unit_price: amount(*unit_price),
        };
        let kind = match priced.source.kind {
            Kind::Contract => "contract",
            Kind::List => "list",
        };
        Self::Priced(Box::new(PricedTold {
            id,
            sku,
            variant,
            quantity,
            unit,
            unit_price: amount(priced.unit_price),
            average: priced.is_average,
            total: amount(priced.total),
            list_price: priced.list_price.map(amount),
            tax: priced.tax,
            portions: portions.map(portion).collect(),
            breaks: priced.breaks.iter().map(a_break).collect(),
            source: SourceTold::List {
                list: list.map_or("", |list| &list.id),
                kind: priced.source.kind,
                nearness: priced.source.nearness,
                rounding: list
                    .filter(|list| list.rounding.to != To::Exact)
                    .map(|list| RoundingTold { to: list.rounding.to.spelled(), half: list.rounding.half }),
            },
            fallback: because.map(|because| format!("{kind} price, because {because}")),
            quantity_rule: RuleTold::of(&priced),
            surcharges: priced.surcharges,
            promotions: priced.promotions,
            why,
        }))
    }
}

impl RuleTold {
    fn of(priced: &Priced<'_>) -> Option<Self> {
        let rule = priced.quantity_rule?;
        Some(Self {
            minimum: Plain(rule.minimum),
            step: Plain(rule.step),
            maximum: rule.maximum.map(Plain),
            allowed: priced.quantity_allowed,
        })
    }
}

/// To the minor unit, a half goes up.
fn total(unit_price: Decimal, quantity: &str, currency: Currency) -> Option<Decimal> {
    let total = exact_mul(unit_price, parse_exact(quantity).ok()?).ok()?;
    Some(Money::new(total, currency).round(Rounding::HalfUp).amount())
}

const PIECE: &str = "C62";
