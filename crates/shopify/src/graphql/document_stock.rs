//! The documents of stock: what there is, what is set, and lists in the background.

use super::document::{Document, document};
use connector::descriptor::Direction;
use connector::outbound::Access;

const INVENTORY: Option<&str> = Some("inventory");
const TARGET: Option<Direction> = Some(Direction::Target);

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
