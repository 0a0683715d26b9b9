//! Refuses requests without the credentials that their operation requires: 401.

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::lookup::MatchedOperation;
use super::{fill, negotiation};

pub(super) fn refuse(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Option<Answer> {
    let credentials = &operation.plan.credentials;
    if !context.settings.validate || credentials.are_brought(&call.request) {
        return None;
    }
    let (challenges, detail) = credentials.challenge();
    let status = StatusCode::UNAUTHORIZED;
    let mut answer = match negotiation::declared_error(call, operation, &[401], status) {
        Some(choice) => fill(context, call, operation, &choice),
        None => Answer::problem(status, "credentials are missing", &detail),
    };
    if !answer.headers.contains_key(WWW_AUTHENTICATE) {
        for challenge in challenges {
            answer.headers.append(WWW_AUTHENTICATE, challenge);
        }
    }
    answer.note = Some(detail);
    Some(answer)
}
