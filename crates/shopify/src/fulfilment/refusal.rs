//! Why a shipment cannot be recorded as it is: what a person reads, with what there is and what to do.

use super::code;
use super::parcel::Parcel;
use super::seen::{Context, Made};
use connector::port::Plan;
use domains::shipments::Short;
use kernel::fault::{Fault, FaultKind};

pub(super) fn cancelled_there(made: &Made) -> Plan {
    let what = format!(
        "{} was cancelled in Shopify, and its source says that it was shipped: cancel the shipment there and tell it anew under \
         another number, or skip this",
        made.name
    );
    refused(code::CANCELLED_THERE, what, "shipment")
}

/// With what stands there already of a parcel that is not recorded whole.
pub(super) fn begun(mut fault: Fault, parcel: &Parcel) -> Fault {
    let names: Vec<&str> = parcel.made().map(|(_, made)| made.name.as_str()).collect();
    fault.message = format!("{} ({} of this parcel is recorded)", fault.message, names.join(" and "));
    fault
}

pub(super) fn told(short: &Short, context: &Context) -> Fault {
    let fault =
        |code: &str, what: String, field: &str| Fault::new(FaultKind::Rejected, code, what).field(field);
    match short {
        Short::UnknownSku { sku, similar } => {
            let near = similar.as_ref().map(|near| format!(" (it has {near:?})")).unwrap_or_default();
            let what = format!(
                "the order has no line with the SKU {sku:?}{near}: correct it at the source, whose newer state heals this"
            );
            fault(code::UNKNOWN_SKU, what, "sku")
        }
        Short::TooMany { sku, wanted, open, closed } => {
            let why = match (context.order_cancelled, closed) {
                (true, _) => " (the order is cancelled)".to_owned(),
                (false, Some(why)) => format!(" (its fulfilment order is {why})"),
                (false, None) => String::new(),
            };
            let what = format!(
                "{wanted} units of {sku:?} were shipped and {open} are open at the order{why}: they were recorded, refunded \
                 or edited away already; correct the shipment at its source, or skip this"
            );
            fault(code::TOO_MANY, what, "quantity")
        }
        Short::Elsewhere { sku, places } => {
            let what = format!(
                "{sku:?} is open at {}, and not all that was shipped of it where it was shipped from: move its fulfilment order \
                 to that location in Shopify and release this, or correct the location at the source",
                places.join(" and ")
            );
            fault(code::ELSEWHERE, what, "location")
        }
        Short::Later { why } => Fault::new(
            FaultKind::Conflict,
            code::LATER,
            format!(
                "the order's units may not leave yet: {why}; what was shipped waits until Shopify releases them"
            ),
        ),
    }
}

pub(super) fn no_order(order: &str) -> Fault {
    let what = format!(
        "Shopify shows no order {order}: it is another shop's, it was deleted, or it is older than 60 days and the app lacks \
         read_all_orders; this is released by itself as soon as it is there"
    );
    let fault = Fault::new(FaultKind::Rejected, "missing_order", what).field("order");
    fault.missing("order".to_owned(), order.to_owned())
}

pub(super) fn refused(code: &str, what: impl Into<String>, field: &str) -> Plan {
    Plan::NotAllowed(Fault::new(FaultKind::Rejected, code, what).field(field))
}
