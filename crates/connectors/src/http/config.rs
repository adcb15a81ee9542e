//! The connection of the `http` connector, read and checked. Owns its settings and what each means; makes no call.

use super::compare::Compare;
use super::template::{ConstantBody, STEP_NAMES, Template};
use connector::outbound::{Auth, OutboundConfig};
use connector::settings::{Secrets, Section, Settings};
use kernel::fault::FaultKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A JSON pointer (RFC 6901) that begins with a slash, or is empty: the whole.
pub(super) type Pointer = String;

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) outbound: OutboundConfig,
    pub(super) domains: Vec<String>,
    pub(super) schema: String,
    pub(super) observe_first: bool,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) steps: BTreeMap<StepKind, StepConfig>,
    pub(super) look_up: Option<LookUp>,
    pub(super) read: Option<Template>,
    pub(super) object: ObjectAt,
    pub(super) states: States,
    pub(super) compare: Compare,
    pub(super) total: Option<Total>,
    pub(super) faults: Faults,
    pub(super) exists: BTreeMap<String, Exists>,
    pub(super) health: Option<String>,
}

/// The four writes that are known, in the order in which an object goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StepKind {
    Create,
    Amend,
    Confirm,
    Cancel,
}

impl StepKind {
    pub(super) const ALL: [StepKind; 4] = [Self::Create, Self::Amend, Self::Confirm, Self::Cancel];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Amend => "amend",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
        }
    }

    fn method(self) -> &'static str {
        if self == Self::Amend { "PATCH" } else { "POST" }
    }
}

#[derive(Debug, Clone)]
pub(super) struct StepConfig {
    pub(super) method: http::Method,
    pub(super) path: Template,
    pub(super) headers: BTreeMap<String, Template>,
    pub(super) body: Body,
    /// Statuses that say that it was done; none: any 2xx.
    pub(super) success: Option<BTreeSet<u16>>,
    pub(super) after_confirm: bool,
    pub(super) idempotent: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    None,
    /// What the mapping made, under a key of its own or as it is.
    Wanted {
        wrap: Option<String>,
    },
    Constant(ConstantBody),
}

#[derive(Debug, Clone)]
pub(super) struct Idempotency {
    pub(super) header: String,
    pub(super) lifetime: Duration,
}

#[derive(Debug, Clone)]
pub(super) struct LookUp {
    pub(super) path: Template,
    /// Where the list is in the answer. None: the answer is the object, and 404 says that there is none.
    pub(super) items: Option<Pointer>,
    pub(super) lag: Duration,
    /// Where the answer says that there are more pages.
    pub(super) more: Option<Pointer>,
}

/// Where things stand in an object.
#[derive(Debug, Clone)]
pub(super) struct ObjectAt {
    /// Where the object is in the answer to a step or a read.
    pub(super) at: Pointer,
    pub(super) id: Pointer,
    pub(super) number: Option<Pointer>,
    pub(super) state: Option<Pointer>,
    pub(super) version: Option<Pointer>,
    pub(super) version_header: Option<String>,
    pub(super) reference: Option<Pointer>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct States {
    pub(super) confirmed: Vec<String>,
    pub(super) cancelled: Vec<String>,
    pub(super) finished: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Total {
    pub(super) wanted: Pointer,
    pub(super) object: Pointer,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) code: Option<Pointer>,
    pub(super) message: Option<Pointer>,
    pub(super) field: Option<Pointer>,
    pub(super) value: Option<Pointer>,
    pub(super) codes: BTreeMap<String, Declared>,
    pub(super) statuses: BTreeMap<u16, Declared>,
}

/// What the configuration says that a code or a status means: `"transient"`, or `"missing item"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Declared {
    Kind(FaultKind),
    /// A rejection because a reference of this kind does not exist.
    Missing(String),
}

#[derive(Debug, Clone)]
pub(super) struct Exists {
    pub(super) path: Template,
    /// Where the answer repeats the value. None: any 2xx says that it exists, and 404 that it does not.
    pub(super) found: Option<Pointer>,
}

impl Config {
    pub(super) fn read(settings: &Settings, secrets: Secrets) -> Result<Self, Vec<String>> {
        settings.read(secrets, |at| {
            let config = Self {
                outbound: outbound(at),
                domains: or(at.texts("domains"), "orders"),
                schema: at.text("schema").unwrap_or_else(|| "http.object/1".to_owned()),
                observe_first: at.boolean("observe_first", false),
                idempotency: at.section("idempotency", idempotency).flatten(),
                steps: steps(at),
                look_up: at.section("look_up", look_up),
                read: at.text("read").map(|path| self::path(at, "read", &path, &["id", "object_key"])),
                object: at.section("object", object_at).unwrap_or_else(|| {
                    at.problem("object", "is required: where the id and the rest stand in an answer");
                    ObjectAt::nowhere()
                }),
                states: at.section("states", states).unwrap_or_default(),
                compare: at.section("compare", compare).unwrap_or_default(),
                total: at.section("total", total),
                faults: at.section("faults", faults).unwrap_or_default(),
                exists: at.section("exists", exists).unwrap_or_default(),
                health: at.text("health").map(|path| plain_path(at, "health", path)),
            };
            config.judge(at);
            config
        })
    }

    pub(super) fn step(&self, kind: StepKind) -> Option<&StepConfig> {
        self.steps.get(&kind)
    }

    /// What no single setting can know.
    fn judge(&self, at: &Section<'_>) {
        if self.step(StepKind::Create).is_none() {
            at.problem("create", "is required: how an object is made");
        }
        let stateless = self.object.state.is_none() || self.states.confirmed.is_empty();
        if self.step(StepKind::Confirm).is_some() && stateless {
            at.problem(
                "confirm",
                "needs object.state and states.confirmed, or a second confirm could not be avoided",
            );
        }
        if self.step(StepKind::Cancel).is_some()
            && (self.object.state.is_none() || self.states.cancelled.is_empty())
        {
            at.problem(
                "cancel",
                "needs object.state and states.cancelled, or a second cancel could not be avoided",
            );
        }
        let versioned = self.steps.values().any(|step| {
            step.path.names("version") || step.headers.values().any(|header| header.names("version"))
        });
        if versioned && self.object.version.is_none() && self.object.version_header.is_none() {
            at.problem("object", "has neither version nor version_header, and a step names {version}");
        }
        if self.object.version_header.is_some() && self.look_up.is_some() && self.read.is_none() {
            at.problem(
                "read",
                "is required where the version is a header: a list has one header for all its objects",
            );
        }
        if self.outbound.base.is_empty() {
            return;
        }
        if let Err(problem) = self.outbound.check() {
            at.problem("url", problem);
        }
    }
}

fn outbound(at: &Section<'_>) -> OutboundConfig {
    let base = OutboundConfig::new(at.required_text("url"));
    OutboundConfig {
        auth: at.section("auth", auth).unwrap_or_default(),
        headers: at.table_of_texts("headers").into_iter().collect(),
        connect_time_out: at.duration("connect_time_out").unwrap_or(base.connect_time_out),
        read_time_out: at.duration("read_time_out").unwrap_or(base.read_time_out),
        answer_bytes_max: at.integer("answer_bytes_max", base.answer_bytes_max),
        allow_private: at.boolean("allow_private", false),
        ..base
    }
}

fn auth(at: &Section<'_>) -> Auth {
    match at.required_text("kind").as_str() {
        "none" => Auth::None,
        "basic" => Auth::Basic { user: at.required_text("user"), password: at.secret("password") },
        "bearer" => Auth::Bearer { token: at.secret("token") },
        "api_key" => Auth::ApiKey { header: at.required_text("header"), key: at.secret("key") },
        "" => Auth::None,
        _ => {
            at.problem("kind", "must be none, basic, bearer or api_key");
            Auth::None
        }
    }
}

fn idempotency(at: &Section<'_>) -> Option<Idempotency> {
    let header = at.required_text("header");
    let Some(lifetime) = at.duration("lifetime") else {
        at.problem("lifetime", "is required: how long the target remembers a key, as its manual says");
        return None;
    };
    Some(Idempotency { header, lifetime })
}

fn steps(at: &Section<'_>) -> BTreeMap<StepKind, StepConfig> {
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

fn look_up(at: &Section<'_>) -> LookUp {
    LookUp {
        path: path(at, "path", &at.required_text("path"), &["object_key"]),
        items: pointer(at, "items"),
        lag: at.duration("lag").unwrap_or(Duration::ZERO),
        more: pointer(at, "more"),
    }
}

impl ObjectAt {
    fn nowhere() -> Self {
        Self {
            at: String::new(),
            id: String::new(),
            number: None,
            state: None,
            version: None,
            version_header: None,
            reference: None,
        }
    }
}

fn object_at(at: &Section<'_>) -> ObjectAt {
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

fn states(at: &Section<'_>) -> States {
    States {
        confirmed: at.texts("confirmed"),
        cancelled: at.texts("cancelled"),
        finished: at.texts("finished"),
    }
}

fn compare(at: &Section<'_>) -> Compare {
    let pointers = |key: &str| {
        let list = at.texts(key);
        list.iter().for_each(|text| check_pointer(at, key, text));
        list
    };
    Compare { only: pointers("only"), ignore: pointers("ignore"), address: pointers("address") }
}

fn total(at: &Section<'_>) -> Total {
    Total { wanted: required_pointer(at, "wanted"), object: required_pointer(at, "object") }
}

fn faults(at: &Section<'_>) -> Faults {
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

fn exists(at: &Section<'_>) -> BTreeMap<String, Exists> {
    let read = |at: &Section<'_>| Exists {
        path: path(at, "path", &at.required_text("path"), &["value"]),
        found: pointer(at, "found"),
    };
    at.keys().filter_map(|kind| Some((kind.to_owned(), at.section(kind, read)?))).collect()
}

fn or(list: Vec<String>, default: &str) -> Vec<String> {
    if list.is_empty() { vec![default.to_owned()] } else { list }
}

fn plain_path(at: &Section<'_>, key: &str, path: String) -> String {
    if !path.starts_with('/') {
        at.problem(key, format!("{path:?} must begin with a slash: it stands below url"));
    }
    path
}

fn path(at: &Section<'_>, key: &str, text: &str, names: &[&'static str]) -> Template {
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
