//! What the `medusa` connector declares.

use super::{config, levels, parcels};
use connector::descriptor::{Becomes, Descriptor, Direction, OrderAbilities, Service, UnknownAnswer};
use std::collections::BTreeSet;
use std::time::Duration;

/// The schema that a mapping into Medusa is checked against.
pub(super) const SCHEMA: &str = "medusa.order/1";

/// `asked`: for stock and shipments, of the locations that the connection names.
pub(super) fn descriptor(asked: bool) -> Descriptor {
    Descriptor {
        kind: "medusa".to_owned(),
        title: "Medusa 2 over its admin API".to_owned(),
        services: [
            ("orders", Direction::Target, SCHEMA, true),
            ("orders", Direction::Source, parcels::SCHEMA, asked),
            ("inventory", Direction::Source, levels::SCHEMA, asked),
        ]
        .into_iter()
        .filter(|(.., served)| *served)
        .map(|(domain, direction, schema, _)| Service {
            domain: domain.to_owned(),
            direction,
            schema: schema.to_owned(),
        })
        .collect(),
        // Its search reads the database itself: what is committed is found at once. There is no idempotency key.
        unknown: UnknownAnswer::LookUp { lag: Duration::ZERO },
        health: true,
        // Nothing there is unique: two creates are two orders.
        observe_first: true,
        resolves_references: true,
        tells_changes: asked,
        orders: OrderAbilities {
            confirms: true,
            address: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            line: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            cancel: BTreeSet::from([Becomes::Amend, Becomes::Ticket]),
            reports_totals: true,
            adjusts_line: false,
            lists_totals: true,
        },
        settings: config::settings(),
    }
}
