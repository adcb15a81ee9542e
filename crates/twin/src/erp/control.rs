//! `/twin/…`: what a judge asks and what turns the knobs. It needs no token and meets no fault.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::answer::{Answer, AnswerBody};
use super::call::read_query;
use super::content::json as read_json;
use super::refusal::{Code, Refusal};
use super::twin::Desk;

const BODY_BYTES_MAX: usize = 1 << 20;
const SALES_A_PAGE: usize = 500;

pub(super) async fn serve(desk: &Arc<Desk>, request: Request<Incoming>) -> Response<AnswerBody> {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let answered = match (head.method.as_str(), head.uri.path()) {
        ("GET", "/twin/ledger") => Ok(json!(desk.office.ledger())),
        ("GET", "/twin/ledger/sales") => sales(desk, query),
        ("GET", "/twin/knobs") => Ok(json!(*desk.office.knobs())),
        ("POST", "/twin/knobs") => turn(desk, body).await,
        ("POST", "/twin/misprice") => misprice(desk, body).await,
        (method, path) => Err(Refusal::new(Code::NotFound, format!("{method} {path} is not offered"))),
    };
    match answered {
        Ok(value) => Answer::json(200, &value),
        Err(refusal) => Answer::refusal(&refusal),
    }
    .whole()
}

/// `{"sales": […], "next_after": 500}`; ask again with `?after=500` until it is null.
fn sales(desk: &Desk, query: &str) -> Result<Value, Refusal> {
    let [after] = read_query(query, ["after"])?;
    let after = after.map_or(Ok(0), |after| after.parse());
    let after =
        after.map_err(|_| Refusal::of_field(Code::BadRequest, "after", "is to be the id of a sale"))?;
    let mut sales = desk.office.sales(after, SALES_A_PAGE + 1);
    let more = sales.len() > SALES_A_PAGE;
    sales.truncate(SALES_A_PAGE);
    let next_after = sales.last().filter(|_| more).map(|sale| sale.id);
    Ok(json!({ "sales": sales, "next_after": next_after }))
}

/// `{"reference", "by"}`: somebody puts another price on the first line of that sale.
async fn misprice(desk: &Desk, body: Incoming) -> Result<Value, Refusal> {
    let asked = read_json(&whole(body).await?)?;
    let by = asked["by"].as_str().and_then(|text| text.parse().ok());
    let (Some(reference), Some(by)) = (asked["reference"].as_str(), by) else {
        return Err(Refusal::new(Code::BadRequest, "a reference is expected, and by how much as a text"));
    };
    if !desk.office.misprice(reference, by) {
        return Err(Refusal::new(Code::NotFound, format!("there is no sale under {reference}")));
    }
    Ok(json!({}))
}

/// Some knobs as a JSON object; answers with all of them.
async fn turn(desk: &Arc<Desk>, body: Incoming) -> Result<Value, Refusal> {
    let some = read_json(&whole(body).await?)?;
    let knobs = desk.office.knobs().turned(&some);
    let knobs =
        knobs.map_err(|error| Refusal::new(Code::BadRequest, format!("no such knob or value: {error}")))?;
    desk.set_knobs(knobs);
    Ok(json!(*desk.office.knobs()))
}

async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    Ok(body.map_err(|_| Refusal::new(Code::TooLarge, "this does not need that much"))?.to_bytes())
}
