//! Every GraphQL document that is ever sent, in one table, with the scopes that it needs and its cost. A document that
//! is not here cannot be sent.
//!
//! The cost is known before a document is sent. It is counted by the rule that was measured on recorded answers: an
//! object 1, scalars 0, a mutation 10, a connection 2 plus its children times ⌊2 ln first⌋, of alternatives the
//! dearest; money, addresses and page information nothing. A test counts it again. What Shopify says that it took
//! (`requestedQueryCost`) replaces it from the first answer on.

use super::document_holds as holds;
use super::document_prices as prices;
use super::document_shipments as shipments;
use super::document_stock as stock;
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
/// Stands in place of a domain: sent for storefronts that ask for prices (`[prices.storefront]`), by no flow.
pub const STOREFRONT: &str = "storefront";

const SOURCE: Option<Direction> = Some(Direction::Source);
const TARGET: Option<Direction> = Some(Direction::Target);

/// One that is sent by flows that write orders, in one of their forms.
pub(super) const fn written(schema: &'static str, document: Document) -> Document {
    Document { schema: Some(schema), ..document }
}

const WRITE_BACK: &str = crate::write_back::SCHEMA_NAME;

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
    shipments::ORDER_FULFILMENTS,
    shipments::FULFILMENT_ORDER_LINES,
    shipments::FULFILMENT_LINES,
    shipments::NOTE_SHIPMENT,
    shipments::CREATE_FULFILMENT,
    shipments::CANCEL_FULFILMENT,
    shipments::TRACK_FULFILMENT,
    holds::ORDER_HOLDS,
    holds::FULFILMENT_ORDER_HOLDS,
    holds::HOLD_FULFILMENT_ORDER,
    holds::RELEASE_HOLD,
    stock::STOCK_LEVELS,
    stock::STOCK_CHANGED,
    stock::FIND_STOCK,
    stock::FIND_SKU,
    stock::LOCATIONS,
    stock::SET_STOCK,
    stock::ACTIVATE_STOCK,
    stock::RUN_BULK,
    stock::BULK,
    stock::ALL_STOCK,
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
