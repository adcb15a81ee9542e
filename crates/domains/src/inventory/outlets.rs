//! Over which of the shop's locations one of the source's is divided: `WH-1 = WEB 70% + SHOP 30%`. Owns the text form of these rules,
//! and that what lies at one place is divided once. How much each may show is `division`'s and `family`'s; which of the shop's
//! locations an outlet is says the mapping, by the outlet's name, as of any other.

use super::division::{Division, Takes};
use super::pools::Pools;
use super::rule_text;
use super::rules::RuleFault;
use std::collections::BTreeMap;

/// Of one place: they are set one after another, and all are looked at before each.
pub const OUTLETS_MAX: usize = 10;
const UNITS_MAX: i64 = 1_000_000_000;

const HELP: &str = "write what is divided, and over which of the shop's locations, by share or with a number of units and one that \
                    has the rest, as in \"WH-1 = WEB 70% + SHOP 30%\" or \"WH-1 = WEB + SHOP 5\"";

/// One of the shop's locations that show what lies at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// As the mapping reads it.
    pub location: String,
    pub takes: Takes,
}

/// All that a flow divides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlets {
    /// By the place that is divided: one of the source's locations, or a pool.
    of: BTreeMap<String, Vec<Outlet>>,
    place_of: BTreeMap<String, String>,
}

impl Outlets {
    /// # Errors
    /// Every rule that cannot be read, divides a place twice, or has two places shown at one outlet.
    pub fn parse(texts: &[String], pools: &Pools) -> Result<Self, Vec<RuleFault>> {
        let mut outlets = Self::default();
        let (rules, mut faults) = rule_text::each("outlets", texts, rule_of);
        let divided: Vec<String> = rules.iter().map(|(_, (place, _))| place.clone()).collect();
        for (index, (place, all)) in rules {
            if outlets.of.contains_key(&place) {
                faults.at(index, format!("{place:?} is divided already; name all its outlets in one rule"));
                continue;
            }
            if let Some(pool) = pools.of(&place) {
                let what = format!(
                    "{place:?} is sold with others as {pool:?}, so it has nothing of its own to divide; divide {pool:?}, or take it \
                     out of stock.locations"
                );
                faults.at(index, what);
            }
            for Outlet { location, .. } in &all {
                let is_source = divided.contains(location)
                    || pools.of(location).is_some()
                    || pools.sources(location).is_some();
                if is_source {
                    let what = format!(
                        "{location:?} is a place that is divided or sold with others; give the outlet a name of its own"
                    );
                    faults.at(index, what);
                } else if let Some(other) = outlets.place_of.insert(location.clone(), place.clone()) {
                    let what = format!(
                        "{location:?} shows what lies at {other:?} already; take it out of one, or make one of both in \
                         stock.locations and divide that"
                    );
                    faults.at(index, what);
                }
            }
            outlets.of.insert(place, all);
        }
        faults.or(outlets)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Where what lies at a place is shown, in the order of the rule; `None`: it is not divided.
    #[must_use]
    pub fn of(&self, place: &str) -> Option<&[Outlet]> {
        self.of.get(place).map(Vec::as_slice)
    }

    /// What an outlet shows; `None`: it is none.
    #[must_use]
    pub fn place_of(&self, outlet: &str) -> Option<&str> {
        self.place_of.get(outlet).map(String::as_str)
    }

    /// Each place, with its outlets.
    pub fn all(&self) -> impl Iterator<Item = (&str, &[Outlet])> {
        self.of.iter().map(|(place, outlets)| (place.as_str(), outlets.as_slice()))
    }

    /// Of the siblings of an outlet, itself among them, what falls to each.
    #[must_use]
    pub fn divisions(&self, outlet: &str) -> Vec<(&Outlet, Division)> {
        let all = self.place_of(outlet).and_then(|place| self.of(place)).unwrap_or_default();
        let takes: Vec<Takes> = all.iter().map(|outlet| outlet.takes).collect();
        let of = |(own, outlet)| (outlet, Division::new(takes.clone(), own));
        all.iter().enumerate().map(of).collect()
    }
}

fn rule_of(text: &str) -> Result<(String, Vec<Outlet>), String> {
    let (place, outlets) =
        text.split_once('=').ok_or_else(|| format!("{text:?} says of no place how it is divided; {HELP}"))?;
    let place = place.trim().to_owned();
    let outlets: Vec<Outlet> = outlets.split('+').map(outlet_of).collect::<Result<_, _>>()?;
    let is_name = |name: &str| rule_text::is_location(name, &['=', '%']);
    if !is_name(&place) || !outlets.iter().all(|outlet| is_name(&outlet.location)) {
        return Err(format!("{text:?} names a location that can be none; {HELP}"));
    }
    if let [only] = outlets.as_slice() {
        let what = format!(
            "{place:?} is shown at {:?} alone; let the mapping say which of the shop's locations that is",
            only.location
        );
        return Err(what);
    }
    if outlets.len() > OUTLETS_MAX {
        let what = format!(
            "{place:?} is divided over {}, and {OUTLETS_MAX} may be; name fewer of the shop's locations",
            outlets.len()
        );
        return Err(what);
    }
    is_whole(&place, &outlets)?;
    Ok((place, outlets))
}

/// A name, and what it takes: a last word of digits, with or without a percent sign.
fn outlet_of(text: &str) -> Result<Outlet, String> {
    let text = text.trim();
    let bare = text.strip_suffix('%').map(str::trim_end);
    let (name, number) = bare.unwrap_or(text).rsplit_once(char::is_whitespace).unwrap_or((text, ""));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let takes = match (bare, is_number) {
        (None, false) => return Ok(Outlet { location: text.to_owned(), takes: Takes::Rest }),
        (Some(_), true) => number.parse().ok().filter(|share| (1..100).contains(share)).map(Takes::Percent),
        (None, true) => number.parse().ok().filter(|units| (1..=UNITS_MAX).contains(units)).map(Takes::Units),
        (Some(_), false) => None,
    };
    let takes = takes.ok_or_else(|| {
        format!("{text:?} takes no part that can be: write 1% to 99%, or 1 to {UNITS_MAX} units; {HELP}")
    })?;
    Ok(Outlet { location: name.trim().to_owned(), takes })
}

/// Whether all of it is divided, and nothing twice.
fn is_whole(place: &str, outlets: &[Outlet]) -> Result<(), String> {
    let rest: Vec<&str> = outlets
        .iter()
        .filter(|outlet| outlet.takes == Takes::Rest)
        .map(|outlet| outlet.location.as_str())
        .collect();
    let percent: u32 = outlets
        .iter()
        .map(|outlet| if let Takes::Percent(percent) = outlet.takes { u32::from(percent) } else { 0 })
        .sum();
    let in_units = outlets.iter().any(|outlet| matches!(outlet.takes, Takes::Units(_)));
    match rest.as_slice() {
        _ if percent > 0 && in_units => Err(format!(
            "of {place:?} some take a share and some a number of units, and a share of what would be anybody's guess; write all of \
             them in percent, or all in units"
        )),
        [one, other, ..] => Err(format!(
            "of {place:?} both {one:?} and {other:?} would have the rest; write of all but one what they take"
        )),
        [] if in_units => Err(format!(
            "of {place:?} nobody has what is left when each has its number; leave the number of one out, which has the rest then"
        )),
        [] if percent != 100 => Err(format!(
            "the shares of {place:?} are {percent} % together; let them be 100 %, or leave one out, which has the rest then"
        )),
        [one] if percent >= 100 => {
            Err(format!("the shares of {place:?} leave nothing for {one:?}; lower them, or take it out"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Outlets, Vec<RuleFault>> {
        let pools = Pools::parse(&["ALL = W + X".to_owned()]).unwrap();
        Outlets::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), &pools)
    }

    #[test]
    fn a_place_is_divided_over_what_is_named() {
        let outlets = parse(&["WH-1 = WEB 70% + SHOP 30 %", "ALL=Pick up + B2B 5 "]).unwrap();
        let outlet = |location: &str, takes| Outlet { location: location.to_owned(), takes };
        let shares = [outlet("WEB", Takes::Percent(70)), outlet("SHOP", Takes::Percent(30))];
        assert_eq!(outlets.of("WH-1").unwrap(), shares);
        assert_eq!(
            outlets.of("ALL").unwrap(),
            [outlet("Pick up", Takes::Rest), outlet("B2B", Takes::Units(5))]
        );
        assert_eq!(
            (outlets.place_of("B2B"), outlets.place_of("WH-1"), outlets.of("WEB")),
            (Some("ALL"), None, None)
        );
        let parts: Vec<i64> =
            outlets.divisions("SHOP").iter().map(|(_, division)| division.part(9)).collect();
        assert_eq!(parts, [7, 2]);
        assert!(outlets.divisions("WH-1").is_empty() && parse(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_divides_too_little_too_much_or_twice_is_refused_with_its_place() {
        for (texts, index, expected) in [
            (vec!["WH-1"], 0, "says of no place"),
            (vec!["WH-1 = "], 0, "can be none"),
            (vec![" = A 70% + B 30%"], 0, "can be none"),
            (vec!["W1 = A 50% + 50%"], 0, "takes no part that can be"),
            (vec!["W1 = A + + B 1"], 0, "can be none"),
            (vec!["W1 = A = B + C 1"], 0, "can be none"),
            (vec!["W1 = A"], 0, "is shown at \"A\" alone"),
            (vec!["W1 = A 70% + B 20%"], 0, "are 90 % together"),
            (vec!["W1 = A 70% + B 40%"], 0, "are 110 % together"),
            (vec!["W1 = A 60% + B 40% + C"], 0, "leave nothing for \"C\""),
            (vec!["W1 = A + B"], 0, "both \"A\" and \"B\" would have the rest"),
            (vec!["W1 = A 20 + B 5"], 0, "nobody has what is left"),
            (vec!["W1 = A 20 + B 5% + C"], 0, "some take a share and some a number"),
            (vec!["W1 = A 0% + B"], 0, "takes no part that can be"),
            (vec!["W1 = A 100% + B"], 0, "takes no part that can be"),
            (vec!["W1 = A 0 + B"], 0, "takes no part that can be"),
            (vec!["W1 = A x% + B"], 0, "takes no part that can be"),
            (vec!["W1 = A 9999999999 + B"], 0, "takes no part that can be"),
            (vec!["W1 = A 5 + B + A 3"], 0, "\"A\" shows what lies at \"W1\" already"),
            (vec!["W1 = A 5 + B", "W2 = B 5 + C"], 1, "\"B\" shows what lies at \"W1\" already"),
            (vec!["W1 = A 5 + B", "W1 = C 5 + D"], 1, "is divided already"),
            (vec!["W1 = A 5 + B", "W2 = W1 5 + D"], 1, "\"W1\" is a place that is divided"),
            (vec!["W1 = A 5 + W1"], 0, "\"W1\" is a place that is divided"),
            (vec!["W1 = ALL 5 + B"], 0, "\"ALL\" is a place that is divided or sold with others"),
            (vec!["W = A 5 + B"], 0, "is sold with others as \"ALL\""),
        ] {
            let faults = parse(&texts).unwrap_err();
            let fault = faults.first().unwrap();
            assert_eq!((fault.list, fault.index), ("outlets", index), "{texts:?}");
            assert!(fault.message.contains(expected) && fault.message.contains("; "), "{fault}");
        }
        let many: Vec<String> = (0..=OUTLETS_MAX).map(|at| format!("L{at} 1")).collect();
        assert!(
            parse(&[&format!("X = {} + R", many.join(" + "))]).unwrap_err()[0].message.contains("10 may be")
        );
    }
}
