//! `callbacks` and `webhooks` of OpenAPI: requests that the API itself sends after an answer.
//!
//! `expression` evaluates their URLs, `sending` sends them. This file compiles them: their bodies
//! are made like those of responses.

mod expression;
mod outgoing;
mod sending;

use std::collections::HashMap;

use http::Method;
use http::header::HeaderValue;
use serde_json::{Map, Value, json};

use crate::conform::{Api, OperationId};
use crate::spec::{Document, METHODS, Place, PlaceError, pointer_keys};

use super::catalogue::{Making, Spec};
pub(super) use expression::Facts;
pub(super) use outgoing::Outgoing;
pub(super) use sending::Sending;

/// The requests that an API sends after its answers.
#[derive(Debug)]
pub(super) struct Hooks {
    by_operation: HashMap<u32, Vec<Hook>>,
    /// Webhooks whose receivers are named in `servers`. They are sent after each change.
    webhooks: Vec<Hook>,
    /// An operation for each hook, whose response is the body of the hook.
    bodies: Spec,
    /// Hooks that cannot be sent.
    pub(super) warnings: Vec<String>,
}

/// A request that the API sends.
#[derive(Debug)]
struct Hook {
    name: String,
    method: Method,
    /// The URL, with runtime expressions.
    url: String,
    /// Its index in [`Hooks::bodies`].
    body: usize,
}

impl Hooks {
    /// The callbacks and webhooks of a document; `None` if it has none.
    pub(super) fn compile(api: &Api, document: &Document) -> Option<Hooks> {
        let mut compiler = Compiler::default();
        let root = Place::root(&document.root);
        let mut by_operation = HashMap::new();
        for (number, operation) in (0..).zip(&api.operations) {
            let place = pointer_keys(&operation.pointer)
                .try_fold(root.clone(), |place, key| place.get(&key));
            let callbacks = place.and_then(|place| place.get("callbacks"));
            let mut hooks = Vec::new();
            for (name, callback) in callbacks.iter().flat_map(Place::members) {
                compiler.callback(name, callback, &mut hooks);
            }
            if !hooks.is_empty() {
                by_operation.insert(number, hooks);
            }
        }
        let mut webhooks = Vec::new();
        for (name, item) in root.get("webhooks").iter().flat_map(Place::members) {
            compiler.webhook(name, item, &mut webhooks);
        }
        if by_operation.is_empty() && webhooks.is_empty() && compiler.warnings.is_empty() {
            return None;
        }
        let Compiler { paths, mut warnings } = compiler;
        let mut members: Map<String, Value> = match &document.root {
            Value::Object(root) => {
                let kept = ["openapi", "jsonSchemaDialect", "components"];
                let kept = root.iter().filter(|(key, _)| kept.contains(&key.as_str()));
                kept.map(|(key, value)| (key.clone(), value.clone())).collect()
            }
            _ => Map::new(),
        };
        members.insert("info".to_owned(), json!({"title": "", "version": ""}));
        members.insert("paths".to_owned(), Value::Object(paths));
        let bodies = Document { root: members.into(), warnings: Vec::new(), ..document.clone() };
        match Api::compile(&bodies) {
            Ok(api) => {
                Some(Hooks { by_operation, webhooks, bodies: Spec::compile(api, false), warnings })
            }
            Err(error) => {
                warnings.push(format!("callbacks are not sent: {error}"));
                let none = Document { root: json!({"openapi": "3.1.0", "paths": {}}), ..bodies };
                let bodies = Spec::compile(Api::compile(&none).ok()?, false);
                Some(Hooks { by_operation: HashMap::new(), webhooks: Vec::new(), bodies, warnings })
            }
        }
    }

    /// The requests that follow an answer of an operation.
    pub(super) fn after(
        &self,
        id: OperationId,
        facts: &Facts<'_>,
        making: Making,
    ) -> Vec<Outgoing> {
        let changes = !matches!(facts.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE");
        let webhooks = self.webhooks.iter().filter(|_| changes);
        let own = self.by_operation.get(&id.0).into_iter().flatten();
        (0..)
            .zip(own.chain(webhooks))
            .map(|(at, hook)| self.outgoing(hook, facts, making.at(at)))
            .collect()
    }

    fn outgoing(&self, hook: &Hook, facts: &Facts<'_>, making: Making) -> Outgoing {
        let template = format!("/{}", hook.body);
        let operations = &self.bodies.api.operations;
        let number = operations.iter().position(|operation| operation.template == template);
        let id = number.and_then(|number| u32::try_from(number).ok()).map(OperationId);
        let responses = id.map(|id| self.bodies.plan(id).responses.as_slice()).unwrap_or_default();
        let media = responses.first().and_then(|response| response.media.first());
        let body = media.map(|media| {
            let example = media.example(None).filter(|_| !making.dynamic);
            let made = || media.make(&media.declared, making, &self.bodies.api.schemas);
            example.cloned().unwrap_or_else(made)
        });
        Outgoing {
            name: hook.name.clone(),
            method: hook.method.clone(),
            url: expression::evaluate(&hook.url, facts),
            content_type: media.and_then(|media| HeaderValue::from_str(&media.declared).ok()),
            body: body.unwrap_or_default(),
        }
    }
}

/// Collects hooks, and paths whose responses are their bodies.
#[derive(Default)]
struct Compiler {
    paths: Map<String, Value>,
    warnings: Vec<String>,
}

impl Compiler {
    /// A callback object: path items by the expressions of their URLs.
    fn callback(&mut self, name: &str, callback: Place<'_>, hooks: &mut Vec<Hook>) {
        let callback = match callback.target() {
            Ok(callback) => callback,
            Err(error) => return self.warnings.push(error.to_string()),
        };
        for (url, item) in callback.members().filter(|(key, _)| !key.starts_with("x-")) {
            self.item(name, item, &|_| Some(url.to_owned()), hooks);
        }
    }

    /// A webhook is sent to the servers of its operation or path item.
    fn webhook(&mut self, name: &str, item: Place<'_>, hooks: &mut Vec<Hook>) {
        let of = |place: &Place<'_>| {
            let server = place.value.get("servers")?.get(0)?;
            Some(server.get("url")?.as_str()?.to_owned()).filter(|url| url.contains("://"))
        };
        let Ok(target) = item.clone().target() else { return };
        let before = hooks.len();
        self.item(name, item, &|operation| of(operation).or_else(|| of(&target)), hooks);
        if hooks.len() == before {
            self.warnings.push(format!(
                "{}: the webhook is not sent; name its receiver in servers of the path item",
                target.pointer
            ));
        }
    }

    fn item(
        &mut self,
        name: &str,
        item: Place<'_>,
        url: &dyn Fn(&Place<'_>) -> Option<String>,
        hooks: &mut Vec<Hook>,
    ) {
        let item = match item.target() {
            Ok(item) => item,
            Err(error) => return self.warnings.push(error.to_string()),
        };
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let Some(url) = url(&operation) else { continue };
            let content = match content_of(&operation) {
                Ok(content) => content,
                Err(error) => {
                    self.warnings.push(error.to_string());
                    continue;
                }
            };
            let Ok(method) = Method::from_bytes(method.to_ascii_uppercase().as_bytes()) else {
                continue;
            };
            let body = self.paths.len();
            let response = json!({"description": "", "content": content});
            let operation = json!({"responses": {"200": response}});
            self.paths.insert(format!("/{body}"), json!({"post": operation}));
            hooks.push(Hook { name: name.to_owned(), method, url, body });
        }
    }
}

/// The media types of an operation's request body.
fn content_of(operation: &Place<'_>) -> Result<Value, PlaceError> {
    let body = operation.follow("requestBody")?;
    let content = body.and_then(|body| body.value.get("content").cloned());
    Ok(content.unwrap_or_else(|| json!({})))
}
