//! What names the lines of one file: of levels the pair, of changes the pair and the number or id. Owns that nothing stands twice, and that
//! all lines are named in the same way.

use super::fault::LineFault;
use super::{Counted, Holds, Told};
use crate::inventory::names::Key;
use std::collections::BTreeMap;

/// Only finds a name again in its own file: a sender who made two meet would have his own file refused.
const KEY: Key = Key([0x7469_6465, 0x6761_7465]);

#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) counted: Counted,
    /// Of each name the line that has it.
    seen: BTreeMap<u128, u64>,
    /// The first line without a number and the first with one; the same of ids.
    versions: [Option<u64>; 2],
    ids: [Option<u64>; 2],
}

impl Named {
    /// Which of two levels counts cannot be known: neither does. A change that stands twice would count once.
    pub(super) fn once(&mut self, told: Told) -> Result<Told, LineFault> {
        let (versioned, with_id) = (told.version.is_some(), told.id.is_some());
        self.counted.told += 1;
        self.counted.versioned += u64::from(versioned);
        self.counted.with_id += u64::from(with_id);
        self.versions[usize::from(versioned)].get_or_insert(told.line);
        self.ids[usize::from(with_id)].get_or_insert(told.line);
        let (sku, location) = told.pair();
        if self.counted.holds == Holds::Levels {
            if let Some(first) = self.known(&[sku, location], told.line) {
                let what = format!(
                    "{sku:?} at {location:?} stands in line {first} already, and which of the two counts cannot be known; leave one \
                     out (blanks at the ends make no other SKU)"
                );
                return Err(LineFault::new(told.line, 1, what).of("sku"));
            }
            return Ok(told);
        }
        let version = told.version.map(|version| version.to_string());
        for (field, name) in [("version", &version), ("id", &told.id)] {
            let Some(name) = name else { continue };
            if let Some(first) = self.known(&[sku, location, field, name], told.line) {
                let what = format!(
                    "the {field} {name:?} of {sku:?} at {location:?} stands in line {first} already, and a change counts once; give each \
                     its own, or write the sum in one line"
                );
                return Err(LineFault::new(told.line, 1, what).of(field));
            }
        }
        Ok(told)
    }

    fn known(&mut self, name: &[&str], line: u64) -> Option<u64> {
        let first = *self.seen.entry(KEY.of(name)).or_insert(line);
        (first != line).then_some(first)
    }

    /// Some are worse than none.
    pub(super) fn uneven(&self) -> Option<LineFault> {
        let Counted { holds, told, versioned, with_id } = self.counted;
        let fault = |line, field: &str, have: u64| {
            let what = format!(
                "it has no {field}, and {have} of {told} {} have one; give each of them one, or none",
                holds.as_str()
            );
            LineFault::new(line, 1, what).of(field)
        };
        match (self.versions, self.ids) {
            ([Some(without), Some(_)], _) => Some(fault(without, "version", versioned)),
            // A number names it as well.
            ([Some(_), None], [Some(without), Some(_)]) => Some(fault(without, "id", with_id)),
            _ => None,
        }
    }
}
