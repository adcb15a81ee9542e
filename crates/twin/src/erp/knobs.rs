//! What can be turned at run time: how slow, how broken, how strict, how forgetful. All shares are per mille of the
//! requests, decided from the seed and the request's count alone (`fate`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The default is a back office in good health that knows `Idempotency-Key` and has no unique references.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knobs {
    /// Before each request is worked on.
    pub latency_ms: u64,
    /// On top, for some.
    pub latency_tail_ms: u64,
    pub latency_tail_per_mille: u32,
    /// Answered with `error_status`.
    pub error_per_mille: u32,
    pub error_status: u16,
    /// Of those, the ones that were carried out all the same.
    pub error_applied_per_mille: u32,
    pub throttled_per_mille: u32,
    pub retry_after_s: u64,
    /// Carried out, then the connection is dropped without an answer.
    pub unanswered_per_mille: u32,
    /// Answered with doubt at once, carried out later.
    pub late_apply_per_mille: u32,
    pub late_apply_ms: u64,
    pub late_apply_answer: LateAnswer,
    /// Carried out, then half of the answer's body, then the connection is dropped.
    pub half_answer_per_mille: u32,
    /// Carried out; the answer takes that long to come.
    pub slow_answer_per_mille: u32,
    pub slow_answer_ms: u64,
    /// Not carried out and never answered.
    pub hang_per_mille: u32,
    /// Not carried out; sent to another host.
    pub redirect_per_mille: u32,
    pub redirect_to: String,
    /// Carried out; the answer has that many bytes.
    pub huge_answer_per_mille: u32,
    pub huge_answer_bytes: u64,
    /// Carried out; the answer says 200, claims to be JSON and is not.
    pub garbage_per_mille: u32,
    /// Which requests the shares above are of.
    pub faults_on: FaultsOn,
    pub outage: Outage,
    /// The outage ends by itself; none lasts until it is turned off.
    pub outage_for_ms: Option<u64>,
    /// References (or order numbers) that are refused for ever with 422 `refused`.
    pub refuse: BTreeSet<String>,
    /// References (or order numbers) that are answered with 500 for ever.
    pub fail: BTreeSet<String>,
    pub blocked_parties: BTreeSet<String>,
    pub unique_reference: bool,
    /// How long an `Idempotency-Key` is remembered; none ignores the header.
    pub idempotency_lifetime_ms: Option<u64>,
    /// A look-up sees a sale only when it is that old.
    pub look_up_lag_ms: u64,
    pub page_size: usize,
    pub po_number_chars_max: usize,
    /// Sales ordered before are refused with `closed_period`.
    pub books_closed_until: Option<Timestamp>,
    /// Refuse a sale whose stated totals are not what is computed here.
    pub check_totals: bool,
    /// An item that is not known is taken all the same: so that orders of a real shop can be tried.
    pub accept_any_item: bool,
    /// A credit note stands against any sale that was made, one that is cancelled too, whatever it comes to: an office that books
    /// money back for itself.
    pub credit_any_sale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateAnswer {
    /// The connection is dropped at once.
    Reset,
    /// Nothing comes.
    Hang,
    /// 504.
    GatewayTimeout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultsOn {
    All,
    /// Create, amend, confirm, cancel.
    Writes,
    Creates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    None,
    /// The port is closed and every open connection dropped.
    Refused,
    /// Everything is answered with 503.
    Unavailable,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            latency_tail_ms: 0,
            latency_tail_per_mille: 0,
            error_per_mille: 0,
            error_status: 500,
            error_applied_per_mille: 0,
            throttled_per_mille: 0,
            retry_after_s: 1,
            unanswered_per_mille: 0,
            late_apply_per_mille: 0,
            late_apply_ms: 500,
            late_apply_answer: LateAnswer::Reset,
            half_answer_per_mille: 0,
            slow_answer_per_mille: 0,
            slow_answer_ms: 2_000,
            hang_per_mille: 0,
            redirect_per_mille: 0,
            redirect_to: "http://192.0.2.1/".to_owned(),
            huge_answer_per_mille: 0,
            huge_answer_bytes: 100_000_000,
            garbage_per_mille: 0,
            faults_on: FaultsOn::All,
            outage: Outage::None,
            outage_for_ms: None,
            refuse: BTreeSet::new(),
            fail: BTreeSet::new(),
            blocked_parties: BTreeSet::new(),
            unique_reference: false,
            idempotency_lifetime_ms: Some(24 * 3_600_000),
            look_up_lag_ms: 0,
            page_size: 20,
            po_number_chars_max: 40,
            books_closed_until: None,
            check_totals: false,
            accept_any_item: false,
            credit_any_sale: false,
        }
    }
}

impl Knobs {
    /// Some of them, as JSON; the others stay.
    pub(super) fn turned(&self, some: &serde_json::Value) -> serde_json::Result<Self> {
        let mut all = serde_json::to_value(self)?;
        if let (serde_json::Value::Object(all), serde_json::Value::Object(some)) = (&mut all, some) {
            all.extend(some.clone());
        }
        serde_json::from_value(all)
    }
}
