//! Admin GraphQL out: the documents, their cost, the bucket that is shared by all, the client of one shop, and what an
//! answer means. There is no other way to Shopify's API in this workspace.

mod answer;
mod bucket;
mod client;
mod document;
mod document_holds;
mod document_prices;
mod document_shipments;
mod document_stock;
mod error;
mod pause;

pub use answer::Reply;
pub use bucket::{Claim, CostBucket, HELD_MAX, Rank, Taken, ThrottleStatus};
pub(crate) use client::{Deadline, frozen};
pub use client::{Ports, ShopAccess, ShopClient, ShopConnection, Shops};
pub use document::{
    ADD_ORDER_TAGS, CONTACT_ROLES, CREATE_SUBSCRIPTION, CUSTOMER_ROLES, DAY_ORDERS, DELETE_SUBSCRIPTION,
    DOCUMENTS, Document, ERP_FIELDS, LIST_ORDERS, ORDER, ORDER_LINES, ORDER_PAYMENTS, ORDER_REFUND, REFUND,
    REMOVE_ORDER_TAGS, SET_ERP_FIELDS, SHOP, STOREFRONT, SUBSCRIPTIONS, UPDATE_SUBSCRIPTION, VARIANTS,
    VERSION_OF_ORDER, covers,
};
pub use document_holds::{FULFILMENT_ORDER_HOLDS, HOLD_FULFILMENT_ORDER, ORDER_HOLDS, RELEASE_HOLD};
pub use document_prices::{
    ACTIVATE_CATALOG, ALL_PRICES, ALL_VARIANTS, BULK_WRITES, CANCEL_BULK, CHANGE_CATALOG, CREATE_CATALOG,
    CREATE_PRICE_LIST, DELETE_CATALOG, LIST_PRICES, LIST_RULES, OPEN_PRICES, PLAIN_PRICES, PRICE_PLACES,
    RUN_BULK_WRITE, SET_PRICES, SET_QUANTITY_PRICES, STAGE_FILE,
};
pub use document_shipments::{
    CANCEL_FULFILMENT, CREATE_FULFILMENT, FULFILMENT_LINES, FULFILMENT_ORDER_LINES, NOTE_SHIPMENT,
    ORDER_FULFILMENTS, TRACK_FULFILMENT,
};
pub use document_stock::{
    ACTIVATE_STOCK, ALL_STOCK, BULK, FIND_SKU, FIND_STOCK, LOCATIONS, RUN_BULK, SET_STOCK, STOCK_CHANGED,
    STOCK_LEVELS,
};
pub use pause::Pause;
