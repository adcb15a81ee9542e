//! A new master key: everything is read under it afterwards, nothing under the old one.

use crate::folder::Folder;
use crate::seeded;

const NEW: &str = "[hub]\nprevious_master_key = \"file:secrets/old.key\"";

#[test]
fn a_new_master_key_takes_over_and_the_old_one_opens_nothing() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    folder.tidegate(&["keys", "rotate"]).refused(2, &["hub.previous_master_key is not set"]);

    let (key, old) = (folder.path("secrets/master.key"), folder.path("secrets/old.key"));
    // With its mode.
    std::fs::copy(&key, &old).unwrap();
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    let config = folder.path("tidegate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replacen("[hub]", NEW, 1)).unwrap();
    let answer = folder.json(&["keys", "rotate"]);
    assert!(answer["rotated"].as_u64().unwrap() >= 2, "one for each order: {answer}");

    std::fs::write(&config, &text).unwrap();
    let said = folder.tidegate(&["orders", "show", "#1001"]);
    assert!(said.code == Some(0) && said.out.contains("FROG"), "what is sealed can be read: {said:?}");
    let entry = &folder.json(&["audit"])["entries"][0];
    assert_eq!([&entry["action"], &entry["who"]], ["rotate", "ada"]);
    std::fs::copy(&old, &key).unwrap();
    folder.tidegate(&["status"]).refused(1, &["master key"]);
}
