//! What the orders of a day come to: at the source and at the target, each by its own books, per currency. Owns what
//! explains a difference; an amount that one side does not tell is left out of both sums and counted.

use super::Fate;
use connector::port::{Held, Listed};
use kernel::flow::Difference;
use kernel::id::FlowName;
use kernel::money::{Currency, Money, MoneyBag, MoneyError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The whole day's.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Amounts {
    /// Flows whose target lists no totals: of their orders only counts are compared.
    pub counts_only: BTreeSet<FlowName>,
    /// Orders whose amounts were set side by side.
    pub compared: u64,
    /// In no sum: one side did not tell, or the target has several.
    pub untold: u64,
    /// Different, and nothing explains it.
    pub wrong: u64,
    /// By currency.
    #[serde(serialize_with = "as_list")]
    pub sums: BTreeMap<Currency, Sum>,
    pub differences: Vec<Differing>,
}

/// Of one currency: `source - not_at_target - at_target = difference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sum {
    pub orders: u64,
    pub source: Money,
    /// Of those that the target rightly has not: filtered, waiting, dead, skipped.
    pub not_at_target: Money,
    pub at_target: Money,
    pub difference: Money,
}

/// One order whose amounts differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differing {
    pub subject: String,
    pub label: String,
    pub source: Money,
    pub at_target: Money,
    /// Absent between two currencies.
    pub difference: Option<Money>,
    #[serde(flatten)]
    pub because: Because,
}

/// What explains a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// The flow's `difference = accept` covers it.
    Accepted,
    /// A newer state is on its way, or a dead letter with a person.
    Open { reason: String },
    /// A person decided so.
    Skipped { reason: String },
    /// Nothing does.
    Unexplained,
}

fn as_list<S: serde::Serializer>(sums: &BTreeMap<Currency, Sum>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(sums.values())
}

/// What the target tells about one order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AtTarget {
    None,
    One(Option<Held>),
    /// No answer, or several objects.
    Untold,
}

impl Amounts {
    /// Takes in one order. `charged` is what the source says, `fate` what the hub says.
    pub(super) fn add(
        &mut self,
        item: &Listed,
        charged: Option<MoneyBag>,
        at_target: AtTarget,
        fate: &Fate,
        accepts: &Difference,
    ) {
        let added = match (charged, at_target) {
            (Some(charged), AtTarget::None) => self.absent(charged, fate),
            (Some(charged), AtTarget::One(Some(held))) => self.both(item, charged, held, fate, accepts),
            (None, _) | (_, AtTarget::One(None) | AtTarget::Untold) => Ok(false),
        };
        // A sum of more digits than are exact is no sum.
        if !matches!(added, Ok(true)) {
            self.untold += 1;
        }
    }

    /// What is to be there and is not stays in the difference.
    fn absent(&mut self, charged: MoneyBag, fate: &Fate) -> Result<bool, MoneyError> {
        let charged = charged.shop.money();
        let zero = Money::zero(charged.currency());
        let rightly = if matches!(fate, Fate::Exported { .. }) { zero } else { charged };
        self.sum(charged, rightly, zero)?;
        Ok(true)
    }

    fn both(
        &mut self,
        item: &Listed,
        charged: MoneyBag,
        held: Held,
        fate: &Fate,
        accepts: &Difference,
    ) -> Result<bool, MoneyError> {
        let at_target = if held.void { Money::zero(held.gross.currency()) } else { held.gross };
        // The target keeps the order in the shop's currency, or in the buyer's.
        let buyers = charged.presentment.money();
        let source =
            if at_target.currency() == buyers.currency() && at_target.currency() != charged.shop.currency() {
                buyers
            } else {
                charged.shop.money()
            };
        let zero = Money::zero(source.currency());
        let difference = source.checked_sub(at_target).ok();
        if difference.is_some() {
            self.sum(source, zero, at_target)?;
        } else {
            self.sum(source, zero, zero)?;
            self.sum(Money::zero(at_target.currency()), Money::zero(at_target.currency()), at_target)?;
        }
        self.compared += 1;
        if source.agrees_with(at_target).unwrap_or(false) {
            return Ok(true);
        }
        let because = because(difference, fate, accepts);
        self.wrong += u64::from(because == Because::Unexplained);
        self.differences.push(Differing {
            subject: item.subject.to_string(),
            label: item.label.clone(),
            source,
            at_target,
            difference,
            because,
        });
        Ok(true)
    }

    /// All or nothing: a sum that cannot be made leaves the others as they are.
    fn sum(&mut self, source: Money, not_at_target: Money, at_target: Money) -> Result<(), MoneyError> {
        let zero = Money::zero(source.currency());
        let sum = self.sums.entry(source.currency()).or_insert(Sum {
            orders: 0,
            source: zero,
            not_at_target: zero,
            at_target: zero,
            difference: zero,
        });
        *sum = Sum {
            orders: sum.orders + u64::from(!source.is_zero()),
            source: sum.source.checked_add(source)?,
            not_at_target: sum.not_at_target.checked_add(not_at_target)?,
            at_target: sum.at_target.checked_add(at_target)?,
            difference: sum
                .difference
                .checked_add(source)?
                .checked_sub(not_at_target)?
                .checked_sub(at_target)?,
        };
        Ok(())
    }

    /// Takes in another part of the day.
    pub fn merge(&mut self, part: Self) {
        self.counts_only.extend(part.counts_only);
        self.compared += part.compared;
        self.untold += part.untold;
        self.wrong += part.wrong;
        self.differences.extend(part.differences);
        for (_, sum) in part.sums {
            let orders = sum.orders;
            if self.sum(sum.source, sum.not_at_target, sum.at_target).is_err() {
                self.untold += orders;
            } else if let Some(all) = self.sums.get_mut(&sum.source.currency()) {
                all.orders += orders - u64::from(!sum.source.is_zero());
            }
        }
    }
}

fn because(difference: Option<Money>, fate: &Fate, accepts: &Difference) -> Because {
    match (fate, accepts, difference) {
        (Fate::Waiting { reason }, ..) => Because::Open { reason: reason.clone() },
        (Fate::Dead { code, .. }, ..) => Because::Open { reason: format!("a dead letter, {code}") },
        (Fate::Closed { how }, ..) => Because::Skipped { reason: how.clone() },
        (_, Difference::Accept(most), Some(by)) if by.amount().abs() <= *most => Because::Accepted,
        _ => Because::Unexplained,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::ShopId;
    use kernel::money::{PresentmentMoney, ShopMoney};
    use kernel::subject::Subject;

    fn money(text: &str) -> Money {
        let (amount, currency) = text.split_once(' ').unwrap();
        Money::parse(amount, currency.parse().unwrap()).unwrap()
    }

    fn bag(shop: &str, presentment: &str) -> MoneyBag {
        MoneyBag::new(ShopMoney::new(money(shop)), PresentmentMoney::new(money(presentment)))
    }

    fn eur(text: &str) -> Option<MoneyBag> {
        Some(bag(&format!("{text} EUR"), &format!("{text} EUR")))
    }

    fn item() -> Listed {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Listed {
            subject: Subject::new(ShopId::new("acme").unwrap(), "order", "1"),
            label: "#1001".into(),
            created_at: at,
            updated_at: at,
            fingerprint: String::new(),
            charged: None,
        }
    }

    fn held(text: &str) -> AtTarget {
        AtTarget::One(Some(Held { gross: money(text), void: false }))
    }

    fn exported() -> Fate {
        Fate::Exported { number: None }
    }

    fn shown(amounts: &Amounts) -> Vec<String> {
        let sum = |sum: &Sum| {
            let Sum { orders, source, not_at_target, at_target, difference } = sum;
            format!("{orders}: {source} - {not_at_target} - {at_target} = {difference}")
        };
        amounts.sums.values().map(sum).collect()
    }

    #[test]
    fn a_difference_is_named_unless_something_explains_it() {
        let accept = Difference::Accept("0.05".parse().unwrap());
        let dead = Fate::Dead { code: "TG-3203".into(), message: String::new() };
        let void = AtTarget::One(Some(Held { gross: money("10.00 EUR"), void: true }));
        let cases = [
            ("10.00", held("10.00 EUR"), exported(), &Difference::Ticket, None),
            ("10.001", held("10.00 EUR"), exported(), &Difference::Ticket, None),
            ("0.00", void, exported(), &Difference::Ticket, None),
            ("10.00", void, exported(), &Difference::Ticket, Some(Because::Unexplained)),
            ("10.00", held("10.01 EUR"), exported(), &Difference::Ticket, Some(Because::Unexplained)),
            ("10.00", held("10.05 EUR"), exported(), &accept, Some(Because::Accepted)),
            ("10.00", held("10.06 EUR"), exported(), &accept, Some(Because::Unexplained)),
            ("10.00", held("10.00 USD"), exported(), &accept, Some(Because::Unexplained)),
            (
                "10.00",
                held("8.00 EUR"),
                dead,
                &accept,
                Some(Because::Open { reason: "a dead letter, TG-3203".into() }),
            ),
        ];
        for (source, at_target, fate, accepts, because) in cases {
            let mut amounts = Amounts::default();
            amounts.add(&item(), eur(source), at_target, &fate, accepts);
            let found = amounts.differences.first().map(|differing| differing.because.clone());
            assert_eq!(found, because, "{source} {at_target:?} {fate:?}");
            assert_eq!(amounts.wrong, u64::from(because == Some(Because::Unexplained)));
            assert_eq!((amounts.compared, amounts.untold), (1, 0));
        }
    }

    #[test]
    fn each_currency_adds_up_for_itself_and_what_is_rightly_absent_is_no_difference() {
        let mut amounts = Amounts::default();
        let mut add = |charged, at_target, fate| {
            amounts.add(&item(), charged, at_target, &fate, &Difference::Ticket);
        };
        add(eur("10.00"), held("10.00 EUR"), exported());
        add(eur("20.00"), AtTarget::None, Fate::Filtered { rule: "test order".into() });
        // Lost: it is missing in the sum.
        add(eur("7.00"), AtTarget::None, exported());
        // The target keeps this one in the buyer's currency.
        add(Some(bag("9.00 EUR", "1500 JPY")), held("1500 JPY"), exported());
        add(None, held("3.00 EUR"), exported());
        add(eur("3.00"), AtTarget::Untold, exported());
        add(eur("3.00"), AtTarget::One(None), exported());
        assert_eq!(
            shown(&amounts),
            ["3: 37.00 EUR - 20.00 EUR - 10.00 EUR = 7.00 EUR", "1: 1500 JPY - 0 JPY - 1500 JPY = 0 JPY"]
        );
        assert_eq!((amounts.compared, amounts.untold, amounts.wrong), (2, 3, 0));
        let once = amounts.clone();
        amounts.merge(once);
        assert_eq!(
            shown(&amounts),
            ["6: 74.00 EUR - 40.00 EUR - 20.00 EUR = 14.00 EUR", "2: 3000 JPY - 0 JPY - 3000 JPY = 0 JPY"]
        );
    }
}
