//! `GET prices/sources`: where prices come from by themselves: what ran, what is next, what waits. `POST prices/pull {source, dry_run,
//! snapshot}`: asks one of them now. That answer is a stream.

use super::{Parts, prices};
use crate::admin::asked::{Body, Hand, NothingElse};
use crate::admin::stream::{Teller, streamed};
use crate::admin::{AdminError, AdminParts};
use crate::prices::outcome_told;
use crate::prices::pull::{Due, OneLoad, Pull, PullTold, Pulled, Pulling};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Serialize)]
pub(super) struct Sources {
    sources: Vec<PullTold>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The only one, where it is absent.
    source: Option<String>,
    /// One answer is weighed, and nothing is changed.
    #[serde(default)]
    dry_run: bool,
    /// All of its prices, and not only what changed.
    #[serde(default)]
    snapshot: bool,
    /// The point is forgotten.
    #[serde(default)]
    from_the_beginning: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<Sources>, AdminError> {
    prices(&parts)?;
    let now = parts.clock.now().wall;
    let sources = parts.pulls.iter().map(|pull| pull.told(now)).collect::<Result<_, _>>()?;
    Ok(Json(Sources { sources }))
}

pub(super) async fn pull(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    prices(&parts)?;
    let by = asked.hand.by_or("", parts.clock.now().wall)?;
    let pull = named(&parts, asked.source.as_deref())?;
    let how = Pulling {
        what: if asked.snapshot { Due::Snapshot } else { Due::Usual },
        from_the_beginning: asked.from_the_beginning,
        dry_run: asked.dry_run,
        by: by.who,
        note: (!by.why.is_empty()).then_some(by.why),
    };
    Ok(streamed(&parts, move |teller| pulled(pull, how, teller)))
}

fn named(parts: &AdminParts, named: Option<&str>) -> Result<Arc<Pull>, AdminError> {
    let names: Vec<&str> = parts.pulls.iter().map(|pull| pull.name()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    match (named, parts.pulls.as_slice()) {
        (Some(named), all) => all.iter().find(|pull| pull.name() == named).cloned().ok_or_else(|| {
            AdminError::not_found(format!("[prices.sources] has no {named:?}; there are: {known}"))
        }),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(AdminError::not_found(
            "prices have no source: add a section [prices.sources.NAME] (docs/prices.md)",
        )),
        (None, _) => Err(AdminError::mend(format!("say which source: {known}"))),
    }
}

async fn pulled(pull: Arc<Pull>, how: Pulling, teller: Arc<Teller>) -> Result<Value, AdminError> {
    let tell = Arc::new(move |rows| {
        teller.tell(rows, 0);
    });
    let pulled = pull.run(&how, tell).await?;
    let (waits_for, loads) = match &pulled {
        Pulled::Waits { load } => (Some(*load), Vec::new()),
        Pulled::Loaded(all) => (None, all.iter().map(told).collect()),
    };
    Ok(json!({ "source": pull.name(), "waits_for": waits_for, "loads": loads }))
}

fn told(one: &OneLoad) -> Value {
    let OneLoad { came, outcome, refused, terms, .. } = one;
    let mut told =
        outcome.as_ref().map_or_else(|| json!({ "outcome": came.outcome, "load": came.load }), outcome_told);
    told["rows"] = came.rows.into();
    told["whole"] = came.whole.into();
    told["terms"] = json!(terms);
    told["refused"] = refused.clone().into();
    told
}
