//! Writes the whole document: paths of all hosts, servers, recordings.

mod bodies;
mod constants;
mod forms;
mod graphql;
mod lists;
mod openapi;
mod operation;
mod parameters;
mod paths;
mod security;
mod unread;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use openapiv3::{Components, Info, OpenAPI, Paths, ReferenceOr};
use serde_json::Value;

use super::Options;
use crate::infer::sketch::{CappedMap, Merge as _};
use crate::infer::state::{Host, State, split_path};
use crate::infer::{Limits, Notes, StateConfig};
use openapi::{schema, servers};
use paths::Inferred;

/// The OpenAPI 3.0 document of a state, and notes on what it does not describe.
pub(crate) fn document(state: State, config: &StateConfig, options: &Options) -> (Value, Notes) {
    let State { hosts, recordings, .. } = state;
    let hosts = servers_of(hosts, &options.bases, &config.limits);
    let mut origins: BTreeSet<String> = hosts.keys().cloned().collect();
    origins.extend(recordings.0.keys().map(|key| key.origin.clone()));
    let inferred = if config.mode.generalises() {
        paths::paths(hosts, &origins, options, &config.limits)
    } else {
        Inferred { paths: constants::paths(&recordings, &origins), ..Inferred::default() }
    };
    origins.remove("");
    let title = options.title.clone().unwrap_or_else(|| title(&origins));
    let item = |(path, item)| (path, ReferenceOr::Item(item));
    let schemas = inferred.schemas.into_iter().map(|(name, tree)| (name, schema(tree)));
    let schemes = inferred.security.into_iter();
    let components = Components {
        schemas: schemas.collect(),
        security_schemes: schemes.map(|(name, one)| (name, ReferenceOr::Item(one))).collect(),
        ..Components::default()
    };
    let replay = || ("x-hmt-replay".to_owned(), constants::replay(&recordings));
    let document = OpenAPI {
        openapi: "3.0.3".to_owned(),
        info: Info { title, version: "1.0.0".to_owned(), ..Info::default() },
        servers: servers(&origins),
        paths: Paths { paths: inferred.paths.into_iter().map(item).collect(), ..Paths::default() },
        components: Some(components).filter(|all| *all != Components::default()),
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
