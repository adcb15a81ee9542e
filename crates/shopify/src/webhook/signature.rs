//! The signature: base64 of HMAC-SHA256 over the raw body under the app's client secret (shopify.dev: verify
//! deliveries). Compared in constant time, and always against every secret that may count.

use super::refusal::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// What one app signs with. After a rotation it can take an hour until Shopify uses the new secret.
#[derive(Debug, Clone)]
pub struct AppSecrets {
    /// The name of `[apps.NAME]`.
    pub name: String,
    pub current: SecretString,
    pub previous: Option<SecretString>,
}

/// As Shopify signs: for tests and look-alikes.
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    STANDARD.encode(mac(secret, body).finalize().into_bytes())
}

fn mac(secret: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    // A key of any length is taken: a longer one than a block is hashed first (RFC 2104).
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) {
        Ok(mac) => mac,
        Err(error) => unreachable!("HMAC takes a key of any length: {error}"),
    };
    mac.update(body);
    mac
}

pub(super) type Signature = [u8; 32];

pub(super) fn parse(text: &str) -> Result<Signature, Refusal> {
    let bytes = STANDARD.decode(text).map_err(|_| Refusal::MalformedSignature)?;
    bytes.try_into().map_err(|_| Refusal::MalformedSignature)
}

impl AppSecrets {
    /// Whether this app signed the body. An empty secret proves nothing.
    pub(super) fn signed(&self, body: &[u8], signature: &Signature) -> bool {
        let by = |secret: &SecretString| {
            !secret.expose_secret().is_empty() && mac(secret, body).verify_slice(signature).is_ok()
        };
        let current = by(&self.current);
        let previous = self.previous.as_ref().is_some_and(by);
        current | previous
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn app(current: &str, previous: Option<&str>) -> AppSecrets {
        AppSecrets { name: "main".into(), current: secret(current), previous: previous.map(secret) }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_signature_is_base64_of_hmac_sha256() {
        let signed = sign(&secret("Jefe"), b"what do ya want for nothing?");
        assert_eq!(signed, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }

    #[test]
    fn both_secrets_count_during_a_rotation_and_no_other() {
        let body = b"{\"id\":1}";
        let table = [
            ("new", Some("old"), "new", true),
            ("new", Some("old"), "old", true),
            ("new", None, "old", false),
            ("new", Some("old"), "older", false),
            ("", None, "", false),
            ("new", Some(""), "", false),
        ];
        for (current, previous, signer, good) in table {
            let signature = parse(&sign(&secret(signer), body)).unwrap();
            assert_eq!(
                app(current, previous).signed(body, &signature),
                good,
                "{current} {previous:?} {signer}"
            );
            assert!(!app(current, previous).signed(b"{\"id\":2}", &signature));
        }
        assert!(!format!("{:?}", app("hunter2", Some("hunter1"))).contains("hunter"));
    }
}
