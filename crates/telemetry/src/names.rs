//! Every metric's name, kind, labels and meaning. The registry and the page are made from this list.

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// One metric. Counters are exposed with `_total` behind their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

impl Name {
    /// As `/metrics` shows it.
    pub fn exposed(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

macro_rules! names {
    ($($id:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(crate) const $id: Name =
            Name { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };)*
        /// All of them, in the order of the page.
        pub const NAMES: &[Name] = &[$($id),*];
    };
}

names! {
    WEBHOOK_LATENCY = Histogram "tidegate_webhook_latency_seconds" ["door"]
        "From the request's head to the answer, commit included; the objective is 0.3 s";
    INTAKE = Counter "tidegate_intake" ["door", "status", "reason"]
        "Requests at the doors by answer and reason";
    INTAKE_ON_TIME = Counter "tidegate_intake_on_time" ["door", "met"]
        "Requests that were ours to take; met is yes for a 2xx within 5 s. What its sender has to mend (4xx) is not among them";
    PRICE_LATENCY = Histogram "tidegate_price_latency_seconds" ["door"]
        "From a cart's head to its answer; the objective is 0.3 s. door is server or storefront";
    PRICE_ANSWERS = Counter "tidegate_price_answers" ["door", "status"]
        "Carts by answer";
    PRICE_LINES = Counter "tidegate_price_lines" ["came"]
        "Lines of carts: list, live (a system made the price), fallback (it was to and did not), or none (no price)";
    HYDRATIONS = Counter "tidegate_hydrations" ["shop", "outcome"]
        "Runs that were to write a shop's catalogs, by outcome: whole or failed";
    HYDRATED_LAST = Gauge "tidegate_hydrated_last_seconds" ["shop"]
        "Unix time of the last run after which the catalogs said what the price lists say";
    CATALOG_DRIFT = Gauge "tidegate_catalog_drift" ["shop"]
        "Prices that somebody else had changed, as the last comparison with all that the shop has found them";
    AT_THE_CART = Gauge "tidegate_prices_at_the_cart" ["shop"]
        "Prices of lists that were brought out which a catalog cannot say";
    LISTS_AT_THE_CART = Gauge "tidegate_price_lists_at_the_cart" ["shop"]
        "Lists, one for each kind of buyer, that stay at the cart as a whole";
    UNCOMMITTED_BYTES = Gauge "tidegate_uncommitted_bytes" []
        "Bytes of bodies received and not yet committed";
    UNCOMMITTED_BYTES_MAX = Gauge "tidegate_uncommitted_bytes_max" []
        "The bound of the same; at the bound the intake answers 503";
    CONNECTIONS = Gauge "tidegate_connections" ["server"]
        "Open connections";
    STORE_COMMITTING = Gauge "tidegate_store_committing" []
        "1 while the store commits, 0 since it last could not";
    FREE_DISK_BYTES = Gauge "tidegate_free_disk_bytes" []
        "Free bytes where the data directory is";
    ENDED = Counter "tidegate_deliveries_ended" ["system", "flow", "outcome", "fault"]
        "Deliveries that ended or died, by outcome and fault";
    EXPORT_LAG = Histogram "tidegate_export_lag_seconds" ["system", "flow"]
        "From the change at the source to its existence in the target, whatever the way; the objective is 60 s";
    STOCK_LAG = Histogram "tidegate_stock_lag_seconds" ["flow", "shop"]
        "From a change of stock at its source to its acceptance by the target; where the source dated it after it had come, from its coming";
    STOCK_ON_TIME = Counter "tidegate_stock_on_time" ["flow", "shop", "met"]
        "Changes of stock that were accepted; met is yes within the flow's slo.export_lag. The objective is 95 % within 2 min";
    STOCK_DRIFT = Gauge "tidegate_stock_drift" ["flow", "shop", "cause"]
        "Pairs on which source and shop did not agree, by cause, as the newest full check found them, by cadence or by hand";
    STOCK_CHECKED_LAST = Gauge "tidegate_stock_checked_last_seconds" ["flow", "shop"]
        "Unix time at which the newest full check of stock that came to its end began";
    SOURCE_CLOCK = Gauge "tidegate_source_clock_seconds" ["system", "shop"]
        "The least time from a change's date at its source to its coming here, over the last hour: below 0 the source's clock is ahead of ours";
    CHANGES = Counter "tidegate_changes_folded" ["system", "shop", "outcome"]
        "Changes that a source told in place of states, as routing decided: folded, known (a copy, or in the state already), no_state (there is none yet to fold it into), refused";
    CALLS = Counter "tidegate_calls" ["system", "step", "fault"]
        "Calls to systems by step and fault; fault is none where it went well";
    CALL_DURATION = Histogram "tidegate_call_duration_seconds" ["system"]
        "How long calls to a system take";
    QUEUE_DEPTH = Gauge "tidegate_queue_depth" ["system", "state"]
        "Open deliveries: waiting, due of these, with an unknown answer, dead";
    QUEUE_AGE = Gauge "tidegate_queue_age_seconds" ["system"]
        "How long the oldest change has waited, whatever it waits for; 0 where nothing waits";
    IN_WORK = Gauge "tidegate_lanes_in_work" ["system"]
        "Lanes in work at a system";
    BREAKER = Gauge "tidegate_breaker_state" ["system"]
        "0 closed, 1 probing, 2 open";
    PAUSED = Gauge "tidegate_system_paused" ["system"]
        "1 while an operator has paused the system";
    LOG_ENVELOPES = Gauge "tidegate_log_envelopes" []
        "Facts in the log";
    LOG_UNROUTED = Gauge "tidegate_log_unrouted" []
        "Facts in the log that are not routed yet";
    LOG_PAYLOAD_BYTES = Gauge "tidegate_log_payload_bytes" []
        "Bytes of stored payloads, compressed and sealed";
    TOPIC_LAST = Gauge "tidegate_topic_last_seen_seconds" ["shop", "topic"]
        "Unix time of the newest fact of a topic, for silence";
    HANDS = Counter "tidegate_orders_touched_by_hand" ["action"]
        "Orders that a person released, skipped or replayed";
    MISSED = Counter "tidegate_missed_webhooks" ["shop"]
        "Changes that no webhook told of and the sweep found";
    REDACTIONS = Counter "tidegate_redactions" ["topic"]
        "Privacy requests that were carried out";
    NOTICES = Counter "tidegate_notices" ["notice", "severity"]
        "Notices raised; page and ticket go to the escalation sinks";
    ESCALATIONS_LOST = Counter "tidegate_escalations_lost" ["sink"]
        "Escalations that a sink could not deliver; they are in the log";
    BUILD = Gauge "tidegate_build_info" ["version", "revision"]
        "Always 1; the program's version and the revision of configuration and mappings in force";
}
