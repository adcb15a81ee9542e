//! `GET prices/terms`: the terms as they were written; `POST prices/terms {document, dry_run}`: others, as a whole.

use super::{Parts, prices, waiting};
use crate::admin::AdminError;
use crate::admin::asked::{Body, Hand, NothingElse};
use crate::prices::pull::carried;
use axum::Json;
use axum::extract::State;
use price_store::{PriceStore, TermsOutcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    sha256: String,
    document: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// TOML, or JSON if it begins with a brace.
    document: String,
    #[serde(default)]
    dry_run: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

pub(super) async fn show(State(parts): Parts) -> Result<Json<Shown>, AdminError> {
    let version = prices(&parts)?.store.current();
    let Some((document, sha256)) = version.terms_document() else {
        return Err(AdminError::not_found("no terms were loaded yet: tidegate prices terms FILE"));
    };
    let document = String::from_utf8_lossy(document).into_owned();
    Ok(Json(Shown { sha256: sha256.to_owned(), document }))
}

pub(super) async fn set(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Json<Value>, AdminError> {
    let now = parts.clock.now().wall;
    let by = asked.hand.by_or("terms of prices", now)?;
    let sources: Vec<String> = parts.pulls.iter().map(|pull| pull.name().to_owned()).collect();
    let set = move |store: &PriceStore| {
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        store.change_terms(|before| carried(before, &asked.document, &sources), &by.who, asked.dry_run, now)
    };
    let set = waiting(prices(&parts)?, set).await?;
    let TermsOutcome { version, sha256, difference, lists_unknown, lists_empty } =
        set.map_err(AdminError::mend)?;
    Ok(Json(json!({
        "version": version,
        "sha256": sha256,
        "difference": difference,
        "lists_without_terms": lists_unknown,
        "lists_without_prices": lists_empty,
    })))
}
