//! What the `http` connector declares for a configuration, and the documentation of its settings.

use super::config::{Config, StepKind};
use connector::connection::{ALLOW_PRIVATE, CONNECT_TIME_OUT, answer_bytes_max, read_time_out};
use connector::descriptor::{
    Becomes, Descriptor, OrderAbilities, Service, Setting, SettingKind, SettingRow, UnknownAnswer,
};
use std::collections::BTreeSet;

pub(super) fn descriptor(config: &Config) -> Descriptor {
    let service = |domain: &String| Service::target(domain, &config.schema);
    Descriptor {
        kind: "http".to_owned(),
        title: "Any system with a REST API, by configuration alone".to_owned(),
        services: config.domains.iter().map(service).collect(),
        unknown: unknown(config),
        health: config.health.is_some(),
        observe_first: config.observe_first,
        resolves_references: !config.exists.is_empty(),
        tells_changes: false,
        tells_whole: false,
        reads_states: false,
        only_changes: false,
        orders: orders(config),
        settings: SETTINGS.iter().map(Setting::from).collect(),
    }
}

fn unknown(config: &Config) -> UnknownAnswer {
    match (&config.idempotency, &config.look_up) {
        (Some(native), _) => UnknownAnswer::NativeKey { lifetime: native.lifetime },
        (None, Some(look_up)) => UnknownAnswer::LookUp { lag: look_up.lag },
        (None, None) => UnknownAnswer::Neither,
    }
}

fn orders(config: &Config) -> OrderAbilities {
    let after_confirm = |kind| config.step(kind).is_some_and(|step| step.after_confirm);
    let becomes = |kind| {
        let mut set = BTreeSet::from([Becomes::Ticket]);
        if after_confirm(kind) {
            set.insert(Becomes::Amend);
        }
        set
    };
    OrderAbilities {
        confirms: config.step(StepKind::Confirm).is_some(),
        address: becomes(StepKind::Amend),
        line: becomes(StepKind::Amend),
        cancel: becomes(StepKind::Cancel),
        reports_totals: config.total.is_some(),
        adjusts_line: false,
        lists_totals: config.total.as_ref().is_some_and(|total| total.currency.is_some()),
    }
}

use SettingKind::{Boolean, Duration, List, Secret, Table, Text, Url};

const SETTINGS: &[SettingRow] = &[
    ("url", Url, true, None, "Where the system is; every path stands below it.", "https://erp.example/api"),
    ALLOW_PRIVATE,
    ("auth.kind", Text, false, Some("none"), "none, basic, bearer, api_key or oauth2.", "bearer"),
    ("auth.user", Text, false, None, "For basic.", "tidegate"),
    ("auth.password", Secret, false, None, "For basic.", "file:../secrets/erp.password"),
    ("auth.token", Secret, false, None, "For bearer.", "file:../secrets/erp.token"),
    ("auth.header", Text, false, None, "For api_key: the header that carries it.", "X-Api-Key"),
    ("auth.key", Secret, false, None, "For api_key.", "env:ERP_API_KEY"),
    (
        "auth.token_url",
        Url,
        false,
        None,
        "For oauth2 (client credentials): the server that gives the tokens.",
        "https://login.erp.example/oauth2/token",
    ),
    ("auth.client_id", Text, false, None, "For oauth2.", "tidegate"),
    ("auth.client_secret", Secret, false, None, "For oauth2.", "env:ERP_CLIENT_SECRET"),
    ("auth.scope", Text, false, None, "For oauth2: what is asked for, apart by blanks.", "sales:write"),
    (
        "auth.audience",
        Text,
        false,
        None,
        "For oauth2: for whom the token is, where the server asks for that.",
        "https://erp.example/api",
    ),
    (
        "auth.client_auth",
        Text,
        false,
        Some("basic"),
        "For oauth2: basic, or body where the server wants id and secret in the form.",
        "body",
    ),
    ("headers", Table, false, None, "Sent with each request.", "{ Accept-Language = \"en\" }"),
    CONNECT_TIME_OUT,
    read_time_out("15s", "5s"),
    answer_bytes_max("2097152"),
    ("domains", List, false, Some("[\"orders\"]"), "What it serves.", "[\"orders\"]"),
    (
        "schema",
        Text,
        false,
        Some("http.object/1"),
        "What a mapping into it is checked against.",
        "http.object/1",
    ),
    (
        "observe_first",
        Boolean,
        false,
        Some("false"),
        "Look before the first create: others write there too.",
        "true",
    ),
    (
        "idempotency.header",
        Text,
        false,
        None,
        "The header in which it takes a key of ours.",
        "Idempotency-Key",
    ),
    ("idempotency.lifetime", Duration, false, None, "How long it remembers a key. Rather too short.", "24h"),
    ("look_up.path", Text, false, None, "Asks for objects by {object_key}.", "/sales?reference={object_key}"),
    (
        "look_up.items",
        Text,
        false,
        None,
        "Pointer to the list; absent: the answer is the object, 404 none.",
        "/sales",
    ),
    (
        "look_up.more",
        Text,
        false,
        None,
        "Pointer to what says that there are more pages; then it is no answer.",
        "/next_page",
    ),
    ("look_up.lag", Duration, false, Some("0s"), "How old an answer of the search may be.", "5s"),
    (
        "read",
        Text,
        false,
        None,
        "Reads the object by {id}; asked after each look-up that found one.",
        "/sales/{id}",
    ),
    (
        "object.at",
        Text,
        false,
        Some("\"\""),
        "Pointer to the object in the answer to a step or read.",
        "/sale",
    ),
    ("object.id", Text, true, None, "Pointer to its id, in the object.", "/id"),
    ("object.number", Text, false, None, "Pointer to what people call it.", "/number"),
    ("object.state", Text, false, None, "Pointer to its state.", "/state"),
    ("object.version", Text, false, None, "Pointer to its version.", "/version"),
    ("object.version_header", Text, false, None, "Header with its version, in place of a pointer.", "ETag"),
    (
        "object.reference",
        Text,
        false,
        None,
        "Pointer to the key; a hit of the look-up must repeat it.",
        "/reference",
    ),
    ("create", Table, true, None, STEP, "{ path = \"/sales\" }"),
    ("amend", Table, false, None, STEP, "{ method = \"PUT\", path = \"/sales/{id}\" }"),
    ("confirm", Table, false, None, STEP, "{ path = \"/sales/{id}/confirm\" }"),
    ("cancel", Table, false, None, STEP, "{ path = \"/sales/{id}/cancel\", after_confirm = true }"),
    ("states.confirmed", List, false, None, "States in which it is confirmed.", "[\"confirmed\"]"),
    ("states.cancelled", List, false, None, "States in which it is cancelled.", "[\"cancelled\"]"),
    (
        "states.finished",
        List,
        false,
        None,
        "States in which nothing of it changes any more.",
        "[\"shipped\"]",
    ),
    (
        "compare.only",
        List,
        false,
        None,
        "Pointers of the fields that count; absent: all it echoes.",
        "[\"/po_number\"]",
    ),
    ("compare.ignore", List, false, None, "Pointers of the fields that do not count.", "[\"/totals\"]"),
    (
        "compare.address",
        List,
        false,
        None,
        "Pointers whose change is one of address.",
        "[\"/shipment_address\"]",
    ),
    ("total.wanted", Text, false, None, "Pointer to the total in what the mapping makes.", "/totals/gross"),
    ("total.object", Text, false, None, "Pointer to the total that it computed.", "/totals/gross"),
    (
        "total.currency",
        Text,
        false,
        None,
        "Pointer to the total's currency, or the one that it always is: then prove adds up what it holds.",
        "/currency",
    ),
    ("faults.code", Text, false, None, "Pointer to the code in a refusal.", "/error/code"),
    ("faults.message", Text, false, None, "Pointer to its text.", "/error/message"),
    ("faults.field", Text, false, None, "Pointer to the name of the field at fault.", "/error/field"),
    (
        "faults.value",
        Text,
        false,
        None,
        "Pointer to the missing value; absent: read from what was sent.",
        "/error/value",
    ),
    ("faults.codes", Table, false, None, DECLARED, "{ unknown_item = \"missing item\" }"),
    ("faults.statuses", Table, false, None, DECLARED, "{ 502 = \"transient\" }"),
    (
        "exists",
        Table,
        false,
        None,
        EXISTS,
        "{ item = { path = \"/items?sku={value}\", found = \"/items/0/sku\" } }",
    ),
    ("health", Text, false, None, "A path that says whether it is well, and touches nothing.", "/health"),
];

const STEP: &str = "How it is done: method (POST; amend PATCH), path, headers, body (\"wanted\", \"none\" or a table), \
                    wrap (a key around the wanted body), success (statuses), after_confirm, idempotent. Names: \
                    {object_key}, {id}, {number}, {version}.";
const DECLARED: &str = "What it means: transient (nothing was done), throttled, ambiguous, conflict, unauthorized, \
                        rejected, or \"missing KIND\".";
const EXISTS: &str = "How a reference of a kind is looked for: path with {value}, and found, a pointer to where the \
                      answer repeats it; absent: 404 says that there is none.";
