//! The canonical form's bytes, its digest and its published schema.

use kernel::version::{CameBy, EffectiveVersion};
use schemars::generate::SchemaSettings;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::model::Order;

/// The canonical form as JSON bytes: members sorted by name, no blanks. Equal orders give equal bytes, whichever
/// form they were read from.
///
/// # Errors
/// Only what `serde_json` reports; nothing in an [`Order`] can fail to be written.
pub fn canonical_bytes(order: &Order) -> Result<Vec<u8>, serde_json::Error> {
    // Through a `Value`, whose objects are sorted maps (`preserve_order` is banned in this workspace).
    serde_json::to_vec(&serde_json::to_value(order)?)
}

/// What tells two states of the same instant apart, and a state from the echo of our own write-back.
///
/// Covers the canonical form without `updated_at` (our own write moves it; our tags and metafields are not in the
/// canonical form at all) and the identities of refunds and fulfilments, so that of two refunds within one second
/// neither hides the other.
///
/// # Errors
/// As [`canonical_bytes`].
pub fn digest(order: &Order) -> Result<[u8; 32], serde_json::Error> {
    Ok(with_digest(order)?.1)
}

/// The canonical form as a tree, and its [`digest`]: both in one, because a tree costs more than all else of reading.
///
/// # Errors
/// As [`canonical_bytes`].
pub fn with_digest(order: &Order) -> Result<(Value, [u8; 32]), serde_json::Error> {
    let mut value = serde_json::to_value(order)?;
    let updated_at = value.as_object_mut().and_then(|members| members.remove_entry("updated_at"));
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&value)?);
    if let (Some(members), Some((name, updated_at))) = (value.as_object_mut(), updated_at) {
        members.insert(name, updated_at);
    }
    let mut keys: Vec<String> = order
        .events
        .iter()
        .filter(|event| event.in_both_forms())
        .map(|event| format!("\n{} {}", event.key(), event.status.as_deref().unwrap_or("")))
        .collect();
    keys.sort_unstable();
    keys.iter().for_each(|key| hash.update(key.as_bytes()));
    Ok((value, hash.finalize().into()))
}

/// The effective version of a state: Shopify dates orders in whole seconds and does not number them.
///
/// # Errors
/// As [`canonical_bytes`].
pub fn effective_version(order: &Order, came_by: CameBy) -> Result<EffectiveVersion, serde_json::Error> {
    Ok(EffectiveVersion::Dated { updated_at: order.updated_at, digest: digest(order)?, came_by })
}

/// The JSON Schema of the canonical order, pretty-printed and ending in a line break, as published in `docs/`.
///
/// # Errors
/// As [`canonical_bytes`].
pub fn json_schema() -> Result<String, serde_json::Error> {
    // As it is written, not as it may be read: every member is required, null where nothing is known.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Order>();
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}
