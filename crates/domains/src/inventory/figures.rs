//! The figures of a level that a person is shown beside what may be sold of it, all in sales units, so that they add up: on hand,
//! reserved, all that is kept back; and what may be promised of what is on its way (ATP): at each date that the source told, what
//! could be sold then (nothing is promised of what comes without one), by the same rules. A bundle has no shelf, so it has the last alone.

use super::canonical::{factor, sold};
use super::composed::{At, Composed, Part};
use super::fault::StockFault;
use super::level::Stock;
use super::rules::Rules;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// In sales units, as exact decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Absent: it is a bundle, and what it is made of is on the shelf.
    pub shelf: Option<Shelf>,
    /// By date, the next one first; last what comes without one.
    pub incoming: Vec<Promise>,
}

/// What is on the shelf, over all locations that are one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Shelf {
    pub on_hand: Decimal,
    pub reserved: Decimal,
    /// Kept back in all: by the source, and by the flow's rules.
    pub safety: Decimal,
}

/// What comes at a date, and what may be sold of all that is there by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// Absent: the source says no date, so nothing can be promised of it.
    pub at: Option<Timestamp>,
    /// Of the thing itself; absent where it is what a bundle is made of that comes.
    pub quantity: Option<Decimal>,
    /// As of a level: whole sales units, before what is in flight.
    pub available: Option<i64>,
}

/// Of one level.
///
/// # Errors
/// As of [`super::canonical`].
pub fn figures(stock: &Stock, rules: &Rules) -> Result<Figures, StockFault> {
    of(&[stock], rules, |at| Ok(sold(&then(stock, at), rules)?.available))
}

impl Composed {
    /// # Errors
    /// As of [`Composed::canonical`].
    pub fn figures(&self, rules: &Rules) -> Result<Figures, StockFault> {
        let levels: Vec<&Stock> = self.levels().collect();
        let all = of(&levels, rules, |at| Ok(self.then(at).canonical(rules)?.available))?;
        let is_bundle = self.parts.iter().any(|part| part.piece.sku != self.sku);
        if !is_bundle {
            return Ok(all);
        }
        let incoming = all.incoming.into_iter().map(|promise| Promise { quantity: None, ..promise });
        Ok(Figures { shelf: None, incoming: incoming.collect() })
    }

    fn then(&self, at: Timestamp) -> Self {
        let level = |of: &At| At {
            location: of.location.clone(),
            level: of.level.as_ref().map(|level| then(level, at)),
        };
        let part =
            |part: &Part| Part { piece: part.piece.clone(), levels: part.levels.iter().map(level).collect() };
        let parts = self.parts.iter().map(part).collect();
        Self { sku: self.sku.clone(), location: self.location.clone(), parts }
    }
}

/// A level as it is once all has come that is due by an instant.
fn then(stock: &Stock, at: Timestamp) -> Stock {
    let come: Decimal =
        stock.incoming.iter().filter(|due| due.at.is_some_and(|due| due <= at)).map(|due| due.quantity).sum();
    Stock { on_hand: stock.on_hand + come, incoming: Vec::new(), ..stock.clone() }
}

fn of(
    levels: &[&Stock],
    rules: &Rules,
    available: impl Fn(Timestamp) -> Result<i64, StockFault>,
) -> Result<Figures, StockFault> {
    let mut shelf = Shelf::default();
    let (mut due, mut undated): (BTreeMap<Timestamp, Decimal>, _) = (BTreeMap::new(), Decimal::ZERO);
    for level in levels {
        let (factor, _) = factor(level, rules)?;
        let on_hand = level.on_hand * factor;
        let by_rule = rules.safety(level, on_hand).map(|safety| safety.quantity).unwrap_or_default();
        shelf.on_hand += on_hand;
        shelf.reserved += level.reserved * factor;
        shelf.safety += level.safety * factor + by_rule;
        for coming in &level.incoming {
            let sum = coming.at.map_or(&mut undated, |at| due.entry(at).or_default());
            *sum += coming.quantity * factor;
        }
    }
    let [on_hand, reserved, safety] =
        [shelf.on_hand, shelf.reserved, shelf.safety].map(|all| all.normalize());
    let promise = |(at, quantity): (Timestamp, Decimal)| {
        let (quantity, available) = (Some(quantity.normalize()), Some(available(at)?));
        Ok(Promise { at: Some(at), quantity, available })
    };
    let mut incoming = due.into_iter().map(promise).collect::<Result<Vec<_>, StockFault>>()?;
    if !undated.is_zero() {
        incoming.push(Promise { at: None, quantity: Some(undated.normalize()), available: None });
    }
    Ok(Figures { shelf: Some(Shelf { on_hand, reserved, safety }), incoming })
}

#[cfg(test)]
mod tests;
