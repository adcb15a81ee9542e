//! The connection of the `tryton` connector, read and checked. Owns its settings and what each means; makes no call.

use connector::connection::{self, ALLOW_PRIVATE, CONNECT_TIME_OUT, answer_bytes_max, read_time_out};
use connector::descriptor::{SettingKind, SettingRow};
use connector::outbound::OutboundConfig;
use connector::settings::{Secrets, Section, Settings};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Clone)]
pub(super) struct Config {
    /// Without authentication: a session's is added when there is one.
    pub(super) outbound: OutboundConfig,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: SecretString,
    pub(super) company: u64,
    /// Of what Tryton says: errors are shown to the hub's operator, not to the user's owner.
    pub(super) language: String,
    /// The code of the warehouse that goods leave from; absent: Tryton's own default.
    pub(super) warehouse: Option<String>,
    /// Tax names by rate (`0.21`) or by the shop's title.
    pub(super) taxes: BTreeMap<String, String>,
    /// Product codes for lines that have none, by their kind.
    pub(super) line_products: BTreeMap<String, String>,
    pub(super) quote: Quote,
    pub(super) process: bool,
    pub(super) accept_warnings: bool,
    pub(super) closed_period: ClosedPeriod,
    pub(super) credit_note: CreditNote,
    pub(super) payment: PaymentState,
    /// What the lines are called that settle a difference.
    pub(super) adjustment: String,
    /// As a source: codes of Tryton's locations by the names that levels and mappings call them; empty: it is not asked.
    pub(super) locations: BTreeMap<String, String>,
    /// How long before the last move that was seen the next question begins.
    pub(super) overlap: Duration,
    /// The field of a shipment that holds its tracking number; absent: none is told.
    pub(super) tracking: Option<String>,
}

/// When a draft becomes a quotation, which gives it its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    AtOnce,
    WithConfirmation,
}

/// What becomes of an order that is dated in a closed accounting period. Tryton itself takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosedPeriod {
    Wait,
    Accept,
}

/// How far a credit note is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CreditNote {
    Draft,
    Posted,
}

/// How far a payment is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaymentState {
    Draft,
    Submitted,
}

/// The kinds of line that may come without a product.
const LINE_KINDS: [&str; 8] = ["goods", "gift_card", "custom", "shipping", "duty", "tip", "fee", "tax"];
pub(super) const ADJUSTMENT: &str = "Rounding difference";
/// Longer than Tryton's own time for a request, and than any of its writes takes.
const OVERLAP: Duration = Duration::from_secs(120);
const OVERLAP_MAX: Duration = Duration::from_secs(3_600);

impl Config {
    pub(super) fn read(settings: &Settings, secrets: Secrets) -> Result<Self, Vec<String>> {
        settings.read(secrets, |at| {
            let config = Self {
                outbound: outbound(at),
                database: at.required_text("database"),
                user: at.required_text("user"),
                password: at.secret("password"),
                company: at.integer("company", 1),
                language: at.text("language").unwrap_or_else(|| "en".to_owned()),
                warehouse: at.text("warehouse"),
                taxes: at.table_of_texts("taxes"),
                line_products: at.table_of_texts("line_products"),
                quote: quote(at),
                process: at.boolean("process", true),
                accept_warnings: at.boolean("accept_warnings", false),
                closed_period: closed_period(at),
                credit_note: credit_note(at),
                payment: payment(at),
                adjustment: at.text("adjustment").unwrap_or_else(|| ADJUSTMENT.to_owned()),
                locations: at.table_of_texts("locations"),
                overlap: at.duration("overlap").unwrap_or(OVERLAP),
                tracking: at.text("tracking"),
            };
            config.check(at);
            config
        })
    }

    fn check(&self, at: &Section<'_>) {
        connection::judge(at, &self.outbound);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if !self.database.chars().all(plain) {
            at.problem("database", "must be a database's name: letters, digits, '_', '-' and '.'");
        }
        for kind in self.line_products.keys().filter(|kind| !LINE_KINDS.contains(&kind.as_str())) {
            let known = LINE_KINDS.join(", ");
            at.problem("line_products", format!("{kind:?} is no kind of line; known are {known}"));
        }
        let mut codes: Vec<&str> = self.locations.values().map(String::as_str).collect();
        codes.sort_unstable();
        if let Some(twice) = codes.windows(2).find(|pair| pair[0] == pair[1]) {
            let what = format!("names the location {:?} twice: its stock would be sold twice", twice[0]);
            at.problem("locations", what);
        }
        if self.locations.iter().any(|(name, code)| name.trim().is_empty() || code.trim().is_empty()) {
            at.problem("locations", "must have a name and a code in each entry");
        }
        let field = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
        if self.tracking.as_deref().is_some_and(|path| path.is_empty() || !path.chars().all(field)) {
            at.problem("tracking", "must be a field of Tryton's shipments, as in \"reference\"");
        }
        if self.overlap.is_zero() || self.overlap > OVERLAP_MAX {
            at.problem("overlap", "must be more than nothing and at most one hour");
        }
        if self.adjustment.trim().is_empty() {
            at.problem("adjustment", "must not be empty: the line is known again by it");
        }
    }

    /// Below the system's URL.
    pub(super) fn path(&self) -> String {
        format!("/{}/rpc/", self.database)
    }
}

fn outbound(at: &Section<'_>) -> OutboundConfig {
    let base = OutboundConfig {
        // A confirmation of some hundred lines takes seconds in which Tryton says nothing.
        read_time_out: Duration::from_secs(60),
        answer_bytes_max: 4 * 1024 * 1024,
        ..OutboundConfig::new(at.required_text("url"))
    };
    connection::read(at, base)
}

fn quote(at: &Section<'_>) -> Quote {
    match at.text("quote").as_deref() {
        None | Some("at_once") => Quote::AtOnce,
        Some("with_confirmation") => Quote::WithConfirmation,
        Some(_) => {
            at.problem("quote", "must be at_once or with_confirmation");
            Quote::AtOnce
        }
    }
}

fn credit_note(at: &Section<'_>) -> CreditNote {
    match at.text("credit_note").as_deref() {
        None | Some("draft") => CreditNote::Draft,
        Some("posted") => CreditNote::Posted,
        Some(_) => {
            at.problem("credit_note", "must be draft or posted");
            CreditNote::Draft
        }
    }
}

fn payment(at: &Section<'_>) -> PaymentState {
    match at.text("payment").as_deref() {
        None | Some("submitted") => PaymentState::Submitted,
        Some("draft") => PaymentState::Draft,
        Some(_) => {
            at.problem("payment", "must be draft or submitted");
            PaymentState::Submitted
        }
    }
}

fn closed_period(at: &Section<'_>) -> ClosedPeriod {
    match at.text("closed_period").as_deref() {
        None | Some("wait") => ClosedPeriod::Wait,
        Some("accept") => ClosedPeriod::Accept,
        Some(_) => {
            at.problem("closed_period", "must be wait or accept");
            ClosedPeriod::Wait
        }
    }
}

use SettingKind::{Boolean, Integer, Secret, Table, Text, Url};

pub(super) const SETTINGS: &[SettingRow] = &[
    ("url", Url, true, None, "Where Tryton listens, without the database.", "https://tryton.example"),
    ("database", Text, true, None, "Its database.", "tryton"),
    ("user", Text, true, None, "The log-in of a user of Tidegate's own.", "tidegate"),
    ("password", Secret, true, None, "Its password.", "file:../secrets/tryton.password"),
    ("company", Integer, false, Some("1"), "The id of the company that sells.", "1"),
    ("language", Text, false, Some("en"), "The language of Tryton's messages.", "de"),
    ("warehouse", Text, false, None, "Code of the warehouse; absent: Tryton's default.", "WH"),
    (
        "taxes",
        Table,
        false,
        None,
        "Names of Tryton's taxes by the shop's title or rate, where the rate alone does not tell.",
        "{ \"0.21\" = \"VAT 21 %\", \"VAT low\" = \"VAT 9 %\" }",
    ),
    (
        "line_products",
        Table,
        false,
        None,
        "Codes of products for lines without one, by kind: goods, gift_card, custom, shipping, duty, tip, fee, tax.",
        "{ gift_card = \"GIFT\", tip = \"TIP\" }",
    ),
    (
        "quote",
        Text,
        false,
        Some("at_once"),
        "When a sale is quoted and so gets its number: at_once or with_confirmation.",
        "with_confirmation",
    ),
    (
        "process",
        Boolean,
        false,
        Some("true"),
        "Process a confirmed sale that Tryton left unprocessed. Off where its own queue or a delay does that.",
        "false",
    ),
    (
        "accept_warnings",
        Boolean,
        false,
        Some("false"),
        "Answer yes to Tryton's warnings (a credit limit). Off: a ticket.",
        "true",
    ),
    (
        "closed_period",
        Text,
        false,
        Some("wait"),
        "An order dated in a closed accounting period: wait until it is open, or accept.",
        "accept",
    ),
    (
        "credit_note",
        Text,
        false,
        Some("draft"),
        "How far a credit note is brought: draft (a person posts it, as the invoices of sales) or posted.",
        "posted",
    ),
    (
        "payment",
        Text,
        false,
        Some("submitted"),
        "How far a payment is brought: submitted (it is processed with the payout, by whoever reconciles it) or draft.",
        "draft",
    ),
    (
        "adjustment",
        Text,
        false,
        Some("Rounding difference"),
        "Description of the lines that settle a difference.",
        "Afronding",
    ),
    (
        "locations",
        Table,
        false,
        None,
        "As a source of stock and shipments: codes of Tryton's warehouses or locations, each with all that lies below it, by \
         the names that levels have. Absent: Tryton is not asked.",
        "{ \"WH-1\" = \"WH\" }",
    ),
    (
        "overlap",
        SettingKind::Duration,
        false,
        Some("2m"),
        "How long before the last move that was seen the next question for changes begins: longer than any transaction of \
         Tryton's takes.",
        "5m",
    ),
    (
        "tracking",
        Text,
        false,
        None,
        "The field of Tryton's shipments that holds their tracking number, or that of their packages. Absent: none is told.",
        "packages.shipping_reference",
    ),
    CONNECT_TIME_OUT,
    read_time_out("60s", "30s"),
    answer_bytes_max("4194304"),
    ALLOW_PRIVATE,
];
