//! The digest of a JSON value: SHA-256 over its canonical bytes, which are compact JSON with sorted keys.
//! Two bodies have the same digest exactly when they are the same value.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A body of an order seldom has more bytes; a longer one makes the buffer grow.
const BYTES_USUAL: usize = 8 * 1024;

/// Keys are sorted because `serde_json` keeps objects in a `BTreeMap` (its `preserve_order` is banned here).
pub(crate) fn canonical(value: &Value) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(BYTES_USUAL);
    // Writing to memory cannot fail, and a `Value` has nothing that JSON cannot say.
    let written = serde_json::to_writer(&mut bytes, value);
    debug_assert!(written.is_ok());
    Sha256::digest(&bytes).into()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_digest_is_of_the_value_and_not_of_the_order_of_keys() {
        let a: Value = serde_json::from_str(r#"{"b": [1, "x"], "a": null}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{ "a":null,"b":[1,"x"] }"#).unwrap();
        assert_eq!(canonical(&a), canonical(&b));
        assert_ne!(canonical(&a), canonical(&json!({"b": ["x", 1], "a": null})));
    }

    #[test]
    fn it_is_the_plain_hash_of_compact_json() {
        let bytes = br#"{"a":"x","b":[1,2.5]}"#;
        let plain: [u8; 32] = Sha256::digest(bytes).into();
        assert_eq!(canonical(&json!({"b": [1, 2.5], "a": "x"})), plain);
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
    }
}
