//! What this process knows of where there is nothing to do, so that a hundred shops are not asked in turn when one of
//! them has work.
//!
//! It only ever saves a question. What is known of a shop is forgotten when this process writes something of it, when
//! another node says that it did, and each second in any case; where other nodes cannot be heard, nothing is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// By system, the time at which a lane is due next. A system that is not in it has none.
pub(crate) type NextDue = BTreeMap<i32, i64>;

#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Raised with each write: an answer from before it is not put up.
    writes: u64,
    hears: bool,
    due: BTreeMap<i32, NextDue>,
    nothing_to_route: BTreeSet<i32>,
}

impl Board {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something of these shops was written.
    pub(crate) fn stir(&self, shops: impl IntoIterator<Item = i32>) {
        let mut known = self.known();
        known.writes += 1;
        for shop in shops {
            known.due.remove(&shop);
            known.nothing_to_route.remove(&shop);
        }
    }

    /// Something may have been written anywhere. `hears`: whether other nodes are heard from now on.
    pub(crate) fn wipe(&self, hears: bool) {
        let mut known = self.known();
        *known = Known { writes: known.writes + 1, hears, ..Known::default() };
    }

    /// To be asked for before a question, and given back with its answer.
    pub(crate) fn writes(&self) -> u64 {
        self.known().writes
    }

    pub(crate) fn put_due(&self, writes: u64, shop: i32, due: NextDue) {
        let mut known = self.known();
        if known.hears && known.writes == writes {
            known.due.insert(shop, due);
        }
    }

    pub(crate) fn due(&self, shop: i32) -> Option<NextDue> {
        self.known().due.get(&shop).cloned()
    }

    /// Whether a lane of a system may be due by now.
    pub(crate) fn may_be_due(&self, shop: i32, system: i32, now: i64) -> bool {
        let known = self.known();
        let Some(due) = known.due.get(&shop) else { return true };
        due.get(&system).is_some_and(|at| *at <= now)
    }

    pub(crate) fn put_nothing_to_route(&self, writes: u64, shop: i32) {
        let mut known = self.known();
        if known.hears && known.writes == writes {
            known.nothing_to_route.insert(shop);
        }
    }

    pub(crate) fn may_have_to_route(&self, shop: i32) -> bool {
        !self.known().nothing_to_route.contains(&shop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_is_left_alone_until_something_of_it_is_written() {
        let board = Board::default();
        let due = || NextDue::from([(7, 100)]);
        board.put_due(board.writes(), 1, due());
        assert!(board.may_be_due(1, 9, 0), "nobody is heard: nothing is known");
        board.wipe(true);
        board.put_due(board.writes(), 1, due());
        board.put_nothing_to_route(board.writes(), 1);
        assert!(!board.may_be_due(1, 7, 99) && board.may_be_due(1, 7, 100) && board.may_be_due(2, 7, 0));
        assert!(!board.may_be_due(1, 9, i64::MAX), "a system with no lane");
        assert!(!board.may_have_to_route(1) && board.may_have_to_route(2));
        board.stir([2]);
        assert!(!board.may_have_to_route(1));
        board.stir([1]);
        assert!(board.may_be_due(1, 7, 0) && board.may_have_to_route(1));
    }

    #[test]
    fn an_answer_from_before_a_write_is_not_believed() {
        let board = Board::default();
        board.wipe(true);
        let before = board.writes();
        board.stir([1]);
        board.put_due(before, 1, NextDue::new());
        board.put_nothing_to_route(before, 1);
        assert!(board.may_be_due(1, 7, 0) && board.may_have_to_route(1));
    }
}
