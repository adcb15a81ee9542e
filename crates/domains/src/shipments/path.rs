//! A shipment as a subject: `order:5678/shipment:SH-1`. Owns the spelling: the shipment's number is written as a SKU is in
//! `ats:`, so that two never meet and none makes a path of its own.

use super::KIND;
use crate::inventory::{spelled, written};

/// Without the shop. `order` is the order's number in the shop.
#[must_use]
pub fn path(order: &str, shipment: &str) -> String {
    format!("order:{order}/{KIND}:{}", written(shipment.trim()))
}

/// Order and shipment of a path; `None` where it is no shipment.
#[must_use]
pub fn parts(of: &str) -> Option<(&str, String)> {
    let (order, rest) = of.strip_prefix("order:")?.split_once('/')?;
    let shipment = spelled(rest.strip_prefix(KIND)?.strip_prefix(':')?)?;
    (path(order, &shipment) == of).then_some((order, shipment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipment_is_below_its_order_whatever_its_number_holds() {
        assert_eq!(path("5678", " SH-1 "), "order:5678/shipment:SH-1");
        assert_eq!(path("5678", "2026/11#7"), "order:5678/shipment:2026%2F11%237");
        assert_eq!(parts("order:5678/shipment:2026%2F11%237"), Some(("5678", "2026/11#7".to_owned())));
        for other in ["order:5678", "order:5678/refund:9", "order:5678/shipment:", "order:5678/shipment:a/b"]
        {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
