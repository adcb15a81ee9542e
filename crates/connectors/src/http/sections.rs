//! The tables of the `http` connector's connection, each read into what `config` knows it as. Owns the wording of what
//! is wrong within one table; what concerns two of them is `config`'s.

use super::compare::Compare;
use super::config::{
    Body, CurrencyAt, Declared, Exists, Faults, Idempotency, LookUp, ObjectAt, Pointer, States, StepConfig,
    StepKind, Total,
};
use super::template::{ConstantBody, STEP_NAMES, Template};
use connector::connection;
use connector::outbound::{Auth, Carrier, ClientAuth, ClientCredentials, OutboundConfig};
use connector::settings::Section;
use kernel::fault::FaultKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) fn outbound(at: &Section<'_>) -> OutboundConfig {
    let base = OutboundConfig {
        auth: at.section("auth", auth).unwrap_or_default(),
        headers: at.table_of_texts("headers").into_iter().collect(),
        ..OutboundConfig::new(at.required_text("url"))
    };
    connection::read(at, base)
}

fn auth(at: &Section<'_>) -> Auth {
    match at.required_text("kind").as_str() {
        "none" => Auth::None,
        "basic" => Auth::Basic { user: at.required_text("user"), password: at.secret("password") },
        "bearer" => Auth::Bearer { token: at.secret("token") },
        "api_key" => Auth::ApiKey { header: at.required_text("header"), key: at.secret("key") },
        "oauth2" => Auth::OAuth2(Box::new(oauth2(at))),
        "" => Auth::None,
        _ => {
            at.problem("kind", "must be none, basic, bearer, api_key or oauth2");
            Auth::None
        }
    }
}

/// The client credentials grant.
fn oauth2(at: &Section<'_>) -> ClientCredentials {
    let client_auth = match at.text("client_auth").as_deref() {
        None | Some("basic") => ClientAuth::Basic,
        Some("body") => ClientAuth::Body,
        Some(_) => {
            at.problem("client_auth", "must be basic (the client says who it is by HTTP Basic) or body");
            ClientAuth::Basic
        }
    };
    ClientCredentials {
        token_url: at.required_text("token_url"),
        client_id: at.required_text("client_id"),
        client_secret: at.secret("client_secret"),
        scope: at.text("scope"),
        audience: at.text("audience"),
        client_auth,
        carrier: Carrier::Bearer,
    }
}

pub(super) fn idempotency(at: &Section<'_>) -> Option<Idempotency> {
    let header = at.required_text("header");
    let Some(lifetime) = at.duration("lifetime") else {
        at.problem("lifetime", "is required: how long the target remembers a key, as its manual says");
        return None;
    };
    Some(Idempotency { header, lifetime })
}

pub(super) fn steps(at: &Section<'_>) -> BTreeMap<StepKind, StepConfig> {
    StepKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, at.section(kind.name(), |at| step(kind, at))?)))
        .collect()
}

fn step(kind: StepKind, at: &Section<'_>) -> StepConfig {
    // Nothing is known of an object that is yet to be made but its key.
    let names = if kind == StepKind::Create { &STEP_NAMES[..1] } else { STEP_NAMES };
    let method = at.text("method").unwrap_or_else(|| kind.method().to_owned());
    let known = ["POST", "PUT", "PATCH", "DELETE"];
    if !known.contains(&method.as_str()) {
        at.problem("method", format!("must be one of {}", known.join(", ")));
    }
    let headers = at.table_of_texts("headers");
    let absolute = kind == StepKind::Amend;
    StepConfig {
        method: http::Method::from_bytes(method.as_bytes()).unwrap_or(http::Method::POST),
        path: path(at, "path", &at.required_text("path"), names),
        headers: headers
            .iter()
            .map(|(name, text)| (name.clone(), Template::read(at, "headers", text, names)))
            .collect(),
        body: body(kind, at),
        success: at.integers("success").map(|statuses| success(at, &statuses)),
        after_confirm: at.boolean("after_confirm", false),
        idempotent: at.boolean("idempotent", absolute),
    }
}

fn body(kind: StepKind, at: &Section<'_>) -> Body {
    let wrap = at.text("wrap");
    let wanted = matches!(kind, StepKind::Create | StepKind::Amend);
    match at.value("body") {
        None if wanted => Body::Wanted { wrap },
        Some(serde_json::Value::String(word)) if word == "wanted" => Body::Wanted { wrap },
        other => {
            if wrap.is_some() {
                at.problem("wrap", "is only for the wanted body: write the key into the body itself");
            }
            match other {
                None => Body::None,
                Some(serde_json::Value::String(word)) if word == "none" => Body::None,
                Some(table @ serde_json::Value::Object(_)) => {
                    Body::Constant(ConstantBody::read(at, "body", table))
                }
                Some(_) => {
                    at.problem("body", "must be \"wanted\", \"none\" or a table");
                    Body::None
                }
            }
        }
    }
}

fn success(at: &Section<'_>, statuses: &[u64]) -> BTreeSet<u16> {
    let good = statuses.iter().filter_map(|status| u16::try_from(*status).ok());
    let good: BTreeSet<u16> = good.filter(|status| (200..300).contains(status)).collect();
    if good.is_empty() || good.len() != statuses.len() {
        at.problem("success", "must be a list of statuses from 200 to 299");
    }
    good
}

pub(super) fn look_up(at: &Section<'_>) -> LookUp {
    LookUp {
        path: path(at, "path", &at.required_text("path"), &["object_key"]),
        items: pointer(at, "items"),
        lag: at.duration("lag").unwrap_or(Duration::ZERO),
        more: pointer(at, "more"),
    }
}

pub(super) fn object_at(at: &Section<'_>) -> ObjectAt {
    ObjectAt {
        at: pointer(at, "at").unwrap_or_default(),
        id: required_pointer(at, "id"),
        number: pointer(at, "number"),
        state: pointer(at, "state"),
        version: pointer(at, "version"),
        version_header: at.text("version_header"),
        reference: pointer(at, "reference"),
    }
}

pub(super) fn states(at: &Section<'_>) -> States {
    States {
        confirmed: at.texts("confirmed"),
        cancelled: at.texts("cancelled"),
        finished: at.texts("finished"),
    }
}

pub(super) fn compare(at: &Section<'_>) -> Compare {
    let pointers = |key: &str| {
        let list = at.texts(key);
        list.iter().for_each(|text| check_pointer(at, key, text));
        list
    };
    Compare { only: pointers("only"), ignore: pointers("ignore"), address: pointers("address") }
}

pub(super) fn total(at: &Section<'_>) -> Total {
    Total {
        wanted: required_pointer(at, "wanted"),
        object: required_pointer(at, "object"),
        currency: currency(at),
    }
}

/// Where it stands, or which it always is.
fn currency(at: &Section<'_>) -> Option<CurrencyAt> {
    let text = at.text("currency")?;
    if text.starts_with('/') {
        return Some(CurrencyAt::Pointer(text));
    }
    match text.parse() {
        Ok(currency) => Some(CurrencyAt::Always(currency)),
        Err(_) => {
            at.problem("currency", format!("{text:?} is neither a pointer (/currency) nor a currency (EUR)"));
            None
        }
    }
}

pub(super) fn faults(at: &Section<'_>) -> Faults {
    let declared = |key: &str| {
        let table = at.table_of_texts(key);
        table
            .into_iter()
            .filter_map(|(name, text)| Some((name, declared(at, key, &text)?)))
            .collect::<Vec<_>>()
    };
    let statuses = declared("statuses").into_iter().filter_map(|(name, declared)| {
        let status = name.parse::<u16>().ok().filter(|status| (400..600).contains(status));
        if status.is_none() {
            at.problem("statuses", format!("{name:?} is not a status from 400 to 599"));
        }
        Some((status?, declared))
    });
    let statuses = statuses.collect();
    Faults {
        code: pointer(at, "code"),
        message: pointer(at, "message"),
        field: pointer(at, "field"),
        value: pointer(at, "value"),
        codes: declared("codes").into_iter().collect(),
        statuses,
    }
}

fn declared(at: &Section<'_>, key: &str, text: &str) -> Option<Declared> {
    if let Some(kind) = text.strip_prefix("missing ") {
        return Some(Declared::Missing(kind.trim().to_owned()));
    }
    let declared = FaultKind::parse(text).filter(|kind| *kind != FaultKind::Bug).map(Declared::Kind);
    if declared.is_none() {
        let kinds = "transient, throttled, ambiguous, conflict, unauthorized, rejected or \"missing item\"";
        at.problem(key, format!("{text:?} must be {kinds}"));
    }
    declared
}

pub(super) fn exists(at: &Section<'_>) -> BTreeMap<String, Exists> {
    let read = |at: &Section<'_>| Exists {
        path: path(at, "path", &at.required_text("path"), &["value"]),
        found: pointer(at, "found"),
    };
    at.keys().filter_map(|kind| Some((kind.to_owned(), at.section(kind, read)?))).collect()
}

pub(super) fn or(list: Vec<String>, default: &str) -> Vec<String> {
    if list.is_empty() { vec![default.to_owned()] } else { list }
}

pub(super) fn plain_path(at: &Section<'_>, key: &str, path: String) -> String {
    if !path.starts_with('/') {
        at.problem(key, format!("{path:?} must begin with a slash: it stands below url"));
    }
    path
}

pub(super) fn path(at: &Section<'_>, key: &str, text: &str, names: &[&'static str]) -> Template {
    if !text.is_empty() {
        plain_path(at, key, text.to_owned());
    }
    Template::read(at, key, text, names)
}

fn check_pointer(at: &Section<'_>, key: &str, text: &str) {
    if !text.is_empty() && !text.starts_with('/') {
        at.problem(key, format!("{text:?} is not a JSON pointer: begin with a slash, /error/code"));
    }
}

fn pointer(at: &Section<'_>, key: &str) -> Option<Pointer> {
    let text = at.text(key)?;
    check_pointer(at, key, &text);
    Some(text)
}

fn required_pointer(at: &Section<'_>, key: &str) -> Pointer {
    let text = at.required_text(key);
    check_pointer(at, key, &text);
    text
}
