//! The connection of the `http` connector, read and checked. Owns its settings and what each means; makes no call.

use super::compare::Compare;
use super::sections;
use super::template::{ConstantBody, Template};
use connector::connection;
use connector::outbound::OutboundConfig;
use connector::settings::{Secrets, Section, Settings};
use kernel::fault::FaultKind;
use kernel::money::Currency;
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

    pub(super) fn method(self) -> &'static str {
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
    /// In which currency; without it amounts are compared order by order and never added up.
    pub(super) currency: Option<CurrencyAt>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CurrencyAt {
    Pointer(Pointer),
    /// The system has one for all.
    Always(Currency),
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
                outbound: sections::outbound(at),
                domains: sections::or(at.texts("domains"), "orders"),
                schema: at.text("schema").unwrap_or_else(|| "http.object/1".to_owned()),
                observe_first: at.boolean("observe_first", false),
                idempotency: at.section("idempotency", sections::idempotency).flatten(),
                steps: sections::steps(at),
                look_up: at.section("look_up", sections::look_up),
                read: at.text("read").map(|path| sections::path(at, "read", &path, &["id", "object_key"])),
                object: at.section("object", sections::object_at).unwrap_or_else(|| {
                    at.problem("object", "is required: where the id and the rest stand in an answer");
                    ObjectAt::nowhere()
                }),
                states: at.section("states", sections::states).unwrap_or_default(),
                compare: at.section("compare", sections::compare).unwrap_or_default(),
                total: at.section("total", sections::total),
                faults: at.section("faults", sections::faults).unwrap_or_default(),
                exists: at.section("exists", sections::exists).unwrap_or_default(),
                health: at.text("health").map(|path| sections::plain_path(at, "health", path)),
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
        let lists = self.total.as_ref().is_some_and(|total| total.currency.is_some());
        if lists && self.look_up.is_none() && self.read.is_none() {
            at.problem(
                "total",
                "has a currency, to add up what the system holds, and neither look_up nor read shows an object",
            );
        }
        if self.outbound.base.is_empty() {
            return;
        }
        connection::judge(at, &self.outbound);
    }
}

impl ObjectAt {
    /// Where nothing was said: the mistake is told.
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
