//! A document compiled for serving: for each operation, status and media type, the examples as
//! bytes and the plan that generates data, so that nothing is resolved for each request.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::conform::{
    Api, HeaderSpec, Media, Operation, OperationId, ResponseSpec, Sequence, StatusKey,
};
use crate::fake::{Plan, plain_text};
use crate::schema::{Direction, Node, NodeId, SchemaSet, Types};

use super::super::answer::binary;
use super::super::answer::media::{self, Accept, MediaType, Notation};
use super::super::banner;
use super::super::firing::Hooks;
use super::credentials::Credentials;
use super::deprecation;
use super::example_match::ExampleMatches;
use super::faults;
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
    fn json(self, plan: &Plan, out: &mut Vec<u8>) {
        if self.dynamic { plan.generate(self.seed, out) } else { plan.compose(self.seed, out) }
    }

    fn text(self, plan: &Plan) -> String {
        let mut out = Vec::new();
        self.json(plan, &mut out);
        plain_text(&out)
    }

    /// The same seed for another value, because two dates should differ.
    pub(in crate::mock) fn at(self, place: u64) -> Making {
        Making { seed: self.seed.wrapping_add(place), ..self }
    }
}

/// Number of values in a generated sequence if the document does not specify its length.
const ITEMS: u64 = 3;

/// Compiles plans, one for each schema: many operations share their errors.
struct Plans<'a> {
    schemas: &'a SchemaSet,
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
        let mut bodies: Vec<NodeId> = schemas.map(|id| target(&api.schemas, id)).collect();
        bodies.sort_unstable();
        bodies.dedup();
        let plans = Plan::compile_all(&api.schemas, &bodies, Direction::Response);
        let known = bodies.into_iter().zip(plans.into_iter().map(Arc::new)).collect();
        Plans { schemas: &api.schemas, known }
    }

    fn of(&mut self, schema: NodeId) -> Arc<Plan> {
        let schemas = self.schemas;
        let schema = target(schemas, schema);
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

/// The answers of one media type.
#[derive(Debug)]
pub(in crate::mock) struct MediaPlan {
    pub(in crate::mock) media: MediaType,
    /// The type as declared, parameters included.
    pub(in crate::mock) declared: String,
    /// The same as a header value; `None` if no header can contain it.
    pub(in crate::mock) content_type: Option<HeaderValue>,
    pub(in crate::mock) notation: Notation,
    /// The default example first, which may have no name.
    pub(in crate::mock) examples: Vec<(Option<String>, Bytes)>,
    pub(in crate::mock) schema: Option<NodeId>,
    /// `None` if the document does not describe the body.
    plan: Option<Arc<Plan>>,
    /// Generates the values of a sequence, if the document describes them.
    items: Option<Arc<Plan>>,
    /// Generates the values of a sequence that the document describes as a list.
    listed: Option<Arc<Plan>>,
    /// The values of an event stream are the data of its events.
    is_data: bool,
    /// The body is an object or a list.
    structured: bool,
}

impl Spec {
    pub(in crate::mock) fn compile(api: Api) -> Spec {
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
        warnings.extend(faults::warnings(&api, of_schemas.into_iter()));
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

impl MediaPlan {
    fn compile(plans: &mut Plans<'_>, declared: &str, content: &Media) -> MediaPlan {
        let schemas = plans.schemas;
        let media = MediaType::parse(declared);
        let notation = media.notation();
        let root = content.schema.map(|schema| schemas.node(target(schemas, schema)));
        let takes_text = content.schema.is_none_or(|s| schemas.types(s).has(Types::STRING));
        let bytes = |value: &Value| -> Bytes {
            // Many documents have a JSON example as a string of JSON text.
            let parsed = match value {
                Value::String(text) if notation == Notation::Json && !takes_text => {
                    serde_json::from_str(text).ok()
                }
                _ => None,
            };
            media::write(parsed.as_ref().unwrap_or(value), notation, schemas, content.schema).into()
        };
        let mut examples = Vec::new();
        if let Some(example) = &content.example {
            examples.push((None, bytes(example)));
        }
        for (name, example) in &content.examples {
            examples.push((Some(name.clone()), bytes(example)));
        }
        if examples.is_empty() {
            let example = root.and_then(|node| node.example.as_ref());
            examples.extend(example.map(|example| (None, bytes(example))));
        }
        let takes_scalars = |s: NodeId| {
            schemas.types(s).0 & !(Types::ARRAY.0 | Types::OBJECT.0 | Types::NULL.0) != 0
        };
        let is_json =
            |(_, body): &(Option<String>, Bytes)| matches!(body.first(), Some(b'{' | b'['));
        let structured = content.schema.is_some_and(|s| !takes_scalars(s))
            || examples.first().is_some_and(is_json);
        let plan = content.schema.map(|schema| plans.of(schema));
        let is_sequence = matches!(notation, Notation::Sequence(_));
        let list = root.filter(|_| is_sequence && content.item_schema.is_none());
        let listed = list.and_then(|root| listed(root, schemas)).map(|id| plans.of(id));
        let is_data = content.data_schema.is_some();
        let items = content.data_schema.or(content.item_schema);
        let items = items.filter(|_| matches!(notation, Notation::Sequence(_)));
        let items = items.map(|schema| plans.of(schema));
        let content_type = HeaderValue::from_str(declared).ok();
        let schema = content.schema;
        let declared = declared.to_owned();
        MediaPlan {
            media,
            declared,
            content_type,
            notation,
            examples,
            schema,
            plan,
            items,
            listed,
            is_data,
            structured,
        }
    }

    /// A type for a declared range that the client accepts; `None` if there is none.
    pub(in crate::mock) fn concrete(&self, accept: &Accept) -> Option<String> {
        self.media.concrete(accept, self.structured)
    }

    /// The body of an example in the syntax of the negotiated type.
    pub(in crate::mock) fn example_as(
        &self,
        media_type: &str,
        body: &Bytes,
        schemas: &SchemaSet,
    ) -> Bytes {
        if !self.media.is_range() {
            return body.clone();
        }
        let notation = MediaType::parse(media_type).notation();
        match serde_json::from_slice(body) {
            Ok(value) if notation != self.notation => {
                media::write(&value, notation, schemas, self.schema).into()
            }
            _ => body.clone(),
        }
    }

    /// The example with a name, or the default one.
    pub(in crate::mock) fn example(&self, name: Option<&str>) -> Option<&Bytes> {
        match name {
            None => self.examples.first(),
            Some(_) => self.examples.iter().find(|(own, _)| own.as_deref() == name),
        }
        .map(|(_, body)| body)
    }

    /// Makes bodies from the schema, as JSON.
    pub(in crate::mock) fn composer(&self) -> Option<&Plan> {
        self.plan.as_deref()
    }

    /// The syntax of the negotiated type, which the client chooses in a declared range.
    pub(in crate::mock) fn notation_of(&self, media_type: &str) -> Notation {
        match self.media.is_range() {
            true => MediaType::parse(media_type).notation(),
            false => self.notation,
        }
    }

    /// A body generated from the schema, as JSON; `None` without a schema.
    pub(in crate::mock) fn json(&self, making: Making) -> Option<Bytes> {
        let mut out = Vec::new();
        making.json(self.plan.as_ref()?, &mut out);
        Some(out.into())
    }

    /// A JSON body in another syntax.
    pub(in crate::mock) fn encode(
        &self,
        json: &Bytes,
        notation: Notation,
        schemas: &SchemaSet,
    ) -> Bytes {
        match serde_json::from_slice(json) {
            Ok(value) => media::write(&value, notation, schemas, self.schema).into(),
            Err(_) => json.clone(),
        }
    }

    /// A body generated from the schema, in the syntax of the negotiated type.
    pub(in crate::mock) fn make(
        &self,
        media_type: &str,
        making: Making,
        schemas: &SchemaSet,
    ) -> Bytes {
        let notation = self.notation_of(media_type);
        if let (Some(items), Notation::Sequence(sequence)) = (&self.items, notation)
            && (self.is_data || self.plan.is_none())
        {
            return sequence_of(items, sequence, self.is_data, making);
        }
        if let (Some(items), Notation::Sequence(sequence), false) =
            (&self.listed, notation, making.dynamic)
        {
            return sequence_of(items, sequence, false, making);
        }
        let is_text = self.schema.is_none_or(|schema| schemas.types(schema).has(Types::STRING));
        if let (Notation::Text, true, Some(body)) = (notation, is_text, binary::sample(media_type))
        {
            return Bytes::from_static(body);
        }
        let Some(plan) = &self.plan else {
            // Nothing is known: the smallest valid content of the syntax.
            return match notation {
                Notation::Json => Bytes::from_static(b"{}"),
                _ => Bytes::new(),
            };
        };
        match notation {
            Notation::Json => {
                let mut out = Vec::with_capacity(512);
                making.json(plan, &mut out);
                out.into()
            }
            Notation::Text => making.text(plan).into(),
            Notation::Sequence(_) | Notation::Form | Notation::Xml | Notation::Csv => {
                let mut out = Vec::new();
                making.json(plan, &mut out);
                match serde_json::from_slice(&out) {
                    Ok(Value::String(text)) if notation == Notation::Sequence(Sequence::Events) => {
                        events_of(text).into()
                    }
                    Ok(value) => media::write(&value, notation, schemas, self.schema).into(),
                    Err(_) => out.into(),
                }
            }
        }
    }
}

/// The items of a list if [`ITEMS`] of them are a valid list.
fn listed(root: &Node, schemas: &SchemaSet) -> Option<NodeId> {
    let plain = root.prefix_items.is_empty()
        && root.contains.is_none()
        && !root.unique_items
        && root.all_of.is_empty()
        && root.any_of.is_empty()
        && root.one_of.is_empty()
        && root.enumeration.is_none()
        && root.default.is_none()
        && root.min_items.is_none_or(|min| min <= ITEMS)
        && root.max_items.is_none_or(|max| max >= ITEMS);
    let is_list = root.types.is_some_and(|types| types == Types::ARRAY);
    root.items.filter(|id| plain && is_list && !schemas.node(target(schemas, *id)).never)
}

/// A text as an event stream: as it is if it is one, else as the data of an event.
fn events_of(text: String) -> String {
    const FIELDS: [&str; 5] = ["data:", "event:", "id:", "retry:", ":"];
    if text.lines().any(|line| FIELDS.iter().any(|field| line.starts_with(field))) {
        return text;
    }
    let lines = text.lines().map(|line| format!("data: {line}\n"));
    lines.chain(["\n".to_owned()]).collect()
}

/// A sequence of generated values.
fn sequence_of(plan: &Plan, sequence: Sequence, is_data: bool, making: Making) -> Bytes {
    let mut body = String::new();
    for number in 0..ITEMS {
        let mut value = Vec::new();
        making.at(number).json(plan, &mut value);
        if let Ok(value) = serde_json::from_slice(&value) {
            let text = if is_data { sequence.write_data(&value) } else { sequence.write(&value) };
            body.push_str(&text);
        }
    }
    body.into()
}

/// The target of a chain of references, which is no longer than the number of nodes.
fn target(schemas: &SchemaSet, mut id: NodeId) -> NodeId {
    for _ in 0..64 {
        match schemas.node(id).reference {
            Some(next) => id = next,
            None => break,
        }
    }
    id
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
