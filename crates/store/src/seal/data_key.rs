//! Data keys: one for each root subject, wrapped by the master key. Who destroys the wrapped key has destroyed all
//! that was sealed under it.

use super::{MasterKey, NONCE_BYTES, NotOpened, Place, Random, Sealed, TAG_BYTES, decrypt, encrypt, value};
use crate::error::StoreError;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a wrapped data key.
pub const WRAPPED_BYTES: usize = NONCE_BYTES + 32 + TAG_BYTES;

/// The key of one root subject. Never printed; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl DataKey {
    pub fn generate(random: &dyn Random) -> Result<Self, StoreError> {
        let mut key = Self([0; 32]);
        random.fill(&mut key.0)?;
        Ok(key)
    }

    /// Wraps the key for its root.
    pub fn wrap(
        &self,
        master: &MasterKey,
        random: &dyn Random,
        place: &Place,
    ) -> Result<Vec<u8>, StoreError> {
        encrypt(master.bytes(), random, &place.0, 32, |bytes| bytes.extend_from_slice(&self.0))
    }

    pub fn unwrap(master: &MasterKey, place: &Place, wrapped: &[u8]) -> Result<Self, NotOpened> {
        let mut plain = decrypt(master.bytes(), &place.0, wrapped)?;
        let key = <[u8; 32]>::try_from(plain.as_slice()).map(Self).map_err(|_| NotOpened);
        plain.zeroize();
        key
    }

    /// Seals what [`super::compress`] gave, or any bytes with their codec.
    pub fn seal(
        &self,
        random: &dyn Random,
        place: &Place,
        codec: u8,
        bytes: &[u8],
    ) -> Result<Sealed, StoreError> {
        let aad = place.with(codec);
        let body = encrypt(&self.0, random, &aad, bytes.len(), |to| to.extend_from_slice(bytes))?;
        Ok(Sealed { codec, body })
    }

    /// Compresses where that helps, then seals.
    pub fn seal_plain(&self, random: &dyn Random, place: &Place, plain: &[u8]) -> Result<Sealed, StoreError> {
        let (codec, bytes) = super::compress(plain);
        self.seal(random, place, codec, &bytes)
    }

    /// The plain bytes.
    pub fn open(&self, place: &Place, sealed: &Sealed) -> Result<Vec<u8>, NotOpened> {
        let bytes = decrypt(&self.0, &place.with(sealed.codec), &sealed.body)?;
        value::expand(sealed.codec, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Counting;
    use super::*;

    fn place(root: &str) -> Place {
        Place::of(&[b"data_keys", b"acme", root.as_bytes()])
    }

    #[test]
    fn a_data_key_opens_under_its_master_key_and_root_alone() {
        let random = Counting::default();
        let (master, other) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
        let key = DataKey::generate(&random).unwrap();
        let wrapped = key.wrap(&master, &random, &place("order:1")).unwrap();
        assert_eq!(wrapped.len(), WRAPPED_BYTES);
        assert_eq!(DataKey::unwrap(&master, &place("order:1"), &wrapped).unwrap().0, key.0);
        assert!(DataKey::unwrap(&other, &place("order:1"), &wrapped).is_err());
        assert!(DataKey::unwrap(&master, &place("order:2"), &wrapped).is_err());
        // Rotation: wrapped anew, the same key.
        let again = key.wrap(&other, &random, &place("order:1")).unwrap();
        assert_eq!(DataKey::unwrap(&other, &place("order:1"), &again).unwrap().0, key.0);
    }

    #[test]
    fn a_tampered_byte_is_refused_wherever_it_is() {
        let random = Counting::default();
        let key = DataKey::generate(&random).unwrap();
        let master = MasterKey::from_bytes([1; 32]);
        let wrapped = key.wrap(&master, &random, &place("order:1")).unwrap();
        for at in 0..wrapped.len() {
            let mut bad = wrapped.clone();
            bad[at] ^= 1;
            assert!(DataKey::unwrap(&master, &place("order:1"), &bad).is_err(), "byte {at} of the key");
        }
        let body =
            br#"{"name":"a body that is long enough to be worth compressing, compressing, compressing"}"#;
        let sealed = key.seal_plain(&random, &place("order:1"), body).unwrap();
        for at in 0..sealed.body.len() {
            let mut bad = sealed.clone();
            bad.body[at] ^= 0x80;
            assert!(key.open(&place("order:1"), &bad).is_err(), "byte {at} of the body");
        }
        for length in 0..sealed.body.len() {
            let short = Sealed { codec: sealed.codec, body: sealed.body[..length].to_vec() };
            assert!(key.open(&place("order:1"), &short).is_err(), "cut to {length}");
        }
        let codec = Sealed { codec: sealed.codec ^ 1, ..sealed.clone() };
        assert!(key.open(&place("order:1"), &codec).is_err(), "another codec");
        assert!(key.open(&place("order:2"), &sealed).is_err(), "another place");
        assert!(DataKey::generate(&random).unwrap().open(&place("order:1"), &sealed).is_err(), "another key");
        assert_eq!(key.open(&place("order:1"), &sealed).unwrap(), body);
    }

    #[test]
    fn the_same_body_is_never_sealed_to_the_same_bytes() {
        let random = Counting::default();
        let key = DataKey::generate(&random).unwrap();
        let seal = || key.seal_plain(&random, &place("order:1"), b"the same").unwrap();
        assert_ne!(seal().body, seal().body);
    }
}
