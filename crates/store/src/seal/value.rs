//! A sealed value and its codec. Compression comes before sealing, and only where it makes the value smaller.

use super::NotOpened;
use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use std::borrow::Cow;
use std::cell::RefCell;

/// As it is.
pub const CODEC_PLAIN: u8 = 0;
/// An lz4 block with its length before it.
pub const CODEC_LZ4: u8 = 1;
/// No value of the store is longer; a length beyond it is refused before memory is taken.
pub const PLAIN_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Shorter values are not worth the call.
const COMPRESS_BYTES_MIN: usize = 64;

/// A compressed, sealed value: nonce, ciphertext, tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub codec: u8,
    pub body: Vec<u8>,
}

impl Sealed {
    /// One column for small values: codec, the number of the data key, body.
    pub fn to_column(&self, key: i64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(9 + self.body.len());
        bytes.push(self.codec);
        bytes.extend_from_slice(&key.to_be_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The number of the data key and the value.
    pub fn from_column(bytes: &[u8]) -> Result<(i64, Self), NotOpened> {
        let (head, body) = bytes.split_at_checked(9).ok_or(NotOpened)?;
        let key = head[1..].try_into().map(i64::from_be_bytes).map_err(|_| NotOpened)?;
        Ok((key, Self { codec: head[0], body: body.to_vec() }))
    }
}

/// The shorter form of a value, with its codec.
pub fn compress(plain: &[u8]) -> (u8, Cow<'_, [u8]>) {
    if plain.len() >= COMPRESS_BYTES_MIN {
        let packed = TABLE.with_borrow_mut(|table| pack(plain, table));
        if let Some(packed) = packed.filter(|packed| packed.len() < plain.len()) {
            return (CODEC_LZ4, packed.into());
        }
    }
    (CODEC_PLAIN, plain.into())
}

thread_local! {
    /// Of one thread, used again: to make one anew costs more than to compress an order.
    static TABLE: RefCell<CompressTable> = RefCell::new(CompressTable::small());
}

/// LZ4 with the length before it, as `lz4_flex::block::decompress_size_prepended` reads it.
fn pack(plain: &[u8], table: &mut CompressTable) -> Option<Vec<u8>> {
    const LENGTH_BYTES: usize = 4;
    let length = u32::try_from(plain.len()).ok()?;
    let mut packed = vec![0; LENGTH_BYTES + get_maximum_output_size(plain.len())];
    let (head, body) = packed.split_at_mut(LENGTH_BYTES);
    head.copy_from_slice(&length.to_le_bytes());
    let written = compress_into_with_table(plain, body, table).ok()?;
    packed.truncate(LENGTH_BYTES + written);
    Some(packed)
}

/// What [`compress`] was given.
pub fn expand(codec: u8, bytes: Vec<u8>) -> Result<Vec<u8>, NotOpened> {
    match codec {
        CODEC_PLAIN => Ok(bytes),
        CODEC_LZ4 => {
            let (length, _) = lz4_flex::block::uncompressed_size(&bytes).map_err(|_| NotOpened)?;
            if length > PLAIN_BYTES_MAX {
                return Err(NotOpened);
            }
            lz4_flex::block::decompress_size_prepended(&bytes).map_err(|_| NotOpened)
        }
        _ => Err(NotOpened),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest;

    #[test]
    fn what_is_compressed_is_expanded_and_what_does_not_shrink_is_left() {
        let json = r#"{"sku":"A-1","price":"12.40"}"#.repeat(50);
        let noise: Vec<u8> = (0..16_u8).flat_map(|i| sha2::Sha256::digest([i])).collect();
        for (plain, codec) in [
            (b"".as_slice(), CODEC_PLAIN),
            (b"short", CODEC_PLAIN),
            (json.as_bytes(), CODEC_LZ4),
            (&noise, CODEC_PLAIN),
        ] {
            let (found, bytes) = compress(plain);
            assert_eq!(found, codec, "{} bytes", plain.len());
            assert_eq!(expand(found, bytes.into_owned()).unwrap(), plain);
        }
    }

    #[test]
    fn a_length_beyond_the_bound_takes_no_memory() {
        let mut bytes = u32::MAX.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[0; 16]);
        assert_eq!(expand(CODEC_LZ4, bytes), Err(NotOpened));
        assert_eq!(expand(9, vec![1]), Err(NotOpened));
    }

    #[test]
    fn a_column_is_read_back() {
        let sealed = Sealed { codec: CODEC_LZ4, body: vec![1, 2, 3] };
        assert_eq!(Sealed::from_column(&sealed.to_column(77)), Ok((77, sealed)));
        assert_eq!(Sealed::from_column(&[1, 2]), Err(NotOpened));
    }
}
