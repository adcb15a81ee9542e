//! Forms: read, bounded, and refused without the token of their session or from another origin.

use crate::access::{Session, same_origin, same_secret};
use crate::error::PageError;
use axum::Form;
use axum::extract::{FromRequest, Request};
use jiff::Timestamp;
use kernel::clock::after;
use std::collections::BTreeMap;
use std::time::Duration;
use store::operate::By;

/// The longest reason that is kept.
const TEXT_CHARS_MAX: usize = 400;

/// A form that came from one of our pages, in this session.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) session: Session,
    fields: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        same_origin(request.headers()).map_err(|_| PageError::Forged)?;
        let session = request.extensions().get::<Session>().cloned().ok_or(PageError::SignedOut)?;
        let form = Form::<BTreeMap<String, String>>::from_request(request, state).await;
        let Form(fields) = form.map_err(|_| PageError::Refused("the form could not be read".into()))?;
        let token = fields.get("csrf").map_or("", String::as_str);
        if !same_secret(token, &session.csrf) {
            return Err(PageError::Forged);
        }
        Ok(Self { session, fields })
    }
}

impl Posted {
    /// Trimmed, without control characters, bounded; `None` where nothing is left.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.fields.get(name).and_then(|text| tidy(text))
    }

    /// A reason that has to be given.
    pub(crate) fn reason(&self) -> Result<String, PageError> {
        self.text("why").ok_or_else(|| {
            PageError::Refused("a reason is missing: say why, it is kept with your name in the audit".into())
        })
    }

    pub(crate) fn by(&self, why: String, at: Timestamp) -> By {
        By { who: self.session.who.clone(), why, at }
    }

    /// Where the form wants to lead once it is carried out.
    pub(crate) fn back<'a>(&'a self, otherwise: &'a str) -> &'a str {
        self.fields.get("back").map_or(otherwise, |back| local(back))
    }

    /// What ends work without delivering it has to be meant.
    pub(crate) fn sure(&self) -> Result<(), PageError> {
        match self.text("sure").as_deref() {
            Some("yes") => Ok(()),
            _ => Err(PageError::Refused(
                "tick the box that says you are sure: a skip is not undone by itself".into(),
            )),
        }
    }

    /// The end of a pause: minutes from now, or none.
    pub(crate) fn until(&self, now: Timestamp) -> Result<Option<Timestamp>, PageError> {
        match self.text("minutes").as_deref() {
            None | Some("until-resumed") => Ok(None),
            Some(text) => {
                let minutes: u64 = text
                    .parse()
                    .ok()
                    .filter(|minutes| (1..=43_200).contains(minutes))
                    .ok_or_else(|| PageError::Refused("a pause is 1 minute to 30 days long".into()))?;
                Ok(Some(after(now, Duration::from_secs(minutes * 60))))
            }
        }
    }
}

/// One line of text as it may stand in the audit.
pub(crate) fn tidy(text: &str) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text: String = text.trim().chars().take(TEXT_CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// A path of ours, or the front page: never another host.
pub(crate) fn local(next: &str) -> &str {
    let inside = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n', '\r']);
    if inside && next.is_ascii() { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_our_own_pages_only() {
        for (next, expected) in [
            ("/orders?q=%231001", "/orders?q=%231001"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(next), expected, "{next:?}");
        }
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        assert_eq!(tidy(" a\nb\u{7} ").as_deref(), Some("a b"));
        assert_eq!(tidy(" \t\r\n"), None);
        assert_eq!(tidy(&"ä".repeat(1000)).map(|text| text.chars().count()), Some(TEXT_CHARS_MAX));
    }
}
