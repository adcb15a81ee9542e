//! A text as a part of an address. Owns that it stays one part, whatever stands in it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A segment of a path, a name or a value of a query. Nothing, `.` and `..` stay what they are: as a whole segment each is
/// another path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_part_of_an_address_stays_one_part() {
        for (text, part) in [
            ("SKU 1/x&y", "SKU%201%2Fx%26y"),
            ("[acme-order-1]", "%5Bacme-order-1%5D"),
            ("#10+ &?=%/ü", "%2310%2B%20%26%3F%3D%25%2F%C3%BC"),
            ("aZ09-._~", "aZ09-._~"),
        ] {
            assert_eq!(segment(text), part);
        }
    }
}
