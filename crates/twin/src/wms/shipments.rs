//! Shipments: what left the house in one go, from one place, under a number of the warehouse's own; and what was taken back
//! before the carrier had it. Each grows a version with each change, and stands in a feed of its own.

use super::books::Books;
use super::refusal::Refusal;
use super::shelf::Slot;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A shipment as the warehouse shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipmentView {
    /// `SH-000001`.
    pub shipment: String,
    /// As the warehouse calls it.
    pub order: String,
    pub location: &'static str,
    /// By SKU.
    pub lines: BTreeMap<String, i64>,
    pub shipped_at: Timestamp,
    pub cancelled_at: Option<Timestamp>,
    /// Grows by one with each change.
    pub version: u64,
}

#[derive(Debug, Default)]
pub(super) struct Shipments {
    all: Vec<ShipmentView>,
    /// By the position of each one's last change.
    feed: BTreeMap<u64, usize>,
    positions: Vec<u64>,
    position: u64,
    /// That are to be pushed, as they were.
    told: Vec<Told>,
}

/// A shipment as it was at a moment.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) index: usize,
    view: ShipmentView,
}

#[derive(Serialize)]
struct Data<'a> {
    shipment: &'a str,
    order: &'a str,
    location: &'a str,
    lines: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<Way<'a>>,
    shipped_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    sku: &'a str,
    quantity: String,
}

#[derive(Serialize)]
struct Way<'a> {
    company: &'a str,
    numbers: [String; 1],
    urls: [String; 1],
}

impl ShipmentView {
    /// The order's number in the shop, which is how its name ends: `acme-order-5678`.
    pub fn shop_order(&self) -> &str {
        self.order.rsplit('-').next().unwrap_or(&self.order)
    }

    fn data(&self, tracks: bool) -> String {
        let number = || format!("TRACK-{}", self.shipment);
        let data = Data {
            shipment: &self.shipment,
            order: self.shop_order(),
            location: self.location,
            lines: self.lines.iter().map(|(sku, units)| Line { sku, quantity: units.to_string() }).collect(),
            tracking: tracks.then(|| Way {
                company: "Carrier",
                numbers: [number()],
                urls: [format!("https://carrier.example/{}", number())],
            }),
            shipped_at: self.shipped_at.to_string(),
            cancelled_at: self.cancelled_at.map(|at| at.to_string()),
        };
        // Texts always serialise.
        serde_json::to_string(&data).unwrap_or_default()
    }
}

impl Told {
    /// `{"version", "data"}`.
    pub(super) fn item(&self, tracks: bool) -> String {
        format!("{{\"version\":{},\"data\":{}}}", self.view.version, self.view.data(tracks))
    }

    /// The body of a push. Its numbers are plain: nothing in them has to be written otherwise.
    pub(super) fn pushed(&self, shop: &str, tracks: bool, levels: &[String]) -> String {
        let view = &self.view;
        let subject = format!("{shop}/order:{}/shipment:{}", view.shop_order(), view.shipment);
        let (version, data) = (view.version, view.data(tracks));
        let levels = levels.join(",");
        format!(
            "{{\"subject\":\"{subject}\",\"version\":{version},\"topic\":\"shipment/state\",\"data\":{data},\
             \"levels\":[{levels}]}}"
        )
    }

    /// Whether units of this pair are in it.
    pub(super) fn is_of(&self, slot: Slot) -> bool {
        self.view.location == slot.location() && self.view.lines.contains_key(&slot.sku())
    }
}

impl Shipments {
    /// A shipment for each location that units leave from.
    pub(super) fn left(&mut self, order: &str, units: &BTreeMap<Slot, i64>, at: Timestamp) {
        let mut by_location: BTreeMap<&'static str, BTreeMap<String, i64>> = BTreeMap::new();
        for (slot, units) in units.iter().filter(|(_, units)| **units > 0) {
            by_location.entry(slot.location()).or_default().insert(slot.sku(), *units);
        }
        for (location, lines) in by_location {
            self.all.push(ShipmentView {
                shipment: format!("SH-{:06}", self.all.len() + 1),
                order: order.to_owned(),
                location,
                lines,
                shipped_at: at,
                cancelled_at: None,
                version: 0,
            });
            self.positions.push(0);
            self.changed(self.all.len() - 1);
        }
    }

    fn changed(&mut self, index: usize) {
        self.position += 1;
        self.feed.remove(&self.positions[index]);
        self.feed.insert(self.position, index);
        self.positions[index] = self.position;
        self.all[index].version += 1;
        self.told.push(Told { index, view: self.all[index].clone() });
    }

    pub(super) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    pub(super) fn all(&self) -> &[ShipmentView] {
        &self.all
    }

    /// Those that changed after a position, oldest first, and the position of the last; whether there are more.
    pub(super) fn after(&self, position: u64, limit: usize) -> (Vec<Told>, u64, bool) {
        let mut later = self.feed.range(position.saturating_add(1)..);
        let page: Vec<_> = later.by_ref().take(limit).collect();
        let told =
            page.iter().map(|(_, index)| Told { index: **index, view: self.all[**index].clone() }).collect();
        let last = page.last().map_or(position, |(position, _)| **position);
        (told, last, later.next().is_some())
    }
}

impl Books {
    /// What was on its way is back on its shelf, and reserved for its order as before.
    pub(super) fn cancel_shipment(&mut self, shipment: &str, at: Timestamp) -> Result<ShipmentView, Refusal> {
        let found = self.shipments.all.iter().position(|one| one.shipment == shipment);
        let index = found
            .ok_or_else(|| Refusal::new(404, "not_found", format!("there is no shipment {shipment}")))?;
        let view = self.shipments.all[index].clone();
        if view.cancelled_at.is_some() {
            return Err(Refusal::new(
                409,
                "cancelled",
                format!("shipment {shipment} was taken back already"),
            ));
        }
        for (sku, units) in &view.lines {
            let unknown = || Refusal::unknown_pair(sku, Some(view.location));
            let slot = self.shelf.slot(sku, view.location).ok_or_else(unknown)?;
            self.unship(&view.order, slot, *units, at)?;
        }
        self.shipments.all[index].cancelled_at = Some(at);
        self.counts.shipments_cancelled += 1;
        self.shipments.changed(index);
        Ok(self.shipments.all[index].clone())
    }
}
