//! The state of the endpoints between requests.

use super::endpoints::Endpoints;
use super::grants::Grants;
use super::keys::Keys;

/// The state of the endpoints between requests.
#[derive(Debug, Default)]
pub(in crate::mock) struct OAuth {
    pub(super) grants: Grants,
    pub(super) keys: Keys,
}

impl OAuth {
    /// Makes the signing key in the background if the endpoints need it.
    pub(in crate::mock) fn prepare(&self, endpoints: &Endpoints) {
        if endpoints.has_openid() {
            self.keys.prepare();
        }
    }

    /// True for an access token that this mock issued, and that has not expired.
    pub(in crate::mock) fn is_valid(&self, token: &str) -> bool {
        self.grants.access(token).is_some()
    }
}
