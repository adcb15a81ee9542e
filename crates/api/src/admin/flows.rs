//! `GET flows`: each flow as it is configured, with the pauses that hold it.

use super::lines::PauseLine;
use super::{AdminError, FlowInfo, Parts};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use store::operate::{Pause, PauseScope};

#[derive(Debug, Serialize)]
pub(super) struct Flows {
    flows: Vec<FlowLine>,
}

#[derive(Debug, Serialize)]
struct FlowLine {
    #[serde(flatten)]
    flow: FlowInfo,
    /// Its own, and that of its target.
    pauses: Vec<PauseLine>,
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<Flows>, AdminError> {
    let pauses = parts.store.pauses(parts.clock.now().wall).await?;
    let line = |flow: &FlowInfo| FlowLine {
        flow: flow.clone(),
        pauses: pauses.iter().filter(|pause| holds(pause, flow)).map(PauseLine::of).collect(),
    };
    Ok(Json(Flows { flows: parts.flows.iter().map(line).collect() }))
}

fn holds(pause: &Pause, flow: &FlowInfo) -> bool {
    match &pause.scope {
        PauseScope::Flow(name) => *name == flow.name,
        PauseScope::System(system) => *system == flow.target,
        PauseScope::Subject(_) => false,
    }
}
