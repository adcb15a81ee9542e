//! The one list of field names of structured logs. A field that is not here is not logged; none of them ever holds a
//! payload, a secret or personal data.

/// Name and meaning, sorted by name.
pub const FIELDS: &[(&str, &str)] = &[
    ("admin.who", "who asked for an intervention, as the operator's tool named them"),
    ("body.bytes", "length of a body as received"),
    ("body.path", "JSON path of what is wrong in a body; never the value"),
    ("call.step", "`observe`, `read`, `health`, `look`, or the step's name"),
    ("call.took_ms", "how long a call took"),
    ("customer.id", "the source's numeric id of a customer, in a privacy request"),
    ("delivery.id", "a delivery"),
    ("delivery.outcome", "`delivered`, `unchanged`, `superseded`, `filtered`, `dead`, …"),
    ("envelope.position", "place of a fact in the log"),
    ("error.code", "a code with a page in docs/errors"),
    ("error.message", "what failed, where it is a text of our own"),
    ("fault.code", "code of a fault, as its connector classified it"),
    ("fault.field", "the field that is at fault, as a path"),
    ("fault.kind", "`transient`, `throttled`, `ambiguous`, `conflict`, `unauthorized`, `rejected`, `bug`"),
    ("flow.name", "a configured flow"),
    ("http.reason", "why the intake answered as it did"),
    ("http.status", "status of an answer"),
    ("ids.count", "how many objects stand under one key"),
    ("notice.name", "which notice: `breaker_opened`, `dead_letter`, …"),
    ("notice.severity", "`info`, `ticket` or `page`"),
    ("peer.address", "who connected, before any proxy header is believed"),
    ("redaction.id", "a certificate of destroyed keys"),
    ("server.name", "which listener: `public` or `operator`"),
    ("shop.id", "a configured shop"),
    ("shop.other", "the permanent domain that a body names in place of its header's"),
    ("since.s", "for how many seconds something lasts"),
    ("subject.id", "what a fact is about: `acme/order:5678`"),
    ("system.name", "a configured system"),
    ("topic.name", "a topic as the source spells it"),
    ("trace.id", "W3C trace id, from intake to target"),
    ("webhook.id", "`X-Shopify-Webhook-Id`"),
    ("work.count", "how many pieces of work are due, or were touched"),
];

/// Whether a field may be logged.
pub fn is_field(name: &str) -> bool {
    FIELDS.binary_search_by(|(known, _)| (*known).cmp(name)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_dotted_and_found() {
        assert!(FIELDS.is_sorted_by(|a, b| a.0 < b.0));
        for (name, meaning) in FIELDS {
            assert!(is_field(name) && name.split('.').count() == 2 && !meaning.is_empty(), "{name}");
        }
        assert!(!is_field("customer.email"));
    }
}
