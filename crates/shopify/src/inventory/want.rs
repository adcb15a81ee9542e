//! What a mapping made, read. Owns what in flight means: how many of the units that Shopify sold are held back, because
//! the source has not counted them yet. What is sold in bundles, or is one, is `shared`'s.

use super::code;
use super::seen::{AllKin, Kin, Level};
use super::shared::{Outlets, Shared};
use crate::mapped::wrong;
use domains::inventory::compare::InFlight;
use domains::inventory::family::Shown;
use kernel::fault::Fault;
use serde_json::Value;

/// No quantity of Shopify's lies outside.
pub(super) const QUANTITY_MAX: i64 = 1_000_000_000;
const LOCATION: &str = "gid://shopify/Location/";

/// `shopify.inventory/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) sku: String,
    pub(super) location: Where,
    pub(super) available: i64,
    pub(super) counted: i64,
    pub(super) in_flight: InFlight,
    /// With whom it shares its units.
    pub(super) shared: Shared,
    /// Where else the same units are shown.
    pub(super) outlets: Option<Outlets>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Where {
    Gid(String),
    Name(String),
}

impl Want {
    pub(super) fn read(body: &Value) -> Result<Self, Fault> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let sku = text("sku").ok_or_else(|| wrong(code::BODY, "sku", "a text that is not blank"))?.to_owned();
        let location = body.get("location").and_then(Where::read);
        let location =
            location.ok_or_else(|| wrong(code::BODY, "location", "a location's id, number or name"))?;
        let whole = format!("a whole number from -{QUANTITY_MAX} to {QUANTITY_MAX}");
        let available =
            body.get("available").and_then(quantity).ok_or_else(|| wrong(code::BODY, "available", &whole))?;
        let counted = match body.get("counted") {
            None | Some(Value::Null) => 0,
            Some(counted) => quantity(counted)
                .filter(|counted| *counted >= 0)
                .ok_or_else(|| wrong(code::BODY, "counted", "a whole number, zero or more, or null"))?,
        };
        let in_flight = match body.get("in_flight") {
            None | Some(Value::Null) => InFlight::Counted,
            Some(word) => match word.as_str() {
                Some("counted") => InFlight::Counted,
                Some("all") => InFlight::All,
                Some("none") => InFlight::None,
                _ => return Err(wrong(code::BODY, "in_flight", "\"counted\", \"all\" or \"none\"")),
            },
        };
        let outlets = Outlets::read(body, &location)?;
        let shared = Shared::read(body, outlets.is_some())?;
        Ok(Self { sku, location, available, counted, in_flight, shared, outlets })
    }

    /// Of what Shopify has committed, the units that must not go back on sale.
    pub(super) fn held_back(&self, committed: i64) -> i64 {
        self.in_flight.held_back(committed, Some(self.counted))
    }

    /// What the pair is to show, by what Shopify has of it and of what shares its units.
    pub(super) fn quantity(&self, level: &Level, kin: &AllKin) -> i64 {
        match &self.shared {
            Shared::No => self.available - self.held_back(level.committed),
            shared => {
                let shown = |kin: &Kin| Shown { available: kin.available, committed: kin.committed };
                let own = Shown { available: level.available, committed: level.committed };
                shared.to_show(self, own, &|sku, at| kin.get(sku, at.map(Where::as_str)).map(shown))
            }
        }
    }

    /// Where else the same units are shown.
    pub(super) fn other_locations(&self) -> impl Iterator<Item = &Where> {
        self.outlets.iter().flat_map(|outlets| &outlets.others)
    }

    /// Wherever something of it is shown, its own location first.
    pub(super) fn locations(&self) -> impl Iterator<Item = &Where> {
        std::iter::once(&self.location).chain(self.other_locations())
    }

    /// Whether it is a bundle of which none can be sold.
    pub(super) fn is_empty_bundle(&self) -> bool {
        self.available <= 0 && matches!(self.shared, Shared::OfParts(_))
    }

    /// What is said where some are held back.
    pub(super) fn note(&self, committed: i64) -> Option<String> {
        if self.shared != Shared::No {
            return None;
        }
        let held = self.held_back(committed);
        (held > 0).then(|| {
            format!(
                "{held} of {committed} committed units are held back, because the source has not counted them: {} - \
                 {held} = {}",
                self.available,
                self.available - held
            )
        })
    }
}

impl Where {
    /// As it was written, or its whole id.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Gid(text) | Self::Name(text) => text,
        }
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = match value {
            Value::Number(number) => number.as_u64()?.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if text.is_empty() {
            None
        } else if digits(&text) {
            Some(Self::Gid(format!("{LOCATION}{text}")))
        } else if text.starts_with("gid:") {
            text.strip_prefix(LOCATION).is_some_and(digits).then_some(Self::Gid(text))
        } else {
            Some(Self::Name(text))
        }
    }
}

/// A mapping may write a whole number as a text.
pub(super) fn quantity(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (-QUANTITY_MAX..=QUANTITY_MAX).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_unit_that_shopify_sold_goes_back_on_sale_before_the_source_has_counted_it() {
        // Available at the source, counted, in flight, committed in Shopify; what Shopify is set to.
        for (available, counted, in_flight, committed, set) in [
            (113, json!(5), "counted", 8, 110),
            (113, json!(8), "counted", 8, 113),
            (113, json!(9), "counted", 8, 113),
            (113, json!(null), "counted", 8, 105),
            (113, json!(5), "all", 8, 105),
            (113, json!(5), "none", 8, 113),
            (2, json!(0), "counted", 5, -3),
            (-4, json!(0), "none", 0, -4),
        ] {
            let body = json!({
                "sku": "A", "location": 1, "available": available, "counted": counted, "in_flight": in_flight
            });
            let want = Want::read(&body).unwrap();
            assert_eq!(want.available - want.held_back(committed), set, "{body} {committed}");
            assert_eq!(want.note(committed).is_some(), set != available);
        }
    }

    #[test]
    fn a_location_is_an_id_a_number_or_a_name() {
        let gid = || Some(Where::Gid("gid://shopify/Location/7".to_owned()));
        for (value, expected) in [
            (json!("gid://shopify/Location/7"), gid()),
            (json!(7), gid()),
            (json!(" 7 "), gid()),
            (json!("Warehouse 7"), Some(Where::Name("Warehouse 7".to_owned()))),
            (json!("gid://shopify/Product/7"), None),
            (json!("gid://shopify/Location/"), None),
            (json!(" "), None),
            (json!(-7), None),
            (json!(null), None),
        ] {
            assert_eq!(Where::read(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_body_that_says_nothing_certain_is_refused_with_its_field() {
        let good = json!({ "sku": "A", "location": "1", "available": "12", "counted": null });
        assert_eq!(Want::read(&good).unwrap().available, 12);
        for (field, value) in [
            ("sku", json!(" ")),
            ("location", json!({})),
            ("available", json!(1.5)),
            ("available", json!("many")),
            ("available", json!(1_000_000_001)),
            ("available", json!(null)),
            ("counted", json!(-1)),
            ("in_flight", json!("some")),
        ] {
            let mut body = good.clone();
            body[field] = value;
            let fault = Want::read(&body).unwrap_err();
            assert_eq!((fault.code.as_str(), fault.field.as_deref()), (code::BODY, Some(field)), "{body}");
        }
    }
}
