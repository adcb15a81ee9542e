//! `POST /v1/prices/resolve`: what a buyer pays for the lines of a cart, each with its source; `GET`, for one line. One question
//! is answered from one version.

use super::answer::told;
use super::asked::{Cart, CartLine, OneLine};
use super::live::{Live, Quote, Wanted};
use super::told::{Answer, LineTold, Named};
use super::variants::Variants;
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
    by_server(prices, &cart, now.wall, (&head.method, &head.headers)).await
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
    by_server(prices, &asked.cart()?, now.wall, (&Method::GET, headers)).await
}

async fn by_server(
    prices: &Prices,
    cart: &Cart<'_>,
    now: Timestamp,
    http: (&Method, &HeaderMap),
) -> Result<Response, PriceError> {
    let variants = prices.variants_of(cart)?;
    let asker = Asker { location: cart.company_location.as_deref(), variants, is_storefront: false };
    answered(prices, cart, asker, now, |answer| Ok(told(answer, http.0, http.1))).await
}

/// For whom a cart is, and whose variants it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) location: Option<&'a str>,
    pub(super) variants: Option<&'a Arc<Variants>>,
    pub(super) is_storefront: bool,
}

/// All lines, told in whatever form; those whose price a system makes are asked of it first.
pub(super) async fn answered(
    prices: &Prices,
    cart: &Cart<'_>,
    Asker { location, variants, is_storefront }: Asker<'_>,
    now: Timestamp,
    tell: impl FnOnce(&Answer<'_>) -> Result<Response, PriceError>,
) -> Result<Response, PriceError> {
    let currency = cart.currency()?;
    let (version, at) = prices.counting(cart.at, now)?;
    let (terms, book, nobody) = (version.terms(), version.book(), Buyer::default());
    let buyer = match location {
        Some(id) => terms.buyer(id).ok_or_else(|| PriceError::unknown_buyer(id))?,
        None => &nobody,
    };
    let resolver = Resolver::new(terms, &book, buyer, currency, at.as_second());
    let skus = skus_of_variants(cart, variants, &resolver).await;
    let known = |index: usize| skus.get(index).and_then(Option::as_deref);
    let quotes = match &prices.live {
        // Of another instant no system says a price.
        Some(live) if cart.at.is_none() => {
            Some((live.system(), quotes(live, cart, &skus, location, currency).await))
        }
        _ => None,
    };
    let quote = |index: usize| {
        let (system, quotes) = quotes.as_ref()?;
        Some((*system, quotes.get(&index)?))
    };
    let read: Vec<_> = cart.lines.iter().enumerate().map(|(index, line)| line.read(known(index))).collect();
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
            let named = Named { sku: known(index), is_storefront };
            LineTold::of(asked, answer, of, (named, quote(index)), why)
        }
    });
    let version = version.number();
    let answer = Answer { version, at, currency, company_location: location, lines: lines.collect() };
    count(prices, &answer.lines);
    tell(&answer)
}

/// The SKUs of the variants that a cart names, by the lines' places; empty where it names none. A variant that is not known, or whose
/// SKU has no price for this buyer (it may have another SKU by now), is asked of the shop: both take as long, so that the time does
/// not tell which it is.
async fn skus_of_variants<B: Book>(
    cart: &Cart<'_>,
    variants: Option<&Arc<Variants>>,
    resolver: &Resolver<'_, B>,
) -> Vec<Option<Box<str>>> {
    let asked = cart.variants();
    let Some(variants) = variants.filter(|_| !asked.is_empty()) else { return Vec::new() };
    variants.refresh();
    let skus = variants.skus(&asked);
    let open: Vec<u64> = {
        let of_variants = cart.lines.iter().zip(&asked).zip(&skus);
        let lines: Vec<_> = of_variants
            .filter_map(|((line, id), sku)| Some(((*id)?, line.read(sku.as_deref()).ok()?)))
            .collect();
        let prices = resolver.prices(lines.iter().map(|(_, line)| line));
        lines.iter().zip(prices).filter(|(_, price)| price.is_err()).map(|((id, _), _)| *id).collect()
    };
    if !open.is_empty() && variants.ask(&open).await { variants.skus(&asked) } else { skus }
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
    skus: &[Option<Box<str>>],
    location: Option<&str>,
    currency: Currency,
) -> BTreeMap<usize, Quote> {
    let (mut places, mut wanted) = (Vec::new(), Vec::new());
    for (place, line) in cart.lines.iter().enumerate() {
        let known = skus.get(place).and_then(Option::as_deref);
        // Of a variant without a known SKU nobody is asked.
        if line.variant.is_some() && known.is_none_or(str::is_empty) {
            continue;
        }
        let Ok(line) = line.read(known) else { continue };
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
    let asked = CartLine {
        id: None,
        sku: Some(sku.into()),
        variant: None,
        quantity: quantity.into(),
        unit: unit.map(Into::into),
    };
    let told = match asked.read(None) {
        Err(message) => LineTold::unreadable(&asked, message),
        Ok(line) => {
            let (answer, steps) = Resolver::new(terms, book, buyer, currency, at.as_second()).explain(&line);
            LineTold::of(
                &asked,
                answer,
                (terms, currency),
                (Named::default(), None),
                sentences(&steps, currency),
            )
        }
    };
    json!(told)
}

fn sentences(steps: &[Step<'_>], currency: Currency) -> Vec<String> {
    steps.iter().map(|step| step.sentence(currency).to_string()).collect()
}
