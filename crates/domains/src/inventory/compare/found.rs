//! What a full check finds, by cause.

use std::collections::BTreeMap;
use std::fmt;

/// Why a pair is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Shopify has no such SKU, or does not stock it there: which of the three below, of those that have their names.
    MissingInShopify,
    /// Shopify has no level of the SKU anywhere.
    UnknownSku,
    /// Shopify has the SKU at other locations.
    NotStocked,
    /// The same, and at one of these it sells units of which the source does not tell.
    WrongLocation,
    UnknownInSource,
    Differs,
    TwiceInSource,
    /// Two variants have this SKU: which one is meant cannot be known.
    TwiceInShopify,
}

impl Cause {
    pub const ALL: [Self; 8] = [
        Self::MissingInShopify,
        Self::UnknownSku,
        Self::NotStocked,
        Self::WrongLocation,
        Self::UnknownInSource,
        Self::Differs,
        Self::TwiceInSource,
        Self::TwiceInShopify,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingInShopify => "missing_in_shopify",
            Self::UnknownSku => "unknown_sku",
            Self::NotStocked => "not_stocked",
            Self::WrongLocation => "wrong_location",
            Self::UnknownInSource => "unknown_in_source",
            Self::Differs => "differs",
            Self::TwiceInSource => "twice_in_source",
            Self::TwiceInShopify => "twice_in_shopify",
        }
    }
}

/// One pair on which the sides do not agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    pub sku: String,
    pub location: String,
    pub cause: Cause,
    /// What Shopify's available should be, with what is in flight taken off. Of a pair that Shopify does not have nothing is in
    /// flight.
    pub wanted: Option<i64>,
    /// What Shopify's available is.
    pub has: Option<i64>,
    /// The other side has a pair that differs from this one by capitals or blanks only: its SKU and location.
    pub spelt: Option<(String, String)>,
    /// Of a [wrong location](Cause::WrongLocation): where Shopify sells most of it of which the source does not tell, and how many.
    pub elsewhere: Option<(String, i64)>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.sku, self.location, self.cause.as_str())?;
        match (self.wanted, self.has) {
            (Some(wanted), Some(has)) => write!(f, ", Shopify has {has} and should have {wanted}")?,
            (Some(wanted), None) => write!(f, ", should have {wanted}")?,
            (None, Some(has)) => write!(f, ", Shopify has {has}")?,
            (None, None) => {}
        }
        if let Some((location, has)) = &self.elsewhere {
            write!(f, "; it has {has} at {location}")?;
        }
        match &self.spelt {
            Some((sku, location)) => write!(f, "; the other side spells it {sku:?} at {location:?}"),
            None => Ok(()),
        }
    }
}

/// What Shopify has of a SKU that is missing somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub(super) stocked: bool,
    /// Units of which the source does not tell: the location with most of them.
    pub(super) untold: Option<(String, i64)>,
}

/// All of one cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub count: u64,
    /// Some of them up to the limit: the first that came; of those that Shopify alone has, those first that can be sold there.
    pub kept: Vec<Difference>,
}

/// What a full check found. Where nothing was found, both sides agree on every pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Pairs that the source named.
    pub source: u64,
    /// Pairs that Shopify has.
    pub shopify: u64,
    pub same: u64,
    /// Beyond those that have their names.
    pub missing_in_shopify: Found,
    pub unknown_sku: Found,
    pub not_stocked: Found,
    pub wrong_location: Found,
    pub unknown_in_source: Found,
    pub differs: Found,
    pub twice_in_source: Found,
    pub twice_in_shopify: Found,
    pub(super) limit: usize,
}

impl Report {
    pub(super) fn new(shopify: u64, limit: usize) -> Self {
        let none = Found::default;
        Self {
            source: 0,
            shopify,
            same: 0,
            missing_in_shopify: none(),
            unknown_sku: none(),
            not_stocked: none(),
            wrong_location: none(),
            unknown_in_source: none(),
            differs: none(),
            twice_in_source: none(),
            twice_in_shopify: none(),
            limit,
        }
    }

    /// By cause.
    #[must_use]
    pub fn all(&self) -> [(Cause, &Found); 8] {
        [
            (Cause::Differs, &self.differs),
            (Cause::MissingInShopify, &self.missing_in_shopify),
            (Cause::UnknownSku, &self.unknown_sku),
            (Cause::NotStocked, &self.not_stocked),
            (Cause::WrongLocation, &self.wrong_location),
            (Cause::UnknownInSource, &self.unknown_in_source),
            (Cause::TwiceInSource, &self.twice_in_source),
            (Cause::TwiceInShopify, &self.twice_in_shopify),
        ]
    }

    /// How many pairs the sides do not agree on.
    #[must_use]
    pub fn differences(&self) -> u64 {
        self.all().iter().map(|(_, found)| found.count).sum()
    }

    fn of(&mut self, cause: Cause) -> &mut Found {
        match cause {
            Cause::MissingInShopify => &mut self.missing_in_shopify,
            Cause::UnknownSku => &mut self.unknown_sku,
            Cause::NotStocked => &mut self.not_stocked,
            Cause::WrongLocation => &mut self.wrong_location,
            Cause::UnknownInSource => &mut self.unknown_in_source,
            Cause::Differs => &mut self.differs,
            Cause::TwiceInSource => &mut self.twice_in_source,
            Cause::TwiceInShopify => &mut self.twice_in_shopify,
        }
    }

    pub(super) fn add(
        &mut self,
        cause: Cause,
        sku: &str,
        location: &str,
        wanted: Option<i64>,
        has: Option<i64>,
    ) {
        let limit = self.limit;
        let found = self.of(cause);
        found.count += 1;
        if found.kept.len() < limit {
            let (sku, location) = (sku.to_owned(), location.to_owned());
            found.kept.push(Difference { sku, location, cause, wanted, has, spelt: None, elsewhere: None });
        }
    }

    /// One that is counted already.
    pub(super) fn name_unknown(&mut self, sku: &str, location: &str, has: i64) {
        self.unknown_in_source.count -= 1;
        self.add(Cause::UnknownInSource, sku, location, None, Some(has));
    }

    /// Tells apart what is missing, each by what was seen of its SKU elsewhere.
    pub(super) fn tell_missing_apart(&mut self, seen: impl Fn(&str) -> Elsewhere) {
        for mut it in std::mem::take(&mut self.missing_in_shopify.kept) {
            self.missing_in_shopify.count -= 1;
            let seen = seen(&it.sku);
            it.cause = match (&seen.untold, seen.stocked) {
                (Some(_), _) => Cause::WrongLocation,
                (None, true) => Cause::NotStocked,
                (None, false) => Cause::UnknownSku,
            };
            it.elsewhere = seen.untold;
            let found = self.of(it.cause);
            found.count += 1;
            found.kept.push(it);
        }
    }

    /// Finds what is one pair to a person and two to a computer: the first cause of failed imports.
    pub(super) fn match_spellings(&mut self) {
        let folded = |it: &Difference| (it.sku.trim().to_lowercase(), it.location.trim().to_lowercase());
        let spelt = |found: &Found| -> BTreeMap<_, _> {
            found.kept.iter().map(|it| (folded(it), (it.sku.clone(), it.location.clone()))).collect()
        };
        let (missing, unknown) = (spelt(&self.missing_in_shopify), spelt(&self.unknown_in_source));
        for it in &mut self.missing_in_shopify.kept {
            it.spelt = unknown.get(&folded(it)).cloned();
        }
        for it in &mut self.unknown_in_source.kept {
            it.spelt = missing.get(&folded(it)).cloned();
        }
    }
}
