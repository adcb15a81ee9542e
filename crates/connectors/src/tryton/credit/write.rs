//! The calls that make a credit note. Owns their form; decides nothing. Its lines name those of the original invoice as their
//! origin, as Tryton's own credit notes do: naming the sale's would have the sale invoice the units once more.

use super::super::ask;
use super::super::code;
use super::super::config::Config;
use super::super::frozen::{Answers, Call};
use super::super::wire;
use super::{Credit, Line, Note, Original};
use connector::port::Step;
use kernel::fault::{Fault, FaultKind};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// Of a unit price, Tryton's default.
const PRICE_DIGITS: u32 = 4;
const BEYOND: &str = "Given back beyond the lines";

pub(super) fn create(
    config: &Config,
    reference: &str,
    credit: &Credit,
    original: &Original,
) -> Result<Step, Fault> {
    let mut lines: Vec<Value> = credit
        .worth()
        .enumerate()
        .map(|(number, line)| credited(number, line, original))
        .collect::<Result<_, _>>()?;
    if !credit.other.is_zero() {
        lines.extend(untaxed(BEYOND, credit.other, original));
    }
    let values = json!({
        "type": "out",
        "company": config.company,
        "party": original.party,
        "invoice_address": original.invoice_address,
        "account": original.account,
        "journal": original.journal,
        "currency": original.currency,
        "payment_term": original.payment_term,
        "reference": reference,
        "description": credit.description.trim(),
        "comment": credit.comment.as_deref().map(str::trim),
        "lines": [["create", lines]],
    });
    let call = Call {
        name: "create",
        method: "model.account.invoice.create".to_owned(),
        params: vec![json!([values]), ask::context(config)],
        object: None,
        answer: Answers::Sale,
        button: None,
    };
    Ok(call.freeze(true))
}

fn credited(number: usize, line: &Line, original: &Original) -> Result<Value, Fault> {
    let field = format!("lines[{number}].quantity");
    let none = |what: String| Fault::new(FaultKind::Rejected, code::BODY, what).field(field.clone());
    if line.quantity <= Decimal::ZERO {
        return Err(none(format!("{} units are given back", line.quantity)));
    }
    let quantity = wire::quantity(-line.quantity).ok_or_else(|| {
        none(format!("the quantity {} has more digits than Tryton can hold", line.quantity))
    })?;
    let of = original.of(line).ok_or_else(|| none("the invoice of the sale has no lines".to_owned()))?;
    let price = (line.net / line.quantity)
        .round_dp_with_strategy(PRICE_DIGITS, RoundingStrategy::MidpointNearestEven);
    Ok(json!({
        "type": "line",
        "product": of.product.as_ref().map(|(id, _)| id),
        "unit": of.unit,
        "account": of.account,
        "description": line.description.trim(),
        "quantity": quantity,
        "unit_price": wire::decimal(price),
        "taxes": [["add", of.taxes]],
        "origin": format!("account.invoice.line,{}", of.id),
    }))
}

/// So much more is given back, without tax; negative: less.
fn untaxed(description: &str, amount: Decimal, original: &Original) -> Option<Value> {
    Some(json!({
        "type": "line",
        "account": original.lines.first()?.account,
        "description": description,
        "quantity": if amount.is_sign_negative() { 1 } else { -1 },
        "unit_price": wire::decimal(amount.abs()),
    }))
}

pub(super) fn adjust(config: &Config, note: &Note, original: &Original, gap: Decimal) -> Step {
    let lines: Vec<Value> = untaxed(config.adjustment.trim(), gap, original).into_iter().collect();
    write(config, "adjust_gross", "write", note, Some(json!({ "lines": [["create", lines]] })))
}

/// Gives it its number, and is final.
pub(super) fn post(config: &Config, note: &Note) -> Step {
    write(config, "post", "post", note, None)
}

/// Refused if it is no longer what was observed.
fn write(config: &Config, name: &'static str, method: &str, note: &Note, values: Option<Value>) -> Step {
    let mut context = ask::context(config);
    if let Some(timestamp) = &note.timestamp {
        context["_timestamp"] = json!({ format!("account.invoice,{}", note.id): timestamp });
    }
    let mut params = vec![json!([note.id])];
    params.extend(values);
    params.push(context);
    let call = Call {
        name,
        method: format!("model.account.invoice.{method}"),
        params,
        object: None,
        answer: Answers::Nothing,
        button: None,
    };
    call.freeze_for(note.external())
}
