//! What Medusa reserved, by its own reservations, beside the lines that are open there.

use super::books::{Books, Row};
use crate::proof::Further;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reserved {
    /// Drafts that were never made an order.
    drafts: u64,
    lines: u64,
    /// Lines with more or fewer units reserved than are open.
    wrong: u64,
    #[serde(skip)]
    named: Vec<String>,
}

impl Reserved {
    pub async fn judge(books: &Books, rows: &[Row]) -> anyhow::Result<Self> {
        let mut there: BTreeMap<String, Decimal> = BTreeMap::new();
        for one in books.reservations().await?.into_values() {
            *there.entry(one.line).or_default() += one.units;
        }
        let mut reserved = Self::default();
        for row in rows {
            reserved.drafts += u64::from(row.is_draft());
            let to_reserve = row.to_reserve()?;
            for line in row.items().filter_map(|item| item["id"].as_str()) {
                let open = to_reserve.get(line).copied().unwrap_or_default();
                reserved.lines += u64::from(!open.is_zero());
                let units = there.get(line).copied().unwrap_or_default();
                if units != open {
                    reserved.wrong += 1;
                    reserved
                        .named
                        .push(format!("{line} of order {}: {units} reserved, {open} open", row.order));
                }
            }
        }
        reserved.named.truncate(10);
        Ok(reserved)
    }

    pub fn told(&self) -> anyhow::Result<Further> {
        Ok(Further {
            name: "reserved",
            holds: self.drafts == 0 && self.wrong == 0,
            written: format!(
                "reserved   {} lines are open in Medusa, {} of them not reserved once; {} drafts left{}",
                self.lines,
                self.wrong,
                self.drafts,
                self.named.iter().map(|what| format!("\n  {what}")).collect::<String>()
            ),
            json: serde_json::to_value(self)?,
        })
    }
}
