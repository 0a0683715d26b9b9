//! Checks a spec's responses with an independent validator that shares no code with HMT.

use std::collections::BTreeMap;
use std::error::Error;

use boon::{Compiler, Draft, Format, SchemaIndex, Schemas};
use jsonschema::{Registry, Validator};
use serde_json::{Map, Value};

/// The base URI of the document for the validator.
const BASE: &str = "http://spec.test/";

/// The tested methods: HEAD and TRACE have no bodies.
const METHODS: [&str; 6] = ["get", "put", "post", "delete", "options", "patch"];

/// A response of an operation with a JSON body.
#[derive(Clone, Debug)]
pub struct Case {
    pub method: String,
    /// The template with values for its parameters.
    pub path: String,
    pub template: String,
    /// The status to prefer.
    pub status: u16,
    pub media: String,
    /// JSON pointer of the schema.
    pub schema: String,
    /// Whether it is the default response of the operation.
    pub usual: bool,
}

/// A document, and its compiled schemas.
pub struct Judge {
    document: Value,
    /// Every schema is compiled once, because the schemas of some documents all refer to each
    /// other.
    compiler: Compiler,
    /// The compiled schemas.
    pub schemas: Schemas,
    registry: Registry,
}

/// A schema of one of the validators.
pub enum Schema {
    Boon(SchemaIndex),
    /// For patterns with look-around or back-references, which `boon` does not support.
    Jsonschema(Box<Validator>),
}

impl Judge {
    /// Reads OpenAPI 3.0 or 3.1; schemas of 3.0 are converted to the dialect of 3.1.
    pub fn new(mut document: Value) -> Result<Judge, String> {
        let old = document.get("openapi").and_then(Value::as_str).unwrap_or("").starts_with("3.0");
        let written = document.clone();
        Modern { root: &written, old }.walk(&mut document, false);
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.enable_content_assertions();
        // The one in boon treats `{?page}` as the start of a query.
        compiler.register_format(Format { name: "uri-template", func: uri_template });
        compiler.add_resource(BASE, document.clone()).map_err(|error| error.to_string())?;
        let resource = jsonschema::Draft::Draft202012.create_resource(document.clone());
        let registry = Registry::try_new(BASE, resource).map_err(|error| error.to_string())?;
        Ok(Judge { document, compiler, schemas: Schemas::new(), registry })
    }

    /// Compiles the schema at a JSON pointer, with everything it refers to.
    pub fn compile(&mut self, pointer: &str) -> Result<Schema, String> {
        let place = format!("{BASE}#{}", percent(pointer));
        match self.compiler.compile(&place, &mut self.schemas) {
            Ok(schema) => Ok(Schema::Boon(schema)),
            Err(error) if format!("{error:#}").contains("regex parse error") => {
                jsonschema::options()
                    .with_draft(jsonschema::Draft::Draft202012)
                    .with_registry(self.registry.clone())
                    .should_validate_formats(true)
                    .should_ignore_unknown_formats(true)
                    .build(&serde_json::json!({ "$ref": place }))
                    .map(|validator| Schema::Jsonschema(Box::new(validator)))
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(format!("{error:#}")),
        }
    }

    /// All responses with a JSON body, in document order.
    pub fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        let paths = self.document.get("paths").and_then(Value::as_object);
        for (template, item) in paths.into_iter().flatten() {
            let (item_at, item) = self.follow(format!("/paths/{}", escape(template)), item);
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let at = format!("{item_at}/{method}/responses");
                let responses = operation.get("responses").and_then(Value::as_object);
                let responses: Vec<(u16, &str)> = responses
                    .into_iter()
                    .flatten()
                    .filter_map(|(key, _)| Some((status(key)?, key.as_str())))
                    .collect();
                let explicit = responses.iter().filter(|(status, key)| {
                    (200..300).contains(status) && key.parse::<u16>().is_ok()
                });
                let usual = explicit.map(|(status, _)| *status).min();
                for (status, key) in responses {
                    let response = &operation["responses"][key];
                    let (at, response) = self.follow(format!("{at}/{key}"), response);
                    let content = response.get("content").and_then(Value::as_object);
                    for (media, entry) in content.into_iter().flatten() {
                        if !media.contains("json")
                            || media.contains("*")
                            || entry.get("schema").is_none()
                        {
                            continue;
                        }
                        cases.push(Case {
                            method: method.to_uppercase(),
                            path: fill(template),
                            template: template.clone(),
                            status,
                            media: media.clone(),
                            schema: format!("{at}/content/{}/schema", escape(media)),
                            usual: usual == Some(status),
                        });
                    }
                }
            }
        }
        cases
    }

    fn follow<'v>(&'v self, mut pointer: String, mut value: &'v Value) -> (String, &'v Value) {
        for _ in 0..16 {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { break };
            let Some(target) = reference.strip_prefix('#') else { break };
            let Some(found) = self.document.pointer(&unpercent(target)) else { break };
            (pointer, value) = (unpercent(target), found);
        }
        (pointer, value)
    }
}

fn status(key: &str) -> Option<u16> {
    match key {
        "default" => Some(599),
        key if key.len() == 3 && key.to_ascii_uppercase().ends_with("XX") => {
            Some(key[..1].parse::<u16>().ok()? * 100)
        }
        key => key.parse().ok(),
    }
    .filter(|status| *status >= 200)
}

/// Path parameters are not checked, so any text can be used.
fn fill(template: &str) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, (_, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        path.push_str(before);
        path.push('1');
        rest = after;
    }
    path.push_str(rest);
    percent(&path)
}

/// RFC 6570, section 2: literals, and expressions of an operator and variables with modifiers.
fn uri_template(value: &Value) -> Result<(), Box<dyn Error>> {
    let Value::String(text) = value else { return Ok(()) };
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (expression, tail) = after.split_once('}').ok_or("an expression without end")?;
        let variables = expression.trim_start_matches(|c| "+#./;?&=,!@|".contains(c));
        let name = |variable: &str| {
            let (name, length) = variable.split_once(':').unwrap_or((variable, "1"));
            let name = name.strip_suffix('*').unwrap_or(name);
            let legal = |c: char| c.is_ascii_alphanumeric() || "_.%".contains(c);
            !name.is_empty() && name.chars().all(legal) && length.parse::<u16>().is_ok()
        };
        if before.contains('}') || !variables.split(',').all(name) {
            return Err(format!("{{{expression}}} is no expression").into());
        }
        rest = tail;
    }
    if rest.contains('}') { Err("a brace that nothing opened".into()) } else { Ok(()) }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            b'/' | b'-' | b'.' | b'_' | b'~' | b'+' | b'*' | b';' | b'=' | b',' | b'@' | b':'
            | b'$' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn unpercent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Converts schemas to JSON Schema 2020-12, for responses.
struct Modern<'d> {
    root: &'d Value,
    /// OpenAPI 3.0.
    old: bool,
}

impl Modern<'_> {
    /// `names`: the keys are names that the author chose, not keywords.
    fn walk(&self, value: &mut Value, names: bool) {
        match value {
            Value::Object(map) => {
                if !names {
                    self.schema(map);
                }
                for (key, child) in map.iter_mut() {
                    let data = !names
                        && (key.starts_with("x-")
                            || matches!(
                                key.as_str(),
                                "example" | "examples" | "default" | "enum" | "const" | "mapping"
                            ));
                    if !data {
                        let below = !names
                            && matches!(
                                key.as_str(),
                                "properties"
                                    | "patternProperties"
                                    | "dependentSchemas"
                                    | "$defs"
                                    | "schemas"
                                    | "responses"
                                    | "headers"
                                    | "content"
                                    | "paths"
                                    | "parameters"
                                    | "requestBodies"
                                    | "encoding"
                                    | "links"
                                    | "callbacks"
                            );
                        self.walk(child, below);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, false)),
            _ => {}
        }
    }

    fn schema(&self, map: &mut Map<String, Value>) {
        // A draft 4 keyword, which the document uses differently.
        map.remove("$schema");
        if self.old {
            if let Some(reference) = map.get("$ref").filter(|r| r.is_string()).cloned() {
                *map = Map::from_iter([("$ref".to_owned(), reference)]);
                return;
            }
            if map.remove("nullable") == Some(Value::Bool(true))
                && let Some(kind @ Value::String(_)) = map.get("type").cloned()
            {
                map.insert("type".to_owned(), Value::Array(vec![kind, "null".into()]));
            }
            for (bound, strict) in
                [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")]
            {
                match map.get(strict) {
                    Some(Value::Bool(true)) => {
                        if let Some(limit) = map.remove(bound) {
                            map.insert(strict.to_owned(), limit);
                        } else {
                            map.remove(strict);
                        }
                    }
                    Some(Value::Bool(false)) => {
                        map.remove(strict);
                    }
                    _ => {}
                }
            }
        }
        // The validator looks for anchors in compiled schemas only.
        if let Some(Value::String(name)) = map.remove("$dynamicRef") {
            let schemas = self.root.pointer("/components/schemas").and_then(Value::as_object);
            let anchor = |schema: &Value| schema.get("$dynamicAnchor") == Some(&name[1..].into());
            let mut found = schemas.into_iter().flatten().filter(|(_, schema)| anchor(schema));
            if let Some((name, _)) = found.next() {
                let pointer = format!("#/components/schemas/{}", escape(name));
                map.insert("$ref".to_owned(), pointer.into());
            }
        }
        // `writeOnly` properties may be absent from responses.
        if let (Some(Value::Array(required)), Some(Value::Object(properties))) =
            (map.get("required").cloned(), map.get("properties"))
        {
            let kept: Vec<Value> = required
                .into_iter()
                .filter(|name| {
                    let property = name.as_str().and_then(|name| properties.get(name));
                    !property.is_some_and(|property| self.write_only(property))
                })
                .collect();
            map.insert("required".to_owned(), Value::Array(kept));
        }
    }

    fn write_only(&self, property: &Value) -> bool {
        let target = |value: &Value| {
            let reference = value.get("$ref").and_then(Value::as_str)?;
            self.root.pointer(&unpercent(reference.strip_prefix('#')?))
        };
        let Some(mut found) = target(property) else {
            return property.get("writeOnly") == Some(&Value::Bool(true));
        };
        for _ in 0..16 {
            found = target(found).unwrap_or(found);
        }
        found.get("writeOnly") == Some(&Value::Bool(true))
    }
}

impl Schema {
    /// The violation of the schema by a value, if any.
    fn fault(&self, schemas: &Schemas, value: &Value) -> Option<String> {
        match self {
            Schema::Boon(schema) => {
                schemas.validate(value, *schema).err().map(|error| format!("{error:#}"))
            }
            Schema::Jsonschema(validator) => validator
                .validate(value)
                .err()
                .map(|e| format!("{} at {} of {}", e, e.instance_path, e.schema_path)),
        }
    }
}

/// The number of checked responses, and their violations.
#[derive(Debug, Default)]
pub struct Verdict {
    pub answers: u64,
    /// For each case with violations: their number, and the first one.
    pub violations: BTreeMap<String, (u64, String)>,
}

impl Verdict {
    /// Checks a response.
    pub fn add(
        &mut self,
        case: &Case,
        schemas: &Schemas,
        schema: &Schema,
        status: u16,
        body: &[u8],
    ) {
        self.answers += 1;
        let wrong = if status != case.status {
            Some(format!("status {status}: {}", String::from_utf8_lossy(body)))
        } else {
            match serde_json::from_slice::<Value>(body) {
                Err(error) => Some(format!("no JSON: {error}")),
                Ok(value) => schema.fault(schemas, &value),
            }
        };
        if let Some(wrong) = wrong {
            let name = format!("{} {} {} {}", case.method, case.template, case.status, case.media);
            let entry = self.violations.entry(name).or_insert((0, wrong));
            entry.0 += 1;
        }
    }

    /// Adds the result of another worker.
    pub fn merge(&mut self, other: Verdict) {
        self.answers += other.answers;
        for (name, (count, first)) in other.violations {
            self.violations.entry(name).or_insert((0, first)).0 += count;
        }
    }
}
