//! Writes the whole document: paths of all hosts, servers, recordings.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{
    Components as ComponentsObject, Info, OpenAPI, PathItem, Paths as PathsObject, ReferenceOr,
    SecurityScheme, Server, Tag,
};
use serde_json::{Map, Value, json};

use super::bodies::{self, Bodies};
use super::components::Components;
use super::detail::Detail;
use super::graph::Graph;
use super::labels::{Labelled, Labels};
use super::maps::MapNames;
use super::not_found::attach_not_found;
use super::openapi::{self, schema};
use super::operation::Writer;
use super::schema::Schemas;
use super::security::Security;
use super::seeds::Seed;
use super::similar::{unite_namesakes, unite_similar};
use super::template::{self, ParameterSlot, ParameterValues, TemplateNode, VALUE};
use super::unions::{settle_unions, unite_optional};
use super::vocabulary::{Vocabulary, is_plural};
use super::{Options, constants, names, parameters, unread};
use crate::exchange::Method;
use crate::infer::Config;
use crate::infer::Limits;
use crate::infer::Notes;
use crate::infer::sketch::{CappedMap, Merge as _, merge_map};
use crate::infer::state::{ClassSet, Host, Node, Operation, State, in_lexicon, split_path};

/// The OpenAPI 3.0 document of a state, and notes on what it does not describe.
pub(crate) fn document(state: State, config: &Config, options: &Options) -> (Value, Notes) {
    let State { hosts, recordings, .. } = state;
    let hosts = servers_of(hosts, &options.bases, &config.limits);
    let mut origins: BTreeSet<String> = hosts.keys().cloned().collect();
    origins.extend(recordings.0.keys().map(|key| key.origin.clone()));
    let inferred = if config.mode.generalises() {
        paths(hosts, &origins, options, &config.limits)
    } else {
        Inferred { paths: constants::paths(&recordings, &origins), ..Inferred::default() }
    };
    origins.remove("");
    let title = options.title.clone().unwrap_or_else(|| title(&origins));
    let item = |(path, item)| (path, ReferenceOr::Item(item));
    let schemas = inferred.schemas.into_iter().map(|(name, tree)| (name, schema(tree)));
    let schemes = inferred.security.into_iter();
    let components = ComponentsObject {
        schemas: schemas.collect(),
        security_schemes: schemes.map(|(name, one)| (name, ReferenceOr::Item(one))).collect(),
        ..ComponentsObject::default()
    };
    let replay = || ("x-hmt-replay".to_owned(), constants::replay(&recordings));
    let document = OpenAPI {
        openapi: "3.0.3".to_owned(),
        info: Info { title, version: "1.0.0".to_owned(), ..Info::default() },
        servers: servers(&origins),
        paths: PathsObject {
            paths: inferred.paths.into_iter().map(item).collect(),
            ..PathsObject::default()
        },
        components: Some(components).filter(|all| *all != ComponentsObject::default()),
        tags: inferred.tags,
        extensions: (!recordings.is_empty()).then(replay).into_iter().collect(),
        ..OpenAPI::default()
    };
    (openapi::to_tree(document), inferred.notes)
}

/// All hosts by origin; the origin of hosts beyond the cap is empty. A base path makes a separate
/// server: `https://a.example/api` on `https://a.example`.
fn servers_of(hosts: CappedMap<Host>, bases: &[String], limits: &Limits) -> BTreeMap<String, Host> {
    let (kept, rest) = hosts.into_parts();
    let mut all = BTreeMap::new();
    for (origin, mut host) in kept {
        for base in bases.iter().filter(|base| !base.is_empty()) {
            let segments = split_path(base).0;
            let cut =
                Host { paths: host.paths.cut(&segments), not_found: host.not_found.cut(&segments) };
            if !cut.is_empty() {
                add_host(&mut all, format!("{origin}{base}"), cut, limits);
            }
        }
        // Not-found responses outside of the base paths need no server of their own.
        if !host.paths.is_empty() || bases.is_empty() {
            add_host(&mut all, String::from(origin), host, limits);
        }
    }
    if let Some(rest) = rest {
        add_host(&mut all, String::new(), rest, limits);
    }
    all
}

fn add_host(all: &mut BTreeMap<String, Host>, origin: String, host: Host, limits: &Limits) {
    match all.entry(origin) {
        Entry::Vacant(free) => {
            free.insert(host);
        }
        Entry::Occupied(mut known) => known.get_mut().merge(host, limits),
    }
}

/// The host, or the common domain or the names of several hosts.
fn title(origins: &BTreeSet<String>) -> String {
    let authority = |origin: &'_ str| {
        let rest = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default().to_owned()
    };
    let hosts: BTreeSet<String> = origins.iter().map(|origin| authority(origin)).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    match hosts.as_slice() {
        [] => "API".to_owned(),
        [host] => (*host).to_owned(),
        [first, second] => common_domain(&hosts).unwrap_or_else(|| format!("{first} and {second}")),
        [first, others @ ..] => {
            let more = others.len();
            common_domain(&hosts).unwrap_or_else(|| format!("{first} and {more} more hosts"))
        }
    }
}

/// The domain of all hosts: at least two labels, and not a public suffix such as `co.uk`.
fn common_domain(hosts: &[&str]) -> Option<String> {
    let labels = |host: &&str| -> Vec<String> { host.rsplit('.').map(str::to_owned).collect() };
    let mut common = labels(hosts.first()?);
    for host in hosts {
        let same = common.iter().zip(labels(host)).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    let short = |label: &String| label.len() <= 3;
    let is_name = common.len() >= 2 && !(common.len() == 2 && common.iter().all(short));
    let is_address = common.iter().all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    common.reverse();
    (is_name && !is_address).then(|| common.join("."))
}

/// The servers for some origins.
pub(super) fn servers(origins: &BTreeSet<String>) -> Vec<Server> {
    let url = |origin: &String| if origin.is_empty() { "/".to_owned() } else { origin.clone() };
    origins.iter().map(|origin| Server { url: url(origin), ..Server::default() }).collect()
}

/// A path that one or several hosts have in common.
#[derive(Default)]
struct Path {
    parameters: Vec<(String, ParameterValues)>,
    operations: BTreeMap<Method, Box<Operation>>,
    plain: u64,
    slashed: u64,
    origins: BTreeSet<String>,
}

/// The paths, and what they share.
#[derive(Default)]
struct Inferred {
    paths: BTreeMap<String, PathItem>,
    schemas: Map<String, Value>,
    /// Security schemes.
    security: BTreeMap<String, SecurityScheme>,
    tags: Vec<Tag>,
    notes: Notes,
}

/// Adds the not-found responses of a host to the paths that it shares with other hosts. A path of
/// another host may match responses that match no path of this host.
fn attach_to_shared(
    paths: &mut BTreeMap<String, Path>,
    origin: &str,
    not_found: Node,
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

fn paths(
    hosts: BTreeMap<String, Host>,
    origins: &BTreeSet<String>,
    options: &Options,
    limits: &Limits,
) -> Inferred {
    let seed = Seed::of(&options.templates);
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
    let maps = MapNames::learn(operations.flat_map(|operation| bodies::of_operation(operation)));
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
        let parameters = in_path(&trail.parameters, &place);
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
fn in_path(
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
        ReferenceOr::Item(openapi::in_path(name, schema))
    });
    item.parameters = parameters.collect();
    for (method, operation) in &path.operations {
        openapi::set_operation(&mut item, *method, writer.object(*method, operation));
    }
    if template.is_empty() || path.slashed > path.plain {
        template.push('/');
    }
    (template, item)
}

/// A path item without operations. It names its servers unless those are all servers of the
/// document.
pub(super) fn empty_item(
    own: &BTreeSet<String>,
    origins: &BTreeSet<String>,
    with_and_without_slash: bool,
) -> PathItem {
    let slash = || ("x-hmt-trailing-slash".to_owned(), json!("both"));
    PathItem {
        servers: if own == origins { Vec::new() } else { servers(own) },
        extensions: with_and_without_slash.then(slash).into_iter().collect(),
        ..PathItem::default()
    }
}
