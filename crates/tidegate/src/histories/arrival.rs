//! In which ways the webhooks of a history may come. Owns which there are; `play` lets them come so.

/// How they come. Numbers are those of changes: 0 is the order's placing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Each at once, and the hub has done all before the next.
    Prompt,
    /// All after the last change, in their order, the hub at work between any two.
    After,
    /// All after the last change, the last first.
    Backwards,
    /// All after the last change, in an order that this seed gives; the hub at work after some of them.
    Shuffled(u64),
    /// As `Prompt`, but those of one change never come: the sweep finds it.
    Lost(usize),
    /// None comes; the sweep is made after each change.
    AllLost,
    /// As `Prompt`, but those of one change come twice at once, and once more in the end under other ids.
    Doubled(usize),
    /// As `Prompt`, but those of one change come when all others have been done.
    Late(usize),
    /// All changes within one second; then their webhooks in an order that this seed gives.
    SameSecond(u64),
}

/// Seeds of the orders in which webhooks are shuffled.
const SHUFFLES: u64 = 3;

/// All for a history of that many actions.
pub(super) fn all(actions: usize) -> Vec<Arrival> {
    let mut all = vec![Arrival::Prompt, Arrival::After, Arrival::Backwards, Arrival::AllLost];
    all.extend((1..=SHUFFLES).map(Arrival::Shuffled));
    all.extend((1..=SHUFFLES).map(Arrival::SameSecond));
    for change in 0..=actions {
        all.extend([Arrival::Lost(change), Arrival::Doubled(change), Arrival::Late(change)]);
    }
    all
}
