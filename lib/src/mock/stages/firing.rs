//! Finds the requests that the API sends after an answer.

use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use crate::conform::OperationId;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::super::catalogue::{Making, Spec};
use super::super::firing::{Facts, Hooks, Outgoing};
use super::lookup::MatchedOperation;

/// The information about a request before it is answered.
pub(super) struct Subject<'a> {
    hooks: &'a Hooks,
    id: OperationId,
    path_values: Vec<(&'a str, String)>,
}

impl<'a> Subject<'a> {
    /// `None` if the spec sends nothing.
    pub(super) fn of(operation: &MatchedOperation<'a>) -> Option<Subject<'a>> {
        let spec: &'a Spec = operation.spec;
        let hooks = spec.hooks.as_ref()?;
        let (id, path_values) = (operation.matched.id, operation.matched.path_values.clone());
        Some(Subject { hooks, id, path_values })
    }

    /// The requests that follow a successful answer.
    pub(super) fn outgoing(
        &self,
        context: &Context<'_>,
        call: &Call<'_>,
        answer: &Answer,
    ) -> Vec<Outgoing> {
        if answer.status.as_u16() >= 400 {
            return Vec::new();
        }
        let form = form(call);
        let response_body = serde_json::from_slice(&answer.body).ok();
        let url = format!("{}{}", super::oauth::reached(context, call), call.path_and_query);
        let facts = Facts {
            url: &url,
            method: &call.parts.method,
            status: answer.status,
            path_values: &self.path_values,
            query: &call.request.query,
            request_headers: &call.parts.headers,
            request_body: call.json_body().or(form.as_ref()),
            response_headers: &answer.headers,
            response_body: response_body.as_ref(),
        };
        let dynamic = call.dynamic(context.settings);
        let seed = match dynamic {
            true => context.world.dynamic_seed(),
            false => {
                let seed = context.settings.seed.unwrap_or(0);
                let body = XxHash3_64::oneshot_with_seed(seed, call.request.body.as_bytes());
                XxHash3_64::oneshot_with_seed(body, call.request.pathname.as_bytes())
            }
        };
        self.hooks.after(self.id, &facts, Making { dynamic, seed })
    }
}

/// A form as JSON.
fn form(call: &Call<'_>) -> Option<Value> {
    let content_type = call.parts.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let pairs = form_urlencoded::parse(call.request.body.as_bytes());
    let members: Map<String, Value> =
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    Some(Value::Object(members))
}
