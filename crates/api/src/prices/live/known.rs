//! What the system said of a line, and whether it is being asked. Owns how long an answer counts and that the memory of answers
//! stays small.

use kernel::clock::Mono;
use kernel::money::Currency;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::time::Duration;

/// One line of one buyer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub company_location: Option<Box<str>>,
    pub currency: Currency,
    /// In its one spelling.
    pub sku: Box<str>,
    pub quantity: Decimal,
    pub unit: Box<str>,
}

/// A unit price that the system said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// None: it has none for this line.
    pub(super) unit_price: Option<Decimal>,
    pub(super) at: Mono,
}

#[derive(Debug, Default)]
struct Line {
    said: Option<Said>,
    asking: bool,
}

/// Answers kept at once; beyond it those that count no more are dropped, and if that is not enough, all.
pub(super) const LINES_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Known {
    lines: BTreeMap<Wanted, Line>,
}

impl Known {
    /// What was said last, if that was not longer ago.
    pub(super) fn said(&self, wanted: &Wanted, now: Mono, within: Duration) -> Option<Said> {
        let said = self.lines.get(wanted)?.said?;
        (now.since(said.at) < within).then_some(said)
    }

    /// Marks those that nobody asks for; they are the caller's to ask for.
    pub(super) fn begin(&mut self, wanted: &[&Wanted], now: Mono, counts: Duration) -> Vec<Wanted> {
        if self.lines.len() + wanted.len() > LINES_MAX {
            self.lines
                .retain(|_, line| line.asking || line.said.is_some_and(|said| now.since(said.at) < counts));
            if self.lines.len() + wanted.len() > LINES_MAX {
                self.lines.retain(|_, line| line.asking);
            }
        }
        let mut begun = Vec::new();
        for one in wanted {
            let line = self.lines.entry((*one).clone()).or_default();
            if !line.asking {
                line.asking = true;
                begun.push((*one).clone());
            }
        }
        begun
    }

    /// The end of asking. None: nothing was said, and what was said before stands.
    pub(super) fn end(&mut self, wanted: &[Wanted], said: Option<&[Option<Decimal>]>, at: Mono) {
        for (index, one) in wanted.iter().enumerate() {
            let Some(line) = self.lines.get_mut(one) else { continue };
            line.asking = false;
            if let Some(unit_price) = said.and_then(|said| said.get(index)) {
                line.said = Some(Said { unit_price: *unit_price, at });
            }
        }
    }

    pub(super) fn is_asked_for(&self, wanted: &Wanted) -> bool {
        self.lines.get(wanted).is_some_and(|line| line.asking)
    }
}
