//! The mistakes that can be planted in the oracle's rules. Each is noticed by the comparison, which proves that the comparison
//! can fail; what each breaks stands beside it, by the number of the rule.

/// Declares the mistakes, and the list of all of them, from one table.
macro_rules! mutants {
    ($($(#[doc = $says:literal])+ $name:ident,)+) => {
        /// One mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Mutant { $($(#[doc = $says])+ $name,)+ }

        impl Mutant {
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];
        }
    };
}

mutants! {
    /// 1: a quantity of zero is priced.
    ZeroQuantity,
    /// 1: half a piece is priced.
    BrokenPieces,
    /// 3: a list in another currency is a candidate.
    AnyCurrency,
    /// 3: list prices go before contract prices.
    ListBeforeContract,
    /// 3: whom a list is for goes before its kind.
    NearnessBeforeKind,
    /// 3: `company` before `company_location`.
    CompanyBeforeLocation,
    /// 3: `group` before `company`.
    GroupBeforeCompany,
    /// 3: of several for whom a list is, one that the buyer is not decides.
    NearestOfOthers,
    /// 3: of several the farthest decides.
    FarthestDecides,
    /// Of several for whom something is only the first counts.
    FirstNamedAlone,
    /// 3: the priority goes before whom a list is for.
    PriorityBeforeNearness,
    /// 3: the lower priority first.
    LowerPriorityFirst,
    /// 3: the earlier `valid_from` first.
    EarlierValidFromFirst,
    /// 3: no `valid_from` is the latest.
    NoValidFromIsLatest,
    /// 3: of equals the last id.
    LastIdFirst,
    /// 4: drafts count.
    DraftCounts,
    /// Validity: the first instant does not count.
    FirstInstantDoesNotCount,
    /// Validity: the last instant counts.
    LastInstantCounts,
    /// Validity: a last date ends with its first instant.
    LastDateEndsAtItsBeginning,
    /// Validity: a date is a day in UTC.
    DatesInUtc,
    /// 4: the base is asked below the list's own minimum.
    BaseAskedBelowMinimum,
    /// 4: the base is asked for whom it is for.
    BaseAskedForWhom,
    /// 4: seven bases in a chain.
    SevenInAChain,
    /// 4: ten percent off is ten percent more.
    PercentTurned,
    /// 4: the asked unit has no advantage over others.
    AskedUnitNotFirst,
    /// 4: units in the turned order of their codes.
    LastUnitFirst,
    /// 4: of two windows of a unit the one that begins earlier.
    EarlierWindowFirst,
    /// 4: of two that begin at once the one with a unit of its own.
    WindowWithItsOwnUnitFirst,
    /// 4: a first minimum of 1 or less has to be reached as any other.
    SmallMinimumIsOne,
    /// SKUs: blanks and case count.
    SkuByItsBytes,
    /// SKUs: a beginning is a whole SKU.
    BeginningIsWhole,
    /// 5: what is defined for all SKUs goes first.
    UnitOfAllFirst,
    /// 5: pieces of the window's unit ÷ pieces of the asked.
    ConvertedUpsideDown,
    /// 5: a converted quantity is rounded, not cut.
    QuantityIsRounded,
    /// 5, 7, 8: 6 decimals on the way.
    SixDecimalsOnTheWay,
    /// 5, 7, 8: halves on the way go to the even neighbour.
    EightDecimalsHalfEven,
    /// 6: exactly the minimum does not reach a tier.
    MinimumNotReachedByItself,
    /// 6: graduated tiers are read as volume.
    AllVolume,
    /// 6: volume tiers are read as graduated.
    AllGraduated,
    /// 6: ten units come before the tier of ten.
    GraduatedFromTheMinimum,
    /// 6: where whole units begin, parts do, and the other way round.
    BordersOfPartsTurned,
    /// 7: no surcharge counts.
    NoSurcharges,
    /// 7: in the turned order.
    SurchargesTurned,
    /// 7: the priority does not matter.
    SurchargesById,
    /// 7: a percentage is of the price without other surcharges.
    PercentOfTheBarePrice,
    /// 7, 8: they combine with every kind of source.
    CombinesWithAll,
    /// 8: the minimum quantity is in the asked unit.
    MinimumInTheAskedUnit,
    /// 8: the minimum quantity does not matter.
    PromotionBelowMinimum,
    /// 8: a promotion may raise a price.
    PromotionRaises,
    /// 8: a promotion may go below zero.
    PromotionBelowZero,
    /// 8: what stacks competes, what does not is stacked.
    StackingTurned,
    /// 8: all are stacked.
    AllStack,
    /// 8: stacked ones go before the winner.
    StackedBeforeTheWinner,
    /// 8: stacked by their ids alone.
    StackedByIdAlone,
    /// 8: the highest priority wins.
    HighestPriorityWins,
    /// 8: the highest total wins.
    HighestTotalWins,
    /// 8: of equals the last.
    OfEqualsTheLast,
    /// 8: they compete by the rounded total.
    CompetesByRounded,
    /// 8: they compete by the first portion's price.
    CompetesByUnitPrice,
    /// 8: a promotion that changes nothing is in the list.
    NothingIsNamed,
    /// 8: Y of every X.
    BuyGetOfEveryX,
    /// 8: of several portions the first is reduced.
    BuyGetOfTheFirstPortion,
    /// 8: also of quantities that are not whole.
    BuyGetOfParts,
    /// 8: the reduced portion is the first.
    BuyGetFirst,
    /// 9: by the base of the list that was chosen.
    RoundedByTheBase,
    /// 9: `half_up` is read as `half_even`.
    HalfEvenForHalfUp,
    /// 9: `half_even` is read as `half_up`.
    HalfUpForHalfEven,
    /// 9: `exact` is 8 decimals.
    ExactIsEight,
    /// 9: an increment is the minor unit.
    IncrementIsMinor,
    /// 9: below the ending.
    EndingBelowItself,
    /// 9: the ending below.
    EndingAlwaysDown,
    /// 9: a half goes to the odd whole part.
    EndingHalfToOdd,
    /// 9: zero gets an ending.
    ZeroGetsAnEnding,
    /// 9, 10: every currency has two decimals.
    AllCurrenciesHaveCents,
    /// 10: of unrounded unit prices.
    TotalOfUnrounded,
    /// 10: each portion is rounded.
    TotalRoundedByPortion,
    /// 10: a half always goes up.
    TotalAlwaysHalfUp,
    /// The average is of the sum before it is rounded.
    AverageOfTheExactSum,
    /// The list price is the source's.
    ListPriceIsTheSources,
    /// The list price is not rounded.
    ListPriceIsNotRounded,
    /// The list price is rounded by the source.
    ListPriceRoundedByTheSource,
    /// Quantity rule: every multiple of the step is allowed.
    NoMinimumQuantity,
    /// Quantity rule: in the asked unit.
    QuantityRuleInTheAskedUnit,
    /// Quantity rule: none is there.
    EveryQuantityIsAllowed,
    /// Quantity rule: the maximum itself is too many.
    MaximumIsTooMany,
}
