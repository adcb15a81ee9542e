//! A system that tells its prices in Tidegate's own form (docs/prices.md, "From the ERP by itself"): asked over HTTP, or by files
//! that it drops into a folder. Knows nothing of what becomes of a price.

mod folder;
mod http;
mod spool;

pub use folder::folder;
pub use http::feed;
pub(crate) use spool::Spool;

/// Our own codes; each has a page in `docs/errors/`.
pub(crate) mod code {
    /// An answer that is not in the form.
    pub(crate) const FORM: &str = "TG-3411";
    /// It ended before its end.
    pub(crate) const CUT_SHORT: &str = "TG-3412";
    /// The point behind an answer lies before the one it was asked from, or is the same.
    pub(crate) const BACK: &str = "TG-3413";
    /// The folder itself, or what is put aside on the way.
    pub(crate) const DISK: &str = "TG-3414";
}
