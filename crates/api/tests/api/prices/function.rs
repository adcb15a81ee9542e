//! What a Shopify Function is given of a location's prices, and that it says in the checkout what the door says.

use super::{ACME, BOLT, Counter};
use http::StatusCode;
use serde_json::{Value, json};
use tidegate_api::prices::Carry;

fn carry(location: &str, skus: Option<&[&str]>) -> Carry {
    let skus = skus.map(|skus| skus.iter().map(ToString::to_string).collect());
    Carry { company_location: location.to_owned(), skus, zone: Some("Europe/Berlin".to_owned()) }
}

#[tokio::test]
async fn the_function_says_in_the_checkout_what_the_door_says() {
    let counter = Counter::new();
    for location in [ACME, BOLT] {
        let carriage = counter.prices.function(carry(location, None)).await.unwrap();
        assert_eq!(carriage.metafield.owner_id, location);
        assert!(
            carriage.left_out.is_empty() && !carriage.left_out_more && carriage.bytes <= carriage.bytes_max
        );
        let asked: Vec<(&str, u32)> =
            vec![("PUMP", 1), ("pump", 12), ("CFG-1", 3), ("SECRET-PART", 1), ("NONE", 1)];
        let cart: Vec<Value> =
            asked.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
        let body = json!({"company_location": location, "currency": "EUR", "lines": cart});
        let told = counter.resolve(&body.to_string()).await.json();
        let lines = asked.iter().enumerate().map(|(at, (sku, quantity))| {
            let cost = json!({"amountPerQuantity": {"amount": "9999.0", "currencyCode": "EUR"}});
            let merchandise = json!({"__typename": "ProductVariant", "sku": sku});
            json!({"id": at.to_string(), "quantity": quantity, "cost": cost, "merchandise": merchandise})
        });
        let value: Value = serde_json::from_str(&carriage.metafield.value).unwrap();
        let company = json!({"location": {"metafield": {"jsonValue": value}}});
        let input = json!({
            "shop": {"localTime": {"date": "2027-01-15"}},
            "cart": {"buyerIdentity": {"purchasingCompany": company}, "lines": lines.collect::<Vec<_>>()},
        });
        let answer = function::cart_transform::run(&input.to_string()).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let number = |value: &Value| value.as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap();
        let mut priced = 0;
        for (at, line) in told["lines"].as_array().unwrap().iter().enumerate() {
            let update = answer["operations"].as_array().unwrap().iter().map(|one| &one["lineUpdate"]);
            let update = update.into_iter().find(|one| one["cartLineId"] == at.to_string().as_str());
            if line["status"] == "priced" {
                let each = &update.unwrap()["price"]["adjustment"]["fixedPricePerUnit"]["amount"];
                assert_eq!(number(each), number(&line["unit_price"]), "{location} {line}");
                priced += 1;
            } else {
                assert!(update.is_none(), "{location} {line}");
            }
        }
        assert_eq!(priced, if location == ACME { 3 } else { 4 });
    }
}

#[tokio::test]
async fn a_buyer_is_given_nothing_of_anothers_and_what_does_not_fit_is_said() {
    let counter = Counter::new();
    let acme = counter.prices.function(carry(ACME, None)).await.unwrap().metafield.value;
    assert!(!acme.contains("BOLT") && !acme.contains("SECRET-PART") && acme.contains("OF-ACME"), "{acme}");
    let named = counter.prices.function(carry(ACME, Some(&["cfg-1", "CFG-1", "SECRET-PART"]))).await.unwrap();
    assert_eq!((named.skus, named.without_price), (1, vec!["SECRET-PART".to_owned()]));
    let mut many = String::from("list,sku,price,min\n");
    for number in 0..500 {
        many.push_str(&format!(
            "LIST,LONG-SKU-{number:06},{number}.5,1\nLIST,LONG-SKU-{number:06},{number}.25,10\n"
        ));
    }
    counter.bring(Box::leak(many.into_boxed_str()), crate::world::at("2026-11-26T12:00:01Z"));
    let full = counter.prices.function(carry(ACME, None)).await.unwrap();
    assert!(full.bytes <= full.bytes_max && full.bytes > full.bytes_max - 100, "{}", full.bytes);
    assert!(full.skus > 100 && full.left_out.len() == 100 && full.left_out_more, "{}", full.skus);
    let unknown =
        counter.prices.function(carry("gid://shopify/CompanyLocation/404", None)).await.unwrap_err();
    assert_eq!((unknown.status, unknown.code), (StatusCode::UNPROCESSABLE_ENTITY, "TG-7205"));
    let zone = Carry { zone: Some("Berlin".to_owned()), ..carry(ACME, None) };
    assert_eq!(counter.prices.function(zone).await.unwrap_err().code, "TG-7204");
}
