//! The two cookies: the session's, and the one that ties a login form to its browser.

use axum::http::header::{COOKIE, HeaderValue};
use axum::http::{HeaderMap, header::InvalidHeaderValue};

pub(crate) const SESSION_COOKIE: &str = "tidegate_session";
pub(crate) const FORM_COOKIE: &str = "tidegate_login";

/// A value for `Set-Cookie`; an empty one ends the cookie.
pub(crate) fn cookie(
    name: &str,
    value: &str,
    path: &str,
    secure: bool,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{age}"))
}

pub(crate) fn read_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Whether the browser speaks https: then the cookie never goes over anything else. A header that lies harms its
/// sender alone.
pub(crate) fn is_secure(headers: &HeaderMap, behind_tls: bool) -> bool {
    behind_tls || headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes() == b"https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=1; tidegate_session=abc; b=tidegate_session"));
        assert_eq!(read_cookie(&headers, SESSION_COOKIE).as_deref(), Some("abc"));
        assert_eq!(read_cookie(&headers, FORM_COOKIE), None);
    }

    #[test]
    fn a_cookie_is_bound_and_ended() {
        let text = |value: &str, secure| cookie(SESSION_COOKIE, value, "/", secure).unwrap();
        assert_eq!(text("abc", true), "tidegate_session=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(text("", false), "tidegate_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
