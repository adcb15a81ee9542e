//! Our note at an order: for each shipment, in the order in which they were first sent, the fulfilments that the order had
//! before. Owns the rule by which a fulfilment is told to be a shipment's: it is not among those before it, and is among those
//! before each one that came after.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

    pub(super) fn has(&self, shipment: &str) -> bool {
        self.shipments.iter().any(|note| note.shipment == shipment)
    }

    /// With a note that this shipment is sent now.
    pub(super) fn with(&self, shipment: &str, made: &[String]) -> Self {
        let before = made.iter().map(|id| number(id).to_owned()).collect();
        let mut notes = self.clone();
        notes.shipments.push(Note { shipment: shipment.to_owned(), before });
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
        let none = Notes::read(None);
        assert_eq!(none.whose("SH-1", &gid(7)), Whose::Nobody);
        let first = none.with("SH-1", &[gid(7)]);
        assert_eq!(first.whose("SH-1", &gid(7)), Whose::Nobody, "it was there before");
        assert_eq!(first.whose("SH-1", &gid(8)), Whose::This);
        assert_eq!(first.whose("SH-2", &gid(8)), Whose::Another);
        let second = first.with("SH-2", &[gid(7), gid(8)]);
        for (id, whose) in
            [(7, [Whose::Nobody; 2]), (8, [Whose::This, Whose::Another]), (9, [Whose::Another, Whose::This])]
        {
            assert_eq!(["SH-1", "SH-2"].map(|shipment| second.whose(shipment, &gid(id))), whose, "{id}");
        }
        // One of which the first note's create came to nothing: all that is there came later.
        let third = second.with("SH-3", &[gid(7), gid(8), gid(9)]);
        assert_eq!(third.whose("SH-2", &gid(9)), Whose::This);
        let value = third.value();
        assert_eq!(Notes::read(value.as_str()), third);
        assert_eq!(Notes::read(Some("what somebody typed")), Notes::default());
    }
}
