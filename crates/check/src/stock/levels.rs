//! Whether anybody tells the levels that a source's changes are folded into.

use crate::judge::Judge;
use config::{Code, Flow};
use kernel::id::FlowName;

pub(super) fn judge(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let source = &flow.source.value;
    let only_changes = judge.descriptor(source).is_some_and(|descriptor| descriptor.only_changes);
    let Some(system) = judge.system(source).filter(|system| only_changes && !system.ingest.is_open()) else {
        return;
    };
    let message = format!(
        "{source} drops changes alone, and it cannot push either: no level is ever told that {name} could fold them into"
    );
    let help = format!(
        "write files = \"both\" and let it drop levels as well, or add [systems.{source}.ingest] so that it can push them"
    );
    let files = system.connection.settings.get("files").map_or(&system.connection.at, |files| &files.origin);
    judge.finding(Code::NotServed, files, format!("systems.{source}.connection.files"), message, help);
}
