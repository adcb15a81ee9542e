//! One system alone: its connector, its lease, and what protects a write whose answer is unknown.

use crate::judge::{Judge, is_shopify};
use config::{Code, Finding, Role, SHOPIFY, System, Unknown, nearest};
use connector::descriptor::UnknownAnswer;
use kernel::flow::duration_text;
use kernel::id::SystemName;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, system) in &judge.config.systems {
        connector(judge, name, system);
        lease(judge, name, system);
        unknown(judge, name, system);
    }
}

fn connector(judge: &mut Judge<'_>, name: &SystemName, system: &System) {
    let key = format!("systems.{name}.connector");
    let kind = &system.connector;
    if is_shopify(name) != (system.role.value == Role::Shopify) || is_shopify(name) != (kind.value == SHOPIFY)
    {
        let message =
            format!("the role and connector shopify belong to the system named {SHOPIFY}, and only to it");
        let help =
            "every shop's own Shopify needs no section; for another system write its own role and connector";
        judge.finding(Code::UnknownConnector, &kind.origin, key, message, help);
        return;
    }
    if judge.inputs.connectors.contains(&kind.value) {
        return;
    }
    let known: Vec<&str> =
        judge.inputs.connectors.iter().map(String::as_str).filter(|kind| *kind != SHOPIFY).collect();
    let list = known.join(", ");
    let help = match nearest(kind, known.iter().copied()) {
        Some(near) => format!("did you mean {near}? Built in are {list}"),
        None => format!("built in are {list}"),
    };
    judge.finding(
        Code::UnknownConnector,
        &kind.origin,
        key,
        format!("there is no connector {:?}", kind.value),
        help,
    );
}

fn lease(judge: &mut Judge<'_>, name: &SystemName, system: &System) {
    if system.request_timeout.value < system.lease.value {
        return;
    }
    let (timeout, lease) = (&system.request_timeout, &system.lease);
    // The finding points to what was written; where both were, to the time-out.
    let (at, other) = match timeout.origin {
        config::Origin::Default => (&lease.origin, &timeout.origin),
        _ => (&timeout.origin, &lease.origin),
    };
    let message = format!(
        "a request to {name} may take {}, its lease ends after {}: two attempts could overlap",
        duration_text(timeout.value),
        duration_text(lease.value)
    );
    let help = format!(
        "write request_timeout below \"{}\", or lease above \"{}\"",
        duration_text(lease.value),
        duration_text(timeout.value)
    );
    let finding = Finding::new(Code::Lease, at, message, help).key(format!("systems.{name}.request_timeout"));
    judge.push(finding.related("the other of the two", other));
}

fn unknown(judge: &mut Judge<'_>, name: &SystemName, system: &System) {
    let Some(descriptor) = judge.descriptor(name) else { return };
    let key = format!("systems.{name}.unknown");
    let is_target = judge.flows().any(|(_, flow)| flow.target.value == *name);
    match &descriptor.unknown {
        UnknownAnswer::Neither if system.unknown.value == Unknown::LookUp && is_target => {
            let message = format!(
                "{name} honours no idempotency key and cannot be searched: after a time-out nobody knows whether an object exists"
            );
            let help = "configure a key or a look-up in its connection, or write unknown = \"person\": each such case then goes to a person";
            let at = if system.unknown.origin == config::Origin::Default {
                &system.at
            } else {
                &system.unknown.origin
            };
            judge.finding(Code::UnknownOutcome, at, key, message, help);
        }
        UnknownAnswer::LookUp { lag } if system.settle_after.value < *lag => {
            let message = format!(
                "the search of {name} may be {} behind, and settle_after is {}: \"not there\" would prove nothing",
                duration_text(*lag),
                duration_text(system.settle_after.value)
            );
            let help = format!(
                "write settle_after = \"{}\" or more: this lag, plus the longest that {name} works on a request",
                duration_text(*lag)
            );
            let at = &system.settle_after.origin;
            judge.finding(Code::UnknownOutcome, at, format!("systems.{name}.settle_after"), message, help);
        }
        _ => {}
    }
}
