//! Refuses requests without the credentials that their operation requires: 401.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::super::catalogue::authorization;
use super::fill::fill;
use super::lookup::MatchedOperation;
use super::negotiation;

pub(super) fn refuse(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Option<Answer> {
    let credentials = &operation.plan.credentials;
    if !context.settings.validate {
        return None;
    }
    let strict = context.settings.strict_auth;
    let is_valid = |token: &str| !strict || context.oauth.is_valid(token);
    if credentials.are_brought(&call.request, &is_valid) {
        return None;
    }
    let (mut challenges, mut detail) = credentials.challenge();
    if strict
        && let Some(token) = authorization(&call.request, "bearer")
        && !is_valid(token)
    {
        // RFC 6750, section 3.1.
        let why = "the token is unknown to this mock, or has expired";
        let error = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
        for challenge in challenges.iter_mut().filter(|challenge| *challenge == "Bearer") {
            *challenge = HeaderValue::from_str(&error).unwrap_or_else(|_| challenge.clone());
        }
        detail = format!("{why}; {detail}");
    }
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
