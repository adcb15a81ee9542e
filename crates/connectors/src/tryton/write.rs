//! The calls that write, each built from what is wanted and what was observed. Owns their form; decides nothing. A
//! sale is made with everything in it, because `create` fills in nothing: a line without taxes would be untaxed.

use super::ask;
use super::code;
use super::config::Config;
use super::frozen::{Answers, Call};
use super::order::{Address, Line, Order};
use super::resolved::{Context, Counter, Resolved, Where, product_of};
use super::sale::{self, Sale, State};
use super::wire;
use connector::port::Step;
use kernel::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// What writes are built from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'a> {
    pub(super) config: &'a Config,
    pub(super) order: &'a Order,
    pub(super) context: &'a Context,
    pub(super) resolved: &'a Resolved,
    pub(super) reference: &'a str,
}

impl Write<'_> {
    /// Addresses that the party does not have yet, all in one call.
    pub(super) fn addresses(&self) -> Option<Step> {
        let places = [
            (&self.resolved.invoice_address, &self.order.invoice_address, "invoice"),
            (&self.resolved.shipment_address, &self.order.shipment_address, "delivery"),
        ];
        let mut values: Vec<(&Address, Value)> = Vec::new();
        for (place, address, used_for) in places {
            let (Where::Make { country, subdivision }, Some(address)) = (place, address) else { continue };
            if let Some((_, value)) = values.iter_mut().find(|(other, _)| *other == address) {
                value[used_for] = json!(true);
                continue;
            }
            let trimmed = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_owned);
            let mut value = json!({
                "party": self.resolved.party,
                "street_unstructured": address.street(),
                "postal_code": trimmed(&address.postal_code),
                "city": trimmed(&address.city),
                "country": country,
                "subdivision": subdivision,
                "attn": trimmed(&address.name),
                "party_name": trimmed(&address.company),
                "invoice": false,
                "delivery": false,
            });
            value[used_for] = json!(true);
            values.push((address, value));
        }
        if values.is_empty() {
            return None;
        }
        let values: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
        let call = Call {
            name: "address",
            method: "model.party.address.create".to_owned(),
            params: vec![Value::Array(values), ask::context(self.config)],
            object: None,
            answer: Answers::Ids,
            button: None,
        };
        Some(call.freeze(false))
    }

    pub(super) fn create(&self) -> Result<Step, Fault> {
        let mut values = self.head()?;
        values.insert("reference".to_owned(), json!(self.reference));
        values.insert("company".to_owned(), json!(self.config.company));
        values.insert("lines".to_owned(), json!([["create", self.lines()?]]));
        if self.context.adds_shipping {
            no_shipping(&mut values);
        }
        if let Some(warehouse) = self.resolved.warehouse {
            values.insert("warehouse".to_owned(), json!(warehouse));
        }
        let call = Call {
            name: "create",
            method: "model.sale.sale.create".to_owned(),
            params: vec![json!([values]), ask::context(self.config)],
            object: None,
            answer: Answers::Sale,
            button: None,
        };
        Ok(call.freeze(true))
    }

    /// Header and lines of a draft, rewritten in one call.
    pub(super) fn amend(&self, sale: &Sale) -> Result<Step, Fault> {
        let mut values = self.head()?;
        values.insert("reference".to_owned(), json!(self.reference));
        let old: Vec<i64> = sale.lines.iter().map(|line| line.id).collect();
        values.insert("lines".to_owned(), json!([["delete", old], ["create", self.lines()?]]));
        Ok(write(self.config, "amend", sale, Value::Object(values)))
    }

    /// The addresses of a confirmed sale.
    pub(super) fn amend_address(&self, sale: &Sale) -> Step {
        let values = json!({"invoice_address": at(&self.resolved.invoice_address),
                            "shipment_address": at(&self.resolved.shipment_address)});
        write(self.config, "amend_address", sale, values)
    }

    fn head(&self) -> Result<Map<String, Value>, Fault> {
        let values = json!({
            "party": self.resolved.party,
            "currency": self.resolved.currency,
            "payment_term": self.resolved.payment_term,
            "invoice_address": at(&self.resolved.invoice_address),
            "shipment_address": at(&self.resolved.shipment_address),
            "sale_date": wire::date(self.order.sale_date),
            "description": self.order.description(),
            "comment": self.order.comment(),
        });
        match values {
            Value::Object(values) => Ok(values),
            _ => Err(Fault::new(FaultKind::Bug, code::BODY, "the head of a sale is no object")),
        }
    }

    fn lines(&self) -> Result<Vec<Value>, Fault> {
        self.order.lines.iter().enumerate().map(|(number, line)| self.line(number, line)).collect()
    }

    fn line(&self, number: usize, line: &Line) -> Result<Value, Fault> {
        let quantity = wire::quantity(line.quantity).ok_or_else(|| {
            let what = format!("the quantity {} has more digits than Tryton can hold", line.quantity);
            Fault::new(FaultKind::Rejected, code::BODY, what).field(format!("lines[{number}].quantity"))
        })?;
        let product =
            product_of(line, &self.config.line_products).and_then(|code| self.resolved.products.get(code));
        Ok(json!({
            "type": "line",
            "product": product.map(|product| product.id),
            "unit": product.map(|product| product.unit),
            "description": line.description(),
            "quantity": quantity,
            "unit_price": wire::decimal(line.unit_price),
            "taxes": [["add", self.context.tax_ids(&line.taxes)]],
        }))
    }
}

/// Shopify's shipping line is a line of the order; Tryton would add one of its own.
fn no_shipping(values: &mut Map<String, Value>) {
    values.insert("carrier".to_owned(), Value::Null);
    values.insert("shipment_cost_method".to_owned(), Value::Null);
}

fn at(place: &Where) -> Option<i64> {
    match place {
        Where::At(id) => Some(*id),
        Where::Nowhere | Where::Make { .. } => None,
    }
}

/// Refused if the sale is no longer what was observed.
fn stamped(config: &Config, sale: &Sale) -> Value {
    let mut context = ask::context(config);
    if let Some(timestamp) = &sale.timestamp {
        context["_timestamp"] = json!({format!("sale.sale,{}", sale.id): timestamp});
    }
    context
}

fn write(config: &Config, name: &'static str, sale: &Sale, values: Value) -> Step {
    let call = Call {
        name,
        method: "model.sale.sale.write".to_owned(),
        params: vec![json!([sale.id]), values, stamped(config, sale)],
        object: Some(sale),
        answer: Answers::Nothing,
        button: None,
    };
    call.freeze(false)
}

/// Lines that settle a difference: taxes and net of each.
pub(super) fn adjust(
    config: &Config,
    name: &'static str,
    sale: &Sale,
    lines: &[(Vec<i64>, Decimal)],
) -> Step {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(taxes, net)| {
            json!({
                "type": "line",
                "description": config.adjustment.trim(),
                "quantity": 1,
                "unit_price": wire::decimal(*net),
                "taxes": [["add", taxes]],
            })
        })
        .collect();
    write(config, name, sale, json!({"lines": [["create", lines]]}))
}

/// A button of the sale: `quote`, `confirm`, `draft`, `cancel`, `process`.
pub(super) fn press(config: &Config, name: &'static str, button: &str, leads_to: State, sale: &Sale) -> Step {
    let call = Call {
        name,
        method: format!("model.sale.sale.{button}"),
        params: vec![json!([sale.id]), stamped(config, sale)],
        object: Some(sale),
        answer: Answers::Nothing,
        button: Some((sale.id, leads_to)),
    };
    call.freeze(false)
}

/// Shipments or invoices of the sale that still go to another address.
pub(super) fn redirect(
    config: &Config,
    name: &'static str,
    (model, field): (&str, &str),
    sale: &Sale,
    ids: &[i64],
    address: i64,
) -> Step {
    let call = Call {
        name,
        method: format!("model.{model}.write"),
        params: vec![json!(ids), json!({ field: address }), ask::context(config)],
        object: Some(sale),
        answer: Answers::Nothing,
        button: None,
    };
    call.freeze(false)
}

/// The reference of the sale that stands against a cancelled one. It must not be the object's own.
pub(super) fn counter_reference(reference: &str) -> String {
    format!("{reference}/cancelled")
}

/// A sale of the same lines with the opposite sign, whose origin is the one that it stands against.
pub(super) fn counter(config: &Config, context: &Context, reference: &str, sale: &Sale) -> Step {
    let lines: Vec<Value> = sale
        .lines
        .iter()
        .filter(|line| line.kind == "line")
        .map(|line| {
            let taxes: Vec<i64> = line.taxes.iter().map(|(id, _)| *id).collect();
            json!({
                "type": "line",
                "product": line.product.as_ref().map(|(id, _)| *id),
                "unit": line.unit,
                "description": line.description,
                "quantity": wire::quantity(-line.quantity),
                "unit_price": wire::decimal(line.unit_price),
                "taxes": [["add", taxes]],
            })
        })
        .collect();
    let address = |address: &Option<sale::Address>| address.as_ref().map(|address| address.id);
    let mut values = Map::from_iter([
        ("reference".to_owned(), json!(counter_reference(reference))),
        ("company".to_owned(), json!(config.company)),
        ("origin".to_owned(), json!(format!("sale.sale,{}", sale.id))),
        ("party".to_owned(), json!(sale.links.party)),
        ("currency".to_owned(), json!(sale.links.currency)),
        ("payment_term".to_owned(), json!(sale.links.payment_term)),
        ("warehouse".to_owned(), json!(sale.links.warehouse)),
        ("invoice_address".to_owned(), json!(address(&sale.invoice_address))),
        ("shipment_address".to_owned(), json!(address(&sale.shipment_address))),
        ("description".to_owned(), json!(sale.description)),
        ("sale_date".to_owned(), sale.date.map_or(Value::Null, wire::date)),
        ("lines".to_owned(), json!([["create", lines]])),
    ]);
    if context.adds_shipping {
        no_shipping(&mut values);
    }
    let call = Call {
        name: "counter",
        method: "model.sale.sale.create".to_owned(),
        params: vec![json!([values]), ask::context(config)],
        object: Some(sale),
        answer: Answers::Ids,
        button: None,
    };
    call.freeze(true)
}

/// A button of the counter document.
pub(super) fn press_counter(
    config: &Config,
    name: &'static str,
    button: &str,
    leads_to: State,
    (sale, counter): (&Sale, &Counter),
) -> Step {
    let call = Call {
        name,
        method: format!("model.sale.sale.{button}"),
        params: vec![json!([counter.id]), ask::context(config)],
        object: Some(sale),
        answer: Answers::Nothing,
        button: Some((counter.id, leads_to)),
    };
    call.freeze(false)
}
