//! What is strange about a generated order: the judge's own note, so that a test can ask whether each trap occurred
//! and a report can say what became of it. It is on no wire.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trap {
    NullCustomer,
    NullAddress,
    NullVariant,
    CustomLine,
    EmptySku,
    /// A SKU that the back office does not know (yet).
    UnknownSku,
    /// Differs from a known SKU by case.
    MiscasedSku,
    /// Differs from a known SKU by a trailing blank or line break.
    PaddedSku,
    ManyLines,
    ZeroDecimals,
    ThreeDecimals,
    TaxIncluded,
    TwoTaxRates,
    TaxExempt,
    SeveralDiscounts,
    DiscountedShipping,
    TipAsLine,
    TipWithoutLine,
    Duties,
    GiftCardBought,
    GiftCardPaid,
    TestOrder,
    Presentment,
    PaymentTerms,
    Authorised,
    Pending,
    FreeOrder,
    SmallId,
    LongPoNumber,
    NoteAttributes,
    Properties,
}
