//! The transcripts of docs/inventory.md and docs/prices.md: what a person types and reads, made here and compared with the page,
//! so that the guide shows what the program says. `UPDATE_DOCS=1` writes them anew.

use crate::folder::Folder;
use crate::hub::{Hub, until};
use crate::pricing::with_prices;
use crate::stock::{agree, available, keeper, warehouse};
use std::fmt::Write as _;
use std::path::Path;
use twin::wms::{WmsConfig, WmsTwin};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
/// One list, a price each.
const PUMPS: u32 = 40;
const PUMP_TERMS: &str =
    "[[lists]]\nid = \"LIST-EUR\"\nkind = \"list\"\ncurrency = \"EUR\"\nfor = \"everyone\"\n";

/// What was typed and told, and what happened between.
struct Transcript<'a> {
    folder: &'a Folder,
    text: String,
}

impl<'a> Transcript<'a> {
    fn of(folder: &'a Folder) -> Self {
        Self { folder, text: String::new() }
    }

    fn happens(&mut self, what: &str) {
        writeln!(self.text, "# {what}").unwrap();
    }

    fn types(&mut self, args: &[&str]) {
        self.types_and_reads(args, usize::MAX);
    }

    /// So many lines of what is told; the others are like the last.
    fn types_and_reads(&mut self, args: &[&str], lines: usize) {
        let typed: Vec<String> = args
            .iter()
            .map(|arg| if arg.contains(' ') { format!("\"{arg}\"") } else { (*arg).to_owned() })
            .collect();
        let said = self.folder.tidegate(args);
        writeln!(self.text, "$ tidegate {}", typed.join(" ")).unwrap();
        // How fast it went is another matter at each run.
        let told = |line: &&str| !line.starts_with("pairs: ");
        let all: Vec<&str> = said.out.lines().chain(said.err.lines().filter(told)).collect();
        for line in all.iter().take(lines) {
            writeln!(self.text, "{}", timeless(line).trim_end()).unwrap();
        }
        if all.len() > lines {
            writeln!(self.text, "# … and {} lines more", all.len() - lines).unwrap();
        }
        self.text.push('\n');
    }

    /// The page has it, word by word.
    fn stands_in(&self, page: &str, name: &str) {
        let path = Path::new(DOCS).join(page);
        let text = std::fs::read_to_string(&path).unwrap();
        let begin = format!("<!-- transcript: {name} -->\n```text\n");
        let (before, rest) =
            text.split_once(&begin).unwrap_or_else(|| panic!("docs/{page} has no {begin:?}"));
        let (stands, after) = rest.split_once("```\n").unwrap();
        let is = format!("{}\n", self.text.trim_end());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{before}{begin}{is}```\n{after}")).unwrap();
            return;
        }
        assert_eq!(stands, is, "docs/{page}, {name}: UPDATE_DOCS=1 writes it anew");
    }
}

/// An instant is another at each run: all are one.
fn timeless(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("20") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let shape = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
        };
        let instant = from.get(..19).is_some_and(|text| {
            let shape = shape(text);
            shape == "0000-00-00 00:00:00" || shape == "0000-00-00T00:00:00"
        });
        if instant {
            out.push_str(if from.as_bytes()[10] == b' ' {
                "2026-11-26 02:00:00"
            } else {
                "2026-11-26T02:00:00"
            });
            let more = from[19..].find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(from.len() - 19);
            rest = &from[19 + more..];
        } else {
            out.push_str(&from[..2]);
            rest = &from[2..];
        }
    }
    out + rest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_cut_short_is_refused_and_approved() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    let mut told = Transcript::of(&office.folder);
    told.happens("the nightly check, by hand: both sides agree");
    told.types(&["reconcile", "inventory", "--why", "before the sale"]);
    told.happens(
        "the warehouse's next export breaks off after 30 of its 40 pairs, and ends as if that were all",
    );
    keeper.turn(|knobs| knobs.short_snapshot_after = Some(30));
    told.types(&["reconcile", "inventory", "--why", "before the sale"]);
    told.happens("nothing was zeroed: the shop sells what it sold");
    told.types(&["ats", "show", "SKU-0020"]);
    told.happens("the export is right: the second floor was closed, and its ten pairs are gone");
    told.types(&[
        "reconcile",
        "inventory",
        "--flow",
        "stock_to_shopify",
        "--shop",
        "acme",
        "--accept-smaller",
        "Ada: the second floor is closed",
    ]);
    told.types(&["audit", "--limit", "2"]);
    told.stands_in("inventory.md", "a snapshot that is cut short");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quantity_that_somebody_typed_in_the_shop_is_seen_and_reverted() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    let mut told = Transcript::of(&office.folder);
    told.happens("somebody types 9999 into Shopify's admin, for SKU-0003 at the first warehouse");
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    told.types(&["reconcile", "inventory", "--dry-run"]);
    told.types(&["reconcile", "inventory", "--why", "stock is the warehouse's"]);
    agree(&office, &keeper);
    told.happens("a moment later");
    told.types(&["reconcile", "inventory", "--dry-run"]);
    told.stands_in("inventory.md", "a quantity that somebody typed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_that_counts_anew_is_seen_and_heard_again_once_a_person_says_so() {
    let office = warehouse().await;
    let former = keeper(&office).await;
    let _hub = Hub::start(&office.folder);
    agree(&office, &former);
    for (number, row) in former.all_stock().into_iter().enumerate() {
        former.correct(&row.sku, row.location, 1_000 + i64::try_from(number).unwrap()).unwrap();
    }
    agree(&office, &former);
    let port = former.url().rsplit(':').next().unwrap().parse().unwrap();
    former.shutdown().await.unwrap();
    let restored = WmsConfig { port, on_hand: (5, 500), seed: 7, ..WmsConfig::default() };
    let keeper = WmsTwin::start(restored).await.unwrap();

    let mut told = Transcript::of(&office.folder);
    told.happens("the warehouse's software was installed anew: its sequence numbers begin at 1 again");
    told.types_and_reads(&["reconcile", "inventory", "--dry-run"], 8);
    assert!(available(&office.shop, "SKU-0001") >= 1_000, "an older number overwrote a newer one");
    told.happens("to the hub each of its levels is an older one; a person says that it is not so");
    told.types(&["ats", "reset-sequence", "--why", "the warehouse was installed anew"]);
    told.types(&["audit", "--limit", "1"]);
    agree(&office, &keeper);
    until(&office.folder, &["reconcile", "inventory", "--dry-run"], "40 agree");
    told.happens("a moment later");
    told.types(&["reconcile", "inventory", "--dry-run"]);
    told.stands_in("inventory.md", "a sequence that begins anew");
}

#[test]
fn a_load_that_halves_every_price_is_stopped_explained_and_approved_by_name() {
    let folder = Folder::new();
    with_prices(&folder, "");
    let rows = |cents: &dyn Fn(u32) -> u32| {
        (1..=PUMPS).fold("list,sku,price\n".to_owned(), |rows, pump| {
            let cents = cents(pump);
            format!("{rows}LIST-EUR,PUMP-{pump:02},{}.{:02}\n", cents / 100, cents % 100)
        })
    };
    let usual = |pump: u32| 10_000 + 250 * pump;
    std::fs::write(folder.path("terms.toml"), PUMP_TERMS).unwrap();
    std::fs::write(folder.path("monday.csv"), rows(&usual)).unwrap();
    std::fs::write(folder.path("tuesday.csv"), rows(&|pump| usual(pump) / 2)).unwrap();
    let _hub = Hub::start(&folder);
    let mut told = Transcript::of(&folder);
    told.happens("forty prices, as the ERP exports them each night");
    told.types(&["prices", "terms", "terms.toml"]);
    told.types_and_reads(&["prices", "load", "monday.csv", "--mode", "lists"], 1);
    told.happens("the next night every price of the export is half of what it was");
    told.types(&["prices", "load", "tuesday.csv", "--mode", "lists"]);
    told.happens("nothing of it counts: who buys now pays what was paid before");
    let explain = ["prices", "explain", "PUMP-10", "--currency", "EUR"];
    told.types(&explain);
    told.types_and_reads(&["prices", "held"], 3);
    told.happens("it is meant: the stock is sold off. It goes live in the name of whoever says so");
    let why = "stock is sold off, agreed with Ms Petersen, mail of 26 November";
    told.types_and_reads(&["prices", "approve", "2", "--why", why], 1);
    told.types_and_reads(&explain, 3);
    told.types(&["prices", "changes", "--sku", "PUMP-10"]);
    assert!(told.text.contains("load 2 is held") && told.text.contains("Ms Petersen"), "{}", told.text);
    told.stands_in("prices.md", "a load that halves every price");
}
