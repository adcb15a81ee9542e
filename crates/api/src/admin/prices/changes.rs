//! `GET prices/changes`: who changed which price, when, from what to what, by which load, approved by whom; `GET prices/journal`:
//! loads, approvals and changes of the terms. Newest first.

use super::{Parts, prices, waiting};
use crate::admin::AdminError;
use crate::admin::asked::Question;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use price_store::{AuditQuery, Entry, PriceAudit};
use pricing::Audience;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const SHOWN: usize = 100;
const SHOWN_MAX: usize = 100_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    sku: Option<String>,
    list: Option<String>,
    /// The lists that are for this company or its locations, by the terms that count now.
    company: Option<String>,
    by: Option<String>,
    load: Option<u64>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    skip: Option<usize>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Changes {
    changes: Vec<PriceAudit>,
}

#[derive(Debug, Serialize)]
pub(super) struct Journal {
    entries: Vec<Entry>,
}

pub(super) async fn list(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Changes>, AdminError> {
    let (prices, limit) = (prices(&parts)?, asked.limit());
    let query = asked.query(prices.store.current().terms())?;
    Ok(Json(Changes { changes: waiting(prices, move |store| store.audit(&query, limit)).await? }))
}

pub(super) async fn journal(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Journal>, AdminError> {
    if asked.sku.is_some() || asked.list.is_some() || asked.company.is_some() {
        return Err(AdminError::mend("sku, list and company are asked of prices/changes: a load has many"));
    }
    let (prices, limit) = (prices(&parts)?, asked.limit());
    let query = asked.query(prices.store.current().terms())?;
    Ok(Json(Journal { entries: waiting(prices, move |store| store.entries(&query, limit)).await? }))
}

impl Asked {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(SHOWN).min(SHOWN_MAX)
    }

    fn query(self, terms: &pricing::Terms) -> Result<AuditQuery, AdminError> {
        let lists = match (&self.list, &self.company) {
            (Some(list), None) => Some(BTreeSet::from([list.clone()])),
            (None, Some(company)) => Some(of_company(terms, company)?),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(AdminError::mend("name a list or a company, not both")),
        };
        let Self { sku, by, load, from, until, .. } = self;
        Ok(AuditQuery { lists, sku, by, load, from, until, skip: self.skip.unwrap_or_default() })
    }
}

fn of_company(terms: &pricing::Terms, company: &str) -> Result<BTreeSet<String>, AdminError> {
    let locations: BTreeSet<&str> = terms
        .locations()
        .filter(|buyer| buyer.company.as_deref() == Some(company))
        .filter_map(|buyer| buyer.company_location.as_deref())
        .collect();
    let theirs = |audience: &Audience| match audience {
        Audience::Company(id) => **id == *company,
        Audience::CompanyLocation(id) => locations.contains(&**id),
        Audience::Group(_) | Audience::Everyone => false,
    };
    let lists = terms.lists().iter().filter(|list| list.audience.iter().any(theirs));
    let lists: BTreeSet<String> = lists.map(|list| list.id.to_string()).collect();
    if lists.is_empty() {
        let message = format!("no list of the terms is for the company {company:?} or one of its locations");
        return Err(AdminError::not_found(message));
    }
    Ok(lists)
}
