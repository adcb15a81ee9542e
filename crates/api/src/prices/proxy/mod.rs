//! `/proxy/prices/resolve`: a storefront asks through Shopify's app proxy. Shopify signs who is logged in and never for which
//! company location: that comes from the request, and counts only where the customer has a role there. What is another's and what
//! is not there get one answer, found by one way. Refuses an instant and a derivation: both are the merchant's.

mod roles;
mod signature;

pub use roles::Roles;

use super::answer::told;
use super::asked::{Cart, OneLine};
use super::pace::Pace;
use super::resolve::{Asker, answered};
use super::{BODY_BYTES_MAX, PriceError, Prices, STOREFRONT};
use axum::extract::{Query, Request, State};
use axum::response::Response;
use config::Rate;
use http::Method;
use kernel::clock::Now;
use roles::Known;
use secrecy::SecretString;
use shopify::roles::COMPANY_LOCATION;
use signature::Signed;
use std::sync::Arc;

/// A shop whose storefront may ask.
#[derive(Debug, Clone)]
pub struct Storefront {
    /// `….myshopify.com`.
    pub shop: String,
    /// Of the app that the shop installed, the current one and the former.
    pub secrets: Vec<SecretString>,
    pub roles: Arc<dyn Roles>,
    pub rate: Rate,
}

#[derive(Debug)]
pub(super) struct Door {
    shop: String,
    secrets: Vec<SecretString>,
    known: Known,
    pace: Pace,
}

impl Door {
    pub(super) fn new(storefront: Storefront) -> Self {
        let Storefront { shop, secrets, roles, rate } = storefront;
        Self { shop, secrets, known: Known::new(roles), pace: Pace::new(rate) }
    }

    /// For whom the price is. None: for nobody in particular.
    async fn location(
        &self,
        signed: &Signed,
        asked: Option<&str>,
        now: Now,
    ) -> Result<Option<Box<str>>, PriceError> {
        let theirs = match signed.customer() {
            Some(customer) => self.known.of(customer, now.mono).await?,
            None => Arc::from([]),
        };
        match asked {
            Some(asked) => {
                let found = theirs.iter().find(|one| is_same(one, asked));
                found.cloned().map(Some).ok_or_else(PriceError::not_theirs)
            }
            None if theirs.len() > 1 => Err(PriceError::which(&theirs)),
            None => Ok(theirs.first().cloned()),
        }
    }
}

/// A storefront may leave out what is the same in every id.
fn is_same(location: &str, asked: &str) -> bool {
    location == asked || location.strip_prefix(COMPANY_LOCATION) == Some(asked)
}

pub(super) async fn resolve(State(prices): State<Arc<Prices>>, request: Request) -> Response {
    let began = prices.clock.now();
    let answer = forwarded(&prices, request, began).await;
    prices.answered(STOREFRONT, answer, began)
}

async fn forwarded(prices: &Prices, request: Request, now: Now) -> Result<Response, PriceError> {
    let (head, body) = request.into_parts();
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&head.uri);
    let signed =
        pairs.ok().and_then(|Query(pairs)| Signed::read(pairs)).ok_or_else(PriceError::not_shopifys)?;
    let door = prices.storefronts.iter().find(|door| door.shop == signed.shop());
    let secrets = door.map_or(&[][..], |door| &door.secrets);
    let is_right = signed.is_right(secrets, now.wall) && signed.is_customer_readable();
    let door = door.filter(|_| is_right).ok_or_else(PriceError::not_shopifys)?;
    door.pace.take(now.mono).map_err(|wait| PriceError::storefront_too_often(&door.shop, wait))?;
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| PriceError::too_long())?;
    let one;
    let cart = if head.method == Method::POST {
        Cart::read(&body)?
    } else {
        one = OneLine::of_storefront(signed.asked())?;
        one.cart()?
    };
    if cart.shop.is_some() {
        return Err(PriceError::mend("shop is not for storefronts: Shopify signs whose it is"));
    }
    if cart.at.is_some() || cart.why {
        return Err(PriceError::not_for_storefronts());
    }
    let location = door.location(&signed, cart.company_location.as_deref(), now).await?;
    let variants = prices.variants.iter().find(|variants| variants.is_called(&door.shop));
    let asker = Asker { location: location.as_deref(), variants, is_storefront: true };
    answered(prices, &cart, asker, now.wall, |answer| Ok(told(answer, &head.method, &head.headers))).await
}
