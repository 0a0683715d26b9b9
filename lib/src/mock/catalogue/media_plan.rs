//! The answers of one media type: examples as bytes, and generated bodies in its syntax.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use crate::conform::{Media, Sequence};
use crate::fake::Plan;
use crate::schema::{Node, NodeId, SchemaSet, Types};

use super::super::answer::binary;
use super::super::answer::media::{self, Accept, MediaType, Notation};
use super::schema_plans::{Making, SchemaPlans};

/// Maximum number of bytes that are reserved for a body.
const MAX_RESERVED: usize = 64 << 10;
/// Number of values in a generated sequence if the document does not specify its length.
const ITEMS: u64 = 3;

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
    /// The length of the longest JSON body so far, to reserve memory for the next one.
    longest: AtomicUsize,
}

impl MediaPlan {
    pub(super) fn compile(
        plans: &mut SchemaPlans<'_>,
        declared: &str,
        content: &Media,
    ) -> MediaPlan {
        let schemas = plans.schemas;
        let media = MediaType::parse(declared);
        let notation = media.notation();
        let root = content.schema.map(|schema| schemas.node(schemas.target(schema)));
        let takes_text = content.schema.is_none_or(|s| schemas.types(s).has(Types::STRING));
        let bytes = |value: &Value| -> Bytes {
            // Many documents have a JSON example as a string of JSON text.
            let parsed = match value {
                Value::String(text) if notation == Notation::Json && !takes_text => {
                    serde_json::from_str(text).ok()
                }
                _ => None,
            };
            match value {
                Value::String(text) if notation == Notation::Sequence(Sequence::Events) => {
                    events_of(text.clone()).into()
                }
                _ => media::write(
                    parsed.as_ref().unwrap_or(value),
                    notation,
                    schemas,
                    content.schema,
                )
                .into(),
            }
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
            longest: AtomicUsize::new(512),
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
                let longest = self.longest.load(Ordering::Relaxed);
                let mut out = Vec::with_capacity(longest);
                making.json(plan, &mut out);
                // All threads read this value, so it is written only when it changes.
                if out.len().min(MAX_RESERVED) > longest {
                    self.longest.store(out.len().min(MAX_RESERVED), Ordering::Relaxed);
                }
                // A body may be kept in a cache or in the journal, whose limits count its length.
                if out.capacity() / 2 > out.len() {
                    out.shrink_to_fit();
                }
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
    root.items.filter(|id| plain && is_list && !schemas.node(schemas.target(*id)).never)
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
