//! Parameters, form fields and headers: values in text form.

use std::collections::BTreeMap;

use openapiv3::{Header, Parameter, QueryStyle, ReferenceOr};
use serde_json::{Map, Value, json};

use super::lists;
use super::openapi::{header, in_header, in_query, parameter_data};
use crate::infer::Limits;
use crate::infer::finalise::paths::template;
use crate::infer::finalise::schemas::detail::Detail;
use crate::infer::finalise::schemas::enums::{Evidence, enumeration};
use crate::infer::finalise::schemas::schema::inferred_format;
use crate::infer::sketch::{CappedMap, Merge as _};
use crate::infer::state::{
    Class, Delimited, Delimiter, Lexical, ObservedParameter, Requests, Text, keys,
};

/// The query and header parameters of an operation. Parameters that only failed requests have are
/// optional.
pub(crate) fn of_operation(
    ok: &Requests,
    failed: &Requests,
    detail: &Detail,
    limits: &Limits,
) -> Vec<Parameter> {
    let writer = Writer { detail, limits };
    let named = united(&ok.query, &failed.query, ok.n);
    let is_whole = ok.query.rest().is_none() && failed.query.rest().is_none();
    let deep = if is_whole { deep_objects(&named) } else { BTreeMap::new() };
    let deep_names = deep.iter().map(|(name, members)| (*name, writer.deep_object(name, members)));
    let plain = named.iter().filter(|(name, ..)| !deep.contains_key(keys(name).0));
    let plain =
        plain.map(|(name, parameter, required)| (*name, writer.query(name, parameter, *required)));
    // Each name occurs once: a name with members has no values of its own.
    let query: BTreeMap<&str, Parameter> = deep_names.chain(plain).collect();
    let headers = united(&ok.headers, &failed.headers, ok.n);
    let headers = headers.into_iter().map(|(name, parameter, required)| {
        let mut data = parameter_data(name, required, writer.repeated(parameter, name));
        data.extensions.extend(detail.counts(&[("present", parameter.present)]));
        in_header(data)
    });
    query.into_values().chain(headers).collect()
}

/// Sorted names, each with its observations and whether all of `n` valid messages have it.
fn united<'a>(
    ok: &'a CappedMap<ObservedParameter>,
    failed: &'a CappedMap<ObservedParameter>,
    n: u64,
) -> Vec<(&'a str, &'a ObservedParameter, bool)> {
    let mut all: Vec<(&str, &ObservedParameter, bool)> =
        ok.iter().map(|(name, parameter)| (name, parameter, parameter.present == n)).collect();
    all.extend(failed.iter().filter(|_| n == 0).map(|(name, parameter)| (name, parameter, false)));
    // A query may be `?=x`, but a parameter cannot have an empty name.
    all.retain(|(name, ..)| !name.is_empty());
    all.sort_by_key(|(name, _, _)| *name);
    all
}

/// The headers object of responses: those in all `n` are required.
pub(crate) fn headers<'a>(
    headers: &'a CappedMap<ObservedParameter>,
    n: u64,
    detail: &'a Detail,
    limits: &'a Limits,
) -> impl Iterator<Item = (String, ReferenceOr<Header>)> {
    let writer = Writer { detail, limits };
    headers.sorted().into_iter().map(move |(name, parameter)| {
        // A validator sees repeated headers as one comma-separated text.
        let schema = if parameter.most > 1 {
            json!({"type": "string"})
        } else {
            writer.scalar(parameter, name)
        };
        let mut header = header(parameter.present == n, schema);
        header.extensions.extend(detail.counts(&[("present", parameter.present)]));
        (name.to_owned(), ReferenceOr::Item(header))
    })
}

/// Writes parameters.
struct Writer<'a> {
    detail: &'a Detail,
    limits: &'a Limits,
}

impl Writer<'_> {
    /// A query parameter, with the style of its lists.
    fn query(&self, name: &str, parameter: &ObservedParameter, required: bool) -> Parameter {
        let list = lists::delimiter(parameter, name);
        let (schema, style, explode) = match list {
            Some((delimiter, delimited)) => {
                let style = match delimiter {
                    Delimiter::Comma => QueryStyle::Form,
                    Delimiter::Pipe => QueryStyle::PipeDelimited,
                    Delimiter::Space => QueryStyle::SpaceDelimited,
                };
                let items = self.items(parameter, delimited, name);
                (json!({"type": "array", "items": items}), style, Some(false))
            }
            // Brackets in the name mean a list, however short it is.
            None if parameter.most > 1 || name.ends_with("[]") => {
                let items = self.scalar(parameter, name);
                (json!({"type": "array", "items": items}), QueryStyle::Form, Some(true))
            }
            None => (self.scalar(parameter, name), QueryStyle::Form, None),
        };
        let mut data = parameter_data(name, required, schema);
        data.explode = explode;
        data.extensions.extend(self.detail.counts(&[("present", parameter.present)]));
        in_query(data, style)
    }

    /// A `deepObject` parameter, from names with brackets.
    fn deep_object(&self, name: &str, members: &[Member<'_>]) -> Parameter {
        let required = members.iter().any(|member| member.required);
        let schema = self.members(members.iter().map(|member| (&*member.keys, member)));
        let mut data = parameter_data(name, required, schema);
        data.explode = Some(true);
        in_query(data, QueryStyle::DeepObject)
    }

    /// The schema of members, by their key paths.
    fn members<'m>(&self, all: impl Iterator<Item = (&'m [&'m str], &'m Member<'m>)>) -> Value {
        let mut below: BTreeMap<&str, Vec<(&[&str], &Member<'_>)>> = BTreeMap::new();
        for (keys, member) in all {
            if let Some((first, keys)) = keys.split_first() {
                below.entry(first).or_default().push((keys, member));
            }
        }
        let (mut required, mut properties) = (Vec::new(), Map::new());
        for (key, members) in below {
            if members.iter().any(|(_, member)| member.required) {
                required.push(key);
            }
            let schema = match members.as_slice() {
                [([], member)] => self.repeated(member.parameter, key),
                // `tags[]=a`
                [([""], member)] => {
                    json!({"type": "array", "items": self.scalar(member.parameter, key)})
                }
                members => self.members(members.iter().copied()),
            };
            properties.insert(key.to_owned(), schema);
        }
        let mut schema = json!({"type": "object"});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema["properties"] = properties.into();
        schema
    }

    fn repeated(&self, parameter: &ObservedParameter, name: &str) -> Value {
        let schema = self.scalar(parameter, name);
        if parameter.most > 1 { json!({"type": "array", "items": schema}) } else { schema }
    }

    fn scalar(&self, parameter: &ObservedParameter, name: &str) -> Value {
        let text = parameter.whole(self.limits);
        self.text(&text, name, |lexical| parameter.is(lexical))
    }

    /// The items of delimited lists, and the values without a delimiter.
    fn items(&self, parameter: &ObservedParameter, delimited: &Delimited, name: &str) -> Value {
        let mut text = delimited.parts.clone();
        text.merge(parameter.text.clone(), self.limits);
        let refuted = delimited.refuted | parameter.refuted;
        self.text(&text, name, |lexical| refuted & lexical == 0)
    }

    fn text(&self, text: &Text, name: &str, is: impl Fn(u64) -> bool) -> Value {
        if let Some(mut schema) = lexical(is) {
            if schema["type"] == "integer" {
                self.detail.int_of_text(&mut schema, &text.values, name);
            }
            return schema;
        }
        let mut schema = json!({"type": "string"});
        if let Some(format) = inferred_format(text) {
            schema["format"] = json!(format);
        } else if let Some(values) =
            enumeration(&Evidence { n: text.n, values: &text.values, name })
        {
            schema["enum"] = json!(values);
        }
        self.detail.text(&mut schema, text, name, false);
        schema
    }
}

/// A name with brackets, which is a member of an object.
struct Member<'a> {
    keys: Vec<&'a str>,
    parameter: &'a ObservedParameter,
    required: bool,
}

/// The objects from names with brackets, by the part before the brackets. There is none if a name
/// is also a plain text, or both a text and an object.
fn deep_objects<'a>(
    named: &[(&'a str, &'a ObservedParameter, bool)],
) -> BTreeMap<&'a str, Vec<Member<'a>>> {
    let mut all: BTreeMap<&str, Vec<Member<'_>>> = BTreeMap::new();
    for (name, parameter, required) in named {
        let (base, keys) = keys(name);
        all.entry(base).or_default().push(Member { keys, parameter, required: *required });
    }
    all.retain(|_, members| {
        let is_text = |keys: &[&str]| members.iter().any(|member| member.keys == keys);
        members.iter().all(|member| {
            let (last, before) = member.keys.split_last().unwrap_or((&"", &[]));
            // Lists have their own style, and indices have none.
            let named =
                before.iter().chain(Some(last).filter(|key| !key.is_empty() || before.is_empty()));
            let named = named.clone().count() > 0
                && named.into_iter().all(|key| key.bytes().any(|byte| !byte.is_ascii_digit()));
            let led = (0..member.keys.len()).any(|end| is_text(&member.keys[..end]));
            let is_list = last.is_empty() && is_text(before);
            named && !led && !is_list
        })
    });
    all
}

fn lexical(is: impl Fn(u64) -> bool) -> Option<Value> {
    let name = if is(Lexical::BOOL) {
        "boolean"
    } else if is(Lexical::INT) {
        "integer"
    } else if is(Lexical::NUMBER) {
        "number"
    } else {
        return None;
    };
    Some(json!({"type": name}))
}

/// The schema of a path parameter.
pub(crate) fn of_path(values: &template::ParameterValues, name: &str, detail: &Detail) -> Value {
    let mut classes = values.classes.iter();
    match (classes.next(), classes.next()) {
        (Some(class), None) if !values.words => {
            if let Some(mut schema) = lexical(|lexical| values.segments.is(lexical)) {
                if schema["type"] == "integer" {
                    detail.int_of_text(&mut schema, values.segments.values(), name);
                }
                return schema;
            }
            match (class, inferred_format(values.segments.text())) {
                (
                    Class::Keyed
                    | Class::Uuid
                    | Class::Date
                    | Class::Datetime
                    | Class::Email
                    | Class::Ip,
                    Some(format),
                ) => {
                    json!({"type": "string", "format": format})
                }
                _ => json!({"type": "string"}),
            }
        }
        _ => json!({"type": "string"}),
    }
}
