//! The expressions that stand in the configuration itself: a flow's filters. What is wrong with one is said by
//! whoever runs it.

use crate::judge::Judge;
use config::{Code, Finding};

pub(crate) fn judge(judge: &mut Judge<'_>) {
    let Some(expressions) = judge.inputs.expressions else { return };
    for (name, flow) in judge.flows() {
        for filter in flow.filters.iter() {
            for fault in expressions.judge(flow.domain.as_str(), filter) {
                let finding = Finding::new(Code::Of(fault.code), &filter.origin, fault.message, fault.help);
                judge.push(finding.key(format!("flows.{name}.filters")));
            }
        }
    }
}
