//! The order of a dead letter, corrected by hand and delivered.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::seeded;
use crate::twins::{Twins, get};

/// Paid in part, of three lines: `CUP`, `TRAY`, `SPOON`.
const BODY: &[u8] = include_bytes!("../../../domains/tests/fixtures/pairs/edited/rest.json");

fn letter(folder: &Folder) -> String {
    folder.json(&["dead-letters", "list"])["letters"][0]["delivery"].to_string()
}

#[test]
fn an_order_that_the_erp_refused_is_corrected_and_delivered_and_the_original_is_kept() {
    let twins = Twins::start();
    let folder = Folder::between(&twins.shop_url, &twins.erp_url);
    seeded::one_refused(&folder, "5005", "#1005", BODY);
    let id = letter(&folder);
    let edit = |rest: &[&str]| folder.tidegate(&[&["dead-letters", "edit", &id], rest].concat());
    let printed = edit(&["--print"]).json();
    assert_eq!((&printed["name"], &printed["lines"][0]["sku"]), (&"#1005".into(), &"CUP".into()));

    // What is wrong is told with its path, and changes nothing.
    edit(&["--field", "lines[0].skuu=X", "--why", "x"]).refused(2, &["no such field", "sku"]);
    let wrong = ["--field", "totals.current.total.shop.amount=1.00", "--field", "po_number=7", "--why", "x"];
    edit(&wrong)
        .refused(1, &["TG-7029", "totals.current.total.shop.amount: is 1.00 EUR", "come to 68.97 EUR"]);
    edit(&["--field", "lines[0].sku=X"]).refused(2, &["--why"]);
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], 1);

    let why = "the buyer meant the mug";
    let said = edit(&["--field", "lines[0].sku=MUG", "--field", "financial_status=paid", "--why", why]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("(financial_status, lines[0].sku) and on its way"), "{}", said.out);
    let audit = folder.json(&["audit"]);
    let entry = &audit["entries"][0];
    assert_eq!((&entry["action"], &entry["who"]), (&"edit".into(), &"ada".into()), "{audit}");
    let told = entry["why"].as_str().unwrap();
    assert!(told.contains(why) && told.contains("lines[0].sku") && !told.contains("MUG"), "{told}");
    assert_eq!(folder.json(&["status"])["log"]["envelopes"], 2, "the order as it came is still there");

    let _hub = Hub::start(&folder);
    // By its id: the shop has a #1005 of its own.
    until(&folder, &["orders", "show", "5005", "--json"], "\"number\":\"SO-");
    let books = get(&twins.erp_url, "/twin/ledger/sales").to_string();
    assert!(books.contains("\"MUG\"") && !books.contains("\"CUP\""), "{books}");
    // (The look-alike's shop has no such order, so that the number finds no way back.)
    let open = folder.json(&["dead-letters", "list", "--system", "erp"]);
    assert_eq!(open["letters"], serde_json::json!([]), "it is healed");
    // Over the socket it is refused as well: there is nothing dead to correct any more.
    edit(&["--print"]).refused(4, &["no open dead letter"]);
}

#[test]
fn an_editors_file_is_taken_and_kept_where_it_is_refused() {
    let folder = Folder::new();
    seeded::one_refused(&folder, "5005", "#1005", BODY);
    let id = letter(&folder);
    let edit = |editor: &str| {
        let mut command = folder.command(&["dead-letters", "edit", &id, "--why", "by hand", "--json"]);
        let output = command.env("EDITOR", editor).env_remove("VISUAL").output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, _, told) = edit("true");
    assert!(code == Some(2) && told.contains("nothing was changed"), "{told}");
    let (code, _, told) = edit("sed -i s/CUP/7/");
    assert_eq!(code, Some(0), "{told}");
    let (code, _, told) = edit("false");
    assert!(
        code == Some(1) && told.contains("a newer state"),
        "it was corrected, and waits for a hub: {told}"
    );

    let folder = Folder::new();
    seeded::one_refused(&folder, "5005", "#1005", BODY);
    let editor = "sed -i 's/\"taxable\": true/\"taxable\": \"yes\"/'";
    let mut command = folder.command(&["dead-letters", "edit", &letter(&folder), "--why", "by hand"]);
    let output = command.env("EDITOR", editor).env_remove("VISUAL").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("lines[0].taxable: is a text, and has to be true or false"), "{told}");
    let kept = told.split("--file ").nth(1).unwrap().lines().next().unwrap();
    assert!(std::fs::read_to_string(kept).unwrap().contains("\"yes\""));
    let metadata = std::fs::metadata(kept).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
    std::fs::remove_file(kept).unwrap();
}
