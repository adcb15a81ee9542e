//! Where a stored sale says something else than is wanted. Owns what counts as the same; amounts that Tryton computes
//! are `amounts`' business.

use super::config::Config;
use super::order::{Address, Line, Order};
use super::resolved::{Context, product_of};
use super::sale::{self, Sale};

/// Fields of the wanted body that differ, for a person and for the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Differences {
    pub(super) fields: Vec<String>,
}

/// More differences than a person reads at once.
const SHOWN_MAX: usize = 6;

impl Differences {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn only_addresses(&self) -> bool {
        self.fields.iter().all(|field| field.ends_with("_address"))
    }

    pub(super) fn shown(&self) -> String {
        let mut shown = self.fields[..self.fields.len().min(SHOWN_MAX)].join(", ");
        if self.fields.len() > SHOWN_MAX {
            shown.push_str(&format!(" and {} more", self.fields.len() - SHOWN_MAX));
        }
        shown
    }
}

pub(super) fn differences(config: &Config, order: &Order, context: &Context, sale: &Sale) -> Differences {
    let mut fields = Vec::new();
    let mut differs = |field: &str, other: bool| {
        if other {
            fields.push(field.to_owned());
        }
    };
    differs("party", sale.party.as_deref() != Some(order.party.reference.value.as_str()));
    differs("currency", sale.currency.as_deref() != Some(order.currency.as_str()));
    differs("sale_date", sale.date != Some(order.sale_date));
    differs("description", sale.description != order.description());
    differs("comment", sale.comment != order.comment().unwrap_or_default());
    let term = order.payment_term.as_ref().map(|term| term.reference.value.as_str());
    // Where the order says nothing, Tryton's own choice stands.
    differs("payment_term", term.is_some() && sale.payment_term.as_deref() != term);
    differs("invoice_address", !same_address(&order.invoice_address, &sale.invoice_address));
    differs("shipment_address", !same_address(&order.shipment_address, &sale.shipment_address));
    fields.extend(lines(config, order, context, sale));
    Differences { fields }
}

fn same_address(wanted: &Option<Address>, stored: &Option<sale::Address>) -> bool {
    match wanted {
        Some(wanted) if !wanted.is_empty() => stored.as_ref().is_some_and(|stored| stored.is(wanted)),
        _ => true,
    }
}

fn lines(config: &Config, order: &Order, context: &Context, sale: &Sale) -> Vec<String> {
    let stored: Vec<&sale::Line> =
        sale.lines.iter().filter(|line| line.kind == "line" && !line.is_adjustment(config)).collect();
    if stored.len() != order.lines.len() {
        return vec!["lines".to_owned()];
    }
    let pairs = order.lines.iter().zip(stored).enumerate();
    pairs
        .filter(|(_, (wanted, stored))| !same_line(config, context, wanted, stored))
        .map(|(at, _)| format!("lines[{at}]"))
        .collect()
}

fn same_line(config: &Config, context: &Context, wanted: &Line, stored: &sale::Line) -> bool {
    let product = stored.product.as_ref().map(|(_, code)| code.as_str());
    let taxes: Vec<i64> = stored.taxes.iter().map(|(id, _)| *id).collect();
    product == product_of(wanted, &config.line_products)
        && stored.description == wanted.description()
        && stored.quantity == wanted.quantity
        && stored.unit_price == wanted.unit_price
        && taxes == context.tax_ids(&wanted.taxes)
}

impl sale::Line {
    /// A line of ours that settles a difference.
    pub(super) fn is_adjustment(&self, config: &Config) -> bool {
        self.product.is_none() && self.description == config.adjustment.trim()
    }
}

impl sale::Address {
    /// Whether it is what an order means, line by line.
    pub(super) fn is(&self, wanted: &Address) -> bool {
        let same = |stored: &str, wanted: Option<&str>| stored == wanted.map(str::trim).unwrap_or_default();
        let lines = |text: &str| {
            text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        lines(&self.street) == lines(&wanted.street().unwrap_or_default())
            && same(&self.postal_code, wanted.postal_code.as_deref())
            && same(&self.city, wanted.city.as_deref())
            && same(&self.country, wanted.country_code.as_deref())
            && same(&self.attn, wanted.name.as_deref())
            && same(&self.party_name, wanted.company.as_deref())
    }
}
