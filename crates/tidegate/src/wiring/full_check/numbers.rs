//! What the levels of a snapshot are ordered by: numbers of the source's own, or dates in their place. Owns that the one is not taken up
//! beside the other: by a date every number that comes later would be an older one, for ever, and by a number every date a newer one.

use domains::inventory::snapshot::compares;
use kernel::fault::{Fault, FaultKind};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use std::sync::OnceLock;
use store::query::SubjectStatus;

/// Of one run; known once its source was asked for all that it has.
#[derive(Debug, Default)]
pub(super) struct Numbers(OnceLock<Option<bool>>);

impl Numbers {
    /// Refuses what bears no numbers where the source pushes: what is pushed bears them.
    pub(super) fn may_be_taken_up(&self, numbered: Option<bool>, pushes: bool) -> Result<(), Fault> {
        self.0.get_or_init(|| numbered);
        if numbered == Some(false) && pushes {
            let what = "the levels of the snapshot have no version, and the system pushes, under numbers of its own: which of two \
                        levels is newer could not be known. Give each level of the snapshot the version that it has where it is \
                        pushed; a system that pushes changes alone may give all of them one number that grows from file to file";
            return Err(refused(what.to_owned()));
        }
        Ok(())
    }

    /// Refuses a level that is ordered by the one where the log has its pair by the other. `sequence` and what is known are lifted.
    pub(super) fn compare(
        &self,
        subject: &Subject,
        sequence: i64,
        known: &SubjectStatus,
        lift: i64,
    ) -> Result<(), Fault> {
        let heard = match known.delivery.as_ref().and_then(|delivery| delivery.version.as_ref()) {
            Some(EffectiveVersion::Sequence { sequence }) => *sequence,
            _ => return Ok(()),
        };
        let numbered = self.0.get().copied().flatten();
        if compares(numbered, heard.saturating_sub(lift), sequence.saturating_sub(lift)) {
            return Ok(());
        }
        let (has, had) = match numbered {
            Some(true) => ("a version", "was told without one, by its date"),
            _ => ("no version", "was told under one"),
        };
        Err(refused(format!(
            "the levels of the snapshot have {has}, and {subject} {had}: which of the two is newer cannot be known. Number both alike; \
             where the system began to number only now, tidegate ats reset-sequence forgets what came before"
        )))
    }
}

fn refused(what: String) -> Fault {
    Fault::new(FaultKind::Rejected, "TG-3407", what)
}
