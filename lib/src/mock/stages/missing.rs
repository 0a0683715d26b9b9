//! No operation takes the request: the upstream answers, or a 404, or a 405.

use std::collections::BTreeSet;

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use serde_json::Map;

use crate::conform::Verb;
use crate::exchange;
use crate::recorded::HostRule;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::lookup::Missing;

pub(super) async fn answer(context: &Context<'_>, call: &Call<'_>, missing: Missing<'_>) -> Answer {
    let own = if missing.allowed.is_empty() {
        not_found(context, call, missing.nearest)
    } else {
        not_allowed(&call.parts.method, &missing.allowed)
    };
    match &context.settings.upstream {
        // A path that a spec has says itself what it takes.
        Some(upstream) if own.status != StatusCode::NO_CONTENT => upstream.ask(call).await,
        _ => own,
    }
}

fn not_found(context: &Context<'_>, call: &Call<'_>, nearest: Option<String>) -> Answer {
    let (catalogue, request) = (context.catalogue, &call.request);
    if call.host == HostRule::Same
        && !catalogue.serves_any_host()
        && !catalogue.knows_host(&request.host)
    {
        let detail = format!("no spec has a server at {}", request.host);
        return Answer::problem(StatusCode::NOT_FOUND, "unknown host", &detail);
    }
    let mut detail = format!("no path of the specs matches {}", request.pathname);
    let mut extra = Map::new();
    if let Some(nearest) = nearest {
        detail.push_str("; the nearest: ");
        detail.push_str(&nearest);
        extra.insert("nearest".to_owned(), nearest.into());
    }
    Answer::problem_with(StatusCode::NOT_FOUND, "unknown path", &detail, extra)
}

/// OPTIONS lists the methods of the path (RFC 9110, section 9.3.7); every other method is refused with the same list.
fn not_allowed(method: &Method, allowed: &BTreeSet<Verb<'_>>) -> Answer {
    let mut names: BTreeSet<String> = allowed.iter().map(Verb::to_string).collect();
    names.insert(Verb::from(exchange::Method::Options).to_string());
    if allowed.contains(&exchange::Method::Get.into()) {
        names.insert(Verb::from(exchange::Method::Head).to_string());
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let mut answer = if *method == Method::OPTIONS {
        Answer::empty(StatusCode::NO_CONTENT)
    } else {
        let detail = format!("the path has no {method}; it has: {names}");
        let title = "unknown method of the path";
        Answer::problem(StatusCode::METHOD_NOT_ALLOWED, title, &detail)
    };
    if let Ok(value) = HeaderValue::from_str(&names) {
        answer.headers.insert(ALLOW, value);
    }
    answer
}
