//! The documents of shipments: what an order has shipped, and what is recorded of it.

use super::document::{Document, document, written};
use connector::descriptor::Direction;
use connector::outbound::Access;

const SHIPMENTS: &str = crate::fulfilment::SCHEMA_NAME;
const ORDERS: Option<&str> = Some("orders");
const TARGET: Option<Direction> = Some(Direction::Target);

pub const ORDER_FULFILMENTS: Document = written(
    SHIPMENTS,
    document!(
        "order_fulfilments.graphql",
        "OrderFulfilments",
        Read,
        ["read_orders", "read_locations", "read_merchant_managed_fulfillment_orders"],
        63,
        ORDERS,
        TARGET,
        "what an order has shipped, and what of it is open"
    ),
);
pub const FULFILMENT_ORDER_LINES: Document = written(
    SHIPMENTS,
    document!(
        "fulfilment_order_lines.graphql",
        "FulfilmentOrderLines",
        Read,
        ["read_merchant_managed_fulfillment_orders"],
        15,
        ORDERS,
        TARGET,
        "a further page of what is open, and whether that changed"
    ),
);
pub const FULFILMENT_LINES: Document = written(
    SHIPMENTS,
    document!(
        "fulfilment_lines.graphql",
        "FulfilmentLines",
        Read,
        ["read_orders"],
        25,
        ORDERS,
        TARGET,
        "whether a fulfilment is the shipment that was sent"
    ),
);
pub const NOTE_SHIPMENT: Document = written(
    SHIPMENTS,
    document!(
        "note_shipment.graphql",
        "NoteShipment",
        Write,
        ["write_orders"],
        10,
        ORDERS,
        TARGET,
        "notes which fulfilments an order had before a shipment was sent"
    ),
);
pub const CREATE_FULFILMENT: Document = written(
    SHIPMENTS,
    document!(
        "create_fulfilment.graphql",
        "CreateFulfilment",
        Write,
        ["read_orders", "read_locations", "write_merchant_managed_fulfillment_orders"],
        12,
        ORDERS,
        TARGET,
        "records a shipment"
    ),
);
pub const CANCEL_FULFILMENT: Document = written(
    SHIPMENTS,
    document!(
        "cancel_fulfilment.graphql",
        "CancelFulfilment",
        Write,
        ["read_orders", "read_locations", "write_merchant_managed_fulfillment_orders"],
        12,
        ORDERS,
        TARGET,
        "takes a shipment back"
    ),
);
pub const TRACK_FULFILMENT: Document = written(
    SHIPMENTS,
    document!(
        "track_fulfilment.graphql",
        "TrackFulfilment",
        Write,
        ["read_orders", "read_locations", "write_merchant_managed_fulfillment_orders"],
        12,
        ORDERS,
        TARGET,
        "says otherwise how a shipment can be followed"
    ),
);
