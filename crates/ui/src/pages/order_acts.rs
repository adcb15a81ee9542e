//! What a person may do about one order: release, skip, pause, resume. Each wants a reason, and each writes the audit.

use super::order::{life, root};
use crate::error::PageError;
use crate::form::Posted;
use crate::state::Ui;
use crate::subjects::{noun, order_path};
use crate::words::many;
use axum::extract::{Path, State};
use axum::response::Redirect;
use kernel::id::DeliveryId;
use kernel::subject::Subject;
use std::sync::Arc;
use std::time::Duration;
use store::operate::{Pause, PauseScope};
use store::query::{DeliveryFilter, Phase};

type Address = Path<(String, String)>;

pub(crate) async fn release(
    State(ui): State<Arc<Ui>>,
    Path((shop, order)): Address,
    posted: Posted,
) -> Result<Redirect, PageError> {
    let root = existing(&ui, &shop, &order).await?;
    let (why, now) = (posted.reason()?, ui.now());
    let ids = delivery(&posted)?.into_iter().collect();
    let which = DeliveryFilter { phase: Some(Phase::Dead), ids, ..of(&root) };
    let released = ui.given.store.release(which, posted.by(why, now), now, Duration::ZERO).await?;
    let said = match released {
        0 => format!("Nothing was released: no dead letter of this {} is open any more.", noun(&root)),
        count => format!("Released: {} will be tried again now.", many(count, "dead letter")),
    };
    Ok(done(&ui, &posted, said, &root))
}

pub(crate) async fn skip(
    State(ui): State<Arc<Ui>>,
    Path((shop, order)): Address,
    posted: Posted,
) -> Result<Redirect, PageError> {
    let root = existing(&ui, &shop, &order).await?;
    let (why, now) = (posted.reason()?, ui.now());
    posted.sure()?;
    let Some(id) = delivery(&posted)? else {
        return Err(PageError::Refused("it is not said which delivery is to be skipped".into()));
    };
    let which = DeliveryFilter { ids: vec![id], ..of(&root) };
    let skipped = ui.given.store.skip(which, posted.by(why, now)).await?;
    let said = match skipped {
        0 => format!("Delivery {id} was not skipped: it has ended, or an answer about it is awaited."),
        _ => format!("Delivery {id} is skipped and will not be sent."),
    };
    Ok(done(&ui, &posted, said, &root))
}

pub(crate) async fn pause(
    State(ui): State<Arc<Ui>>,
    Path((shop, order)): Address,
    posted: Posted,
) -> Result<Redirect, PageError> {
    let root = existing(&ui, &shop, &order).await?;
    let (why, now) = (posted.reason()?, ui.now());
    let scope = PauseScope::Subject(root.clone());
    ui.given.store.pause(Pause { scope, by: posted.by(why, now), until: posted.until(now)? }).await?;
    Ok(done(&ui, &posted, format!("The {} is paused at every system.", noun(&root)), &root))
}

pub(crate) async fn resume(
    State(ui): State<Arc<Ui>>,
    Path((shop, order)): Address,
    posted: Posted,
) -> Result<Redirect, PageError> {
    let root = existing(&ui, &shop, &order).await?;
    let (why, now) = (posted.reason()?, ui.now());
    let resumed = ui.given.store.resume(&PauseScope::Subject(root.clone()), posted.by(why, now)).await?;
    let said = if resumed { "goes on" } else { "was not paused" };
    Ok(done(&ui, &posted, format!("The {} {said}.", noun(&root)), &root))
}

async fn existing(ui: &Ui, shop: &str, order: &str) -> Result<Subject, PageError> {
    let root = root(shop, order)?;
    life(ui, &root).await?;
    Ok(root)
}

/// The delivery that a form names, if it names one.
fn delivery(posted: &Posted) -> Result<Option<DeliveryId>, PageError> {
    let Some(text) = posted.text("delivery") else { return Ok(None) };
    let id = text.parse().map_err(|_| PageError::Refused(format!("{text:?} is no delivery")))?;
    Ok(Some(DeliveryId(id)))
}

/// All of one order: a form never reaches another's deliveries.
fn of(root: &Subject) -> DeliveryFilter {
    DeliveryFilter { shop: Some(root.shop.clone()), root: Some(root.path.clone()), ..Default::default() }
}

fn done(ui: &Ui, posted: &Posted, said: String, root: &Subject) -> Redirect {
    ui.given.hub.changed();
    ui.sessions().say(&posted.session, said);
    Redirect::to(&order_path(root))
}
