//! Files as sources drop them: what is understood, and what is refused with its place.

mod changes;
mod snapshots;

use super::*;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const HEADER: &str = "sku,location,on_hand,changed_at";
const AT: &str = "2026-11-26T14:00:00Z";

fn read(text: &str) -> Result<Vec<Told>, Refused> {
    read_all(text.as_bytes(), &Defaults::default())
}

fn stock(told: &Told) -> &Stock {
    match &told.says {
        Says::Level(stock) => stock,
        Says::Change(change) => panic!("{change:?}"),
    }
}

/// SKU, on hand and reserved of each level.
fn told(text: &str) -> Vec<(String, String, String)> {
    let told = read(text).unwrap_or_else(|refused| panic!("{refused}\n{text}"));
    let row = |stock: &Stock| (stock.sku.clone(), stock.on_hand.to_string(), stock.reserved.to_string());
    told.iter().map(stock).map(row).collect()
}

fn counted(told: u64, versioned: u64) -> Counted {
    Counted { told, versioned, ..Counted::default() }
}

/// Line, column and field of each fault, and all that is said.
fn refused(text: &str) -> (Vec<(u64, u64, String)>, String) {
    let refused = read(text).expect_err(text);
    let said = refused.to_string();
    let places = refused.faults.into_iter();
    (places.map(|fault| (fault.line, fault.column, fault.field.unwrap_or_default())).collect(), said)
}

#[test]
fn the_delimiter_is_found_and_columns_are_known_by_their_names() {
    for text in [
        format!("sku,location,on_hand,reserved,changed_at\nA,W,1.5,2,{AT}\nB,W,3,,{AT}\n"),
        format!("sku;location;on_hand;reserved;changed_at\nA;W;1,5;2;{AT}\nB;W;3;;{AT}\n"),
        format!("sku\tlocation\ton_hand\treserved\tchanged_at\nA\tW\t1.5\t2\t{AT}\nB\tW\t3\t\t{AT}\n"),
        format!(
            "\u{FEFF}\"Artikelnummer\";\"Lagerort\";\"Bestand\";\"Reserviert\";\"Geändert am\"\r\nA;W;1,5;2;{AT}\r\nB;W;3;;{AT}\r\n"
        ),
        format!(
            "sep=\t\r\nsku\tlocation\ton_hand\treserved\tchanged_at\r\nA\tW\t1.5\t2\t{AT}\r\nB\tW\t3\t\t{AT}\r\n"
        ),
        format!(
            "sep=;\r\nreserved;Changed-At;name;SKU;Warehouse;On Hand\r\n2;{AT};x, y;A;W;1,5\r\n;{AT};;B;W;3\r\n"
        ),
        format!(
            "{{\"sku\":\"A\",\"location\":\"W\",\"on_hand\":\"1.5\",\"reserved\":2,\"changed_at\":\"{AT}\"}}\n\n{{\"sku\":\"B\",\"location\":\"W\",\"on_hand\":3,\"changed_at\":\"{AT}\"}}"
        ),
    ] {
        let row = |sku: &str, on_hand: &str, reserved: &str| {
            (sku.to_owned(), on_hand.to_owned(), reserved.to_owned())
        };
        assert_eq!(told(&text), [row("A", "1.5", "2"), row("B", "3", "0")], "{text}");
    }
}

#[test]
fn a_level_of_a_file_is_what_its_source_would_have_pushed() {
    let lines = [
        format!(
            "{{\"sku\":\"Ä \\\"5\\\"\",\"location\":\"W\",\"on_hand\":\"-1.50\",\"changed_at\":\"{AT}\"}}"
        ),
        format!(
            "{{\"sku\":\"A\",\"location\":\"W\",\"on_hand\":7,\"reserved\":\"2\",\"counted\":0,\"safety\":1,\"unit\":\"case\",\
             \"incoming\":[{{\"quantity\":4,\"at\":\"{AT}\"}}],\"changed_at\":\"{AT}\"}}"
        ),
    ];
    for told in read(&lines.join("\n")).unwrap() {
        let stock = stock(&told);
        assert_eq!(crate::inventory::read(&payload(stock)).as_ref(), Ok(stock));
    }
}

#[test]
fn some_versions_are_worse_than_none() {
    let file = |versions: [&str; 3]| {
        let rows: String = (0..3).map(|n| format!("S{n},W,1,{AT},{}\n", versions[n])).collect();
        check(format!("{HEADER},version\n{rows}").as_bytes(), &Defaults::default())
    };
    assert_eq!(file(["1", "2", "2"]), Ok(counted(3, 3)));
    assert_eq!(file(["", "", ""]), Ok(counted(3, 0)));
    let refused = file(["1", "", "2"]).unwrap_err();
    assert_eq!((refused.faults[0].line, refused.count), (3, 1), "{refused}");
}

#[test]
fn a_quoted_cell_may_hold_delimiters_quotes_and_line_breaks() {
    let text = format!(
        "sku,note,location,on_hand,changed_at\n\"A \"\"5\"\", x\", \"two\n\nlines, here\" ,W,7,{AT}\nB,,W,8,{AT}\n,,,,\n"
    );
    let read = read(&text).unwrap();
    assert_eq!((read[0].line, stock(&read[0]).sku.as_str()), (2, "A \"5\", x"));
    // Lines are those of the file, and rows of nothing are none.
    assert_eq!((read[1].line, stock(&read[1]).sku.as_str(), read.len()), (5, "B", 2));
}

#[test]
fn what_the_file_does_not_say_its_circumstances_do() {
    let defaults = Defaults {
        location: Some("WH-9".to_owned()),
        changed_at: Some(AT.parse().unwrap()),
        ..Defaults::default()
    };
    for text in ["sku,qty\nA,1\n", "{\"sku\":\"A\",\"on_hand\":1,\"location\":null}\n"] {
        let told = read_all(text.as_bytes(), &defaults).unwrap();
        assert_eq!(
            (stock(&told[0]).location.as_str(), stock(&told[0]).changed_at.to_string()),
            ("WH-9", AT.to_owned())
        );
    }
    let own = format!("sku,qty,location,changed_at\nA,1,W,2026-11-27T00:00:00Z\nB,1,,{AT}\n");
    let told = read_all(own.as_bytes(), &defaults).unwrap();
    assert_eq!((stock(&told[0]).location.as_str(), stock(&told[1]).location.as_str()), ("W", "WH-9"));
    assert_eq!(stock(&told[0]).changed_at.to_string(), "2026-11-27T00:00:00Z");
}

#[test]
fn a_sequence_number_is_taken_where_there_is_one() {
    let csv = format!("sku,location,on_hand,sequence,changed_at\nA,W,1,17,{AT}\nB,W,1,,{AT}\n");
    let wrapped = format!(
        "{{\"version\":17,\"data\":{{\"sku\":\"A\",\"location\":\"W\",\"on_hand\":1,\"changed_at\":\"{AT}\"}}}}\n{{\"sku\":\"B\",\"location\":\"W\",\"on_hand\":1,\"changed_at\":\"{AT}\"}}\n"
    );
    for text in [csv, wrapped] {
        let versions: Vec<_> = read(&text).unwrap().into_iter().map(|told| told.version).collect();
        assert_eq!(versions, [Some(17), None], "{text}");
    }
}

#[test]
fn each_mistake_is_told_with_line_column_and_field() {
    let csv = |rows: &str| format!("{HEADER}\n{rows}");
    for (text, line, column, field, says) in [
        (csv("A,W,1e12,x\n"), 2, 5, "on_hand", "write digits"),
        (csv("A,W,1,gestern\n"), 2, 7, "changed_at", "an instant with its zone"),
        (csv(&format!("Ä,W,\"1,234\",{AT}\n")), 2, 5, "on_hand", "no quantity"),
        (csv(&format!("A,W,,{AT}\n")), 2, 5, "on_hand", "missing"),
        (csv(&format!(" ,W,1,{AT}\n")), 2, 1, "sku", "missing"),
        (csv(&format!("A,W,1,{AT},\n")), 2, 1, "", "5 cells and the header 4"),
        (csv("A,W,1\n"), 2, 1, "", "3 cells"),
        (csv(&format!("A,W,99999999999,{AT}\n")), 2, 5, "on_hand", "any shelf"),
        (csv(&format!("A \"x\",W,1,{AT}\n")), 2, 3, "", "put the cell in quotes"),
        (csv(&format!("\"A\"x,W,1,{AT}\n")), 2, 4, "", "behind a closing quote"),
        (csv(&format!("B,W,2,{AT}\n\"A,W,1,{AT}\nC,W,1,{AT}\n")), 3, 1, "", "not closed"),
        (csv(&format!("\"A\nB\",W,1,{AT}\n")), 2, 1, "sku", "no control characters"),
        (
            format!("sku;location;on_hand;changed_at\nA;W;1.234;{AT}\n"),
            2,
            5,
            "on_hand",
            "write 1234 or 1,234",
        ),
        (
            format!("sku;location;on_hand;changed_at\nA;W;1.234,5;{AT}\n"),
            2,
            5,
            "on_hand",
            "comma and a point",
        ),
        (format!("sku,location,reserved,on_hand,changed_at\nA,W,-1,2,{AT}\n"), 2, 5, "reserved", "negative"),
        (format!("changed_at,sku,location,on_hand\n{AT},A,W,12"), 2, 26, "on_hand", "may be cut off"),
        (
            format!("on_hand,location,changed_at,version,sku\n1,W,{AT},1.5,A\n"),
            2,
            26,
            "version",
            "sequence number",
        ),
        ("sku,location,available,changed_at\n".to_owned(), 1, 1, "on_hand", "no such column"),
        ("sku,on_hand,changed_at\n".to_owned(), 1, 1, "location", "warehouse"),
        (
            "sku,qty,location,stock,changed_at\n".to_owned(),
            1,
            18,
            "on_hand",
            "\"qty\" and \"stock\" both mean",
        ),
        ("<html>\n".to_owned(), 1, 1, "", "neither a JSON object nor a header"),
        (String::new(), 1, 1, "", "empty"),
        ("[{\"sku\":\"A\"}]\n".to_owned(), 1, 1, "", "one object a line"),
        ("{\"sku\":\"A\",\n\"location\":\"W\"}\n".to_owned(), 1, 12, "", "ends in the middle"),
        (
            format!(
                "{{\"sku\":\"on_hand\",\"location\":\"Ä\", \"on_hand\" : 1.5,\"changed_at\":\"{AT}\"}}\n"
            ),
            1,
            34,
            "on_hand",
            "is a float",
        ),
        (format!("{HEADER}\rA,W,1,{AT}\r"), 1, 32, "", "carriage return"),
        ("sku,location,change,changed_at\n".to_owned(), 1, 1, "", "this is a file of changes"),
        (
            "{\"sku\":\"A\",\"location\":\"W\",\"change\":{\"on_hand\":1}}\n".to_owned(),
            1,
            1,
            "",
            "write files = \"both\"",
        ),
    ] {
        let (places, said) = refused(&text);
        assert_eq!(places.first(), Some(&(line, column, field.to_owned())), "{text}\n{said}");
        assert!(said.contains(says), "{text}\n{said}");
    }
}

#[test]
fn other_encodings_are_refused_by_name() {
    for (bytes, column, says) in [
        (&b"\xFF\xFEs\0k\0u\0\n\0"[..], 1, "UTF-16"),
        (b"sku,location,on_hand,changed_at\nA,K\xF6ln,1,x\n", 4, "Latin-1"),
    ] {
        let refused = read_all(bytes, &Defaults::default()).unwrap_err();
        assert_eq!(refused.faults[0].column, column);
        assert!(refused.to_string().contains(says), "{refused}");
    }
}

#[test]
fn a_pair_that_stands_twice_is_refused_with_both_lines() {
    let text = format!("{HEADER}\nA,W,1,{AT}\na,W,2,{AT}\nA,V,3,{AT}\n\" A\r\n\",W ,1,{AT}\n");
    let (places, said) = refused(&text);
    assert_eq!(places, [(5, 1, "sku".to_owned())]);
    assert!(said.contains("\"A\" at \"W\" stands in line 2 already"), "{said}");
}

#[test]
fn nothing_is_half_applied_and_a_flood_of_mistakes_is_counted() {
    let mut text = format!("{HEADER}\nA,W,1,{AT}\n");
    (0..250).for_each(|n| text.push_str(&format!("B{n},W,x,{AT}\n")));
    let refused = read(&text).unwrap_err();
    assert_eq!((refused.faults.len(), refused.count), (FAULTS_MAX, 250));
    assert!(refused.to_string().ends_with("and 150 more"), "{refused}");
    assert_eq!(check(text.as_bytes(), &Defaults::default()), Err(refused));
    assert_eq!(check(format!("{HEADER}\nA,W,1,{AT}").as_bytes(), &Defaults::default()), Ok(counted(1, 0)));
    assert_eq!(check(format!("{HEADER}\n").as_bytes(), &Defaults::default()), Ok(Counted::default()));
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let long = "x".repeat(3 * lines::LINE_BYTES_MAX);
    let (places, said) = refused(&format!("{HEADER}\n{long},W,1,{AT}\nA,W,x,{AT}\n"));
    assert_eq!(places, [(2, 1, String::new()), (3, 5, "on_hand".to_owned())], "{said}");
    let open = "y\n".repeat(2 * lines::LINE_BYTES_MAX);
    let (places, said) = refused(&format!("{HEADER}\n\"{open}"));
    assert_eq!(places, [(2, 1, String::new())], "{said}");
}

#[test]
fn a_disk_that_fails_half_way_is_a_fault_and_not_an_end() {
    use std::io::{BufReader, Error, Read};
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(Error::other("gone"))
        }
    }
    let begins = format!("{HEADER}\nA,W,1,{AT}\n");
    let refused = read_all(BufReader::new(begins.as_bytes().chain(Fails)), &Defaults::default()).unwrap_err();
    assert_eq!((refused.count, refused.faults[0].line), (1, 3), "{refused}");
}

/// A quoted cell.
fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

proptest! {
    /// Whatever a level is called and however much there is: written as CSV in any form, it is read as it was.
    #[test]
    fn what_is_written_is_read(
        names in proptest::collection::btree_map("\\PC{1,20}", (-9_999_999i64..9_999_999, 0u32..=6), 1..20),
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t')],
        crlf in any::<bool>(),
        mark in any::<bool>(),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let columns = ["sku", "location", "on_hand", "changed_at"].join(&delimiter.to_string());
        let mut text = format!("{}{columns}{end}", if mark { "\u{FEFF}" } else { "" });
        let mut expected = BTreeMap::new();
        for (name, (digits, scale)) in names {
            let quantity = Decimal::new(digits, scale);
            let sku = name.trim().to_owned();
            // Two names that differ by blanks at their ends are one: the first stands.
            if sku.is_empty() || expected.contains_key(&sku) {
                continue;
            }
            expected.insert(sku, quantity);
            let mut written = quantity.to_string();
            if delimiter == ';' {
                written = written.replace('.', ",");
            }
            let row = [cell(&name), "W".to_owned(), written, AT.to_owned()];
            text.push_str(&row.join(&delimiter.to_string()));
            text.push_str(end);
        }
        let told = read(&text).map_err(|refused| TestCaseError::fail(format!("{refused}\n{text}")))?;
        let read: BTreeMap<_, _> =
            told.iter().map(stock).map(|stock| (stock.sku.clone(), stock.on_hand)).collect();
        prop_assert_eq!(read, expected);
    }

    /// A file that is cut off anywhere is refused, or has lost whole rows: never a number or a name in part.
    #[test]
    fn a_cut_never_makes_another_level(cut in 0usize..200, delimiter in prop_oneof![Just(","), Just(";")], order in 0usize..4) {
        let mut names = ["sku", "location", "on_hand", "changed_at"];
        names.rotate_left(order);
        let mut text = format!("{}\n", names.join(delimiter));
        for n in 0..3 {
            let mut row = [format!("SKU-{n}00"), "WH-10".to_owned(), "1200".to_owned(), AT.to_owned()];
            row.rotate_left(order);
            text.push_str(&format!("{}\n", row.join(delimiter)));
        }
        let whole = read(&text).unwrap();
        text.truncate(cut);
        if let Ok(told) = read(&text) {
            prop_assert!(whole.starts_with(&told), "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), header in any::<bool>()) {
        let mut file = if header { format!("{HEADER}\n").into_bytes() } else { Vec::new() };
        file.extend(bytes);
        let _ = read_all(file.as_slice(), &Defaults::default());
    }

    #[test]
    fn any_text_of_csv_is_read_or_refused(text in "[a1,;\t\"\r\n .{}:-]{0,200}", wide in any::<bool>()) {
        let header = if wide { "sku;location;on_hand;changed_at;version" } else { HEADER };
        let _ = read(&format!("{header}\n{text}"));
    }
}
