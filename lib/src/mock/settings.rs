//! How requests are answered.

use super::stages::Upstream;

/// How requests are answered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Check credentials and requests against the spec.
    pub validate: bool,
    /// Accept only bearer tokens that this mock issued.
    pub strict_auth: bool,
    /// Make new data for each request, without recordings and examples.
    pub dynamic: bool,
    /// The seed of generated data. `None` means 0, or a random seed for `dynamic`.
    pub seed: Option<u64>,
    /// Send the callbacks and webhooks of the specs.
    pub fire_callbacks: bool,
    /// Let generated answers contain values of the request.
    pub reflect: bool,
    /// Report requests that match several branches of a `oneOf`.
    pub report_overlaps: bool,
    /// Answer CORS preflights.
    pub cors: bool,
    /// Receives the requests without a matching operation.
    pub upstream: Option<Upstream>,
    /// How many requests the journal keeps; 0: none.
    pub journal: usize,
}
