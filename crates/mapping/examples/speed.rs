//! How long one run of the worked mappings takes for an order of 20 lines: prints nanoseconds for each run, the median
//! of several rounds, and what of it is the digest. It asserts nothing. Run it with `--release`.

use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tidegate_mapping::{Context, Mapping, Schema};

const RUNS: u32 = 2_000;
const ROUNDS: usize = 9;
const LINES: usize = 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let order = order();
    println!("an order of {LINES} lines, {} bytes of canonical JSON", order.to_string().len());
    for (file, target) in
        [("orders_to_http_erp.toml", "http_erp.sale/1"), ("orders_to_tryton.toml", "tryton.sale/1")]
    {
        let source = Schema::new("order/1", &read(&root.join("docs/schema/order.schema.json"))?)?;
        let path = format!("crates/mapping/schemas/{}.schema.json", target.trim_end_matches("/1"));
        let target = Schema::new(target, &read(&root.join(path))?)?;
        let text = std::fs::read_to_string(root.join("mappings").join(file))?;
        let mapping = Mapping::load(file, &text, &source, &target).map_err(|errors| format!("{errors:?}"))?;
        let context = Context::new("2026-11-24T08:00:00Z".parse()?, TimeZone::UTC, "acme-order-5678");
        let body = mapping.run(&order, &context)?.body;
        let nanos = median(|| {
            // The body is made and thrown away, as a delivery would.
            let _ = mapping.run(&order, &context);
        });
        println!("{file:<28} {nanos:>8} ns/run   {} bytes of body", body.to_string().len());
    }
    Ok(())
}

fn read(path: &Path) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

#[expect(clippy::disallowed_methods, reason = "a measurement of real time is what this program is for")]
fn median(mut run: impl FnMut()) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..RUNS {
                run();
            }
            start.elapsed().as_nanos() / u128::from(RUNS)
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn order() -> Value {
    let bag = |amount: &str| json!({"shop": {"amount": amount, "currency": "EUR"}, "presentment": {"amount": amount, "currency": "EUR"}});
    let amounts =
        json!({"gross": bag("51.00"), "discount": bag("1.00"), "total": bag("50.00"), "tax": bag("9.50")});
    let lines: Vec<Value> = (0..LINES)
        .map(|number| {
            json!({"line_id": format!("{number}"), "sku": format!("SKU-{number:04}"), "title": "Deep groove bearing 6204",
                "variant_title": null, "gift_card": false, "unit_price": bag("4.25"),
                "quantity": {"original": {"amount": "12", "unit": "C62"}, "current": {"amount": "12", "unit": "C62"}},
                "discounts": [{"discount": 0, "amount": bag("1.00")}], "duties": [], "attributes": [],
                "taxes": [{"title": "VAT", "rate": "0.19", "amount": bag("9.50"), "channel_liable": false}],
                "original": amounts, "current": amounts})
        })
        .collect();
    let address = json!({"name": "Ada Lindqvist", "company": "Northwind Tools GmbH", "address1": "Kaistrasse 4",
        "zip": "20457", "city": "Hamburg", "country": "Germany", "country_code": "DE"});
    let totals = json!({"subtotal": bag("1000.00"), "discount": bag("20.00"), "shipping": bag("9.50"), "duties": bag("0.00"),
        "fees": bag("0.00"), "tips": bag("0.00"), "tax": bag("191.81"), "total": bag("1201.31")});
    json!({"order_id": "5678", "gid": "gid://shopify/Order/5678", "name": "#1001", "created_at": "2026-11-24T08:00:00Z",
        "updated_at": "2026-11-24T08:00:00Z", "test": false, "currency": "EUR", "presentment_currency": "EUR",
        "taxes_included": false, "duties_included": false, "tax_exempt": false, "po_number": "4711",
        "source": {"channel": "web"}, "company": {"company_id": "1", "company_location_id": "76500000001"},
        "payment_terms": {"name": "Net 30", "kind": "net", "due_in_days": 30, "schedules": []},
        "billing_address": address, "shipping_address": address, "lines": lines, "taxes": [], "discounts": [],
        "shipping_lines": [{"shipping_line_id": "1", "title": "Parcel", "price": bag("9.50"), "total": bag("9.50"),
            "tax": bag("1.81"), "discounts": [], "removed": false,
            "taxes": [{"title": "VAT", "rate": "0.19", "amount": bag("1.81"), "channel_liable": false}]}],
        "totals": {"original": totals, "current": totals, "tips_in_lines": false}})
}
