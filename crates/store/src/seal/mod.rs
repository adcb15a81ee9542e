//! Sealing (DESIGN section 7): payloads and all that is derived from them are compressed, then sealed under the data
//! key of their root; data keys are wrapped by the master key, which lies outside the data directory.
//!
//! Owns the forms of keys and of sealed bytes. Knows no table: what binds a value to its place is handed in as
//! [`Place`]. Randomness is a port ([`Random`]), filled from the operating system by the binary; never
//! `kernel::rng`, which is for simulation.

mod data_key;
mod master;
mod value;
pub mod vault;

pub use data_key::{DataKey, WRAPPED_BYTES};
pub use master::{KeyTextError, MasterKey};
pub use value::{CODEC_LZ4, CODEC_PLAIN, PLAIN_BYTES_MAX, Sealed, compress, expand};

use crate::error::StoreError;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// Where keys and nonces come from.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Fills the bytes from a cryptographic source, or says why it could not.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError>;
}

/// Sealed bytes that do not open: another key, another place, or altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: it was altered, moved, or belongs to another key")]
pub struct NotOpened;

/// Where a sealed value belongs: table, then row and column. It opens nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<u8>);

impl Place {
    /// Each part with its length, so that no two places have the same bytes.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
        for part in parts {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }

    fn with(&self, codec: u8) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.push(codec);
        bytes
    }
}

/// Nonce, ciphertext and tag of the bytes that `plain` appends.
fn encrypt(
    key: &[u8; 32],
    random: &dyn Random,
    aad: &[u8],
    plain_bytes: usize,
    plain: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(NONCE_BYTES + plain_bytes + TAG_BYTES);
    bytes.resize(NONCE_BYTES, 0);
    random.fill(&mut bytes)?;
    plain(&mut bytes);
    let (nonce, message) = bytes.split_at_mut(NONCE_BYTES);
    let nonce = XNonce::try_from(&*nonce).map_err(|_| StoreError::Bug("a nonce of another length".into()))?;
    let tag = XChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&nonce, aad, message.into())
        .map_err(|_| StoreError::Bug("a value too long to be sealed".into()))?;
    bytes.extend_from_slice(&tag);
    Ok(bytes)
}

fn decrypt(key: &[u8; 32], aad: &[u8], bytes: &[u8]) -> Result<Vec<u8>, NotOpened> {
    let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES).ok_or(NotOpened)?;
    let length = rest.len().checked_sub(TAG_BYTES).ok_or(NotOpened)?;
    let (message, tag) = rest.split_at(length);
    let nonce = XNonce::try_from(nonce).map_err(|_| NotOpened)?;
    let tag = chacha20poly1305::Tag::try_from(tag).map_err(|_| NotOpened)?;
    let mut plain = message.to_vec();
    XChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(&nonce, aad, plain.as_mut_slice().into(), &tag)
        .map_err(|_| NotOpened)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Different bytes on every call; for tests alone.
    #[derive(Debug, Default)]
    pub(super) struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
            for chunk in bytes.chunks_mut(8) {
                let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    #[test]
    fn no_two_places_have_the_same_bytes() {
        assert_ne!(Place::of(&[b"ab", b"c"]), Place::of(&[b"a", b"bc"]));
        assert_ne!(Place::of(&[b"ab"]), Place::of(&[b"ab", b""]));
    }
}
