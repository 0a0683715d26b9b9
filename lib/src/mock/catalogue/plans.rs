//! A document compiled for serving: for each operation, status and media type, the examples as
//! bytes and the plan that generates data, so that nothing is resolved for each request.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::conform::{Api, HeaderSpec, Operation, OperationId, ResponseSpec, StatusKey};
use crate::fake::{Plan, plain_text};
use crate::schema::Types;

use super::super::answer::media;
use super::super::firing::Hooks;
use super::super::operation;
use super::credentials::Credentials;
use super::deprecation;
use super::example_match::ExampleMatches;
use super::faults;
use super::media_plan::MediaPlan;
use super::schema_plans::{Making, SchemaPlans};
use super::state::{StateOperation, StatePlan};

/// A compiled document and the plans of its answers.
#[derive(Debug)]
pub(in crate::mock) struct Spec {
    pub(in crate::mock) api: Api,
    pub(super) operations: Vec<OperationPlan>,
    /// The operations that keep state; `None` if there are none.
    pub(in crate::mock) state: Option<StatePlan>,
    /// The requests that the API sends after its answers, if they are enabled.
    pub(in crate::mock) hooks: Option<Box<Hooks>>,
    /// Schemas without a valid value, and examples that violate their schemas.
    pub(in crate::mock) warnings: Vec<String>,
}

/// An operation's answers.
#[derive(Debug)]
pub(in crate::mock) struct OperationPlan {
    /// `GET /pets/{id}`.
    pub(in crate::mock) name: Arc<str>,
    pub(in crate::mock) credentials: Credentials,
    /// Headers for every answer of a deprecated operation.
    pub(in crate::mock) deprecation: Vec<(HeaderName, HeaderValue)>,
    /// Which requests match which examples.
    pub(in crate::mock) example_matches: ExampleMatches,
    /// Whether the answer to a valid request depends on what is in its body.
    pub(in crate::mock) reads_body: bool,
    /// The responses that can be final, in document order.
    pub(in crate::mock) responses: Vec<ResponsePlan>,
}

/// The answers of one key of `responses`.
#[derive(Debug)]
pub(in crate::mock) struct ResponsePlan {
    pub(in crate::mock) key: StatusKey,
    pub(in crate::mock) headers: Vec<HeaderPlan>,
    /// In the order of the document.
    pub(in crate::mock) media: Vec<MediaPlan>,
}

/// A response header that is always sent.
#[derive(Debug)]
pub(in crate::mock) struct HeaderPlan {
    pub(in crate::mock) name: HeaderName,
    pub(in crate::mock) value: HeaderValuePlan,
}

#[derive(Debug)]
pub(in crate::mock) enum HeaderValuePlan {
    Example(HeaderValue),
    /// The plan, and whether its values are lists or objects, which a header contains without JSON
    /// syntax.
    Generated(Arc<Plan>, bool),
}

impl Spec {
    /// With `all_faults`, every example that violates its schema is listed in the warnings.
    pub(in crate::mock) fn compile(api: Api, all_faults: bool) -> Spec {
        let mut plans = SchemaPlans::of_bodies(&api);
        let operations = api
            .operations
            .iter()
            .map(|operation| OperationPlan::compile(&api, &mut plans, operation))
            .collect();
        let mut warnings: Vec<String> =
            plans.all().flat_map(|plan| plan.warnings().iter().cloned()).collect();
        warnings.sort_unstable();
        warnings.dedup();
        let of_schemas = plans.all().flat_map(|plan| plan.example_faults()).cloned();
        let of_schemas: BTreeSet<String> = of_schemas.collect();
        warnings.extend(faults::warnings(&api, of_schemas.into_iter(), all_faults));
        Spec { api, operations, state: None, hooks: None, warnings }
    }

    /// The state that an operation keeps, if it does.
    pub(in crate::mock) fn state_of(
        &self,
        id: OperationId,
    ) -> Option<(&StatePlan, &StateOperation)> {
        let state = self.state.as_ref()?;
        Some((state, state.operation(id)?))
    }

    pub(in crate::mock) fn plan(&self, id: OperationId) -> &OperationPlan {
        &self.operations[id.0 as usize]
    }
}

impl OperationPlan {
    fn compile(api: &Api, plans: &mut SchemaPlans<'_>, operation: &Operation) -> OperationPlan {
        let responses: Vec<ResponsePlan> = operation
            .responses
            .iter()
            // Interim responses are never the answer.
            .filter(|(key, _)| !matches!(key, StatusKey::Code(..200) | StatusKey::Range(..2)))
            .map(|(key, response)| ResponsePlan::compile(plans, *key, response))
            .collect();
        let credentials =
            Credentials::compile(operation.security.as_deref(), &api.security_schemes);
        let deprecation = deprecation::headers(operation);
        let example_matches = ExampleMatches::compile(operation);
        let name = format!("{} {}", operation::method(operation), operation.template).into();
        let is_error = |key| matches!(key, StatusKey::Code(300..) | StatusKey::Range(3..));
        let mut media =
            responses.iter().filter(|r| !is_error(r.key)).flat_map(|response| &response.media);
        let reads_body = !example_matches.is_empty() || media.any(|m| m.examples.is_empty());
        OperationPlan { name, credentials, deprecation, example_matches, reads_body, responses }
    }
}

impl ResponsePlan {
    fn compile(
        plans: &mut SchemaPlans<'_>,
        key: StatusKey,
        response: &ResponseSpec,
    ) -> ResponsePlan {
        let headers = response
            .headers
            .iter()
            .filter_map(|(name, header)| HeaderPlan::compile(plans, name, header))
            .collect();
        let media = response
            .content
            .iter()
            .map(|(name, media)| MediaPlan::compile(plans, name, media))
            .collect();
        ResponsePlan { key, headers, media }
    }
}

impl HeaderPlan {
    /// `None` for headers that the server sets itself, and those that no message can carry.
    fn compile(plans: &mut SchemaPlans<'_>, name: &str, header: &HeaderSpec) -> Option<HeaderPlan> {
        const OURS: [HeaderName; 6] =
            [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, DATE];
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if OURS.contains(&name) {
            return None;
        }
        let value = match (&header.example, header.schema) {
            (Some(example), _) => {
                HeaderValuePlan::Example(HeaderValue::from_str(&simple(example)).ok()?)
            }
            (None, Some(schema)) => {
                let plan = plans.of(schema);
                let structured = plans.schemas.types(schema).has(Types::ARRAY.with(Types::OBJECT));
                HeaderValuePlan::Generated(plan, structured)
            }
            (None, None) => return None,
        };
        Some(HeaderPlan { name, value })
    }

    /// The value of a header; `None` if no valid one could be generated.
    pub(in crate::mock) fn value(&self, making: impl FnOnce() -> Making) -> Option<HeaderValue> {
        match &self.value {
            HeaderValuePlan::Example(value) => Some(value.clone()),
            HeaderValuePlan::Generated(plan, structured) => {
                let mut json = Vec::new();
                making().json(plan, &mut json);
                let text = match serde_json::from_slice(&json) {
                    Ok(value) if *structured => simple(&value),
                    _ => plain_text(&json),
                };
                HeaderValue::from_str(&text).ok()
            }
        }
    }
}

/// A value in the `simple` style of headers: lists and members separated by commas.
fn simple(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(media::scalar).collect::<Vec<_>>().join(","),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name},{}", media::scalar(value)))
            .collect::<Vec<_>>()
            .join(","),
        other => media::scalar(other),
    }
}
