//! A database file that is not ours, or no longer whole: refused with what to do, and not a byte of it touched.

use crate::folder::Folder;
use crate::seeded;

const OURS: [&str; 3] = ["tidegate.db.lock", "tidegate.db-shm", "tidegate.db-wal"];

fn is_refused_untouched(folder: &Folder, told: &[&str]) {
    let path = folder.path("data/tidegate.db");
    let before = std::fs::read(&path).unwrap();
    let beside = || {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path("data")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        // What belongs to looking at it: the lock, and SQLite's own files.
        names.retain(|name| !OURS.contains(&name.to_str().unwrap()));
        names
    };
    let files = beside();
    let run = ["run", "--set", "hub.listen=127.0.0.1:0"];
    for args in [&["status"][..], &["audit"], &["dead-letters", "list"], &["backup", "copy.db"], &run] {
        folder.tidegate(args).refused(1, told);
    }
    assert!(std::fs::read(&path).unwrap() == before, "the file was touched");
    assert_eq!(beside(), files);
    assert!(!folder.path("copy.db").exists());
}

fn with(bytes: &[u8]) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("data")).unwrap();
    std::fs::write(folder.path("data/tidegate.db"), bytes).unwrap();
    folder
}

#[test]
fn garbage_is_refused() {
    let garbage: Vec<u8> =
        (0..40_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    is_refused_untouched(&with(&garbage), &["tidegate.db", "it is not a database", "restore"]);
}

/// The hub never leaves one, so it was cut off: a new one in its place would make every order anew.
#[test]
fn an_empty_file_is_refused() {
    is_refused_untouched(&with(b""), &["tidegate.db", "it is not a database", "restore"]);
}

#[test]
fn the_database_of_another_program_is_refused() {
    // One page of SQLite's, whole, without our application id.
    let mut page = vec![0u8; 4096];
    page[..16].copy_from_slice(b"SQLite format 3\0");
    page[16..18].copy_from_slice(&4096u16.to_be_bytes());
    page[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
    page[28..32].copy_from_slice(&1u32.to_be_bytes());
    let folder = with(&page);
    is_refused_untouched(&folder, &["tidegate.db", "another program", "data_dir"]);
}

#[test]
fn a_database_that_is_cut_off_is_refused() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    let path = folder.path("data/tidegate.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    is_refused_untouched(&folder, &["tidegate.db", "cut off", "restore"]);
}

#[test]
fn another_master_key_is_refused() {
    let folder = Folder::new();
    seeded::two_orders(&folder);
    std::fs::write(folder.path("secrets/master.key"), "ab".repeat(32)).unwrap();
    is_refused_untouched(&folder, &["master key", "give back the key"]);
}
