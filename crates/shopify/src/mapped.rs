//! What a mapping made for Shopify and cannot be taken. Owns how that is said, for every kind of body; the code is the kind's own.

use kernel::fault::{Fault, FaultKind};

/// A field that is not what it must be.
pub(crate) fn wrong(code: &str, field: &str, expected: &str) -> Fault {
    let what = format!("{field} of what the mapping made must be {expected}: mend the mapping");
    Fault::new(FaultKind::Rejected, code, what).field(field)
}
