//! `GET prices/explain?sku&quantity&unit&currency&company_location&at`: one price with every step of its derivation. Of a
//! former instant it is answered from the journal, by the terms and the prices of then.

use super::{Parts, prices, waiting};
use crate::admin::AdminError;
use crate::admin::asked::Question;
use crate::prices::{PriceError, currency, explained};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use kernel::money::Currency;
use pricing::{Book, Buyer, Terms};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    sku: String,
    /// One, where it is absent.
    quantity: Option<String>,
    unit: Option<String>,
    currency: String,
    company_location: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    version: u64,
    at: Timestamp,
    currency: &'static str,
    company_location: Option<String>,
    company: Option<String>,
    groups: Vec<String>,
    line: Value,
}

pub(super) async fn show(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Explanation>, AdminError> {
    let prices = prices(&parts)?;
    let currency = currency(&asked.currency)?;
    let current = prices.store.current();
    let at = asked.at.unwrap_or(parts.clock.now().wall);
    if at >= current.from() {
        let (terms, book) = (current.terms(), current.book());
        return Ok(Json(asked.explained(terms, &book, current.number(), (currency, at))?));
    }
    let explanation = waiting(&prices.store, move |store| {
        let past = store.past(at)?;
        let explanation = asked.explained(past.terms(), &past, past.number(), (currency, at));
        match past.fault() {
            Some(fault) => Err(fault),
            None => Ok(explanation),
        }
    });
    Ok(Json(explanation.await??))
}

impl Asked {
    fn explained<B: Book>(
        &self,
        terms: &Terms,
        book: &B,
        version: u64,
        (currency, at): (Currency, Timestamp),
    ) -> Result<Explanation, AdminError> {
        let nobody = Buyer::default();
        let buyer = match &self.company_location {
            None => &nobody,
            Some(id) => terms.buyer(id).ok_or_else(|| PriceError::unknown_buyer(id))?,
        };
        let quantity = self.quantity.as_deref().unwrap_or("1");
        let goods = (self.sku.as_str(), quantity, self.unit.as_deref());
        Ok(Explanation {
            version,
            at,
            currency: currency.code(),
            company_location: self.company_location.clone(),
            company: buyer.company.as_ref().map(ToString::to_string),
            groups: buyer.groups.iter().map(ToString::to_string).collect(),
            line: explained(terms, book, buyer, (currency, at), goods),
        })
    }
}
