//! The answer as HTTP. Owns its tag, its compression and that nothing between us and the caller keeps it: a price is its
//! buyer's alone.

use super::NOT_KEPT;
use super::told::Answer;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use kernel::key::hex;
use kernel::money::Currency;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;

/// A shorter answer fits one packet as it is.
const COMPRESSED_FROM: usize = 1400;

#[derive(Debug, Serialize)]
struct Written<'a> {
    version: u64,
    at: Timestamp,
    currency: Currency,
    company_location: Option<&'a str>,
    lines: &'a RawValue,
}

/// A question with `GET` that was answered alike before is answered 304.
pub(super) fn told(answer: &Answer<'_>, method: &Method, headers: &HeaderMap) -> Response {
    let lines = written(&answer.lines);
    let tag = tag(answer.version, lines.get());
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    if *method == Method::GET && is_known {
        return head(StatusCode::NOT_MODIFIED, &tag, Body::empty());
    }
    let whole = written(&Written {
        version: answer.version,
        at: answer.at,
        currency: answer.currency,
        company_location: answer.company_location,
        lines: &lines,
    });
    let bytes = String::from(Box::<str>::from(whole)).into_bytes();
    if bytes.len() < COMPRESSED_FROM || !takes_gzip(headers) {
        return head(StatusCode::OK, &tag, bytes.into());
    }
    match compressed(&bytes) {
        Ok(small) => {
            let mut response = head(StatusCode::OK, &tag, small.into());
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Err(_) => head(StatusCode::OK, &tag, bytes.into()),
    }
}

fn written(value: &impl Serialize) -> Box<RawValue> {
    match to_raw_value(value) {
        Ok(text) => text,
        Err(error) => unreachable!("an answer is texts and numbers: {error}"),
    }
}

/// Of the lines and the version, and not of the instant: who asks again learns that nothing changed.
fn tag(version: u64, lines: &str) -> String {
    let digest = Sha256::new().chain_update(version.to_be_bytes()).chain_update(lines.as_bytes()).finalize();
    format!("\"{}\"", hex(&digest[..16]))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let asked = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    asked.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn head(status: StatusCode, tag: &str, body: Body) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(NOT_KEPT));
    headers.insert(VARY, HeaderValue::from_static("authorization, accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    response
}
