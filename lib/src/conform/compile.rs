//! Compiles a document to an [`Api`].

use serde_json::{Map, Value};

use super::api::{
    Api, HeaderSpec, Location, Media, Operation, Parameter, RequestBody, ResponseSpec,
    SecurityRequirement, Server, StatusKey,
};
use super::route::{Operations, Router, parameter_name};
use super::server::servers;
use super::verb::OperationId;
use crate::exchange::Method;
use crate::schema::{NodeId, SchemaError, SchemaSet, Streamed};
use crate::spec::{
    Document, METHODS, Place, PlaceError, SpecError, UNRESOLVED, Version, check_refs,
};

/// Why a document cannot be used for serving or checking.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ConformError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("{source_name}: {error}")]
    Reference { source_name: String, error: PlaceError },
    #[error("{source_name}: {error}")]
    Schema { source_name: String, error: SchemaError },
}

/// An error within a document, before the document's name is added.
enum CompileFault {
    Reference(PlaceError),
    Schema(SchemaError),
}

impl From<PlaceError> for CompileFault {
    fn from(error: PlaceError) -> Self {
        CompileFault::Reference(error)
    }
}

impl From<SchemaError> for CompileFault {
    fn from(error: SchemaError) -> Self {
        CompileFault::Schema(error)
    }
}

impl Api {
    /// Compiles a document.
    ///
    /// # Errors
    /// A reference cannot be resolved, or a schema is invalid.
    pub fn compile(document: &Document) -> Result<Api, ConformError> {
        check_refs(document)?;
        let mut compiler = Compiler {
            schemas: SchemaSet::default(),
            operations: Vec::new(),
            warnings: document.warnings.clone(),
            version: document.version,
        };
        let source_name = document.source.clone();
        let root = Place::root(&document.root);
        let router = match compiler.paths(&root) {
            Ok(router) => router,
            Err(CompileFault::Reference(error)) => {
                return Err(ConformError::Reference { source_name, error });
            }
            Err(CompileFault::Schema(error)) => {
                return Err(ConformError::Schema { source_name, error });
            }
        };
        let relative = || vec![Server { origin: None, base_path: String::new() }];
        let servers = servers(&root).unwrap_or_else(relative);
        let schemes = root.get("components").and_then(|c| c.get("securitySchemes"));
        let security_schemes: Vec<(String, Value)> = schemes
            .iter()
            .flat_map(Place::members)
            .filter_map(|(name, place)| Some((name.to_owned(), place.target().ok()?.value.clone())))
            .collect();
        let Compiler { mut schemas, operations, mut warnings, .. } = compiler;
        warnings.append(&mut schemas.warnings);
        undefined_schemes(&root, &operations, &security_schemes, &mut warnings);
        let own = operations.iter().filter_map(|operation| operation.servers.as_deref()).flatten();
        let mut bases: Vec<String> =
            own.chain(&servers).map(|server| server.base_path.clone()).collect();
        bases.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        bases.dedup();
        let source = document.source.clone();
        let streamed = None;
        Ok(Api {
            source,
            servers,
            operations,
            schemas,
            streamed,
            security_schemes,
            warnings,
            bases,
            router,
        })
    }
}

impl Api {
    /// Enables the search for undocumented parts of messages. Each place is reported once. Bodies
    /// without violations are checked while they are parsed.
    pub fn find_undeclared(&mut self) {
        self.schemas.every_place = true;
        self.check_while_parsing();
    }

    /// Checks bodies without violations while they are parsed, where nobody needs their values.
    pub fn check_while_parsing(&mut self) {
        self.streamed = Some(Streamed::new(&self.schemas));
    }
}

struct Compiler {
    schemas: SchemaSet,
    operations: Vec<Operation>,
    warnings: Vec<String>,
    version: Version,
}

impl Compiler {
    fn paths(&mut self, root: &Place<'_>) -> Result<Router, CompileFault> {
        let mut router = Router::default();
        for (template, item) in root.get("paths").iter().flat_map(Place::members) {
            if template.starts_with("x-") {
                continue;
            }
            let item = item.target()?;
            let both = item.text("x-hmt-trailing-slash") == Some("both");
            let mut operations = Operations::default();
            for name in METHODS {
                let Some(place) = item.get(name).filter(|place| place.value.is_object()) else {
                    continue;
                };
                // Every one of METHODS is a method of an exchange.
                let Ok(method) = name.parse::<Method>() else { continue };
                let id = self.operation(root, template, Some(method), &item, &place)?;
                operations.known.push((method, id));
            }
            for (name, place) in self.other_operations(&item) {
                let id = self.operation(root, template, None, &item, &place)?;
                operations.others.push((name, id));
            }
            router.insert(template, operations, both);
        }
        Ok(router)
    }

    fn operation(
        &mut self,
        root: &Place<'_>,
        template: &str,
        method: Option<Method>,
        item: &Place<'_>,
        place: &Place<'_>,
    ) -> Result<OperationId, CompileFault> {
        let mut parameters = self.parameters(item)?;
        parameters.iter_mut().for_each(|parameter| parameter.of_path = true);
        for parameter in self.parameters(place)? {
            let same = |p: &Parameter| p.location == parameter.location && p.name == parameter.name;
            match parameters.iter().position(same) {
                Some(index) => parameters[index] = parameter,
                None => parameters.push(parameter),
            }
        }
        let request_body = match place.follow("requestBody")? {
            Some(body) => {
                Some(RequestBody { required: body.flag("required"), content: self.content(&body)? })
            }
            None => None,
        };
        let mut responses = Vec::new();
        for (key, response) in place.get("responses").iter().flat_map(Place::members) {
            if key.starts_with("x-") {
                continue;
            }
            let Some(status) = status_key(key) else {
                self.warnings
                    .push(format!("{}: not a status code; it is ignored", response.pointer));
                continue;
            };
            let response = response.target()?;
            responses.push((status, self.response(&response)?));
        }
        let operation = Operation {
            method,
            template: template.to_owned(),
            pointer: place.pointer.clone(),
            operation_id: place.text("operationId").map(str::to_owned),
            servers: servers(place).or_else(|| servers(item)),
            parameters,
            request_body,
            responses,
            security: security(place).or_else(|| security(root)),
            raw: rest(place.value),
        };
        let index = u32::try_from(self.operations.len())
            .expect("a document of 64 MiB has fewer operations");
        self.operations.push(operation);
        Ok(OperationId(index))
    }

    /// The additional operations of an OpenAPI 3.2 path item, by the method that is sent: `query`,
    /// and those of `additionalOperations`.
    fn other_operations<'p>(&mut self, item: &Place<'p>) -> Vec<(String, Place<'p>)> {
        if self.version < Version::V3_2 {
            return Vec::new();
        }
        let query = item.get("query").map(|place| ("QUERY".to_owned(), place));
        let mut found: Vec<_> = query.into_iter().collect();
        for (name, place) in item.get("additionalOperations").iter().flat_map(Place::members) {
            let fixed = METHODS.contains(&name.to_ascii_lowercase().as_str()) || name == "QUERY";
            if fixed || name.parse::<Method>().is_ok() {
                let pointer = &place.pointer;
                self.warnings.push(format!(
                    "{pointer}: this method has its own keyword, so it is ignored here; write it as `{}`",
                    name.to_ascii_lowercase()
                ));
            } else {
                found.push((name.to_owned(), place));
            }
        }
        found.retain(|(_, place)| place.value.is_object());
        found
    }

    fn parameters(&mut self, owner: &Place<'_>) -> Result<Vec<Parameter>, CompileFault> {
        let mut parameters = Vec::new();
        for place in owner.get("parameters").iter().flat_map(Place::items) {
            let place = place.target()?;
            // The loader has already warned about it.
            if place.value.get(UNRESOLVED).is_some() {
                continue;
            }
            let location = match place.text("in") {
                Some("path") => Location::Path,
                Some("query") => Location::Query,
                Some("querystring") if self.version >= Version::V3_2 => Location::Querystring,
                Some("header") => Location::Header,
                Some("cookie") => Location::Cookie,
                _ => {
                    self.warnings.push(format!(
                        "{}: `in` must be path, query, header or cookie; the parameter is ignored",
                        place.pointer
                    ));
                    continue;
                }
            };
            let Some(name) = place.text("name") else {
                self.warnings.push(format!("{}: has no name; it is ignored", place.pointer));
                continue;
            };
            let default_style = match location {
                Location::Path | Location::Header => "simple",
                Location::Query | Location::Querystring | Location::Cookie => "form",
            };
            let style = place.text("style").unwrap_or(default_style).to_owned();
            let explode = place.value.get("explode").and_then(Value::as_bool);
            parameters.push(Parameter {
                name: match location {
                    Location::Header => name.to_ascii_lowercase(),
                    Location::Path => parameter_name(name).to_owned(),
                    _ => name.to_owned(),
                },
                location,
                required: place.flag("required") || location == Location::Path,
                deprecated: place.flag("deprecated"),
                explode: explode.unwrap_or(style == "form"),
                style,
                delimiter: place.text("x-hmt-delimiter").and_then(|text| text.chars().next()),
                of_path: false,
                allow_empty: place.value.get("allowEmptyValue").and_then(Value::as_bool),
                schema: self.schema(&place)?,
                content: self
                    .content(&place)?
                    .into_iter()
                    .next()
                    .map(|(k, media)| (k, media.schema)),
                example: place.value.get("example").cloned(),
                examples: examples(&place)?,
            });
        }
        Ok(parameters)
    }

    /// Compiles the `schema` of an object.
    fn schema(&mut self, owner: &Place<'_>) -> Result<Option<NodeId>, CompileFault> {
        self.schema_at(owner, "schema")
    }

    fn schema_at(&mut self, owner: &Place<'_>, key: &str) -> Result<Option<NodeId>, CompileFault> {
        match owner.get(key) {
            Some(schema) => Ok(Some(self.schemas.add(schema.document(), &schema.pointer)?)),
            None => Ok(None),
        }
    }

    fn content(&mut self, owner: &Place<'_>) -> Result<Vec<(String, Media)>, CompileFault> {
        let mut content = Vec::new();
        let members: Vec<_> = owner.get("content").iter().flat_map(Place::members).collect();
        let is_media_type = |key: &str| key.contains('/') || key == "*";
        let any_media_type = members.iter().any(|(key, _)| is_media_type(key));
        for (key, place) in members {
            if key.starts_with("x-") && !is_media_type(key) {
                continue;
            }
            let is_first = !any_media_type && content.is_empty();
            let pointer = place.pointer.clone();
            let place = place.target()?;
            let format = place.get("schema").and_then(|schema| schema.value.get("format").cloned());
            let assumed = match format.as_ref().and_then(Value::as_str) {
                Some("binary") => "application/octet-stream",
                _ => "application/json",
            };
            if !is_media_type(key) {
                let read = match is_first {
                    true => format!("it is read as {assumed}"),
                    false => "it is ignored".to_owned(),
                };
                self.warnings.push(format!("{pointer}: is not a media type; {read}"));
                if !is_first {
                    continue;
                }
            }
            let key = if is_media_type(key) { key } else { assumed };
            let media = Media {
                schema: self.schema(&place)?,
                item_schema: self.schema_at(&place, "itemSchema")?,
                data_schema: self.schema_at(&place, "x-hmt-item-schema")?,
                example: place.value.get("example").cloned(),
                examples: examples(&place)?,
                encoding: place.value.get("encoding").cloned(),
            };
            content.push((key_of(key), media));
        }
        Ok(content)
    }

    fn response(&mut self, place: &Place<'_>) -> Result<ResponseSpec, CompileFault> {
        let mut headers = Vec::new();
        for (name, header) in place.get("headers").iter().flat_map(Place::members) {
            let name = name.to_ascii_lowercase();
            // The specification says to ignore it, because `content` determines it.
            if name == "content-type" {
                continue;
            }
            let header = header.target()?;
            let examples = examples(&header)?.into_iter();
            let content = self.content(&header)?.into_iter().next();
            let content = content.map(|(_, media)| media).unwrap_or_default();
            let example = header.value.get("example").cloned().or(content.example);
            let spec = HeaderSpec {
                required: header.flag("required"),
                schema: self.schema(&header)?.or(content.schema),
                example: example
                    .or_else(|| examples.chain(content.examples).next().map(|(_, value)| value)),
            };
            headers.push((name, spec));
        }
        Ok(ResponseSpec {
            description: place.text("description").unwrap_or_default().to_owned(),
            headers,
            content: self.content(place)?,
        })
    }
}

/// The keys of an operation that are not compiled, except descriptive ones.
fn rest(operation: &Value) -> Map<String, Value> {
    const COMPILED: [&str; 7] = [
        "parameters",
        "requestBody",
        "responses",
        "callbacks",
        "servers",
        "security",
        "description",
    ];
    let members = operation.as_object().into_iter().flatten();
    let kept = members.filter(|(key, _)| !COMPILED.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Named examples with their values. Examples that only link to a file are left out.
fn examples(owner: &Place<'_>) -> Result<Vec<(String, Value)>, PlaceError> {
    let mut found = Vec::new();
    for (name, place) in owner.get("examples").iter().flat_map(Place::members) {
        let is_reference = place.value.get("$ref").is_some();
        let target = place.target()?;
        // 3.2 distinguishes the value from its serialised text.
        let value =
            ["value", "dataValue", "serializedValue"].iter().find_map(|k| target.value.get(*k));
        if let Some(value) = value {
            found.push((name.to_owned(), value.clone()));
        } else if is_reference && !is_example_object(target.value) {
            // A file with the value itself, as bundlers accept it.
            found.push((name.to_owned(), target.value.clone()));
        }
    }
    Ok(found)
}

/// True if an object has a field of the Example Object.
fn is_example_object(value: &Value) -> bool {
    const FIELDS: [&str; 6] =
        ["value", "dataValue", "serializedValue", "externalValue", "summary", UNRESOLVED];
    FIELDS.iter().any(|field| value.get(field).is_some())
}

/// Warns once about each security requirement whose scheme is not defined.
fn undefined_schemes(
    root: &Place<'_>,
    operations: &[Operation],
    schemes: &[(String, Value)],
    warnings: &mut Vec<String>,
) {
    let of_root = root.value.get("security").is_some();
    let mut known: Vec<(String, &str)> = Vec::new();
    for operation in operations {
        for (name, _) in operation.security.iter().flatten().flatten() {
            if schemes.iter().any(|(defined, _)| defined == name) {
                continue;
            }
            let own = root.value.pointer(&operation.pointer).and_then(|o| o.get("security"));
            let pointer = match own {
                None if of_root => "/security".to_owned(),
                _ => format!("{}/security", operation.pointer),
            };
            if !known.iter().any(|(at, other)| *at == pointer && other == name) {
                warnings.push(format!(
                    "{pointer}: the scheme {name:?} is not defined; define it in components/securitySchemes"
                ));
                known.push((pointer, name));
            }
        }
    }
}

fn status_key(key: &str) -> Option<StatusKey> {
    if key == "default" {
        return Some(StatusKey::Default);
    }
    let [first, rest @ ..] = key.as_bytes() else { return None };
    if !(b'1'..=b'9').contains(first) || rest.len() != 2 {
        return None;
    }
    if rest.eq_ignore_ascii_case(b"XX") {
        return Some(StatusKey::Range(first - b'0'));
    }
    key.parse().ok().map(StatusKey::Code)
}

fn security(owner: &Place<'_>) -> Option<Vec<SecurityRequirement>> {
    let list = owner.value.get("security")?.as_array()?;
    let requirement = |value: &Value| -> SecurityRequirement {
        let names = value.as_object().into_iter().flatten();
        names
            .map(|(name, scopes)| {
                let scopes = scopes.as_array().into_iter().flatten();
                (name.clone(), scopes.filter_map(|s| s.as_str().map(str::to_owned)).collect())
            })
            .collect()
    };
    Some(list.iter().map(requirement).collect())
}

/// A media type in lower case. Its parameters are unchanged, because they are sent as written.
fn key_of(declared: &str) -> String {
    match declared.split_once(';') {
        Some((essence, parameters)) => format!("{};{parameters}", essence.to_ascii_lowercase()),
        None => declared.to_ascii_lowercase(),
    }
}
