//! Whether the connectors of a flow's two ends can serve it, in the way that it asks for.

use crate::judge::{Judge, is_shopify};
use config::{Code, Flow, Intake, Setting};
use connector::descriptor::{Descriptor, Direction};
use kernel::id::{FlowName, SystemName};

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows() {
        if flow.source.value == flow.target.value {
            let message = format!("flow {name} goes from {} to itself", flow.source.as_str());
            let help = "name two systems";
            judge.finding(
                Code::NotServed,
                &flow.target.origin,
                format!("flows.{name}.target"),
                message,
                help,
            );
            continue;
        }
        end(judge, name, flow, Direction::Source);
        end(judge, name, flow, Direction::Target);
        intake(judge, name, flow);
    }
    unreached_webhooks(judge);
}

fn offered(descriptor: &Descriptor, direction: Direction) -> Vec<&str> {
    let services = descriptor.services.iter().filter(|service| service.direction == direction);
    services.map(|service| service.domain.as_str()).collect()
}

fn end(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, direction: Direction) {
    let (system, word, verb) = match direction {
        Direction::Source => (&flow.source, "source", "gives"),
        Direction::Target => (&flow.target, "target", "takes"),
    };
    let Some(descriptor) = judge.descriptor(&system.value) else { return };
    let domain = flow.domain.as_str();
    let offers = offered(descriptor, direction);
    // What our own deliveries found out is given by every target, whatever else it gives.
    let found_out = direction == Direction::Source && flow.intake.value == Intake::Outcome;
    let refuses = direction == Direction::Source && carries_refusals(judge, name);
    if refuses || (found_out && !offers.contains(&domain)) {
        return;
    }
    if offers.contains(&domain) {
        schema(judge, name, flow, direction, descriptor);
        return;
    }
    let what = if offers.is_empty() { "nothing".to_owned() } else { offers.join(", ") };
    let message = format!(
        "{} ({}) {verb} no {domain}; as a {word} it {verb} {what}",
        system.as_str(),
        descriptor.title
    );
    let help = format!("name another {word}, or another connector for {}", system.as_str());
    judge.finding(Code::NotServed, &system.origin, format!("flows.{name}.{word}"), message, help);
}

/// The mapping is made for what the source gives and the target takes.
fn schema(
    judge: &mut Judge<'_>,
    name: &FlowName,
    flow: &Flow,
    direction: Direction,
    descriptor: &Descriptor,
) {
    let Some(mapping) = judge.mapping(name) else { return };
    let domain = flow.domain.as_str();
    let services = descriptor.services.iter().filter(|s| s.direction == direction && s.domain == domain);
    let schemas: Vec<&str> = services.map(|service| service.schema.as_str()).collect();
    let (says, word) = match direction {
        Direction::Source => (&mapping.source_schema, "source"),
        Direction::Target => (&mapping.target_schema, "target"),
    };
    if schemas.contains(&says.as_str()) {
        return;
    }
    let message =
        format!("the mapping's {word} is {says:?}, and {} has {}", descriptor.title, schemas.join(", "));
    let help = format!("name a mapping whose header says {word} = \"{}\"", schemas.join("\" or \""));
    judge.finding(Code::NotServed, &flow.mapping.origin, format!("flows.{name}.mapping"), message, help);
}

fn intake(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow) {
    let (source, from_shopify) = (&flow.source.value, is_shopify(&flow.source.value));
    if let Some(follows) = &flow.follows {
        return follow(judge, name, flow, follows);
    }
    let (message, help) = match flow.intake.value {
        _ if carries_refusals(judge, name) => (
            format!("flow {name} carries what {source} refuses, and nothing says of which orders"),
            "add follows with the flow that brings them there, as in follows = \"orders_to_wms\"".to_owned(),
        ),
        _ if from_shopify
            && judge.mapping(name).is_some_and(|mapping| follows_orders(&mapping.source_schema)) =>
        {
            (
                format!(
                    "flow {name} carries what follows orders (refunds or payments), and nothing says which orders"
                ),
                "add follows with the flow that brings their orders, as in follows = \"orders_to_erp\""
                    .to_owned(),
            )
        }
        Intake::Webhook if !from_shopify => (
            format!("{source} sends no Shopify webhooks"),
            "write intake = \"push\" or \"outcome\", or leave it out".to_owned(),
        ),
        Intake::Poll if !from_shopify && !tells_changes(judge, source) => (
            format!("{source} cannot be asked what changed"),
            format!(
                "write intake = \"push\" or \"outcome\", or, for a stock feed, set url in [systems.{source}.connection]"
            ),
        ),
        Intake::Push | Intake::Outcome if from_shopify => (
            format!("facts of Shopify come by webhook or poll, not by {}", flow.intake.value.as_str()),
            "write intake = \"webhook\" or \"poll\", or leave it out".to_owned(),
        ),
        Intake::Push if !pushes(judge, source) => (
            format!("{source} has nothing to prove who it is with, so that it cannot push"),
            format!("add [systems.{source}.ingest] with bearer_token or hmac_secret"),
        ),
        Intake::Outcome if !written_to(judge, flow) => (
            format!(
                "nothing is delivered to {source} in {}, so that there is no outcome to carry back",
                flow.domain.as_str()
            ),
            format!(
                "add a flow of {} whose target is {source}, or write intake = \"push\"",
                flow.domain.as_str()
            ),
        ),
        _ => return,
    };
    let at =
        if flow.intake.origin == config::Origin::Default { &flow.source.origin } else { &flow.intake.origin };
    judge.finding(Code::NotServed, at, format!("flows.{name}.intake"), message, help);
}

/// What was given back is found in the orders that another flow brings, and in no other way; what their target refuses is told of
/// them.
fn follow(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, follows: &Setting<FlowName>) {
    let first = judge.config.flows.get(&follows.value);
    if first.is_none() && judge.config.is_damaged(&format!("flows.{}", follows.value)) {
        return;
    }
    let brings = |first: &&Flow| {
        first.exports_orders() && is_shopify(&first.source.value) && first.shares_shops_with(flow)
    };
    let reads = judge.mapping(name).map(|mapping| mapping.source_schema.as_str());
    let (of_refusals, refuses) = (reads == Some(REFUSAL), first.map(|first| &first.target.value));
    let (message, help) = if first.filter(brings).is_none() {
        let known = judge.flows().filter(|(_, flow)| brings(flow)).map(|(known, _)| known.to_string());
        let known: Vec<String> = known.collect();
        let message =
            format!("{} is no flow that brings orders from Shopify to another system", follows.value);
        (message, format!("name one that does: {}", known.join(", ")))
    } else if flow.intake.value != Intake::Follows {
        let message = format!("flow {name} follows {}, and has an intake besides", follows.value);
        (message, "leave intake out: what it carries is found in those orders".to_owned())
    } else if of_refusals && refuses.is_some_and(|refuses| *refuses != flow.source.value) {
        let refuses = refuses.map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "flow {name} carries what is refused of the orders that {} brings to {refuses}, and its source is {}",
            follows.value, flow.source.value
        );
        (message, format!("write source = {refuses:?}"))
    } else if !of_refusals && reads.is_some() && !is_shopify(&flow.source.value) {
        let message = format!("flow {name} follows orders, and its source is {}", flow.source.value);
        let help = format!(
            "name a mapping whose header says source = {REFUSAL:?}; what was given back or paid comes from shopify"
        );
        (message, help)
    } else if of_refusals {
        return;
    } else if reads.is_some_and(|reads| !follows_orders(reads)) {
        let message = format!(
            "flow {name} carries what follows orders (refunds or payments), and its mapping reads {:?}",
            reads.unwrap_or_default()
        );
        (
            message,
            format!("name a mapping whose header says source = {:?} or {:?}", FOLLOWING[0], FOLLOWING[1]),
        )
    } else {
        return;
    };
    judge.finding(Code::NotServed, &follows.origin, format!("flows.{name}.follows"), message, help);
}

/// What a flow that follows orders carries: what was given back, or what was taken.
const FOLLOWING: [&str; 2] = ["refund/1", "payment/1"];

/// What a flow carries that tells what another one's target refuses.
const REFUSAL: &str = "object.refusal/1";

fn carries_refusals(judge: &Judge<'_>, name: &FlowName) -> bool {
    judge.mapping(name).is_some_and(|mapping| mapping.source_schema == REFUSAL)
}

fn follows_orders(reads: &str) -> bool {
    FOLLOWING.contains(&reads)
}

fn tells_changes(judge: &Judge<'_>, source: &SystemName) -> bool {
    judge.descriptor(source).is_none_or(|descriptor| descriptor.tells_changes)
}

fn pushes(judge: &Judge<'_>, source: &SystemName) -> bool {
    // A system that is unknown or damaged is another rule's.
    judge.system(source).is_none_or(|system| system.ingest.is_open())
}

fn written_to(judge: &Judge<'_>, flow: &Flow) -> bool {
    // A flow that could not be read, or a source that is not there, is another rule's.
    if judge.config.is_any_damaged("flows") || judge.system(&flow.source.value).is_none() {
        return true;
    }
    judge.flows().any(|(_, other)| {
        other.target == flow.source && other.domain == flow.domain && other.shares_shops_with(flow)
    })
}

/// Webhooks need an address that Shopify can reach, by TLS.
fn unreached_webhooks(judge: &mut Judge<'_>) {
    let Some(hub) = judge.config.hub() else { return };
    for (name, flow) in judge.flows() {
        let wanted = flow.intake.value == Intake::Webhook && is_shopify(&flow.source.value);
        if wanted && hub.public_url.is_none() {
            let message =
                format!("flow {name} waits for webhooks, and nothing says where Shopify reaches the hub");
            let help = "set hub.public_url, or write intake = \"poll\"";
            judge.finding(
                Code::NotServed,
                &flow.intake.origin,
                format!("flows.{name}.intake"),
                message,
                help,
            );
        }
    }
    if let Some(url) = hub.public_url.as_ref().filter(|url| !url.is_https() && !is_local(url.authority())) {
        let message = "Shopify sends webhooks over https only";
        judge.finding(
            Code::Value,
            &url.origin,
            "hub.public_url",
            message,
            "write https://, and let a proxy do the TLS",
        );
    }
}

/// The look-alike on this machine needs no TLS.
fn is_local(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "localhost" | "[::1]") || host.starts_with("127.")
}
