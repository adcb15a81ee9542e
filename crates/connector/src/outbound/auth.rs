//! How we say who we are. Owns the header that does it; a secret leaves this file only as a header marked sensitive
//! and as what excerpts are cleaned of.

use super::oauth::ClientCredentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// The ways that are known. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    #[default]
    None,
    Basic {
        user: String,
        password: SecretString,
    },
    Bearer {
        token: SecretString,
    },
    /// A header of the target's own: `X-Api-Key`, `X-Shopify-Access-Token`.
    ApiKey {
        header: String,
        key: SecretString,
    },
    /// A token that is asked for when it is needed.
    OAuth2(Box<ClientCredentials>),
}

impl Auth {
    /// The header, or why there can be none.
    pub(super) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, String> {
        let (name, text) = match self {
            // Its header is the token's, which comes later.
            Auth::None | Auth::OAuth2(_) => return Ok(None),
            Auth::Basic { user, .. } if user.contains(':') => {
                return Err("the user name of basic authentication must not hold a colon (RFC 7617)".into());
            }
            Auth::Basic { user, password } => (AUTHORIZATION, format!("Basic {}", pair(user, password))),
            Auth::Bearer { token } => (AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
            Auth::ApiKey { header, key } => {
                let name = HeaderName::try_from(header.as_str())
                    .map_err(|_| format!("{header:?} is not the name of a header"))?;
                (name, key.expose_secret().to_owned())
            }
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| "the secret holds a character that no header may hold (a line end?)".to_owned())?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// What must never stand in an excerpt.
    pub(super) fn secrets(&self) -> Vec<String> {
        match self {
            Auth::None => Vec::new(),
            Auth::Basic { user, password } => {
                vec![password.expose_secret().to_owned(), pair(user, password)]
            }
            Auth::Bearer { token } => vec![token.expose_secret().to_owned()],
            Auth::ApiKey { key, .. } => vec![key.expose_secret().to_owned()],
            Auth::OAuth2(credentials) => credentials.secrets(),
        }
    }
}

fn pair(user: &str, password: &SecretString) -> String {
    STANDARD.encode(format!("{user}:{}", password.expose_secret()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    #[test]
    fn each_way_has_its_header_and_shows_no_secret() {
        let table = [
            (
                Auth::Basic { user: "Aladdin".into(), password: secret("open sesame") },
                "authorization",
                "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            ),
            (Auth::Bearer { token: secret("t0k3n") }, "authorization", "Bearer t0k3n"),
            (Auth::ApiKey { header: "X-Api-Key".into(), key: secret("k3y") }, "x-api-key", "k3y"),
        ];
        for (auth, name, value) in table {
            let (header, text) = auth.header().unwrap().unwrap();
            assert_eq!((header.as_str(), text.to_str().unwrap()), (name, value));
            assert!(text.is_sensitive());
            for secret in auth.secrets() {
                assert!(!format!("{auth:?}").contains(&secret));
            }
        }
        assert!(Auth::None.header().unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_a_header_is_refused() {
        for bad in [
            Auth::Basic { user: "a:b".into(), password: secret("x") },
            Auth::Bearer { token: secret("two\nlines") },
            Auth::ApiKey { header: "X Key".into(), key: secret("x") },
        ] {
            assert!(bad.header().is_err(), "{bad:?}");
        }
    }
}
