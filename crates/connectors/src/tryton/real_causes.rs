//! Against the real Tryton: the causes of a refusal, each by Tryton's own answers.

use super::contract::{Tryton, call, reference};
use super::real::{done, refused};
use kernel::fault::Reference;
use serde_json::{Value, json};

/// What is wrong, how an order is spoilt so; kind, value and field that the fault names; what it says of a similar one.
type Cause = (&'static str, fn(&mut Value), &'static str, &'static str, &'static str, Option<&'static str>);

#[tokio::test]
async fn real_tryton_names_what_is_missing() {
    let table: [Cause; 8] = [
        (
            "SKU",
            |b| b["lines"][1]["product"] = reference("product", "NO-SKU"),
            "product",
            "NO-SKU",
            "lines[1].product",
            None,
        ),
        (
            "SKU in another case",
            |b| b["lines"][0]["product"] = reference("product", "sku-0001"),
            "product",
            "sku-0001",
            "lines[0].product",
            Some("\"SKU-0001\", which differs by case"),
        ),
        (
            "SKU with a trailing blank",
            |b| b["lines"][0]["product"] = reference("product", "SKU-0001 "),
            "product",
            "SKU-0001 ",
            "lines[0].product",
            Some("\"SKU-0001\", which differs by a trailing blank"),
        ),
        ("party", |b| b["party"] = reference("party", "CUST-999"), "party", "CUST-999", "party", None),
        (
            "payment term",
            |b| b["payment_term"] = reference("payment_term", "Net 61"),
            "payment_term",
            "Net 61",
            "payment_term",
            None,
        ),
        (
            "tax",
            |b| b["lines"][2]["taxes"][0]["rate"] = json!("0.17"),
            "tax",
            "0.17",
            "lines[2].taxes[0].rate",
            None,
        ),
        ("currency", |b| b["currency"] = json!("CHF"), "currency", "CHF", "currency", None),
        (
            "country",
            |b| {
                b["shipment_address"] = json!({"street": "Meir 1", "city": "Antwerpen", "country_code": "BE"})
            },
            "country",
            "BE",
            "shipment_address.country_code",
            None,
        ),
    ];
    let tryton = Tryton::real();
    let connector = tryton.here();
    for (what, spoil, kind, value, field, similar) in table {
        let mut wanted = tryton.order();
        spoil(&mut wanted.body);
        let (steps, fault) = refused(&*connector, &mut wanted).await;
        let missing = fault.missing.clone().unwrap();
        assert_eq!((missing.kind.as_str(), missing.value.as_str()), (kind, value), "{what}: {fault}");
        assert_eq!((fault.code, fault.field.as_deref()), (format!("missing_{kind}"), Some(field)), "{what}");
        assert!(similar.is_none_or(|similar| fault.message.contains(similar)), "{what}: {}", fault.message);
        assert!(steps.is_empty(), "{what}: {steps:?}");
        assert!(!connector.exists(&call(), &missing).await.unwrap(), "{what}");
    }
}

#[tokio::test]
async fn real_tryton_has_what_it_has() {
    let (tryton, there) = (
        Tryton::real(),
        [
            ("product", "SKU-0001"),
            ("item", "SKU-0020"),
            ("party", "CUST-002"),
            ("payment_term", "Net 30"),
            ("tax", "0.21"),
            ("tax", "VAT 9 %"),
            ("currency", "USD"),
            ("country", "DE"),
            ("warehouse", "WH"),
            ("period", "2026-11-23"),
        ],
    );
    let connector = tryton.here();
    for (kind, value) in there {
        let reference = Reference { kind: kind.to_owned(), value: value.to_owned() };
        assert!(connector.exists(&call(), &reference).await.unwrap(), "{reference}");
    }
    let unknown = Reference { kind: "moon".to_owned(), value: "1".to_owned() };
    assert_eq!(connector.exists(&call(), &unknown).await.unwrap_err().code, "TG-3310");
    connector.health(&call()).await.unwrap();
}

/// A year of its own, so that nobody else's orders lie in the period.
async fn close_a_period(admin: &Tryton) {
    let model = |verb: &str| format!("model.{verb}");
    let search = |model: &'static str, domain: Value, fields: Value| async move {
        let params = vec![domain, json!(0), json!(null), json!([["id", "ASC"]]), fields];
        admin.ask(&format!("model.{model}.search_read"), params).await
    };
    let name = "closed by a test";
    let named = json!([["name", "=", name]]);
    if search("account.period", named.clone(), json!(["name"])).await != json!([]) {
        return;
    }
    let sequences = search("ir.sequence.strict", json!([]), json!(["name", "sequence_type"])).await;
    let by_name = |name: &str| {
        let found =
            sequences.as_array().unwrap().iter().find(|s| s["name"].as_str().unwrap().starts_with(name));
        found.unwrap().clone()
    };
    let moves = json!([{"name": "Moves of a test", "sequence_type": by_name("Moves")["sequence_type"], "company": 1}]);
    let moves = admin.ask(&model("ir.sequence.strict.create"), vec![moves]).await[0].clone();
    let invoices = by_name("Invoices")["id"].clone();
    let kinds = [
        "out_invoice_sequence",
        "in_invoice_sequence",
        "out_credit_note_sequence",
        "in_credit_note_sequence",
    ];
    let mut kinds: Value = kinds
        .into_iter()
        .map(|kind| (kind.to_owned(), invoices.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    kinds["company"] = json!(1);
    let period = json!({"name": name, "type": "standard", "start_date": date("2011-03-01"), "end_date": date("2011-03-31")});
    let year = json!([{
        "name": "2011 of a test", "company": 1, "start_date": date("2011-01-01"), "end_date": date("2011-12-31"),
        "move_sequence": moves, "invoice_sequences": [["create", [kinds]]], "periods": [["create", [period]]],
    }]);
    admin.ask(&model("account.fiscalyear.create"), vec![year]).await;
    let made = search("account.period", named, json!(["name"])).await[0]["id"].clone();
    admin.ask(&model("account.period.close"), vec![json!([made])]).await;
}

#[tokio::test]
async fn real_tryton_has_a_closed_period() {
    let tryton = Tryton::real();
    close_a_period(&tryton.as_admin()).await;
    let connector = tryton.here();
    let mut wanted = tryton.order();
    wanted.body["sale_date"] = json!("2011-03-15");
    let (steps, fault) = refused(&*connector, &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.len()), ("TG-3306", 0), "{fault}");
    let missing = fault.missing.unwrap();
    assert_eq!((missing.kind.as_str(), missing.value.as_str()), ("period", "2011-03-15"));
    assert!(!connector.exists(&call(), &missing).await.unwrap());
    // Tryton itself takes it: who does not mind may say so.
    let accepting = Tryton::real().with("closed_period", json!("accept"));
    let (_, ended) = done(&*accepting.here(), &mut wanted).await;
    assert_eq!(ended.external.state.as_deref(), Some("processing"));
}

fn date(day: &str) -> Value {
    super::wire::date(day.parse().unwrap())
}

#[tokio::test]
async fn real_tryton_wants_a_new_session_when_one_has_ended() {
    let tryton = Tryton::real();
    let ended = super::rpc::Session::of("tidegate:2:0123456789abcdef");
    let connector = super::connect_as(&tryton.settings(tryton.address()), ended).unwrap();
    connector.health(&call()).await.unwrap();
    let (steps, _) = done(&*connector, &mut tryton.order()).await;
    assert_eq!(steps, ["create", "quote", "confirm"]);
}

/// A customer of little credit: who may exceed it is asked, who may not is refused.
#[tokio::test]
async fn real_tryton_wants_a_yes_for_a_credit_limit() {
    let (tryton, admin) = (Tryton::real(), Tryton::real().as_admin());
    let code = tryton.order().object_key.to_string();
    let limit = super::wire::decimal("10".parse().unwrap());
    let address = json!([["create", [{"street_unstructured": "Kade 1", "city": "Rotterdam", "country": 1}]]]);
    let party = json!([{"code": code, "name": "Of little credit", "addresses": address, "credit_limit_amount": limit}]);
    admin.ask("model.party.party.create", vec![party]).await;
    let mut wanted = tryton.order();
    wanted.body["party"] = reference("party", &code);
    let (steps, fault) = refused(&*tryton.here(), &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.last().unwrap().as_str()), ("TG-3301", "confirm"), "{fault}");
    let (steps, fault) = refused(&*admin.here(), &mut wanted).await;
    assert_eq!((fault.code.as_str(), steps.as_slice()), ("TG-3302", &["confirm".to_owned()][..]), "{fault}");
    let yes = admin.with("accept_warnings", json!(true));
    let (steps, ended) = done(&*yes.here(), &mut wanted).await;
    assert_eq!(
        (steps.as_slice(), ended.external.state.as_deref()),
        (&["confirm".to_owned()][..], Some("processing"))
    );
}
