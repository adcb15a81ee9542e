//! Splitting an amount over weights so that the parts add up to it again, to the last minor unit.

use rust_decimal::Decimal;

use super::{Money, MoneyError};

impl Money {
    /// Splits the amount in proportion to `weights`, by largest remainder: what is left after rounding down goes,
    /// one minor unit each, to the parts that lost most; among equals the earlier one. The parts always add up to
    /// the amount. An amount finer than the minor unit is split in its own last decimal.
    pub fn allocate(self, weights: &[Decimal]) -> Result<Vec<Self>, MoneyError> {
        let scale = self.amount().scale().max(self.currency().minor_digits());
        let units = whole(self.amount(), scale)?;
        let weight_scale = weights.iter().map(|w| w.normalize().scale()).max().unwrap_or(0);
        let mut whole_weights = Vec::with_capacity(weights.len());
        for weight in weights {
            whole_weights.push(whole(weight.normalize(), weight_scale)?);
        }
        let parts = split(units, &whole_weights)?;
        parts
            .into_iter()
            .map(|part| {
                let amount =
                    Decimal::try_from_i128_with_scale(part, scale).map_err(|_| MoneyError::Inexact)?;
                Ok(Self::new(amount, self.currency()))
            })
            .collect()
    }
}

/// The value as a whole number of `10^-scale`.
fn whole(value: Decimal, scale: u32) -> Result<i128, MoneyError> {
    let mut value = value;
    value.rescale(scale);
    if value.scale() == scale { Ok(value.mantissa()) } else { Err(MoneyError::Inexact) }
}

fn split(units: i128, weights: &[i128]) -> Result<Vec<i128>, MoneyError> {
    let total: i128 =
        weights.iter().try_fold(0_i128, |sum, w| sum.checked_add(*w)).ok_or(MoneyError::Inexact)?;
    if weights.iter().any(|w| *w < 0) || total == 0 {
        return Err(MoneyError::NoWeights);
    }
    let magnitude = units.abs();
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let share = magnitude.checked_mul(*weight).ok_or(MoneyError::Inexact)?;
        parts.push(share / total);
        remainders.push((share % total, index));
    }
    let given: i128 = parts.iter().sum();
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let left = usize::try_from(magnitude - given).map_err(|_| MoneyError::Inexact)?;
    for (_, index) in remainders.into_iter().take(left) {
        parts[index] += 1;
    }
    if units < 0 {
        parts.iter_mut().for_each(|part| *part = -*part);
    }
    Ok(parts)
}
