//! Finds what is nearest to an unmatched request: operations with similar paths, and the override
//! with the fewest conditions that do not match.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::Mock;
use super::super::catalogue::Catalogue;
use super::super::stages::nearest_operations;
use super::super::world::{Entry, Match, Override};

/// Maximum number of paths for which one response searches operations, because requests wait for
/// the journal meanwhile, and a large spec has many operations.
const SEARCHED: usize = 50;

/// Finds what is nearest for the entries of one response.
pub(super) struct Nearest {
    catalogue: Arc<Catalogue>,
    overrides: Vec<Arc<Override>>,
    /// Operations by path.
    known: HashMap<String, Vec<String>>,
}

impl Nearest {
    pub(super) fn new(mock: &Mock) -> Nearest {
        let catalogue = Arc::clone(&mock.catalogue());
        Nearest { catalogue, overrides: mock.world().overrides().list(), known: HashMap::new() }
    }

    /// `{"operations"?: ["GET /pets/{id}"], "override"?: {"id", "differs": ["method"]}}`; `None` if
    /// nothing is near.
    pub(super) fn of(&mut self, entry: &Entry) -> Option<Value> {
        let mut found = Map::new();
        let path = entry.target.path();
        if !self.known.contains_key(path) && self.known.len() < SEARCHED {
            self.known.insert(path.to_owned(), nearest_operations(&self.catalogue, path));
        }
        if let Some(operations) = self.known.get(path).filter(|operations| !operations.is_empty()) {
            found.insert("operations".to_owned(), json!(operations));
        }
        let ranked = self.overrides.iter().filter_map(|one| {
            let (asked, differs) = differences(&one.matching, entry);
            // An override that has nothing in common with the request is not near.
            (differs.len() < asked).then_some((one, differs))
        });
        if let Some((one, differs)) = ranked.min_by_key(|(_, differs)| differs.len()) {
            found.insert("override".to_owned(), json!({"id": one.id, "differs": differs}));
        }
        (!found.is_empty()).then_some(Value::Object(found))
    }
}

/// The number of conditions of an override, and those that a request does not meet. Bodies are not
/// compared, because the journal may have truncated them.
fn differences(wanted: &Match, entry: &Entry) -> (usize, Vec<String>) {
    let (mut asked, mut differs) = (0, Vec::new());
    let mut compare = |name: String, same: bool| {
        asked += 1;
        if !same {
            differs.push(name);
        }
    };
    if let Some(host) = &wanted.host {
        compare("host".to_owned(), host.matches(&entry.target.host));
    }
    if let Some(method) = &wanted.method {
        compare("method".to_owned(), method.eq_ignore_ascii_case(entry.method.as_str()));
    }
    if let Some(path) = &wanted.path {
        compare("path".to_owned(), path.matches(entry.target.path()));
    }
    for (name, value) in &wanted.query {
        let mut pairs = form_urlencoded::parse(entry.target.query().as_bytes());
        let same = pairs.any(|(own, given)| own == *name && given == *value);
        compare(format!("query {name}"), same);
    }
    let headers = match wanted.headers.is_empty() {
        true => http::HeaderMap::new(),
        false => entry.request_headers.to_map(),
    };
    for (name, value) in &wanted.headers {
        let same = headers.get_all(name).iter().any(|given| given.as_bytes() == value.as_bytes());
        compare(format!("header {name}"), same);
    }
    if wanted.body.is_some() && differs.is_empty() {
        differs.push("body".to_owned());
        asked += 1;
    }
    (asked, differs)
}
