//! Prices as the pages show them. Owns the words in which a read model of prices tells a finance person what it is.

use api::prices::{Explain, Explanation, Prices};
use price_store::{PriceAudit, PriceForm};
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value;
use std::sync::Arc;
use ui::{PriceAsked, PriceChanged, PriceStanding, PriceTold, Waiting};

/// Whom the pages ask.
#[derive(Debug)]
pub struct PricePages(pub Arc<Prices>);

impl ui::Prices for PricePages {
    fn explain(&self, asked: PriceAsked) -> Waiting<'_, Result<PriceTold, String>> {
        let PriceAsked { sku, quantity, currency, company_location, at } = asked;
        let asked = Explain { sku, quantity: Some(quantity), unit: None, currency, company_location, at };
        Box::pin(async move { self.0.explain(asked).await.map(told).map_err(|error| error.message) })
    }

    fn changes(&self, sku: String, limit: usize) -> Waiting<'_, Result<Vec<PriceChanged>, String>> {
        Box::pin(async move {
            let changes = self.0.changes(sku, limit).await.map_err(|error| error.message)?;
            Ok(changes.into_iter().map(changed).collect())
        })
    }

    fn standing(&self) -> Waiting<'_, Result<PriceStanding, String>> {
        Box::pin(async move {
            let version = self.0.store().current();
            let held = self.0.held().await.map_err(|error| error.message)?;
            let mut words = format!(
                "Version {} with {} prices in {} lists.",
                version.number(),
                version.prices(),
                version.lists().count()
            );
            if let Some((system, left_alone, counts)) = self.0.live_counts() {
                let alone = if left_alone {
                    " It failed again and again and is left alone for a moment."
                } else {
                    ""
                };
                words = format!(
                    "{words} Since the start {system} said the price of {} lines, of {} a while before, and {} lines had another price \
                     because it said nothing in time.{alone}",
                    counts.told, counts.stale, counts.fallback
                );
            }
            let held = held.iter().map(|load| {
                let because: Vec<String> = load.reasons.iter().map(ToString::to_string).collect();
                format!("load {} of {} by {}: {}", load.load, load.source, load.by, because.join("; "))
            });
            Ok(PriceStanding { words, held: held.collect(), damage: version.damage().findings.clone() })
        })
    }
}

fn told(explanation: Explanation) -> PriceTold {
    let line = &explanation.line;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let price = if line["status"] == "priced" {
        Ok(["unit_price", "total", "list_price"].map(|name| text(&line[name])))
    } else {
        Err(text(&line["message"]))
    };
    let mut buyer = explanation.company_location.unwrap_or_else(|| "nobody in particular".to_owned());
    if let Some(company) = explanation.company {
        buyer = format!("{buyer} of {company}");
    }
    if !explanation.groups.is_empty() {
        buyer = format!("{buyer}, in {}", explanation.groups.join(", "));
    }
    PriceTold {
        version: explanation.version,
        at: explanation.at,
        buyer,
        price,
        list: line["source"]["list"].as_str().map(str::to_owned),
        steps: line["why"].as_array().into_iter().flatten().map(text).collect(),
    }
}

fn changed(change: PriceAudit) -> PriceChanged {
    PriceChanged {
        at: change.at,
        list: change.list,
        before: change.before.as_ref().map(words).unwrap_or_default(),
        amount: change.after.as_ref().and_then(smallest),
        after: change.after.as_ref().map(words).unwrap_or_default(),
        load: change.load,
        source: change.source,
        by: change.by,
        approved_because: change.approved_because,
    }
}

/// A price in a few words.
fn words(price: &PriceForm) -> String {
    let windows = match price {
        PriceForm::Plain(amount) => return amount.clone(),
        PriceForm::Windows(windows) => windows,
    };
    let window = |window: &price_store::WindowForm| {
        let tier = |[minimum, amount]: &[String; 2]| match minimum.as_str() {
            "0" | "1" => amount.clone(),
            minimum => format!("{amount} from {minimum}"),
        };
        let mut told = window.tiers.iter().map(tier).collect::<Vec<_>>().join(", ");
        for (word, part) in
            [("per", &window.unit), ("since", &window.valid_from), ("until", &window.valid_until)]
        {
            if let Some(part) = part {
                told = format!("{told} {word} {part}");
            }
        }
        told
    };
    windows.iter().map(window).collect::<Vec<_>>().join("; ")
}

/// Of the smallest quantity in the first window, to be drawn.
fn smallest(price: &PriceForm) -> Option<f64> {
    let amount = match price {
        PriceForm::Plain(amount) => amount,
        PriceForm::Windows(windows) => &windows.first()?.tiers.first()?[1],
    };
    amount.parse::<rust_decimal::Decimal>().ok()?.to_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_told_in_words_and_drawn_by_its_smallest_quantity() {
        let form = |text: &str| serde_json::from_str::<PriceForm>(text).unwrap();
        let tiers = form(r#"[{"tiers": [["1", "5"], ["10", "4.5"]], "unit": "CS"}]"#);
        assert_eq!((words(&tiers).as_str(), smallest(&tiers)), ("5, 4.5 from 10 per CS", Some(5.0)));
        let plain = form("\"4.75\"");
        assert_eq!((words(&plain).as_str(), smallest(&plain)), ("4.75", Some(4.75)));
    }
}
