//! A pair's name as 128 bits, so that a million of them fit where their texts would not. Owns the claim that two pairs do not
//! meet: by a keyed hash of 128 bits, of a hundred million pairs two have the same one with a probability of 10⁻²³.

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::hash::Hasher as _;

/// The key, chosen by chance by whoever compares: nobody can choose SKUs that meet.
#[derive(Debug, Clone, Copy)]
pub struct Key(pub [u64; 2]);

impl Key {
    pub(super) fn name(self, sku: &str, location: &str) -> u128 {
        self.of(&[sku, location])
    }

    /// Of a name in several parts.
    pub(super) fn of(self, parts: &[&str]) -> u128 {
        let mut hash = SipHasher13::new_with_keys(self.0[0], self.0[1]);
        for (index, part) in parts.iter().enumerate() {
            // In no text: `A` at `BC` is not `AB` at `C`.
            if index > 0 {
                hash.write(&[0xFF]);
            }
            hash.write(part.as_bytes());
        }
        hash.finish128().as_u128()
    }
}
