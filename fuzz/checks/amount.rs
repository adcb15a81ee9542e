//! Amounts and the policies of a flow, as a webhook or a configuration spells them. Whatever is read is
//! written so that it reads the same again; everything else is refused.

use kernel::flow::{ConfirmWhen, Difference};
use kernel::money::parse_exact;

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(amount) = parse_exact(text) {
        assert_eq!(parse_exact(&amount.to_string()).ok(), Some(amount), "{text:?}");
    }
    if let Ok(confirm) = text.parse::<ConfirmWhen>() {
        assert_eq!(confirm.to_string().parse::<ConfirmWhen>().ok(), Some(confirm), "{text:?}");
    }
    if let Ok(difference) = text.parse::<Difference>() {
        assert_eq!(difference.to_string().parse::<Difference>().ok(), Some(difference), "{text:?}");
    }
}
