//! From a document to terms. Owns the checks of lists, locations, units and quantity rules; those of surcharges and promotions
//! stand in [`super::compile`]'s neighbour `amend`.

mod amend;
mod read;

use super::faults::{Faults, TermsFault};
use super::{BASES_MAX, Base, PriceList, QuantityRule, Terms};
use crate::audience::Buyer;
use crate::book::ListIndex;
use crate::document::{Document, Half, List, Rounding};
use crate::rounding::{To, UnitRounding};
use crate::sku::Sku;
use jiff::tz::TimeZone;
use kernel::money::{Currency, Rounding as KernelHalf};
use kernel::quantity::Unit;
use rust_decimal::Decimal;

pub(super) fn compile(document: &Document) -> Result<Terms, Vec<TermsFault>> {
    let mut faults = Faults::default();
    let zone = zone_of(document, &mut faults);
    let mut terms = Terms { zone: Some(zone.clone()), ..Terms::default() };
    lists(document, &zone, &mut terms, &mut faults);
    bases(document, &mut terms, &mut faults);
    locations(document, &mut terms, &mut faults);
    units(document, &mut terms, &mut faults);
    quantity_rules(document, &mut terms, &mut faults);
    amend::surcharges(document, &zone, &mut terms, &mut faults);
    amend::promotions(document, &zone, &mut terms, &mut faults);
    faults.end(terms)
}

fn zone_of(document: &Document, faults: &mut Faults) -> TimeZone {
    let Some(name) = &document.zone else { return TimeZone::UTC };
    TimeZone::get(name).unwrap_or_else(|_| {
        faults.tell("zone".into(), format!("'{name}' is no time zone: write one such as Europe/Berlin"));
        TimeZone::UTC
    })
}

fn lists(document: &Document, zone: &TimeZone, terms: &mut Terms, faults: &mut Faults) {
    for (at, row) in document.lists.iter().enumerate() {
        let place = |field: &str| format!("lists[{at}].{field}");
        // A list that has faults takes its place all the same, so that those of others are told as well.
        let index = ListIndex(u32::try_from(terms.lists.len()).unwrap_or(u32::MAX));
        let list = list_of(row, zone, faults, &place);
        if let Err(why) = read::id(&row.id) {
            faults.tell(place("id"), why);
        } else if terms.by_id.insert(row.id.as_str().into(), index).is_some() {
            faults.tell(place("id"), format!("there are two lists '{}'", row.id));
        }
        for audience in &list.audience {
            let named = terms.by_audience.entry(audience.clone()).or_default();
            if !named.contains(&index) {
                named.push(index);
            }
        }
        terms.lists.push(list);
    }
}

fn list_of(row: &List, zone: &TimeZone, faults: &mut Faults, place: &dyn Fn(&str) -> String) -> PriceList {
    let currency = faults.keep(|| place("currency"), Currency::from_code(&row.currency));
    let unit = row.unit.as_deref().map(Unit::from_code).transpose();
    let unit = faults.keep(|| place("unit"), unit).flatten();
    PriceList {
        id: row.id.as_str().into(),
        kind: row.kind,
        currency: currency.unwrap_or_else(fallback_currency),
        audience: read::audiences(&row.audience, faults, &|| place("for")),
        priority: row.priority,
        approved: read::approved(row.state),
        validity: read::validity(row.valid_from.as_deref(), row.valid_until.as_deref(), zone, faults, place),
        tax: row.tax,
        tiers: row.tiers,
        unit: unit.unwrap_or_else(Unit::piece),
        rounding: rounding_of(row.rounding.as_ref(), faults, place),
        base: None,
    }
}

/// Only of a list that is refused.
fn fallback_currency() -> Currency {
    Currency::from_code("EUR").unwrap_or_else(|_| unreachable!("the euro is in the table"))
}

fn rounding_of(row: Option<&Rounding>, faults: &mut Faults, place: &dyn Fn(&str) -> String) -> UnitRounding {
    let Some(row) = row else { return UnitRounding::default() };
    let half = match row.half {
        Half::HalfUp => KernelHalf::HalfUp,
        Half::HalfEven => KernelHalf::HalfEven,
    };
    let to = faults.keep(|| place("rounding.to"), To::parse(&row.to)).unwrap_or(To::Exact);
    UnitRounding { to, half }
}

/// Bases: known, of the same currency, without a circle, not too long a chain.
fn bases(document: &Document, terms: &mut Terms, faults: &mut Faults) {
    for (at, row) in document.lists.iter().enumerate() {
        let place = |field: &str| format!("lists[{at}].{field}");
        let Some(base) = &row.base else {
            if row.percent.is_some() {
                faults.tell(place("percent"), "a percent without a base: name the list that it changes");
            }
            continue;
        };
        let Some(list) = terms.by_id.get(base.as_str()).copied() else {
            faults.tell(place("base"), format!("there is no list '{base}'"));
            continue;
        };
        if terms.lists[list.0 as usize].currency != terms.lists[at].currency {
            faults.tell(place("base"), format!("'{base}' is in another currency: prices are not converted"));
        }
        if terms.lists[list.0 as usize].tax != terms.lists[at].tax {
            let why =
                format!("of '{base}' and this list one is with tax and one without: say the same in both");
            faults.tell(place("tax"), why);
        }
        let of_hundred = row.percent.as_deref().map_or(Ok(Decimal::ONE_HUNDRED), read::of_hundred);
        let of_hundred = faults.keep(|| place("percent"), of_hundred).unwrap_or(Decimal::ONE_HUNDRED);
        terms.lists[at].base = Some(Base { list, of_hundred });
    }
    for at in 0..document.lists.len() {
        if let Err(why) = chain(terms, at) {
            faults.tell(format!("lists[{at}].base"), why);
        }
    }
}

fn chain(terms: &Terms, first: usize) -> Result<(), String> {
    let mut at = first;
    let mut names = vec![terms.lists[first].id.to_string()];
    while let Some(base) = terms.lists[at].base {
        at = base.list.0 as usize;
        names.push(terms.lists[at].id.to_string());
        if at == first {
            return Err(format!("the bases go round in a circle: {}", names.join(" → ")));
        }
        if names.len() > BASES_MAX + 1 {
            return Err(format!("more than {BASES_MAX} bases stand behind it, or they go round in a circle"));
        }
    }
    Ok(())
}

fn locations(document: &Document, terms: &mut Terms, faults: &mut Faults) {
    for (at, row) in document.locations.iter().enumerate() {
        if let Err(why) = read::id(&row.id) {
            faults.tell(format!("locations[{at}].id"), why);
            continue;
        }
        let mut groups: Vec<Box<str>> = row.groups.iter().map(|id| id.as_str().into()).collect();
        groups.sort();
        groups.dedup();
        let company = row.company.as_deref().map(Into::into);
        let buyer = Buyer { company_location: Some(row.id.as_str().into()), company, groups };
        if terms.locations.insert(row.id.as_str().into(), buyer).is_some() {
            faults.tell(format!("locations[{at}].id"), format!("there are two locations '{}'", row.id));
        }
    }
}

fn units(document: &Document, terms: &mut Terms, faults: &mut Faults) {
    for (at, row) in document.units.iter().enumerate() {
        let place = |field: &str| format!("units[{at}].{field}");
        let unit = faults.keep(|| place("unit"), Unit::from_code(&row.unit));
        let pieces = faults.keep(|| place("pieces"), read::pieces(&row.pieces));
        let sku = faults.keep(|| place("sku"), row.sku.as_deref().map(Sku::parse).transpose());
        let (Some(unit), Some(pieces), Some(sku)) = (unit, pieces, sku) else { continue };
        if unit == Unit::piece() {
            faults.tell(place("unit"), "C62 is the piece itself");
        } else if !terms.units.define(sku, unit, pieces) {
            faults.tell(place("unit"), format!("'{}' is defined twice", row.unit));
        }
    }
}

fn quantity_rules(document: &Document, terms: &mut Terms, faults: &mut Faults) {
    for (at, row) in document.quantity_rules.iter().enumerate() {
        let place = |field: &str| format!("quantity_rules[{at}].{field}");
        let mut number = |field: &str, text: Option<&str>| {
            let read = text.map(read::pieces).transpose();
            faults.keep(|| place(field), read).flatten()
        };
        let step = number("step", row.step.as_deref()).unwrap_or(Decimal::ONE);
        let minimum = number("minimum", row.minimum.as_deref()).unwrap_or(step);
        let maximum = number("maximum", row.maximum.as_deref());
        if maximum.is_some_and(|maximum| maximum < minimum) {
            faults.tell(place("maximum"), "it is less than the minimum");
        }
        if !(minimum % step).is_zero() {
            faults.tell(
                place("minimum"),
                format!("{minimum} is no multiple of the step of {step}, so it could not be ordered"),
            );
        }
        if let Some(sku) = faults.keep(|| place("sku"), Sku::parse(&row.sku)) {
            let rule = QuantityRule { minimum, step, maximum };
            if terms.quantity_rules.insert(sku, rule).is_some() {
                faults.tell(place("sku"), format!("there are two rules for '{}'", row.sku));
            }
        }
    }
}
