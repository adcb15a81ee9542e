//! A name that there is not: "nothing" would be a false answer, and a pause under it would hold nothing.

use crate::folder::Folder;
use crate::seeded;

#[test]
fn a_list_under_a_name_that_there_is_not_is_no_empty_list() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    for list in ["orders", "deliveries", "dead-letters"] {
        let asked = |option: &str, name: &str| folder.tidegate(&[list, "list", option, name]);
        asked("--flow", "order_to_erp")
            .refused(4, &["no flow \"order_to_erp\"", "did you mean orders_to_erp?"]);
        asked("--system", "epr")
            .refused(4, &["no system \"epr\"", "there are: erp, shopify", "did you mean erp?"]);
        asked("--shop", "beta").refused(4, &["no shop \"beta\"", "there are: acme"]);
        // A shop is known by its domain.
        asked("--shop", "acme.myshopify.com").refused(4, &["did you mean acme?"]);
        // What is there and has nothing is an empty list.
        let said = asked("--flow", "erp_number_back");
        assert!(said.code == Some(0) && said.out.contains(" is "), "{said:?}");
    }
}

#[test]
fn nothing_is_released_or_given_up_under_a_name_that_there_is_not() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    for act in ["release", "skip"] {
        let asked = |named: &[&str]| folder.tidegate(&[&["dead-letters", act, "--why", "x"], named].concat());
        asked(&["--shop", "beta"]).refused(4, &["no shop \"beta\""]);
        asked(&["--system", "epr"]).refused(4, &["did you mean erp?"]);
        asked(&["--flow", "orders_to_epr"]).refused(4, &["did you mean orders_to_erp?"]);
        let said = asked(&["--system", "shopify"]);
        assert!(said.code == Some(0) && said.out.contains("0 dead letters"), "{said:?}");
    }
}

#[test]
fn of_a_shop_that_there_is_not_it_is_not_said_that_nothing_is_held() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let asked = |shop: &str| folder.tidegate(&["privacy", "held", "--customer", "7001", "--shop", shop]);
    asked("acme.myshopify.com").refused(4, &["did you mean acme?"]);
    assert_eq!(asked("acme").out.lines().count(), 2);
    let nobody = folder.tidegate(&["privacy", "held", "--customer", "1", "--shop", "acme"]);
    assert!(nobody.code == Some(0) && nobody.out.contains("nothing is held"), "{nobody:?}");
}

#[test]
fn an_order_by_its_address_is_told_in_the_words_of_the_command_line() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let why = ["--why", "to see"];
    for command in [&["orders", "show"][..], &["replay"]] {
        let why = if command == ["replay"] { &why[..] } else { &[] };
        let asked = |name: &str| folder.tidegate(&[command, &[name], why].concat());
        let said = asked("acme/order:9999");
        said.refused(4, &["the log knows no order \"acme/order:9999\"", "backfill orders --since"]);
        assert!(!said.err.contains("/admin/v1"), "{}", said.err);
        asked("beta/order:5678").refused(4, &["no shop \"beta\"", "there are: acme"]);
        let both = folder.tidegate(&[command, &["acme/order:5678", "--shop", "beta"], why].concat());
        both.refused(2, &["is an order of acme", "leave --shop out"]);
    }
    let pause = |name: &str| folder.tidegate(&["subjects", "pause", name, "--why", "they call back"]);
    pause("beta/order:1").refused(4, &["no shop \"beta\""]);
    // One that has not come yet may be held.
    assert!(pause("acme/order:1").out.contains("subject acme/order:1 is paused"));
}

#[test]
fn a_work_for_a_shop_by_its_domain_names_the_shop() {
    let folder = Folder::new();
    seeded::empty(&folder);
    let works: [&[&str]; 3] = [
        &["sweep"],
        &["prove", "orders", "--day", "2026-11-24"],
        &["backfill", "orders", "--since", "2026-11-01"],
    ];
    for work in works {
        folder
            .tidegate(&[work, &["--shop", "acme.myshopify.com"]].concat())
            .refused(4, &["did you mean acme?"]);
    }
}
