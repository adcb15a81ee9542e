//! Every planted bug, wherever it lives, with the promise that it breaks and what it is, for the table of docs/proof.md.

use crate::mix::{Mix, Story};
use engine::mutant::Mutant;

/// One bug in the engine, in the store's contract, or in the intake as it is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    Engine(Mutant),
    Store(store::memory::Bug),
    /// The intake answers 200 although its commit failed.
    AnswersFailure,
    /// The intake notes a webhook's id before its commit, and takes the sender's retry for a duplicate.
    RefusesRetry,
    /// Each node remembers webhook ids by itself.
    RemembersAlone,
    /// A decision counts although another node has routed something of its root since.
    RoutesStale,
    /// What is in flight goes back on sale.
    HoldsNothingBack,
    /// What is in flight is held back for a while only.
    HoldsByAge,
    /// A level is set whatever the shop has by now.
    SetsWithoutComparing,
    /// A parcel is told without the level that it leaves behind.
    ParcelWithoutLevel,
    /// The stock of what was shipped is not looked at again.
    NotLookedAtAgain,
    /// What was given back is not looked for.
    LosesRefunds,
    /// A refund is booked as an edit as well.
    RefundIsAnEdit,
    /// A bundle and its components are all shown whatever is free.
    ShowsAllToAll,
    /// What one of those that share units gave up, the others are not told of.
    KinForgotten,
    /// What one location owes, the others of its pool do not give.
    DebtForgiven,
    /// What was sold at one of the shop's locations is not held back of the others.
    ForgetsOtherOutlets,
    /// What is composed is made of the level that has just changed, and of the others as it had them last.
    OthersAsTheyWere,
    /// A set without an answer is over as soon as the shop shows what is wanted.
    TakesTheSameForDone,
    /// What was refused because the shop had sold meanwhile is set again as it was, from what the shop has now.
    SetsTheSameAgain,
    /// A call that follows an answered failure goes under the key of the one before.
    ReusesKey,
    /// A change is folded whatever its number.
    FoldsTwice,
    /// What a full check has read counts for more than what was told since.
    CheckOutranks,
    /// A full check leaves what it finds.
    CheckLeaves,
    /// Of levels, the last to arrive wins.
    LevelsByArrival,
    /// What the warehouse refused is held back no longer.
    RefusalEndsTheHold,
    /// What came back is told to a warehouse that books it by itself.
    BooksBackTwice,
}

impl Bug {
    pub fn of_engine(self) -> Option<Mutant> {
        if let Self::Engine(mutant) = self { Some(mutant) } else { None }
    }
    pub fn of_store(self) -> Option<store::memory::Bug> {
        if let Self::Store(bug) = self { Some(bug) } else { None }
    }
}

use Bug::{Engine, Store};
use store::memory::Bug as S;

/// Bugs that no seed can show, because what they would break cannot come about while the store keeps its word; a test
/// shows each: a state is overtaken when a newer one is routed, and the comparison when it is applied is the second line.
pub const BY_TEST: &[Bug] = &[Engine(Mutant::AppliesOlder)];

/// What two bugs need is rare among all seeds: a mix of their own, which keeps every promise without the bug.
pub fn mix(bug: Bug) -> Option<Mix> {
    match bug {
        Engine(Mutant::LooksAway) => Some(Mix::late()),
        Bug::RoutesStale => Some(Mix::crowded()),
        Bug::ParcelWithoutLevel => Some(Mix::parcels()),
        _ => None,
    }
}

/// What a run has to be about for the bug to show.
pub fn story(bug: Bug) -> Story {
    let of_stock = STOCK.iter().any(|(_, of, _)| *of == bug);
    if of_stock { Story::Stock } else { Story::Orders }
}

/// The bugs of stock: what shops oversell by.
pub const STOCK: &[(u8, Bug, &str)] = &[
    (5, Bug::HoldsNothingBack, "what the shop sold and the source has not counted goes back on sale"),
    (5, Bug::HoldsByAge, "what is in flight is held back for two minutes only"),
    (5, Bug::SetsWithoutComparing, "a level is set whatever was sold since the look"),
    (5, Bug::ParcelWithoutLevel, "a parcel is told without the level that it leaves behind"),
    (5, Bug::ShowsAllToAll, "a bundle and its components are each shown all that is free"),
    (5, Bug::RefundIsAnEdit, "a refund is booked as an edit as well"),
    (5, Engine(Mutant::ComposedStays), "what was composed of an older level is set after a newer one came"),
    (5, Bug::DebtForgiven, "what one location of a pool owes, the others do not give"),
    (5, Bug::ForgetsOtherOutlets, "what was sold at one outlet is not held back of the others"),
    (5, Bug::OthersAsTheyWere, "of a pool only the location that has just changed is read anew"),
    (5, Bug::LevelsByArrival, "the last level to arrive wins, whatever its number"),
    (
        5,
        Bug::SetsTheSameAgain,
        "what the shop refused, because it had sold meanwhile, is set again as it was",
    ),
    (
        5,
        Bug::RefusalEndsTheHold,
        "what the warehouse refused is held back no longer, although the shop has sold it",
    ),
    (3, Bug::BooksBackTwice, "what came back is told to a warehouse that books it by itself"),
    (3, Bug::ReusesKey, "a call after an answered failure goes under the key of the one before"),
    (5, Bug::CheckOutranks, "what a full check has read counts for more than what was told since"),
    (6, Bug::FoldsTwice, "a change is folded whatever its number"),
    (6, Bug::CheckLeaves, "a full check leaves what it finds"),
    (6, Bug::KinForgotten, "what one of those that share units gave up, the others are not told of"),
    (6, Bug::LosesRefunds, "what was given back is not looked for in the states of its order"),
    (6, Bug::TakesTheSameForDone, "a set without an answer is over as soon as the shop shows what is wanted"),
    (6, Bug::NotLookedAtAgain, "the stock of what was shipped is not looked at again"),
];

/// The promise, the bug, and what it is.
pub const ALL: &[(u8, Bug, &str)] = &[
    (1, Engine(Mutant::AnswerBeforeCommit), "the intake answers before its commit"),
    (1, Bug::AnswersFailure, "the intake answers 200 although its commit failed"),
    (1, Bug::RefusesRetry, "an id is noted before the commit, and the retry is refused as a duplicate"),
    (1, Engine(Mutant::RouteByPosition), "routing goes by the last position instead of by state"),
    (2, Engine(Mutant::ForgetDedupe), "a webhook's id is not looked at"),
    (2, Bug::RemembersAlone, "each node remembers webhook ids by itself"),
    (2, Engine(Mutant::DigestIgnoresField), "the digest ignores a field"),
    (2, Engine(Mutant::VersionInKey), "the object key has the version in it"),
    (3, Engine(Mutant::SendBeforeCommit), "the request goes out before `sending` is committed"),
    (3, Engine(Mutant::ResendUnknown), "an unknown answer is repeated without looking"),
    (3, Engine(Mutant::SettleZero), "absence counts at once (`settle_after` 0)"),
    (3, Engine(Mutant::BadGatewayIsTransient), "a 502 on a write is taken for \"nothing was done\""),
    (3, Engine(Mutant::OneLook), "one look that finds nothing proves an absence"),
    (3, Engine(Mutant::SendAfterSleep), "a commit that comes back after minutes of sleep is acted on"),
    (3, Store(S::TakeOverForgets), "whoever takes over is not told of the attempt without an answer"),
    (
        3,
        Store(S::SupersedesUnknown),
        "a newer state takes the place of one whose attempt is without an answer",
    ),
    (4, Engine(Mutant::TwoInFlight), "the lane is given back while its call is under way"),
    (4, Store(S::ForgetFence), "a move is heard whoever holds the lane"),
    (4, Store(S::FenceStays), "a take-over does not change the fence"),
    (4, Store(S::ClaimNotExclusive), "a lane that somebody holds is handed out again"),
    (4, Store(S::UnknownHoldsNothing), "a newer state goes first, whatever in its lane is without an answer"),
    (5, Engine(Mutant::OrderByArrival), "the last to arrive wins"),
    (5, Engine(Mutant::TieByArrival), "a state of the same second is newer because it came later"),
    (5, Engine(Mutant::AppliesOlder), "versions are not compared when a fact is applied"),
    (5, Engine(Mutant::LooksAway), "the last look counts objects and does not compare them"),
    (5, Bug::RoutesStale, "two nodes route one thing at once, each by what was known before"),
    (6, Engine(Mutant::AgeKills), "age makes a dead letter"),
    (6, Engine(Mutant::OutageSpendsAttempts), "attempts count while the target is down"),
    (6, Engine(Mutant::StepPressesOn), "a step is pressed on an object that was called off"),
    (6, Store(S::LeaseNeverEnds), "a dead node's leases never end"),
    (6, Store(S::LeaseTooLong), "a lease is longer than declared"),
    (7, Engine(Mutant::Hammer), "no breaker, no back-off"),
    (7, Engine(Mutant::WaitSpendsAttempts), "a 429 costs an attempt"),
    (7, Engine(Mutant::BreakerCountsAttempts), "the breaker counts failures instead of lanes"),
    (8, Engine(Mutant::IgnoresOthers), "each node takes the whole of a limit"),
    (8, Engine(Mutant::NoWidth), "lanes are claimed without a bound"),
    (8, Engine(Mutant::RoutesAll), "all that is not routed is read at once"),
];
