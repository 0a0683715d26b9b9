//! The order of the stages, with a file for each.

mod credentials;
mod example;
mod fault;
mod lookup;
mod made;
mod missing;
mod negotiation;
mod overriding;
mod preflight;
mod recording;
mod reflect;
mod upstream;
mod validation;

use super::answer::Answer;
use super::banner;
use super::call::{Call, Context};
use lookup::{MatchedOperation, Missing};
use negotiation::Choice;

pub(super) use preflight::allow_origin;
pub use upstream::Upstream;

/// The answer to a request. Each stage answers, or passes the request to the next.
pub(super) async fn answer(context: &Context<'_>, call: &Call<'_>) -> Answer {
    let found = lookup::find(context, call);
    if let Some(answer) = preflight::answer(context, call) {
        return answer;
    }
    let delivery = match fault::apply(context, call, found.as_ref().ok()) {
        Ok(delivery) => delivery,
        Err(answer) => return named(context, found.as_ref().ok(), *answer),
    };
    let name = operation_name(context, found.as_ref().ok());
    let mut answer = unbroken(context, call, found).await;
    answer.delivery = delivery.and(answer.delivery);
    answer.operation = name;
    answer
}

/// The answer where no fault takes its place.
async fn unbroken(
    context: &Context<'_>,
    call: &Call<'_>,
    found: Result<MatchedOperation<'_>, Box<Missing<'_>>>,
) -> Answer {
    if let Some(answer) = overriding::answer(context, call, found.as_ref().ok()) {
        return answer;
    }
    if let Some(answer) = recording::answer(context, call) {
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

fn named(
    context: &Context<'_>,
    operation: Option<&MatchedOperation<'_>>,
    mut answer: Answer,
) -> Answer {
    answer.operation = operation_name(context, operation);
    answer
}

/// `GET /pets/{id}`, for the journal.
fn operation_name(
    context: &Context<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> Option<String> {
    let operation = operation.filter(|_| context.world.journal().is_kept())?.matched.operation;
    Some(format!("{} {}", banner::method(operation), operation.template))
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
    let mut answer = fill(context, call, operation, &choice);
    if context.settings.report_overlaps && answer.note.is_none() {
        answer.note = validation::overlaps(call, operation);
    }
    answer
}

/// The answer for a choice: an example, or data generated from the schema.
fn fill(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
) -> Answer {
    example::answer(context, call, choice)
        .unwrap_or_else(|| made::answer(context, call, operation, choice))
}
