//! A folder, a clock that the test moves, and a hub that keeps the point or loses it.

mod changes;
mod whole;

use super::*;
use std::time::{Duration, SystemTime};

const LEVELS: &str =
    "sku;location;on_hand;changed_at\nA;W;1,5;2026-11-26T14:00:00Z\nB;W;3;2026-11-26T14:00:00Z\n";

fn shop() -> ShopId {
    ShopId::new("acme").unwrap()
}

/// Seconds after the files' time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

struct Drops {
    root: tempfile::TempDir,
    folder: Folder,
    takes: Takes,
    point: Option<String>,
}

impl Drops {
    fn new() -> Self {
        Self::of(Takes::Levels)
    }

    fn of(takes: Takes) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("acme")).unwrap();
        let folder = Folder::new(root.path().to_owned(), takes, None, None);
        Self { root, folder, takes, point: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("acme").join(name)
    }

    /// As of the files' time.
    fn drop(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    }

    fn look(&self, seconds: i64) -> Result<Changes, Fault> {
        self.folder.changes(&shop(), self.point.as_deref(), at(seconds))
    }

    /// All that is there by then, each page committed.
    fn take(&mut self, seconds: i64) -> Result<Vec<Fed>, Fault> {
        let mut all = Vec::new();
        loop {
            let page = self.look(seconds)?;
            all.extend(page.items);
            self.point = Some(page.next);
            if !page.more {
                return Ok(all);
            }
        }
    }

    /// The process ends; what the store has stays.
    fn restart(&mut self) {
        self.folder = Folder::new(self.root.path().to_owned(), self.takes, None, None);
    }
}

fn many(levels: usize) -> String {
    let rows: String = (0..levels).map(|n| format!("S{n},W,{n},2026-11-26T14:00:00Z\n")).collect();
    format!("sku,location,on_hand,changed_at\n{rows}")
}

#[test]
fn a_file_is_taken_whole_and_put_aside() {
    let mut drops = Drops::new();
    drops.drop("stock.csv", LEVELS);
    assert_eq!(drops.take(10).unwrap(), [], "it was seen for the first time");
    let taken = drops.take(11).unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!((taken[0].path.as_str(), taken[0].sequence), ("ats:A@W", 1_795_701_600_000));
    assert!(String::from_utf8(taken[0].payload.clone()).unwrap().contains("\"on_hand\":\"1.5\""));
    assert!(drops.path("done/stock.csv").exists() && !drops.path("stock.csv").exists());
    assert_eq!(drops.take(12).unwrap(), []);
    // Another one of the same name is another one.
    drops.drop("stock.csv", &LEVELS.replace("1,5", "7"));
    drops.take(20).unwrap();
    assert_eq!(drops.take(21).unwrap().len(), 2);
    assert!(drops.path("done/stock.csv.2").exists());
}

#[test]
fn a_file_that_grows_or_is_on_its_way_is_left_alone() {
    let mut drops = Drops::new();
    drops.drop("stock.csv", &LEVELS[..50]);
    drops.drop(".stock.csv", LEVELS);
    drops.drop("other.csv.part", LEVELS);
    for seconds in [10, 20, 30] {
        assert_eq!(drops.take(seconds).unwrap(), [], "after {seconds} s");
        // The time is the same, as where a copy keeps that of its original.
        let upto = 50 + usize::try_from(seconds).unwrap();
        drops.drop("stock.csv", &LEVELS[..upto]);
    }
    drops.drop("stock.csv", LEVELS);
    assert_eq!(drops.take(40).unwrap(), []);
    assert_eq!(drops.take(41).unwrap().len(), 2);
    assert!(drops.path("other.csv.part").exists() && drops.path(".stock.csv").exists());
}

#[test]
fn a_file_with_one_mistake_is_refused_whole_and_says_where() {
    let mut drops = Drops::new();
    drops.drop("bad.csv", &format!("{LEVELS}C;W;1e3;2026-11-26T14:00:00Z\n"));
    drops.drop("good.csv", LEVELS);
    drops.take(10).unwrap();
    let fault = drops.take(11).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-3405"), "{fault}");
    let why = fs::read_to_string(drops.path("refused/bad.csv.why.txt")).unwrap();
    assert!(why.contains("line 4, column 5, on_hand"), "{why}");
    assert!(drops.path("refused/bad.csv").exists());
    // It holds nobody back.
    assert_eq!(drops.take(12).unwrap().len(), 2);
}

#[test]
fn a_hub_that_is_killed_in_the_middle_goes_on_after_the_last_level_that_is_committed() {
    let mut drops = Drops::new();
    drops.drop("stock.csv", &many(2_500));
    drops.take(10).unwrap();
    let first = drops.look(11).unwrap();
    assert_eq!(first.items.len(), PAGE);
    // The page was lost on the way to the store.
    drops.restart();
    let again = drops.look(12).unwrap();
    assert_eq!(again.items, first.items);
    drops.point = Some(again.next);
    drops.restart();
    let rest = drops.take(13).unwrap();
    assert_eq!((rest.len(), rest[0].path.as_str()), (1_500, "ats:S1000@W"));
    // And where it is killed between the last commit and the putting aside.
    drops.drop("next.csv", &many(3));
    drops.take(20).unwrap();
    let last = drops.look(21).unwrap();
    assert_eq!(last.items.len(), 3);
    drops.point = Some(last.next);
    drops.restart();
    assert!(drops.path("taking/next.csv").exists());
    assert_eq!(drops.take(22).unwrap(), []);
    assert!(drops.path("done/next.csv").exists());
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let folder = Folder::new(PathBuf::from("/nowhere/at/all"), Takes::Levels, None, None);
    let fault = folder.changes(&shop(), None, at(0)).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-3406"));
    assert!(fault.message.contains("make it"), "{fault}");
}
