//! `POST /v1/prices/resolve`: what a buyer pays for the lines of a cart, each with its source; `GET`, for one line. One question
//! is answered from one version.

use super::answer::told;
use super::asked::{Cart, CartLine, OneLine};
use super::live::{Live, Quote, Wanted};
use super::told::{Answer, LineTold};
use super::{BODY_BYTES_MAX, PriceError, Prices, SERVER};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use config::Right;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use kernel::clock::Now;
use kernel::money::Currency;
use pricing::{Book, Buyer, Resolver, Sku, Step, Terms};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) async fn many(State(prices): State<Arc<Prices>>, request: Request) -> Response {
    let began = prices.clock.now();
    let answer = cart(&prices, request, began).await;
    prices.answered(SERVER, answer, began)
}

async fn cart(prices: &Prices, request: Request, now: Now) -> Result<Response, PriceError> {
    let (head, body) = request.into_parts();
    prices.callers.admit(&head.headers, Right::Resolve, now.mono)?;
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| PriceError::too_long())?;
    let cart = Cart::read(&body)?;
    answered(prices, &cart, cart.company_location.as_deref(), now.wall, (&head.method, &head.headers)).await
}

pub(super) async fn one(
    State(prices): State<Arc<Prices>>,
    headers: HeaderMap,
    asked: Result<Query<OneLine>, QueryRejection>,
) -> Response {
    let began = prices.clock.now();
    let answer = line(&prices, &headers, asked, began).await;
    prices.answered(SERVER, answer, began)
}

async fn line(
    prices: &Prices,
    headers: &HeaderMap,
    asked: Result<Query<OneLine>, QueryRejection>,
    now: Now,
) -> Result<Response, PriceError> {
    prices.callers.admit(headers, Right::Resolve, now.mono)?;
    let Query(asked) = asked.map_err(|refused| PriceError::mend(refused.body_text()))?;
    let cart = asked.cart();
    answered(prices, &cart, cart.company_location.as_deref(), now.wall, (&Method::GET, headers)).await
}

/// All lines; those whose price a system makes are asked of it first.
pub(super) async fn answered(
    prices: &Prices,
    cart: &Cart<'_>,
    location: Option<&str>,
    now: Timestamp,
    (method, headers): (&Method, &HeaderMap),
) -> Result<Response, PriceError> {
    let currency = cart.currency()?;
    let (version, at) = prices.counting(cart.at, now)?;
    let (terms, book, nobody) = (version.terms(), version.book(), Buyer::default());
    let buyer = match location {
        Some(id) => terms.buyer(id).ok_or_else(|| PriceError::unknown_buyer(id))?,
        None => &nobody,
    };
    let quotes = match &prices.live {
        // Of another instant no system says a price.
        Some(live) if cart.at.is_none() => {
            Some((live.system(), quotes(live, cart, location, currency).await))
        }
        _ => None,
    };
    let quote = |index: usize| {
        let (system, quotes) = quotes.as_ref()?;
        Some((*system, quotes.get(&index)?))
    };
    let resolver = Resolver::new(terms, &book, buyer, currency, at.as_second());
    let read: Vec<_> = cart.lines.iter().map(CartLine::read).collect();
    let priced = if cart.why { Vec::new() } else { resolver.prices(read.iter().flatten()) };
    let mut priced = priced.into_iter();
    let of = (terms, currency);
    let lines = cart.lines.iter().zip(read).enumerate().map(|(index, (asked, line))| match line {
        Err(message) => LineTold::unreadable(asked, message),
        Ok(line) => {
            let (answer, why) = priced.next().map_or_else(
                || {
                    let (answer, steps) = resolver.explain(&line);
                    (answer, sentences(&steps, currency))
                },
                |answer| (answer, Vec::new()),
            );
            LineTold::of(asked, answer, of, quote(index), why)
        }
    });
    let version = version.number();
    let answer = Answer { version, at, currency, company_location: location, lines: lines.collect() };
    count(prices, &answer.lines);
    Ok(told(&answer, method, headers))
}

fn count(prices: &Prices, lines: &[LineTold<'_>]) {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for line in lines {
        *counts.entry(line.came()).or_default() += 1;
    }
    for (came, count) in counts {
        prices.metrics.price_lines(came, count);
    }
}

/// By the place of the line. A line that cannot be read is asked of nobody.
async fn quotes(
    live: &Arc<Live>,
    cart: &Cart<'_>,
    location: Option<&str>,
    currency: Currency,
) -> BTreeMap<usize, Quote> {
    let (mut places, mut wanted) = (Vec::new(), Vec::new());
    for (place, line) in cart.lines.iter().enumerate() {
        let Ok(line) = line.read() else { continue };
        let Ok(sku) = Sku::spell(line.sku) else { continue };
        if !live.is_for(&sku) || line.quantity <= Decimal::ZERO {
            continue;
        }
        places.push(place);
        wanted.push(Wanted {
            company_location: location.map(Into::into),
            currency,
            sku: sku.into(),
            quantity: line.quantity.normalize(),
            unit: line.unit.code().into(),
        });
    }
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    places.into_iter().zip(live.quotes(&wanted).await).collect()
}

/// One line with its derivation, by what counts or counted.
pub(crate) fn explained<B: Book>(
    terms: &Terms,
    book: &B,
    buyer: &Buyer,
    (currency, at): (Currency, Timestamp),
    (sku, quantity, unit): (&str, &str, Option<&str>),
) -> Value {
    let asked = CartLine { id: None, sku: sku.into(), quantity: quantity.into(), unit: unit.map(Into::into) };
    let told = match asked.read() {
        Err(message) => LineTold::unreadable(&asked, message),
        Ok(line) => {
            let (answer, steps) = Resolver::new(terms, book, buyer, currency, at.as_second()).explain(&line);
            LineTold::of(&asked, answer, (terms, currency), None, sentences(&steps, currency))
        }
    };
    json!(told)
}

fn sentences(steps: &[Step<'_>], currency: Currency) -> Vec<String> {
    steps.iter().map(|step| step.sentence(currency).to_string()).collect()
}
