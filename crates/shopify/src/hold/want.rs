//! What the mapping made of a refusal. Refuses what says nothing certain, with its field.

use super::code;
use crate::mapped::wrong;
use kernel::fault::Fault;
use serde_json::Value;

/// Characters of a handle.
const HANDLE_MAX: usize = 64;
/// Of what people read beside a hold.
const NOTES_MAX: usize = 255;
/// Shopify's own (shopify.dev: `FulfillmentHoldReason`).
const REASONS: [&str; 8] = [
    "AWAITING_PAYMENT",
    "AWAITING_RETURN_ITEMS",
    "HIGH_RISK_OF_FRAUD",
    "INCORRECT_ADDRESS",
    "INVENTORY_OUT_OF_STOCK",
    "ONLINE_STORE_POST_PURCHASE_CROSS_SELL",
    "OTHER",
    "UNKNOWN_DELIVERY_DATE",
];
/// Where the mapping names none.
const OTHER: &str = "OTHER";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) handle: String,
    pub(super) reason: &'static str,
    pub(super) notes: Option<String>,
}

impl Want {
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        let handle = text(body, "hold")?.filter(|handle| handle.chars().count() <= HANDLE_MAX);
        let handle = handle.ok_or_else(|| wrong(code::BODY, "hold", "a text of up to 64 characters"))?;
        let named = text(body, "reason")?;
        let known = |named: &str| REASONS.iter().find(|reason| **reason == named).copied();
        let reason = known(named.as_deref().unwrap_or(OTHER));
        let notes = text(body, "notes")?.map(|notes| notes.chars().take(NOTES_MAX).collect());
        Ok(Self {
            handle,
            reason: reason.ok_or_else(|| wrong(code::BODY, "reason", &REASONS.join(", ")))?,
            notes,
        })
    }
}

fn text(of: &Value, name: &str) -> Result<Option<String>, Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(code::BODY, name, "a text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_that_says_nothing_certain_is_refused_with_its_field() {
        let good = json!({ "hold": " orders_to_wms ", "reason": "INVENTORY_OUT_OF_STOCK", "notes": "x".repeat(300) });
        let want = Want::read(&good).unwrap();
        assert_eq!((want.handle.as_str(), want.reason), ("orders_to_wms", "INVENTORY_OUT_OF_STOCK"));
        assert_eq!(want.notes.unwrap().len(), 255);
        let least = Want::read(&json!({ "hold": "a", "notes": null })).unwrap();
        assert_eq!((least.reason, least.notes), (OTHER, None));
        for (field, body) in [
            ("hold", json!({})),
            ("hold", json!({ "hold": "  " })),
            ("hold", json!({ "hold": "x".repeat(65) })),
            ("reason", json!({ "hold": "a", "reason": "no_stock" })),
            ("notes", json!({ "hold": "a", "notes": 1 })),
        ] {
            let fault = Want::read(&body).unwrap_err();
            assert_eq!((fault.code.as_str(), fault.field.as_deref()), (code::BODY, Some(field)), "{body}");
        }
    }
}
