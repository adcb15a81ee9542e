//! Order policies against what the target's connector can do.

use crate::judge::Judge;
use config::{Code, Flow, Origin, Setting};
use connector::descriptor::{Becomes, Descriptor};
use kernel::flow::{ChangeBecomes, ConfirmWhen, Difference};
use kernel::id::FlowName;
use std::collections::BTreeSet;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows().filter(|(_, flow)| flow.exports_orders()) {
        if let Some(descriptor) = judge.descriptor(&flow.target.value) {
            confirm(judge, name, flow, descriptor);
            changes(judge, name, flow, descriptor);
            difference(judge, name, flow, descriptor);
        }
    }
}

/// A default that the connector cannot follow is shown at the flow's header.
fn at<'a, T>(flow: &'a Flow, setting: &'a Setting<T>) -> &'a Origin {
    if setting.origin == Origin::Default { &flow.at } else { &setting.origin }
}

fn confirm(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, descriptor: &Descriptor) {
    let when = &flow.orders.confirm_when;
    if descriptor.orders.can_confirm(when.value) {
        return;
    }
    let message = format!(
        "confirm_when is {}, and {} has no confirmation apart from the create",
        when.value, descriptor.title
    );
    let help = format!("write confirm_when = \"{}\"", ConfirmWhen::Never);
    judge.finding(Code::Policy, at(flow, when), format!("flows.{name}.confirm_when"), message, help);
}

fn changes(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, descriptor: &Descriptor) {
    let orders = &flow.orders;
    let changes = [
        ("address", &orders.address, &descriptor.orders.address),
        ("line", &orders.line, &descriptor.orders.line),
        ("cancel", &orders.cancel, &descriptor.orders.cancel),
    ];
    for (change, policy, able) in changes {
        let wanted = Becomes::from(policy.value);
        if policy.value == ChangeBecomes::Ticket || able.contains(&wanted) {
            continue;
        }
        let word = word(wanted);
        let message =
            format!("{} cannot {word} a confirmed order for a change of its {change}", descriptor.title);
        let able: BTreeSet<&str> = able.iter().map(|able| spelled(*able)).chain(["ticket"]).collect();
        let list: Vec<&str> = able.into_iter().collect();
        let help = format!("write {change} = \"{}\"", list.join("\" or \""));
        let key = format!("flows.{name}.after_confirm.{change}");
        judge.finding(Code::Policy, at(flow, policy), key, message, help);
    }
}

pub(crate) fn spelled(becomes: Becomes) -> &'static str {
    match becomes {
        Becomes::Amend => "amend",
        Becomes::CounterDocument => "counter_document",
        Becomes::Ticket => "ticket",
    }
}

fn word(becomes: Becomes) -> &'static str {
    match becomes {
        Becomes::Amend => "amend",
        Becomes::CounterDocument => "write a counter-document to",
        Becomes::Ticket => "raise a ticket for",
    }
}

fn difference(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, descriptor: &Descriptor) {
    let policy = &flow.orders.difference;
    if descriptor.orders.can_settle(&policy.value) {
        return;
    }
    let (why, help) = match policy.value {
        Difference::AdjustLine if descriptor.orders.reports_totals => {
            ("cannot add a line for it", "write difference = 'accept(\"0.05\")' or \"ticket\"")
        }
        _ => ("does not report the totals that it computed", "write difference = \"ticket\""),
    };
    let message = format!("difference is {}, and {} {why}", policy.value, descriptor.title);
    judge.finding(Code::Policy, at(flow, policy), format!("flows.{name}.difference"), message, help);
}
