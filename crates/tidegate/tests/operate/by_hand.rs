//! What somebody typed in the shop where the warehouse owns stock, by each policy.

use crate::hub::Hub;
use crate::office::Office;
use crate::stock::{agree, available, differing, keeper, warehouse};
use serde_json::{Value, json};
use twin::wms::WmsTwin;

const CHECK: [&str; 4] = ["reconcile", "inventory", "--why", "a test"];

/// With 9,999 typed at SKU-0003 in the first warehouse.
async fn typed(policy: &str) -> (Office, WmsTwin, Hub) {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let path = office.folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let head = "[ownership.inventory]";
    assert!(text.contains(head));
    std::fs::write(&path, text.replace(head, &format!("{head}\nviolation = \"{policy}\""))).unwrap();
    let hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    (office, keeper, hub)
}

fn by_hand(office: &Office) -> Vec<Value> {
    office.folder.json(&["ats", "by-hand"])["by_hand"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_told_or_accepted_stands_until_the_source_changes_it() {
    for (policy, says) in [("report", "is told and left"), ("accept", "stands until the source changes it")] {
        let (office, keeper, _hub) = typed(policy).await;
        let said = office.folder.tidegate(&CHECK);
        assert!(said.out.contains(says) && said.out.contains("nothing had to be taken up again"), "{said:?}");
        let all = office.folder.json(&["backfill", "inventory", "--sku", "SKU-0003"]);
        assert_eq!((&all["appended"], &all["parts"][0]["by_hand"]), (&json!(0), &json!(1)), "{all}");
        assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "{policy}");
        assert_eq!(by_hand(&office), Vec::<Value>::new());
        // Each pair comes to change sooner or later.
        keeper.stir(2_000);
        agree(&office, &keeper);
    }
}

/// As with every source that is numbered by when it was read: a greater number is no other level.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_numbered_anew_by_its_source_is_still_changed_in_the_shop() {
    let (office, keeper, _hub) = typed("report").await;
    keeper.turn(|knobs| knobs.unlisted = true);
    let before = keeper.truth("SKU-0003", "WH-1").unwrap();
    keeper.receive("SKU-0003", "WH-1", 5).unwrap();
    let after = keeper.correct("SKU-0003", "WH-1", before.on_hand).unwrap();
    assert!(after.version > before.version && after.on_hand == before.on_hand, "{after:?}");
    let checked = office.folder.json(&CHECK);
    let part = &checked["parts"][0];
    assert_eq!((&part["whys"]["changed_in_shop"], &part["appended"]), (&json!(1), &json!(0)), "{checked}");
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_until_a_person_has_decided() {
    let (office, keeper, _hub) = typed("ask").await;
    // A dry run asks nobody.
    office.folder.json(&["reconcile", "inventory", "--dry-run"]);
    assert_eq!(by_hand(&office), Vec::<Value>::new());
    for asked in [1, 0] {
        let checked = office.folder.json(&CHECK);
        let part = &checked["parts"][0];
        assert_eq!(
            (&part["asked"], &part["newly_asked"], &part["appended"]),
            (&json!(1), &json!(asked), &json!(0)),
            "{checked}"
        );
    }
    assert_eq!(available(&office.shop, "SKU-0003"), 9_999, "it was written before it was decided");
    let all = by_hand(&office);
    let one = &all[0];
    assert_eq!(
        (&one["sku"], &one["location"], &one["has"]),
        (&json!("SKU-0003"), &json!("WH-1"), &json!(9_999))
    );
    assert!(one["changed_at"].is_string() && one["history_url"].is_string(), "{one}");

    // Whoever decides says why, and of what is asked alone.
    let revert = ["ats", "revert", "SKU-0003", "--location", "WH-1"];
    office.folder.tidegate(&revert).refused(2, &["--why"]);
    let other = ["ats", "revert", "SKU-0004", "--location", "WH-1", "--why", "a test"];
    office.folder.tidegate(&other).refused(4, &["nobody is asked about SKU-0004"]);

    // Accepted, it is not asked about again while it stays as it is.
    let accept = ["ats", "accept", "SKU-0003", "--location", "WH-1", "--why", "counted on the floor"];
    let said = office.folder.tidegate(&accept);
    assert!(said.out.contains("9999 of SKU-0003 at WH-1 stands"), "{said:?}");
    assert_eq!(office.folder.json(&CHECK)["parts"][0]["asked"], 0);
    assert_eq!(by_hand(&office)[0]["decided"]["why"], "counted on the floor");
    assert_eq!(differing(&office, &keeper), ["SKU-0003"]);

    // Another quantity is another question; set back, both sides agree.
    office.shop.set_by_hand("SKU-0003", "WH-1", 8_888).unwrap();
    assert_eq!(office.folder.json(&CHECK)["parts"][0]["newly_asked"], 1);
    office.folder.json(&[revert.as_slice(), &["--why", "a slip of the pen"]].concat());
    agree(&office, &keeper);
    let audit = office.folder.tidegate(&["audit"]);
    for told in ["accept_by_hand", "revert_by_hand", "a slip of the pen"] {
        assert!(audit.out.contains(told), "{told}: {}", audit.out);
    }
    office.folder.json(&CHECK);
    assert_eq!(by_hand(&office), Vec::<Value>::new());
}
