//! The order of the stages, with a file for each.

mod callbacks;
mod credentials;
mod example;
mod fault;
mod fill;
mod firing;
mod lookup;
mod made;
mod missing;
mod negotiation;
mod oauth;
mod overriding;
mod preflight;
mod recording;
mod reflect;
mod state;
mod upstream;
mod validation;

use std::sync::Arc;

use super::answer::Answer;
use super::call::{Call, Context};
use super::fault::Delivery;
use fill::fill;
use lookup::{MatchedOperation, Missing};

pub(super) use missing::nearest_operations;
pub(super) use preflight::allow_origin;
pub use upstream::Upstream;

/// The answer to a request. Each stage answers, or passes the request to the next.
pub(super) async fn answer(context: &Context<'_>, call: &Call<'_>) -> Answer {
    let found = lookup::find(context, call);
    if let Some(answer) = preflight::answer(context, call) {
        return answer;
    }
    let operation = found.as_ref().ok();
    // Only the journal needs the name.
    let name = operation
        .filter(|_| context.world.journal().is_kept())
        .map(|operation| Arc::clone(&operation.plan.name));
    let api = operation.map(|operation| &operation.spec.api);
    let hooks = operation.and_then(firing::Subject::of);
    let mut answer = match fault::apply(context, call, operation) {
        Ok(delivery) => {
            let mut answer = unbroken(context, call, found).await;
            if let Some(callbacks) = context.callbacks {
                answer = callbacks::edit(callbacks, context, call, api, answer).await;
            }
            answer.delivery = delivery.and(answer.delivery);
            answer.is_steady &= answer.delivery == Delivery::default() && hooks.is_none();
            if let Some(hooks) = hooks {
                answer.outgoing = hooks.outgoing(context, call, &answer);
            }
            answer
        }
        Err(answer) => *answer,
    };
    answer.operation = name;
    answer
}

/// The answer if no fault replaces it.
async fn unbroken(
    context: &Context<'_>,
    call: &Call<'_>,
    found: Result<MatchedOperation<'_>, Box<Missing<'_>>>,
) -> Answer {
    if let Some(answer) = overriding::answer(context, call, found.as_ref().ok()) {
        return answer;
    }
    if let Some(answer) = oauth::answer(context, call, found.is_ok()) {
        return answer;
    }
    // Tokens are checked before recordings, which may contain protected data.
    if context.settings.strict_auth
        && let Ok(operation) = &found
        && let Some(refusal) = credentials::refuse(context, call, operation)
    {
        return refusal;
    }
    let stateful = found.as_ref().is_ok_and(|operation| state::keeps(call, operation));
    if let Some(answer) = (!stateful).then(|| recording::answer(context, call)).flatten() {
        return answer;
    }
    let operation = match found {
        Ok(operation) => operation,
        Err(missing) => return missing::answer(context, call, *missing).await,
    };
    let mut answer = of_operation(context, call, &operation);
    for (name, value) in &operation.plan.deprecation {
        // Headers that the response declares itself take precedence.
        answer.headers.entry(name).or_insert_with(|| value.clone());
    }
    answer
}

/// The answer of an operation.
fn of_operation(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Answer {
    if let Some(refusal) = credentials::refuse(context, call, operation) {
        return refusal;
    }
    if let Some(refusal) = validation::refuse(context, call, operation) {
        return refusal;
    }
    let choice = match negotiation::choose(context, call, operation) {
        Ok(choice) => choice,
        Err(refusal) => return *refusal,
    };
    let kept = state::answer(context, call, operation);
    let mut answer = kept.unwrap_or_else(|| fill(context, call, operation, &choice));
    answer.is_steady = is_steady(context, call, operation);
    if context.settings.report_overlaps && answer.note.is_none() {
        answer.note = validation::overlaps(call, operation);
    }
    answer
}

/// True if the answer to a valid request depends only on the request and the specs.
fn is_steady(context: &Context<'_>, call: &Call<'_>, operation: &MatchedOperation<'_>) -> bool {
    // Strict credentials are the tokens that this mock has issued, and these expire.
    !call.dynamic(context.settings)
        && !context.settings.strict_auth
        && operation.spec.state_of(operation.matched.id).is_none()
        && context.catalogue.recordings().is_empty()
}
