//! Answers the endpoints of OAuth 2.0 and OpenID Connect that security schemes name.

use http::Version;
use http::header::HOST;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::super::oauth::Asked;

/// `found` is true if an operation takes the request.
pub(super) fn answer(context: &Context<'_>, call: &Call<'_>, found: bool) -> Option<Answer> {
    let place = context.catalogue.endpoints.at(&call.request.pathname)?;
    if place.yields && found {
        return None;
    }
    let asked = Asked {
        parts: call.parts,
        query: &call.request.query,
        body: call.request.body.as_bytes(),
        reached: reached(context, call),
    };
    Some(context.oauth.answer(place, &asked))
}

/// The origin by which the client reached the mock, and the host that it named in the path.
pub(super) fn reached(context: &Context<'_>, call: &Call<'_>) -> String {
    let uri = &call.parts.uri;
    let sent = uri.path_and_query().map_or("/", |sent| sent.as_str());
    let named = sent.strip_suffix(call.path_and_query).unwrap_or_default();
    let authority = uri.authority().map(http::uri::Authority::as_str);
    // The request to a proxy names the origin itself.
    if let (Some(scheme), Some(host), true) =
        (uri.scheme_str(), authority, call.parts.version < Version::HTTP_2)
    {
        return format!("{scheme}://{host}");
    }
    let host = call.parts.headers.get(HOST).and_then(|host| host.to_str().ok()).or(authority);
    let scheme = if context.tls { "https" } else { "http" };
    format!("{scheme}://{}{named}", host.unwrap_or("localhost"))
}
