//! Finds the operation of a request.

use std::collections::BTreeSet;

use crate::conform::{Api, BasePathRule, Found, Matched, Verb};
use crate::exchange::{Method, Request};
use crate::recorded::HostRule;

use super::super::call::{Call, Context};
use super::super::catalogue::{OperationPlan, Spec, origins};

/// The matching operation.
pub(super) struct MatchedOperation<'a> {
    pub(super) spec: &'a Spec,
    pub(super) matched: Matched<'a>,
    pub(super) plan: &'a OperationPlan,
}

/// The alternatives if there is no operation.
pub(super) struct Missing<'a> {
    /// The methods of the path.
    pub(super) allowed: BTreeSet<Verb<'a>>,
    /// The path template nearest to the path.
    pub(super) nearest: Option<String>,
}

/// The most specific operation. Among equals, an operation whose path parameters match comes first,
/// then the first spec.
pub(super) fn find<'a>(
    context: &Context<'a>,
    call: &Call<'a>,
) -> Result<MatchedOperation<'a>, Box<Missing<'a>>> {
    let method = call.verb();
    let mut best: Option<(&Spec, Matched<'_>)> = None;
    let mut missing = Missing { allowed: BTreeSet::new(), nearest: None };
    for spec in &context.catalogue.specs {
        match find_in(&spec.api, call, method) {
            // Servers support HEAD wherever they support GET (RFC 9110, 9.1).
            Found::MethodNotAllowed(methods)
                if method == Method::Head.into() && methods.contains(&Method::Get.into()) =>
            {
                if let Found::Operation(matched) = find_in(&spec.api, call, Method::Get.into()) {
                    more_specific(&mut best, spec, matched, &call.request);
                }
            }
            Found::Operation(matched) => more_specific(&mut best, spec, matched, &call.request),
            Found::MethodNotAllowed(methods) => missing.allowed.extend(methods),
            Found::NotFound(nearest) => missing.nearest = missing.nearest.or(nearest),
        }
    }
    let Some((spec, mut matched)) = best else { return Err(Box::new(missing)) };
    let raw_query = call.raw_query();
    matched.raw_query = raw_query.contains('%').then(|| raw_query.to_owned());
    let plan = spec.plan(matched.id);
    Ok(MatchedOperation { spec, matched, plan })
}

/// Searches one spec. A request that names a host needs the base path too; the scheme is ignored.
fn find_in<'a>(api: &'a Api, call: &Call<'_>, method: Verb<'a>) -> Found<'a> {
    if call.host == HostRule::Any {
        return api.find_for(method, None, &call.request, BasePathRule::Optional);
    }
    let [https, http] = origins(&call.request.host);
    match api.find_for(method, Some(&https), &call.request, BasePathRule::Required) {
        Found::NotFound(_) => {
            api.find_for(method, Some(&http), &call.request, BasePathRule::Required)
        }
        found => found,
    }
}

fn more_specific<'a>(
    best: &mut Option<(&'a Spec, Matched<'a>)>,
    spec: &'a Spec,
    matched: Matched<'a>,
    request: &Request<'_>,
) {
    let better = best.as_ref().is_none_or(|(first, other)| {
        matched.specificity > other.specificity
            || matched.specificity == other.specificity
                && !first.api.path_fits(other, request)
                && spec.api.path_fits(&matched, request)
    });
    if better {
        *best = Some((spec, matched));
    }
}
