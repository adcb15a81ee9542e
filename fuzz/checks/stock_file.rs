//! A file of stock as a source drops it, and a file of bundles. Both ways of reading one agree; it reads the same in the smallest
//! pieces, with a mark before it and with the line ends of another system; what is wrong stands at a line and column of it; and what
//! it tells, written as NDJSON and as CSV, is told again.

use domains::inventory::Rules;
use domains::inventory::bundles::Bundles;
use domains::inventory::drop::{
    Counted, Defaults, FAULTS_MAX, Holds, NotWhole, Refused, Says, Takes, Told, change_payload,
    check as look_at, payload, read_all,
};
use std::io::BufReader;
use std::sync::LazyLock;

/// A line may have so many bytes; what is written for an input may be longer than it.
const LINE_BYTES_MAX: usize = 64 * 1024;
const MARK: &[u8] = b"\xEF\xBB\xBF";

static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::parse(&[], &["case = 12 each".to_owned()]).expect("a rule"));

pub(crate) fn check(file: &[u8]) {
    for takes in Takes::ALL {
        check_file(file, &Defaults { takes, ..Defaults::default() });
    }
    let given = Defaults {
        location: Some("WH-9".to_owned()),
        changed_at: Some("2026-11-26T14:00:00Z".parse().expect("an instant")),
        takes: Takes::Both,
        whole: true,
    };
    check_file(file, &given);
    check_bundles(file);
}

fn check_file(file: &[u8], defaults: &Defaults) {
    let read = read_all(file, defaults);
    assert_eq!(read_all(BufReader::with_capacity(1, file), defaults), read, "in pieces it is another file");
    for other in in_other_dress(file) {
        assert_eq!(read_all(&other[..], defaults), read, "with a mark or other line ends it is another file");
    }
    match (&read, look_at(file, defaults)) {
        (Ok(all), Ok(counted)) => check_counted(all, counted),
        (Ok(all), Err(refused)) => check_uneven(all, file, &refused),
        (Err(refused), Err(also)) => {
            assert_eq!(*refused, also, "looked at, other things are wrong");
            check_refused(file, refused);
        }
        (Err(refused), Ok(_)) => panic!("looked at, nothing is wrong: {refused}"),
    }
    let Ok(all) = read else { return };
    check_told(file, &all);
    let holds = all.first().map_or(Holds::Levels, holds);
    if !all.is_empty() {
        check_again(&all, ndjson(&all, defaults.whole), defaults);
    }
    for delimiter in [',', ';'] {
        check_again(&all, csv(&all, holds, delimiter), &Defaults { takes: Takes::Both, ..defaults.clone() });
    }
}

/// The same file from other systems.
fn in_other_dress(file: &[u8]) -> Vec<Vec<u8>> {
    let mut others = Vec::new();
    // What begins with one of these bytes is told by it.
    if !file.is_empty()
        && !file.starts_with(b"\xEF")
        && !file.starts_with(b"\xFF")
        && !file.starts_with(b"\xFE")
    {
        others.push([MARK, file].concat());
    }
    if !file.contains(&b'\r') {
        others.push(file.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]));
    }
    others
}

fn holds(told: &Told) -> Holds {
    match told.says {
        Says::Level(_) => Holds::Levels,
        Says::Change(_) => Holds::Changes,
    }
}

fn check_counted(all: &[Told], counted: Counted) {
    let of = |with: fn(&Told) -> bool| all.iter().filter(|told| with(told)).count() as u64;
    assert_eq!(counted.told, all.len() as u64);
    assert_eq!(counted.versioned, of(|told| told.version.is_some()));
    assert_eq!(counted.with_id, of(|told| told.id.is_some()));
    assert!(all.iter().all(|told| holds(told) == counted.holds), "a file holds one or the other");
}

/// All of it can be read, and some of its lines have no name where others have one.
fn check_uneven(all: &[Told], file: &[u8], refused: &Refused) {
    check_refused(file, refused);
    let uneven = |has: fn(&Told) -> bool| all.iter().any(has) && !all.iter().all(has);
    let versions = uneven(|told| told.version.is_some());
    let ids = uneven(|told| told.id.is_some());
    assert!(refused.count == 1 && (versions || ids), "{refused}");
}

fn check_refused(file: &[u8], refused: &Refused) {
    assert!(refused.count > 0 && refused.faults.len() <= FAULTS_MAX);
    assert_eq!(refused.faults.len() as u64, refused.count.min(FAULTS_MAX as u64));
    assert!(refused.faults.is_sorted_by_key(|fault| fault.line), "in the order of the file: {refused}");
    let lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    for fault in &refused.faults {
        assert!(fault.line >= 1 && fault.column >= 1 && !fault.problem.is_empty(), "{fault}");
        let line = usize::try_from(fault.line - 1).ok().and_then(|index| lines.get(index));
        let Some(line) = line else {
            // The line that is missing comes after the last one.
            let after = fault.line == lines.len() as u64 + 1 && refused.not_whole == Some(NotWhole::CutOff);
            assert!(after, "the file has {} lines: {fault}", lines.len());
            continue;
        };
        let line = line.strip_prefix(MARK).filter(|_| fault.line == 1).unwrap_or(line);
        let columns = String::from_utf8_lossy(line).chars().count() as u64 + 1;
        assert!(fault.column <= columns, "the line has {columns} columns: {fault}");
    }
    drop(refused.to_string());
}

fn check_told(file: &[u8], all: &[Told]) {
    let lines = file.split(|byte| *byte == b'\n').count() as u64;
    assert!(all.is_sorted_by(|one, other| one.line < other.line), "each line tells one");
    assert!(all.iter().all(|told| (1..=lines).contains(&told.line)), "at lines of the file");
    let mut pairs: Vec<_> = all.iter().filter(|told| holds(told) == Holds::Levels).map(Told::pair).collect();
    pairs.sort_unstable();
    assert!(pairs.windows(2).all(|two| two[0] != two[1]), "a level stands twice");
}

/// What was told is told by this file too.
fn check_again(all: &[Told], file: Option<Vec<u8>>, defaults: &Defaults) {
    let Some(file) =
        file.filter(|file| file.split(|byte| *byte == b'\n').all(|line| line.len() < LINE_BYTES_MAX))
    else {
        return;
    };
    let anywhere = |all: &[Told]| all.iter().map(|told| Told { line: 0, ..told.clone() }).collect::<Vec<_>>();
    let shown = String::from_utf8_lossy(&file);
    let again = read_all(&file[..], defaults).unwrap_or_else(|refused| panic!("{refused}\n{shown}"));
    assert_eq!(anywhere(&again), anywhere(all), "written again it tells another thing:\n{shown}");
}

fn ndjson(all: &[Told], whole: bool) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    for told in all {
        let data = match &told.says {
            Says::Level(stock) => payload(stock),
            Says::Change(change) => change_payload(change),
        };
        let data: serde_json::Value = serde_json::from_slice(&data).expect("what is written is JSON");
        let line = serde_json::json!({ "version": told.version, "id": told.id, "data": data });
        file.extend(format!("{line}\n").bytes());
    }
    if whole {
        file.extend(format!("{{\"items\":{}}}\n", all.len()).bytes());
    }
    Some(file)
}

/// `None`: a table has no place for something that was told.
fn csv(all: &[Told], holds: Holds, delimiter: char) -> Option<Vec<u8>> {
    let header: &[&str] = match holds {
        Holds::Levels => {
            &["sku", "location", "on_hand", "reserved", "counted", "safety", "unit", "version", "changed_at"]
        }
        Holds::Changes => {
            &["sku", "location", "change", "reserved_change", "counted_change", "id", "version", "changed_at"]
        }
    };
    let mut file = header.join(&delimiter.to_string());
    for told in all {
        let version = told.version.map(|version| version.to_string());
        let mut cells = match &told.says {
            Says::Level(stock) if stock.incoming.is_empty() => vec![
                stock.sku.clone(),
                stock.location.clone(),
                number(&stock.on_hand, delimiter),
                number(&stock.reserved, delimiter),
                stock.counted.map(|counted| number(&counted, delimiter)).unwrap_or_default(),
                number(&stock.safety, delimiter),
                stock.unit.clone().unwrap_or_default(),
            ],
            Says::Level(_) => return None,
            Says::Change(change) => vec![
                change.sku.clone(),
                change.location.clone(),
                number(&change.by.on_hand, delimiter),
                number(&change.by.reserved, delimiter),
                number(&change.by.counted, delimiter),
                told.id.clone().unwrap_or_default(),
            ],
        };
        cells.extend([version.unwrap_or_default(), told.changed_at().to_string()]);
        // A carriage return has no place in a file.
        if cells.iter().any(|cell| cell.contains('\r')) {
            return None;
        }
        let quoted: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        file.push('\n');
        file.push_str(&quoted.join(&delimiter.to_string()));
    }
    Some(file.into_bytes())
}

/// With the decimal comma that goes with a semicolon.
fn number(quantity: &impl ToString, delimiter: char) -> String {
    let text = quantity.to_string();
    if delimiter == ';' { text.replace('.', ",") } else { text }
}

fn check_bundles(file: &[u8]) {
    let read = Bundles::parse(file, &RULES);
    for other in in_other_dress(file) {
        assert_eq!(Bundles::parse(&other, &RULES), read, "with a mark or other line ends it is another file");
    }
    let bundles = match read {
        Ok(bundles) => bundles,
        Err(refused) => {
            assert!(refused.count > 0);
            let lines = file.split(|byte| *byte == b'\n').count() as u64;
            assert!(refused.faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{refused}");
            return;
        }
    };
    let (members, first) = bundles.largest_family();
    let family = bundles.family(first);
    assert_eq!((family.len(), bundles.is_empty()), (members, members == 0));
    for sku in family {
        assert!(bundles.concerns(sku) && bundles.family(sku) == family, "{sku} is of two families");
        for piece in bundles.made_of(sku).unwrap_or_default() {
            assert!((1..=1_000_000).contains(&piece.quantity), "{piece:?}");
            assert_eq!(bundles.made_of(&piece.sku), None, "{} lies on no shelf", piece.sku);
            let held = bundles.held_by(&piece.sku).iter().find(|held| held.sku == *sku);
            assert_eq!(held.map(|held| held.quantity), Some(piece.quantity), "{} and {sku}", piece.sku);
        }
    }
}
