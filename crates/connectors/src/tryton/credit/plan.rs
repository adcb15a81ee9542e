//! The next step of a credit note: made, settled to the cent, posted where the connection says so. Pure.

use super::super::code;
use super::super::config::{Config, CreditNote};
use super::{Context, Credit, INVOICE_OF, Note, write};
use connector::port::{Observation, Observed, Plan, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::Difference;
use rust_decimal::Decimal;

pub(in super::super) fn plan(config: &Config, wanted: &Wanted, observation: &Observation) -> Plan {
    let credit = match Credit::read(&wanted.body) {
        Ok(credit) => credit,
        Err(fault) => return Plan::NotAllowed(fault),
    };
    let context: Context = serde_json::from_value(observation.context.clone()).unwrap_or_default();
    match &observation.object {
        Observed::Many(ids) => {
            let what = format!(
                "Tryton has {} credit notes for {}: ids {}",
                ids.len(),
                wanted.object_key,
                ids.join(", ")
            );
            Plan::refused(code::MANY, what)
        }
        Observed::None => begin(config, wanted, &credit, &context),
        Observed::One(object) => match serde_json::from_value::<Note>(object.body.clone()) {
            Ok(note) => go_on(config, wanted, &credit, &context, &note),
            Err(error) => {
                let what = format!("an observed credit note cannot be read back: {error}");
                Plan::NotAllowed(Fault::new(FaultKind::Bug, code::BODY, what))
            }
        },
    }
}

fn begin(config: &Config, wanted: &Wanted, credit: &Credit, context: &Context) -> Plan {
    if let Some(known) = &wanted.known {
        let name = known.number.as_ref().unwrap_or(&known.id);
        let what = format!(
            "Tryton no longer has credit note {name} ({}); it is not made again by itself",
            wanted.object_key
        );
        return Plan::refused(code::GONE, what);
    }
    if credit.is_nothing() {
        return Plan::nothing("no money was given back: there is nothing to credit");
    }
    let Some(original) = &context.original else {
        let what = format!(
            "Tryton has no invoice of the sale {:?} yet, which a credit note stands against: confirm the sale, or ship it where \
             it is invoiced by shipment; this is released by itself when there is one",
            credit.sale
        );
        let fault = Fault::new(FaultKind::Rejected, format!("missing_{INVOICE_OF}"), what).field("sale");
        return Plan::NotAllowed(fault.missing(INVOICE_OF, credit.sale.clone()));
    };
    if original.currency_code != credit.currency {
        let what = format!(
            "the sale is invoiced in {} and was given back in {}: nothing is converted",
            original.currency_code, credit.currency
        );
        return Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::BODY, what).field("currency"));
    }
    write::create(config, wanted.object_key.as_str(), credit, original)
        .map_or_else(Plan::NotAllowed, Plan::Next)
}

fn go_on(config: &Config, wanted: &Wanted, credit: &Credit, context: &Context, note: &Note) -> Plan {
    let gap = credit.total + note.gross;
    match note.state.as_str() {
        "cancelled" => {
            Plan::refused(code::CLOSED, format!("{} in Tryton, and the refund stands", note.shown()))
        }
        "draft" => settle(config, wanted, credit, context, note, gap),
        // What is posted is final: what its amounts came to was settled, by us or by a person, before.
        _ => done(note, (!gap.is_zero()).then(|| format!("it is {gap} less than was given back"))),
    }
}

/// To the cent, as the flow says.
fn settle(
    config: &Config,
    wanted: &Wanted,
    credit: &Credit,
    context: &Context,
    note: &Note,
    gap: Decimal,
) -> Plan {
    let differs = |why: &str| {
        let what = format!("{} was given back and Tryton computes {}: {why}", credit.total, -note.gross);
        Plan::NotAllowed(Fault::new(FaultKind::Rejected, code::TOTALS_DIFFER, what).field("total"))
    };
    let accepted = match wanted.difference {
        _ if gap.is_zero() => None,
        Difference::Ticket => return differs("the flow's difference makes it a ticket"),
        Difference::Accept(most) if gap.abs() > most => return differs(&format!("the flow accepts {most}")),
        Difference::Accept(_) => Some(format!("difference accepted: {gap}")),
        Difference::AdjustLine if gap.abs() > explained(credit) => {
            return differs("that is more than rounding explains");
        }
        Difference::AdjustLine => {
            let Some(original) = &context.original else {
                return differs("and the invoice of its sale is gone");
            };
            return Plan::Next(write::adjust(config, note, original, gap));
        }
    };
    match config.credit_note {
        CreditNote::Draft => done(note, accepted),
        CreditNote::Posted => Plan::Next(write::post(config, note)),
    }
}

/// What rounding comes to at most: half of the last decimal of the unit price for each piece, half a cent for each line, a cent
/// for its tax.
fn explained(credit: &Credit) -> Decimal {
    let of = |line: &super::Line| line.quantity * Decimal::new(5, 5) + Decimal::new(15, 3);
    credit.worth().map(of).sum::<Decimal>()
}

fn done(note: &Note, said: Option<String>) -> Plan {
    Plan::unchanged(note.external(), said)
}
