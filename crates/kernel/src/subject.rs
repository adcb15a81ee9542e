//! What a fact is about, and the lane in which it is delivered. Owns the spelling `shop/kind:key`.

use crate::id::{ShopId, SystemName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The thing a fact is about, always with its shop: `acme/order:5678`, `acme/order:5678/refund:999`.
///
/// A path of `kind:key` parts; the first is the *root*, the thing it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    pub shop: ShopId,
    /// Without the shop: `order:5678/refund:999`.
    pub path: String,
}

impl Subject {
    pub fn new(shop: ShopId, kind: &str, key: &str) -> Self {
        Self { shop, path: format!("{kind}:{key}") }
    }
    /// A thing below this one; its root stays.
    pub fn child(&self, kind: &str, key: &str) -> Self {
        Self { shop: self.shop.clone(), path: format!("{}/{kind}:{key}", self.path) }
    }
    /// The path of the root: `order:5678`.
    pub fn root(&self) -> &str {
        self.path.split('/').next().unwrap_or(&self.path)
    }
    /// `order` of `order:5678`.
    pub fn kind(&self) -> &str {
        let last = self.path.rsplit('/').next().unwrap_or(&self.path);
        last.split_once(':').map_or(last, |(kind, _)| kind)
    }
    /// `5678` of `order:5678`.
    pub fn key(&self) -> &str {
        let last = self.path.rsplit('/').next().unwrap_or(&self.path);
        last.split_once(':').map_or("", |(_, key)| key)
    }
    /// `refund 999` of `order:5678/refund:999`: what it is of its root, for people. `None`: it is the root.
    pub fn part(&self) -> Option<String> {
        self.path.contains('/').then(|| format!("{} {}", self.kind(), self.key()))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shop, self.path)
    }
}

/// What happens in order, one at a time: one root subject at one target. Not per flow: two flows that write one
/// object share its lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lane {
    pub shop: ShopId,
    pub system: SystemName,
    pub root: String,
}

impl Lane {
    pub fn of(subject: &Subject, system: &SystemName) -> Self {
        Self { shop: subject.shop.clone(), system: system.clone(), root: subject.root().to_owned() }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}→{}", self.shop, self.root, self.system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_refund_is_its_order() {
        let order = Subject::new(ShopId::new("acme").unwrap(), "order", "5678");
        let refund = order.child("refund", "999");
        assert_eq!(refund.to_string(), "acme/order:5678/refund:999");
        assert_eq!((refund.root(), refund.kind(), refund.key()), ("order:5678", "refund", "999"));
        let erp = SystemName::new("erp").unwrap();
        assert_eq!(Lane::of(&order, &erp), Lane::of(&refund, &erp));
    }
}
