//! What may be stored of a body: everything but card fields, tokens and traces of the browser.
//!
//! One pass over the bytes that copies what stays and checks all of it, also what goes. The list is data with a
//! reason for each name; names are the same at every depth, since a card number is one wherever it stands.

use super::fault::JsonFault;
use super::scan::{RawString, Scanner};

/// A member that is not stored, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// As the key is spelled in REST or GraphQL.
    pub key: &'static str,
    pub reason: &'static str,
}

const CARD: &str = "card data: never enters the log (DESIGN promise 9)";
const GATEWAY: &str = "the gateway's raw answer: may hold card data, no flow uses it";
const BROWSER: &str = "a trace of the buyer's browser: personal, no flow uses it";
const SECRET: &str = "a token or a URL that holds one: whoever has it can act for the buyer";
const PLACE: &str = "where the buyer is: personal, no flow uses it";

/// Sorted by key. Keys that begin with `credit_card` are removed as well, whatever follows.
pub const REMOVED: &[Removed] = &[
    Removed { key: "abandoned_checkout_url", reason: SECRET },
    Removed { key: "accountNumber", reason: CARD },
    Removed { key: "authorization", reason: GATEWAY },
    Removed { key: "authorizationCode", reason: GATEWAY },
    Removed { key: "avs_result_code", reason: CARD },
    Removed { key: "browser_ip", reason: BROWSER },
    Removed { key: "cartToken", reason: SECRET },
    Removed { key: "cart_token", reason: SECRET },
    Removed { key: "checkoutToken", reason: SECRET },
    Removed { key: "checkout_token", reason: SECRET },
    Removed { key: "clientIp", reason: BROWSER },
    Removed { key: "client_details", reason: BROWSER },
    Removed { key: "cvv_result_code", reason: CARD },
    Removed { key: "invoice_url", reason: SECRET },
    Removed { key: "landing_site", reason: BROWSER },
    Removed { key: "landing_site_ref", reason: BROWSER },
    Removed { key: "latitude", reason: PLACE },
    Removed { key: "longitude", reason: PLACE },
    Removed { key: "multipass_identifier", reason: SECRET },
    Removed { key: "order_status_url", reason: SECRET },
    Removed { key: "paymentDetails", reason: CARD },
    Removed { key: "payment_details", reason: CARD },
    Removed { key: "payment_session_id", reason: SECRET },
    Removed { key: "receipt", reason: GATEWAY },
    Removed { key: "receiptJson", reason: GATEWAY },
    Removed { key: "referring_site", reason: BROWSER },
    Removed { key: "session_hash", reason: BROWSER },
    Removed { key: "statusPageUrl", reason: SECRET },
    Removed { key: "token", reason: SECRET },
    Removed { key: "user_agent", reason: BROWSER },
];

const CARD_PREFIX: &str = "credit_card";

/// For each first byte the lengths that occur, so that most keys are let through by one look. The prefix's first byte is
/// among them.
const LENGTHS: [u64; 256] = {
    let mut table = [0_u64; 256];
    let mut index = 0;
    while index < REMOVED.len() {
        let key = REMOVED[index].key.as_bytes();
        table[key[0] as usize] |= 1 << key.len();
        index += 1;
    }
    // No key has no bytes: this only says that there are keys with this first byte.
    table[CARD_PREFIX.as_bytes()[0] as usize] |= 1;
    table
};

fn is_removed(key: &str) -> bool {
    let Some(first) = key.as_bytes().first() else { return false };
    let lengths = LENGTHS[usize::from(*first)];
    if lengths == 0 {
        return false;
    }
    if key.starts_with(CARD_PREFIX) {
        return true;
    }
    let known_length = key.len() < 64 && lengths & (1 << key.len()) != 0;
    known_length && REMOVED.binary_search_by(|removed| removed.key.cmp(key)).is_ok()
}

/// Copies the body without what may not be stored. What stays is byte for byte as it came.
pub fn strip(raw: &[u8]) -> Result<Vec<u8>, JsonFault> {
    strip_with(raw, is_removed)
}

/// [`strip`] with another rule.
pub fn strip_with(raw: &[u8], removed: impl Fn(&str) -> bool) -> Result<Vec<u8>, JsonFault> {
    strip_noting(raw, removed, |_, _| ())
}

/// [`strip`], and tells of each member of the outermost object its key and its value, both as they
/// stand in the text, whether it stays or not.
pub(crate) fn strip_and_note<'a>(
    raw: &'a [u8],
    note: impl FnMut(&'a str, &'a str),
) -> Result<Vec<u8>, JsonFault> {
    strip_noting(raw, is_removed, note)
}

fn strip_noting<'a>(
    raw: &'a [u8],
    removed: impl Fn(&str) -> bool,
    note: impl FnMut(&'a str, &'a str),
) -> Result<Vec<u8>, JsonFault> {
    let mut copy = Copying { out: Vec::with_capacity(raw.len()), from: 0, removed, note };
    let mut scanner = Scanner::new(raw)?;
    scanner.blank();
    copy.value(&mut scanner, 0)?;
    scanner.end()?;
    copy.flush(&scanner, raw.len());
    Ok(copy.out)
}

/// `from` is where the text begins that stays but is not yet copied.
struct Copying<F, N> {
    out: Vec<u8>,
    from: usize,
    removed: F,
    note: N,
}

impl<'a, F: Fn(&str) -> bool, N: FnMut(&'a str, &'a str)> Copying<F, N> {
    fn flush(&mut self, scanner: &Scanner<'_>, to: usize) {
        self.out.extend_from_slice(scanner.slice(self.from, to).as_bytes());
        self.from = to;
    }

    fn value(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), JsonFault> {
        match scanner.peek() {
            Some(b'{') => self.object(scanner, depth),
            Some(b'[') => scanner.array(depth, |inner, _| self.value(inner, depth + 1)),
            _ => scanner.scalar(),
        }
    }

    fn object(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), JsonFault> {
        // The end of the member before, which is where its comma stands; the brace, for the first.
        let mut end_before = scanner.offset() + 1;
        let mut kept_before = false;
        scanner.object(depth, |inner, key| {
            let begin = inner.offset();
            if self.removes(key) {
                // With the comma before it where something stays before it, else with the comma after it.
                self.flush(inner, end_before);
                inner.skip(depth + 1)?;
                let end = inner.offset();
                self.from = end;
                if depth == 0 {
                    (self.note)(key.raw, inner.slice(begin, end));
                }
                if !kept_before {
                    self.from = past_comma(inner);
                }
                end_before = self.from.max(inner.offset());
            } else {
                kept_before = true;
                self.value(inner, depth + 1)?;
                end_before = inner.offset();
                if depth == 0 {
                    (self.note)(key.raw, inner.slice(begin, end_before));
                }
            }
            Ok(())
        })
    }

    fn removes(&self, key: RawString<'_>) -> bool {
        if key.escaped { (self.removed)(&key.decode()) } else { (self.removed)(key.raw) }
    }
}

/// The offset after the comma that follows, or the cursor's own where none does.
fn past_comma(scanner: &Scanner<'_>) -> usize {
    let mut ahead = scanner.clone();
    ahead.blank();
    if ahead.take(b',') { ahead.offset() } else { scanner.offset() }
}
