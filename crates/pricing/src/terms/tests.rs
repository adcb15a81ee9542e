//! What terms mean, and everything that is refused in them.

use super::*;

fn document(text: &str) -> Document {
    toml::from_str(text).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    Terms::compile(&document(text)).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

const LISTS: &str = r#"
lists = [
  { id = "b", kind = "list", currency = "EUR", for = "everyone" },
  { id = "a", kind = "list", currency = "EUR", for = "everyone" },
  { id = "dealers", kind = "list", currency = "EUR", for = "group:dealers" },
  { id = "usd", kind = "list", currency = "USD", for = "everyone" },
  { id = "acme-old", kind = "contract", currency = "EUR", for = "company:acme", valid_from = "2025-01-01" },
  { id = "acme-new", kind = "contract", currency = "EUR", for = "company:acme", valid_from = "2026-01-01" },
  { id = "gold", kind = "contract", currency = "EUR", for = ["group:gold", "company_location:south"], priority = -5 },
  { id = "north", kind = "contract", currency = "EUR", for = "company_location:north", priority = -9 },
]
locations = [
  { id = "north", company = "acme", groups = ["gold", "dealers"] },
  { id = "south", company = "bolt" },
]
"#;

#[test]
fn candidates_come_in_the_order_of_the_rules() {
    let terms = Terms::compile(&document(LISTS)).unwrap();
    let ids = |buyer: &Buyer, currency: &str| -> Vec<String> {
        let candidates = terms.candidates(buyer, Currency::from_code(currency).unwrap());
        candidates.lists.iter().map(|c| terms.list(c.list).unwrap().id.to_string()).collect()
    };
    let north = terms.buyer("north").unwrap();
    assert_eq!(ids(north, "EUR"), ["north", "acme-new", "acme-old", "gold", "dealers", "a", "b"]);
    assert_eq!(ids(terms.buyer("south").unwrap(), "EUR"), ["gold", "a", "b"]);
    assert_eq!(ids(&Buyer::default(), "EUR"), ["a", "b"]);
    assert_eq!(ids(north, "USD"), ["usd"]);
    assert_eq!(terms.buyer("west"), None);
}

#[test]
fn all_faults_of_a_document_are_told_at_once_with_their_places() {
    let found = faults(
        r#"
zone = "Mars/North"
lists = [
  { id = "a", kind = "list", currency = "EUX", for = "everyone" },
  { id = "a", kind = "list", currency = "EUR", for = [], base = "z" },
  { id = " b", kind = "list", currency = "EUR", for = "all", percent = "3" },
  { id = "c", kind = "list", currency = "EUR", for = "everyone", valid_from = "2026-02-01", valid_until = "2026-01-01" },
  { id = "d", kind = "list", currency = "EUR", for = "everyone", unit = "pieces", rounding = { to = "cents" } },
]
units = [{ unit = "CS", pieces = "0" }, { unit = "BX", pieces = "6" }, { unit = "BX", pieces = "8" }]
quantity_rules = [{ sku = "A", minimum = "10", step = "3", maximum = "5" }]
surcharges = [{ id = "s", skus = "*", percent = "3", amount = "1" }, { id = "s", skus = "*", amount = "1" }]
promotions = [
  { id = "p", skus = "*", buy = 2, get = 0, percent_off = "50" },
  { id = "q", skus = "A*B", percent_off = "101", combines_with = [] },
]
"#,
    );
    let places: Vec<&str> = found.iter().map(|fault| fault.split_once(": ").unwrap().0).collect();
    assert_eq!(
        places,
        [
            "zone",
            "lists[0].currency",
            "lists[1].for",
            "lists[1].id",
            "lists[2].for",
            "lists[2].id",
            "lists[3].valid_from",
            "lists[4].unit",
            "lists[4].rounding.to",
            "lists[1].base",
            "lists[2].percent",
            "units[0].pieces",
            "units[2].unit",
            "quantity_rules[0].maximum",
            "quantity_rules[0].minimum",
            "surcharges[0].currency",
            "surcharges[0].percent",
            "surcharges[1].id",
            "surcharges[1].currency",
            "promotions[0].buy",
            "promotions[1].combines_with",
            "promotions[1].skus",
            "promotions[1].percent_off",
        ],
        "{found:#?}"
    );
}

#[test]
fn bases_that_go_round_are_refused_with_the_way_that_they_go() {
    let found = faults(
        r#"lists = [
  { id = "a", kind = "list", currency = "EUR", for = "everyone", base = "b" },
  { id = "b", kind = "list", currency = "EUR", for = "everyone", base = "a", percent = "-5" },
  { id = "c", kind = "list", currency = "EUR", for = "everyone", base = "c" },
  { id = "d", kind = "list", currency = "USD", for = "everyone", base = "a" },
]"#,
    );
    assert_eq!(
        found,
        [
            "lists[3].base: 'a' is in another currency: prices are not converted",
            "lists[0].base: the bases go round in a circle: a → b → a",
            "lists[1].base: the bases go round in a circle: b → a → b",
            "lists[2].base: the bases go round in a circle: c → c",
            "lists[3].base: more than 8 bases stand behind it, or they go round in a circle",
        ]
    );
}

#[test]
fn a_document_reads_the_same_from_json_and_from_its_own_spelling() {
    let from_toml = document(LISTS);
    let json = serde_json::to_string(&from_toml).unwrap();
    assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), from_toml);
    assert!(serde_json::from_str::<Document>(r#"{"list":[]}"#).is_err());
}
