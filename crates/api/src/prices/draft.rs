//! `POST /v1/prices/draft-order`: a cart as Shopify's `DraftOrderInput`, each line at the price that it is answered. Owns how prices
//! are said there; it sends nothing. A draft is charged as it is, so what it cannot say exactly is refused as a whole: a draft
//! without one of its lines, or with another price, would be another order.

use super::asked::{Cart, variant};
use super::resolve::{Asker, answered};
use super::told::{Answer, Charged};
use super::{BODY_BYTES_MAX, NOT_KEPT, PriceError, Prices, SERVER};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use config::Right;
use http::header::CACHE_CONTROL;
use kernel::clock::Now;
use kernel::money::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// What is asked beside the cart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft<'a> {
    /// Shopify's id of the company whose location buys.
    #[serde(borrow)]
    company: Cow<'a, str>,
    /// Shopify's id of who buys for it.
    #[serde(borrow)]
    company_contact: Cow<'a, str>,
    #[serde(borrow, default)]
    po_number: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cart: Cart<'a>,
}

pub(super) async fn order(State(prices): State<Arc<Prices>>, request: Request) -> Response {
    let began = prices.clock.now();
    let answer = draft(&prices, request, began).await;
    prices.answered(SERVER, answer, began)
}

async fn draft(prices: &Prices, request: Request, now: Now) -> Result<Response, PriceError> {
    let (head, body) = request.into_parts();
    prices.callers.admit(&head.headers, Right::Resolve, now.mono)?;
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| PriceError::too_long())?;
    let draft: Draft<'_> = serde_json::from_slice(&body)
        .map_err(|error| PriceError::mend(format!("the body is not a draft order: {error}")))?;
    let cart = &draft.cart;
    cart.is_bounded()?;
    let location = cart.company_location.as_deref().ok_or_else(|| {
        PriceError::mend("cart.company_location is missing: a draft of this kind is a company location's")
    })?;
    let variants = prices.variants_of(cart)?;
    let asker = Asker { location: Some(location), variants, is_storefront: false };
    let tell = |answer: &Answer<'_>| {
        let told =
            json!({"version": answer.version, "at": answer.at, "input": input(&draft, location, answer)?});
        Ok(([(CACHE_CONTROL, NOT_KEPT)], Json(told)).into_response())
    };
    answered(prices, cart, asker, now.wall, tell).await
}

fn input(draft: &Draft<'_>, location: &str, answer: &Answer<'_>) -> Result<Value, PriceError> {
    let mut lines = Vec::new();
    for (place, line) in answer.lines.iter().enumerate() {
        let charged = line.charged().and_then(|charged| said(&charged, answer.currency));
        lines.extend(charged.map_err(|why| PriceError::mend(format!("lines[{place}]: {why}")))?);
    }
    let company = json!({"companyId": draft.company, "companyLocationId": location,
        "companyContactId": draft.company_contact});
    let mut input = json!({"purchasingEntity": {"purchasingCompany": company},
        "presentmentCurrencyCode": answer.currency, "lineItems": lines});
    if let Some(number) = &draft.po_number {
        input["poNumber"] = json!(number);
    }
    Ok(input)
}

/// Each portion of its quantity is a line of the draft: no discount is needed, of which it would have to be known how Shopify spreads it.
fn said(line: &Charged<'_>, currency: Currency) -> Result<Vec<Value>, String> {
    let id =
        line.variant.and_then(variant).ok_or("it names no variant, and a draft has variants of Shopify's")?;
    if !line.is_allowed {
        return Err(format!("its quantity rule does not allow {} pieces", line.quantity));
    }
    let minor = currency.minor_digits();
    let (mut lines, mut total) = (Vec::new(), Decimal::ZERO);
    for (quantity, price) in &line.portions {
        let whole = quantity.is_integer().then(|| quantity.to_i32()).flatten();
        let whole = whole.filter(|pieces| *pieces > 0).ok_or_else(|| {
            format!("{} pieces cost {price} each, and a draft has whole pieces", quantity.normalize())
        })?;
        if price.normalize().scale() > minor {
            return Err(format!("{} has more decimals than {currency}", price.normalize()));
        }
        total += Decimal::from(whole) * price;
        let amount = Money::new(*price, currency).amount_text();
        lines.push(json!({"variantId": format!("gid://shopify/ProductVariant/{id}"), "quantity": whole,
            "priceOverride": {"amount": amount, "currencyCode": currency}}));
    }
    if total != line.total {
        return Err(format!("its portions come to {total}, and it costs {}", line.total));
    }
    Ok(lines)
}
