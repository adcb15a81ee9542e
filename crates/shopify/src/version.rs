//! Releases of the Admin API: how they are written, and which of them are read here.

/// The release that the documents are written and validated against.
pub const CURRENT: &str = "2026-10";
/// Bodies of older releases are not read: Shopify supports a release for twelve months.
pub const OLDEST: &str = "2025-10";

/// `2026-10`: January, April, July and October.
pub fn is_release(text: &str) -> bool {
    text.split_once('-').is_some_and(|(year, month)| {
        year.len() == 4
            && year.bytes().all(|b| b.is_ascii_digit())
            && ["01", "04", "07", "10"].contains(&month)
    })
}

/// Whether bodies of this version are read: releases sort as text. A later one than we know is, because a field that
/// we need and do not find is a fault by itself.
pub fn is_read(text: &str) -> bool {
    is_release(text) && text >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_from_the_oldest_supported_on() {
        for good in [OLDEST, "2026-01", "2026-04", "2026-07", CURRENT, "2027-01"] {
            assert!(is_read(good), "{good}");
        }
        for bad in ["2025-07", "unstable", "", "2026-11", "2026-1", "26-10", "2026-10-01", "２０２６-10"]
        {
            assert!(!is_read(bad), "{bad}");
        }
    }
}
