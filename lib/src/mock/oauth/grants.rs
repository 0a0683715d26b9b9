//! The grants of the mock: authorization codes, access tokens and refresh tokens.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;

/// How long a code can be used (RFC 6749, section 4.1.2, recommends ten minutes at most).
const CODE_LIFE: Duration = Duration::from_secs(600);
/// How long an access token is valid.
pub(super) const TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// Maximum number of each kind; the oldest are removed first.
const KEPT: usize = 10_000;

/// A grant of a user, or of a client itself.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client: Option<String>,
    pub(super) subject: String,
    pub(super) scope: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) at: SystemTime,
}

impl Grant {
    /// True if an identity token was requested.
    pub(super) fn is_openid(&self) -> bool {
        self.has_scope("openid")
    }

    pub(super) fn has_scope(&self, name: &str) -> bool {
        self.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|own| own == name))
    }
}

/// A grant whose code was not used yet. The client must prove that it requested the code.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    /// The challenge of PKCE and its method.
    pub(super) challenge: Option<(String, ChallengeMethod)>,
}

/// How a challenge is made from a verifier (RFC 7636, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChallengeMethod {
    Plain,
    S256,
}

/// All grants.
#[derive(Debug, Default)]
pub(super) struct Grants {
    codes: Kept<Code>,
    access: Kept<Grant>,
    refresh: Kept<Grant>,
}

impl Grants {
    /// A new code.
    pub(super) fn add_code(&self, code: Code) -> String {
        self.codes.add(code, Some(CODE_LIFE))
    }

    /// The grant of a code that was not used yet.
    pub(super) fn code(&self, code: &str) -> Option<Code> {
        self.codes.get(code)
    }

    /// Uses a code; false if another request has used it meanwhile.
    pub(super) fn use_code(&self, code: &str) -> bool {
        self.codes.take(code)
    }

    pub(super) fn add_access(&self, grant: Grant) -> String {
        self.access.add(grant, Some(TOKEN_LIFE))
    }

    /// The grant of an access token that is valid.
    pub(super) fn access(&self, token: &str) -> Option<Grant> {
        self.access.get(token)
    }

    pub(super) fn add_refresh(&self, grant: Grant) -> String {
        self.refresh.add(grant, None)
    }

    pub(super) fn refresh(&self, token: &str) -> Option<Grant> {
        self.refresh.get(token)
    }
}

/// Values by random names, until they expire.
#[derive(Debug)]
struct Kept<T>(Mutex<Values<T>>);

#[derive(Debug)]
struct Values<T> {
    by_name: HashMap<String, (T, Option<Instant>)>,
    /// The oldest first.
    names: VecDeque<String>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(Mutex::new(Values { by_name: HashMap::new(), names: VecDeque::new() }))
    }
}

impl<T: Clone> Kept<T> {
    fn add(&self, value: T, life: Option<Duration>) -> String {
        let name = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let mut values = self.0.lock();
        let expires = life.and_then(|life| Instant::now().checked_add(life));
        values.by_name.insert(name.clone(), (value, expires));
        values.names.push_back(name.clone());
        if values.names.len() > KEPT
            && let Some(oldest) = values.names.pop_front()
        {
            values.by_name.remove(&oldest);
        }
        name
    }

    fn get(&self, name: &str) -> Option<T> {
        let values = self.0.lock();
        let (value, expires) = values.by_name.get(name)?;
        expires.is_none_or(|expires| Instant::now() < expires).then(|| value.clone())
    }

    fn take(&self, name: &str) -> bool {
        self.0.lock().by_name.remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_live_for_their_time_and_are_bounded() {
        let kept = Kept::default();
        let gone = kept.add(1, Some(Duration::ZERO));
        let there = kept.add(2, Some(Duration::from_secs(60)));
        assert_eq!((kept.get(&gone), kept.get(&there)), (None, Some(2)));
        assert!(kept.take(&there) && !kept.take(&there));
        let first = kept.add(3, None);
        for _ in 0..KEPT {
            kept.add(4, None);
        }
        assert_eq!(kept.get(&first), None);
        assert!(kept.0.lock().by_name.len() <= KEPT);
    }
}
