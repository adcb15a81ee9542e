//! Staged uploads: where a client puts the file that a bulk mutation reads its variables from, and the place itself. Signed
//! by parameters that have to come back, at most 100 MB (shopify.dev changelog: "Faster bulk operations").

use super::answer::{Answer, Arguments, Record, Refusal, Request, Resolved};
use super::mutation::payload;
use super::shop::Shop;
use super::spool::{Spool, Spooled};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const FILE_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// Of the fields that come before the file.
const FIELDS_BYTES_MAX: usize = 64 * 1024;

/// By key: what may be uploaded, and what was.
#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<String, Option<Arc<Spooled>>>);

impl Uploads {
    pub(super) fn get(&self, key: &str) -> Option<Arc<Spooled>> {
        self.0.get(key).cloned().flatten()
    }
}

pub(super) fn create_uploads(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let wanted = args.get("input").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut targets = Vec::new();
    for one in &wanted {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("resource") != "BULK_MUTATION_VARIABLES" {
            return Err(Refusal::not_modelled(format_args!("staged uploads of {}", text("resource"))));
        }
        if text("httpMethod") != "POST" || text("mimeType") != "text/jsonl" {
            return Err(Refusal::not_modelled("staged uploads but by POST, of text/jsonl"));
        }
        targets.push(target(&request.shop, text("filename")));
    }
    payload("StagedUploadsCreatePayload", "stagedTargets", Some(Answer::List(targets)), Vec::new())
}

fn target(shop: &Shop, filename: &str) -> Answer {
    let mut state = shop.state();
    let key = format!("tmp/{}/bulk/{}/{filename}", shop.config.profile.id, state.next_id());
    state.uploads.0.insert(key.clone(), None);
    let url = format!("{}/staged", shop.url);
    let parameter = |name: &str, value: &str| {
        Answer::node(Record::new("StagedUploadParameter").leaf("name", name).leaf("value", value))
    };
    let parameters = vec![
        parameter("Content-Type", "text/jsonl"),
        parameter("success_action_status", "201"),
        parameter("acl", "private"),
        parameter("key", &key),
        parameter("policy", &signature(&key)),
    ];
    Answer::node(
        Record::new("StagedMediaUploadTarget")
            .leaf("url", url.clone())
            .leaf("resourceUrl", format!("{url}/{key}"))
            .answer("parameters", Answer::List(parameters)),
    )
}

/// Stands for the storage's own.
fn signature(key: &str) -> String {
    format!("signed-for-{key}")
}

/// What stands before the file of a form: its fields, and how many bytes they are.
struct Head {
    fields: BTreeMap<String, String>,
    length: usize,
}

/// None where the file has not begun yet.
fn head(form: &[u8], boundary: &str) -> Option<Head> {
    let (mut fields, mut at) = (BTreeMap::new(), 0);
    loop {
        let rest = &form[at..];
        let end = find(rest, b"\r\n\r\n")?;
        let said = String::from_utf8_lossy(&rest[..end]).into_owned();
        let named = said.split("name=\"").nth(1).and_then(|rest| rest.split('"').next())?.to_owned();
        at += end + 4;
        if said.contains("filename=\"") {
            return Some(Head { fields, length: at });
        }
        let value = &form[at..];
        let end = find(value, format!("\r\n--{boundary}").as_bytes())?;
        fields.insert(named, String::from_utf8_lossy(&value[..end]).into_owned());
        at += end + 2;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn refusal(status: StatusCode, code: &str, text: &str) -> Response {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{text}</Message></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml; charset=UTF-8")], body).into_response()
}

/// The storage takes a form whose last field is the file.
pub(super) async fn receive_upload(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    let malformed = |text: &str| refusal(StatusCode::BAD_REQUEST, "MalformedPOSTRequest", text);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some(boundary) = kind.strip_prefix("multipart/form-data; boundary=") else {
        return malformed("The body of your POST request is not well-formed multipart/form-data.");
    };
    let boundary = boundary.trim_matches('"').to_owned();
    let (mut form, mut fields) = (Vec::new(), None);
    let Ok(mut spool) = Spool::new() else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "");
    };
    // The last bytes that came: the end of the form is no part of the file.
    let end = format!("\r\n--{boundary}--\r\n").into_bytes();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return malformed("The request was cut off.") };
        let Ok(piece) = frame.into_data() else { continue };
        form.extend_from_slice(&piece);
        if fields.is_none() {
            match head(&form, &boundary) {
                Some(head) => {
                    form.drain(..head.length);
                    fields = Some(head.fields);
                }
                None if form.len() > FIELDS_BYTES_MAX => return malformed("The form has no file."),
                None => continue,
            }
        }
        let sure = form.len().saturating_sub(end.len());
        if spool.write(&form[..sure]).is_err() {
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "");
        }
        form.drain(..sure);
        if spool.bytes() > FILE_BYTES_MAX {
            let text = "Your proposed upload exceeds the maximum allowed size";
            return refusal(StatusCode::BAD_REQUEST, "EntityTooLarge", text);
        }
    }
    if form != end {
        return malformed("The form does not end.");
    }
    let fields = fields.unwrap_or_default();
    let key = fields.get("key").cloned().unwrap_or_default();
    let Ok(file) = spool.end() else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "");
    };
    let mut state = shop.state();
    match state.uploads.0.get_mut(&key) {
        Some(place) if fields.get("policy") == Some(&signature(&key)) => {
            *place = Some(Arc::new(file));
            drop(state);
            shop.count("stagedUpload");
            StatusCode::CREATED.into_response()
        }
        _ => refusal(StatusCode::FORBIDDEN, "AccessDenied", "Access denied."),
    }
}
