//! `/admin/middleware/rest/pregen`: the webhooks that see a request and the specs before it is
//! answered. The URL of a webhook is the rest of the path, percent-encoded or not.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use crate::net::Target;

use super::super::answer::Answer;
use super::super::webhooks::Webhook;
use super::endpoint::{AdminCall, Handling, invalid, json, ready};

pub(super) const PATH: &str = "/admin/middleware/rest/pregen";
pub(super) const OF_URL: &str = "/admin/middleware/rest/pregen/{+url}";

pub(super) fn list<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    ready(listed(call))
}

fn listed(call: &AdminCall<'_>) -> Answer {
    let all = call.mock.webhooks().list();
    let all: Vec<&str> = all.iter().map(Arc::as_ref).collect();
    json(StatusCode::OK, json!(all).to_string())
}

pub(super) fn clear<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    call.mock.webhooks().clear();
    ready(listed(call))
}

pub(super) fn add<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    Box::pin(async move {
        let (url, target) = match url_of(call) {
            Ok(found) => found,
            Err(refusal) => return (*refusal).into(),
        };
        if let Err(error) = call.mock.outbound().check(&target).await {
            let status =
                if error.is_refusal() { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
            let detail = format!("{url}: {error}");
            return Answer::problem(status, "this webhook is not allowed", &detail).into();
        }
        call.mock.webhooks().add(Webhook::new(&url, target));
        listed(call).into()
    })
}

pub(super) fn remove<'a>(call: &'a AdminCall<'a>) -> Handling<'a> {
    let (url, target) = match url_of(call) {
        Ok(found) => found,
        Err(refusal) => return ready(*refusal),
    };
    if call.mock.webhooks().remove(&target) {
        return ready(listed(call));
    }
    let detail = format!("{url} is not registered");
    ready(Answer::problem(StatusCode::NOT_FOUND, "unknown webhook", &detail))
}

/// The URL in the path. A query of the request is part of the URL.
fn url_of(call: &AdminCall<'_>) -> Result<(String, Target), Box<Answer>> {
    let path = call.parts.uri.path();
    let rest = path.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    let mut url = match rest.contains(":/") {
        true => rest.to_owned(),
        // The URL may be encoded as one segment.
        false => percent_encoding::percent_decode_str(rest).decode_utf8_lossy().into_owned(),
    };
    for scheme in ["http:/", "https:/"] {
        // Some clients replace `//` with `/`.
        if let Some(host) = url.strip_prefix(scheme).filter(|host| !host.starts_with('/')) {
            url = format!("{scheme}/{host}");
        }
    }
    if let Some(query) = call.parts.uri.query() {
        url = format!("{url}?{query}");
    }
    let target = Target::from_url(&url).map_err(|error| Box::new(invalid(&error.to_string())))?;
    Ok((url, target))
}
