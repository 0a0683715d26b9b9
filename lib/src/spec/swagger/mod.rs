//! Converts Swagger 2.0 to the form of OpenAPI 3.0.
//!
//! Everything that 3.0 can express is kept; keywords that neither version knows stay where they
//! are.

mod objects;
mod schema;
mod security;

use serde_json::{Value, json};

use super::METHODS;
use super::refs::{FILES, on_references_mut, resolve};
use objects::{Object, map_values, take_object, take_over};
use schema::{convert_schema, schema};
use security::security_scheme;

/// Converts a document of version 2.0.
pub(super) fn convert(mut old: Object, warnings: &mut Vec<String>) -> Object {
    old.shift_remove("swagger");
    take_in(&mut old);
    let mut new = Object::new();
    new.insert("openapi".to_owned(), json!("3.0.3"));
    take_over(&mut old, &mut new, "info");
    let servers = servers(&mut old);
    if !servers.is_empty() {
        new.insert("servers".to_owned(), Value::Array(servers));
    }
    let defaults = Defaults {
        consumes: media_types(old.shift_remove("consumes")),
        produces: media_types(old.shift_remove("produces")),
        shared: take_object(&mut old, "parameters"),
    };
    let mut components = Object::new();
    let mut put = |name: &str, content: Object| {
        if !content.is_empty() {
            components.insert(name.to_owned(), Value::Object(content));
        }
    };
    put("schemas", map_values(take_object(&mut old, "definitions"), schema));
    put(
        "responses",
        map_values(take_object(&mut old, "responses"), |v| response(v, &defaults.produces)),
    );
    let (bodies, parameters): (Vec<_>, Vec<_>) =
        defaults.shared.clone().into_iter().partition(|(_, p)| location(p) == "body");
    put("parameters", {
        let plain = parameters.into_iter().filter(|(_, p)| location(p) != "formData");
        plain.map(|(name, value)| (name, parameter(value))).collect()
    });
    put("requestBodies", {
        bodies.into_iter().map(|(name, value)| (name, body(value, &defaults.consumes))).collect()
    });
    let schemes = take_object(&mut old, "securityDefinitions");
    put("securitySchemes", map_values(schemes, |value| security_scheme(value, warnings)));
    let mut paths = take_object(&mut old, "paths");
    for (name, item) in &mut paths {
        if let Value::Object(item) = item
            && !name.starts_with("x-")
        {
            path_item(item, &defaults);
        }
    }
    new.insert("paths".to_owned(), Value::Object(paths));
    if !components.is_empty() {
        new.insert("components".to_owned(), Value::Object(components));
    }
    for (key, value) in old {
        new.insert(key, value);
    }
    if let Some(Value::Object(files)) = new.get_mut(FILES) {
        files.values_mut().for_each(|file| other_file(file, &defaults));
    }
    let mut root = Value::Object(new);
    let shared = defaults.shared;
    let rename = |reference: &str| new_reference(reference, &shared);
    on_references_mut(&mut root, &rename);
    if let Some(Value::Object(files)) = root.get_mut(FILES) {
        files.values_mut().for_each(|file| on_references_mut(file, &rename));
    }
    match root {
        Value::Object(new) => new,
        // `root` was made an object three lines above.
        _ => Object::new(),
    }
}

/// Inlines parameters and responses from other files, because their conversion depends on their
/// use, for instance as a body.
fn take_in(old: &mut Object) {
    let Some(files) = old.get(FILES).cloned() else { return };
    let files = json!({ FILES: files });
    for key in ["parameters", "responses"] {
        if let Some(Value::Object(shared)) = old.get_mut(key) {
            shared.values_mut().for_each(|value| from_file(value, &files));
        }
    }
    if let Some(Value::Object(paths)) = old.get_mut("paths") {
        paths.values_mut().for_each(|item| take_into(item, &files));
    }
    if let Some(Value::Object(own)) = old.get_mut(FILES) {
        for file in own.values_mut() {
            take_into(file, &files);
            if let Value::Object(named) = file {
                named.values_mut().for_each(|item| take_into(item, &files));
            }
        }
    }
}

/// The same for a path item, or something that may be one.
fn take_into(item: &mut Value, files: &Value) {
    let Value::Object(item) = item else { return };
    let parameters = |owner: &mut Object| {
        if let Some(Value::Array(list)) = owner.get_mut("parameters") {
            list.iter_mut().for_each(|parameter| from_file(parameter, files));
        }
    };
    parameters(item);
    for method in METHODS {
        let Some(Value::Object(operation)) = item.get_mut(method) else { continue };
        parameters(operation);
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            responses.values_mut().for_each(|response| from_file(response, files));
        }
    }
}

fn from_file(value: &mut Value, files: &Value) {
    // References may refer to one another; the limit breaks cycles.
    for _ in 0..16 {
        let Some(Value::String(reference)) = value.get("$ref") else { return };
        let Some(found) = resolve(files, reference) else { return };
        *value = found.clone();
    }
}

/// The defaults that operations inherit from the document.
struct Defaults {
    consumes: Vec<String>,
    produces: Vec<String>,
    shared: Object,
}

fn new_reference(reference: &str, shared: &Object) -> Option<String> {
    let rest = reference.strip_prefix("#/")?;
    let (kind, name) = rest.split_once('/')?;
    let kind = match kind {
        "definitions" => "schemas",
        "responses" => "responses",
        "parameters" if shared.get(name).is_some_and(|p| location(p) == "body") => "requestBodies",
        "parameters" => "parameters",
        _ => return None,
    };
    Some(format!("#/components/{kind}/{name}"))
}

fn media_types(value: Option<Value>) -> Vec<String> {
    let Some(Value::Array(items)) = value else { return Vec::new() };
    items.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn location(parameter: &Value) -> &str {
    parameter.get("in").and_then(Value::as_str).unwrap_or_default()
}

/// `host`, `basePath` and `schemes` as server objects; none if all are absent.
fn servers(old: &mut Object) -> Vec<Value> {
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let schemes = media_types(old.shift_remove("schemes"));
    let (host, base) = (text(old.shift_remove("host")), text(old.shift_remove("basePath")));
    let base = base.trim_end_matches('/');
    if host.is_empty() {
        return if base.is_empty() { Vec::new() } else { vec![json!({"url": base})] };
    }
    let schemes = if schemes.is_empty() { vec!["https".to_owned()] } else { schemes };
    schemes.iter().map(|scheme| json!({"url": format!("{scheme}://{host}{base}")})).collect()
}

fn path_item(item: &mut Object, defaults: &Defaults) {
    // In 3.0, a path item cannot have body and form parameters, so each operation gets them.
    let mut common = Vec::new();
    if let Some(Value::Array(parameters)) = item.shift_remove("parameters") {
        let (bodies, plain): (Vec<_>, Vec<_>) =
            parameters.into_iter().partition(|p| is_body(p, defaults));
        common = bodies;
        if !plain.is_empty() {
            item.insert("parameters".to_owned(), plain.into_iter().map(parameter).collect());
        }
    }
    for method in METHODS {
        if let Some(Value::Object(old)) = item.get_mut(method) {
            operation(old, &common, defaults);
        }
    }
}

fn is_body(parameter: &Value, defaults: &Defaults) -> bool {
    matches!(location(target(parameter, defaults)), "body" | "formData")
}

/// The parameter itself, or the shared one that it refers to.
fn target<'v>(parameter: &'v Value, defaults: &'v Defaults) -> &'v Value {
    parameter
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/parameters/"))
        .and_then(|name| defaults.shared.get(name))
        .unwrap_or(parameter)
}

fn operation(operation: &mut Object, common: &[Value], defaults: &Defaults) {
    let own = |list: Option<Value>, inherited: &Vec<String>| match list {
        Some(list) => media_types(Some(list)),
        None => inherited.clone(),
    };
    let consumes = own(operation.shift_remove("consumes"), &defaults.consumes);
    let produces = own(operation.shift_remove("produces"), &defaults.produces);
    operation.shift_remove("schemes");
    let mut plain = Vec::new();
    let mut fields = Vec::new();
    let mut request_body = None;
    let parameters = match operation.shift_remove("parameters") {
        Some(Value::Array(parameters)) => parameters,
        _ => Vec::new(),
    };
    // The operation's parameters come first, because they override those of the path item.
    let has_body = parameters.iter().any(|p| is_body(p, defaults));
    let inherited = common.iter().filter(|_| !has_body).cloned();
    for old in parameters.into_iter().chain(inherited) {
        match location(target(&old, defaults)) {
            "body" if old.get("$ref").is_some() => request_body = Some(old),
            "body" => request_body = Some(body(old, &consumes)),
            "formData" => fields.push(target(&old, defaults).clone()),
            _ => plain.push(parameter(old)),
        }
    }
    if !fields.is_empty() {
        request_body = Some(form(fields, &consumes));
    }
    if !plain.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(plain));
    }
    if let Some(body) = request_body {
        operation.insert("requestBody".to_owned(), body);
    }
    if let Some(Value::Object(responses)) = operation.shift_remove("responses") {
        let responses = map_values(responses, |value| response(value, &produces));
        operation.insert("responses".to_owned(), Value::Object(responses));
    }
}

/// Keywords of a 2.0 parameter, header or items object that belong to a schema in 3.0.
const SCHEMA_WORDS: [&str; 18] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
    "x-faker",
];

fn split_schema(old: &mut Object) -> Value {
    let mut words = Object::new();
    for word in SCHEMA_WORDS {
        take_over(old, &mut words, word);
    }
    schema(Value::Object(words))
}

fn parameter(old: Value) -> Value {
    let Value::Object(mut old) = old else { return old };
    if old.contains_key("$ref") {
        return Value::Object(old);
    }
    let array = old.get("type").and_then(Value::as_str) == Some("array");
    let format = old.shift_remove("collectionFormat");
    let in_query = matches!(old.get("in").and_then(Value::as_str), Some("query" | "formData"));
    let schema = split_schema(&mut old);
    let multi = format.as_ref().and_then(Value::as_str) == Some("multi");
    if array && (in_query || multi) {
        let (style, explode) = style(format.as_ref());
        old.insert("style".to_owned(), json!(style));
        old.insert("explode".to_owned(), json!(explode));
    }
    if let Some(delimiter) = delimiter(format.as_ref(), in_query).filter(|_| array) {
        old.insert("x-hmt-delimiter".to_owned(), json!(delimiter));
    }
    old.insert("schema".to_owned(), schema);
    Value::Object(old)
}

/// `style` and `explode` for a `collectionFormat` of a query or form; `csv` is the default.
fn style(format: Option<&Value>) -> (&'static str, bool) {
    match format.and_then(Value::as_str) {
        Some("multi") => ("form", true),
        Some("ssv") => ("spaceDelimited", false),
        Some("pipes") => ("pipeDelimited", false),
        _ => ("form", false),
    }
}

/// The delimiter of a list that OpenAPI 3 has no `style` for.
fn delimiter(format: Option<&Value>, in_query: bool) -> Option<&'static str> {
    match format.and_then(Value::as_str)? {
        "tsv" => Some("\t"),
        "ssv" if !in_query => Some(" "),
        "pipes" if !in_query => Some("|"),
        _ => None,
    }
}

fn content(media_types: &[String], fallback: &str, schema: &Value) -> Object {
    let media = json!({ "schema": schema });
    if media_types.is_empty() {
        return Object::from_iter([(fallback.to_owned(), media)]);
    }
    media_types.iter().map(|name| (name.clone(), media.clone())).collect()
}

fn body(old: Value, consumes: &[String]) -> Value {
    let Value::Object(mut old) = old else { return old };
    let inner = old.shift_remove("schema").map_or_else(|| json!({}), schema);
    old.shift_remove("in");
    if let Some(name) = old.shift_remove("name") {
        old.insert("x-name".to_owned(), name);
    }
    old.insert("content".to_owned(), Value::Object(content(consumes, "application/json", &inner)));
    Value::Object(old)
}

fn form(fields: Vec<Value>, consumes: &[String]) -> Value {
    let mut properties = Object::new();
    let mut required = Vec::new();
    let mut encoding = Object::new();
    let mut has_file = false;
    for field in fields {
        let Value::Object(mut field) = field else { continue };
        let Some(Value::String(name)) = field.shift_remove("name") else { continue };
        has_file |= field.get("type").and_then(Value::as_str) == Some("file");
        if field.get("required") == Some(&Value::Bool(true)) {
            required.push(Value::String(name.clone()));
        }
        let format = field.shift_remove("collectionFormat");
        let (style, explode) = style(format.as_ref());
        if field.get("type").and_then(Value::as_str) == Some("array") && !explode {
            let mut own = json!({"style": style, "explode": explode});
            if let Some(delimiter) = delimiter(format.as_ref(), true) {
                own["x-hmt-delimiter"] = json!(delimiter);
            }
            encoding.insert(name.clone(), own);
        }
        let mut schema = split_schema(&mut field);
        // OpenAPI 3 has `allowEmptyValue` for queries only.
        if field.get("allowEmptyValue") == Some(&Value::Bool(false))
            && schema.get("type").and_then(Value::as_str) == Some("string")
            && schema.get("minLength").is_none()
        {
            schema["minLength"] = json!(1);
        }
        let types = ["integer", "number", "boolean", "string"].map(Some);
        if field.get("allowEmptyValue") == Some(&Value::Bool(true))
            && types.contains(&schema.get("type").and_then(Value::as_str))
        {
            schema = json!({"anyOf": [schema, {"type": "string", "maxLength": 0}]});
        }
        if let (Some(text), Some(schema)) =
            (field.shift_remove("description"), schema.as_object_mut())
        {
            schema.insert("description".to_owned(), text);
        }
        properties.insert(name, schema);
    }
    let any_required = !required.is_empty();
    let mut schema = json!({"type": "object", "properties": properties});
    if any_required {
        schema["required"] = Value::Array(required);
    }
    let forms: Vec<String> = consumes
        .iter()
        .filter(|t| t.starts_with("multipart/") || t.contains("form-urlencoded"))
        .cloned()
        .collect();
    let fallback =
        if has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
    let mut content = content(&forms, fallback, &schema);
    if !encoding.is_empty() {
        content.values_mut().for_each(|media| media["encoding"] = encoding.clone().into());
    }
    let mut body = json!({ "content": content });
    if any_required {
        body["required"] = Value::Bool(true);
    }
    body
}

fn response(old: Value, produces: &[String]) -> Value {
    let Value::Object(mut old) = old else { return old };
    if old.contains_key("$ref") {
        return Value::Object(old);
    }
    let examples = take_object(&mut old, "examples");
    let schema = old.shift_remove("schema").map(schema);
    if schema.is_some() || !examples.is_empty() {
        let mut media = match &schema {
            Some(schema) => content(produces, "application/json", schema),
            None => Object::new(),
        };
        for (name, example) in examples {
            // A range, or a name instead of a media type.
            let is_type = name.contains('/') && !name.contains('*');
            if !is_type && !media.contains_key(&name) && !media.is_empty() {
                for (_, entry) in media.iter_mut().filter(|(own, _)| is_in_range(own, &name)) {
                    if entry.get("example").is_none() {
                        entry["example"] = example.clone();
                    }
                }
                continue;
            }
            let entry = media.entry(name).or_insert_with(|| match &schema {
                Some(schema) => json!({ "schema": schema }),
                None => json!({}),
            });
            entry["example"] = example;
        }
        old.insert("content".to_owned(), Value::Object(media));
    }
    if let Some(Value::Object(headers)) = old.shift_remove("headers") {
        let headers = map_values(headers, |header| {
            let Value::Object(mut header) = header else { return header };
            header.shift_remove("collectionFormat");
            let schema = split_schema(&mut header);
            header.insert("schema".to_owned(), schema);
            Value::Object(header)
        });
        old.insert("headers".to_owned(), Value::Object(headers));
    }
    Value::Object(old)
}

/// True if a media type is in a range; names that are not ranges contain all.
fn is_in_range(media_type: &str, range: &str) -> bool {
    match range.split_once("/*") {
        Some((kind, _)) => kind == "*" || media_type.split('/').next() == Some(kind),
        None => true,
    }
}

/// A file that a document refers to: a path item, a schema, or several by name, also in
/// `definitions`.
fn other_file(file: &mut Value, defaults: &Defaults) {
    let Value::Object(map) = file else { return };
    if METHODS.iter().any(|method| map.get(*method).is_some_and(Value::is_object)) {
        return path_item(map, defaults);
    }
    if let Some(Value::Object(schemas)) = map.get_mut("definitions") {
        schemas.values_mut().for_each(convert_schema);
    }
    for value in map.values_mut() {
        match value {
            Value::Object(item) if is_path_item(item) => path_item(item, defaults),
            value => convert_schema(value),
        }
    }
    convert_schema(file);
}

/// Distinguishes a path item among others: a schema may have a property `get`, but without
/// responses.
fn is_path_item(map: &Object) -> bool {
    let mut operations = METHODS.iter().filter_map(|method| map.get(*method)).peekable();
    operations.peek().is_some()
        && operations.all(|operation| operation.get("responses").is_some_and(Value::is_object))
}

#[cfg(test)]
mod tests {
    use crate::spec::{check_refs, load};

    #[test]
    fn swagger_becomes_openapi() {
        let old = include_bytes!("../../../../tests/fixtures/specs/swagger.yaml");
        let document = load(old, "swagger.yaml").expect("loads");
        let expected = include_bytes!("../../../../tests/fixtures/specs/swagger-as-3.0.yaml");
        let expected = load(expected, "swagger-as-3.0.yaml").expect("loads");
        assert_eq!(document.warnings, Vec::<String>::new());
        assert_eq!(
            super::super::to_text(&document.root, super::super::Format::Yaml),
            super::super::to_text(&expected.root, super::super::Format::Yaml)
        );
        check_refs(&document).expect("every reference leads somewhere");
        let text = document.root.to_string();
        serde_json::from_str::<openapiv3::OpenAPI>(&text).expect("the typed model reads it");
    }
}
