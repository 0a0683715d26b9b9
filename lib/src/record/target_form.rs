//! The protocol of a request to an upstream, and the form of its target.

/// The protocol that a request requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequiredProtocol {
    /// HTTP/1, for instance to switch to another protocol.
    Http1,
    /// HTTP/2 in clear text with prior knowledge, as the client spoke it (RFC 9113 section 3.3).
    PriorKnowledge,
    /// HTTP/1 in clear text; over TLS, the result of ALPN.
    Any,
}

/// The form of a request target (RFC 9112 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TargetForm {
    /// The path; the `Host` header names the host.
    Origin,
    /// The URL, for a proxy that may require authorization.
    Absolute(Option<http::HeaderValue>),
    /// The pseudo-header fields of HTTP/2.
    Http2,
}
