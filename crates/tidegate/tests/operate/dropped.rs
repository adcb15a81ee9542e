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
    let office = warehouse().await;
    let folder = office.folder.path("stock");
    std::fs::create_dir_all(folder.join("acme")).unwrap();
    let config = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let connection = format!("[systems.wms.connection]\nfolder = {:?}", folder.display().to_string());
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
fn drop_file(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    let now: SystemTime = crate::office::now().into();
    file.set_modified(now - Duration::from_secs(60)).unwrap();
}

fn sells(office: &Office, sku: &str, quantity: i64) {
    let sells = comes(|| {
        office.folder.tidegate(&["status"]);
        available(&office.shop, sku) == quantity
    });
    assert!(sells, "{sku}: {} and not {quantity}", available(&office.shop, sku));
}

fn appears(office: &Office, path: &std::path::Path) {
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
