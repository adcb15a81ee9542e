//! Files as they come, and as they should not.

use super::{ROW_BYTES_MAX, csv, ndjson};
use crate::form::PriceForm;
use crate::gather::{Row, RowFault};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// A line for each row: as its list, SKU and price are read, or what is wrong with it.
fn told(rows: impl Iterator<Item = Result<Row<'static>, RowFault>>) -> Vec<String> {
    rows.map(|row| match row {
        Ok(row) => {
            let form = row.price.as_ref().map(PriceForm::from);
            format!("{} {} {}", row.list, row.sku, serde_json::to_string(&form).unwrap())
        }
        Err(fault) => fault.to_string(),
    })
    .collect()
}

fn csv_told(text: &str) -> Vec<String> {
    told(csv(text.as_bytes(), berlin()))
}

#[test]
fn rows_of_one_sku_become_tiers_and_windows_of_one_price() {
    let text = "\u{feff}list,sku,min,price,unit,valid_from,valid_until\r\n\
        acme,PUMP-1,,4.750,,,\r\n\
        \r\n\
        acme,PUMP-2,10,3.90,,,\r\n\
        acme, pump-2 ,1,4,,,\r\n\
        acme,PUMP-2,1,40,CS,2026-12-01,2026-12-31\r\n\
        \"a,b\",\"X \"\"1\"\"\n2\",1,0,,,";
    assert_eq!(
        csv_told(text),
        [
            r#"acme PUMP-1 "4.75""#,
            r#"acme PUMP-2 [{"tiers":[["1","4"],["10","3.9"]]},{"valid_from":"2026-11-30T23:00:00Z","valid_until":"2026-12-31T23:00:00Z","unit":"CS","tiers":[["1","40"]]}]"#,
            "a,b X \"1\"\n2 \"0\"",
        ]
    );
    assert_eq!(csv_told("price;sku;list\n-;X;a\n5;Y;a\n"), ["a X null", "a Y \"5\""]);
    assert_eq!(csv_told("list\tsku\tprice\na\tX\t1e3"), ["a X \"1000\""]);
    assert_eq!(csv_told(""), [""; 0]);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_field() {
    let head = "list,sku,min,price,unit,valid_from,valid_until\n";
    let rows = [
        (
            "a,X,1,\"4,75\",,,",
            "line 2: price: '4,75' is no number: digits, with a point before the decimals, such as 1234.50",
        ),
        (
            "a,X,1,,,,",
            "line 2: price: '' is no number: digits, with a point before the decimals, such as 1234.50",
        ),
        ("a,X,1,-4,,,", "line 2: price: -4 is negative: a price is not"),
        (
            "a,X,1,0.0000001,,,",
            "line 2: price: 0.0000001 is no price: at most 6 decimals and 12 digits before the point",
        ),
        (
            "a,X,0,4,,,",
            "line 2: SKU X of list a: 0 is no minimum quantity: more than 0, at most 1000000000, at most 6 decimals",
        ),
        ("a,,1,4,,,", "line 2: 'list' or 'sku' is empty"),
        ("a,X,1,4", "line 2: the row has 4 fields and the first row names 7"),
        ("a,X,1,4,,2026-12-31,2026-12-01", "line 2: valid_from, valid_until: it would end before it begins"),
        (
            "a,X,1,4,,,\na,X,1,3,,,",
            "line 2: SKU X of list a: the tier from 1 comes after the tier from 1: write them in rising order, each once",
        ),
        (
            "a,X,1,4,,,\na,X,10,5,,,",
            "line 2: SKU X of list a: from 10 on a unit would cost 5, more than the 4 of a smaller quantity",
        ),
        ("a,\"X,1,4,,,", "line 2: a quote is opened and never closed"),
        ("a,\"X\"Y,1,4,,,", "line 2: behind a closing quote there is neither a separator nor the end"),
    ];
    for (row, expected) in rows {
        assert_eq!(csv_told(&format!("{head}{row}\n"))[0], expected, "{row}");
    }
    assert_eq!(
        csv_told("list,sku,amount\na,X,1"),
        ["line 1: the column 'amount' is none of list, sku, price, min, unit, valid_from, valid_until"]
    );
    assert_eq!(csv_told("list,sku\na,X"), ["line 1: the first row names no column 'price'"]);
    assert_eq!(
        csv_told("list,sku,price\na,X,1\na,X,-\nb,Y,2"),
        ["line 3: SKU X is gone ('-') and has a price: one of the two", "a X \"1\"", "b Y \"2\""]
    );
}

#[test]
fn a_file_that_is_all_of_one_sku_is_refused_at_the_row_that_is_one_too_many() {
    let tiers: String = (1..=102).map(|at| format!("a,X,{at},4,,,\n")).collect();
    let windows: String = (1..=102).map(|at| format!("a,X,1,4,,{0}-01-01,{0}-06-30\n", 2000 + at)).collect();
    for (rows, what) in [(tiers, "tiers"), (windows, "validities")] {
        let told = csv_told(&format!("list,sku,min,price,unit,valid_from,valid_until\n{rows}"));
        let expected = [102, 103].map(|line| format!("line {line}: SKU X of list a: more than 100 {what}"));
        assert_eq!(told[..2], expected);
    }
}

#[test]
fn a_row_that_is_too_long_is_passed_over_and_the_lines_stay_right() {
    let long = "x".repeat(ROW_BYTES_MAX + 5);
    let text = format!("list,sku,price\n{long}\na,X,oops\na,Y,1\n{long}");
    let told = csv_told(&text);
    assert_eq!(told[0], "line 2: the row has more than 65536 bytes");
    assert!(told[1].starts_with("line 3: price: 'oops'"), "{}", told[1]);
    assert_eq!(told[2], "line 5: the row has more than 65536 bytes");
    assert_eq!(told[3], "a Y \"1\"");
}

#[test]
fn objects_a_line_are_read_with_every_digit() {
    let text = r#"{"list":"a","sku":"X","price":"4.75"}
{"list":"a","sku":"X\u00e9","price":999999999999.999999}

{"list":"a","sku":"Y","price":null}
{"list":"a","sku":"Z","price":[{"valid_from":"2026-12-01","tiers":[[1,"5"],["10",4.5]]}]}
{"list":"a","sku":"Z"}
{"list":"a","sku":"Z","price":true}
{"list":"a","sku":"Z","price":"4,75"}
{"list":"a","sku":"Z","price":"1","tier":1}
[1]"#;
    let rows = told(ndjson(text.as_bytes(), berlin()));
    assert_eq!(
        rows[..4],
        [
            r#"a X "4.75""#,
            r#"a Xé "999999999999.999999""#,
            "a Y null",
            r#"a Z [{"valid_from":"2026-11-30T23:00:00Z","tiers":[["1","5"],["10","4.5"]]}]"#,
        ]
    );
    assert_eq!(rows[4], "line 6: it is no price as JSON: missing field `price`, at character 22");
    assert_eq!(rows[5], "line 7: SKU Z of list a: an amount is a text or a number");
    assert!(rows[6].starts_with("line 8: SKU Z of list a: '4,75' is no number"));
    assert!(rows[7].starts_with("line 9: it is no price as JSON: unknown field `tier`"));
    assert!(rows[8].starts_with("line 10: it is no price as JSON"), "{}", rows[8]);
    for text in [r#"{"list":"a"#, "{\"list\":\"a\n", "{\"list\":\"a\r\n"] {
        let cut = told(ndjson(text.as_bytes(), berlin()));
        assert_eq!(cut, ["line 1: it is no price as JSON: EOF while parsing a string, at character 10"]);
    }
    let not_text = told(ndjson(&b"\xff\n{\"list\":\"a\",\"sku\":\"X\",\"price\":1}"[..], berlin()));
    assert_eq!(not_text, ["line 1: the row is not UTF-8: write the file in it", r#"a X "1""#]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
        let mut file = if head { b"list,sku,price\n".to_vec() } else { Vec::new() };
        file.extend(&bytes);
        prop_assert!(csv(&file[..], TimeZone::UTC).count() <= file.len() + 1);
        prop_assert!(ndjson(&file[..], TimeZone::UTC).count() <= file.len() + 1);
    }
}
