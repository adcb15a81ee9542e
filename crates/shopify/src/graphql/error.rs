//! What Shopify's errors mean (DESIGN section 5). Owns the table from codes to kinds; no error is matched by its text.

use super::document::Document;
use connector::outbound::{Access, Answer};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

/// A top-level error, as far as we read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) code: Option<String>,
    /// `order.email`.
    pub(super) path: Option<String>,
    pub(super) is_protected_data: bool,
}

/// Our own codes; each has a page in `docs/errors/`.
pub(super) mod code {
    /// The document does not fit the API version.
    pub(crate) const DOCUMENT: &str = "TG-6102";
    /// Shopify answers with another version than was asked, and it does not take our documents.
    pub(crate) const VERSION: &str = "TG-6103";
}

/// The fault of an answer with top-level errors; the one that says most about what to do next.
pub(super) fn judge(
    answer: &Answer,
    document: &Document,
    errors: &[Said],
    other_version: Option<&str>,
) -> Option<Fault> {
    let faults = errors.iter().map(|said| one(answer, document, said, other_version));
    faults.min_by_key(|fault| rank(fault.kind))
}

/// What concerns the whole shop goes before what concerns one call.
fn rank(kind: FaultKind) -> u8 {
    match kind {
        FaultKind::Throttled => 0,
        FaultKind::Unauthorized => 1,
        FaultKind::Ambiguous | FaultKind::Transient => 2,
        FaultKind::Bug => 3,
        FaultKind::Conflict => 4,
        FaultKind::Rejected => 5,
    }
}

fn one(answer: &Answer, document: &Document, said: &Said, other_version: Option<&str>) -> Fault {
    let code = said.code.as_deref().unwrap_or_default();
    let text = answer.redacted(&said.message);
    let kind = kind_of(answer.access, code);
    let fault = match (kind, other_version) {
        (FaultKind::Bug, Some(version)) => Fault::new(
            FaultKind::Unauthorized,
            code::VERSION,
            format!(
                "Shopify answers with API version {version} and does not take {} ({text}): the configured version \
                 has ended; update Tidegate, then api_version",
                document.name
            ),
        ),
        (FaultKind::Bug, None) => Fault::new(
            FaultKind::Bug,
            code::DOCUMENT,
            format!("Shopify does not take the document {} ({code}): {text}", document.name),
        ),
        (FaultKind::Unauthorized, _) => Fault::new(
            kind,
            code,
            format!(
                "Shopify refuses {} to this app ({text}): `tidegate doctor` compares its scopes",
                document.name
            ),
        ),
        (FaultKind::Throttled, _) => {
            Fault::new(kind, code, format!("the shop's cost bucket is too low for {}", document.name))
        }
        _ => {
            let code = if code.is_empty() { "graphql_error" } else { code };
            Fault::new(kind, code, format!("Shopify refuses {}: {text}", document.name))
        }
    };
    match &said.path {
        Some(path) => fault.field(path),
        None => fault,
    }
}

fn kind_of(access: Access, code: &str) -> FaultKind {
    match code {
        "THROTTLED" => FaultKind::Throttled,
        "ACCESS_DENIED" | "SHOP_INACTIVE" | "UNAUTHORIZED" | "FORBIDDEN" => FaultKind::Unauthorized,
        "IDEMPOTENCY_CONCURRENT_REQUEST" => FaultKind::Conflict,
        "BAD_REQUEST"
        | "INVALID_VARIABLE"
        | "RESOURCE_NOT_FOUND"
        | "NOT_FOUND"
        | "MAX_INPUT_SIZE_EXCEEDED"
        | "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        | "invalidOneOfInputObject" => FaultKind::Rejected,
        "MAX_COST_EXCEEDED" | "PARSE_ERROR" => FaultKind::Bug,
        // What the validation of a document says is spelled so: `undefinedField`, `argumentNotAccepted`.
        code if code.starts_with(|first: char| first.is_ascii_lowercase()) => FaultKind::Bug,
        // INTERNAL_SERVER_ERROR, TIMEOUT, none at all, and what we do not know: nothing is concluded from it.
        _ if access == Access::Write => FaultKind::Ambiguous,
        _ => FaultKind::Transient,
    }
}

/// One of `userErrors`. Many have no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserError {
    pub(crate) code: Option<String>,
    /// `input.quantities.3.changeFromQuantity`.
    pub(crate) field: Option<String>,
    /// As a person may see it.
    pub(crate) message: String,
}

impl UserError {
    pub(super) fn read(answer: &Answer, error: &Value) -> Self {
        let text = |name: &str| error.get(name).and_then(Value::as_str);
        Self {
            code: text("code").map(str::to_owned),
            field: error.get("field").and_then(path),
            message: answer.redacted(text("message").unwrap_or("no reason given")),
        }
    }

    /// The write was refused, as a whole; `count` errors say so, of which this is one.
    pub(crate) fn fault(self, what: &str, count: usize) -> Fault {
        let code = self.code.as_deref().unwrap_or("user_error");
        let kind = match code {
            "STALE_OBJECT"
            | "CHANGE_FROM_QUANTITY_STALE"
            | "COMPARE_QUANTITY_STALE"
            | "IDEMPOTENCY_CONCURRENT_REQUEST"
            | "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" => FaultKind::Conflict,
            "SERVICE_UNAVAILABLE" => FaultKind::Transient,
            _ => FaultKind::Rejected,
        };
        let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
        let fault = Fault::new(kind, code, format!("Shopify refuses {what}: {}{more}", self.message));
        match self.field {
            Some(field) => fault.field(field),
            None => fault,
        }
    }
}

/// A path is null, a text, or a list of names and numbers.
pub(super) fn path(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let part = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
            Some(parts.iter().map(part).collect::<Vec<_>>().join("."))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_codes() {
        use FaultKind::*;
        let table = [
            ("THROTTLED", [Throttled, Throttled]),
            ("ACCESS_DENIED", [Unauthorized, Unauthorized]),
            ("SHOP_INACTIVE", [Unauthorized, Unauthorized]),
            ("MAX_COST_EXCEEDED", [Bug, Bug]),
            ("undefinedField", [Bug, Bug]),
            ("INVALID_VARIABLE", [Rejected, Rejected]),
            ("RESOURCE_NOT_FOUND", [Rejected, Rejected]),
            ("INTERNAL_SERVER_ERROR", [Transient, Ambiguous]),
            ("", [Transient, Ambiguous]),
            ("WHATEVER_COMES", [Transient, Ambiguous]),
        ];
        for (code, kinds) in table {
            for (access, kind) in [Access::Read, Access::Write].into_iter().zip(kinds) {
                assert_eq!(kind_of(access, code), kind, "{code} {access:?}");
            }
        }
    }

    #[test]
    fn a_path_is_a_list_a_text_or_nothing() {
        use serde_json::json;
        for (value, expected) in [
            (json!(["metafields", "0", "value"]), Some("metafields.0.value")),
            (json!(["order", 3, "id"]), Some("order.3.id")),
            (json!("id"), Some("id")),
            (json!(null), None),
        ] {
            assert_eq!(path(&value).as_deref(), expected);
        }
    }
}
