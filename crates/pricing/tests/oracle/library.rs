//! The one place that knows the library: a case as the library reads it, and the library's answer as the oracle writes one. Owns
//! no rule. Everything goes through texts, as documents have it, so that nothing but digits is shared.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kernel::money::{Currency, parse_exact};
use kernel::quantity::Unit;
use rust_decimal::Decimal;
use tidegate_pricing::document::{self, Document, Texts};
use tidegate_pricing::{Buyer, Line, MemoryBook, Nearness, Priced, Resolver, Sku, Terms, Unpriced, Validity};

use crate::model::{
    Adds, Answer, Case, Cause, For, Gives, Kind, List, Moment, Named, Outcome, Portion, Promotion, RoundTo,
    Skus, Sources, Surcharge, TierWay, Valid, Window,
};
use crate::number::{Half, Number};

/// Why the library does not take the case.
pub(crate) type Refusal = String;

/// What the library gives for a case.
pub(crate) fn answer(case: &Case) -> Result<Outcome, Refusal> {
    answers(case, &[case.ask.quantity]).map(|mut answers| answers.remove(0))
}

/// What it gives for lines of these quantities in one cart, one after the other. Each line is explained too, which gives the same.
pub(crate) fn answers(case: &Case, quantities: &[Number]) -> Result<Vec<Outcome>, Refusal> {
    with_each(case, quantities, told)
}

fn with_each<T>(
    case: &Case,
    quantities: &[Number],
    told: impl Fn(&Terms, &Priced<'_>) -> T,
) -> Result<Vec<Result<T, Cause>>, Refusal> {
    let terms = Terms::compile(&document(case)).map_err(|faults| format!("{faults:?}"))?;
    let book = book(case, &terms)?;
    let nobody = Buyer::default();
    let buyer = match &case.ask.location {
        Some(id) => terms.buyer(id).ok_or_else(|| format!("there is no location {id}"))?,
        None => &nobody,
    };
    let currency = Currency::from_code(&case.ask.currency).map_err(|why| why.to_string())?;
    let resolver = Resolver::new(&terms, &book, buyer, currency, case.ask.instant);
    let answer = |quantity: &Number| {
        let line = Line { sku: &case.ask.sku, quantity: decimal(*quantity), unit: unit(&case.ask.unit) };
        let answer = resolver.price(&line);
        assert_eq!(resolver.explain(&line).0, answer, "to explain a price changes it: {case:#?}");
        answer.map_err(cause).map(|priced| told(&terms, &priced))
    };
    Ok(quantities.iter().map(answer).collect())
}

/// The breaks that it tells: from which quantity on the last unit has which price.
pub(crate) fn breaks(case: &Case) -> Vec<(Number, Number)> {
    let told = |_: &Terms, priced: &Priced<'_>| {
        priced.breaks.iter().map(|one| (number(one.minimum), number(one.unit_price))).collect()
    };
    let answers = with_each(case, &[case.ask.quantity], told).expect("the case is not refused");
    answers.into_iter().next().and_then(Result::ok).unwrap_or_default()
}

fn decimal(number: Number) -> Decimal {
    parse_exact(&number.to_string()).expect("numbers of a case have an end")
}

fn number(decimal: Decimal) -> Number {
    decimal.to_string().parse().expect("a decimal is a number")
}

fn unit(code: &str) -> Unit {
    Unit::from_code(code).expect("a unit of the table")
}

fn cause(why: Unpriced) -> Cause {
    match why {
        Unpriced::Quantity(_) => Cause::Quantity,
        Unpriced::NoPrice => Cause::NoPrice,
        Unpriced::Range => Cause::Range,
        Unpriced::Sku(fault) => panic!("the cases have SKUs: {fault}"),
    }
}

fn told(terms: &Terms, priced: &Priced<'_>) -> Answer {
    let source = terms.list(priced.source.list).expect("the source is a list of the terms");
    let portion = |portion: &tidegate_pricing::Portion| Portion {
        quantity: number(portion.quantity),
        price: number(portion.unit_price),
    };
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Answer {
        source: source.id.to_string(),
        kind: match priced.source.kind {
            document::Kind::Contract => Kind::Contract,
            document::Kind::List => Kind::List,
        },
        nearness: match priced.source.nearness {
            Nearness::CompanyLocation => 1,
            Nearness::Company => 2,
            Nearness::Group => 3,
            Nearness::Everyone => 4,
        },
        taxed: priced.tax == document::Tax::Included,
        portions: priced.portions.iter().map(portion).collect(),
        total: number(priced.total),
        unit_price: number(priced.unit_price),
        average: priced.is_average,
        list_price: priced.list_price.map(number),
        surcharges: names(&priced.surcharges),
        promotions: names(&priced.promotions),
        allowed: priced.quantity_allowed,
    }
}

pub(crate) fn book(case: &Case, terms: &Terms) -> Result<MemoryBook, Refusal> {
    let mut book = MemoryBook::default();
    for list in &case.lists {
        let index = terms.list_named(&list.id).expect("the list was just compiled");
        for price in &list.prices {
            let windows: Result<Vec<_>, _> = price.windows.iter().map(|one| window(one, case.zone)).collect();
            let sku = Sku::parse(&price.sku).map_err(|why| why.to_string())?;
            let price = tidegate_pricing::Price::new(windows?).map_err(|why| why.to_string())?;
            if book.set(index, sku, price).is_some() {
                return Err(format!("two prices of one SKU in {}", list.id));
            }
        }
    }
    Ok(book)
}

fn window(window: &Window, hours: i64) -> Result<tidegate_pricing::Window, Refusal> {
    let tier = |tier: &crate::model::Tier| tidegate_pricing::Tier {
        minimum: decimal(tier.minimum),
        amount: decimal(tier.price),
    };
    let zone = TimeZone::get(&zone(hours)).expect("a zone of the tz database");
    let (from, until) = (window.valid.from.map(text), window.valid.until.map(text));
    Ok(tidegate_pricing::Window {
        validity: Validity::parse(from.as_deref(), until.as_deref(), &zone).map_err(|why| why.to_string())?,
        unit: window.unit.as_deref().map(unit),
        tiers: window.tiers.iter().map(tier).collect(),
    })
}

/// The names of these zones have the sign turned: `Etc/GMT-2` is two hours ahead of UTC.
fn zone(hours: i64) -> String {
    match hours {
        0 => "UTC".to_owned(),
        ahead if ahead > 0 => format!("Etc/GMT-{ahead}"),
        behind => format!("Etc/GMT+{}", -behind),
    }
}

fn text(moment: Moment) -> String {
    match moment {
        Moment::Second(second) => Timestamp::from_second(second).expect("an instant").to_string(),
        Moment::Day(day) => Date::constant(1970, 1, 1).checked_add(day.days()).expect("a day").to_string(),
    }
}

pub(crate) fn document(case: &Case) -> Document {
    let location = |one: &crate::model::Location| document::Location {
        id: one.id.clone(),
        company: one.company.clone(),
        groups: one.groups.clone(),
    };
    let unit = |one: &crate::model::UnitDefinition| document::UnitRow {
        unit: one.code.clone(),
        pieces: one.pieces.to_string(),
        sku: one.sku.clone(),
    };
    let rule = |one: &crate::model::QuantityRule| document::QuantityRow {
        sku: one.sku.clone(),
        minimum: one.minimum.as_ref().map(Number::to_string),
        step: one.step.as_ref().map(Number::to_string),
        maximum: one.maximum.as_ref().map(Number::to_string),
    };
    Document {
        zone: Some(zone(case.zone)),
        lists: case.lists.iter().map(list).collect(),
        locations: case.locations.iter().map(location).collect(),
        units: case.units.iter().map(unit).collect(),
        quantity_rules: case.quantity_rules.iter().map(rule).collect(),
        surcharges: case.surcharges.iter().map(surcharge).collect(),
        promotions: case.promotions.iter().map(promotion).collect(),
    }
}

fn state(approved: bool) -> document::State {
    if approved { document::State::Approved } else { document::State::Draft }
}

fn audience(whom: &[For]) -> Texts {
    let text = |one: &For| match one {
        For::Everyone => "everyone".to_owned(),
        For::Location(id) => format!("company_location:{id}"),
        For::Company(id) => format!("company:{id}"),
        For::Group(id) => format!("group:{id}"),
    };
    match whom {
        [one] => Texts::One(text(one)),
        several => Texts::Many(several.iter().map(text).collect()),
    }
}

fn list(list: &List) -> document::List {
    let Valid { from, until } = list.valid;
    document::List {
        id: list.id.clone(),
        kind: match list.kind {
            Kind::Contract => document::Kind::Contract,
            Kind::List => document::Kind::List,
        },
        currency: list.currency.clone(),
        audience: audience(&list.whom),
        priority: list.priority,
        state: state(list.approved),
        valid_from: from.map(text),
        valid_until: until.map(text),
        tax: if list.taxed { document::Tax::Included } else { document::Tax::Excluded },
        tiers: match list.tiers {
            TierWay::Volume => document::Tiers::Volume,
            TierWay::Graduated => document::Tiers::Graduated,
        },
        unit: Some(list.unit.clone()),
        rounding: Some(document::Rounding {
            to: round_to(list.round_to),
            half: match list.half {
                Half::Up => document::Half::HalfUp,
                Half::Even => document::Half::HalfEven,
            },
        }),
        base: list.base.as_ref().map(|base| base.id.clone()),
        percent: list.base.as_ref().map(|base| base.percent.to_string()),
    }
}

fn round_to(to: RoundTo) -> String {
    match to {
        RoundTo::Exact => "exact".to_owned(),
        RoundTo::Minor => "minor".to_owned(),
        RoundTo::Increment(increment) => increment.to_string(),
        RoundTo::Ending(ending) => match ending.to_string().split_once('.') {
            Some((_, digits)) => format!("*.{digits}"),
            None => "*.00".to_owned(),
        },
    }
}

fn skus(skus: &Skus) -> Texts {
    match skus {
        Skus::All => Texts::One("*".to_owned()),
        Skus::Only(skus) => Texts::Many(
            skus.iter()
                .map(|named| match named {
                    Named::Sku(sku) => sku.clone(),
                    Named::Beginning(beginning) => format!("{beginning}*"),
                })
                .collect(),
        ),
    }
}

fn kinds(sources: Sources) -> Vec<document::Kind> {
    let contract = sources.contract.then_some(document::Kind::Contract);
    contract.into_iter().chain(sources.list.then_some(document::Kind::List)).collect()
}

fn surcharge(one: &Surcharge) -> document::Surcharge {
    let (percent, amount) = match one.adds {
        Adds::Percent(percent) => (Some(percent.to_string()), None),
        Adds::Amount(amount) => (None, Some(amount.to_string())),
    };
    document::Surcharge {
        id: one.id.clone(),
        priority: one.priority,
        state: state(one.approved),
        valid_from: one.valid.from.map(text),
        valid_until: one.valid.until.map(text),
        audience: audience(&one.whom),
        skus: skus(&one.skus),
        on: kinds(one.sources),
        percent,
        amount,
        currency: one.currency.clone(),
        unit: Some(one.unit.clone()),
    }
}

fn promotion(one: &Promotion) -> document::Promotion {
    let mut row = document::Promotion {
        id: one.id.clone(),
        priority: one.priority,
        state: state(one.approved),
        valid_from: one.valid.from.map(text),
        valid_until: one.valid.until.map(text),
        audience: audience(&one.whom),
        skus: skus(&one.skus),
        combines_with: kinds(one.sources),
        stacks: one.stacks,
        minimum: one.minimum.as_ref().map(Number::to_string),
        percent_off: None,
        amount_off: None,
        fixed_price: None,
        buy: None,
        get: None,
        currency: one.currency.clone(),
        unit: Some(one.unit.clone()),
    };
    let small = |number: i128| Some(u32::try_from(number).expect("X and Y are small"));
    match one.gives {
        Gives::PercentOff(percent) => row.percent_off = Some(percent.to_string()),
        Gives::AmountOff(amount) => row.amount_off = Some(amount.to_string()),
        Gives::Fixed(price) => row.fixed_price = Some(price.to_string()),
        Gives::BuyGet { buy, get, percent } => {
            (row.buy, row.get, row.percent_off) = (small(buy), small(get), Some(percent.to_string()));
        }
    }
    row
}
