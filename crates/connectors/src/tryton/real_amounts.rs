//! Against the real Tryton: amounts to the cent, and what becomes of a difference.

use super::contract::{Tryton, line};
use super::real::{done, refused};
use connector::port::Wanted;
use kernel::flow::Difference;
use serde_json::{Value, json};

async fn stored(tryton: &Tryton, id: &str) -> [String; 3] {
    let fields = json!(["untaxed_amount", "tax_amount", "total_amount"]);
    let sale = tryton.ask("model.sale.sale.read", vec![json!([id.parse::<i64>().unwrap()]), fields]).await[0]
        .clone();
    ["untaxed_amount", "tax_amount", "total_amount"]
        .map(|field| sale[field]["decimal"].as_str().unwrap().to_owned())
}

fn of(tryton: &Tryton, lines: &[Value], totals: [&str; 3]) -> Wanted {
    let mut wanted = tryton.order();
    wanted.body["lines"] = json!(lines);
    wanted.body["totals"] = json!({"net": totals[0], "tax": totals[1], "gross": totals[2]});
    wanted
}

/// 7,000 pieces that cost 10,499.99 after a discount over the order: no unit price of four decimals gives that.
fn many_pieces(tryton: &Tryton) -> Wanted {
    let lines = [
        line("SKU-0001", "7000", "1.5000", "10499.99", &[("0.21", "2205.00")]),
        line("SKU-0005", "0.35", "17.5000", "6.12", &[("0.09", "0.55")]),
    ];
    of(tryton, &lines, ["10506.11", "2205.55", "12711.66"])
}

#[tokio::test]
async fn real_tryton_difference_is_a_ticket() {
    let tryton = Tryton::real();
    let mut wanted = many_pieces(&tryton);
    let (steps, fault) = refused(&*tryton.here(), &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.as_slice()), ("TG-3204", &["create".to_owned()][..]), "{fault}");
    assert!(fault.message.contains("net 10506.11 in the shop, 10506.12 in Tryton"), "{fault}");
}

#[tokio::test]
async fn real_tryton_difference_is_accepted_up_to_an_amount() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = many_pieces(&tryton);
    wanted.difference = Difference::Accept("0.01".parse().unwrap());
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(steps, ["create", "quote", "confirm"]);
    assert!(ended.note.unwrap().contains("in Tryton"));
    let mut more = many_pieces(&tryton);
    more.body["totals"]["gross"] = json!("12711.60");
    more.difference = Difference::Accept("0.01".parse().unwrap());
    assert_eq!(refused(&*connector, &mut more).await.1.code, "TG-3204");
}

#[tokio::test]
async fn real_tryton_difference_is_adjusted_by_lines_of_its_own() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let mut wanted = many_pieces(&tryton);
    wanted.difference = Difference::AdjustLine;
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(steps[..2], ["create", "adjust_net"]);
    assert_eq!(steps[steps.len() - 2..], ["quote", "confirm"]);
    let [_, _, gross] = stored(&tryton, &ended.external.id).await;
    assert_eq!(gross, "12711.66");
    // The adjusting lines are known again: nothing is written, and a newer content takes them away.
    let (steps, _) = done(&*connector, &mut wanted).await;
    assert!(steps.is_empty(), "{steps:?}");
}

/// What is not rounding is never hidden by a line.
#[tokio::test]
async fn real_tryton_difference_that_is_no_rounding_is_a_ticket() {
    let tryton = Tryton::real();
    let mut wanted = many_pieces(&tryton);
    wanted.difference = Difference::AdjustLine;
    wanted.body["lines"][0]["taxes"] = json!([]);
    let (_, fault) = refused(&*tryton.here(), &mut wanted).await;
    assert_eq!(fault.code, "TG-3204", "{fault}");
}

/// Prices with tax in them, as the mapping makes them: net and tax of each line add up to what was charged.
#[tokio::test]
async fn real_tryton_takes_prices_that_held_their_tax() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    // 3 × 9.99 and 1 × 5.45 with 21 % and 9 % in them.
    let lines = [
        line("SKU-0001", "3", "8.2567", "24.77", &[("0.21", "5.20")]),
        line("SKU-0002", "1", "5.0000", "5.00", &[("0.09", "0.45")]),
    ];
    let mut wanted = of(&tryton, &lines, ["29.77", "5.65", "35.42"]);
    wanted.difference = Difference::AdjustLine;
    let (_, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(stored(&tryton, &ended.external.id).await, ["29.77", "5.65", "35.42"]);
}

#[tokio::test]
async fn real_tryton_takes_300_lines() {
    let tryton = Tryton::real();
    let connector = tryton.here();
    let lines: Vec<Value> = (0..300)
        .map(|number| {
            line(&format!("SKU-{:04}", number % 4 + 1), "7000", "0.1000", "700.00", &[("0.21", "147.00")])
        })
        .collect();
    let mut wanted = of(&tryton, &lines, ["210000.00", "44100.00", "254100.00"]);
    // Its confirmation takes Tryton seconds, and is not what this is about.
    wanted.stage = connector::port::Stage::Present;
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(steps, ["create", "quote"]);
    assert_eq!(stored(&tryton, &ended.external.id).await, ["210000.00", "44100.00", "254100.00"]);
}

/// Lines that have no product: a custom line, a tip, and one that the connection gives a product to.
#[tokio::test]
async fn real_tryton_takes_lines_without_a_product() {
    let tryton = Tryton::real().with("line_products", json!({"fee": "SHIPPING"}));
    let connector = tryton.here();
    let mut fee = line("", "1", "2.0000", "2.00", &[]);
    fee["kind"] = json!("fee");
    let mut tip = line("", "1", "3.0000", "3.00", &[]);
    tip["kind"] = json!("tip");
    let mut wanted = of(
        &tryton,
        &[line("SKU-0003", "1", "10.0000", "10.00", &[("0.21", "2.10")]), tip, fee],
        ["15.00", "2.10", "17.10"],
    );
    let (steps, ended) = done(&*connector, &mut wanted).await;
    assert_eq!(steps, ["create", "quote", "confirm"]);
    assert_eq!(stored(&tryton, &ended.external.id).await, ["15.00", "2.10", "17.10"]);
}
