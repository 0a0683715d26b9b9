//! Finds the operation for a method and path.

use std::borrow::Cow;

use serde_json::Value;

use super::api::{Api, BasePathRule, Found, Location, Matched, Operation, Server};
use super::route::Entry;
use super::server::normal_origin;
use super::verb::{OperationId, Verb};
use crate::exchange::{Request, header, parse_query};
use crate::schema::{Direction, NodeId};

impl Api {
    /// The operation with an id from this document.
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0 as usize]
    }

    /// The servers of an operation: its own, those of its path item, or those of the document.
    pub fn servers_of<'a>(&'a self, operation: &'a Operation) -> &'a [Server] {
        operation.servers.as_deref().unwrap_or(&self.servers)
    }

    /// Finds the operation for a method and a path as on the wire, for any host.
    pub fn find<'a>(
        &'a self,
        method: impl Into<Verb<'a>>,
        path: &str,
        base: BasePathRule,
    ) -> Found<'a> {
        self.find_at(method, None, path, base)
    }

    /// Like [`Api::find`], but only among operations with a server of this origin
    /// (`https://host[:port]`) or a relative one. A path item without the method does not hide a
    /// less specific one that has it; with [`Api::find_for`], it does if the parameters of the path
    /// do not match their types.
    pub fn find_at<'a>(
        &'a self,
        method: impl Into<Verb<'a>>,
        origin: Option<&str>,
        path: &str,
        base: BasePathRule,
    ) -> Found<'a> {
        self.find_in(method.into(), origin, path, base, None)
    }

    /// Like [`Api::find_at`], for a complete request. If several operations have the same template
    /// apart from the names of parameters, or keys that differ only in query or fragment, the first
    /// one that the request matches is used.
    pub fn find_for<'a>(
        &'a self,
        method: impl Into<Verb<'a>>,
        origin: Option<&str>,
        request: &Request<'_>,
        base: BasePathRule,
    ) -> Found<'a> {
        self.find_in(method.into(), origin, &request.pathname, base, Some(request))
    }

    fn find_in<'a>(
        &'a self,
        method: Verb<'a>,
        origin: Option<&str>,
        path: &str,
        base: BasePathRule,
        request: Option<&Request<'_>>,
    ) -> Found<'a> {
        let origin = origin.map(normal_origin);
        let origin = origin.as_deref();
        let mut search = Search { method, request, others: Vec::new(), found: Vec::new() };
        for prefix in &self.bases {
            let Some(rest) = strip_base(path, prefix) else { continue };
            let serves = |server: &Server| server.base_path == *prefix && is_origin(server, origin);
            if self.visit(rest, &serves, &mut search) {
                break;
            }
        }
        if search.found.is_empty() && base == BasePathRule::Optional {
            let serves = |server: &Server| is_origin(server, origin);
            self.visit(path, &serves, &mut search);
        }
        let Search { others, mut found, .. } = search;
        if found.len() > 1
            && let Some(request) = request
        {
            // Templates with typed parameters come first. Otherwise, a template that accepts any
            // text would hide them.
            found.sort_by_key(|(matched, _)| self.open_parameters(matched.operation));
            let best = self.first_that_fits(&found, request);
            found.swap(0, best);
        }
        match found.into_iter().next() {
            Some((matched, _)) => Found::Operation(matched),
            None if others.is_empty() => Found::NotFound(self.router.nearest(path)),
            None => {
                let mut methods: Vec<Verb<'_>> = others.iter().map(|(verb, _)| *verb).collect();
                methods.sort_unstable();
                methods.dedup();
                Found::MethodNotAllowed(methods)
            }
        }
    }

    /// Collects the most specific operations. There are several only if they are at the same place.
    /// True if there is one.
    fn visit<'a>(
        &'a self,
        path: &str,
        serves: &dyn Fn(&Server) -> bool,
        search: &mut Search<'a, '_>,
    ) -> bool {
        self.router.visit(path, &mut |entry: &'a Entry, values: &[Cow<'_, str>]| {
            if search.found.first().is_some_and(|(m, _)| m.specificity != entry.specificity) {
                return true;
            }
            if !search.request.is_none_or(|request| holds(&entry.condition, request)) {
                return false;
            }
            for (other, id) in entry.all() {
                let operation = self.operation(id);
                if !self.servers_of(operation).iter().any(serves) {
                    continue;
                }
                let specificity = entry.specificity.as_slice();
                let first = search.others.first().is_none_or(|(_, first)| *first == specificity);
                if other != search.method && first {
                    search.others.push((other, specificity));
                    continue;
                }
                let names = entry.names.iter().map(String::as_str);
                let path_values =
                    names.zip(values.iter().map(|v| v.clone().into_owned())).collect();
                let matched = Matched { id, operation, path_values, raw_query: None, specificity };
                // `/pets/mine` hides `/pets/{id}`, unless `mine` can be an id.
                let hidden = !first
                    && search.request.is_some_and(|request| !self.path_fits(&matched, request));
                if hidden {
                    continue;
                }
                if other != search.method {
                    search.others.push((other, specificity));
                    continue;
                }
                search.found.push((matched, entry));
                return !entry.tied || search.request.is_none();
            }
            false
        });
        !search.found.is_empty()
    }

    /// Index of the first operation that the request is valid for, or of the first one whose path
    /// parameters match.
    fn first_that_fits(&self, found: &[(Matched<'_>, &Entry)], request: &Request<'_>) -> usize {
        let hinted = |entry: &Entry| !contradicts(&entry.hint, request);
        let first = |fits: &dyn Fn(&Matched<'_>) -> bool| {
            found.iter().position(|(matched, entry)| hinted(entry) && fits(matched))
        };
        first(&|matched| self.validate_request(matched, request).is_empty())
            .or_else(|| first(&|matched| self.path_fits(matched, request)))
            .or_else(|| first(&|_| true))
            .unwrap_or(0)
    }

    /// Number of path parameters that accept any text.
    fn open_parameters(&self, operation: &Operation) -> usize {
        // A text that no format and hardly any pattern accepts.
        let probe = Value::from("\u{fffd} ");
        let in_path = operation.parameters.iter().filter(|p| p.location == Location::Path);
        let is_open = |schema: Option<NodeId>| {
            schema.is_none_or(|id| self.schemas.accepts(id, &probe, Direction::Request))
        };
        in_path.filter(|parameter| is_open(parameter.schema)).count()
    }

    /// True if the path parameters of a request have the declared types.
    pub fn path_fits(&self, matched: &Matched<'_>, request: &Request<'_>) -> bool {
        let mut violations = Vec::new();
        let parameters = matched.operation.parameters.iter();
        for parameter in parameters.filter(|parameter| parameter.location == Location::Path) {
            self.parameter(parameter, matched, request, &mut violations);
        }
        violations.is_empty()
    }

    /// True if a path item or an operation has a relative server, besides those of the document.
    pub(super) fn has_relative_server(&self) -> bool {
        let own = self.operations.iter().filter_map(|operation| operation.servers.as_deref());
        own.flatten().any(|server| server.origin.is_none())
    }

    /// True if a server of the document, of a path item or an operation has this origin.
    pub fn has_origin(&self, origin: &str) -> bool {
        let origin = normal_origin(origin);
        let own = self.operations.iter().filter_map(|operation| operation.servers.as_deref());
        own.flatten()
            .chain(&self.servers)
            .any(|server| server.origin.is_some() && server.is_at(&origin))
    }
}

/// The criteria and results of a search.
struct Search<'a, 'r> {
    method: Verb<'a>,
    /// Decides between operations at the same place.
    request: Option<&'r Request<'r>>,
    /// Other methods of the path, each with the specificity of its template; the most specific
    /// template first.
    others: Vec<(Verb<'a>, &'a [u8])>,
    found: Vec<(Matched<'a>, &'a Entry)>,
}

/// The values of a name in the query of a request.
fn values<'r>(request: &'r Request<'_>, name: &'r str) -> impl Iterator<Item = &'r str> {
    request.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_ref())
}

fn holds(condition: &[(String, Option<String>)], request: &Request<'_>) -> bool {
    condition.iter().all(|(name, wanted)| {
        values(request, name).any(|value| wanted.as_ref().is_none_or(|wanted| wanted == value))
    })
}

/// True if the query, or a form in the body, has the name only with other values.
fn contradicts(hint: &[(String, Option<String>)], request: &Request<'_>) -> bool {
    let content_type = header(&request.headers, "content-type").unwrap_or_default();
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    let form = if is_form { request.body.as_str().map(parse_query) } else { None };
    hint.iter().any(|(name, wanted)| {
        let Some(wanted) = wanted else { return false };
        let fields = form.iter().flatten().filter(|(known, _)| known == name);
        let fields = fields.map(|(_, value)| value.as_ref());
        let mut values = values(request, name).chain(fields).peekable();
        values.peek().is_some() && !values.any(|value| value == wanted)
    })
}

fn is_origin(server: &Server, origin: Option<&str>) -> bool {
    origin.is_none_or(|origin| server.is_at(origin))
}

/// The rest of the path after a base path, which must end at a segment boundary.
fn strip_base<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(base)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}
