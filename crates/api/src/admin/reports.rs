//! `GET reconcile/reports` and `GET reconcile/report`: what full checks of stock found, by cadence or by hand. What is kept is
//! `engine::work::drift`'s.

use super::asked::Question;
use super::reconcile::meant;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use engine::work::drift::{self, Checked, Known, Report};
use kernel::id::{FlowName, ShopId};
use serde::{Deserialize, Serialize};

const SHOWN: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    flow: Option<FlowName>,
    shop: Option<ShopId>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Reports {
    reports: Vec<Checked>,
}

pub(super) async fn list(
    State(parts): Parts,
    Question(asked): Question<Listed>,
) -> Result<Json<Reports>, AdminError> {
    let limit = asked.limit.unwrap_or(SHOWN);
    let mut reports = Vec::new();
    for check in meant(&parts, asked.flow.as_ref(), asked.shop.as_ref())? {
        reports.extend(drift::history(parts.store.as_ref(), check.flow(), check.shop(), limit).await?);
    }
    reports.sort_by_key(|checked| std::cmp::Reverse(checked.began));
    reports.truncate(limit);
    Ok(Json(Reports { reports }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    flow: Option<FlowName>,
    shop: Option<ShopId>,
    /// The newest where none is named.
    number: Option<u64>,
}

pub(super) async fn show(
    State(parts): Parts,
    Question(asked): Question<Shown>,
) -> Result<Json<Report>, AdminError> {
    let store = parts.store.as_ref();
    let checks = meant(&parts, asked.flow.as_ref(), asked.shop.as_ref())?;
    // Each flow and shop counts for itself: a number alone says nothing where there are several.
    if asked.number.is_some() && checks.len() > 1 {
        let all = checks.iter().map(|check| format!("{} at {}", check.flow(), check.shop()));
        let all = all.collect::<Vec<_>>().join(", ");
        return Err(AdminError::mend(format!(
            "each flow numbers its checks of each shop: name flow and shop; there are {all}"
        )));
    }
    let mut newest = None;
    for check in checks {
        let found = drift::report(store, check.flow(), check.shop(), asked.number).await?;
        let began = match &found {
            Known::Whole(report) => report.checked.began,
            Known::Figures(checked) => checked.began,
            Known::Nothing => continue,
        };
        if newest.as_ref().is_none_or(|(before, _)| *before < began) {
            newest = Some((began, found));
        }
    }
    match (newest, asked.number) {
        (Some((_, Known::Whole(report))), _) => Ok(Json(*report)),
        (Some((_, Known::Figures(checked))), _) => Err(AdminError::not_found(format!(
            "the pairs of check {} are kept no more: the newest {} reports that found something are; \
             `tidegate reconcile reports` still has its figures",
            checked.number,
            drift::REPORTS_MAX
        ))),
        (_, None) => Err(AdminError::not_found(
            "no full check has been made yet: tidegate reconcile inventory --dry-run makes one and changes nothing",
        )),
        (_, Some(number)) => Err(AdminError::not_found(format!(
            "there is no check {number}: `tidegate reconcile reports` lists those that are kept"
        ))),
    }
}
