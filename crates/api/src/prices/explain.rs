//! One price with every step of its derivation, for a person. Of a former instant it is answered from the journal, by the terms
//! and the prices of then.

use super::resolve::explained;
use super::{PriceError, Prices, currency};
use jiff::Timestamp;
use kernel::money::Currency;
use price_store::{AuditQuery, HeldLoad, PriceAudit, PriceStore, PriceStoreError};
use pricing::{Book, Buyer, Terms};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// Either this or `variant`.
    pub sku: Option<String>,
    /// Shopify's id of a variant, or its number: explained is the SKU that it has now.
    pub variant: Option<String>,
    /// Whose variant it is; needed where there are several.
    pub shop: Option<String>,
    /// One, where it is absent.
    pub quantity: Option<String>,
    pub unit: Option<String>,
    pub currency: String,
    pub company_location: Option<String>,
    /// Now, where it is absent.
    pub at: Option<Timestamp>,
}

/// One price, explained.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    pub version: u64,
    pub at: Timestamp,
    pub currency: &'static str,
    pub company_location: Option<String>,
    pub company: Option<String>,
    pub groups: Vec<String>,
    /// All of it in words.
    pub buyer: String,
    /// As `POST /v1/prices/resolve` answers it, with `why`.
    pub line: Value,
}

impl Prices {
    /// # Errors
    /// A currency or a location that is none; a disk that fails.
    pub async fn explain(&self, asked: Explain) -> Result<Explanation, PriceError> {
        let currency = currency(&asked.currency)?;
        let sku = match (&asked.sku, &asked.variant) {
            (Some(sku), None) => sku.clone(),
            (None, Some(variant)) => self.sku_of(asked.shop.as_deref(), variant).await?,
            _ => return Err(PriceError::mend("say sku or variant, one of the two")),
        };
        let current = self.store.current();
        // Now is what counts now, also in the second in which it began.
        let is_past = asked.at.is_some_and(|at| at < current.from());
        let at = asked.at.unwrap_or_else(|| super::whole_second(self.clock.now().wall));
        if !is_past {
            let (terms, book) = (current.terms(), current.book());
            return asked.explained(terms, &book, current.number(), &sku, (currency, at));
        }
        let explanation = self.waiting(move |store| {
            let past = store.past(at)?;
            let explanation = asked.explained(past.terms(), &past, past.number(), &sku, (currency, at));
            match past.fault() {
                Some(fault) => Err(fault),
                None => Ok(explanation),
            }
        });
        explanation.await?
    }

    /// Who changed the prices of a SKU, newest first.
    ///
    /// # Errors
    /// A disk that fails.
    pub async fn changes(&self, sku: String, limit: usize) -> Result<Vec<PriceAudit>, PriceError> {
        let query = AuditQuery { sku: Some(sku), ..AuditQuery::default() };
        self.waiting(move |store| store.audit(&query, limit)).await
    }

    /// Loads that a guard has stopped.
    ///
    /// # Errors
    /// A disk that fails.
    pub async fn held(&self) -> Result<Vec<HeldLoad>, PriceError> {
        self.waiting(|store| store.held()).await
    }

    /// The read model, for whoever asks it itself.
    #[must_use]
    pub fn store(&self) -> &Arc<PriceStore> {
        &self.store
    }

    /// Something of the read model that may wait for a disk.
    pub(crate) async fn waiting<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PriceStore) -> Result<T, PriceStoreError> + Send + 'static,
    ) -> Result<T, PriceError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(done) => done.map_err(PriceError::from),
            Err(_) => Err(PriceError::broke_off()),
        }
    }
}

impl Explain {
    fn explained<B: Book>(
        &self,
        terms: &Terms,
        book: &B,
        version: u64,
        sku: &str,
        (currency, at): (Currency, Timestamp),
    ) -> Result<Explanation, PriceError> {
        let nobody = Buyer::default();
        let buyer = match &self.company_location {
            None => &nobody,
            Some(id) => terms.buyer(id).ok_or_else(|| PriceError::unknown_buyer(id))?,
        };
        let groups: Vec<String> = buyer.groups.iter().map(ToString::to_string).collect();
        let quantity = self.quantity.as_deref().unwrap_or("1");
        let goods = (sku, quantity, self.unit.as_deref());
        Ok(Explanation {
            version,
            at,
            currency: currency.code(),
            company_location: self.company_location.clone(),
            company: buyer.company.as_ref().map(ToString::to_string),
            buyer: in_words(buyer, &groups),
            groups,
            line: explained(terms, book, buyer, (currency, at), goods),
        })
    }
}

fn in_words(buyer: &Buyer, groups: &[String]) -> String {
    let mut words = buyer.company_location.as_deref().unwrap_or("nobody in particular").to_owned();
    if let Some(company) = &buyer.company {
        words = format!("{words} of {company}");
    }
    if !groups.is_empty() {
        words = format!("{words}, in {}", groups.join(", "));
    }
    words
}
