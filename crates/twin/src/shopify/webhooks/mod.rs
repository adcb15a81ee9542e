//! Webhooks out: who wants an event, what is sent, when, how often, and the mischief on the way.
//!
//! Shopify's own rules: an answer within five seconds and a 2xx, else up to eight retries within four hours with the
//! payload as it was; eight failures in a row delete the subscription. Neither order nor delivery is promised.

mod delivery;
mod mischief;
mod outbox;
mod payload;
mod record;
mod subscription;

pub(super) use outbox::{Event, Outbox, Sender};
pub use record::{SentWebhook, WebhookCounts};
pub(super) use subscription::{Subscription, Wanted, forbidden, topic_name};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `X-Shopify-Hmac-Sha256`: base64 of HMAC-SHA256 over the raw body.
pub fn signature(client_secret: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(client_secret.as_bytes()) else { return String::new() };
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_base64_of_hmac_sha256() {
        let signed = signature("Jefe", b"what do ya want for nothing?");
        assert_eq!(signed, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
        assert_ne!(signed, signature("jefe", b"what do ya want for nothing?"));
    }
}
