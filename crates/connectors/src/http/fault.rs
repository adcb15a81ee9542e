//! What a refusal of the target means: first what the configuration declares for its code, then for its status, then
//! what HTTP says. Owns the reading of code, text, field and missing value.

use super::config::{Declared, Faults};
use super::object::scalar;
use connector::outbound::{Answer, classify};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

impl Faults {
    /// An answer whose status is no success. `sent` is the wanted body, for the value at a field.
    pub(super) fn of(&self, answer: &Answer, sent: &Value) -> Fault {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let status = answer.status.as_u16();
        let code = self.code_in(&body);
        let declared =
            code.as_ref().and_then(|code| self.codes.get(code)).or_else(|| self.statuses.get(&status));
        let by_http = classify::status(answer);
        let kind = match declared {
            Some(Declared::Kind(kind)) => *kind,
            Some(Declared::Missing(_)) => FaultKind::Rejected,
            None => by_http.as_ref().map_or(FaultKind::Rejected, |fault| fault.kind),
        };
        let text = by_http.as_ref().map_or_else(|| answer.excerpt(), |fault| fault.message.clone());
        let code_shown = code.clone().unwrap_or_else(|| {
            by_http.as_ref().map_or_else(|| format!("http_{status}"), |fault| fault.code.clone())
        });
        let mut fault = self.worded(answer, &body, kind, code_shown, text);
        fault.retry_after = answer.retry_after();
        if let Some(Declared::Missing(kind)) = declared {
            self.name_missing(&mut fault, kind, &body, sent);
        }
        fault
    }

    /// A fault in an answer whose status is a success: a declared code, or any code where there is no object.
    pub(super) fn in_success(
        &self,
        answer: &Answer,
        body: &Value,
        sent: &Value,
        has_object: bool,
    ) -> Option<Fault> {
        let code = self.code_in(body)?;
        match self.codes.get(&code) {
            None if has_object => None,
            declared => {
                let kind = match declared {
                    Some(Declared::Kind(kind)) => *kind,
                    Some(Declared::Missing(_)) | None => FaultKind::Rejected,
                };
                let mut fault = self.worded(answer, body, kind, code, answer.excerpt());
                if let Some(Declared::Missing(kind)) = declared {
                    self.name_missing(&mut fault, kind, body, sent);
                }
                Some(fault)
            }
        }
    }

    fn code_in(&self, body: &Value) -> Option<String> {
        scalar(body, self.code.as_ref()?)
    }

    fn worded(&self, answer: &Answer, body: &Value, kind: FaultKind, code: String, text: String) -> Fault {
        let message = self.message.as_ref().and_then(|at| scalar(body, at));
        let message = match message {
            Some(message) => format!("the target says: {}", answer.redacted(&message)),
            None => text,
        };
        let mut fault = Fault::new(kind, answer.redacted(&code), message);
        fault.field =
            self.field.as_ref().and_then(|at| scalar(body, at)).map(|field| answer.redacted(&field));
        fault
    }

    fn name_missing(&self, fault: &mut Fault, kind: &str, body: &Value, sent: &Value) {
        let told = self.value.as_ref().and_then(|at| scalar(body, at));
        let value = told.or_else(|| scalar(sent, &pointer_of(fault.field.as_deref()?)));
        if let Some(value) = value {
            *fault = fault.clone().missing(kind, value);
        }
    }
}

/// `lines[3].sku`, `lines.3.sku` and `/lines/3/sku` as a JSON pointer.
fn pointer_of(field: &str) -> String {
    if field.starts_with('/') {
        return field.to_owned();
    }
    let parts = field.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.fold(String::new(), |pointer, part| format!("{pointer}/{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_however_it_is_spelled() {
        for field in ["lines[3].sku", "lines.3.sku", "/lines/3/sku"] {
            assert_eq!(pointer_of(field), "/lines/3/sku", "{field}");
        }
        assert_eq!(pointer_of("party"), "/party");
    }
}
