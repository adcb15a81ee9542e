//! Files that are all that there is: which is used, when, and what is none.

use super::*;
use crate::stock_feed::config::Snapshots;
use connector::port::{Stated, Whole as _};
use domains::inventory::drop::FileNames;

const FULL: &str = "sku;location;on_hand;version\nA;W;1,5;4\nB;W;3;9\n";
const NDJSON: &str =
    "{\"sku\":\"A\",\"location\":\"W\",\"on_hand\":1}\n{\"sku\":\"B\",\"location\":\"W\",\"on_hand\":3}\n";

fn drops() -> Drops {
    let drops = Drops::new();
    let names = FileNames::parse("full-*").unwrap();
    let snapshots = Snapshots { names, age_max: Duration::from_secs(24 * 3_600) };
    let folder = Folder::new(drops.root.path().to_owned(), Takes::Both, None, Some(snapshots));
    Drops { folder, ..drops }
}

impl Drops {
    /// Of a time, in seconds after that of the other files.
    fn drop_at(&self, name: &str, text: &str, seconds: u64) {
        fs::write(self.path(name), text).unwrap();
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)).unwrap();
    }

    async fn all(&self, seconds: i64) -> Result<(Vec<Stated>, Option<bool>), Fault> {
        let mut whole = self.folder.whole(&shop(), at(seconds))?;
        let (mut all, numbered) = (Vec::new(), whole.numbered());
        loop {
            let page = whole.next().await?;
            if page.is_empty() {
                return Ok((all, numbered));
            }
            all.extend(page);
        }
    }

    async fn refused(&self, seconds: i64) -> (FaultKind, String) {
        let fault = self.all(seconds).await.unwrap_err();
        (fault.kind, format!("{} {}", fault.code, fault.message))
    }
}

fn sequences(whole: &[Stated]) -> Vec<i64> {
    whole.iter().map(|stated| stated.sequence).collect()
}

#[tokio::test]
async fn the_newest_that_nobody_writes_to_is_the_whole_and_stays_where_it_is() {
    let mut drops = drops();
    drops.drop("full-1.csv", FULL);
    let (whole, numbered) = drops.all(60).await.unwrap();
    assert_eq!((sequences(&whole), numbered), (vec![4, 9], Some(true)));
    assert!(String::from_utf8(whole[0].payload.to_vec()).unwrap().contains("\"on_hand\":\"1.5\""));
    // Asked again it is there again; to whoever asks what changed it is none of his.
    assert_eq!(sequences(&drops.all(70).await.unwrap().0), [4, 9]);
    drops.drop("levels.csv", LEVELS);
    assert_eq!((drops.take(80).unwrap(), drops.take(90).unwrap().len()), (vec![], 2));
    assert!(drops.path("full-1.csv").exists() && drops.path("done/levels.csv").exists());

    // A newer one is used once it is whole; those before the last are put aside.
    drops.drop_at("full-2.csv", &FULL.replace(";9", ";10"), 100);
    assert_eq!(sequences(&drops.all(101).await.unwrap().0), [4, 9]);
    assert!(drops.path("full-1.csv").exists());
    assert_eq!(sequences(&drops.all(106).await.unwrap().0), [4, 10]);
    assert!(drops.path("full-1.csv").exists());
    // What numbers nothing is ordered by its dates, and without them by the file's.
    drops.drop_at("full-3.ndjson", &format!("{NDJSON}{{\"items\":2}}\n"), 200);
    let (whole, numbered) = drops.all(300).await.unwrap();
    assert_eq!((sequences(&whole), numbered), (vec![1_700_000_200_000; 2], Some(false)));
    assert!(drops.path("full-2.csv").exists() && drops.path("done/full-1.csv").exists());
}

#[tokio::test]
async fn without_one_that_may_be_used_it_is_said_what_to_do() {
    let drops = drops();
    let (kind, why) = drops.refused(0).await;
    assert!(
        kind == FaultKind::Rejected && why.contains("TG-3407") && why.contains("no file called full-*"),
        "{why}"
    );
    // One that still grows is none; nor is one that is on its way.
    drops.drop("full-1.csv", FULL);
    drops.drop("full-2.csv.part", FULL);
    let (kind, why) = drops.refused(1).await;
    assert!(kind == FaultKind::Transient && why.contains("full-1.csv is still written"), "{why}");
    let day = 24 * 3_600;
    assert_eq!(drops.all(day).await.unwrap().0.len(), 2);
    let (kind, why) = drops.refused(day + 61).await;
    assert!(
        kind == FaultKind::Rejected
            && why.contains("written at 2023-11-14T22:13:20Z, which is longer ago than 1d"),
        "{why}"
    );
    assert!(drops.path("full-1.csv").exists());
    // Where none is named there is none.
    let (kind, why) = Drops::new().refused(0).await;
    assert!(kind == FaultKind::Rejected && why.contains("TG-3401") && why.contains("snapshot = "), "{why}");
}

#[tokio::test]
async fn half_of_one_two_in_one_and_one_with_a_mistake_are_none() {
    let drops = drops();
    drops.drop("full-1.ndjson", NDJSON);
    let (kind, why) = drops.refused(100).await;
    assert!(
        kind == FaultKind::Transient && why.contains("TG-3403") && why.contains("ends after 2 lines"),
        "{why}"
    );
    assert!(drops.path("full-1.ndjson").exists(), "it may still be written");
    // What was written to it since makes it whole.
    drops.drop("full-1.ndjson", &format!("{NDJSON}{{\"items\":2}}\n"));
    assert_eq!(drops.all(200).await.unwrap().0.len(), 2);

    let two = NDJSON.replacen('{', "{\"snapshot\":1,", 1) + "{\"items\":2}\n";
    let unnumbered = FULL.replace(";9", ";");
    for (name, text, code, place) in [
        ("full-2.ndjson", two.as_str(), "TG-3404", "line 2, column 1, snapshot"),
        ("full-2.csv", &FULL.replace("1,5", "1.200,5"), "TG-3405", "line 2, column 5, on_hand"),
        ("full-3.csv", &FULL.replace("B;", "A;"), "TG-3405", "line 3, column 1, sku"),
        ("full-4.csv", &unnumbered, "TG-3405", "line 3, column 1, version"),
        ("full-5.csv", "sku,location,change\nA,W,-3\n", "TG-3405", "line 1, column 1"),
        ("full-6.csv", FULL.trim_end(), "TG-3405", "it may be cut off"),
    ] {
        drops.drop_at(name, text, 300);
        let (kind, why) = drops.refused(400).await;
        assert!(kind == FaultKind::Rejected && why.contains(code) && why.contains(place), "{name}: {why}");
        let beside = fs::read_to_string(drops.path(&format!("refused/{name}.why.txt"))).unwrap();
        assert!(
            beside.contains(place) && drops.path(&format!("refused/{name}")).exists(),
            "{name}: {beside}"
        );
        // The last one that was well is there still.
        assert_eq!(drops.all(500).await.unwrap().0.len(), 2);
    }
}

#[tokio::test]
async fn one_that_is_written_to_while_it_is_read_is_none() {
    let drops = drops();
    let text = many(2_500);
    drops.drop("full-1.csv", &text);
    let mut whole = drops.folder.whole(&shop(), at(100)).unwrap();
    assert_eq!(whole.next().await.unwrap().len(), 1_000);
    drops.drop_at("full-1.csv", &text.replace(",W,2400,", ",W,1,"), 50);
    let fault = whole.next().await.unwrap_err();
    assert!(fault.kind == FaultKind::Transient && fault.message.contains("was written to"), "{fault}");
    assert!(whole.next().await.is_err(), "what was broken off is no end");
    // Put aside by who uses a newer one meanwhile, it is read to its end.
    let mut whole = drops.folder.whole(&shop(), at(200)).unwrap();
    fs::rename(drops.path("full-1.csv"), drops.path("done/full-1.csv")).unwrap();
    let mut given = 0;
    while let Ok(page) = whole.next().await {
        if page.is_empty() {
            break;
        }
        given += page.len();
    }
    assert_eq!(given, 2_500);
}
