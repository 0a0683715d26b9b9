//! Explains a miss: the most similar recorded request, and the differences.

use super::compared::ComparedRequest;
use super::index::Recordings;
use super::lookup::{Lookup, canonical_host};
use super::rule::HostRule;

impl Recordings {
    /// A sentence that explains why a request matches no recording: the most similar one, and the
    /// differences.
    pub fn explain_miss(&self, requested: &Lookup<'_>) -> String {
        let rule = self.rule();
        if self.needs_credential(requested) {
            return "the recorded request had a credential, but this one has none; send one \
                    (any value works if the recording is redacted), or start the server with \
                    --ignore credentials"
                .to_owned();
        }
        let host_counts = requested.host == HostRule::Same && rule.host;
        let requested =
            ComparedRequest::of(requested, &canonical_host(&requested.request.host), rule, None);
        let nearest = self
            .nearby
            .known
            .iter()
            .rev()
            .max_by_key(|known| known.nearness(&requested, host_counts));
        let Some(nearest) = nearest else {
            return "there are no recordings".to_owned();
        };
        let differences = nearest.differences(&requested, rule, host_counts);
        let name = nearest.describe();
        match &nearest.unanswered {
            Some(why) if differences.is_empty() => {
                format!("{name} was recorded, but has no response to send: {why}")
            }
            unanswered => {
                let differences = if differences.is_empty() {
                    "the body, or a value that replaces a secret".to_owned()
                } else {
                    differences.join(", ")
                };
                let state = if unanswered.is_some() { " (which has no response)" } else { "" };
                format!("the nearest recording is {name}{state}; it differs in {differences}")
            }
        }
    }
}
