//! What an answer of Medusa means. Owns the reading of its error form, `{"type", "message"}`; the type and the status decide, a
//! text is shown and never judged by. A 500 on a write may have come after the commit: whether it was done is looked up.

use super::code;
use connector::outbound::{Answer, classify};
use http::StatusCode;
use kernel::fault::{Fault, FaultKind};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

/// What came of a call, or the fault that the answer means.
pub(super) fn result(answer: &Answer) -> Result<Value, Fault> {
    let Some(by_status) = classify::status(answer) else {
        let body: Value = answer.json()?;
        // Whatever stands in for Medusa and gives no object did not understand.
        return if body.is_object() {
            Ok(body)
        } else {
            Err(answer.unreadable(format!("it is no answer of Medusa: {}", answer.excerpt())))
        };
    };
    let refused = by_status.kind == FaultKind::Rejected
        && matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND);
    match serde_json::from_slice::<Said>(&answer.body) {
        Ok(Said { kind: Some(kind), message: Some(message) }) if refused => {
            let what =
                format!("Medusa refuses it ({}): {}", answer.redacted(&kind), answer.redacted(&message));
            Err(Fault::new(FaultKind::Rejected, code::REFUSED, what))
        }
        _ => Err(by_status),
    }
}

/// Of the confirmation of an edit. Medusa frees what was reserved for its lines and reserves what is left of them anew; by its own
/// reckoning, which edits at the same time confuse, there can be too little for a moment. So it is tried again.
pub(super) fn of_edit(answer: &Answer, refused: Fault) -> Fault {
    let said = serde_json::from_slice::<Said>(&answer.body).ok().and_then(|said| said.kind);
    if refused.code != code::REFUSED || said.as_deref() != Some("not_allowed") {
        return refused;
    }
    let what = format!(
        "{}; it is tried again, because other edits of the same items can be the reason",
        refused.message
    );
    Fault::new(FaultKind::Conflict, code::SHORT, what)
}
