//! Files of all that there is: what a full check finds by one, and what is none.

use crate::dropped::{appears, drop_file, dropping_what, sells};
use crate::hub::Hub;
use crate::office::Office;
use crate::stock::{available, level, push, settled};
use serde_json::json;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const SNAPSHOT: &str = "snapshot = \"full-*\"";
const CHECK: [&str; 4] = ["reconcile", "inventory", "--why", "a test"];

/// SKU-0001 to SKU-0010 with these quantities, at the version.
fn table(version: i64, quantities: &[i64]) -> String {
    let mut text = "sku,location,on_hand,version\n".to_owned();
    for (index, quantity) in quantities.iter().enumerate() {
        writeln!(text, "SKU-{:04},WH-1,{quantity},{version}", index + 1).unwrap();
    }
    text
}

/// Nothing is kept back there.
async fn dropping() -> (Office, PathBuf) {
    let (office, folder) = dropping_what(SNAPSHOT).await;
    rewritten(&office, "safety = [\"SKU-0002: 10%\"]", "safety = []");
    (office, folder)
}

fn rewritten(office: &Office, from: &str, to: &str) {
    let config = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains(from), "{from:?} does not stand in {text}");
    std::fs::write(&config, text.replace(from, to)).unwrap();
}

/// A warehouse that dropped its levels, and then all that there is; it does not push.
async fn with_levels() -> (Office, PathBuf, Hub) {
    let (office, folder) = dropping().await;
    rewritten(&office, "[systems.wms.ingest]\nhmac_secret = \"file:secrets/wms.push\"\n", "");
    drop_file(&folder.join("levels.csv"), &table(1, &[10; 10]));
    let hub = Hub::start(&office.folder);
    appears(&office, &folder.join("done/levels.csv"));
    sells(&office, "SKU-0010", 10);
    drop_file(&folder.join("full-1.csv"), &table(1, &[10; 10]));
    (office, folder, hub)
}

fn written(path: &Path, ago: Duration) {
    let now: SystemTime = crate::office::now().into();
    File::options().write(true).open(path).unwrap().set_modified(now - ago).unwrap();
}

/// Pairs of which the shop has something else.
fn differ(office: &Office) -> u64 {
    let told = office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    told["parts"][0]["causes"]["differs"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_check_of_files_finds_what_was_lost_and_what_was_typed() {
    let (office, folder, _hub) = with_levels().await;
    // Accepted as it stands, with its full check at night.
    let night = ["check", "--set", "flows.stock_to_shopify.stock.full_check=30 2 * * * Europe/Berlin"];
    let said = office.folder.tidegate(&night);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(differ(&office), 0);
    // It is no news of what changed.
    assert!(folder.join("full-1.csv").exists());

    // One was typed, one never came, and a third is on no list.
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    let mut newer = [10; 10];
    newer[3] = 4;
    drop_file(&folder.join("full-2.csv"), &table(2, &newer));
    assert_eq!(differ(&office), 2);
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "a dry run changed something");
    // Whoever asked once asks again: the same file is there, and the one before it.
    assert!(folder.join("full-2.csv").exists() && folder.join("full-1.csv").exists());
    assert_eq!(office.folder.json(&CHECK)["parts"][0]["appended"], 2);
    sells(&office, "SKU-0003", 10);
    sells(&office, "SKU-0004", 4);
    assert_eq!(differ(&office), 0);

    // What was dropped since is newer than the snapshot, and stays.
    drop_file(&folder.join("later.csv"), "sku,location,on_hand,version\nSKU-0001,WH-1,3,3\n");
    sells(&office, "SKU-0001", 3);
    assert_eq!(office.folder.json(&CHECK)["parts"][0]["appended"], 0);
    assert_eq!(available(&office.shop, "SKU-0001"), 3);
    // One SKU of a source that cannot be asked for it.
    office.shop.set_by_hand("SKU-0005", "WH-1", 77).unwrap();
    let brought = office.folder.json(&["backfill", "inventory", "--sku", "SKU-0005"]);
    assert_eq!(brought["parts"][0]["appended"], 1, "{brought}");
    sells(&office, "SKU-0005", 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_all_is_none_and_nothing_is_zeroed() {
    let (office, folder, _hub) = with_levels().await;
    assert_eq!(differ(&office), 0);
    let stays = |word: &str| {
        for number in 1..=10 {
            let sku = format!("SKU-{number:04}");
            assert_eq!(available(&office.shop, &sku), 10, "{sku} was changed by {word}");
        }
    };
    let refused = |code: &str, words: &[&str]| {
        office.folder.tidegate(&CHECK).refused(1, &[&[code], words].concat());
        stays(code);
    };
    // Cut off at the end of a row, which a table does not show.
    drop_file(&folder.join("full-2.csv"), &table(2, &[0; 5]));
    refused("TG-7030", &["of the 10 pairs", "5 (50.0 %)"]);
    std::fs::remove_file(folder.join("full-2.csv")).unwrap();

    let rows = "{\"version\":2,\"data\":{\"sku\":\"SKU-0001\",\"location\":\"WH-1\",\"on_hand\":0}}\n";
    drop_file(&folder.join("full-3.ndjson"), rows);
    refused("TG-3403", &["ends after 1 lines", "left where it is"]);
    assert!(folder.join("full-3.ndjson").exists());
    let two = rows.replacen('{', "{\"snapshot\":1,", 1);
    drop_file(
        &folder.join("full-3.ndjson"),
        &format!("{two}{}{{\"items\":2}}\n", rows.replace("0001", "0002")),
    );
    refused("TG-3404", &["line 2, column 1, snapshot"]);
    appears(&office, &folder.join("refused/full-3.ndjson.why.txt"));

    // A bad line, with its place.
    drop_file(&folder.join("full-4.csv"), &table(2, &[0; 10]).replace("SKU-0007,WH-1,0", "SKU-0007,WH-1,x"));
    refused("TG-3405", &["line 8, column 15, on_hand"]);
    let why = std::fs::read_to_string(folder.join("refused/full-4.csv.why.txt")).unwrap();
    assert!(why.contains("line 8, column 15, on_hand"), "{why}");

    // Without numbers, where levels were dropped with them: by their dates they would be newer for ever.
    let dated = table(2, &[7; 10]).replace(",version", "").replace(",2\n", "\n");
    drop_file(&folder.join("full-5.csv"), &dated);
    refused("TG-3407", &["have no version", "was told under one"]);
    std::fs::remove_file(folder.join("full-5.csv")).unwrap();

    // The one that is well is there still, and once it is too old it says so, and what to do.
    assert_eq!(differ(&office), 0);
    written(&folder.join("full-1.csv"), Duration::from_secs(25 * 3_600));
    refused("TG-3407", &["full-1.csv", "longer ago than 1d", "snapshot_age_max"]);
    std::fs::remove_file(folder.join("full-1.csv")).unwrap();
    refused("TG-3407", &["no file called full-*"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_numbers_is_not_taken_up_beside_numbered_pushes() {
    let (office, folder) = dropping().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 3, &level("SKU-0001", "50", json!({})));
    settled(&office.folder, "SKU-0001", 3);
    drop_file(&folder.join("full-1.csv"), "sku,location,on_hand\nSKU-0001,WH-1,7\nSKU-0002,WH-1,8\n");
    office.folder.tidegate(&CHECK).refused(1, &["TG-3407", "have no version, and the system pushes"]);
    let brings = ["backfill", "inventory", "--sku", "SKU-0002"];
    office.folder.tidegate(&brings).refused(1, &["TG-3407"]);
    drop_file(
        &folder.join("full-1.csv"),
        "sku,location,on_hand,version\nSKU-0001,WH-1,7,4\nSKU-0002,WH-1,8,1\n",
    );
    assert_eq!(office.folder.json(&CHECK)["parts"][0]["appended"], 2);
    sells(&office, "SKU-0001", 7);
    // What is pushed next is newer.
    push(&hub, 2, &level("SKU-0002", "9", json!({})));
    sells(&office, "SKU-0002", 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_all_is_tried_without_being_used() {
    let (office, _) = dropping_what(SNAPSHOT).await;
    let folder = &office.folder;
    let text = "{\"sku\":\"SKU-0001\",\"location\":\"WH-1\",\"on_hand\":4}\n";
    drop_file(&folder.path("full-1.ndjson"), text);
    let said = folder.tidegate(&["stock", "read", "full-1.ndjson"]);
    assert!(said.code == Some(3) && said.out.contains("{\"items\": 1}"), "{said:?}");
    drop_file(&folder.path("full-1.ndjson"), &format!("{text}{{\"items\":1}}\n"));
    let said = folder.tidegate(&["stock", "read", "full-1.ndjson"]);
    assert!(said.code == Some(0) && said.out.contains("a snapshot of 1 level"), "{said:?}");
    std::fs::rename(folder.path("full-1.ndjson"), folder.path("other.ndjson")).unwrap();
    assert_eq!(folder.json(&["stock", "read", "other.ndjson", "--snapshot"])["snapshot"], true);
    assert_eq!(folder.tidegate(&["stock", "read", "other.ndjson"]).code, Some(3));

    let config = folder.path("tidegate.toml");
    let said = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, said.replace(SNAPSHOT, "snapshot = \"in/full\"\nsnapshot_age_max = \"0s\""))
        .unwrap();
    let found = folder.tidegate(&["check"]);
    let found = found.out + &found.err;
    assert!(found.contains("a name and no path") && found.contains("longer than nothing"), "{found}");
}
