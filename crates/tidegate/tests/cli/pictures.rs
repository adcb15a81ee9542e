//! `check --diagram`: the pictures of the README are what the command draws of a configuration that `init` wrote.
//! `UPDATE_DOCS=1` draws them anew.

use crate::typed::Desk;
use std::path::Path;

fn begun() -> Desk {
    let desk = Desk::new();
    desk.tidegate(&["init", "hub", "--shop", "acme.myshopify.com", "--erp", "tryton"]).ended(0);
    desk
}

const CHECK: &[&str] = &[
    "check",
    "-c",
    "hub/tidegate.toml",
    "--without-secrets",
    "--set",
    "hub.public_url=https://hub.example.com",
    "--diagram",
];

#[test]
fn the_pictures_of_the_readme_are_what_is_drawn() {
    let desk = begun();
    for (diagram, name) in [("svg", "flow-of-truth.svg"), ("svg-narrow", "flow-of-truth-narrow.svg")] {
        let said = desk.tidegate(&[CHECK, &[diagram, "--output", name]].concat()).ended(0);
        assert_eq!(said.out, "");
        said.tells(&[&format!("drawn in {name}")]);
        let drawn = desk.read(name);
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures").join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&kept, &drawn).unwrap();
        }
        let same = std::fs::read_to_string(&kept).unwrap_or_default() == drawn;
        assert!(same, "docs/pictures/{name} is not what check draws: run this test with UPDATE_DOCS=1");
    }
}

#[test]
fn a_picture_is_all_that_comes_and_what_is_wrong_is_said_beside_it() {
    let desk = begun();
    let said = desk.tidegate(&[CHECK, &["mermaid"]].concat()).ended(0);
    assert!(said.out.starts_with("flowchart LR\n"), "{}", said.out);
    assert_eq!(said.err, "");
    // Where something is wrong one looks most: it is drawn, the findings come, and the code tells.
    let said = desk.tidegate(&[CHECK, &["svg", "--set", "flows.orders_to_erp.target=epr"]].concat()).ended(3);
    assert!(said.out.starts_with("<svg ") && said.out.contains("is not configured"), "{}", said.out);
    said.tells(&["TG-"]);
    // A picture is no JSON.
    desk.tidegate(&[CHECK, &["svg", "--json"]].concat()).ended(2);
}
