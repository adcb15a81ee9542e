//! Mutations in bulk: the file that is uploaded, what is refused, what stops in the middle.

use crate::prices::{FIXED, done, list, price, refusals, shop};
use crate::sink::Sink;
use crate::{CLIENT, ask};
use serde_json::{Value, json};
use tidegate_twin::shopify::{BulkFault, Plan, ShopifyTwin};

const UPLOADS: &str = "mutation ($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) { stagedTargets { url parameters { name value } } userErrors { field message } } }";
const RUN: &str = "mutation ($mutation: String!, $path: String!) { bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path) { bulkOperation { id status type } userErrors { code field message } } }";
const LOOK: &str =
    "query ($id: ID!) { bulkOperation(id: $id) { status errorCode objectCount url partialDataUrl } }";

/// A form as a storage takes it: the fields in their order, the file last.
fn form(boundary: &str, fields: &[(String, String)], file: &str) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        form +=
            &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    form +=
        &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"v.jsonl\"\r\n");
    form += &format!("Content-Type: text/jsonl\r\n\r\n{file}\r\n--{boundary}--\r\n");
    form
}

/// The status of the upload, and the path of the file.
async fn upload(twin: &ShopifyTwin, file: &str, spoil: bool) -> (u16, String) {
    let input = json!([{ "resource": "BULK_MUTATION_VARIABLES", "filename": "v.jsonl", "mimeType": "text/jsonl", "httpMethod": "POST" }]);
    let target = done(twin, UPLOADS, json!({ "input": input })).await["stagedTargets"][0].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let parameters = target["parameters"].as_array().unwrap();
    let mut fields: Vec<_> = parameters.iter().map(|one| (text(&one["name"]), text(&one["value"]))).collect();
    let key = fields.iter().find(|(name, _)| name == "key").unwrap().1.clone();
    if spoil {
        fields.retain(|(name, _)| name != "policy");
    }
    let request =
        CLIENT.post(text(&target["url"])).header("content-type", "multipart/form-data; boundary=b7");
    let answer = request.body(form("b7", &fields, file)).send().await.unwrap();
    (answer.status().as_u16(), key)
}

/// So many lines, each of one price in the list.
fn lines(list: &str, count: u32) -> String {
    let line = |number: u32| {
        let variant = format!("gid://shopify/ProductVariant/{}", 44_500_000_000_000_u64 + u64::from(number));
        json!({ "list": list, "add": [price(&variant, "7.25")], "delete": [] }).to_string() + "\n"
    };
    (1..=count).map(line).collect()
}

async fn look(twin: &ShopifyTwin, id: &Value) -> Value {
    ask(twin, LOOK, json!({ "id": id })).await["data"]["bulkOperation"].clone()
}

#[tokio::test]
async fn each_line_is_a_write_and_its_answer_has_the_lines_number() {
    let twin = shop(Plan::Plus).await;
    let (sink, url) = Sink::start().await;
    twin.subscribe("bulk_operations/finish", &url);
    let id = list(&twin, "contract").await;
    let variant = twin_variant(&twin, "GEN-000001").await;
    let file = [
        json!({ "list": id, "add": [price(&variant, "7.25")], "delete": [] }),
        json!({ "list": "gid://shopify/PriceList/9", "add": [], "delete": [] }),
        json!({ "list": id, "add": 7, "delete": [] }),
    ];
    let file: String = file.iter().map(|line| line.to_string() + "\n").collect();
    let (status, path) = upload(&twin, &file, false).await;
    assert_eq!(status, 201);
    let begun = done(&twin, RUN, json!({ "mutation": FIXED, "path": path })).await;
    assert_eq!((&begun["userErrors"], &begun["bulkOperation"]["type"]), (&json!([]), &json!("MUTATION")));
    sink.arrived(1).await;
    let operation = look(&twin, &begun["bulkOperation"]["id"]).await;
    assert_eq!((&operation["status"], &operation["objectCount"]), (&json!("COMPLETED"), &json!("3")));
    let text = reqwest::get(operation["url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = answers.iter().map(|one| one["__lineNumber"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2]);
    let added = &answers[0]["data"]["priceListFixedPricesUpdate"]["pricesAdded"];
    assert_eq!(added[0]["variant"]["sku"], "GEN-000001");
    assert_eq!(refusals(&answers[1]["data"]["priceListFixedPricesUpdate"])[0].0, "PRICE_LIST_NOT_FOUND");
    assert_eq!(answers[2]["errors"][0]["extensions"]["code"], "INVALID_VARIABLE", "{}", answers[2]);
    assert_eq!(twin.price_counts().prices_set, 1);
}

async fn twin_variant(twin: &ShopifyTwin, sku: &str) -> String {
    let query = "query ($q: String!) { productVariants(first: 1, query: $q) { nodes { id } } }";
    let answer = ask(twin, query, json!({ "q": format!("sku:'{sku}'") })).await;
    answer["data"]["productVariants"]["nodes"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_cannot_run_in_bulk_is_refused() {
    let twin = shop(Plan::Plus).await;
    let (status, path) = upload(&twin, "{}\n", true).await;
    assert_eq!(status, 403, "the storage takes only what was signed");
    let refused = done(&twin, RUN, json!({ "mutation": FIXED, "path": path })).await;
    assert_eq!(refusals(&refused), [("NO_SUCH_FILE".to_owned(), "stagedUploadPath".to_owned())]);
    let (_, path) = upload(&twin, "{}\n", false).await;
    for mutation in ["{ shop { id } }", "mutation { nothing }"] {
        let refused = done(&twin, RUN, json!({ "mutation": mutation, "path": path })).await;
        assert_eq!(refusals(&refused)[0].0, "INVALID_MUTATION", "{mutation}");
    }
}

#[tokio::test]
async fn one_that_stops_has_done_what_it_did_and_five_at_most_are_open() {
    let twin = shop(Plan::Plus).await;
    let (sink, url) = Sink::start().await;
    twin.subscribe("bulk_operations/finish", &url);
    let id = list(&twin, "contract").await;
    let file = lines(&id, 20);
    twin.order_bulk_fault(BulkFault::TimeOut { after: 7 });
    let (_, path) = upload(&twin, &file, false).await;
    let begun = done(&twin, RUN, json!({ "mutation": FIXED, "path": path })).await;
    sink.arrived(1).await;
    let operation = look(&twin, &begun["bulkOperation"]["id"]).await;
    assert_eq!((&operation["status"], &operation["errorCode"]), (&json!("FAILED"), &json!("TIMEOUT")));
    assert_eq!(operation["url"], Value::Null);
    let text =
        reqwest::get(operation["partialDataUrl"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count(), 7);
    for _ in 0..5 {
        twin.order_bulk_fault(BulkFault::Hang { after: 0 });
        let (_, path) = upload(&twin, &file, false).await;
        assert_eq!(
            done(&twin, RUN, json!({ "mutation": FIXED, "path": path })).await["userErrors"],
            json!([])
        );
    }
    let (_, path) = upload(&twin, &file, false).await;
    let refused = done(&twin, RUN, json!({ "mutation": FIXED, "path": path })).await;
    assert_eq!(refusals(&refused)[0].0, "OPERATION_IN_PROGRESS");
}
