//! The documents of prices: what is there, and what is set.

use super::document::{Document, document};
use connector::descriptor::Direction;
use connector::outbound::Access;

const PRICING: Option<&str> = Some("pricing");
const TARGET: Option<Direction> = Some(Direction::Target);

pub const ALL_VARIANTS: Document = document!(
    "all_variants.graphql",
    "AllVariants",
    Read,
    ["read_products"],
    2,
    PRICING,
    TARGET,
    "what the shop sells, run in the background"
);
pub const PRICE_PLACES: Document = document!(
    "price_places.graphql",
    "PricePlaces",
    Read,
    ["read_products", "read_companies"],
    4,
    PRICING,
    TARGET,
    "the price lists and catalogs that there are, run in the background"
);
pub const ALL_PRICES: Document = document!(
    "all_prices.graphql",
    "AllPrices",
    Read,
    ["read_products"],
    2,
    PRICING,
    TARGET,
    "every fixed price, run in the background"
);
pub const LIST_PRICES: Document = document!(
    "list_prices.graphql",
    "ListPrices",
    Read,
    ["read_products"],
    91,
    PRICING,
    TARGET,
    "the prices of a list with their breaks"
);
pub const PLAIN_PRICES: Document = document!(
    "plain_prices.graphql",
    "PlainPrices",
    Read,
    ["read_products"],
    25,
    PRICING,
    TARGET,
    "the prices of a list, where nothing depends on the quantity"
);
pub const OPEN_PRICES: Document = document!(
    "open_prices.graphql",
    "OpenPrices",
    Read,
    ["read_products"],
    500,
    PRICING,
    TARGET,
    "prices that were written, in many lists at a time"
);
pub const LIST_RULES: Document = document!(
    "list_rules.graphql",
    "ListRules",
    Read,
    ["read_products"],
    25,
    PRICING,
    TARGET,
    "the quantity rules of a list"
);
pub const SET_PRICES: Document = document!(
    "set_prices.graphql",
    "SetPrices",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "sets prices of a list"
);
pub const SET_QUANTITY_PRICES: Document = document!(
    "set_quantity_prices.graphql",
    "SetQuantityPrices",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "sets prices of a list with their breaks and rules"
);
pub const CREATE_PRICE_LIST: Document = document!(
    "create_price_list.graphql",
    "CreatePriceList",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "makes a price list"
);
pub const CREATE_CATALOG: Document = document!(
    "create_catalog.graphql",
    "CreateCatalog",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "makes a catalog for company locations"
);
pub const CHANGE_CATALOG: Document = document!(
    "change_catalog.graphql",
    "ChangeCatalog",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "changes for whom a catalog is"
);
pub const ACTIVATE_CATALOG: Document = document!(
    "activate_catalog.graphql",
    "ActivateCatalog",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "has a catalog count, once its prices are there"
);
pub const DELETE_CATALOG: Document = document!(
    "delete_catalog.graphql",
    "DeleteCatalog",
    Write,
    ["write_products"],
    10,
    PRICING,
    TARGET,
    "takes a catalog away that is no longer wanted"
);
pub const STAGE_FILE: Document = document!(
    "stage_file.graphql",
    "StageFile",
    Write,
    [],
    11,
    PRICING,
    TARGET,
    "where a file for writes in the background may be put"
);
pub const RUN_BULK_WRITE: Document = document!(
    "run_bulk_write.graphql",
    "RunBulkWrite",
    Write,
    [],
    10,
    PRICING,
    TARGET,
    "has writes run in the background"
);
pub const CANCEL_BULK: Document = document!(
    "cancel_bulk.graphql",
    "CancelBulk",
    Write,
    [],
    10,
    PRICING,
    TARGET,
    "ends what does not end by itself in the background"
);
pub const BULK_WRITES: Document = document!(
    "bulk_writes.graphql",
    "BulkWrites",
    Read,
    [],
    8,
    PRICING,
    TARGET,
    "whether writes of an earlier run go on"
);
