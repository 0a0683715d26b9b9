//! Finds literal paths of recordings that match a template of the other document.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use super::servers;
use super::side::SourceSpec;
use super::target::path_parameters;
use crate::schema::{Direction, SchemaSet};
use crate::spec::join_pointer;

/// Which literal paths of one document are united with which templates of another.
pub(super) struct Templates {
    of: BTreeMap<String, String>,
}

impl Templates {
    /// Takes templates from the paths of `upper`, and literal paths from those of `lower`.
    pub(super) fn new(
        upper: &SourceSpec<'_>,
        key: &str,
        templates: &Map<String, Value>,
        lower: &SourceSpec<'_>,
        literals: &Map<String, Value>,
    ) -> Templates {
        let mut of = BTreeMap::new();
        if key != "paths" || lower.root.get("x-hmt-replay").is_none() {
            return Templates { of };
        }
        let mut set = SchemaSet::default();
        let own: Vec<&String> = literals.keys().filter(|path| path.contains('{')).collect();
        for (literal, item) in literals {
            let bare = literal.trim_end_matches('/');
            let known = |path: &String| path.trim_end_matches('/') == bare;
            if literal.contains('{')
                || templates.keys().any(known)
                || own.iter().any(|template| values(template, literal).is_some())
            {
                continue;
            }
            let hosts = |side: &SourceSpec<'_>, item: &Value| {
                item.as_object().and_then(servers::own).unwrap_or_else(|| side.servers.clone())
            };
            let found = templates
                .iter()
                .filter(|(template, _)| template.contains('{'))
                .filter(|(_, other)| servers::meet(&hosts(lower, item), &hosts(upper, other)))
                .filter_map(|(template, _)| Some((template, values(template, literal)?)))
                .filter(|(template, values)| accepts(&mut set, upper.root, template, values))
                // The template whose literal segments are further left is more specific.
                .min_by_key(|(template, _)| {
                    template.split('/').map(|segment| segment.contains('{')).collect::<Vec<_>>()
                });
            if let Some((template, _)) = found {
                of.insert(literal.clone(), template.clone());
            }
        }
        Templates { of }
    }

    /// The template that a literal path matches, if any.
    pub(super) fn of(&self, literal: &str) -> Option<&str> {
        self.of.get(literal).map(String::as_str)
    }
}

/// The parameter values of a literal path under a template. A segment has at most one parameter.
fn values(template: &str, literal: &str) -> Option<Vec<(String, String)>> {
    let (template, literal) = (template.trim_end_matches('/'), literal.trim_end_matches('/'));
    let (mut wants, mut has) = (template.split('/'), literal.split('/'));
    let mut values = Vec::new();
    loop {
        match (wants.next(), has.next()) {
            (None, None) => return Some(values),
            (Some(want), Some(have)) => match want.split_once('{') {
                None if want == have => {}
                None => return None,
                Some((before, tail)) => {
                    let (name, after) = tail.split_once('}')?;
                    let value = have.strip_prefix(before)?.strip_suffix(after)?;
                    if value.is_empty() || after.contains('{') {
                        return None;
                    }
                    let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                    values.push((name.to_owned(), value));
                }
            },
            _ => return None,
        }
    }
}

/// True if the template's parameters accept the values.
fn accepts(set: &mut SchemaSet, root: &Value, template: &str, values: &[(String, String)]) -> bool {
    let parameters = path_parameters(root, &join_pointer("/paths", template));
    parameters.into_iter().all(|(name, schema)| {
        let Some((_, text)) = values.iter().find(|(key, _)| *key == name) else { return true };
        let Ok(id) = set.add(root, &schema.pointer) else { return false };
        let number = serde_json::from_str::<Number>(text).ok().map(Value::Number);
        let readings = [Some(Value::from(text.as_str())), number];
        readings.into_iter().flatten().any(|value| set.accepts(id, &value, Direction::Request))
    })
}
