//! What a price list of the shop holds, as it was read there last, kept between two runs as a few bytes for each price. Owns
//! the form, and that a byte that is not as it was written is noticed: what cannot be believed is read from the shop again.
//!
//! What is written and not yet read back is *open*: it stands in the record before the first byte of it is sent, so that a run
//! that is killed, or whose answer is lost, leaves no price behind that is believed and never was there.

use super::compare::{Held, HeldItem};
use super::offer::{Minor, Quantities, Rule};
use kernel::money::Currency;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

const MAGIC: &[u8; 8] = b"TGHELD01";
const DIGEST: usize = 32;

/// Of one price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Shopify's number of it, which no other list ever has.
    pub list: u64,
    pub currency: Currency,
    /// Nothing in it depended on the quantity: it can be read far cheaper.
    pub is_plain: bool,
    /// Fixed prices there that are not in `held`, because somebody else's stay as they are; those that are gone count against.
    pub others: i64,
    pub held: Held,
    /// Variants of which it is not known what is there.
    pub open: BTreeSet<u64>,
}

impl Record {
    /// Of a list that was made this moment.
    #[must_use]
    pub fn of_new(list: u64, currency: Currency) -> Self {
        Self { list, currency, is_plain: true, others: 0, held: Held::new(), open: BTreeSet::new() }
    }

    /// How many fixed prices the shop has to count, where nothing is open.
    #[must_use]
    pub fn fixed_prices(&self) -> u64 {
        let own = self.held.values().filter(|item| item.price.is_some()).count() as u64;
        own.saturating_add_signed(self.others)
    }

    /// What was found there for those that were asked for, all that were open among them.
    pub fn found(&mut self, asked: &BTreeSet<u64>, found: Held) {
        self.held.retain(|variant, _| !asked.contains(variant));
        self.held.extend(found.into_iter().filter(|(variant, _)| asked.contains(variant)));
        self.open.retain(|variant| !asked.contains(variant));
        self.is_plain = self.held.values().all(|item| item.quantities.is_none());
    }

    /// One file of it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.held.len() * 8);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[0; DIGEST]);
        unsigned(&mut out, self.list);
        out.extend_from_slice(self.currency.code().as_bytes());
        out.push(u8::from(self.is_plain));
        signed(&mut out, self.others);
        unsigned(&mut out, self.held.len() as u64);
        let mut last = 0;
        for (variant, item) in &self.held {
            let step = variant - last;
            last = *variant;
            match (item.price.and_then(|price| u64::try_from(price).ok()), &item.quantities) {
                // Nearly all of them.
                (Some(price), None) => {
                    unsigned(&mut out, step << 1);
                    unsigned(&mut out, price);
                }
                (_, quantities) => {
                    unsigned(&mut out, (step << 1) | 1);
                    out.push(u8::from(item.price.is_some()) | (u8::from(quantities.is_some()) << 1));
                    item.price.iter().for_each(|price| signed(&mut out, *price));
                    quantities.iter().for_each(|quantities| quantities_out(&mut out, quantities));
                }
            }
        }
        unsigned(&mut out, self.open.len() as u64);
        let mut last = 0;
        for variant in &self.open {
            unsigned(&mut out, variant - last);
            last = *variant;
        }
        let digest = Sha256::digest(&out[MAGIC.len() + DIGEST..]);
        out[MAGIC.len()..MAGIC.len() + DIGEST].copy_from_slice(&digest);
        out
    }

    /// None: it is not as it was written.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (digest, body) = rest.split_at_checked(DIGEST)?;
        if Sha256::digest(body).as_slice() != digest {
            return None;
        }
        let mut bytes = Bytes(body);
        let list = bytes.unsigned()?;
        let currency = Currency::from_code(std::str::from_utf8(bytes.take(3)?).ok()?).ok()?;
        let is_plain = bytes.one()? == 1;
        let others = bytes.signed()?;
        let mut held = Vec::new();
        let mut variant = 0_u64;
        for _ in 0..bytes.unsigned()? {
            let step = bytes.unsigned()?;
            variant = variant.checked_add(step >> 1)?;
            held.push((variant, if step & 1 == 0 { HeldItem::plain(bytes.minor()?) } else { bytes.item()? }));
        }
        let mut open = BTreeSet::new();
        let mut variant = 0_u64;
        for _ in 0..bytes.unsigned()? {
            variant = variant.checked_add(bytes.unsigned()?)?;
            open.insert(variant);
        }
        let held = held.into_iter().collect();
        bytes.0.is_empty().then_some(Self { list, currency, is_plain, others, held, open })
    }
}

/// Seven bits to a byte, the lowest first.
fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = (number & 0x7f).to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn signed(out: &mut Vec<u8>, number: i64) {
    unsigned(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn quantities_out(out: &mut Vec<u8>, Quantities { breaks, rule }: &Quantities) {
    unsigned(out, breaks.len() as u64);
    for (minimum, price) in breaks {
        unsigned(out, u64::from(*minimum));
        signed(out, *price);
    }
    unsigned(out, u64::from(rule.minimum));
    unsigned(out, rule.maximum.map_or(0, |maximum| u64::from(maximum) + 1));
    unsigned(out, u64::from(rule.increment));
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn one(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for place in 0..10 {
            let byte = self.one()?;
            number |= u64::from(byte & 0x7f).checked_shl(place * 7)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.unsigned()?).ok()
    }

    fn minor(&mut self) -> Option<Minor> {
        Minor::try_from(self.unsigned()?).ok()
    }

    fn item(&mut self) -> Option<HeldItem> {
        let has = self.one()?;
        let price = if has & 1 == 0 { None } else { Some(self.signed()?) };
        let quantities = if has & 2 == 0 { None } else { Some(Box::new(self.quantities()?)) };
        Some(HeldItem { price, quantities })
    }

    fn quantities(&mut self) -> Option<Quantities> {
        let mut breaks = Vec::new();
        for _ in 0..self.unsigned()? {
            breaks.push((self.small()?, self.signed()?));
        }
        let minimum = self.small()?;
        let maximum = self.unsigned()?.checked_sub(1).map(u32::try_from).transpose().ok()?;
        let rule = Rule { minimum, maximum, increment: self.small()? };
        Some(Quantities { breaks, rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quantities() -> impl Strategy<Value = Quantities> {
        let rule = (1..9_u32, proptest::option::of(any::<u32>()), 1..9_u32)
            .prop_map(|(minimum, maximum, increment)| Rule { minimum, maximum, increment });
        (proptest::collection::vec((any::<u32>(), any::<i64>()), 0..4), rule)
            .prop_map(|(breaks, rule)| Quantities { breaks, rule })
    }

    fn item() -> impl Strategy<Value = HeldItem> {
        let plain = (0..1_000_000_i64).prop_map(HeldItem::plain);
        let any = (proptest::option::of(any::<i64>()), proptest::option::of(quantities()))
            .prop_map(|(price, quantities)| HeldItem { price, quantities: quantities.map(Box::new) });
        prop_oneof![plain, any]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_no_byte_of_it_can_be_another(
            list in any::<u64>(),
            is_plain in any::<bool>(),
            others in any::<i64>(),
            held in proptest::collection::btree_map(0..u64::MAX / 4, item(), 0..20),
            open in proptest::collection::btree_set(any::<u64>(), 0..5),
            (at, bit) in (any::<prop::sample::Index>(), 0..8_u32),
        ) {
            let currency = Currency::from_code("EUR").unwrap();
            let record = Record { list, currency, is_plain, others, held, open };
            let mut bytes = record.to_bytes();
            prop_assert_eq!(Record::from_bytes(&bytes), Some(record));
            let cut = at.index(bytes.len());
            prop_assert_eq!(Record::from_bytes(&bytes[..cut]), None);
            bytes[cut] ^= 1 << bit;
            prop_assert_eq!(Record::from_bytes(&bytes), None);
        }
    }

    #[test]
    fn a_price_takes_few_bytes() {
        let mut record = Record::of_new(7, Currency::from_code("EUR").unwrap());
        record.held =
            (0..24_000).map(|one| (40_000_000_000 + one * 32_768, HeldItem::plain(12_50))).collect();
        let bytes = record.to_bytes().len();
        assert!(bytes < 24_000 * 6, "{bytes}");
    }
}
