//! What the order comes to in the shop against what Tryton stored: net for each set of taxes, tax for each rate, gross.
//! Owns how a difference is settled (`adjust_line`, `accept`, `ticket`) and how large one may be that rounding
//! explains; an adjusting line never hides more than that.

use super::code;
use super::config::Config;
use super::order::Order;
use super::resolved::Context;
use super::sale::Sale;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::Difference;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// What is to be done about the amounts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// They agree, or what differs is accepted; with a note for a person.
    Settled(Option<String>),
    /// Lines of their own, each with its taxes: what the net of these taxes lacks.
    AdjustNet(Vec<(Vec<i64>, Decimal)>),
    /// One line without tax: what the gross lacks.
    AdjustGross(Decimal),
    Ticket(Fault),
}

/// One amount of two sides.
#[derive(Debug, Clone, PartialEq)]
struct Gap {
    what: String,
    shop: Decimal,
    tryton: Decimal,
}

impl Gap {
    fn by(&self) -> Decimal {
        self.shop - self.tryton
    }
}

pub(super) fn judge(
    config: &Config,
    order: &Order,
    context: &Context,
    sale: &Sale,
    policy: &Difference,
) -> Verdict {
    let gaps = gaps(config, order, context, sale);
    if gaps.is_empty() {
        return Verdict::Settled(None);
    }
    match policy {
        Difference::Ticket => Verdict::Ticket(ticket(&gaps, "the flow's difference makes it a ticket")),
        Difference::Accept(most) => {
            if gaps.iter().all(|gap| gap.by().abs() <= *most) {
                Verdict::Settled(Some(format!("difference accepted: {}", shown(&gaps))))
            } else {
                Verdict::Ticket(ticket(&gaps, &format!("the flow accepts {most}")))
            }
        }
        Difference::AdjustLine => adjust(config, order, context, sale, &gaps),
    }
}

/// What differs in a sale whose amounts were settled before, for a person.
pub(super) fn note(config: &Config, order: &Order, context: &Context, sale: &Sale) -> Option<String> {
    let gaps = gaps(config, order, context, sale);
    (!gaps.is_empty()).then(|| format!("difference settled before: {}", shown(&gaps)))
}

fn adjust(config: &Config, order: &Order, context: &Context, sale: &Sale, gaps: &[Gap]) -> Verdict {
    let bound = Bound::of(order, sale.rounding);
    let nets: Vec<(Vec<i64>, Gap)> =
        nets(config, order, context, sale).into_iter().filter(|(_, gap)| !gap.by().is_zero()).collect();
    let gross = order.totals.gross - sale.gross;
    let too_much = nets.iter().any(|(_, gap)| gap.by().abs() > bound.net) || gross.abs() > bound.gross;
    if too_much {
        let why = format!("rounding explains at most {}", bound.gross);
        return Verdict::Ticket(ticket(gaps, &why));
    }
    if !nets.is_empty() {
        return Verdict::AdjustNet(nets.into_iter().map(|(taxes, gap)| (taxes, gap.by())).collect());
    }
    if !gross.is_zero() {
        return Verdict::AdjustGross(gross);
    }
    // The gross is right and so is each net; what is left is between the rates, or was moved by our own line.
    if gaps.iter().all(|gap| gap.by().abs() <= bound.gross) {
        return Verdict::Settled(Some(format!("difference adjusted: {}", shown(gaps))));
    }
    Verdict::Ticket(ticket(gaps, "an adjusting line cannot move tax from one rate to another"))
}

/// Everything that differs: net, tax, tax for each rate, gross.
fn gaps(config: &Config, order: &Order, context: &Context, sale: &Sale) -> Vec<Gap> {
    let totals = order.totals;
    let gap = |what: &str, shop, tryton| Gap { what: what.to_owned(), shop, tryton };
    let mut gaps = vec![gap("net", totals.net, sale.net), gap("tax", totals.tax, sale.tax)];
    gaps.extend(rates(order, context, sale));
    gaps.push(gap("gross", totals.gross, sale.gross));
    let nets = nets(config, order, context, sale);
    // Of one set of taxes it is the net itself; of several, two may cancel each other out.
    if nets.len() > 1 {
        gaps.extend(nets.into_iter().map(|(_, gap)| gap));
    }
    gaps.retain(|gap| !gap.by().is_zero());
    gaps
}

/// Net for each set of taxes. An untaxed line of ours settles the gross and belongs to none.
fn nets(config: &Config, order: &Order, context: &Context, sale: &Sale) -> Vec<(Vec<i64>, Gap)> {
    let mut both: BTreeMap<Vec<i64>, (Decimal, Decimal)> = BTreeMap::new();
    for line in &order.lines {
        both.entry(context.tax_ids(&line.taxes)).or_default().0 += line.net;
    }
    for line in &sale.lines {
        if line.taxes.is_empty() && line.is_adjustment(config) {
            continue;
        }
        let taxes = line.taxes.iter().map(|(id, _)| *id).collect();
        both.entry(taxes).or_default().1 += line.amount;
    }
    let what = |taxes: &[i64]| match taxes {
        [] => "net without tax".to_owned(),
        taxes => {
            let rates: Vec<String> = taxes.iter().map(|id| rate_of(order, context, sale, *id)).collect();
            format!("net at {}", rates.join(" and "))
        }
    };
    both.into_iter()
        .map(|(taxes, (shop, tryton))| {
            let gap = Gap { what: what(&taxes), shop, tryton };
            (taxes, gap)
        })
        .collect()
}

fn rate_of(order: &Order, context: &Context, sale: &Sale, id: i64) -> String {
    let stored =
        sale.lines.iter().flat_map(|line| &line.taxes).find(|(tax, _)| *tax == id).map(|(_, rate)| *rate);
    let wanted = || {
        let mut taxes = order.lines.iter().flat_map(|line| &line.taxes);
        taxes.find(|tax| context.taxes.get(&tax.key()) == Some(&Some(id))).map(|tax| tax.rate)
    };
    stored.or_else(wanted).map_or_else(|| "?".to_owned(), |rate| rate.normalize().to_string())
}

/// Tax for each rate. A sale keeps only their sum: of one tax that is its amount; of several each is what the stored
/// lines come to, as Tryton rounds, which its invoice then holds.
fn rates(order: &Order, context: &Context, sale: &Sale) -> Vec<Gap> {
    let mut both: BTreeMap<i64, (Decimal, Decimal)> = BTreeMap::new();
    for tax in order.lines.iter().flat_map(|line| &line.taxes) {
        if let Some(Some(id)) = context.taxes.get(&tax.key()) {
            both.entry(*id).or_default().0 += tax.amount;
        }
    }
    for line in &sale.lines {
        for (id, rate) in &line.taxes {
            both.entry(*id).or_default().1 += line.quantity * line.unit_price * rate;
        }
    }
    if both.len() < 2 {
        return Vec::new();
    }
    let round = |amount: Decimal| round(amount, sale.rounding);
    let gap = |(id, (shop, tryton)): (i64, (Decimal, Decimal))| Gap {
        what: format!("tax at {}", rate_of(order, context, sale, id)),
        shop: round(shop),
        tryton: round(tryton),
    };
    both.into_iter().map(gap).collect()
}

/// To a multiple of the currency's smallest amount, half to even: `currency.currency`'s own rule.
fn round(amount: Decimal, unit: Decimal) -> Decimal {
    if unit.is_zero() {
        return amount;
    }
    (amount / unit).round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven) * unit
}

/// The most that rounding explains.
struct Bound {
    net: Decimal,
    gross: Decimal,
}

impl Bound {
    /// A unit price is off by half of its last digit for each piece, a line's amount and each tax by half a cent, and
    /// what Tryton rounds for the whole document by a cent for each rate.
    fn of(order: &Order, unit: Decimal) -> Self {
        let half = Decimal::new(5, 1);
        let mut bound = Self { net: Decimal::ZERO, gross: unit };
        for line in &order.lines {
            let price_step = Decimal::new(1, line.unit_price.scale().max(2));
            let net = line.quantity.abs() * price_step * half + unit * half;
            let rate: Decimal = line.taxes.iter().map(|tax| tax.rate.abs()).sum();
            bound.net += net;
            bound.gross += net * (Decimal::ONE + rate) + unit * Decimal::from(line.taxes.len());
        }
        bound.gross = round(bound.gross, unit).max(unit);
        bound
    }
}

fn shown(gaps: &[Gap]) -> String {
    let shown: Vec<String> = gaps
        .iter()
        .map(|gap| format!("{} {} in the shop, {} in Tryton", gap.what, plain(gap.shop), plain(gap.tryton)))
        .collect();
    shown.join("; ")
}

/// With the decimals of money.
fn plain(amount: Decimal) -> Decimal {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount
}

fn ticket(gaps: &[Gap], why: &str) -> Fault {
    let what = format!("the order and what Tryton stored differ: {} ({why})", shown(gaps));
    let field = gaps.first().map_or("totals", |gap| match gap.what.as_str() {
        "net" => "totals.net",
        "tax" => "totals.tax",
        "gross" => "totals.gross",
        _ => "lines",
    });
    Fault::new(FaultKind::Rejected, code::TOTALS_DIFFER, what).field(field)
}
