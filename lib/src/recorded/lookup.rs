//! A request to find an answer for.

use super::rule::HostRule;
use crate::exchange::Request;

/// A request to find an answer for.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// The request.
    pub request: &'a Request<'a>,
    /// The method as on the wire if the format has no name for it. Then the method in `request` has
    /// no meaning.
    pub method: Option<&'a str>,
    /// Whether the host is compared.
    pub host: HostRule,
}

impl<'a> Lookup<'a> {
    /// A request whose method the format has a name for.
    pub fn new(request: &'a Request<'a>, host: HostRule) -> Self {
        Lookup { request, method: None, host }
    }

    pub(super) fn method(&self) -> &'a str {
        self.method.unwrap_or(self.request.method.as_str())
    }
}

/// Lower case and without the default port, because clients and recorders differ in writing it.
pub(super) fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")) {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => host,
    }
}
