//! The operator's pages (drawn on the server, no build step, no script needed): what is late, why, and what happens
//! next; one order's whole life; stock; prices; cadence; dead letters; systems.
//!
//! They read the store and the running engine and judge nothing themselves: the words are `engine::overview`'s and
//! `engine::waits`'. No payload is ever rendered, but the quantities of a level of stock, which names nobody. Every page
//! but the login wants a session.

mod access;
mod assets;
mod cadence;
mod cards;
mod chart;
mod chrome;
mod drift;
mod drift_chart;
mod error;
mod form;
mod over_time;
mod pages;
mod price_chart;
mod prices;
mod standing;
mod state;
mod stock_met;
mod subjects;
mod words;

pub use access::ClientAddress;
pub use cadence::{Cadences, Paced};
pub use prices::{PriceAsked, PriceChanged, PriceStanding, PriceTold, Prices, PricesHydrated, Waiting};
pub use state::{Random, Running, StockFlow, Truth, UiState};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use state::Ui;
use std::sync::Arc;

/// The largest form; the longest field is a reason.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// All pages, their assets and the login. Paths that are none of them are the caller's to answer.
pub fn router(state: UiState) -> Router {
    let ui = Arc::new(Ui::new(state));
    let signed_in = Router::new()
        .route("/", get(pages::front::show))
        .route("/orders", get(pages::orders::show))
        .route("/orders/{shop}/{order}", get(pages::order::show))
        .route("/orders/{shop}/{order}/release", post(pages::order_acts::release))
        .route("/orders/{shop}/{order}/skip", post(pages::order_acts::skip))
        .route("/orders/{shop}/{order}/pause", post(pages::order_acts::pause))
        .route("/orders/{shop}/{order}/resume", post(pages::order_acts::resume))
        .route("/stock", get(pages::stock::show))
        .route("/stock/by-hand", post(pages::stock_by_hand::decided))
        .route("/stock/checks/{flow}/{shop}/{number}", get(pages::stock_check::show))
        .route("/stock/checks/{flow}/{shop}/{number}/{file}", get(pages::stock_check::file))
        .route("/prices", get(pages::prices::show))
        .route("/cadence", get(pages::cadence::show))
        .route("/dead-letters", get(pages::dead_letters::list))
        .route("/dead-letters/group", get(pages::dead_letters::group))
        .route("/dead-letters/release", post(pages::dead_letters::release))
        .route("/dead-letters/skip", post(pages::dead_letters::skip))
        .route("/systems", get(pages::systems::show))
        .route("/systems/pause", post(pages::systems::pause))
        .route("/systems/resume", post(pages::systems::resume))
        .route("/flow-of-truth", get(pages::truth::show))
        .route("/flow-of-truth/{file}", get(pages::truth::drawing))
        .route("/logout", post(pages::login::logout))
        .route_layer(from_fn_with_state(ui.clone(), access::guard));
    Router::new()
        .merge(signed_in)
        .route("/login", get(pages::login::show).post(pages::login::sign_in))
        .route("/assets/{file}", get(assets::serve))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn(access::headers))
        .with_state(ui)
}
