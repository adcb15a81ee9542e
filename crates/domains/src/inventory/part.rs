//! What of a canonical state falls to its own location, where the same units are shown at several of the shop's: the number that a person is
//! told beside the location's name. The state itself has the quantities of all of it, because what is set depends on what the others show.

use super::division::{Division, Takes};
use serde::Serialize;
use serde_json::Value;

/// The part of one outlet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Of what is available of all of it, before what is in flight; in whole sales units.
    pub available: i64,
    /// `70 %`, `the first 5`, `the rest`.
    pub takes: String,
}

/// `None`: the location has all of it for itself.
#[must_use]
pub fn part(state: &Value) -> Option<Part> {
    let outlets = state["outlets"].as_array()?;
    let own = outlets.iter().position(|outlet| outlet["location"] == state["location"])?;
    let takes: Vec<Takes> = outlets.iter().map(takes).collect();
    let division = Division::new(takes.clone(), own);
    let available = match state["parts"].as_array().map(Vec::as_slice) {
        None | Some([]) => division.part(state["available"].as_i64()?),
        // Of a bundle: as often as its part of each component allows.
        Some(parts) => {
            let holds = |part: &Value| {
                let quantity = part["quantity"].as_i64().filter(|quantity| *quantity > 0)?;
                Some(division.part(part["available"].as_i64()?).max(0) / quantity)
            };
            parts.iter().map(holds).collect::<Option<Vec<i64>>>()?.into_iter().min()?
        }
    };
    Some(Part { available, takes: takes.get(own)?.to_string() })
}

fn takes(outlet: &Value) -> Takes {
    let percent = outlet["percent"].as_u64().and_then(|percent| u8::try_from(percent).ok());
    match (percent, outlet["units"].as_i64()) {
        (Some(percent), _) => Takes::Percent(percent),
        (None, Some(units)) => Takes::Units(units),
        (None, None) => Takes::Rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_outlet_has_its_part_and_any_other_location_all_of_it() {
        let shares = json!([{ "location": "WEB", "percent": 70 }, { "location": "STORE", "percent": 30 }]);
        let first = json!([{ "location": "WEB" }, { "location": "STORE", "units": 5 }]);
        for (location, available, outlets, expected) in [
            ("WEB", 99, &shares, (70, "70 %")),
            ("STORE", 99, &shares, (29, "30 %")),
            ("WEB", -4, &shares, (-4, "70 %")),
            ("STORE", -4, &shares, (0, "30 %")),
            ("WEB", 20, &first, (15, "the rest")),
            ("STORE", 20, &first, (5, "the first 5")),
            ("STORE", 3, &first, (3, "the first 5")),
        ] {
            let state = json!({ "location": location, "available": available, "outlets": outlets });
            let part = part(&state).unwrap();
            assert_eq!((part.available, part.takes.as_str()), expected, "{state}");
        }
        assert_eq!(part(&json!({ "location": "WH-1", "available": 5 })), None);
    }

    #[test]
    fn a_bundle_is_there_as_often_as_the_outlets_part_of_each_component_allows() {
        let outlets = json!([{ "location": "WEB" }, { "location": "STORE", "units": 5 }]);
        let parts = json!([{ "sku": "TABLE", "quantity": 1, "available": 45 }, { "sku": "CHAIR", "quantity": 4, "available": 45 }]);
        let at = |location: &str| {
            let state = json!({ "location": location, "available": 11, "outlets": outlets, "parts": parts });
            part(&state).unwrap().available
        };
        assert_eq!((at("WEB"), at("STORE")), (10, 1));
    }
}
