//! What shares its units with others: a component that is sold in bundles as well, a bundle, or what is divided over several
//! locations. Owns the reading of `bundles`, `parts` and `outlets` of what a mapping made, which SKUs are looked at with it and where,
//! and what then is to be shown; how units are divided is the domain's (`domains::inventory::family`).

use super::code;
use super::want::{Want, Where, quantity};
use crate::mapped::wrong;
use domains::inventory::division::{Division, Takes};
use domains::inventory::family::{Component, Holder, Shown, bundle_to_show};
use kernel::fault::Fault;
use serde_json::Value;

/// With whom a pair shares its units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shared {
    No,
    /// It is sold in these bundles as well, which may have a share of it, in percent; in none where it is only divided over several
    /// locations.
    InBundles {
        bundles: Vec<Piece>,
        share: u8,
    },
    /// It is a bundle of these.
    OfParts(Vec<Part>),
}

/// The units that a pair is of.
pub(super) enum Units<'a> {
    /// Its own, and nobody else's.
    Own,
    /// It is their component.
    Of(Component),
    /// It is a bundle: of each component its SKU, and the place of this bundle among its holders.
    OfParts(Vec<(&'a str, Component, usize)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    sku: String,
    quantity: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    sku: String,
    available: i64,
    counted: Option<i64>,
    share: u8,
    /// All that hold it, the bundle itself among them.
    bundles: Vec<Piece>,
}

/// The locations that show the same units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outlets {
    /// All but its own.
    pub(super) others: Vec<Where>,
    division: Division,
}

impl Outlets {
    /// `None`: it has its units for itself. `own`: the location that the body is for.
    pub(super) fn read(body: &Value, own: &Where) -> Result<Option<Self>, Fault> {
        let all = list(body, "outlets")?;
        if all.is_empty() {
            return Ok(None);
        }
        let mut outlets = Vec::with_capacity(all.len());
        for outlet in all {
            let location = outlet.get("location").and_then(Where::read);
            let location = location
                .ok_or_else(|| wrong(code::BODY, "outlets", "locations, each by its id, number or name"))?;
            if outlets.iter().any(|(known, _)| *known == location) {
                let what = "locations of which each stands there once: two names of the mapping's table are one of the shop's";
                return Err(wrong(code::BODY, "outlets", what));
            }
            outlets.push((location, takes(outlet)?));
        }
        let place = outlets.iter().position(|(location, _)| location == own);
        let place = place.ok_or_else(|| wrong(code::BODY, "outlets", "locations of which its own is one"))?;
        let division = Division::new(outlets.iter().map(|(_, takes)| *takes).collect(), place);
        outlets.remove(place);
        Ok(Some(Self { others: outlets.into_iter().map(|(location, _)| location).collect(), division }))
    }
}

/// What is shown of a SKU: at the pair's own location (`None`), or at another.
pub(super) type Look<'a> = dyn Fn(&str, Option<&Where>) -> Option<Shown> + 'a;

fn takes(outlet: &Value) -> Result<Takes, Fault> {
    let number = |name: &str, max: i64| match outlet.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match quantity(value).filter(|number| (1..=max).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(
                code::BODY,
                "outlets",
                "locations whose percent is 1 to 99, or whose units are 1 or more",
            )),
        },
    };
    let percent = number("percent", 99)?.and_then(|percent| u8::try_from(percent).ok());
    match (percent, number("units", i64::MAX)?) {
        (Some(_), Some(_)) => {
            Err(wrong(code::BODY, "outlets", "locations that take a share or units, and not both"))
        }
        (Some(percent), None) => Ok(Takes::Percent(percent)),
        (None, Some(units)) => Ok(Takes::Units(units)),
        (None, None) => Ok(Takes::Rest),
    }
}

impl Shared {
    /// `divided`: over several locations.
    pub(super) fn read(body: &Value, divided: bool) -> Result<Self, Fault> {
        let parts = list(body, "parts")?;
        if !parts.is_empty() {
            return Ok(Self::OfParts(parts.iter().map(Part::read).collect::<Result<_, _>>()?));
        }
        let bundles = pieces(body, "bundles")?;
        if bundles.is_empty() && !divided {
            return Ok(Self::No);
        }
        Ok(Self::InBundles { bundles, share: share(body)? })
    }

    /// The other SKUs to be looked at.
    pub(super) fn kin<'a>(&'a self, own: &str) -> Vec<&'a str> {
        let mut kin: Vec<&str> = match self {
            Self::No => Vec::new(),
            Self::InBundles { bundles, .. } => names(bundles).collect(),
            Self::OfParts(parts) => {
                let of = |part: &'a Part| std::iter::once(part.sku.as_str()).chain(names(&part.bundles));
                parts.iter().flat_map(of).collect()
            }
        };
        kin.retain(|sku| *sku != own);
        kin.sort_unstable();
        kin.dedup();
        kin
    }

    /// What the pair is to show beside what is shown of the others.
    pub(super) fn to_show(&self, want: &Want, own: Shown, others: &Look<'_>) -> i64 {
        match self.units(want, own, others) {
            Units::Own => want.available - want.held_back(own.committed),
            Units::Of(component) => component.to_show(want.in_flight),
            Units::OfParts(parts) => {
                let parts: Vec<_> = parts.into_iter().map(|(_, part, place)| (part, place)).collect();
                bundle_to_show(&parts, want.in_flight)
            }
        }
    }

    /// Of which units it is, and what is shown and sold of these.
    pub(super) fn units<'a>(&'a self, want: &Want, own: Shown, others: &Look<'_>) -> Units<'a> {
        // Of what the shop has not there nothing is shown.
        let shown = |sku: &str| if sku == want.sku { own } else { others(sku, None).unwrap_or_default() };
        let division = || want.outlets.as_ref().map(|outlets| outlets.division.clone());
        let elsewhere = |sku: &str, bundles: &[Piece]| elsewhere(want, sku, bundles, others);
        let holders = |bundles: &[Piece]| -> Vec<Holder> {
            bundles
                .iter()
                .map(|piece| Holder { quantity: piece.quantity, shown: shown(&piece.sku) })
                .collect()
        };
        match self {
            Self::No => Units::Own,
            Self::InBundles { bundles, share } => Units::Of(Component {
                available: want.available,
                counted: Some(want.counted),
                share: *share,
                alone: own,
                holders: holders(bundles),
                division: division(),
                elsewhere: elsewhere(&want.sku, bundles),
            }),
            Self::OfParts(parts) => {
                let part = |part: &'a Part| {
                    let component = Component {
                        available: part.available,
                        counted: part.counted,
                        share: part.share,
                        alone: shown(&part.sku),
                        holders: holders(&part.bundles),
                        division: division(),
                        elsewhere: elsewhere(&part.sku, &part.bundles),
                    };
                    let place = part.bundles.iter().position(|piece| piece.sku == want.sku);
                    // A part that does not name this bundle allows nothing.
                    (part.sku.as_str(), component, place.unwrap_or(usize::MAX))
                };
                Units::OfParts(parts.iter().map(part).collect())
            }
        }
    }
}

/// Of a component, what is shown and sold at the other locations, alone and in bundles.
fn elsewhere(want: &Want, sku: &str, bundles: &[Piece], others: &Look<'_>) -> Shown {
    let locations = want.outlets.iter().flat_map(|outlets| &outlets.others);
    let mut all = Shown::default();
    for location in locations {
        let bundled = bundles.iter().map(|piece| (piece.sku.as_str(), piece.quantity));
        for (sku, quantity) in std::iter::once((sku, 1_i64)).chain(bundled) {
            let Shown { available, committed } = others(sku, Some(location)).unwrap_or_default();
            let units = |shown: i64| quantity.saturating_mul(shown.max(0));
            all.available = all.available.saturating_add(units(available));
            all.committed = all.committed.saturating_add(units(committed));
        }
    }
    all
}

fn names(pieces: &[Piece]) -> impl Iterator<Item = &str> {
    pieces.iter().map(|piece| piece.sku.as_str())
}

impl Part {
    fn read(of: &Value) -> Result<Self, Fault> {
        let counted = match of.get("counted") {
            None | Some(Value::Null) => None,
            Some(counted) => {
                let counted = quantity(counted).filter(|counted| *counted >= 0);
                Some(counted.ok_or_else(|| {
                    wrong(code::BODY, "parts", "components whose counted is zero or more, or null")
                })?)
            }
        };
        let available = of.get("available").and_then(quantity);
        Ok(Self {
            sku: sku(of, "parts")?,
            available: available
                .ok_or_else(|| wrong(code::BODY, "parts", "components, each with what is available of it"))?,
            counted,
            share: share(of)?,
            bundles: pieces(of, "bundles")?,
        })
    }
}

fn list<'a>(of: &'a Value, name: &str) -> Result<&'a [Value], Fault> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(wrong(code::BODY, name, "a list")),
    }
}

fn pieces(of: &Value, name: &str) -> Result<Vec<Piece>, Fault> {
    let piece = |piece: &Value| {
        let quantity = piece.get("quantity").and_then(quantity).filter(|quantity| *quantity > 0);
        let quantity = quantity
            .ok_or_else(|| wrong(code::BODY, name, "bundles, each with how many of it are in one"))?;
        Ok(Piece { sku: sku(piece, name)?, quantity })
    };
    list(of, name)?.iter().map(piece).collect()
}

fn sku(of: &Value, name: &str) -> Result<String, Fault> {
    let sku = of.get("sku").and_then(Value::as_str).filter(|sku| !sku.trim().is_empty());
    sku.map(str::to_owned).ok_or_else(|| wrong(code::BODY, name, "a list of which each has its SKU"))
}

/// Without one nothing of it is for bundles.
fn share(of: &Value) -> Result<u8, Fault> {
    let share = match of.get("bundle_share") {
        None | Some(Value::Null) => Some(0),
        Some(share) => quantity(share).and_then(|share| u8::try_from(share).ok()),
    };
    share
        .filter(|share| *share <= 100)
        .ok_or_else(|| wrong(code::BODY, "bundle_share", "a percentage, 0 to 100"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::seen::{AllKin, Kin, Level};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn level(available: i64, committed: i64) -> Level {
        let text = String::new;
        Level {
            id: text(),
            item: text(),
            location: text(),
            sku: text(),
            tracked: true,
            active: true,
            available,
            committed,
        }
    }

    fn kin(of: &[(&str, i64, i64)]) -> AllKin {
        AllKin { here: at(of), elsewhere: BTreeMap::new() }
    }

    fn at(of: &[(&str, i64, i64)]) -> BTreeMap<String, Kin> {
        let kin = |(sku, available, committed): &(&str, i64, i64)| {
            ((*sku).to_owned(), Kin { available: *available, committed: *committed })
        };
        of.iter().map(kin).collect()
    }

    #[test]
    fn an_outlet_has_its_part_and_never_what_another_shows() {
        let outlets = json!([{ "location": "Shop", "percent": 30 }, { "location": 7, "percent": 70 }]);
        let body =
            json!({ "sku": "LAMP", "location": "7", "available": 100, "counted": 2, "outlets": outlets });
        let want = Want::read(&body).unwrap();
        let shop = |available, committed| {
            let elsewhere = BTreeMap::from([("Shop".to_owned(), at(&[("LAMP", available, committed)]))]);
            AllKin { here: BTreeMap::new(), elsewhere }
        };
        assert_eq!(want.quantity(&level(0, 0), &shop(0, 0)), 70);
        // Sold at both: 7 of which the source has counted 2, and the first of the rule has what rounding leaves.
        assert_eq!(want.quantity(&level(0, 3), &shop(0, 4)), 66);
        assert_eq!(want.quantity(&level(0, 3), &shop(60, 4)), 35, "those are on sale already");
        assert_eq!(want.quantity(&level(0, 3), &shop(500, 4)), 0);
        let mut body = body.clone();
        body["bundles"] = json!([{ "sku": "SET", "quantity": 4 }]);
        body["bundle_share"] = json!(50);
        let want = Want::read(&body).unwrap();
        let elsewhere = at(&[("LAMP", 5, 0), ("SET", 2, 1)]);
        let elsewhere = BTreeMap::from([("Shop".to_owned(), elsewhere)]);
        // Free are 98, of which 68 are of here, and half of that for the bundle.
        let seen = |here: &[(&str, i64, i64)]| AllKin { here: at(here), elsewhere: elsewhere.clone() };
        assert_eq!(want.quantity(&level(0, 0), &seen(&[])), 34);
        assert_eq!(want.quantity(&level(0, 0), &seen(&[("SET", 15, 0)])), 25);
    }

    #[test]
    fn a_component_gives_way_to_its_bundles_and_they_to_it() {
        let body = json!({
            "sku": "CHAIR", "location": 1, "available": 20, "counted": 0, "bundle_share": 50,
            "bundles": [{ "sku": "SET", "quantity": 4 }, { "sku": "PAIR", "quantity": 2 }],
        });
        let want = Want::read(&body).unwrap();
        assert_eq!(want.shared.kin("CHAIR"), ["PAIR", "SET"]);
        assert_eq!(want.quantity(&level(0, 0), &kin(&[])), 10);
        // Two sets are sold: 8 chairs that the source has not counted.
        assert_eq!(want.quantity(&level(0, 0), &kin(&[("SET", 0, 2)])), 6);
        assert_eq!(want.quantity(&level(20, 0), &kin(&[("SET", 4, 0), ("PAIR", 1, 0)])), 2);
        let body = json!({
            "sku": "SET", "location": 1, "available": 5, "parts": [
                { "sku": "CHAIR", "quantity": 4, "available": 20, "counted": null, "bundle_share": 50,
                  "bundles": [{ "sku": "SET", "quantity": 4 }, { "sku": "PAIR", "quantity": 2 }] },
                { "sku": "TABLE", "quantity": 1, "available": 3, "counted": 1, "bundle_share": 100,
                  "bundles": [{ "sku": "SET", "quantity": 1 }] },
            ],
        });
        let want = Want::read(&body).unwrap();
        assert_eq!(want.shared.kin("SET"), ["CHAIR", "PAIR", "TABLE"]);
        assert_eq!(want.quantity(&level(0, 0), &kin(&[])), 1, "a quarter of the chairs each");
        assert_eq!(want.quantity(&level(0, 0), &kin(&[("CHAIR", 18, 0)])), 0, "those are on sale already");
        assert_eq!(want.quantity(&level(0, 0), &kin(&[("TABLE", 3, 0)])), 0);
    }

    #[test]
    fn what_says_nothing_certain_is_refused_with_its_field() {
        for (field, value) in [
            ("bundles", json!([{ "sku": "SET", "quantity": 0 }])),
            ("bundles", json!([{ "quantity": 1 }])),
            ("bundles", json!("SET")),
            ("parts", json!([{ "sku": "CHAIR" }])),
            ("parts", json!([{ "sku": "CHAIR", "available": 1, "counted": -1 }])),
            ("bundle_share", json!(101)),
            ("outlets", json!([{ "location": 2, "percent": 30 }, { "location": 3 }])),
            ("outlets", json!([{ "location": 1, "percent": 30 }, { "location": "1" }])),
            ("outlets", json!([{ "location": 1, "percent": 30, "units": 2 }, { "location": 2 }])),
            ("outlets", json!([{ "location": 1, "percent": 0 }, { "location": 2 }])),
            ("outlets", json!([{ "percent": 1 }, { "location": 1 }])),
            ("outlets", json!("WEB")),
        ] {
            let mut body = json!({
                "sku": "A", "location": 1, "available": 1, "bundles": [{ "sku": "SET", "quantity": 1 }],
            });
            body[field] = value;
            let fault = Want::read(&body).unwrap_err();
            assert_eq!(fault.field.as_deref(), Some(field), "{body}");
        }
    }
}
