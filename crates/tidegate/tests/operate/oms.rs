//! What docs/connectors/medusa.md shows is a configuration: orders to Medusa, and what is given back of them; and so is what it and
//! docs/connectors/tryton.md show of levels that are pushed.

use crate::folder::Folder;
use std::os::unix::fs::PermissionsExt as _;

const PAGE: &str = include_str!("../../../../docs/connectors/medusa.md");
const TRYTON: &str = include_str!("../../../../docs/connectors/tryton.md");
const STOCK: &str = include_str!("../../../../mappings/stock_to_shopify.toml");
const ORDERS: &str = include_str!("../../../../mappings/orders_to_medusa.toml");
const REFUNDS: &str = include_str!("../../../../mappings/refunds_to_medusa.toml");

/// With the flows that the page shows under these marks.
fn folder(marks: &[&str]) -> Folder {
    let part = |before: &str| {
        let (_, rest) = PAGE.split_once(&format!("{before}```toml\n")).unwrap();
        rest.split_once("```").unwrap().0.replace("file:../secrets", "file:secrets")
    };
    let shown: String = marks.iter().map(|mark| part(&format!("<!-- example: {mark} -->\n"))).collect();
    let folder = Folder::new();
    let path = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n{}\n{shown}", part(""))).unwrap();
    std::fs::write(folder.path("mappings/orders_to_medusa.toml"), ORDERS).unwrap();
    std::fs::write(folder.path("mappings/refunds_to_medusa.toml"), REFUNDS).unwrap();
    let key = folder.path("secrets/medusa.key");
    std::fs::write(&key, "sk_test").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

#[test]
fn the_flows_to_medusa_are_accepted_as_the_page_shows_them() {
    let said = folder(&["orders to medusa", "refunds to medusa"]).tidegate(&["check"]);
    assert_eq!(said.code, Some(0), "what the page shows is refused: {}{}", said.out, said.err);
    // Without the orders there is nothing that refunds could follow.
    let said = folder(&["refunds to medusa"]).tidegate(&["check"]);
    assert!(said.code != Some(0) && (said.out + &said.err).contains("orders_to_oms"));
}

/// The first block of configuration behind a mark.
fn shown<'a>(page: &'a str, mark: &str) -> &'a str {
    let (_, rest) = page.split_once(mark).unwrap();
    let (_, rest) = rest.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn levels_that_medusa_or_tryton_push_are_accepted_as_the_pages_show_them() {
    for (page, stock, pushed, secrets) in [
        (
            PAGE,
            "<!-- example: stock of medusa -->",
            "<!-- example: stock pushed by medusa -->",
            ["medusa.key", "medusa.push"],
        ),
        (
            TRYTON,
            "## Stock and shipments",
            "<!-- example: stock pushed by tryton -->",
            ["tryton.password", "tryton.push"],
        ),
    ] {
        let folder = Folder::new();
        let config = folder.path("tidegate.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let scopes = "\"read_products\", \"read_inventory\", \"write_inventory\", \"read_locations\"]";
        let text = text.replace("\"read_products\"]", scopes);
        // Its flow of stock alone.
        let of = shown(page, stock).split("\n[ownership.orders").next().unwrap();
        let rest = shown(page, stock).split_once("[flows.stock_to_shopify]").map_or("", |(_, rest)| rest);
        let flow = rest.split("[flows.shipments_to_shopify]").next().filter(|flow| !flow.is_empty());
        let of = flow.map_or(of.to_owned(), |flow| format!("{of}\n[flows.stock_to_shopify]{flow}"));
        let of = of.replace("intake = \"poll\"", "intake = \"push\"") + shown(page, pushed);
        let said = |of: &str| {
            std::fs::write(&config, format!("{text}\n{of}").replace("file:../secrets", "file:secrets"))
                .unwrap();
            folder.tidegate(&["check"])
        };
        std::fs::write(folder.path("mappings/stock_to_shopify.toml"), STOCK).unwrap();
        for name in secrets {
            let secret = folder.path(&format!("secrets/{name}"));
            std::fs::write(&secret, "hush").unwrap();
            std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let accepted = said(&of);
        assert_eq!(
            accepted.code,
            Some(0),
            "what {pushed} shows is refused: {}{}",
            accepted.out,
            accepted.err
        );
        // Without what it proves itself with it cannot push.
        let refused = said(&of.replace(shown(page, pushed), ""));
        assert!(
            refused.code != Some(0) && (refused.out + &refused.err).contains("it cannot push"),
            "{pushed}"
        );
    }
}
