//! What stands around every page: navigation, who is signed in, what was just done; and how a page becomes an answer.

use crate::access::Session;
use crate::state::Ui;
use crate::words::{Moment, moment};
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Which part of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Front,
    Orders,
    Stock,
    Prices,
    Cadence,
    DeadLetters,
    Systems,
}

#[derive(Debug)]
pub(crate) struct Chrome {
    /// Of the browser's tab.
    pub(crate) title: String,
    part: Part,
    /// Stock has its place in the navigation.
    pub(crate) stock: bool,
    /// So have prices.
    pub(crate) prices: bool,
    /// So has what runs by the clock.
    pub(crate) cadence: bool,
    pub(crate) csrf: String,
    pub(crate) who: String,
    /// What was just done, said once.
    pub(crate) said: Option<String>,
    pub(crate) search: String,
    pub(crate) drawn: Moment,
    /// Seconds between two refreshes; 0: none.
    pub(crate) refresh_s: u32,
    /// Without scripts the browser loads it anew: only where there is nothing to type.
    pub(crate) reload: bool,
}

impl Chrome {
    pub(crate) fn new(ui: &Ui, session: &Session, part: Part, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            part,
            stock: !ui.given.stock.is_empty(),
            prices: ui.given.prices.is_some(),
            cadence: ui.given.cadences.is_some(),
            csrf: session.csrf.clone(),
            who: session.who.clone(),
            said: ui.sessions().said(session),
            search: String::new(),
            drawn: moment(ui.now(), ui.now(), &ui.given.time_zone),
            refresh_s: 0,
            reload: false,
        }
    }

    pub(crate) fn refresh(mut self, seconds: u32) -> Self {
        self.refresh_s = seconds;
        self
    }

    /// Of a page whose times are all in one shop's zone.
    pub(crate) fn zone(mut self, now: Timestamp, zone: &TimeZone) -> Self {
        self.drawn = moment(now, now, zone);
        self
    }

    pub(crate) fn reload(mut self) -> Self {
        self.reload = true;
        self
    }

    /// `aria-current` of a link of the navigation.
    pub(crate) fn current(&self, part: &str) -> bool {
        part == match self.part {
            Part::Front => "front",
            Part::Orders => "orders",
            Part::Stock => "stock",
            Part::Prices => "prices",
            Part::Cadence => "cadence",
            Part::DeadLetters => "dead",
            Part::Systems => "systems",
        }
    }
}

/// Draws a page.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(body) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "a page could not be drawn");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
