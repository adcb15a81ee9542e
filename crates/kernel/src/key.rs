//! The three keys of DESIGN section 2. Owns how they are derived; each is text that can stand in a header, a
//! reference field and a log.

use crate::id::{DeliveryId, FlowName, SystemName};
use crate::subject::Subject;
use crate::version::EffectiveVersion;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

macro_rules! key {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub String);
        impl $type {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

key!(
    /// Names the one object in the target for the life of its subject: never from a version. It is the object's
    /// reference there and what a look-up asks for.
    ObjectKey
);
key!(
    /// Names one change: the same on every retry, replay, sweep, backfill and node.
    ChangeKey
);
key!(
    /// What goes over the wire as idempotency key: it belongs to one frozen request.
    CallKey
);

impl ObjectKey {
    /// `acme-order-5678`: readable, because people search for it in the target. The target system is not in the
    /// text: two systems never see each other's keys, and the same reference in both helps a person.
    pub fn of(subject: &Subject) -> Self {
        let mut text = String::with_capacity(subject.path.len() + 16);
        text.push_str(subject.shop.as_str());
        text.push('-');
        for c in subject.path.chars() {
            text.push(if matches!(c, ':' | '/') { '-' } else { c });
        }
        Self(text)
    }
}

impl ChangeKey {
    /// Object key, flow, effective version, mapping revision and step, hashed to 32 hexadecimal digits.
    pub fn of(
        object: &ObjectKey,
        target: &SystemName,
        flow: &FlowName,
        version: &EffectiveVersion,
        mapping_revision: &str,
        step: &str,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [object.as_str(), target.as_str(), flow.as_str(), mapping_revision, step] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(version.key_bytes());
        Self(hex(&hash.finalize()[..16]))
    }
}

impl CallKey {
    /// A new key for a new call: the change, the delivery that brings it, and the number of the call under that. An
    /// answered call is never repeated under its number.
    pub fn of(change: &ChangeKey, delivery: DeliveryId, call: u32) -> Self {
        Self(format!("tg-{}-{delivery}-{call}", change.0))
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{b:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ShopId;

    fn change(object: &ObjectKey, sequence: i64, step: &str) -> ChangeKey {
        let erp = SystemName::new("erp").unwrap();
        let flow = FlowName::new("orders").unwrap();
        ChangeKey::of(object, &erp, &flow, &EffectiveVersion::Sequence { sequence }, "r1", step)
    }

    #[test]
    fn an_object_key_never_changes_and_a_change_key_does() {
        let order = Subject::new(ShopId::new("acme").unwrap(), "order", "5678");
        let object = ObjectKey::of(&order);
        assert_eq!(object.as_str(), "acme-order-5678");
        assert_eq!(change(&object, 1, "create"), change(&object, 1, "create"));
        assert_ne!(change(&object, 1, "create"), change(&object, 2, "create"));
        assert_ne!(change(&object, 1, "create"), change(&object, 1, "confirm"));
        let of = |call| CallKey::of(&change(&object, 1, "create"), DeliveryId(7), call);
        assert_ne!(of(1), of(2));
    }
}
