//! Amounts and the policies of a flow, as a webhook or a configuration spells them. Whatever is read is
//! written so that it reads the same again; everything else is refused.
#![no_main]

use kernel::flow::{ConfirmWhen, Difference};
use kernel::money::parse_exact;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(amount) = parse_exact(text) {
        assert_eq!(parse_exact(&amount.to_string()).ok(), Some(amount), "{text:?}");
    }
    if let Ok(confirm) = text.parse::<ConfirmWhen>() {
        assert_eq!(confirm.to_string().parse::<ConfirmWhen>().ok(), Some(confirm), "{text:?}");
    }
    if let Ok(difference) = text.parse::<Difference>() {
        assert_eq!(difference.to_string().parse::<Difference>().ok(), Some(difference), "{text:?}");
    }
});
