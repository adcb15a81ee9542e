//! Deliberate bugs, for showing that the checkers can fail (`cargo xtask simulate --mutants`). They exist only in
//! builds with the feature `mutants`; otherwise every question here is answered "no" at compile time.

/// One bug for each promise of DESIGN section 3, and the subtle ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// Promise 1: the intake answers before its commit.
    AnswerBeforeCommit,
    /// Promise 2: a webhook's id is not looked at.
    ForgetDedupe,
    /// Promise 3: the request goes out before `sending` is committed.
    SendBeforeCommit,
    /// Promise 3: an unknown answer is repeated without looking.
    ResendUnknown,
    /// Promise 3: absence counts at once.
    SettleZero,
    /// Promise 3: a 502 on a create is taken for "nothing was done".
    BadGatewayIsTransient,
    /// Promise 4: the lane is given back while its call is under way.
    TwoInFlight,
    /// Promise 5: the last to arrive wins.
    OrderByArrival,
    /// Promise 5: the digest ignores a field.
    DigestIgnoresField,
    /// Promise 6: age makes a dead letter.
    AgeKills,
    /// Promise 6: attempts count while the target is down.
    OutageSpendsAttempts,
    /// Promise 6: a step that was scheduled before its object was called off is pressed all the same.
    StepPressesOn,
    /// Promise 6: routing goes by the last position instead of by state.
    RouteByPosition,
    /// Promise 7: no breaker, no back-off.
    Hammer,
    /// Promise 3: a commit that comes back after minutes of sleep is acted on.
    SendAfterSleep,
    /// Promise 3: one look that finds nothing proves an absence.
    OneLook,
    /// Promise 2: the object key has the version in it.
    VersionInKey,
    /// Promise 5: a state of the same second is newer because it came later.
    TieByArrival,
    /// Promise 5: what was delivered is not compared when a fact is applied.
    AppliesOlder,
    /// Promise 5: the last look counts objects and does not compare them.
    LooksAway,
    /// Promise 7: a 429 costs an attempt.
    WaitSpendsAttempts,
    /// Promise 7: the breaker counts failures, not lanes.
    BreakerCountsAttempts,
    /// Promise 7: each node has the whole of each limit, whatever the others do.
    IgnoresOthers,
    /// Promise 8: lanes are claimed without a bound.
    NoWidth,
    /// Promise 8: all that is not routed is read at once.
    RoutesAll,
    /// What was composed before stays in its turn when a level that it is made of changes.
    ComposedStays,
}

impl Mutant {
    pub const ALL: [Mutant; 26] = [
        Mutant::AnswerBeforeCommit,
        Mutant::ForgetDedupe,
        Mutant::SendBeforeCommit,
        Mutant::ResendUnknown,
        Mutant::SettleZero,
        Mutant::BadGatewayIsTransient,
        Mutant::TwoInFlight,
        Mutant::OrderByArrival,
        Mutant::DigestIgnoresField,
        Mutant::AgeKills,
        Mutant::OutageSpendsAttempts,
        Mutant::StepPressesOn,
        Mutant::RouteByPosition,
        Mutant::Hammer,
        Mutant::SendAfterSleep,
        Mutant::OneLook,
        Mutant::VersionInKey,
        Mutant::TieByArrival,
        Mutant::AppliesOlder,
        Mutant::LooksAway,
        Mutant::WaitSpendsAttempts,
        Mutant::BreakerCountsAttempts,
        Mutant::IgnoresOthers,
        Mutant::NoWidth,
        Mutant::RoutesAll,
        Mutant::ComposedStays,
    ];
}

/// Which bug is planted, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planted {
    #[cfg(feature = "mutants")]
    mutant: Option<Mutant>,
}

impl Planted {
    #[cfg(feature = "mutants")]
    pub fn new(mutant: Option<Mutant>) -> Self {
        Self { mutant }
    }

    /// Whether this bug is planted.
    #[cfg(feature = "mutants")]
    pub fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    #[cfg(not(feature = "mutants"))]
    pub const fn is(&self, _mutant: Mutant) -> bool {
        false
    }
}
