//! What an answer of Tryton means. Owns the reading of its error form, which comes with HTTP status 200; a text is
//! shown and never judged by. A rule that Tryton names (`UserError`) has undone all of its call; an exception that it
//! does not name may have come after the commit.

use super::code;
use connector::outbound::{Access, Answer};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

/// What came of a call, or the fault that the answer means.
pub(super) fn result(answer: Answer) -> Result<Value, Fault> {
    let answer = answer.success()?;
    let body: Value = answer.json()?;
    if let Some(error) = body.get("error") {
        return Err(refused(&answer, error));
    }
    match body.get("result") {
        // The body as it was sent: whatever stands in for Tryton and does not repeat the id did not understand.
        Some(result) if body.get("id") == Some(&Value::from(super::rpc::CALL_ID)) => Ok(result.clone()),
        _ => Err(answer.unreadable(format!("it is no answer to a call: {}", answer.excerpt()))),
    }
}

/// The name of the warning that an answer wants a yes for.
pub(super) fn warning(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let error = body.get("error").filter(|error| error[0] == "UserWarning")?;
    error.pointer("/1/0")?.as_str().map(str::to_owned)
}

/// `["UserError", [message, description, domain]]` and its like.
fn refused(answer: &Answer, error: &Value) -> Fault {
    let name = error.get(0).and_then(Value::as_str).unwrap_or_default();
    let part = |at: usize| error.pointer(&format!("/1/{at}")).and_then(Value::as_str).unwrap_or_default();
    let said = |texts: [&str; 2]| {
        let text = texts.map(str::trim).into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        answer.redacted(&without_addresses(&text.join(" ")))
    };
    match name {
        "UserError" => Fault::new(
            FaultKind::Rejected,
            code::RULE,
            format!("Tryton refuses it: {}", said([part(0), part(1)])),
        ),
        "UserWarning" => Fault::new(
            FaultKind::Rejected,
            code::WARNING,
            format!(
                "Tryton wants a yes first, warning {}: {}",
                said([part(0), ""]),
                said([part(1), part(2)])
            ),
        ),
        "ConcurrencyException" => {
            let what = "somebody else has changed it in Tryton since it was looked at: it is looked at again";
            Fault::new(FaultKind::Conflict, code::CHANGED, what)
        }
        "LoginException" => {
            let what = "Tryton wants more than a password to log in: use a user that needs only that";
            Fault::new(FaultKind::Unauthorized, code::LOG_IN, what)
        }
        unnamed => {
            let (kind, outcome) = match answer.access {
                Access::Write => (FaultKind::Ambiguous, "whether it was done is looked up"),
                Access::Read | Access::Health => (FaultKind::Transient, "nothing was changed"),
            };
            let what = format!(
                "Tryton broke off with an error of its own ({}); {outcome}",
                answer.redacted(unnamed)
            );
            Fault::new(kind, code::BROKE_OFF, what)
        }
    }
}

/// Tryton quotes the records that it means, and an address is quoted whole. A quoted text of several parts is left out.
fn without_addresses(text: &str) -> String {
    let is_address = |part: &str| part.matches(", ").count() > 1;
    let parts = text.split('"').enumerate();
    let shown: Vec<&str> =
        parts.map(|(at, part)| if at % 2 == 1 && is_address(part) { "…" } else { part }).collect();
    shown.join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_no_address() {
        let said = "The value \"Harbour Retail B.V., Havenstraat 12, 3011 AA, Rotterdam, NL\" for field \"Invoice Address\" in \
                    record \"[p5]\" of \"Sale\" is not valid according to its domain.";
        let shown = without_addresses(said);
        assert_eq!(
            shown,
            "The value \"…\" for field \"Invoice Address\" in record \"[p5]\" of \"Sale\" is not valid according to its \
             domain."
        );
        assert_eq!(without_addresses("no quotes, at, all"), "no quotes, at, all");
    }
}
