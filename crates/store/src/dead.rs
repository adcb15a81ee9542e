//! What groups dead letters (the fingerprint of flow, kind, code and field; never a text that a target wrote) and
//! why one was closed without a person. Nothing here closes by age.

use crate::delivery::Outcome;
use kernel::fault::Fault;
use kernel::id::FlowName;

/// `orders_to_erp/rejected/unknown_item/lines[].sku`: the number of a line is no part of it.
pub fn fingerprint(flow: &FlowName, fault: &Fault) -> String {
    let mut text = format!("{flow}/{}/{}", fault.kind, fault.code);
    if let Some(field) = &fault.field {
        text.push('/');
        push_without_numbers(&mut text, field);
    }
    text
}

/// Drops numbers that are a whole part of the path, between separators; keeps those within a name (`address2`).
fn push_without_numbers(text: &mut String, field: &str) {
    for part in field.split_inclusive(['.', '[', ']', '/']) {
        let digits = part.trim_end_matches(['.', '[', ']', '/']);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            text.push_str(&part[digits.len()..]);
        } else {
            text.push_str(part);
        }
    }
}

/// The reason that stands at a dead letter which its outcome closed.
pub fn closed_because(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered { note: Some(note) } => format!("delivered: {note}"),
        Outcome::Delivered { note: None } => "delivered".into(),
        Outcome::Superseded { by } => format!("a newer state took its place (position {by})"),
        Outcome::Unchanged => "the target has it already".into(),
        Outcome::Filtered { rule } => format!("filtered: {rule}"),
        Outcome::Skipped { who, why } => format!("skipped by {who}: {why}"),
        Outcome::Shadowed { .. } => "the flow is in shadow mode".into(),
        Outcome::Redacted => "its data was redacted".into(),
        Outcome::Read { found: true } => "the source was read".into(),
        Outcome::Read { found: false } => "the source has it no more".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::fault::FaultKind;

    #[test]
    fn the_same_fault_on_another_line_is_the_same_fault() {
        let flow = FlowName::new("orders").unwrap();
        let of = |code: &str, field: &str| {
            let fault = Fault::new(FaultKind::Rejected, code, "whatever the target said").field(field);
            fingerprint(&flow, &fault)
        };
        assert_eq!(of("unknown_item", "lines[3].sku"), "orders/rejected/unknown_item/lines[].sku");
        assert_eq!(of("unknown_item", "lines[3].sku"), of("unknown_item", "lines[14].sku"));
        assert_eq!(of("x", "lines.3.sku"), of("x", "lines.4.sku"));
        assert_ne!(of("x", "address1"), of("x", "address2"));
        assert_ne!(of("x", "lines[3].sku"), of("y", "lines[3].sku"));
    }
}
