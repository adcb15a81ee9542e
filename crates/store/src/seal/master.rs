//! The master key: 32 bytes that wrap every data key. It is read from a file outside the data directory; the store
//! keeps a check value, so that a wrong key is refused before anything is written.

use super::Random;
use crate::error::StoreError;
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The key that wraps all data keys. Never printed; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

/// Why the text of a key file is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a master key is 32 bytes, written as 64 hexadecimal digits or as base64; this text is neither. `tidegate init` makes one"
)]
pub struct KeyTextError;

impl MasterKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key. Bytes that are all the same are refused: such a source is broken.
    pub fn generate(random: &dyn Random) -> Result<Self, StoreError> {
        let mut key = Self([0; 32]);
        random.fill(&mut key.0)?;
        if key.0.iter().all(|byte| *byte == key.0[0]) {
            return Err(StoreError::Bug(
                "the source of randomness gives the same byte again and again".into(),
            ));
        }
        Ok(key)
    }

    /// The text of a key file: 64 hexadecimal digits or base64 (standard or URL-safe), with blanks around it.
    pub fn from_text(text: &str) -> Result<Self, KeyTextError> {
        let text = text.trim();
        let mut key = Self([0; 32]);
        let read = if text.len() == 64 { read_hex(text, &mut key.0) } else { read_base64(text, &mut key.0) };
        read.map(|()| key).ok_or(KeyTextError)
    }

    /// 64 hexadecimal digits, for the key file.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(kernel::key::hex(&self.0))
    }

    /// What a store keeps to tell a wrong key. It says nothing about the key and differs from store to store.
    pub fn check_value(&self, installation: &str) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(b"tidegate master key check 1");
        hash.update(self.0);
        hash.update(installation.as_bytes());
        let mut value = [0; 16];
        value.copy_from_slice(&hash.finalize()[..16]);
        value
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn read_hex(text: &str, key: &mut [u8; 32]) -> Option<()> {
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(*pair.get(1)?)?).ok()?;
    }
    Some(())
}

/// 43 digits for 32 bytes, with or without the `=` at the end; the bits left over must be zero.
fn read_base64(text: &str, key: &mut [u8; 32]) -> Option<()> {
    let digits = text.strip_suffix('=').unwrap_or(text);
    if digits.len() != 43 {
        return None;
    }
    let (mut bits, mut count, mut filled) = (0_u32, 0, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            *key.get_mut(filled)? = u8::try_from((bits >> count) & 0xFF).ok()?;
            filled += 1;
        }
    }
    (filled == 32 && bits & ((1 << count) - 1) == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::Counting;
    use super::*;

    #[test]
    fn a_key_is_read_from_hex_and_base64_and_nothing_else() {
        let bytes: [u8; 32] = std::array::from_fn(|i| (i * 37 + 250) as u8);
        let hex = kernel::key::hex(&bytes);
        let base64 = "+h9EaY6z2P0iR2yRttsAJUpvlLneAyhNcpe84QYrUHU=";
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            format!(" {hex}\n"),
            base64.into(),
            base64.trim_end_matches('=').into(),
            base64.replace('+', "-").replace('/', "_"),
        ] {
            assert_eq!(MasterKey::from_text(&text).unwrap().bytes(), &bytes, "{text}");
        }
        let long = format!("{hex}00");
        for bad in ["", "secret", &hex[1..], &long, &base64[1..], &base64.replace('=', "B"), &"é".repeat(32)]
        {
            assert_eq!(MasterKey::from_text(bad).err(), Some(KeyTextError), "{bad}");
        }
    }

    #[test]
    fn a_new_key_is_another_each_time_and_never_printed() {
        let random = Counting::default();
        let (a, b) = (MasterKey::generate(&random).unwrap(), MasterKey::generate(&random).unwrap());
        assert_ne!(a.bytes(), b.bytes());
        assert_eq!(MasterKey::from_text(&a.to_text()).unwrap().bytes(), a.bytes());
        assert!(!format!("{a:?}").contains(&a.to_text()[..8]));
    }

    #[test]
    fn the_check_value_tells_key_and_store() {
        let (a, b) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
        assert_eq!(a.check_value("x"), a.check_value("x"));
        assert_ne!(a.check_value("x"), b.check_value("x"));
        assert_ne!(a.check_value("x"), a.check_value("y"));
    }
}
