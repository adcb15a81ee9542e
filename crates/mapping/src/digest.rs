//! The digest of a JSON value: SHA-256 over its canonical bytes, which are compact JSON with sorted keys.
//! Two bodies have the same digest exactly when they are the same value.

use std::io;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Keys are sorted because `serde_json` keeps objects in a `BTreeMap` (its `preserve_order` is banned here).
pub(crate) fn canonical(value: &Value) -> [u8; 32] {
    let mut sink = Sink { hasher: Sha256::new(), pending: Vec::with_capacity(BLOCK) };
    // Writing to a hash cannot fail, and a `Value` has nothing that JSON cannot say.
    let written = serde_json::to_writer(&mut sink, value);
    debug_assert!(written.is_ok());
    sink.hasher.update(&sink.pending);
    sink.hasher.finalize().into()
}

const BLOCK: usize = 4096;

/// Collects the many small writes of the serializer into blocks.
struct Sink {
    hasher: Sha256,
    pending: Vec<u8>,
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() + bytes.len() > BLOCK {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
        if bytes.len() > BLOCK {
            self.hasher.update(bytes)
        } else {
            self.pending.extend_from_slice(bytes)
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    fn it_is_the_plain_hash_of_the_bytes_whatever_their_number() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let value = json!({"a": "x".repeat(length), "b": [1, 2, 3]});
            let bytes = serde_json::to_vec(&value).unwrap();
            let plain: [u8; 32] = Sha256::digest(&bytes).into();
            assert_eq!(canonical(&value), plain, "{length}");
        }
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
    }
}
