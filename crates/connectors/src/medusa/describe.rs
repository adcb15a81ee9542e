//! What the `medusa` connector declares.

use super::{config, levels, parcels, refund};
use connector::descriptor::{Becomes, Descriptor, OrderAbilities, Service, Setting, UnknownAnswer};
use std::collections::BTreeSet;
use std::time::Duration;

/// The schema that a mapping into Medusa is checked against.
pub(super) const SCHEMA: &str = "medusa.order/1";

/// `asked`: for stock and shipments, of the locations that the connection names.
pub(super) fn descriptor(asked: bool) -> Descriptor {
    let mut services = [SCHEMA, refund::SCHEMA].map(|schema| Service::target("orders", schema)).to_vec();
    if asked {
        let told = [("orders", parcels::SCHEMA), ("inventory", levels::SCHEMA)];
        services.extend(told.map(|(domain, schema)| Service::source(domain, schema)));
    }
    Descriptor {
        kind: "medusa".to_owned(),
        title: "Medusa 2 over its admin API".to_owned(),
        services,
        // Its search reads the database itself: what is committed is found at once. There is no idempotency key.
        unknown: UnknownAnswer::LookUp { lag: Duration::ZERO },
        health: true,
        // Nothing there is unique: two creates are two orders.
        observe_first: true,
        resolves_references: true,
        tells_changes: asked,
        tells_whole: asked,
        reads_states: asked,
        only_changes: false,
        orders: OrderAbilities {
            confirms: true,
            address: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            line: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            cancel: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            reports_totals: true,
            adjusts_line: false,
            lists_totals: true,
        },
        settings: config::SETTINGS.iter().map(Setting::from).collect(),
    }
}
