//! Faults: a request is delayed or refused, or its answer is broken, by a rule or because the
//! client requests it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::units::parse_duration;

use super::super::answer::{Answer, AnswerSource};
use super::super::call::{Call, Context};
use super::super::fault::Delivery;
use super::super::world::FaultRefusal;
use super::lookup::MatchedOperation;

/// How the answer is delivered.
///
/// # Errors
/// The answer that replaces all others.
pub(super) fn apply(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> Result<Delivery, Box<Answer>> {
    let preferred = preferred(call)?;
    let faults = context.world.faults();
    if !faults.is_active() {
        return Ok(preferred);
    }
    let name = match operation {
        Some(operation) => Cow::Borrowed(&*operation.plan.name),
        None => format!("{} {}", call.parts.method, call.request.pathname).into(),
    };
    let outcome = faults.outcome(&name, Instant::now());
    let delivery = preferred.and(outcome.delivery);
    let Some(refusal) = outcome.refusal else { return Ok(delivery) };
    let mut answer = match refusal {
        FaultRefusal::Error(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let detail = "this error was requested by --error-rate of the mock, or by a rule of its admin port";
            Answer::problem(status, "injected error", detail)
        }
        FaultRefusal::Limited(wait) => limited(wait),
    };
    answer.source = Some(AnswerSource::Fault);
    answer.delivery = delivery;
    Err(Box::new(answer))
}

fn limited(wait: Duration) -> Answer {
    // Whole seconds (RFC 9110, section 10.2.3), and not too early.
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let detail = format!("the rate limit of this mock is reached; try again in {seconds} s");
    let mut answer = Answer::problem(StatusCode::TOO_MANY_REQUESTS, "too many requests", &detail);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        answer.headers.insert(RETRY_AFTER, value);
    }
    answer
}

/// `Prefer: delay=500ms, fault=reset`.
fn preferred(call: &Call<'_>) -> Result<Delivery, Box<Answer>> {
    let unsatisfied = |why: String| {
        let title = "the preference cannot be satisfied";
        Box::new(Answer::problem(StatusCode::NOT_FOUND, title, &why))
    };
    let mut delivery = Delivery::default();
    if let Some(delay) = &call.preferences.delay {
        delivery.delay = parse_duration(delay).map_err(unsatisfied)?;
    }
    if let Some(fault) = &call.preferences.fault {
        delivery.fault = Some(fault.parse().map_err(unsatisfied)?);
    }
    Ok(delivery)
}
