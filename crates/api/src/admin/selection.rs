//! Which deliveries a question means, from a query string or a body.

use super::AdminError;
use kernel::id::{DeliveryId, FlowName, ShopId, SystemName};
use serde::Deserialize;
use store::query::{DeliveryFilter, Phase};

/// Rows of one page at most.
const PAGE_MAX: u32 = 1000;

/// In the query string of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListAsked {
    shop: Option<ShopId>,
    system: Option<SystemName>,
    flow: Option<FlowName>,
    root: Option<String>,
    phase: Option<Phase>,
    fingerprint: Option<String>,
    pub(super) closed: Option<bool>,
    before: Option<DeliveryId>,
    limit: Option<u32>,
}

impl ListAsked {
    pub(super) fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            shop: self.shop.clone(),
            system: self.system.clone(),
            flow: self.flow.clone(),
            root: self.root.clone(),
            phase: self.phase,
            fingerprint: self.fingerprint.clone(),
            ids: Vec::new(),
            before: self.before,
            limit: self.limit.unwrap_or_default().min(PAGE_MAX),
        }
    }
}

/// In the body of a release or a skip. What is named together is meant together: all of it has to hold.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Selection {
    #[serde(default)]
    fingerprint: Option<String>,
    #[serde(default)]
    pub(super) ids: Vec<DeliveryId>,
    #[serde(default)]
    flow: Option<FlowName>,
    #[serde(default)]
    system: Option<SystemName>,
    #[serde(default)]
    shop: Option<ShopId>,
    #[serde(default)]
    root: Option<String>,
    #[serde(default)]
    all: bool,
}

impl Selection {
    /// The dead letters that are meant; refuses to take silence for "all".
    pub(super) fn dead(&self) -> Result<DeliveryFilter, AdminError> {
        let nothing = self.fingerprint.is_none()
            && self.ids.is_empty()
            && self.flow.is_none()
            && self.system.is_none()
            && self.shop.is_none()
            && self.root.is_none();
        if nothing && !self.all {
            return Err(AdminError::nothing_selected());
        }
        Ok(DeliveryFilter {
            shop: self.shop.clone(),
            system: self.system.clone(),
            flow: self.flow.clone(),
            root: self.root.clone(),
            phase: Some(Phase::Dead),
            fingerprint: self.fingerprint.clone(),
            ids: self.ids.clone(),
            before: None,
            limit: 0,
        })
    }
}
