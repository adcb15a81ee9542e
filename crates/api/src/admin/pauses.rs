//! `GET pauses`, `POST pauses`, `POST pauses/resume`: holds back a system, a flow or one root subject, with a reason and
//! an end.

use super::asked::{self, Body, Hand, NothingElse};
use super::lines::PauseLine;
use super::{AdminError, AdminParts, Parts};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use kernel::clock::after;
use kernel::id::{FlowName, SystemName};
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::operate::{Pause, PauseScope};

#[derive(Debug, Serialize)]
pub(super) struct Pauses {
    pauses: Vec<PauseLine>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScopeWord {
    System,
    Flow,
    Subject,
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    scope: ScopeWord,
    name: String,
    #[serde(flatten)]
    hand: Hand,
    for_ms: Option<u64>,
    until: Option<Timestamp>,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Serialize)]
pub(super) struct Paused {
    pause: PauseLine,
}

#[derive(Debug, Serialize)]
pub(super) struct Resumed {
    /// Whether there was such a pause.
    resumed: bool,
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<Pauses>, AdminError> {
    let pauses = parts.store.pauses(parts.clock.now().wall).await?;
    Ok(Json(Pauses { pauses: pauses.iter().map(PauseLine::of).collect() }))
}

pub(super) async fn pause(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Json<Paused>, AdminError> {
    let now = parts.clock.now().wall;
    let by = asked.hand.by(now)?;
    let until = match (asked.for_ms, asked.until) {
        (Some(_), Some(_)) => return Err(AdminError::mend("write for_ms or until, not both")),
        (Some(ms), None) => Some(after(now, Duration::from_millis(ms))),
        (None, until) => until,
    };
    if until.is_some_and(|until| until <= now) {
        return Err(AdminError::mend(
            "the pause would have ended already: write a later until, or a longer for_ms",
        ));
    }
    let pause = Pause { scope: scope(&parts, &asked)?, by, until };
    parts.store.pause(pause.clone()).await?;
    parts.hub.changed();
    Ok(Json(Paused { pause: PauseLine::of(&pause) }))
}

pub(super) async fn resume(
    State(parts): Parts,
    Body(asked): Body<Asked>,
) -> Result<Json<Resumed>, AdminError> {
    let by = asked.hand.by(parts.clock.now().wall)?;
    let resumed = parts.store.resume(&scope(&parts, &asked)?, by).await?;
    parts.hub.changed();
    Ok(Json(Resumed { resumed }))
}

/// Of something that exists: a pause of a misspelt flow would hold nothing and say that it does.
fn scope(parts: &AdminParts, asked: &Asked) -> Result<PauseScope, AdminError> {
    let name = asked.name.as_str();
    match asked.scope {
        ScopeWord::System => {
            let flows = parts.flows.iter().flat_map(|flow| [&flow.source, &flow.target]);
            let running = parts.hub.snapshot().systems.into_iter().map(|system| system.name);
            let known = flows.map(ToString::to_string).chain(running);
            one_of("system", name, known).and_then(|name| Ok(PauseScope::System(SystemName::new(&name)?)))
        }
        ScopeWord::Flow => {
            let known = parts.flows.iter().map(|flow| flow.name.to_string());
            one_of("flow", name, known).and_then(|name| Ok(PauseScope::Flow(FlowName::new(&name)?)))
        }
        ScopeWord::Subject => {
            let subject = asked::subject(name)?;
            let root = subject.root().to_owned();
            Ok(PauseScope::Subject(Subject { shop: subject.shop, path: root }))
        }
    }
}

fn one_of(what: &str, name: &str, known: impl Iterator<Item = String>) -> Result<String, AdminError> {
    let known: std::collections::BTreeSet<String> = known.collect();
    if known.contains(name) {
        return Ok(name.to_owned());
    }
    let known: Vec<String> = known.into_iter().collect();
    Err(AdminError::not_found(format!("there is no {what} {name:?}; there are: {}", known.join(", "))))
}
