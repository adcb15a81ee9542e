//! `POST backup {file}`: a whole, verified copy of the store while it is in use, on the hub's own machine. Never
//! overwrites a file.

use super::asked::{Body, Hand, NothingElse};
use super::stream::streamed;
use super::{AdminError, AdminParts, Parts};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use store::operate::{AuditEntry, By};

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    file: PathBuf,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Serialize)]
struct BackedUp {
    file: PathBuf,
    bytes: u64,
}

pub(super) async fn backup(
    State(parts): Parts,
    Body(Asked { file, hand, .. }): Body<Asked>,
) -> Result<Response, AdminError> {
    let by = hand.by_or("a backup", parts.clock.now().wall)?;
    if !file.is_absolute() {
        let message =
            format!("{} is relative to nothing that you know: write an absolute path", file.display());
        return Err(AdminError::mend(message));
    }
    if file.exists() {
        let message =
            format!("{} is there already and is not overwritten: name another file", file.display());
        return Err(AdminError::no_backup(message));
    }
    if !file.parent().is_some_and(std::path::Path::is_dir) {
        return Err(AdminError::no_backup(format!(
            "the folder of {} is not there: make it first",
            file.display()
        )));
    }
    let given = parts.clone();
    Ok(streamed(&parts, move |_| written(given, file, by)))
}

/// On a task of its own: half a copy is of no use to anybody, so a client that goes away does not end it.
async fn written(parts: Arc<AdminParts>, file: PathBuf, by: By) -> Result<BackedUp, AdminError> {
    let task = tokio::spawn(async move {
        let bytes =
            parts.store.backup(&file).await.map_err(|error| AdminError::no_backup(error.to_string()))?;
        let entry = AuditEntry {
            at: by.at,
            who: by.who,
            action: "backup".to_owned(),
            target: file.display().to_string(),
            why: by.why,
            count: 1,
        };
        parts.store.audit(entry).await?;
        Ok(BackedUp { file, bytes })
    });
    task.await.unwrap_or_else(|_| Err(AdminError::no_backup("the backup broke off: see the log")))
}
