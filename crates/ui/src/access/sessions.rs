//! Sessions: made by a login, kept in memory, ended by time, by logout or by a restart. What is kept is a digest of
//! the id, so that a look into the process's memory or a dump gives no usable cookie.

use kernel::clock::Mono;
use kernel::key::hex;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// A session ends after this, whatever happens.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// And after this without a request. A front page that refreshes itself keeps it alive.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// At the bound the oldest goes.
const SESSIONS_MAX: usize = 256;

/// What a page knows of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Stands in every form.
    pub(crate) csrf: String,
    /// Stands in the audit.
    pub(crate) who: String,
    key: [u8; 32],
}

#[derive(Debug)]
struct Kept {
    session: Session,
    /// Said once, on the next page.
    said: Option<String>,
    began: Mono,
    seen: Mono,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: BTreeMap<[u8; 32], Kept>,
}

impl Sessions {
    /// Begins a session; gives the id that goes into the cookie.
    pub(crate) fn begin(&mut self, id: [u8; 32], csrf: [u8; 32], who: String, now: Mono) -> String {
        self.all.retain(|_, kept| kept.lives(now));
        if self.all.len() >= SESSIONS_MAX
            && let Some(oldest) = self.all.iter().min_by_key(|(_, kept)| kept.seen).map(|(key, _)| *key)
        {
            self.all.remove(&oldest);
        }
        let id = hex(&id);
        let key = key(&id);
        let session = Session { csrf: hex(&csrf), who, key };
        self.all.insert(key, Kept { session, said: None, began: now, seen: now });
        id
    }

    pub(crate) fn find(&mut self, id: &str, now: Mono) -> Option<Session> {
        let kept = self.all.get_mut(&key(id)).filter(|kept| kept.lives(now))?;
        kept.seen = now;
        Some(kept.session.clone())
    }

    pub(crate) fn end(&mut self, session: &Session) {
        self.all.remove(&session.key);
    }

    /// To be said on the next page.
    pub(crate) fn say(&mut self, session: &Session, text: String) {
        if let Some(kept) = self.all.get_mut(&session.key) {
            kept.said = Some(text);
        }
    }

    pub(crate) fn said(&mut self, session: &Session) -> Option<String> {
        self.all.get_mut(&session.key)?.said.take()
    }
}

impl Kept {
    fn lives(&self, now: Mono) -> bool {
        now.since(self.began) < LIFETIME && now.since(self.seen) < IDLE
    }
}

fn key(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> Mono {
        Mono::default().plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let mut sessions = Sessions::default();
        let id = sessions.begin([1; 32], [2; 32], "ada".into(), after(0));
        assert_eq!(sessions.find(&id, after(7199)).map(|session| session.who), Some("ada".into()));
        assert_eq!(sessions.find(&id, after(7199 + 7200)), None, "idle");
        let id = sessions.begin([3; 32], [2; 32], "ada".into(), after(0));
        for hour in 1..12 {
            assert!(sessions.find(&id, after(hour * 3600)).is_some(), "hour {hour}");
        }
        assert_eq!(sessions.find(&id, after(12 * 3600)), None, "old");
    }

    #[test]
    fn an_ended_and_an_unknown_session_are_none_and_the_number_is_bounded() {
        let mut sessions = Sessions::default();
        let id = sessions.begin([0; 32], [9; 32], "ada".into(), after(0));
        let session = sessions.find(&id, after(1)).unwrap();
        sessions.say(&session, "done".into());
        assert_eq!((sessions.said(&session), sessions.said(&session)), (Some("done".into()), None));
        sessions.end(&session);
        assert_eq!(sessions.find(&id, after(1)), None);
        assert_eq!(sessions.find("", after(1)), None);
        for number in 0..1000_u32 {
            let mut id = [0; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            sessions.begin(id, [9; 32], "ada".into(), after(2));
        }
        assert_eq!(sessions.all.len(), SESSIONS_MAX);
    }
}
