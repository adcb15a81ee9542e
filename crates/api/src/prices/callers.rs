//! Who may ask for prices and who may bring them: programs with a token each. Owns that a wrong token learns nothing, also not
//! by the time that the answer takes, and how often each may ask.

use super::PriceError;
use super::pace::Pace;
use crate::bearer::bears;
use config::{Rate, Right};
use http::HeaderMap;
use kernel::clock::Mono;
use secrecy::SecretString;

/// One program.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As the configuration calls it; it stands in the audit trail.
    pub name: String,
    pub token: SecretString,
    pub may: Vec<Right>,
    pub rate: Rate,
}

#[derive(Debug)]
pub(super) struct Callers {
    known: Vec<(Caller, Pace)>,
}

impl Callers {
    pub(super) fn new(callers: Vec<Caller>) -> Self {
        let known = callers.into_iter().map(|caller| {
            let pace = Pace::new(caller.rate);
            (caller, pace)
        });
        Self { known: known.collect() }
    }

    /// Every known token is compared, whichever fits.
    pub(super) fn admit(&self, headers: &HeaderMap, right: Right, now: Mono) -> Result<&Caller, PriceError> {
        let mut found = None;
        for known in &self.known {
            if bears(headers, &known.0.token) {
                found = Some(known);
            }
        }
        let Some((caller, pace)) = found else { return Err(PriceError::unauthorized()) };
        if !caller.may.contains(&right) {
            return Err(PriceError::not_allowed(&caller.name, right));
        }
        pace.take(now).map_err(|wait| PriceError::too_often(&caller.name, caller.rate, wait))?;
        Ok(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use http::header::AUTHORIZATION;
    use std::time::Duration;

    fn callers() -> Callers {
        let of = |name: &str, token: &str, load: bool, count| Caller {
            name: name.to_owned(),
            token: SecretString::from(token),
            may: vec![if load { Right::Load } else { Right::Resolve }],
            rate: Rate { count, per: Duration::from_secs(1) },
        };
        Callers::new(vec![
            of("storefront", "s3cret-s3cret-s3", false, 4),
            of("erp", "load-load-load-1", true, 1),
        ])
    }

    fn with(token: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        headers
    }

    #[test]
    fn a_token_opens_what_its_caller_may() {
        let callers = callers();
        let now = Mono(5);
        let admit = |headers: &HeaderMap, right| {
            callers.admit(headers, right, now).map(|caller| caller.name.clone()).map_err(|error| error.status)
        };
        assert_eq!(admit(&with("s3cret-s3cret-s3"), Right::Resolve).as_deref(), Ok("storefront"));
        assert_eq!(admit(&with("s3cret-s3cret-s3"), Right::Load), Err(StatusCode::FORBIDDEN));
        assert_eq!(admit(&with("load-load-load-1"), Right::Load).as_deref(), Ok("erp"));
        for token in ["", "s3cret-s3cret-s", "s3cret-s3cret-s33", "S3CRET-S3CRET-S3"] {
            assert_eq!(admit(&with(token), Right::Resolve), Err(StatusCode::UNAUTHORIZED), "{token}");
        }
        assert_eq!(admit(&HeaderMap::new(), Right::Resolve), Err(StatusCode::UNAUTHORIZED));
    }

    #[test]
    fn nobody_is_admitted_by_an_empty_token() {
        let (mut nobody, _) = callers().known.remove(0);
        nobody.token = SecretString::from("");
        let refused = Callers::new(vec![nobody]).admit(&with(""), Right::Resolve, Mono(0)).unwrap_err();
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }

    #[test]
    fn a_caller_has_its_rate_and_is_told_when_to_come_again() {
        let callers = callers();
        let ask = |ms: u64| {
            let now = Mono(ms * 1_000_000);
            callers
                .admit(&with("s3cret-s3cret-s3"), Right::Resolve, now)
                .map(|_| ())
                .map_err(|e| e.retry_after)
        };
        // Four at once, then one each quarter of a second.
        assert_eq!([ask(0), ask(0), ask(0), ask(0)], [Ok(()); 4]);
        assert_eq!(ask(0), Err(Some(Duration::from_millis(250))));
        assert_eq!(ask(100), Err(Some(Duration::from_millis(150))));
        assert_eq!(ask(250), Ok(()));
        assert!(ask(251).is_err());
        // After a second of silence it may ask four times at once again, not more.
        assert_eq!([ask(5000), ask(5000), ask(5000), ask(5000)], [Ok(()); 4]);
        assert!(ask(5000).is_err());
    }
}
