//! Calls the webhooks, and compiles the specs that they return.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use twox_hash::XxHash3_128;

use crate::exchange::{Exchange, write_line};
use crate::net::GuardedClient;
use crate::spec::{Document, Home, load_bundle};

use super::super::catalogue::Catalogue;
use super::super::loader::{Loader, NO_LOADER};
use super::webhook::Webhook;

/// Maximum size of a response in bytes, which is that of a spec.
const MAX_ANSWER: u64 = 64 << 20;
/// Maximum number of compiled responses that are kept. Webhooks seldom return more than a few
/// different ones.
const KEPT: usize = 8;

/// Data that is computed once from the specs.
#[derive(Debug, Default)]
pub(super) struct Narrowing(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The specs as webhooks get them: `{SOURCE: DOCUMENT}`.
    schemas: Option<Bytes>,
    /// Compiled responses by their hash, the most recently used first.
    compiled: Vec<(u128, Arc<Catalogue>)>,
}

impl Narrowing {
    pub(super) fn forget(&self) {
        *self.0.lock() = Known::default();
    }

    /// A compiled response, which becomes the most recently used.
    fn find(&self, hash: u128) -> Option<Arc<Catalogue>> {
        let mut known = self.0.lock();
        let at = known.compiled.iter().position(|(own, _)| *own == hash)?;
        known.compiled[..=at].rotate_right(1);
        known.compiled.first().map(|(_, catalogue)| Arc::clone(catalogue))
    }

    /// The specs for a request, as the webhooks change them.
    ///
    /// # Errors
    /// What a webhook did wrong.
    pub(super) async fn specs_for(
        &self,
        webhooks: &[Webhook],
        loader: Option<&Arc<dyn Loader>>,
        client: &GuardedClient,
        exchange: &Exchange<'_>,
    ) -> Result<Option<Arc<Catalogue>>, String> {
        let Some(last) = webhooks.last() else { return Ok(None) };
        let loader = loader.ok_or(NO_LOADER)?;
        let mut schemas = self.schemas(loader).await?;
        let own = schemas.clone();
        for webhook in webhooks {
            let failed = |why: String| format!("{}: {why}", webhook.url);
            schemas = ask(client, webhook, exchange, &schemas).await.map_err(failed)?;
        }
        if schemas == own {
            return Ok(None);
        }
        let compiled = self.compiled(loader, schemas).await;
        compiled.map(Some).map_err(|why| format!("{}: its answer cannot be used: {why}", last.url))
    }

    /// The specs as JSON.
    async fn schemas(&self, loader: &Arc<dyn Loader>) -> Result<Bytes, String> {
        if let Some(known) = self.0.lock().schemas.clone() {
            return Ok(known);
        }
        let loader = Arc::clone(loader);
        // It reads files, and may request URLs.
        let written = spawn_blocking(move || {
            let documents = loader.documents()?;
            let all: Map<String, Value> =
                documents.into_iter().map(|document| (document.source, document.root)).collect();
            Ok::<Bytes, String>(Value::Object(all).to_string().into())
        });
        let schemas = written.await.map_err(|_| "the specs cannot be loaded")??;
        self.0.lock().schemas = Some(schemas.clone());
        Ok(schemas)
    }

    /// The compiled specs of a response.
    async fn compiled(
        &self,
        loader: &Arc<dyn Loader>,
        schemas: Bytes,
    ) -> Result<Arc<Catalogue>, String> {
        let hash = XxHash3_128::oneshot(&schemas);
        if let Some(found) = self.find(hash) {
            return Ok(found);
        }
        let loader = Arc::clone(loader);
        let compiled = spawn_blocking(move || loader.compile(documents_of(&schemas)?));
        let catalogue = compiled.await.map_err(|_| "it cannot be compiled")??;
        let catalogue = Arc::new(catalogue);
        let mut known = self.0.lock();
        known.compiled.insert(0, (hash, Arc::clone(&catalogue)));
        known.compiled.truncate(KEPT);
        Ok(catalogue)
    }
}

/// The specs as a webhook returns them.
async fn ask(
    client: &GuardedClient,
    webhook: &Webhook,
    exchange: &Exchange<'_>,
    schemas: &Bytes,
) -> Result<Bytes, String> {
    let mut body = Vec::with_capacity(1024 + schemas.len());
    write_line(exchange, &mut body);
    // The exchange's members without its end, which is a brace and a newline.
    body.truncate(body.trim_ascii_end().len().saturating_sub(1));
    body.extend_from_slice(b",\"schemas\":");
    body.extend_from_slice(schemas);
    body.push(b'}');
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let answer = client.send(&webhook.target, request, MAX_ANSWER).await;
    let answer = answer.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("answered with {}", answer.status()));
    }
    Ok(answer.into_body())
}

/// The documents of `{SOURCE: DOCUMENT}`, which may also be the member `schemas` of an object.
fn documents_of(answer: &[u8]) -> Result<Vec<Document>, String> {
    let answer: Value = serde_json::from_slice(answer)
        .map_err(|error| format!("not JSON (line {}, column {})", error.line(), error.column()))?;
    let wrong = "it must be an object of OpenAPI documents by their source";
    let Value::Object(mut schemas) = answer else { return Err(wrong.to_owned()) };
    let is_document =
        |value: &Value| ["openapi", "swagger"].iter().any(|key| value.get(key).is_some());
    if schemas.get("schemas").is_some_and(|inner| inner.is_object() && !is_document(inner))
        && let Some(Value::Object(inner)) = schemas.remove("schemas")
    {
        schemas = inner;
    }
    if let Some((source, _)) = schemas.iter().find(|(_, document)| !is_document(document)) {
        return Err(format!("{wrong}; {source:?} is not one"));
    }
    let home = Home::of_stdin(None).map_err(|error| error.to_string())?;
    schemas
        .into_iter()
        .map(|(source, document)| {
            let mut read = |name: &str| Err(format!("a webhook cannot refer to {name}"));
            load_bundle(document.to_string().as_bytes(), &source, &home, &mut read)
                .map_err(|error| error.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_documents_by_source() {
        let spec = r#"{"openapi":"3.0.3","info":{"title":"a","version":"1"},"paths":{}}"#;
        for answer in
            [format!("{{\"a.yaml\":{spec}}}"), format!("{{\"schemas\":{{\"a.yaml\":{spec}}}}}")]
        {
            assert_eq!(documents_of(answer.as_bytes()).unwrap()[0].source, "a.yaml");
        }
        // A source can have any name.
        let named = format!("{{\"schemas\":{spec}}}");
        assert_eq!(documents_of(named.as_bytes()).unwrap()[0].source, "schemas");
        assert!(documents_of(b"{}").unwrap().is_empty());
        for (answer, why) in [
            ("", "not JSON"),
            ("[]", "must be an object"),
            (r#"{"a":1}"#, "\"a\" is not one"),
            (r#"{"schemas":{"a":{}}}"#, "\"a\" is not one"),
        ] {
            let error = documents_of(answer.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{answer}: {error}");
        }
    }
}
