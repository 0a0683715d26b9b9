//! Handles requests without an operation: the upstream answers, or a 404, or a 405.

use std::collections::BTreeSet;

use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, json};

use crate::conform::{Operation, Verb};
use crate::exchange;
use crate::recorded::HostRule;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::super::catalogue::Catalogue;
use super::super::operation;
use super::lookup::Missing;

pub(super) async fn answer(context: &Context<'_>, call: &Call<'_>, missing: Missing<'_>) -> Answer {
    let own = if missing.allowed.is_empty() {
        not_found(context, call, missing.nearest)
    } else {
        not_allowed(&call.parts.method, &missing.allowed)
    };
    match &context.settings.upstream {
        // The spec itself determines what its path accepts.
        Some(upstream) if own.status != StatusCode::NO_CONTENT => {
            upstream.ask(call.parts, call.path_and_query, call.raw_body.clone()).await
        }
        _ => own,
    }
}

fn not_found(context: &Context<'_>, call: &Call<'_>, nearest: Option<String>) -> Answer {
    let (catalogue, request) = (context.catalogue, &call.request);
    if call.host == HostRule::Same
        && !catalogue.serves_any_host()
        && !catalogue.knows_host(&request.host)
    {
        let detail = format!("no spec has the server {}", request.host);
        return Answer::problem(StatusCode::NOT_FOUND, "unknown host", &detail);
    }
    let mut detail = format!("no path of the specs matches {}", request.pathname);
    let mut extra = Map::new();
    if let Some(nearest) = nearest {
        detail.push_str("; the nearest: ");
        detail.push_str(&nearest);
        extra.insert("nearest".to_owned(), nearest.into());
    }
    let operations = nearest_operations(catalogue, &request.pathname);
    if !operations.is_empty() {
        extra.insert("operations".to_owned(), json!(operations));
        detail.push_str(&format!("; there is {}", operations.join(", ")));
    }
    let bases = base_paths(catalogue);
    if !bases.is_empty() {
        extra.insert("basePaths".to_owned(), json!(bases));
        detail.push_str(&format!("; base paths: {}", bases.join(", ")));
    }
    Answer::problem_with(StatusCode::NOT_FOUND, "unknown path", &detail, extra)
}

/// The base paths of the specs' servers, each once.
fn base_paths(catalogue: &Catalogue) -> Vec<&str> {
    let servers = catalogue.specs.iter().flat_map(|spec| &spec.api.servers);
    let mut bases: Vec<&str> =
        servers.map(|server| server.base_path.as_str()).filter(|base| !base.is_empty()).collect();
    bases.sort_unstable();
    bases.dedup();
    bases
}

/// The operations with the most similar paths: `GET /pets/{petId}`. Empty if no path is similar.
pub(in crate::mock) fn nearest_operations(catalogue: &Catalogue, path: &str) -> Vec<String> {
    const SHOWN: usize = 3;
    /// At most one segment may be completely different.
    const FARTHEST: f64 = 1.0;
    let bases = base_paths(catalogue);
    let bare = bases.iter().find_map(|base| path.strip_prefix(base)).unwrap_or(path);
    let operations = catalogue.specs.iter().flat_map(|spec| &spec.api.operations);
    let mut near: Vec<(f64, &Operation)> = operations
        .map(|operation| (distance(&operation.template, bare), operation))
        .filter(|(distance, _)| *distance <= FARTHEST)
        .collect();
    near.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    near.truncate(SHOWN);
    near.iter()
        .map(|(_, operation)| format!("{} {}", operation::method(operation), operation.template))
        .collect()
}

/// The distance of a path from a template: the sum over segments from 0 (equal, or a parameter) to
/// 1 (nothing in common).
fn distance(template: &str, path: &str) -> f64 {
    let split = |text: &str| -> Vec<String> {
        text.trim_matches('/').split('/').map(str::to_lowercase).collect()
    };
    let (template, path) = (split(template), split(path));
    let shorter = template.len().min(path.len());
    let mut total = template.len().abs_diff(path.len()) as f64;
    let mut literal = 0.0_f64;
    for (own, other) in template.iter().zip(&path).take(shorter) {
        if !own.contains('{') {
            let alike = strsim::normalized_levenshtein(own, other);
            literal = literal.max(alike);
            total += 1.0 - alike;
        }
    }
    // Parameters match everything, so only a literal segment shows that the two are related.
    if literal < 0.5 { f64::INFINITY } else { total }
}

/// OPTIONS lists the methods of the path (RFC 9110, section 9.3.7); every other method is refused
/// with the same list.
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
        let detail = format!("the path does not have {method}; it has: {names}");
        let title = "method not declared for this path";
        Answer::problem(StatusCode::METHOD_NOT_ALLOWED, title, &detail)
    };
    if let Ok(value) = HeaderValue::from_str(&names) {
        answer.headers.insert(ALLOW, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_near_where_a_literal_segment_is_alike() {
        assert!(distance("/pets/{id}", "/pet/7") < 0.5);
        assert!(distance("/pets", "/pets/7") <= 1.0);
        assert!(distance("/pets/{id}/toys", "/pets/7") <= 1.0);
        assert!(distance("/{id}", "/7").is_infinite());
        assert!(distance("/orders", "/pets").is_infinite());
    }
}
