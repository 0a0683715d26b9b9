//! Documents in several files: what other files hold is taken into the document, so that every reference is one
//! within it, and cycles through files are legal.
//!
//! A file stands as it is under `/x-hmt-files/NAME`, its name relative to the document's folder.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::document::{Document, Format, SpecError, finish, parse, read_capped};
use super::refs::{escape, on_references_mut};

/// Where the files stand in the document.
pub(super) const FILES: &str = "x-hmt-files";

/// Files of one document; more is a mistake, or meant to exhaust us.
const MAX_FILES: usize = 5_000;
/// Bytes of all of them.
const MAX_BYTES: usize = 64 << 20;

/// Gives the bytes of a file by its name relative to the document's folder, or says why not.
pub type ReadFile<'f> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'f;

/// Loads a file and all that it refers to in its own folder and the folders below. Gives the paths of all of them, that
/// of the document first.
///
/// # Errors
/// Where a file cannot be read or has no legal syntax, leads out of the folder, or where the file is no OpenAPI document of a
/// known version.
pub fn load_with_files(path: &Path) -> Result<(Document, Vec<PathBuf>), SpecError> {
    let bytes = read_capped(path)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = path.display().to_string();
    let mut paths = vec![path.to_owned()];
    let mut read = |name: &str| {
        let path = folder.join(name);
        // A link may lead anywhere.
        let root = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        let real = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
        if !real(&path)?.starts_with(real(root)?) {
            return Err("it leads out of the document's folder".to_owned());
        }
        let bytes = read_capped(&path).map_err(|error| match error {
            SpecError::Io { error, .. } => error.to_string(),
            other => other.to_string(),
        })?;
        paths.push(path);
        Ok(bytes)
    };
    let document = load_bundle(&bytes, &source, &name, &mut read)?;
    Ok((document, paths))
}

/// Loads a document called `name` from bytes, and what it refers to by `read`. `source` is for messages.
///
/// # Errors
/// As [`load_with_files`].
pub fn load_bundle(
    bytes: &[u8],
    source: &str,
    name: &str,
    read: &mut ReadFile<'_>,
) -> Result<Document, SpecError> {
    let mut warnings = Vec::new();
    let mut root = parse(bytes, source, Format::of_path(Path::new(name)), &mut warnings)?;
    if root.is_object() {
        bundle(&mut root, source, name, &mut warnings, read)?;
    }
    finish(root, source, warnings)
}

fn bundle(
    root: &mut Value,
    source: &str,
    name: &str,
    warnings: &mut Vec<String>,
    read: &mut ReadFile<'_>,
) -> Result<(), SpecError> {
    let mut files: BTreeMap<String, Value> = BTreeMap::new();
    let mut names = Names { document: name, broken: Vec::new(), open: BTreeSet::new() };
    names.rewrite(root, "", None);
    let mut total = 0;
    while let Some(file) = names.open.pop_first() {
        if files.contains_key(&file) {
            continue;
        }
        let place = format!("{source}: {file}");
        if files.len() >= MAX_FILES || total > MAX_BYTES {
            return Err(SpecError::TooLarge { source_name: source.to_owned() });
        }
        let bytes = match read(&file) {
            Ok(bytes) => bytes,
            Err(why) => {
                names.broken.push(format!("{file}: {why}"));
                files.insert(file, Value::Null);
                continue;
            }
        };
        total += bytes.len();
        let mut value = parse(&bytes, &place, Format::of_path(Path::new(&file)), warnings)?;
        names.rewrite(&mut value, &file, Some(root));
        files.insert(file, value);
    }
    if !names.broken.is_empty() {
        let broken = names.broken;
        return Err(SpecError::References { source_name: source.to_owned(), broken });
    }
    if let (Value::Object(root), false) = (root, files.is_empty()) {
        root.insert(FILES.to_owned(), Value::Object(Map::from_iter(files)));
    }
    Ok(())
}

/// Makes references to files references into the document.
struct Names<'n> {
    /// The document's own name.
    document: &'n str,
    /// What is wrong.
    broken: Vec<String>,
    /// Files that are referred to.
    open: BTreeSet<String>,
}

impl Names<'_> {
    /// Rewrites the references of a file; `file` is empty for the document itself, which for other files is `root`.
    fn rewrite(&mut self, value: &mut Value, file: &str, root: Option<&Value>) {
        // The walk holds the file, whose own pointers are to be looked up.
        let own = root.is_some().then(|| value.clone());
        let this = RefCell::new(self);
        on_references_mut(value, &|reference| {
            let mut this = this.borrow_mut();
            let Some(fragment) = reference.strip_prefix('#') else {
                return this.outward(reference, file);
            };
            // Many a file means the whole document by a `#` that is, strictly, itself.
            let decoded = percent_decode_str(fragment).decode_utf8_lossy();
            let is_own = own.as_ref().is_none_or(|own| own.pointer(&decoded).is_some());
            let in_root = root.is_some_and(|root| root.pointer(&decoded).is_some());
            (!file.is_empty() && (is_own || !in_root)).then(|| pointer_to(file, fragment))
        });
    }

    /// A reference to another file as one into the document; `None` for what is none, as a name in a discriminator's mapping.
    fn outward(&mut self, reference: &str, file: &str) -> Option<String> {
        let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let is_file = reference.contains(['#', '/'])
            || [".json", ".yaml", ".yml"].iter().any(|end| target.ends_with(end));
        if !is_file {
            return None;
        }
        let mut wrong = |why: &str| {
            let at = if file.is_empty() { self.document } else { file };
            self.broken.push(format!("{at}: $ref {reference:?} {why}"));
            None
        };
        if target.contains("://") {
            return wrong(
                "leads to another server; put its content into a file beside the document",
            );
        }
        let Some(name) = within(file, target) else {
            return wrong("leads out of the document's folder");
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return wrong("names an anchor of another file; use a JSON pointer");
        }
        if name == self.document {
            return Some(format!("#{fragment}"));
        }
        let pointer = pointer_to(&name, fragment);
        self.open.insert(name);
        Some(pointer)
    }
}

fn pointer_to(file: &str, fragment: &str) -> String {
    format!("#/{FILES}/{}{fragment}", escape(file).replace('%', "%25"))
}

/// The name of a file relative to the document's folder, as another file there writes it; `None` where it is not there or below.
fn within(from: &str, target: &str) -> Option<String> {
    let target = percent_decode_str(target).decode_utf8().ok()?;
    if target.starts_with('/') || target.contains(['\\', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check_refs;
    use super::*;

    fn load(files: &[(&str, &str)]) -> Result<Document, SpecError> {
        let mut read = |name: &str| {
            let found = files.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
        };
        load_bundle(files[0].1.as_bytes(), files[0].0, files[0].0, &mut read)
    }

    #[test]
    fn files_refer_to_each_other_in_circles() {
        let document = load(&[
            (
                "api.yaml",
                "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a: {$ref: ./paths/a.yaml}\ncomponents:\n  schemas:\n    Own: {type: string}\n",
            ),
            (
                "paths/a.yaml",
                "get:\n  responses:\n    '200':\n      description: d\n      content:\n        application/json: {schema: {$ref: '../schemas/all%20of.json#/A~1B'}}\n",
            ),
            (
                "schemas/all of.json",
                r##"{"A/B": {"properties": {"own": {"$ref": "../api.yaml#/components/schemas/Own"}, "next": {"$ref": "#/C"}, "lax": {"$ref": "#/components/schemas/Own"}}}, "C": {"items": {"$ref": "all of.json#/A~1B"}}}"##,
            ),
        ])
        .expect("loads");
        check_refs(&document).expect("every reference leads somewhere");
        let get = &document.root["x-hmt-files"]["paths/a.yaml"]["get"];
        let schema = &get["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/x-hmt-files/schemas~1all of.json/A~1B");
        let properties = &document.root["x-hmt-files"]["schemas/all of.json"]["A/B"]["properties"];
        assert_eq!(properties["own"]["$ref"], "#/components/schemas/Own");
        assert_eq!(properties["lax"]["$ref"], "#/components/schemas/Own");
        assert_eq!(properties["next"]["$ref"], "#/x-hmt-files/schemas~1all of.json/C");
    }

    #[test]
    fn what_is_no_file_of_the_folder_is_refused() {
        for (reference, why) in [
            ("../up.yaml", "out of the document's folder"),
            ("/etc/passwd", "out of the document's folder"),
            ("a/../../up.yaml", "out of the document's folder"),
            ("https://host/a.yaml", "another server"),
            ("gone.yaml#/A", "no such file"),
            ("there.yaml#/A", "nothing at"),
            ("there.yaml#anchor", "anchor"),
        ] {
            let text = json!({"openapi": "3.0.0", "paths": {}, "components": {"schemas": {"A": {"$ref": reference}}}});
            let text = text.to_string();
            let loaded = load(&[("api.json", &text), ("there.yaml", "B: {}")]);
            let error = loaded.and_then(|document| check_refs(&document)).expect_err(reference);
            assert!(error.to_string().contains(why), "{reference}: {error}");
        }
    }

    #[test]
    fn a_mapping_names_files_and_components() {
        let document = load(&[
            (
                "api.yaml",
                "openapi: 3.0.0\ncomponents:\n  schemas:\n    Pet:\n      oneOf: [{$ref: dog.yaml}, {$ref: '#/components/schemas/Cat'}]\n      discriminator: {propertyName: kind, mapping: {d: dog.yaml, c: Cat}}\n    Cat: {type: object}\n",
            ),
            ("dog.yaml", "type: object"),
        ])
        .expect("loads");
        let pet = &document.root["components"]["schemas"]["Pet"];
        assert_eq!(
            pet["discriminator"]["mapping"],
            json!({"d": "#/x-hmt-files/dog.yaml", "c": "Cat"})
        );
    }
}
