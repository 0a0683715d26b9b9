//! Loads and extends the initial spec of `-a`.

use std::path::Path;

use crate::conform::Api;
use crate::infer::{Builder, Mode, Notes, Options};
use crate::merge::{self, ConflictPolicy, Contradictions, Rebuilt};
use crate::spec::{Document, Version, load_to_rewrite};
use serde_json::{Map, Value, json};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};

/// Loads an initial spec.
///
/// # Errors
/// Not a spec, or one with a broken reference.
pub(super) fn load(path: &Path) -> Result<Document, BuildError> {
    load_to_rewrite(path).whole()
}

/// The checker for the traffic while it is folded.
///
/// # Errors
/// The spec has an invalid schema.
pub(super) fn checker(initial: &Document) -> Result<Api, BuildError> {
    let mut api = Api::compile(initial).whole()?;
    api.schemas.every_fault = true;
    Ok(api)
}

/// A spec, and the spec to which all exchanges conform, if the two differ.
pub(super) struct Built {
    pub(super) document: Document,
    /// The spec with what people deleted.
    pub(super) whole: Option<Document>,
    /// Notes on bodies that do not match their type.
    pub(super) notes: Notes,
}

/// The spec of the folded traffic, added to the initial one, if any. If the contradictions of
/// single exchanges are unknown, they are derived from the sum of the traffic.
///
/// # Errors
/// The two cannot be united.
pub(super) fn document(
    builder: Builder,
    contradictions: Option<Contradictions>,
    initial: Option<Document>,
    config: &Config,
) -> Result<Built, BuildError> {
    let options = Options {
        templates: initial.as_ref().map(templates).unwrap_or_default(),
        bases: initial.as_ref().map(base_paths).unwrap_or_default(),
        ..config.options.clone()
    };
    for path in &config.explain {
        builder.explain(path, &options).iter().for_each(|line| config.messages().ready(line));
    }
    let from_sum =
        |initial: &Document| contradictions.is_none() || Contradictions::needs_bare_paths(initial);
    let observed =
        initial.as_ref().filter(|i| config.mode != Mode::Replay && from_sum(i)).map(|initial| {
            let options = Options { tight: true, ..options.clone() };
            inferred(builder.clone(), &options, Some(initial), config).0
        });
    let (mut built, notes) = inferred(builder, &options, initial.as_ref(), config);
    let Some(initial) = initial else {
        if config.mode != Mode::Replay {
            merge::remember(&mut built.root);
        }
        return Ok(Built { document: built, whole: None, notes });
    };
    let (source, version) = (initial.source.clone(), initial.version);
    if version > Version::V3_0 && config.openapi == Some(Version::V3_0) {
        return Err(BuildError::Failed(format!(
            "{source}: this spec cannot be written as OpenAPI 3.0, because it has a later version; use --openapi 3.1"
        )));
    }
    let version = version.max(built.version);
    let cannot = || format!("cannot combine {source} with the inferred spec");
    let as_document =
        |root| Document { root, source: source.clone(), version, warnings: Vec::new() };
    if config.mode == Mode::Replay {
        let root = merge::specs(&[initial, built], ConflictPolicy::Widen).because(cannot)?;
        return Ok(Built { document: as_document(root), whole: None, notes });
    }
    let contradictions = match (contradictions, observed) {
        (Some(mut exact), Some(observed)) => {
            exact.unite(Contradictions::of_bare_paths(&initial, &observed));
            exact
        }
        (Some(exact), None) => exact,
        (None, observed) => {
            observed.map(|observed| Contradictions::of_sum(&initial, &observed)).unwrap_or_default()
        }
    };
    let Rebuilt { root, whole, widened, deleted } =
        merge::rebuild(&initial, &built, &contradictions).because(cannot)?;
    for place in widened {
        config.messages().warn(place);
    }
    for pointer in deleted {
        config
            .messages()
            .warn(format_args!("{pointer}: stays deleted, although the traffic contains it"));
    }
    Ok(Built { document: as_document(root), whole: whole.map(as_document), notes })
}

/// The inferred spec, in the requested version and with the paths of the initial spec.
fn inferred(
    builder: Builder,
    options: &Options,
    initial: Option<&Document>,
    config: &Config,
) -> (Document, Notes) {
    let (root, notes) = builder.finalise_with_notes(options);
    let mut built = Document {
        root,
        source: "the inferred spec".to_owned(),
        version: Version::V3_0,
        warnings: Vec::new(),
    };
    if let Some(initial) = initial {
        below_its_servers(&mut built, initial);
    }
    written_as_asked(&mut built, config);
    (built, notes)
}

/// Converts a spec to the requested version.
fn written_as_asked(document: &mut Document, config: &Config) {
    if config.openapi == Some(Version::V3_1) {
        merge::to_3_1(&mut document.root);
        document.version = document.version.max(Version::V3_1);
    }
}

/// The path templates of a spec, unchanged and below the base path of each of its servers.
fn templates(initial: &Document) -> Vec<String> {
    let paths = initial.root.get("paths").and_then(|paths| paths.as_object());
    let mut bases = base_paths(initial);
    if !bases.contains(&String::new()) {
        bases.push(String::new());
    }
    paths
        .into_iter()
        .flatten()
        .flat_map(|(template, _)| bases.iter().map(move |base| format!("{base}{template}")))
        .collect()
}

/// The paths of the servers' URLs, longest first, without a trailing slash; an empty one if there
/// are no others.
fn base_paths(document: &Document) -> Vec<String> {
    let mut all: Vec<String> = servers(document)
        .iter()
        .filter_map(|server| server.get("url")?.as_str())
        .map(|url| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let path = if url.contains("://") {
                rest.find('/').map_or("", |at| &rest[at..])
            } else {
                rest
            };
            path.trim_end_matches('/').to_owned()
        })
        .collect();
    if all.is_empty() {
        all.push(String::new());
    }
    all.sort_by_key(|base| std::cmp::Reverse(base.len()));
    all.dedup();
    all
}

/// Renames inferred paths below a base path of the initial spec, so that both use the same name for
/// a path. Paths outside of the base paths, or whose new name is taken, stay, with the origin as
/// their server.
fn below_its_servers(built: &mut Document, initial: &Document) {
    let bases = base_paths(initial);
    let origins = servers(built);
    let Some(paths) = built.root.get("paths").and_then(|paths| paths.as_object()) else { return };
    let mut moved = Map::new();
    let mut all = servers(initial);
    let mut any = false;
    for (path, item) in paths {
        let mut item = item.clone();
        let own = item.get("servers").and_then(Value::as_array).cloned();
        let below = bases.iter().find_map(|base| {
            let rest = path.strip_prefix(base.as_str())?;
            let free = !paths.contains_key(rest) && !moved.contains_key(rest);
            (!base.is_empty() && rest.starts_with('/') && free).then_some((base, rest))
        });
        let Some((base, rest)) = below else {
            item["servers"] = own.unwrap_or_else(|| origins.clone()).into();
            moved.insert(path.clone(), item);
            continue;
        };
        any = true;
        let there: Vec<Value> =
            own.as_ref().unwrap_or(&origins).iter().map(|origin| under(origin, base)).collect();
        for server in &there {
            if !all.iter().any(|known| url(known) == url(server)) {
                all.push(server.clone());
            }
        }
        if own.is_some() {
            item["servers"] = there.into();
        }
        moved.insert(rest.to_owned(), item);
    }
    if any {
        built.root["paths"] = moved.into();
        built.root["servers"] = all.into();
    }
}

/// The server with the base path appended to its URL.
fn under(origin: &Value, base: &str) -> Value {
    json!({"url": format!("{}{base}", url(origin))})
}

/// The URL of a server, without a trailing slash.
fn url(server: &Value) -> &str {
    server["url"].as_str().unwrap_or_default().trim_end_matches('/')
}

fn servers(document: &Document) -> Vec<Value> {
    document.root.get("servers").and_then(Value::as_array).cloned().unwrap_or_default()
}
