//! What the `tryton` connector declares.

use super::config::{self, Config};
use super::{credit, levels, parcels, payment};
use connector::descriptor::{Becomes, Descriptor, OrderAbilities, Service, Setting, UnknownAnswer};
use std::collections::BTreeSet;
use std::time::Duration;

/// The schema that a mapping into Tryton is checked against.
pub(super) const SCHEMA: &str = "tryton.sale/1";

pub(super) fn descriptor(config: &Config) -> Descriptor {
    let asked = !config.locations.is_empty();
    let mut services =
        [SCHEMA, credit::SCHEMA, payment::SCHEMA].map(|schema| Service::target("orders", schema)).to_vec();
    if asked {
        let told = [("inventory", levels::SCHEMA), ("orders", parcels::SCHEMA)];
        services.extend(told.map(|(domain, schema)| Service::source(domain, schema)));
    }
    Descriptor {
        kind: "tryton".to_owned(),
        title: "Tryton 8.0 over JSON-RPC".to_owned(),
        services,
        // Its search reads the database itself: what is committed is found at once. `reference` is not unique and
        // there is no idempotency key.
        unknown: UnknownAnswer::LookUp { lag: Duration::ZERO },
        health: true,
        // References have to be resolved before a create, and `reference` is anybody's to write.
        observe_first: true,
        resolves_references: true,
        tells_changes: asked,
        tells_whole: asked,
        reads_states: asked,
        only_changes: false,
        orders: OrderAbilities {
            confirms: true,
            address: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            line: BTreeSet::from([Becomes::Ticket]),
            cancel: BTreeSet::from([Becomes::CounterDocument, Becomes::Ticket]),
            reports_totals: true,
            adjusts_line: true,
            lists_totals: true,
        },
        settings: config::SETTINGS.iter().map(Setting::from).collect(),
    }
}
