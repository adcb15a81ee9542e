//! `GET orders?name=#1001`: the orders of that name or id, in any shop.

use super::asked::Question;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::log::About;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    name: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Orders {
    orders: Vec<OrderLine>,
}

#[derive(Debug, Serialize)]
struct OrderLine {
    shop: String,
    /// The source's id: with the shop, the address of its life.
    order: String,
    subject: String,
    #[serde(flatten)]
    about: Option<Known>,
}

#[derive(Debug, Serialize)]
pub(super) struct Known {
    label: String,
    created_at: jiff::Timestamp,
    updated_at: jiff::Timestamp,
}

impl Known {
    pub(super) fn of(about: &About) -> Self {
        Self { label: about.label.clone(), created_at: about.created_at, updated_at: about.updated_at }
    }
}

pub(super) async fn find(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Orders>, AdminError> {
    let name = asked.name.trim();
    if name.is_empty() {
        return Err(AdminError::mend("name is empty: write an order's name or id, as in ?name=%231001"));
    }
    let mut found = parts.store.find(name).await?;
    // `#` is often lost on a command line.
    if found.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        found = parts.store.find(&format!("#{name}")).await?;
    }
    let mut orders = Vec::with_capacity(found.len());
    for subject in found.into_iter().filter(|subject| subject.path == subject.root()) {
        let life = parts.store.life(&subject.shop, subject.root()).await?;
        orders.push(OrderLine {
            shop: subject.shop.to_string(),
            order: subject.key().to_owned(),
            subject: subject.to_string(),
            about: life.about.as_ref().map(Known::of),
        });
    }
    Ok(Json(Orders { orders }))
}
