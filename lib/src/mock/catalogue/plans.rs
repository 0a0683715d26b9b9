//! A document compiled for serving: for each operation, status and media type, the examples as
//! bytes and the plan that generates data, so that nothing is resolved for each request.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::conform::{Api, HeaderSpec, Operation, OperationId, ResponseSpec, StatusKey};
use crate::fake::{Plan, plain_text};
use crate::schema::{Direction, NodeId, SchemaSet, Types};

use super::super::answer::media;
use super::super::banner;
use super::super::firing::Hooks;
use super::credentials::Credentials;
use super::deprecation;
use super::example_match::ExampleMatches;
use super::faults;
use super::media_plan::MediaPlan;
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

/// How a value is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) struct Making {
    /// New data throughout, instead of samples.
    pub(in crate::mock) dynamic: bool,
    pub(in crate::mock) seed: u64,
}

impl Making {
    pub(super) fn json(self, plan: &Plan, out: &mut Vec<u8>) {
        if self.dynamic { plan.generate(self.seed, out) } else { plan.compose(self.seed, out) }
    }

    pub(super) fn text(self, plan: &Plan) -> String {
        let mut out = Vec::new();
        self.json(plan, &mut out);
        plain_text(&out)
    }

    /// The same seed for another value, because two dates should differ.
    pub(in crate::mock) fn at(self, place: u64) -> Making {
        Making { seed: self.seed.wrapping_add(place), ..self }
    }
}

/// Compiles plans, one for each schema: many operations share their errors.
pub(super) struct Plans<'a> {
    pub(super) schemas: &'a SchemaSet,
    known: HashMap<NodeId, Arc<Plan>>,
}

impl<'a> Plans<'a> {
    /// The plans of all bodies, compiled together, because they have much in common.
    fn of_bodies(api: &'a Api) -> Self {
        let responses = api.operations.iter().flat_map(|operation| &operation.responses);
        let media = responses.flat_map(|(_, response)| &response.content);
        let schemas =
            media.flat_map(|(_, media)| [media.schema, media.item_schema, media.data_schema]);
        let schemas = schemas.flatten();
        let mut bodies: Vec<NodeId> = schemas.map(|id| api.schemas.target(id)).collect();
        bodies.sort_unstable();
        bodies.dedup();
        let plans = Plan::compile_all(&api.schemas, &bodies, Direction::Response);
        let known = bodies.into_iter().zip(plans.into_iter().map(Arc::new)).collect();
        Plans { schemas: &api.schemas, known }
    }

    pub(super) fn of(&mut self, schema: NodeId) -> Arc<Plan> {
        let schemas = self.schemas;
        let schema = schemas.target(schema);
        let plan = self
            .known
            .entry(schema)
            .or_insert_with(|| Arc::new(Plan::compile(schemas, schema, Direction::Response)));
        Arc::clone(plan)
    }
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
        let mut plans = Plans::of_bodies(&api);
        let operations = api
            .operations
            .iter()
            .map(|operation| OperationPlan::compile(&api, &mut plans, operation))
            .collect();
        let mut warnings: Vec<String> =
            plans.known.values().flat_map(|plan| plan.warnings().iter().cloned()).collect();
        warnings.sort_unstable();
        warnings.dedup();
        let of_schemas = plans.known.values().flat_map(|plan| plan.example_faults()).cloned();
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
    fn compile(api: &Api, plans: &mut Plans<'_>, operation: &Operation) -> OperationPlan {
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
        let name = format!("{} {}", banner::method(operation), operation.template).into();
        let is_error = |key| matches!(key, StatusKey::Code(300..) | StatusKey::Range(3..));
        let mut media =
            responses.iter().filter(|r| !is_error(r.key)).flat_map(|response| &response.media);
        let reads_body = !example_matches.is_empty() || media.any(|m| m.examples.is_empty());
        OperationPlan { name, credentials, deprecation, example_matches, reads_body, responses }
    }
}

impl ResponsePlan {
    fn compile(plans: &mut Plans<'_>, key: StatusKey, response: &ResponseSpec) -> ResponsePlan {
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
    fn compile(plans: &mut Plans<'_>, name: &str, header: &HeaderSpec) -> Option<HeaderPlan> {
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
