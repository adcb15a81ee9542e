//! `Authorization: Bearer <token>`. Owns that a comparison tells by its time neither how much of a token was right nor how long
//! it is, and that an empty token opens nothing.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Whether the request bears the token.
pub(crate) fn bears(headers: &HeaderMap, token: &SecretString) -> bool {
    let token = token.expose_secret();
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    let same = |given: &str| bool::from(digest(given).ct_eq(&digest(token)));
    !token.is_empty() && given.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(same)
}
