//! When a load is stopped and a person asked. Owns the limits and the reasons in plain words. Refuses to decide: a load that is
//! held waits for a name and a reason.

use crate::diff::{Diff, PriceChange};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// None: this is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guards {
    /// More than so many percent of the prices of the lists in the load change or go.
    pub change_percent: Option<Decimal>,
    /// Any price falls by more than so many percent, at any quantity or time.
    pub fall_percent: Option<Decimal>,
    /// A list loses more than so many percent of its prices.
    pub shrink_percent: Option<Decimal>,
    /// A price of zero that was not one.
    pub zero: bool,
    /// No list in a currency has a price any more.
    pub currency_vanishes: bool,
    /// Of fewer prices than that no share is judged: one of three is a third.
    pub few: u64,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            change_percent: Some(Decimal::from(30)),
            fall_percent: Some(Decimal::from(40)),
            shrink_percent: Some(Decimal::from(10)),
            zero: true,
            currency_vanishes: true,
            few: 20,
        }
    }
}

impl Guards {
    /// Nothing is held.
    #[must_use]
    pub fn none() -> Self {
        Self {
            change_percent: None,
            fall_percent: None,
            shrink_percent: None,
            zero: false,
            currency_vanishes: false,
            few: 0,
        }
    }

    pub(crate) fn judge(&self, diff: &Diff, currencies_gone: Vec<String>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let total = &diff.total;
        let changed = total.up + total.down + total.other + total.gone;
        if let Some(limit) = self.change_percent
            && total.before() >= self.few
            && over(changed, total.before(), limit)
        {
            reasons.push(Reason::ManyChange { changed, of: total.before(), limit_percent: limit });
        }
        if let (Some(limit), Some(worst)) = (self.fall_percent, diff.largest_falls.first())
            && diff.falls_beyond > 0
        {
            let worst = Box::new(worst.clone());
            reasons.push(Reason::Falls { count: diff.falls_beyond, worst, limit_percent: limit });
        }
        if let (true, Some(first)) = (self.zero, &diff.first_zero) {
            reasons.push(Reason::Zero { count: diff.zeros, first: Box::new(first.clone()) });
        }
        if self.currency_vanishes {
            reasons.extend(currencies_gone.into_iter().map(|currency| Reason::CurrencyVanishes { currency }));
        }
        if let Some(limit) = self.shrink_percent {
            reasons.extend(self.shrinking(diff, limit));
        }
        reasons
    }

    fn shrinking(&self, diff: &Diff, limit: Decimal) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut more = 0;
        for of_list in &diff.lists {
            let (before, after) = (of_list.counts.before(), of_list.counts.after());
            let emptied = after == 0 && before > 0;
            let judged = before >= self.few && before > after && over(before - after, before, limit);
            if !emptied && !judged {
                continue;
            }
            if reasons.len() < REASONS_MAX {
                let list = of_list.list.clone();
                reasons.push(Reason::ListShrinks { list, before, after, limit_percent: limit });
            } else {
                more += 1;
            }
        }
        if more > 0 {
            reasons.push(Reason::MoreLists { count: more });
        }
        reasons
    }

    /// `now` falls below `before` by more than the limit. In millionths.
    pub(crate) fn is_fall_beyond(&self, before: u64, now: u64) -> bool {
        self.fall_percent.is_some_and(|limit| now < before && over(before - now, before, limit))
    }
}

/// Lists that shrink are told one by one up to here.
const REASONS_MAX: usize = 20;

fn over(part: u64, whole: u64, percent: Decimal) -> bool {
    let part = Decimal::from(part).checked_mul(Decimal::ONE_HUNDRED);
    let limit = Decimal::from(whole).checked_mul(percent);
    match (part, limit) {
        (Some(part), Some(limit)) => part > limit,
        // 19 digits by 100 fit; a limit that does not is above all.
        (_, None) => false,
        (None, Some(_)) => true,
    }
}

/// Why a load is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    ManyChange {
        changed: u64,
        of: u64,
        limit_percent: Decimal,
    },
    Falls {
        count: u64,
        worst: Box<PriceChange>,
        limit_percent: Decimal,
    },
    Zero {
        count: u64,
        first: Box<PriceChange>,
    },
    CurrencyVanishes {
        currency: String,
    },
    ListShrinks {
        list: String,
        before: u64,
        after: u64,
        limit_percent: Decimal,
    },
    MoreLists {
        count: u64,
    },
    /// It was held, and another load of the same lists went live since.
    Overtaken {
        load: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManyChange { changed, of, limit_percent } => {
                write!(f, "{changed} of {of} prices change or go, more than {limit_percent} %")
            }
            Self::Falls { count, worst, limit_percent } => write!(
                f,
                "{count} prices fall by more than {limit_percent} %; the most: {} in {}, by {} %",
                worst.sku,
                worst.list,
                worst.percent.as_deref().unwrap_or("?").trim_start_matches('-')
            ),
            Self::Zero { count, first } => {
                write!(f, "{count} prices become zero; the first: {} in {}", first.sku, first.list)
            }
            Self::CurrencyVanishes { currency } => write!(f, "no list in {currency} has a price any more"),
            Self::ListShrinks { list, before, after, .. } => {
                write!(f, "the list {list} shrinks from {before} to {after} prices")
            }
            Self::MoreLists { count } => write!(f, "{count} more lists shrink"),
            Self::Overtaken { load } => write!(f, "load {load} of the same lists went live since"),
        }
    }
}

impl Reason {
    /// Whether a person who has seen the one has seen the other.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ListShrinks { list: a, .. }, Self::ListShrinks { list: b, .. }) => a == b,
            (Self::CurrencyVanishes { currency: a }, Self::CurrencyVanishes { currency: b }) => a == b,
            (Self::Overtaken { load: a }, Self::Overtaken { load: b }) => a == b,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}
