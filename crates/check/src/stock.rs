//! The rules of a flow of stock: what is kept back, and units. What is wrong with one is said by the domain that reads it.

use crate::judge::Judge;
use config::{Code, Flow, Origin, Setting};
use domains::inventory::Rules;
use kernel::id::FlowName;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows() {
        if flow.domain.as_str() == "inventory" {
            rules(judge, name, flow);
        } else {
            means_nothing(judge, name, flow);
        }
    }
}

fn rules(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let texts = |list: &Setting<Vec<Setting<String>>>| -> Vec<String> {
        list.iter().map(|text| text.value.clone()).collect()
    };
    let Err(faults) = Rules::parse(&texts(&flow.stock.safety), &texts(&flow.stock.units)) else { return };
    for fault in faults {
        let list = if fault.list == "units" { &flow.stock.units } else { &flow.stock.safety };
        let at = list.value.get(fault.index).map_or(&list.origin, |rule| &rule.origin);
        let (message, help) =
            fault.message.split_once("; ").unwrap_or((fault.message.as_str(), "correct the rule"));
        judge.finding(Code::Value, at, format!("flows.{name}.stock.{}", fault.list), message, help);
    }
}

fn means_nothing(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    for (key, list) in [("safety", &flow.stock.safety), ("units", &flow.stock.units)] {
        if list.origin != Origin::Default {
            let message = format!("stock.{key} means nothing to a flow of {}", flow.domain.as_str());
            let help = "take it out, or move it to a flow of inventory";
            judge.finding(Code::Policy, &list.origin, format!("flows.{name}.stock.{key}"), message, help);
        }
    }
}
