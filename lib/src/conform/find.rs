//! Method and path to operation.

use std::borrow::Cow;

use super::api::{Api, Base, Found, Matched, Operation, OperationId, Server, Verb};
use super::route::Entry;
use super::server::normal_origin;

impl Api {
    /// The operation of an id that this document handed out.
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0 as usize]
    }

    /// The servers of an operation: its own, those of its path item, or those of the document.
    pub fn servers_of<'a>(&'a self, operation: &'a Operation) -> &'a [Server] {
        operation.servers.as_deref().unwrap_or(&self.servers)
    }

    /// Finds the operation for a method and a path as on the wire, whatever its host.
    pub fn find<'a>(&'a self, method: impl Into<Verb<'a>>, path: &str, base: Base) -> Found<'a> {
        self.find_at(method, None, path, base)
    }

    /// Like [`Api::find`], only among operations with a server of this origin (`https://host[:port]`) or a
    /// relative one. A path item without the method does not hide a less specific one that has it.
    pub fn find_at<'a>(
        &'a self,
        method: impl Into<Verb<'a>>,
        origin: Option<&str>,
        path: &str,
        base: Base,
    ) -> Found<'a> {
        let method = method.into();
        let origin = origin.map(normal_origin);
        let origin = origin.as_deref();
        let mut others: Vec<Verb<'a>> = Vec::new();
        let mut found = None;
        for prefix in &self.bases {
            let Some(rest) = strip_base(path, prefix) else { continue };
            let serves = |server: &Server| server.base_path == *prefix && is_origin(server, origin);
            if self.visit(method, rest, &serves, &mut others, &mut found) {
                break;
            }
        }
        if found.is_none() && base == Base::Optional {
            let serves = |server: &Server| is_origin(server, origin);
            self.visit(method, path, &serves, &mut others, &mut found);
        }
        match found {
            Some(matched) => Found::Operation(matched),
            None if others.is_empty() => Found::NotFound(self.router.nearest(path)),
            None => {
                others.sort_unstable();
                others.dedup();
                Found::MethodNotAllowed(others)
            }
        }
    }

    fn visit<'a>(
        &'a self,
        method: Verb<'_>,
        path: &str,
        serves: &dyn Fn(&Server) -> bool,
        others: &mut Vec<Verb<'a>>,
        found: &mut Option<Matched<'a>>,
    ) -> bool {
        self.router.visit(path, &mut |entry: &'a Entry, values: &[Cow<'_, str>]| {
            for (other, id) in entry.all() {
                let operation = self.operation(id);
                if !self.servers_of(operation).iter().any(serves) {
                    continue;
                }
                if other != method {
                    others.push(other);
                    continue;
                }
                let names = entry.names.iter().map(String::as_str);
                let path_values =
                    names.zip(values.iter().map(|v| v.clone().into_owned())).collect();
                let specificity = &entry.specificity;
                *found = Some(Matched { id, operation, path_values, raw_query: None, specificity });
                return true;
            }
            false
        })
    }

    /// True where a path item or an operation has a server of any host beside those of the document.
    pub(super) fn has_relative_server(&self) -> bool {
        let own = self.operations.iter().filter_map(|operation| operation.servers.as_deref());
        own.flatten().any(|server| server.origin.is_none())
    }

    /// True where a server of the document, of a path item or an operation has this origin.
    pub fn has_origin(&self, origin: &str) -> bool {
        let origin = normal_origin(origin);
        let own = self.operations.iter().filter_map(|operation| operation.servers.as_deref());
        own.flatten()
            .chain(&self.servers)
            .any(|server| server.origin.is_some() && server.is_at(&origin))
    }
}

fn is_origin(server: &Server, origin: Option<&str>) -> bool {
    origin.is_none_or(|origin| server.is_at(origin))
}

/// The path after a base path, which ends where a segment ends.
fn strip_base<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(base)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}
