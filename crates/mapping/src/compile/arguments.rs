//! What steps have in common: roundings, zones, forms of dates, names out of a list, and what a step may be given.

use jiff::tz::TimeZone;
use rust_decimal::RoundingStrategy;

use super::Compiler;
use crate::error::LoadCode;
use crate::nearest::suggest;
use crate::plan::{Rounding, Zone};
use crate::read::{Entry, Keys};
use crate::types::{Format, Ty, Typed};
use crate::verb::Verb;

/// Decimals that a rounding may ask for: what a decimal of 96 bits holds beside a useful whole part.
const PLACES_MAX: i64 = 12;

const ROUNDINGS: &[(&str, RoundingStrategy)] = &[
    ("half_up", RoundingStrategy::MidpointAwayFromZero),
    ("half_even", RoundingStrategy::MidpointNearestEven),
    ("half_down", RoundingStrategy::MidpointTowardZero),
    ("up", RoundingStrategy::AwayFromZero),
    ("down", RoundingStrategy::ToZero),
];

impl Compiler<'_> {
    /// A form of dates and the zone that it is in.
    pub(super) fn form(&mut self, argument: &Entry<'_, '_>, what: &str) -> Option<(String, Zone)> {
        let Some(mut keys) = argument.table_if() else {
            return Some((argument.word(&mut self.findings)?.to_owned(), Zone::FromContext));
        };
        let form = self.required(&mut keys, "form", argument);
        let zone = match keys.take("zone") {
            Some(entry) => self.zone(&entry)?,
            None => Zone::FromContext,
        };
        keys.finish(&mut self.findings, what, &["form", "zone"]);
        Some((form?.word(&mut self.findings)?.to_owned(), zone))
    }

    pub(super) fn zone(&mut self, entry: &Entry<'_, '_>) -> Option<Zone> {
        let name = entry.word(&mut self.findings)?;
        if name == "context" {
            return Some(Zone::FromContext);
        }
        match TimeZone::get(name) {
            Ok(zone) => Some(Zone::Named(zone)),
            Err(_) => {
                self.findings.add_help(
                    LoadCode::UnknownName,
                    entry.span.clone(),
                    format!("there is no time zone `{name}`"),
                    "a name of the IANA database such as \"Europe/Amsterdam\", \"UTC\", or \"context\" for the flow's own",
                );
                None
            }
        }
    }

    /// `2`, or `{ places = 2, rounding = "half_even" }`.
    pub(super) fn rounding(&mut self, argument: &Entry<'_, '_>) -> Option<Rounding> {
        let Some(mut keys) = argument.table_if() else {
            return self.places(argument, RoundingStrategy::MidpointAwayFromZero);
        };
        let places = self.required(&mut keys, "places", argument);
        let strategy = keys.take("rounding");
        keys.finish(&mut self.findings, "`scale`", &["places", "rounding"]);
        let strategy = self.strategy(strategy.as_ref())?;
        self.places(&places?, strategy)
    }

    /// The keys `scale` and `rounding` of another verb.
    pub(super) fn rounding_keys(&mut self, keys: &mut Keys<'_, '_>) -> Option<Rounding> {
        let scale = keys.take("scale");
        let strategy = keys.take("rounding");
        let strategy = self.strategy(strategy.as_ref())?;
        self.places(&scale?, strategy)
    }

    pub(super) fn places(&mut self, entry: &Entry<'_, '_>, strategy: RoundingStrategy) -> Option<Rounding> {
        let places = entry.integer(&mut self.findings, 0, PLACES_MAX)?;
        Some(Rounding { places: u32::try_from(places).ok()?, strategy })
    }

    pub(super) fn strategy(&mut self, entry: Option<&Entry<'_, '_>>) -> Option<RoundingStrategy> {
        let Some(entry) = entry else { return Some(RoundingStrategy::MidpointAwayFromZero) };
        let names: Vec<&str> = ROUNDINGS.iter().map(|(name, _)| *name).collect();
        let name = self.one_of(entry, "a rounding", &names)?;
        ROUNDINGS.iter().find(|(known, _)| *known == name).map(|(_, strategy)| *strategy)
    }

    pub(super) fn one_of<'t>(
        &mut self,
        entry: &Entry<'t, '_>,
        what: &str,
        known: &[&str],
    ) -> Option<&'t str> {
        let word = entry.word(&mut self.findings)?;
        if known.contains(&word) {
            return Some(word);
        }
        self.findings.add_help(
            LoadCode::UnknownName,
            entry.span.clone(),
            format!("`{word}` is not {what}"),
            suggest(word, known.iter().copied()),
        );
        None
    }

    pub(super) fn expect_text(&mut self, verb: Verb, entry: &Entry<'_, '_>, before: &Typed) -> Option<()> {
        if matches!(before.ty, Ty::Text(_) | Ty::Any) {
            return Some(());
        }
        self.findings.add_help(
            LoadCode::TypeMismatch,
            entry.span.clone(),
            format!("`{verb}` takes a text; the value before it is {}", before.ty),
            "turn it into one with { as = \"text\" }",
        );
        None
    }

    pub(super) fn expect_number_before(&mut self, entry: &Entry<'_, '_>, before: &Typed) -> Option<()> {
        self.expect(entry, &before.ty, "a decimal", Ty::is_numeric)
    }

    pub(super) fn expect_format(
        &mut self,
        entry: &Entry<'_, '_>,
        before: &Typed,
        formats: &[Format],
    ) -> Option<()> {
        let fits = match &before.ty {
            Ty::Text(text) => formats.contains(&text.format),
            ty => *ty == Ty::Any,
        };
        if fits {
            return Some(());
        }
        let help = match (&before.ty, formats) {
            (Ty::Text(text), [Format::Date]) if text.format == Format::DateTime => {
                "take the day first: { date = \"ZONE\" }"
            }
            (Ty::Text(text), _) if text.format == Format::Plain => "read it first: { parse = \"%Y-%m-%d\" }",
            _ => "",
        };
        self.findings.add_help(
            LoadCode::TypeMismatch,
            entry.span.clone(),
            format!("`{}` takes a date; the value before it is {}", entry.key, before.ty),
            help,
        );
        None
    }
}
