//! How commands end when nobody reads them to the end, and what there is no command for.

use crate::folder::Folder;
use crate::seeded;

/// Both ends that a command writes to are closed already, as after `2>&1 | head`.
fn unread(folder: &Folder, args: &[&str]) -> Option<i32> {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = folder.command(args);
    command.stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap().code()
}

#[test]
fn who_stops_reading_is_no_failure() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    for args in [
        &["check"][..],
        &["check", "--json"],
        &["status"],
        &["orders", "show", "#1001"],
        &["dead-letters", "list", "--json"],
        &["backup", "copy.db"],
        &["mapping", "check", "mappings/orders_to_erp.toml"],
        &["init", "another", "--shop", "acme.myshopify.com"],
        &["--help"],
    ] {
        assert_eq!(unread(&folder, args), Some(0), "{args:?}");
    }
    // What went wrong stays in the exit code.
    assert_eq!(unread(&folder, &["check", "-c", "nowhere.toml"]), Some(3));
    assert_eq!(unread(&folder, &["orders", "show", "#9999"]), Some(4));
    assert_eq!(unread(&folder, &["frobnicate"]), Some(2));
}

#[test]
fn what_there_is_no_command_for_is_told_with_the_nearest() {
    let folder = Folder::new();
    folder.tidegate(&["stauts"]).refused(2, &["unrecognized subcommand 'stauts'", "status"]);
    folder.tidegate(&["orders", "shw", "#1001"]).refused(2, &["'shw'", "show"]);
    folder.tidegate(&["check", "--jsn"]).refused(2, &["'--jsn'", "--json"]);
    folder.tidegate(&[]).refused(2, &["Usage: tidegate", "Commands:"]);
    folder.tidegate(&["orders"]).refused(2, &["Usage: tidegate orders", "show"]);
}
