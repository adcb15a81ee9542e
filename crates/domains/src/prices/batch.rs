//! Changes of one price list, in the least number of calls: no array of a call is longer than Shopify allows.

use super::compare::Change;
use super::offer::Rule;

/// Entries of one array of an input (shopify.dev: API limits).
pub const ARRAY_MAX: usize = 250;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub changes: Vec<Change>,
    /// It needs the call that writes breaks and rules too.
    pub has_quantities: bool,
}

/// Entries of a call's arrays.
#[derive(Default)]
struct Load([usize; 5]);

impl Load {
    fn of(change: &Change) -> [usize; 5] {
        let one = usize::from;
        let breaks = change.to.as_ref().filter(|_| change.sets_breaks).map_or(0, |item| item.breaks().len());
        [
            one(change.to.is_some() && change.sets_price),
            one(change.to.is_none() && change.has_price),
            breaks,
            one(change.has_breaks),
            one(change.rule.is_some()),
        ]
    }

    /// False where there is no room.
    fn take(&mut self, more: [usize; 5]) -> bool {
        let has_room = self.0.iter().zip(more).all(|(have, more)| have + more <= ARRAY_MAX);
        if has_room {
            self.0.iter_mut().zip(more).for_each(|(have, more)| *have += more);
        }
        has_room
    }
}

/// Prices that come and those that go share a call: each has an array of its own.
fn of_prices(changes: Vec<Change>) -> impl Iterator<Item = Batch> {
    let (mut set, mut gone): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| change.to.is_some());
    let calls = set.len().div_ceil(ARRAY_MAX).max(gone.len().div_ceil(ARRAY_MAX));
    (0..calls).map(move |_| {
        let mut of: Vec<Change> = set.drain(..set.len().min(ARRAY_MAX)).collect();
        of.extend(gone.drain(..gone.len().min(ARRAY_MAX)));
        Batch { changes: of, has_quantities: false }
    })
}

/// In the order of their variants.
#[must_use]
pub fn batches(changes: Vec<Change>) -> Vec<Batch> {
    let (of_quantities, plain): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(Change::is_of_quantities);
    let mut all: Vec<Batch> = of_prices(plain).collect();
    let (mut load, mut open): (Load, Vec<Change>) = (Load::default(), Vec::new());
    for change in of_quantities {
        let more = Load::of(&change);
        if !load.take(more) {
            all.push(Batch { changes: std::mem::take(&mut open), has_quantities: true });
            load = Load(more);
        }
        open.push(change);
    }
    if !open.is_empty() {
        all.push(Batch { changes: open, has_quantities: true });
    }
    all
}

impl Change {
    /// The rule that is set; none where it stays or goes.
    #[must_use]
    pub fn rule_to_set(&self) -> Option<Rule> {
        self.rule.filter(|rule| *rule != Rule::default())
    }

    /// Whether a rule goes.
    #[must_use]
    pub fn rule_goes(&self) -> bool {
        self.rule == Some(Rule::default())
    }
}
