//! Count and totals by day: what `prove` compares between Shopify and a target.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::money::{Currency, MoneyError, ShopMoney};

/// Orders of one day in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTotals {
    pub count: u64,
    pub total: ShopMoney,
}

/// Adds up orders by the day of their creation in the shop's zone, each currency for itself.
///
/// # Errors
/// Where a sum has more digits than are exact.
pub fn summarise(
    orders: impl IntoIterator<Item = (Timestamp, ShopMoney)>,
    zone: &TimeZone,
) -> Result<BTreeMap<(Date, Currency), DayTotals>, MoneyError> {
    let mut days = BTreeMap::new();
    for (created_at, total) in orders {
        let day = created_at.to_zoned(zone.clone()).date();
        let currency = total.currency();
        let entry = days
            .entry((day, currency))
            .or_insert_with(|| DayTotals { count: 0, total: ShopMoney::zero(currency) });
        entry.count += 1;
        entry.total = entry.total.checked_add(total)?;
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::money::Money;

    #[test]
    fn a_day_is_the_shops_day() {
        let order = |at: &str, amount: &str, currency: &str| {
            let money = Money::parse(amount, currency.parse().unwrap()).unwrap();
            (at.parse::<Timestamp>().unwrap(), ShopMoney::new(money))
        };
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let days = summarise(
            [
                order("2026-10-31T22:59:59Z", "10.00", "EUR"),
                order("2026-10-31T23:00:00Z", "0.10", "EUR"),
                order("2026-11-01T22:00:00Z", "0.20", "EUR"),
                order("2026-11-01T12:00:00Z", "5", "JPY"),
            ],
            &zone,
        )
        .unwrap();
        let shown: Vec<_> =
            days.iter().map(|((day, _), found)| format!("{day} {} {}", found.count, found.total)).collect();
        assert_eq!(shown, ["2026-10-31 1 10.00 EUR", "2026-11-01 2 0.30 EUR", "2026-11-01 1 5 JPY"]);
    }
}
