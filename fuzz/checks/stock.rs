//! What a source pushes of its stock, bodies one a line: levels, and changes of them, folded in turn into one record. What is read
//! is written so that it reads the same; amounts are read as the reader of amounts does, the second opinion; what may be sold is
//! bounded, and the sum of its terms; what comes twice counts once; without numbers, a level is its last one and all changes since.

use domains::inventory::change::{self, Change};
use domains::inventory::drop::{change_payload, payload};
use domains::inventory::folding::{self, Became, Told};
use domains::inventory::{self, Rules, Stock, StockCode, StockFault};
use domains::json::{Json, parse};
use jiff::Timestamp;
use kernel::id::ShopId;
use kernel::money::parse_exact;
use rust_decimal::Decimal;
use std::sync::LazyLock;

/// Three quantities of a thousand million at most, in units that hold at most a million.
const AVAILABLE_MAX: u64 = 4_000_000_000_000_000;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Rules::parse(&texts(&["2", "A*: 10%", "@WH-1: 2.5"]), &texts(&["case = 12 each", "g = 0.001 kg"]))
        .expect("rules")
});

pub(crate) fn check(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    for line in &lines {
        match inventory::read(line) {
            Ok(stock) => check_level(line, &stock),
            Err(fault) => check_fault(fault),
        }
        match change::read(line) {
            Ok(change) => check_change(line, &change),
            Err(fault) => check_fault(fault),
        }
    }
    check_folding(&lines);
}

fn check_level(body: &[u8], stock: &Stock) {
    let written = payload(stock);
    let again = inventory::read(&written).unwrap_or_else(|fault| panic!("written, it is no level: {fault}"));
    assert_eq!(&again, stock, "not the same when read back");
    assert_eq!(payload(&again), written, "not the same bytes when written again");
    assert!(inventory::folding::is_same(body, &written));
    let tree = parse(body).expect("what is read is JSON");
    let quantities = [("on_hand", stock.on_hand), ("reserved", stock.reserved), ("safety", stock.safety)];
    for (name, read) in quantities {
        assert_eq!(exact(&tree, name).unwrap_or_default(), read, "{name}");
    }
    assert_eq!(exact(&tree, "counted"), stock.counted, "counted");
    check_pair(&stock.sku, &stock.location);
    check_sold(stock);
}

fn check_sold(stock: &Stock) {
    let canonical = match inventory::canonical(stock, &RULES) {
        Ok(canonical) => canonical,
        Err(fault) => {
            assert_eq!(inventory::sold(stock, &RULES), Err(fault.clone()));
            return check_fault(fault);
        }
    };
    assert!(canonical.available.unsigned_abs() <= AVAILABLE_MAX, "{} available", canonical.available);
    let sold = inventory::sold(stock, &RULES).expect("as canonical says");
    assert_eq!(sold.available, canonical.available, "the short way says another number");
    assert_eq!(canonical.body["available"], sold.available);
    assert_eq!(canonical.body["counted"].as_i64(), sold.counted);
    let mut adds: Vec<Decimal> = canonical.why.iter().filter_map(|term| term.adds).collect();
    assert_eq!(adds.pop(), Some(Decimal::from(canonical.available)), "the last term is the sum");
    assert_eq!(adds.iter().sum::<Decimal>(), Decimal::from(canonical.available), "the terms are not the sum");
    let later = Stock { changed_at: Timestamp::MAX, ..stock.clone() };
    let later = inventory::canonical(&later, &RULES).expect("the same level");
    assert_eq!(later.digest, canonical.digest, "the digest is of its instant too");
    assert_eq!(inventory::part(&canonical.body), None);
}

fn check_change(body: &[u8], change: &Change) {
    let written = change_payload(change);
    let again = change::read(&written).unwrap_or_else(|fault| panic!("written, it is no change: {fault}"));
    assert_eq!(&again, change, "not the same when read back");
    assert_eq!(change_payload(&again), written, "not the same bytes when written again");
    let tree = parse(body).expect("what is read is JSON");
    let by = tree.get("change").expect("what changes");
    let quantities =
        [("on_hand", change.by.on_hand), ("reserved", change.by.reserved), ("counted", change.by.counted)];
    for (name, read) in quantities {
        assert_eq!(exact(by, name).unwrap_or_default(), read, "{name}");
    }
    check_pair(&change.sku, &change.location);
}

/// A quantity, as amounts are read.
fn exact(body: &Json<'_>, name: &str) -> Option<Decimal> {
    let text = match body.get(name)? {
        Json::Null => return None,
        Json::Number(number) => number,
        Json::String(text) => text.trim(),
        other => panic!("{name} is {other:?} and was read"),
    };
    Some(parse_exact(text).unwrap_or_else(|error| panic!("{name} was read, and is no amount: {error}")))
}

/// A pair has a subject, and the subject the pair.
fn check_pair(sku: &str, location: &str) {
    let subject = inventory::subject(ShopId::new("acme").expect("a name"), sku, location);
    let pair = Some((sku.to_owned(), location.to_owned()));
    assert_eq!(inventory::alone(&subject), pair, "{subject}");
    assert_eq!(inventory::parts(&subject), pair, "{subject}");
}

fn check_fault(fault: StockFault) {
    assert!(fault.path.starts_with('$'), "a fault has a path: {fault}");
    assert!(!fault.message.is_empty());
    drop(fault.into_fault().to_string());
}

fn check_folding(lines: &[&[u8]]) {
    let mut record: Option<Vec<u8>> = None;
    let (mut model, mut numbered) = (None, false);
    for line in lines {
        let Ok(body) = parse(line) else { continue };
        let sequence = match body.get("version") {
            Some(Json::Number(number)) => number.parse().ok(),
            _ => None,
        };
        numbered |= sequence.is_some();
        let is_change = body.get("change").is_some();
        let told = Told {
            topic: if is_change { change::TOPIC } else { "stock/level" },
            payload: line,
            sequence,
            at: Timestamp::UNIX_EPOCH,
            asked: body.get("asked") == Some(&Json::Bool(true)),
        };
        let folded = match folding::fold(&told, record.as_deref()) {
            Ok(folded) => folded,
            Err(fault) => {
                check_fault(fault);
                continue;
            }
        };
        match (is_change, inventory::read(line), change::read(line)) {
            (true, _, Ok(change)) => model = model.map(|on_hand| on_hand + change.by.on_hand),
            (false, Ok(level), _) => model = Some(level.on_hand),
            _ => panic!("folded, and neither a level nor a change"),
        }
        if let Became::Level(level) = &folded.became {
            assert!(!folding::explain(level).is_empty(), "it does not say how it came about");
            let _ = folding::told_version(level);
            match inventory::read(level) {
                Ok(level) if !numbered => assert_eq!(Some(level.on_hand), model, "not the sum"),
                Ok(_) => {}
                // The sum of what a shelf holds may be more than any shelf holds.
                Err(fault) => assert_eq!(fault.code, StockCode::NotQuantity, "{fault}"),
            }
        }
        let Some(now) = folded.record else { continue };
        if sequence.is_some() && !told.asked {
            let copy = folding::fold(&told, Some(&now)).expect("it was folded a moment ago");
            assert!(matches!(copy.became, Became::Known | Became::Older), "a copy counts: {copy:?}");
            assert_eq!(copy.record, None, "a copy counts");
        }
        record = Some(now);
    }
}
