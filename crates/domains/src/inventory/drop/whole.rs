//! A file that is all that there is, for a full check. Owns that half of one, and two that were mixed into one, are none: in NDJSON the
//! last line counts the others (`{"items": N}`), and all lines are of the snapshot that the first one names (`"snapshot": …`). A file of CSV
//! has no such line.

use super::fault::LineFault;
use super::lines::Line;
use crate::json::Json;

/// Why a file that can be read is not all that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotWhole {
    /// The line that counts it is missing: it may still be written.
    CutOff,
    /// It has lines of two.
    Mixed,
}

/// What is known of such a file so far.
#[derive(Debug, Default)]
pub(super) struct Whole {
    lines: u64,
    /// As the first line names it.
    name: Option<Option<String>>,
    ended: bool,
    pub(super) not: Option<NotWhole>,
}

impl Whole {
    /// Whether a line is the last, and tells nothing but how many there were.
    pub(super) fn is_last(&mut self, line: &Line, body: &Json<'_>) -> Result<bool, LineFault> {
        if self.ended {
            return Err(self.mixed(line, "it stands behind the last line, which says how many there are"));
        }
        let name = match body.get("snapshot") {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(format!("{text:?}")),
            Some(Json::Number(number)) => Some((*number).to_owned()),
            Some(other) => {
                let what = format!("this is {}; write a text or a number", other.kind());
                return Err(LineFault::new(line.number, 1, what).of("snapshot"));
            }
        };
        let first = self.name.get_or_insert_with(|| name.clone());
        if *first != name {
            let says = |name: Option<&String>| name.map_or("none".to_owned(), Clone::clone);
            let what = format!(
                "it names the snapshot {}, and the first line {}",
                says(name.as_ref()),
                says(first.as_ref())
            );
            return Err(self.mixed(line, &what));
        }
        let is_last = body.get("data").is_none() && body.get("sku").is_none();
        let Some(items) = body.get("items").filter(|_| is_last) else {
            self.lines += 1;
            return Ok(false);
        };
        self.ended = true;
        let said = match items {
            Json::Number(number) => number.parse::<u64>().ok(),
            _ => None,
        };
        match said {
            Some(said) if said == self.lines => Ok(true),
            _ => {
                let what = format!("{} lines came, and this last one says another number", self.lines);
                Err(LineFault::new(line.number, 1, what).of("items"))
            }
        }
    }

    fn mixed(&mut self, line: &Line, why: &str) -> LineFault {
        self.not = Some(NotWhole::Mixed);
        let what = format!(
            "{why}: two snapshots are mixed into one file, and which of two levels counts cannot be known; write one at a time"
        );
        LineFault::new(line.number, 1, what).of("snapshot")
    }

    /// At the end of the file: why it is none, once.
    pub(super) fn missing(&mut self, after: u64) -> Option<LineFault> {
        if self.ended || self.not.is_some() {
            return None;
        }
        self.not = Some(NotWhole::CutOff);
        let what = format!(
            "the file ends after {} lines without the one that says how many there are; end a whole snapshot with {{\"items\": {}}}",
            self.lines, self.lines
        );
        Some(LineFault::new(after + 1, 1, what).of("items"))
    }
}
