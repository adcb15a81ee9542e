//! Files of stock: dropped into a folder that the hub watches, and tried by hand.

use crate::hub::{Hub, until};
use crate::office::Office;
use crate::patience::comes;
use crate::stock::{available, warehouse};
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

const CSV: &str = "\u{FEFF}Artikelnummer;Lagerort;Bestand;Reserviert;Version;Bemerkung\r\n\
                   SKU-0001;WH-1;120,0;7;1;\"zwei\r\nZeilen; so\"\r\n\
                   SKU-0003;WH-1;36;;1;\r\n";

/// A warehouse that drops files, and its folder.
async fn dropping() -> (Office, PathBuf) {
    dropping_what("").await
}

/// `more`: settings of its connection.
pub(crate) async fn dropping_what(more: &str) -> (Office, PathBuf) {
    let office = warehouse().await;
    let folder = office.folder.path("stock");
    std::fs::create_dir_all(folder.join("acme")).unwrap();
    let config = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let path = folder.display().to_string();
    let connection = format!("[systems.wms.connection]\nfolder = {path:?}\n{more}");
    let text = text
        .replace("[systems.wms.connection]", &connection)
        .replace("intake = \"push\"", "intake = \"poll\"")
        .replace(
            "[flows.stock_to_shopify.stock]",
            "[flows.stock_to_shopify.sweep]\nevery = \"1s\"\n\n[flows.stock_to_shopify.stock]",
        );
    std::fs::write(&config, text).unwrap();
    (office, folder.join("acme"))
}

/// Nobody has written to it for a while.
pub(crate) fn drop_file(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    let now: SystemTime = crate::office::now().into();
    file.set_modified(now - Duration::from_secs(60)).unwrap();
}

pub(crate) fn sells(office: &Office, sku: &str, quantity: i64) {
    let sells = comes(|| {
        office.folder.tidegate(&["status"]);
        available(&office.shop, sku) == quantity
    });
    assert!(sells, "{sku}: {} and not {quantity}", available(&office.shop, sku));
}

pub(crate) fn appears(office: &Office, path: &std::path::Path) {
    let is_there = comes(|| {
        office.folder.tidegate(&["status"]);
        path.exists()
    });
    assert!(is_there, "{} never came", path.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_is_what_the_shop_sells() {
    let (office, folder) = dropping().await;
    drop_file(&folder.join("stock.csv"), CSV);
    let hub = Hub::start(&office.folder);
    sells(&office, "SKU-0001", 113);
    sells(&office, "SKU-0003", 36);
    appears(&office, &folder.join("done/stock.csv"));

    // One mistake, and nothing of it counts.
    let bad = CSV.replace(";36;;1;", ";36;;2;").replace("120,0;7;1;", "1.200,5;7;2;");
    drop_file(&folder.join("bad.csv"), &bad);
    appears(&office, &folder.join("refused/bad.csv"));
    let why = std::fs::read_to_string(folder.join("refused/bad.csv.why.txt")).unwrap();
    assert!(why.contains("line 2, column 15, on_hand"), "{why}");
    assert_eq!(available(&office.shop, "SKU-0001"), 113);

    // A hub that is killed goes on; an older file that comes late changes nothing.
    hub.kill();
    drop_file(&folder.join("newer.csv"), &CSV.replace("120,0;7;1;", "50;0;9;").replace(";36;;1;", ";4;;9;"));
    let _hub = Hub::start(&office.folder);
    sells(&office, "SKU-0001", 50);
    drop_file(&folder.join("older.csv"), CSV);
    appears(&office, &folder.join("done/older.csv"));
    until(&office.folder, &["ats", "show", "SKU-0003", "--offline", "--json"], "\"open\":[]");
    assert_eq!((available(&office.shop, "SKU-0001"), available(&office.shop, "SKU-0003")), (50, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_tried_without_being_taken() {
    let (office, _) = dropping().await;
    let folder = &office.folder;
    drop_file(&folder.path("stock.csv"), CSV);
    let said = folder.tidegate(&["stock", "read", "stock.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for told in ["2 levels", "stock_to_shopify", "SKU-0001", "113", "nothing was taken"] {
        assert!(said.out.contains(told), "{told:?} is missing: {}", said.out);
    }
    assert_eq!(folder.json(&["stock", "read", "stock.csv"])["levels"][0]["available"], 113);
    drop_file(&folder.path("bad.csv"), &CSV.replace("120,0", "1e3").replace(";WH-1;36", ";;36"));
    let said = folder.tidegate(&["stock", "read", "bad.csv"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("2 mistakes") && said.out.contains("line 2, column 15"), "{}", said.out);
    folder.tidegate(&["stock", "read", "no.csv"]).refused(4, &["no.csv"]);
    folder.tidegate(&["stock", "read", "stock.csv", "--flow", "other"]).refused(4, &["other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_file_of_changes_counts_once_whatever_ends_the_hub() {
    let (office, folder) = dropping_what("files = \"both\"").await;
    let at = crate::office::now();
    drop_file(&folder.join("levels.csv"), "sku,location,on_hand\nSKU-0001,WH-1,9000\n");
    let hub = Hub::start(&office.folder);
    sells(&office, "SKU-0001", 9_000);
    let rows: String =
        (0..2_500).map(|n| format!("SKU-0001,WH-1,{},{at}\n", if n % 2 == 0 { -3 } else { 1 })).collect();
    let moves = format!("sku,location,change,changed_at\n{rows}");
    drop_file(&folder.join("moves.csv"), &moves);
    appears(&office, &folder.join("taking/moves.csv"));
    hub.kill();
    let hub = Hub::start(&office.folder);
    hub.kill();
    let hub = Hub::start(&office.folder);
    appears(&office, &folder.join("done/moves.csv"));
    sells(&office, "SKU-0001", 6_500);

    // The same bytes under another name cannot be told from a copy; a bad line refuses the whole file, with its place.
    drop_file(&folder.join("copy.csv"), &moves);
    appears(&office, &folder.join("refused/copy.csv.why.txt"));
    drop_file(&folder.join("bad.csv"), &moves.replacen(",1,", ",+1,", 1).replace(",-3,", ",-4,"));
    appears(&office, &folder.join("refused/bad.csv.why.txt"));
    let why = std::fs::read_to_string(folder.join("refused/bad.csv.why.txt")).unwrap();
    assert!(why.contains("line 3, column 15, change.on_hand"), "{why}");

    // With an id of their own they may come as often as they like, in whatever file; of what no level was told they say so.
    let named = format!(
        "{{\"id\":\"M1\",\"sku\":\"SKU-0001\",\"location\":\"WH-1\",\"change\":{{\"on_hand\":\"-500\"}},\"changed_at\":\"{at}\"}}\n"
    );
    drop_file(&folder.join("named.ndjson"), &named);
    drop_file(&folder.join("again.ndjson"), &format!("{named}\n{}", named.replace("SKU-0001", "SKU-0004")));
    appears(&office, &folder.join("done/again.ndjson"));
    sells(&office, "SKU-0001", 6_000);
    until(&office.folder, &["dead-letters", "list"], "send one under the topic \"stock/level\"");
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--explain"]);
    assert!(said.out.contains("and 2501 changes since"), "{}", said.out);
    drop(hub);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_changes_is_tried_without_being_taken() {
    let (office, _) = dropping_what("files = \"both\"").await;
    let folder = &office.folder;
    drop_file(&folder.path("moves.csv"), "sku;location;change;id\nSKU-0001;WH-1;-1,5;M1\n");
    let said = folder.tidegate(&["stock", "read", "moves.csv"]);
    for told in ["1 change, each known again by its id", "-1.5", "M1", "nothing was taken"] {
        assert!(said.out.contains(told), "{told:?} is missing: {said:?}");
    }
    assert_eq!(folder.json(&["stock", "read", "moves.csv"])["changes"][0]["change"]["on_hand"], "-1.5");
    let said = folder.tidegate(&["stock", "read", "moves.csv", "--files", "levels"]);
    assert!(said.code == Some(3) && said.out.contains("this is a file of changes"), "{said:?}");
}
