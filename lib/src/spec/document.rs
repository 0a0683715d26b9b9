//! Loads documents from bytes: format, version, warnings.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{kind, swagger, tree};

/// Larger documents are refused.
const MAX_BYTES: usize = 64 << 20;

/// A loaded OpenAPI document, in the form of 3.0 or later.
#[derive(Clone, Debug)]
pub struct Document {
    /// The document. Swagger 2.0 is converted to the form of 3.0, and `x-meeshkan-…` keys to
    /// `x-hmt-…`.
    pub root: Value,
    /// The source, for messages.
    pub source: String,
    /// The version that the file declared.
    pub version: Version,
    /// Formal errors that leave the document usable.
    pub warnings: Vec<String>,
}

/// The version of the OpenAPI specification that a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Swagger 2.0
    V2_0,
    /// OpenAPI 3.0
    V3_0,
    /// OpenAPI 3.1
    V3_1,
    /// OpenAPI 3.2
    V3_2,
}

/// A text format of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2 that YAML 1.1 parsers read the same way.
    Yaml,
    /// JSON
    Json,
}

impl Format {
    /// The format of a file name, by its extension.
    pub fn of_path(path: &Path) -> Option<Format> {
        let extension = path.extension()?.to_str()?;
        if extension.eq_ignore_ascii_case("json") {
            Some(Format::Json)
        } else if extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml") {
            Some(Format::Yaml)
        } else {
            None
        }
    }
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SpecError {
    #[error("{}: {}", path.display(), io_words(error))]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{source_name}: larger than 64 MiB; split the document")]
    TooLarge { source_name: String },
    #[error("{source_name}: the file is empty; give an OpenAPI document")]
    Empty { source_name: String },
    #[error("{source_name}: not UTF-8 (byte {at}); save the document as UTF-8")]
    Encoding { source_name: String, at: usize },
    #[error("{source_name}: not valid {format}: {message}")]
    Syntax { source_name: String, format: &'static str, message: String },
    #[error("{source_name}: {what}")]
    NotOpenApi { source_name: String, what: String },
    #[error(
        "{source_name}: unknown version {found} at /{key}; supported are Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2"
    )]
    UnknownVersion { source_name: String, key: &'static str, found: String },
    #[error("{source_name}: broken references:\n  {}", broken.join("\n  "))]
    References { source_name: String, broken: Vec<String> },
}

/// The bytes of a file of a document, truncated after the maximum size of a document.
///
/// # Errors
/// The file cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, SpecError> {
    let io = |error| SpecError::Io { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    // One byte more than the limit, so that an endless pipe or device does not fill the memory.
    File::open(path).map_err(io)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Loads a document from bytes: as JSON if the first byte is `{` or `[`, otherwise as YAML.
///
/// # Errors
/// The bytes are not an OpenAPI document of a known version.
pub fn load(bytes: &[u8], source: &str) -> Result<Document, SpecError> {
    load_as(bytes, source, Format::of_path(Path::new(source)))
}

/// Parses any JSON or YAML to a tree, by the same rules and limits.
///
/// # Errors
/// The bytes are neither JSON nor YAML.
pub fn parse_tree(bytes: &[u8], source: &str) -> Result<Value, SpecError> {
    parse(bytes, source, Format::of_path(Path::new(source)), &mut Vec::new())
}

fn load_as(bytes: &[u8], source: &str, format: Option<Format>) -> Result<Document, SpecError> {
    let mut warnings = Vec::new();
    let root = parse(bytes, source, format, &mut warnings)?;
    finish(root, source, warnings)
}

/// Converts a parsed tree to a document.
pub(super) fn finish(
    root: Value,
    source: &str,
    mut warnings: Vec<String>,
) -> Result<Document, SpecError> {
    let version = version(&root, source)?;
    let Value::Object(mut map) = root else {
        return Err(not_openapi(&root, source, "it is not a mapping"));
    };
    rename_old_extensions(&mut map);
    if let Some(Value::Object(files)) = map.get_mut(super::refs::FILES) {
        files.values_mut().filter_map(Value::as_object_mut).for_each(rename_old_extensions);
    }
    if version == Version::V2_0 {
        map = swagger::convert(map, &mut warnings);
    }
    let root = Value::Object(map);
    formalities(&root, &mut warnings);
    Ok(Document { root, source: source.to_owned(), version, warnings })
}

pub(super) fn parse(
    bytes: &[u8],
    source: &str,
    format: Option<Format>,
    warnings: &mut Vec<String>,
) -> Result<Value, SpecError> {
    let source_name = || source.to_owned();
    if bytes.len() > MAX_BYTES {
        return Err(SpecError::TooLarge { source_name: source_name() });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let other_kind = || {
        kind::of_bytes(bytes)
            .map(|kind| SpecError::NotOpenApi { source_name: source_name(), what: kind.message() })
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        other_kind().unwrap_or_else(|| SpecError::Encoding { source_name: source_name(), at })
    })?;
    let Some(first) = text.trim_start().chars().next() else {
        return Err(SpecError::Empty { source_name: source_name() });
    };
    let syntax = |format, message| {
        let error = SpecError::Syntax { source_name: source_name(), format, message };
        other_kind().unwrap_or(error)
    };
    // Flow-style YAML begins like JSON; a file with a YAML extension is read as YAML.
    if format == Some(Format::Json) || format.is_none() && matches!(first, '{' | '[') {
        return tree::from_json(text, warnings).map_err(|message| syntax("JSON", message));
    }
    let tree = tree::from_yaml(text, warnings).map_err(|message| syntax("YAML", message))?;
    if tree.is_null() {
        return Err(SpecError::Empty { source_name: source_name() });
    }
    Ok(tree)
}

fn not_openapi(root: &Value, source: &str, why: &str) -> SpecError {
    let what = match kind::of_tree(root) {
        Some(kind) => kind.message(),
        None => format!(
            "not an OpenAPI document: {why}; it must be a mapping with `openapi: 3.0.3` or `swagger: \"2.0\"`"
        ),
    };
    SpecError::NotOpenApi { source_name: source.to_owned(), what }
}

/// An error of the operating system as users understand it.
fn io_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            "no such file; check the name, or build a spec with hmt-build".to_owned()
        }
        std::io::ErrorKind::IsADirectory => {
            "this is a folder; name the file of the spec in it".to_owned()
        }
        _ => error.to_string(),
    }
}

fn version(root: &Value, source: &str) -> Result<Version, SpecError> {
    if !root.is_object() {
        return Err(not_openapi(root, source, "it is not a mapping"));
    }
    let (key, declared) = match (root.get("openapi"), root.get("swagger")) {
        (Some(declared), _) => ("openapi", declared),
        (None, Some(declared)) => ("swagger", declared),
        (None, None) => {
            return Err(not_openapi(root, source, "it has neither `openapi` nor `swagger`"));
        }
    };
    // `swagger: 2.0` without quotes is a number in YAML.
    let text = match declared {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is = |version: &str| {
        text.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    match key {
        "openapi" if is("3.0") => Ok(Version::V3_0),
        "openapi" if is("3.1") => Ok(Version::V3_1),
        "openapi" if is("3.2") => Ok(Version::V3_2),
        "swagger" if is("2.0") || text == "2" => Ok(Version::V2_0),
        _ => Err(SpecError::UnknownVersion { source_name: source.to_owned(), key, found: text }),
    }
}

/// Requirements of the specification that HMT does not depend on.
fn formalities(root: &Value, warnings: &mut Vec<String>) {
    match root.get("info") {
        None => warnings.push("/info is missing".to_owned()),
        Some(info) => {
            for key in ["title", "version"] {
                if !info.get(key).is_some_and(Value::is_string) {
                    warnings.push(format!("/info/{key} is missing or not a string"));
                }
            }
        }
    }
    if !["paths", "webhooks", "components"].iter().any(|key| root.get(key).is_some()) {
        warnings.push("/paths is missing".to_owned());
    }
    for (path, item) in root.get("paths").and_then(Value::as_object).into_iter().flatten() {
        if path.starts_with("x-") {
            continue;
        }
        let pointer = super::refs::join_pointer("/paths", path);
        if !path.starts_with('/') {
            warnings.push(format!("{pointer}: a path must begin with a slash"));
        }
        for (method, operation) in item.as_object().into_iter().flatten() {
            if super::METHODS.contains(&method.as_str()) && operation.get("responses").is_none() {
                warnings.push(format!("{pointer}/{method}/responses is missing"));
            }
        }
    }
}

/// The extension prefix of the original Python tool.
const OLD_PREFIX: &str = "x-meeshkan";

/// Renames `x-meeshkan…` keys to `x-hmt…`; the author's names and data stay.
fn rename_old_extensions(map: &mut Map<String, Value>) {
    if map.keys().any(|key| key.starts_with(OLD_PREFIX)) {
        *map = std::mem::take(map)
            .into_iter()
            .map(|(key, value)| match key.strip_prefix(OLD_PREFIX) {
                Some(rest) => (format!("x-hmt{rest}"), value),
                None => (key, value),
            })
            .collect();
    }
    for (key, value) in map.iter_mut() {
        let data = key.starts_with("x-")
            || matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "headers");
        match value {
            _ if data => {}
            Value::Object(names) if key == "properties" => {
                names.values_mut().filter_map(Value::as_object_mut).for_each(rename_old_extensions);
            }
            Value::Object(inner) => rename_old_extensions(inner),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(rename_old_extensions);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(text: &str) -> Value {
        load(text.as_bytes(), "s.yaml").expect("loads").root
    }

    #[test]
    fn yaml_scalars_come_right() {
        let root = yaml(
            "openapi: 3.0.0\ninfo: {title: t, version: 1.0}\npaths: {}\nx-a:\n  200: yes\n  on: no\n  null: ~\n  true: 2024-01-15\n  big: 18446744073709551615\n  small: -9223372036854775808\n  zip: 007\n  sep: 1_000\n  t: 12:30\n  b: !!str 5\n  f: 1e3\n  inf: .inf\n",
        );
        assert_eq!(
            root["x-a"],
            json!({"200": "yes", "on": "no", "null": null, "true": "2024-01-15", "big": u64::MAX,
                   "small": i64::MIN, "zip": "007", "sep": "1_000", "t": "12:30", "b": "5", "f": 1000.0, "inf": ".inf"})
        );
        assert_eq!(root["openapi"], "3.0.0");
    }

    #[test]
    fn formalities_are_warnings() {
        let document = load(b"swagger: 2.0\npaths: {a: {get: {}}}\npaths: {a: {get: {}}}", "-")
            .expect("loads");
        assert_eq!(document.version, Version::V2_0);
        assert_eq!(document.warnings.len(), 4, "{:?}", document.warnings);
    }

    #[test]
    fn what_is_no_spec_is_said() {
        let error = |bytes: &[u8]| load(bytes, "f").expect_err("no spec").to_string();
        assert!(error(b"").contains("empty"));
        assert!(error(b"# nothing\n").contains("empty"));
        assert!(error(b"\xff\xfe").contains("UTF-8"));
        assert!(error(b"openapi: 4.0.0").contains("unknown version 4.0.0 at /openapi"));
        assert!(error(b"{\"openapi\": \"3.0.0\",}").contains("line 1, column"));
        assert!(error(b"a: 1").contains("neither"));
        assert!(error(b"just text").contains("not a mapping"));
    }

    #[test]
    fn bombs_are_refused() {
        let mut laughs = String::from("openapi: 3.0.0\nx-a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (name, before) in ('b'..='j').zip('a'..='i') {
            laughs.push_str(&format!(
                "x-{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
            ));
        }
        assert!(load(laughs.as_bytes(), "f").is_err());
        let deep = format!("openapi: 3.0.0\nx-a: {}", "[".repeat(100_000));
        assert!(load(deep.as_bytes(), "f").is_err());
        let deep = format!("{{\"openapi\": \"3.0.0\", \"x\": {}", "[".repeat(100_000));
        assert!(load(deep.as_bytes(), "f").is_err());
        assert!(load(b"openapi: 3.0.0\nx: &x [*x]\n", "f").is_err());
    }

    #[test]
    fn old_extensions_are_renamed_where_they_are_keywords() {
        let root = yaml(
            "openapi: 3.0.0\nx-meeshkan-data: {E: [{x-meeshkan-a: 1}]}\npaths:\n  /a:\n    x-meeshkan-entity: E\ncomponents:\n  schemas:\n    E:\n      x-meeshkan-id-path: id\n      properties: {x-meeshkan-b: {type: string}}\n",
        );
        assert_eq!(root["x-hmt-data"], json!({"E": [{"x-meeshkan-a": 1}]}));
        assert_eq!(root["paths"]["/a"]["x-hmt-entity"], "E");
        assert_eq!(root["components"]["schemas"]["E"]["x-hmt-id-path"], "id");
        assert!(root.pointer("/components/schemas/E/properties/x-meeshkan-b").is_some());
    }
}
