//! The documents of holds: what of an order is held, by whom, and to hold and release it.

use super::document::{Document, document, written};
use connector::descriptor::Direction;
use connector::outbound::Access;

const HOLDS: &str = crate::hold::SCHEMA_NAME;
const ORDERS: Option<&str> = Some("orders");
const TARGET: Option<Direction> = Some(Direction::Target);

pub const ORDER_HOLDS: Document = written(
    HOLDS,
    document!(
        "order_holds.graphql",
        "OrderHolds",
        Read,
        ["read_orders", "read_merchant_managed_fulfillment_orders"],
        24,
        ORDERS,
        TARGET,
        "what of an order is to leave, and who holds it"
    ),
);
pub const FULFILMENT_ORDER_HOLDS: Document = written(
    HOLDS,
    document!(
        "fulfilment_order_holds.graphql",
        "FulfilmentOrderHolds",
        Read,
        ["read_merchant_managed_fulfillment_orders"],
        3,
        ORDERS,
        TARGET,
        "whether what a refused call was about changed meanwhile"
    ),
);
pub const HOLD_FULFILMENT_ORDER: Document = written(
    HOLDS,
    document!(
        "hold_fulfilment_order.graphql",
        "HoldFulfilmentOrder",
        Write,
        ["write_merchant_managed_fulfillment_orders"],
        10,
        ORDERS,
        TARGET,
        "holds what may not leave, because another system refuses the order"
    ),
);
pub const RELEASE_HOLD: Document = written(
    HOLDS,
    document!(
        "release_hold.graphql",
        "ReleaseHold",
        Write,
        ["write_merchant_managed_fulfillment_orders"],
        10,
        ORDERS,
        TARGET,
        "releases what was held so, and never another's hold"
    ),
);
