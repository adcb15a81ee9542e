//! Every GraphQL document that is ever sent, in one table, with the scopes that it needs and its cost. A document that
//! is not here cannot be sent.
//!
//! The cost is known before a document is sent. It is counted by the rule that was measured on recorded answers: an
//! object 1, scalars 0, a mutation 10, a connection 2 plus its children times ⌊2 ln first⌋, of alternatives the
//! dearest; money, addresses and page information nothing. A test counts it again. What Shopify says that it took
//! (`requestedQueryCost`) replaces it from the first answer on.

use super::document_prices as prices;
use connector::descriptor::Direction;
use connector::outbound::Access;

/// One document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// The operation's own name; travels as `operationName`.
    pub name: &'static str,
    /// In `crates/shopify/queries/`.
    pub file: &'static str,
    pub text: &'static str,
    pub access: Access,
    /// All of them. A `write_` scope holds its `read_`.
    pub scopes: &'static [&'static str],
    /// Points that Shopify takes before it answers.
    pub cost: u32,
    /// The domain whose flows send it, or [`STOREFRONT`]; `None`: every installation.
    pub domain: Option<&'static str>,
    /// Where Shopify is the flow's source or its target; `None`: either.
    pub direction: Option<Direction>,
    /// The schema of what is written, where only some flows of that domain and direction send it.
    pub schema: Option<&'static str>,
    pub purpose: &'static str,
}

macro_rules! document {
    ($file:literal, $name:literal, $access:ident, $scopes:expr, $cost:literal, $domain:expr, $direction:expr, $purpose:literal) => {
        Document {
            name: $name,
            file: $file,
            text: include_str!(concat!("../../queries/", $file)),
            access: Access::$access,
            scopes: &$scopes,
            cost: $cost,
            domain: $domain,
            direction: $direction,
            schema: None,
            purpose: $purpose,
        }
    };
}

pub(super) use document;

const ORDERS: Option<&str> = Some("orders");
const INVENTORY: Option<&str> = Some("inventory");
/// Stands in place of a domain: sent for storefronts that ask for prices (`[prices.storefront]`), by no flow.
pub const STOREFRONT: &str = "storefront";

const SOURCE: Option<Direction> = Some(Direction::Source);
const TARGET: Option<Direction> = Some(Direction::Target);

/// One that is sent by flows that write orders, in one of their forms.
const fn written(schema: &'static str, document: Document) -> Document {
    Document { schema: Some(schema), ..document }
}

const WRITE_BACK: &str = crate::write_back::SCHEMA_NAME;
const SHIPMENTS: &str = crate::fulfilment::SCHEMA_NAME;

pub const ORDER: Document = document!(
    "order.graphql",
    "Order",
    Read,
    ["read_orders", "read_customers", "read_products", "read_payment_terms"],
    100,
    ORDERS,
    SOURCE,
    "an order with the first page of its lines"
);
pub const ORDER_LINES: Document = document!(
    "order_lines.graphql",
    "OrderLines",
    Read,
    ["read_orders", "read_products"],
    73,
    ORDERS,
    SOURCE,
    "a further page of an order's lines"
);
pub const ORDER_REFUND: Document = document!(
    "order_refund.graphql",
    "OrderRefund",
    Read,
    ["read_orders"],
    24,
    ORDERS,
    SOURCE,
    "what a refund took back"
);
pub const ORDER_PAYMENTS: Document = document!(
    "order_payments.graphql",
    "OrderPayments",
    Read,
    ["read_orders"],
    4,
    ORDERS,
    SOURCE,
    "the money that was taken for an order"
);
pub const REFUND: Document =
    document!("refund.graphql", "Refund", Read, ["read_orders"], 29, ORDERS, SOURCE, "what was given back");
pub const VERSION_OF_ORDER: Document = document!(
    "version_of_order.graphql",
    "VersionOfOrder",
    Read,
    ["read_orders"],
    1,
    ORDERS,
    SOURCE,
    "whether an order changed while its pages were read"
);
pub const LIST_ORDERS: Document = document!(
    "list_orders.graphql",
    "ListOrders",
    Read,
    ["read_orders"],
    13,
    ORDERS,
    SOURCE,
    "orders by date, for the sweep and for backfills"
);
pub const DAY_ORDERS: Document = document!(
    "day_orders.graphql",
    "DayOrders",
    Read,
    ["read_orders"],
    12,
    ORDERS,
    SOURCE,
    "the orders of a day with their totals, for prove"
);
pub const ERP_FIELDS: Document = written(
    WRITE_BACK,
    document!(
        "erp_fields.graphql",
        "ErpFields",
        Read,
        ["read_orders"],
        3,
        ORDERS,
        TARGET,
        "what of the ERP stands at an order"
    ),
);
pub const SET_ERP_FIELDS: Document = written(
    WRITE_BACK,
    document!(
        "set_erp_fields.graphql",
        "SetErpFields",
        Write,
        ["write_orders"],
        10,
        ORDERS,
        TARGET,
        "writes the ERP's number and state to an order"
    ),
);
pub const ADD_ORDER_TAGS: Document = written(
    WRITE_BACK,
    document!(
        "add_order_tags.graphql",
        "AddOrderTags",
        Write,
        ["write_orders"],
        10,
        ORDERS,
        TARGET,
        "shows the ERP's state as a tag, where the connection says so"
    ),
);
pub const REMOVE_ORDER_TAGS: Document = written(
    WRITE_BACK,
    document!(
        "remove_order_tags.graphql",
        "RemoveOrderTags",
        Write,
        ["write_orders"],
        10,
        ORDERS,
        TARGET,
        "takes the former state's tag off"
    ),
);
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
pub const STOCK_LEVELS: Document = document!(
    "stock_levels.graphql",
    "StockLevels",
    Read,
    ["read_inventory"],
    4,
    INVENTORY,
    TARGET,
    "what can be sold, before it is set"
);
pub const STOCK_CHANGED: Document = document!(
    "stock_changed.graphql",
    "StockChanged",
    Read,
    ["read_inventory"],
    3,
    INVENTORY,
    TARGET,
    "when a quantity that somebody typed was changed"
);
pub const FIND_STOCK: Document = document!(
    "find_stock.graphql",
    "FindStock",
    Read,
    ["read_products", "read_inventory"],
    42,
    INVENTORY,
    TARGET,
    "the stock levels of SKUs that were never set"
);
pub const FIND_SKU: Document = document!(
    "find_sku.graphql",
    "FindSku",
    Read,
    ["read_products"],
    8,
    INVENTORY,
    TARGET,
    "whether a SKU that was missing exists by now"
);
pub const LOCATIONS: Document = document!(
    "locations.graphql",
    "Locations",
    Read,
    ["read_locations"],
    13,
    INVENTORY,
    TARGET,
    "the locations that a mapping gives by name"
);
pub const SET_STOCK: Document = document!(
    "set_stock.graphql",
    "SetStock",
    Write,
    ["write_inventory"],
    13,
    INVENTORY,
    TARGET,
    "sets what can be sold"
);
pub const ACTIVATE_STOCK: Document = document!(
    "activate_stock.graphql",
    "ActivateStock",
    Write,
    ["write_inventory"],
    13,
    INVENTORY,
    TARGET,
    "stocks an item at a location, where the connection says so"
);
pub const RUN_BULK: Document = document!(
    "run_bulk.graphql",
    "RunBulk",
    Write,
    [],
    10,
    INVENTORY,
    TARGET,
    "has a query run in the background, for the full check"
);
pub const BULK: Document =
    document!("bulk.graphql", "Bulk", Read, [], 1, INVENTORY, TARGET, "how far a query in the background is");
pub const ALL_STOCK: Document = document!(
    "all_stock.graphql",
    "AllStock",
    Read,
    ["read_inventory"],
    2,
    INVENTORY,
    TARGET,
    "every stock level, run in the background"
);
pub const CUSTOMER_ROLES: Document = document!(
    "customer_roles.graphql",
    "CustomerRoles",
    Read,
    ["read_customers"],
    12,
    Some(STOREFRONT),
    None,
    "for which company locations a customer may buy"
);
pub const CONTACT_ROLES: Document = document!(
    "contact_roles.graphql",
    "ContactRoles",
    Read,
    ["read_customers"],
    25,
    Some(STOREFRONT),
    None,
    "a further page of these locations"
);
pub const VARIANTS: Document = document!(
    "variants.graphql",
    "Variants",
    Read,
    ["read_products"],
    1,
    Some(STOREFRONT),
    None,
    "which SKU a variant has"
);
pub const SHOP: Document =
    document!("shop.graphql", "Shop", Read, [], 4, None, None, "health, granted scopes, supported versions");
pub const SUBSCRIPTIONS: Document = document!(
    "subscriptions.graphql",
    "Subscriptions",
    Read,
    [],
    20,
    None,
    SOURCE,
    "the live webhook subscriptions"
);
pub const CREATE_SUBSCRIPTION: Document = document!(
    "create_subscription.graphql",
    "CreateSubscription",
    Write,
    [],
    10,
    None,
    SOURCE,
    "subscribes to a topic"
);
pub const UPDATE_SUBSCRIPTION: Document = document!(
    "update_subscription.graphql",
    "UpdateSubscription",
    Write,
    [],
    10,
    None,
    SOURCE,
    "changes what a subscription sends"
);
pub const DELETE_SUBSCRIPTION: Document = document!(
    "delete_subscription.graphql",
    "DeleteSubscription",
    Write,
    [],
    10,
    None,
    SOURCE,
    "ends a subscription"
);

/// The table.
pub const DOCUMENTS: &[Document] = &[
    ORDER,
    ORDER_LINES,
    ORDER_PAYMENTS,
    ORDER_REFUND,
    REFUND,
    VERSION_OF_ORDER,
    LIST_ORDERS,
    DAY_ORDERS,
    ERP_FIELDS,
    SET_ERP_FIELDS,
    ADD_ORDER_TAGS,
    REMOVE_ORDER_TAGS,
    ORDER_FULFILMENTS,
    FULFILMENT_ORDER_LINES,
    FULFILMENT_LINES,
    NOTE_SHIPMENT,
    CREATE_FULFILMENT,
    CANCEL_FULFILMENT,
    TRACK_FULFILMENT,
    STOCK_LEVELS,
    STOCK_CHANGED,
    FIND_STOCK,
    FIND_SKU,
    LOCATIONS,
    SET_STOCK,
    ACTIVATE_STOCK,
    RUN_BULK,
    BULK,
    ALL_STOCK,
    CUSTOMER_ROLES,
    CONTACT_ROLES,
    VARIANTS,
    SHOP,
    SUBSCRIPTIONS,
    CREATE_SUBSCRIPTION,
    UPDATE_SUBSCRIPTION,
    DELETE_SUBSCRIPTION,
    prices::ALL_VARIANTS,
    prices::PRICE_PLACES,
    prices::ALL_PRICES,
    prices::LIST_PRICES,
    prices::PLAIN_PRICES,
    prices::OPEN_PRICES,
    prices::LIST_RULES,
    prices::SET_PRICES,
    prices::SET_QUANTITY_PRICES,
    prices::CREATE_PRICE_LIST,
    prices::CREATE_CATALOG,
    prices::CHANGE_CATALOG,
    prices::ACTIVATE_CATALOG,
    prices::DELETE_CATALOG,
    prices::STAGE_FILE,
    prices::RUN_BULK_WRITE,
    prices::CANCEL_BULK,
    prices::BULK_WRITES,
];

impl Document {
    /// By its operation's name: for a call that was frozen by an earlier process.
    pub fn named(name: &str) -> Option<&'static Document> {
        DOCUMENTS.iter().find(|document| document.name == name)
    }
}

/// Whether a grant covers a scope: the right to write holds the right to read.
pub fn covers(granted: &str, needed: &str) -> bool {
    granted == needed
        || needed.strip_prefix("read_").is_some_and(|what| granted.strip_prefix("write_") == Some(what))
}
