//! The paths of all hosts, with their operations, schemas and labels.

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{PathItem, ReferenceOr, SecurityScheme, Tag};
use serde_json::{Map, Value};

use super::bodies::Bodies;
use super::openapi::{empty_item, in_path, set_operation};
use super::operation::Writer;
use super::security::Security;
use super::{parameters, unread};
use crate::exchange::Method;
use crate::infer::finalise::Options;
use crate::infer::finalise::labels::{Labelled, Labels};
use crate::infer::finalise::paths::names;
use crate::infer::finalise::paths::not_found::attach_not_found;
use crate::infer::finalise::paths::seeds::TemplateSeed;
use crate::infer::finalise::paths::template::{
    self, ParameterSlot, ParameterValues, TemplateNode, VALUE,
};
use crate::infer::finalise::schemas::components::Components;
use crate::infer::finalise::schemas::detail::Detail;
use crate::infer::finalise::schemas::graph::Graph;
use crate::infer::finalise::schemas::maps::MapNames;
use crate::infer::finalise::schemas::schema::Schemas;
use crate::infer::finalise::schemas::similar::{unite_namesakes, unite_similar};
use crate::infer::finalise::schemas::unions::{settle_unions, unite_optional};
use crate::infer::finalise::words::english::is_plural;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::sketch::{Merge as _, merge_map};
use crate::infer::state::{ClassSet, Host, ObservedOperation, TrieNode, in_lexicon};
use crate::infer::{Limits, Notes};

/// A path that one or several hosts have in common.
#[derive(Default)]
struct Path {
    parameters: Vec<(String, ParameterValues)>,
    operations: BTreeMap<Method, Box<ObservedOperation>>,
    plain: u64,
    slashed: u64,
    origins: BTreeSet<String>,
}

/// The paths, and what they share.
#[derive(Default)]
pub(super) struct Inferred {
    pub(super) paths: BTreeMap<String, PathItem>,
    pub(super) schemas: Map<String, Value>,
    /// Security schemes.
    pub(super) security: BTreeMap<String, SecurityScheme>,
    pub(super) tags: Vec<Tag>,
    pub(super) notes: Notes,
}

/// Adds the not-found responses of a host to the paths that it shares with other hosts. A path of
/// another host may match responses that match no path of this host.
fn attach_to_shared(
    paths: &mut BTreeMap<String, Path>,
    origin: &str,
    not_found: TrieNode,
    limits: &Limits,
) {
    let mut root = TemplateNode::default();
    for (key, path) in paths.iter().filter(|(_, path)| path.origins.contains(origin)) {
        let place = root.at(key);
        place.operations.extend(path.operations.keys().map(|method| (*method, Box::default())));
    }
    attach_not_found(&mut root, not_found, limits);
    for (key, path) in paths.iter_mut().filter(|(_, path)| path.origins.contains(origin)) {
        let place = root.at(key);
        merge_map(&mut path.operations, std::mem::take(&mut place.operations), limits);
        path.plain = path.plain.saturating_add(place.plain);
        path.slashed = path.slashed.saturating_add(place.slashed);
    }
}

/// Infers the paths of all hosts.
pub(super) fn paths(
    hosts: BTreeMap<String, Host>,
    origins: &BTreeSet<String>,
    options: &Options,
    limits: &Limits,
) -> Inferred {
    let seed = TemplateSeed::of(&options.templates);
    let (mut paths, mut not_found) = (BTreeMap::<String, Path>::new(), Vec::new());
    for (origin, host) in hosts {
        let vocabulary = Vocabulary::of(&host.paths);
        let mut root =
            template::template(host.paths, &vocabulary, seed.as_ref(), &options.literals, limits);
        let left = attach_not_found(&mut root, host.not_found, limits);
        flatten(root, &mut Trail::default(), &origin, &mut paths, limits);
        not_found.push((origin, left));
    }
    for (origin, left) in not_found {
        attach_to_shared(&mut paths, &origin, left, limits);
    }
    for operation in paths.values_mut().flat_map(|path| path.operations.values_mut()) {
        operation.settle();
    }
    let operations = paths.values().flat_map(|path| path.operations.values());
    let maps = MapNames::learn(operations.flat_map(|operation| operation.json_bodies()));
    let mut graph = Graph::new(limits, &maps);
    let paths: Vec<(String, Path, Bodies)> = paths
        .into_iter()
        .map(|(key, path)| {
            let bodies = Bodies::add(&path.operations, noun(&key), &mut graph);
            (key, path, bodies)
        })
        .collect();
    // Kinds are separated first, by the observations at each place alone, so that a mixture does
    // not influence the result.
    unite_optional(&mut graph);
    settle_unions(&mut graph);
    graph.forget_tags();
    unite_similar(&mut graph);
    settle_unions(&mut graph);
    unite_namesakes(&mut graph);
    graph.settle_maps();
    let components = Components::of(&graph);
    let detail = Detail::of(options, limits, &graph);
    let schemas = Schemas::new(&graph, &components, &detail);
    let labelled: Vec<Labelled<'_>> =
        paths.iter().map(|(key, path, _)| labelled(key, path)).collect();
    let labels = Labels::of(&labelled);
    let security = Security::learn(
        paths.iter().flat_map(|(_, path, _)| path.operations.values().map(AsRef::as_ref)),
    );
    let (mut emitted, mut notes) = (BTreeMap::new(), Notes::default());
    for (key, path, bodies) in &paths {
        let writer =
            Writer { key, bodies, schemas: &schemas, labels: &labels, security: &security };
        let (template, item) = path_item(path, key, origins, &writer);
        for (method, operation) in &path.operations {
            unread::note(*method, &template, operation, &mut notes);
        }
        emitted.insert(template, item);
    }
    Inferred {
        paths: emitted,
        schemas: schemas.definitions(),
        security: security.schemes(),
        tags: labels.tags(),
        notes,
    }
}

fn labelled<'p>(key: &'p str, path: &'p Path) -> Labelled<'p> {
    let parameters = path.parameters.iter().map(|(name, _)| name.as_str()).collect();
    Labelled { key, parameters, operations: &path.operations }
}

/// The subject of a path: its last plural, unless another word follows without a parameter before
/// it. For `/orders/{}/cancel` it is `orders`, for `/account/settings/current` it is `settings`.
fn noun<'k>(key: &'k str) -> &'k str {
    // For `Products({})` it is the name before the key.
    let name = |part: &'k str| match part.split_once('(') {
        Some((name, key)) if key.contains("{}") => name,
        _ => part,
    };
    let literals =
        || key.rsplit('/').map(name).filter(|part| !part.is_empty() && !part.contains("{}"));
    let plural = || literals().find(|part| is_plural(part) && !in_lexicon(part));
    let (before, last) = key.trim_end_matches('/').rsplit_once('/').unwrap_or(("", key));
    let names_itself = !last.contains("{}") && !before.ends_with('}') && !in_lexicon(last);
    let found = if names_itself { literals().next() } else { plural() };
    found.or_else(|| literals().next()).unwrap_or("item")
}

/// The path from the root to a place.
#[derive(Clone, Default)]
struct Trail {
    /// With `{}` for each parameter; equal keys are the same path.
    key: String,
    /// The previous segment, if it is a name.
    literal: Option<String>,
    parameters: Vec<(String, ParameterValues)>,
}

fn flatten(
    place: TemplateNode,
    trail: &mut Trail,
    origin: &str,
    paths: &mut BTreeMap<String, Path>,
    limits: &Limits,
) {
    if !place.operations.is_empty() {
        let path = paths.entry(trail.key.clone()).or_default();
        let parameters = parameters_of(&trail.parameters, &place);
        if path.parameters.is_empty() {
            path.parameters = parameters;
        } else {
            for ((_, mine), (_, theirs)) in path.parameters.iter_mut().zip(&parameters) {
                mine.classes.extend(&theirs.classes);
                mine.words |= theirs.words;
                mine.segments.merge(theirs.segments.clone(), limits);
            }
        }
        merge_map(&mut path.operations, place.operations, limits);
        path.plain = path.plain.saturating_add(place.plain);
        path.slashed = path.slashed.saturating_add(place.slashed);
        path.origins.insert(origin.to_owned());
    }
    for (segment, below) in place.literals {
        let mut trail = trail.clone();
        trail.key.push('/');
        // Braces would turn a name into a parameter.
        trail.key.push_str(&segment.replace('{', "%7B").replace('}', "%7D"));
        trail.literal = Some(segment);
        flatten(below, &mut trail, origin, paths, limits);
    }
    for (pattern, slot) in place.parameters {
        let mut trail = trail.clone();
        let taken: Vec<String> = trail.parameters.iter().map(|(name, _)| name.clone()).collect();
        let literal = trail.literal.as_deref();
        let owner = if is_owner(&pattern, &slot) { names::owner(literal, &taken) } else { None };
        let values = std::iter::once(slot.values).chain(slot.more);
        let values: Vec<ParameterValues> = values.collect();
        let names = match owner {
            Some(owner) => vec![owner],
            None => names::of_segment(literal, &pattern, &values, &taken),
        };
        trail.key.push('/');
        trail.key.push_str(&pattern);
        if let Some((collection, _)) = pattern.split_once('(') {
            trail.literal = Some(collection.to_owned());
        }
        trail.parameters.extend(names.into_iter().zip(values));
        flatten(slot.place, &mut trail, origin, paths, limits);
    }
}

/// True for a parameter whose only child is another parameter, if the values of both are words.
fn is_owner(pattern: &str, slot: &ParameterSlot) -> bool {
    let is_word = |slot: &ParameterSlot| slot.values.words && slot.values.seed_name.is_none();
    let below = &slot.place;
    pattern == VALUE
        && is_word(slot)
        && below.operations.is_empty()
        && below.literals.is_empty()
        && below.parameters.get(VALUE).is_some_and(is_word)
}

/// The parameters of the path that ends at a place.
fn parameters_of(
    parameters: &[(String, ParameterValues)],
    place: &TemplateNode,
) -> Vec<(String, ParameterValues)> {
    let n = place.plain.saturating_add(place.slashed);
    let through = |at: usize| {
        let all = place.operations.values().filter_map(|operation| operation.through.get(at));
        all.fold(ClassSet::default(), |all, classes| all.and(*classes))
    };
    let all = parameters.iter().enumerate();
    all.map(|(at, (name, values))| (name.clone(), values.in_path(through(at), n))).collect()
}

fn path_item(
    path: &Path,
    key: &str,
    origins: &BTreeSet<String>,
    writer: &Writer<'_>,
) -> (String, PathItem) {
    let mut template = String::new();
    let mut names = path.parameters.iter();
    for part in key.split_inclusive("{}") {
        match (part.strip_suffix("{}"), names.next()) {
            (Some(head), Some((name, _))) => {
                template.push_str(head);
                template.push('{');
                template.push_str(name);
                template.push('}');
            }
            _ => template.push_str(part),
        }
    }
    let mut item = empty_item(&path.origins, origins, path.plain > 0 && path.slashed > 0);
    let parameters = path.parameters.iter().map(|(name, values)| {
        let schema = parameters::of_path(values, name, writer.schemas.detail);
        ReferenceOr::Item(in_path(name, schema))
    });
    item.parameters = parameters.collect();
    for (method, operation) in &path.operations {
        set_operation(&mut item, *method, writer.object(*method, operation));
    }
    if template.is_empty() || path.slashed > path.plain {
        template.push('/');
    }
    (template, item)
}
