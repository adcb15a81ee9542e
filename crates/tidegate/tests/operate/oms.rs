//! What docs/connectors/medusa.md shows is a configuration: orders to Medusa, and what is given back of them.

use crate::folder::Folder;
use std::os::unix::fs::PermissionsExt as _;

const PAGE: &str = include_str!("../../../../docs/connectors/medusa.md");
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
