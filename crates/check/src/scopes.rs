//! The access scopes that a shop's flows need, from the documents they send and the topics they subscribe to, and those
//! that its storefront needs, against those that the app was granted.

use crate::inputs::{DocumentFacts, Inputs, MappingInput};
use crate::judge::{Judge, is_shopify};
use config::{Code, Config, Flow, Intake};
use connector::descriptor::Direction;
use kernel::flow::Mode;
use kernel::id::FlowName;
use std::collections::{BTreeMap, BTreeSet};

/// Each needed scope with what needs it, in words.
pub(crate) type Needs = BTreeMap<String, BTreeSet<String>>;

/// What one flow needs.
pub(crate) fn of_flow(name: &FlowName, flow: &Flow, inputs: &Inputs<'_>) -> Needs {
    let mut needs = Needs::new();
    if flow.mode.value == Mode::Off {
        return needs;
    }
    let directions: Vec<Direction> = [
        is_shopify(&flow.source.value).then_some(Direction::Source),
        is_shopify(&flow.target.value).then_some(Direction::Target),
    ]
    .into_iter()
    .flatten()
    .collect();
    // A mapping that cannot be read may be of any form: nothing is said not to be needed.
    let writes = match inputs.mappings.get(name.as_str()) {
        Some(MappingInput::Loaded(mapping)) if mapping.findings.is_empty() => {
            Some(mapping.target_schema.as_str())
        }
        _ => None,
    };
    for (name, document) in &inputs.documents {
        let of_domain = document.domain.as_deref().is_none_or(|domain| domain == flow.domain.as_str());
        let of_direction = match document.direction {
            Some(direction) => directions.contains(&direction),
            None => !directions.is_empty(),
        };
        let of_schema = match (&document.schema, writes) {
            (Some(schema), Some(writes)) => schema == writes,
            _ => true,
        };
        if of_domain && of_direction && of_schema {
            add(&mut needs, &document.scopes, &format!("document {name}"));
        }
    }
    if flow.intake.value == Intake::Webhook {
        for (topic, facts) in &inputs.topics {
            let named =
                flow.topics.as_ref().is_none_or(|topics| topics.iter().any(|wanted| wanted.value == *topic));
            let wanted = named && facts.domain == flow.domain.as_str();
            if wanted {
                add(&mut needs, &facts.scopes, &format!("topic {topic}"));
            }
        }
    }
    needs
}

fn add(needs: &mut Needs, scopes: &BTreeSet<String>, why: &str) {
    for scope in scopes {
        needs.entry(scope.clone()).or_default().insert(why.to_owned());
    }
}

/// In place of a domain: documents that are sent for storefronts that ask for prices, by no flow.
const STOREFRONT: &str = "storefront";

/// What the storefronts of an app's shops need that may ask for prices.
fn of_storefronts(config: &Config, inputs: &Inputs<'_>, app: &str) -> Needs {
    let mut needs = Needs::new();
    let storefront = config.prices.as_ref().and_then(|prices| prices.storefront.as_ref());
    let asks = storefront.is_some_and(|storefront| {
        config.shops.iter().any(|(id, shop)| shop.app.value == app && storefront.serves(id))
    });
    if asks {
        let sent = |document: &&DocumentFacts| document.domain.as_deref() == Some(STOREFRONT);
        for (name, document) in inputs.documents.iter().filter(|(_, document)| sent(document)) {
            add(&mut needs, &document.scopes, &format!("document {name} for [prices.storefront]"));
        }
    }
    needs
}

/// Whose documents are sent to shops whose catalogs are written by themselves.
const PRICING: &str = "pricing";

/// What the shops of an app need that are hydrated by themselves.
fn of_hydrated(config: &Config, inputs: &Inputs<'_>, app: &str) -> Needs {
    let mut needs = Needs::new();
    let hydrate = config.prices.as_ref().and_then(|prices| prices.hydrate.as_ref());
    let writes = hydrate.is_some_and(|hydrate| {
        config.shops.iter().any(|(id, shop)| shop.app.value == app && hydrate.of(id).is_some())
    });
    if writes {
        let sent = |document: &&DocumentFacts| document.domain.as_deref() == Some(PRICING);
        for (name, document) in inputs.documents.iter().filter(|(_, document)| sent(document)) {
            add(&mut needs, &document.scopes, &format!("document {name} for [prices.hydrate]"));
        }
    }
    needs
}

/// What all flows, storefronts and hydrations of an app's shops need.
pub(crate) fn of_app(config: &Config, inputs: &Inputs<'_>, app: &str) -> Needs {
    let mut needs = of_storefronts(config, inputs, app);
    for (scope, why) in of_hydrated(config, inputs, app) {
        needs.entry(scope).or_default().extend(why);
    }
    for (name, flow) in &config.flows {
        if config.shops_of(flow).any(|(_, shop)| shop.app.value == app) {
            for (scope, why) in of_flow(name, flow, inputs) {
                needs.entry(scope).or_default().extend(why);
            }
        }
    }
    needs
}

/// Whether a grant covers a scope: the right to write holds the right to read.
pub(crate) fn covers(granted: &str, needed: &str) -> bool {
    granted == needed
        || needed.strip_prefix("read_").is_some_and(|what| granted.strip_prefix("write_") == Some(what))
}

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, app) in &judge.config.apps {
        for (scope, why) in of_app(judge.config, judge.inputs, name) {
            if app.scopes.iter().any(|granted| covers(granted, &scope)) {
                continue;
            }
            let why: Vec<String> = why.into_iter().collect();
            let message = format!("app {name} lacks the scope {scope}, needed by {}", why.join(", "));
            let help = format!("grant {scope} to the app at Shopify, then add it to scopes");
            judge.finding(Code::Scope, &app.scopes.origin, format!("apps.{name}.scopes"), message, help);
        }
    }
}
