//! Our note at an order: for each shipment, in the order in which they were last sent, the fulfilments of others that the order
//! had before; and how a parcel is divided that is several of them. Owns the rule by which a fulfilment is told to be a shipment's:
//! it is not among those before it, and is among those before each one that came after.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands in the metafield.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notes {
    #[serde(default)]
    pub(super) shipments: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) shipment: String,
    /// The numbers of their ids.
    pub(super) before: Vec<String>,
    /// In the order in which they are made; none: it is one fulfilment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Share>,
}

/// What of a parcel is one fulfilment: SKU and units, of what is assigned to one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Share {
    /// The location's id, or its name where it is no more.
    pub(super) at: String,
    pub(super) lines: BTreeMap<String, u32>,
}

impl Share {
    pub(super) fn units(&self) -> u64 {
        self.lines.values().map(|units| u64::from(*units)).sum()
    }

    pub(super) fn lines(&self) -> Vec<(&str, u32)> {
        self.lines.iter().map(|(sku, units)| (sku.as_str(), *units)).collect()
    }
}

/// Whose a fulfilment is, as far as the notes can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Made after this shipment was first sent, and before the next one was.
    This,
    /// Made while another shipment was being sent.
    Another,
    /// Made when none of ours was: by somebody else.
    Nobody,
}

impl Notes {
    /// What cannot be read is no note: then nothing that is there is taken for a shipment of ours.
    pub(super) fn read(value: Option<&str>) -> Self {
        value.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// How a shipment is divided; nothing: it is not, or was never sent.
    pub(super) fn parts(&self, shipment: &str) -> &[Share] {
        let note = self.shipments.iter().rfind(|note| note.shipment == shipment);
        note.map_or(&[], |note| &note.parts)
    }

    /// Whether this shipment may be sent, so divided: no other one was since.
    pub(super) fn stands(&self, shipment: &str, parts: &[Share]) -> bool {
        self.shipments.last().is_some_and(|note| note.shipment == shipment && note.parts == parts)
    }

    /// Whether this very note stands there.
    pub(super) fn has(&self, note: &Note) -> bool {
        self.shipments.contains(note)
    }

    /// With a note that this shipment is sent now, so divided; `made`: what the order has and is none of it.
    pub(super) fn with<'a>(
        &self,
        shipment: &str,
        parts: &[Share],
        made: impl Iterator<Item = &'a String>,
    ) -> Self {
        let before = made.map(|id| number(id).to_owned()).collect();
        let mut notes = self.clone();
        notes.shipments.retain(|note| note.shipment != shipment);
        notes.shipments.push(Note { shipment: shipment.to_owned(), before, parts: parts.to_vec() });
        notes
    }

    pub(super) fn whose(&self, shipment: &str, id: &str) -> Whose {
        let knows = |note: &Note| note.before.iter().any(|known| known == number(id));
        // After the last one that does not know it.
        match self.shipments.iter().rposition(|note| !knows(note)) {
            Some(last) if self.shipments[last].shipment == shipment => Whose::This,
            Some(_) => Whose::Another,
            None => Whose::Nobody,
        }
    }

    pub(super) fn value(&self) -> Value {
        // Plain data always serialises.
        Value::String(serde_json::to_string(self).unwrap_or_default())
    }
}

fn number(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fulfilment_is_the_shipments_that_was_sent_when_it_came() {
        let gid = |number: u32| format!("gid://shopify/Fulfillment/{number}");
        let sent = |notes: &Notes, shipment: &str, made: &[u32]| {
            let made: Vec<String> = made.iter().map(|number| gid(*number)).collect();
            notes.with(shipment, &[], made.iter())
        };
        let none = Notes::read(None);
        assert_eq!(none.whose("SH-1", &gid(7)), Whose::Nobody);
        let first = sent(&none, "SH-1", &[7]);
        assert_eq!(first.whose("SH-1", &gid(7)), Whose::Nobody, "it was there before");
        assert_eq!(first.whose("SH-1", &gid(8)), Whose::This);
        assert_eq!(first.whose("SH-2", &gid(8)), Whose::Another);
        let second = sent(&first, "SH-2", &[7, 8]);
        for (id, whose) in
            [(7, [Whose::Nobody; 2]), (8, [Whose::This, Whose::Another]), (9, [Whose::Another, Whose::This])]
        {
            assert_eq!(["SH-1", "SH-2"].map(|shipment| second.whose(shipment, &gid(id))), whose, "{id}");
        }
        // One of which the first note's create came to nothing: all that is there came later.
        let third = sent(&second, "SH-3", &[7, 8, 9]);
        assert_eq!(third.whose("SH-2", &gid(9)), Whose::This);
        // The first is sent on, after the others were: a part of it was there already, and another comes.
        assert!(!third.stands("SH-1", &[]));
        let parts =
            [Share { at: "gid://shopify/Location/1".to_owned(), lines: [("A".to_owned(), 2)].into() }];
        let again = third.with("SH-1", &parts, [gid(7), gid(9)].iter());
        assert!(again.stands("SH-1", &parts) && !again.stands("SH-1", &[]));
        for (id, whose) in [(8, "SH-1"), (10, "SH-1"), (9, "SH-2")] {
            assert_eq!(again.whose(whose, &gid(id)), Whose::This, "{id}");
        }
        assert_eq!(again.parts("SH-1"), parts);
        assert_eq!(Notes::read(again.value().as_str()), again);
        let value = third.value();
        assert_eq!(Notes::read(value.as_str()), third);
        assert_eq!(Notes::read(Some("what somebody typed")), Notes::default());
    }
}
