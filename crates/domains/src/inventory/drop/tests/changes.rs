//! Files of changes: what is understood as one, what names each line, and what is refused with its place.

use super::*;
use crate::inventory::change::{self, By};

const HEADER: &str = "sku,location,change,id,changed_at";

fn takes(takes: Takes) -> Defaults {
    Defaults { takes, ..Defaults::default() }
}

fn read(text: &str) -> Vec<Told> {
    let read = read_all(text.as_bytes(), &takes(Takes::Changes));
    read.unwrap_or_else(|refused| panic!("{refused}\n{text}"))
}

fn change(told: &Told) -> &Change {
    match &told.says {
        Says::Change(change) => change,
        Says::Level(stock) => panic!("{stock:?}"),
    }
}

fn by(on_hand: &str, reserved: &str) -> By {
    let read = |text: &str| text.parse::<Decimal>().unwrap();
    By { on_hand: read(on_hand), reserved: read(reserved), counted: Decimal::ZERO }
}

#[test]
fn a_change_is_read_in_every_form() {
    for text in [
        format!("sku,location,change,reserved_change,id,changed_at\nA,W,-1.5,2,M1,{AT}\nB,W,3,,M1,{AT}\n"),
        format!(
            "\u{FEFF}\"Artikelnummer\";\"Lagerort\";\"Bewegung\";reserved_change;Belegnummer;\"Geändert am\"\r\nA;W;-1,5;2;M1;{AT}\r\nB;W;3;;M1;{AT}\r\n"
        ),
        format!(
            "sku\tlocation\tquantity\tchange_reserved\tid\tchanged_at\nA\tW\t-1.5\t2\tM1\t{AT}\nB\tW\t3\t\tM1\t{AT}\n"
        ),
        format!(
            "{{\"id\":\"M1\",\"sku\":\"A\",\"location\":\"W\",\"change\":{{\"on_hand\":\"-1.5\",\"reserved\":2}},\"changed_at\":\"{AT}\"}}\n\
             {{\"id\":\"M1\",\"data\":{{\"sku\":\"B\",\"location\":\"W\",\"change\":{{\"on_hand\":3}},\"changed_at\":\"{AT}\"}}}}\n"
        ),
    ] {
        let told = read(&text);
        let rows: Vec<_> = told.iter().map(|told| (change(told).sku.as_str(), change(told).by)).collect();
        assert_eq!(rows, [("A", by("-1.5", "2")), ("B", by("3", "0"))], "{text}");
        assert!(told.iter().all(|told| told.id.as_deref() == Some("M1")), "{text}");
        // It is what its source would have pushed.
        for told in &told {
            assert_eq!(change::read(&change_payload(change(told))).as_ref(), Ok(change(told)));
        }
        assert_eq!(check(text.as_bytes(), &takes(Takes::Both)).unwrap().holds, Holds::Changes);
    }
}

#[test]
fn a_folder_of_both_knows_a_file_by_what_it_names() {
    let holds = |text: &str| check(text.as_bytes(), &takes(Takes::Both)).map(|counted| counted.holds);
    let row = format!("A,W,1,{AT}\n");
    assert_eq!(holds(&format!("sku,location,on_hand,changed_at\n{row}")), Ok(Holds::Levels));
    assert_eq!(holds(&format!("sku,location,delta,changed_at\n{row}")), Ok(Holds::Changes));
    let told = |text: &str| holds(text).unwrap_err().to_string();
    for (header, column, says) in [
        ("sku,location,quantity,changed_at", 14, "name it on_hand or change"),
        ("sku,location,changed_at", 1, "name one on_hand in a file of levels"),
        ("sku,location,change,on_hand,changed_at", 21, "name it on_hand_change"),
        ("sku,location,change,reserved,changed_at", 21, "name it reserved_change"),
    ] {
        let said = told(&format!("{header}\n{row}"));
        assert!(
            said.contains(&format!("line 1, column {column}")) && said.contains(says),
            "{header}: {said}"
        );
    }
    let level = format!("{{\"sku\":\"A\",\"location\":\"W\",\"on_hand\":1,\"changed_at\":\"{AT}\"}}\n");
    let change = format!(
        "{{\"sku\":\"A\",\"location\":\"W\",\"change\":{{\"on_hand\":1}},\"changed_at\":\"{AT}\"}}\n"
    );
    assert_eq!((holds(&level), holds(&change)), (Ok(Holds::Levels), Ok(Holds::Changes)));
    assert!(told(&format!("{level}{change}")).contains("line 2, column 1: this is a change"));
    assert!(told(&format!("{change}{level}")).contains("line 2, column 1: this is a level"));
}

#[test]
fn each_mistake_in_a_file_of_changes_is_told_with_its_place() {
    let csv = |rows: &str| format!("{HEADER}\n{rows}");
    for (text, line, column, field, says) in [
        (csv(&format!("A,W,+3,M1,{AT}\n")), 2, 5, "change.on_hand", "write digits"),
        (csv(&format!("A,W,,M1,{AT}\n")), 2, 5, "change", "by how much"),
        (csv(&format!("A,,-3,M1,{AT}\n")), 2, 3, "location", "missing"),
        (csv("A,W,-3,M1,gestern\n"), 2, 11, "changed_at", "an instant with its zone"),
        (csv(&format!("A,W,1e3,M1,{AT}\n")), 2, 5, "change.on_hand", "write digits"),
        (csv(&format!("A,W,-3,\"M\n1\",{AT}\n")), 2, 8, "id", "no id"),
        (csv(&format!("\"A,W,-3,M1,{AT}\n")), 2, 1, "", "not closed"),
        (
            format!("sku;location;change;changed_at\nA;W;-1.234;{AT}\n"),
            2,
            5,
            "change.on_hand",
            "write -1234 or -1,234",
        ),
        (format!("changed_at,sku,location,change\n{AT},A,W,-12"), 2, 26, "change.on_hand", "may be cut off"),
        (format!("sku,location,change,unit,changed_at\nA,W,-1,case,{AT}\n"), 2, 8, "unit", "leave it out"),
        ("sku,location,on_hand,changed_at\n".to_owned(), 1, 1, "", "this is a file of levels"),
        ("sku,location,changed_at\n".to_owned(), 1, 1, "change.on_hand", "name one change or"),
        (
            format!(
                "{{\"sku\":\"A\",\"location\":\"Ä\",\"change\":{{\"on_hand\":-1.5}},\"changed_at\":\"{AT}\"}}\n"
            ),
            1,
            37,
            "change.on_hand",
            "is a float",
        ),
        (
            format!(
                "{{\"id\":7,\"sku\":\"A\",\"location\":\"W\",\"change\":{{\"on_hand\":1}},\"changed_at\":\"{AT}\"}}\n"
            ),
            1,
            2,
            "id",
            "write a text",
        ),
    ] {
        let refused = read_all(text.as_bytes(), &takes(Takes::Changes)).expect_err(&text);
        let fault = &refused.faults[0];
        let place = (fault.line, fault.column, fault.field.as_deref().unwrap_or_default());
        assert_eq!(place, (line, column, field), "{text}\n{refused}");
        assert!(refused.to_string().contains(says), "{text}\n{refused}");
    }
}

#[test]
fn what_names_a_change_stands_once_and_in_each_line_or_in_none() {
    let check = |rows: &str| {
        check(format!("sku,location,change,id,version,changed_at\n{rows}").as_bytes(), &takes(Takes::Changes))
    };
    let refused = |rows: &str| {
        let refused = check(rows).expect_err(rows);
        (refused.faults[0].line, refused.faults[0].field.clone().unwrap_or_default())
    };
    // One document moves several pairs, and one pair by several documents.
    let counted = check(&format!("A,W,-1,M1,,{AT}\nB,W,-1,M1,,{AT}\nA,W,-1,M2,,{AT}\n")).unwrap();
    assert_eq!((counted.told, counted.with_id, counted.is_nameless()), (3, 3, false));
    assert_eq!(refused(&format!("A,W,-1,M1,,{AT}\n A ,W,-1,M1 ,,{AT}\n")), (3, "id".to_owned()));
    assert_eq!(refused(&format!("A,W,-1,M1,7,{AT}\nA,W,-1,M2,7,{AT}\n")), (3, "version".to_owned()));
    assert_eq!(refused(&format!("A,W,-1,M1,7,{AT}\nA,W,-1,M1,8,{AT}\n")), (3, "id".to_owned()));
    assert_eq!(refused(&format!("A,W,-1,,7,{AT}\nA,W,-1,,,{AT}\n")), (3, "version".to_owned()));
    assert_eq!(refused(&format!("A,W,-1,,,{AT}\nA,W,-1,M1,,{AT}\n")), (2, "id".to_owned()));
    // Where nothing names it, each line is one, also where two say the same.
    let counted = check(&format!("A,W,-1,,,{AT}\nA,W,-1,,,{AT}\n")).unwrap();
    assert_eq!((counted.told, counted.is_nameless()), (2, true));
    // A number names it as well.
    assert!(check(&format!("A,W,-1,M1,7,{AT}\nA,W,-1,,8,{AT}\n")).is_ok());
}

proptest! {
    #[test]
    fn any_text_of_changes_is_read_or_refused(text in "[a1,;\t\"\r\n .{}:-]{0,200}", form in 0usize..3) {
        let header = ["sku;location;change;changed_at;version", HEADER, "{\"sku\":\"A\",\"change\":"][form];
        let _ = read_all(format!("{header}\n{text}").as_bytes(), &takes(Takes::Both));
    }

    /// A file of changes that is cut off anywhere is refused, or has lost whole rows: never a number or an id in part.
    #[test]
    fn a_cut_never_makes_another_change(cut in 0usize..220, order in 0usize..5) {
        let mut names = ["sku", "location", "change", "id", "changed_at"];
        names.rotate_left(order);
        let mut text = format!("{}\n", names.join(","));
        for n in 0..3 {
            let mut row = [format!("SKU-{n}00"), "WH-10".to_owned(), "-1200".to_owned(), format!("M-{n}77"), AT.to_owned()];
            row.rotate_left(order);
            text.push_str(&format!("{}\n", row.join(",")));
        }
        let whole = read(&text);
        text.truncate(cut);
        if let Ok(told) = read_all(text.as_bytes(), &takes(Takes::Changes)) {
            prop_assert!(whole.starts_with(&told), "{}", text);
        }
    }
}
