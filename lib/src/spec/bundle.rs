//! Bundles documents in several files: the content of other files is added to the document, so that
//! every reference is local, and cycles through files are possible.
//!
//! A file is stored under `/x-hmt-files/NAME`, with its name relative to the document's folder.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::document::{Document, Format, SpecError, finish, parse, read_file};
use super::examples;
use super::home::{Home, ReferenceTarget, is_url};
use super::ids::{self, Ids};
use super::inline::{inline, leads_somewhere};
use super::lift::lift;
use super::refs::{Keys, escape, join_pointer, on_references_mut, resolve, walk};

/// The key for the files in the document.
pub(super) const FILES: &str = "x-hmt-files";
/// The key that replaces an unresolved reference; its value is the reference.
pub(crate) const UNRESOLVED: &str = "x-hmt-unresolved";

/// Maximum number of files of one document; more is a mistake or an attack.
const MAX_FILES: usize = 5_000;
/// Maximum total size of the files in bytes.
const MAX_BYTES: usize = 64 << 20;

/// Reads a file by its name relative to the reference root, or by its URL if it is on another
/// server. Returns a reason if this is not possible.
pub type ReadFile<'f> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'f;

/// Loads a file and everything it refers to below `ref_root` or, without one, below its own folder.
/// Returns the paths of all files, with the document first.
///
/// # Errors
/// The file cannot be read, has invalid syntax, or is not an OpenAPI document of a known version.
/// An unresolved reference is a warning, and any value is accepted in its place.
pub fn load_with_files(
    path: &Path,
    ref_root: Option<&Path>,
) -> Result<(Document, Vec<PathBuf>), SpecError> {
    let bytes = read_file(path)?;
    let home = Home::of_file(path, ref_root)?;
    let mut paths = vec![path.to_owned()];
    let mut read = reader(&home, &mut paths);
    let document = load_bundle(&bytes, &path.display().to_string(), &home, &mut read)?;
    drop(read);
    Ok((document, paths))
}

/// Loads a file, and everything that it refers to below its folder, as one document that can be
/// written again. The content of other files becomes components.
///
/// # Errors
/// Those of [`load_with_files`], and [`SpecError::References`] for an unresolved reference, because
/// writing the document again would lose it.
pub fn load_to_rewrite(path: &Path) -> Result<Document, SpecError> {
    let bytes = read_file(path)?;
    let home = Home::of_file(path, None)?;
    let mut paths = Vec::new();
    let mut read = reader(&home, &mut paths);
    let source = path.display().to_string();
    let mut warnings = Vec::new();
    let mut root = parse(&bytes, &source, Format::of_path(path), &mut warnings)?;
    if root.is_object() {
        let broken = bundle(&mut root, &source, &home, &mut warnings, &mut read)?;
        if !broken.is_empty() {
            return Err(SpecError::References { source_name: source, broken });
        }
    }
    let mut document = finish(root, &source, warnings)?;
    lift(&mut document.root);
    Ok(document)
}

/// Reads files below the reference root of a home, and notes the path of each.
pub fn reader<'r>(
    home: &'r Home,
    paths: &'r mut Vec<PathBuf>,
) -> impl FnMut(&str) -> Result<Vec<u8>, String> + 'r {
    let root = home.path_of("");
    move |name| {
        let path = home.path_of(name);
        // A symbolic link may point anywhere.
        let real = |path: &Path| {
            path.canonicalize().map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => "the file does not exist".to_owned(),
                _ => error.to_string(),
            })
        };
        if !real(&path)?.starts_with(real(&root)?) {
            return Err("it is a symbolic link that leaves the folder of the document".to_owned());
        }
        let bytes = read_file(&path).map_err(|error| match error {
            SpecError::Io { error, .. } => error.to_string(),
            other => other.to_string(),
        })?;
        paths.push(path);
        Ok(bytes)
    }
}

/// Loads a document from bytes, and the files it refers to with `read`. `source` is for messages.
///
/// # Errors
/// Those of [`load_with_files`].
pub fn load_bundle(
    bytes: &[u8],
    source: &str,
    home: &Home,
    read: &mut ReadFile<'_>,
) -> Result<Document, SpecError> {
    let mut warnings = Vec::new();
    let mut root = parse(bytes, source, Format::of_path(Path::new(home.name())), &mut warnings)?;
    if root.is_object() {
        let dangling = bundle(&mut root, source, home, &mut warnings, read)?;
        warnings
            .extend(dangling.into_iter().map(|why| format!("{why}; any value is accepted there")));
    }
    finish(root, source, warnings)
}

/// Adds the files, and returns the unresolved references.
fn bundle(
    root: &mut Value,
    source: &str,
    home: &Home,
    warnings: &mut Vec<String>,
    read: &mut ReadFile<'_>,
) -> Result<Vec<String>, SpecError> {
    let mut files: BTreeMap<String, Value> = BTreeMap::new();
    let mut names = Names::new(home, root);
    names.own_ids(root, "#");
    names.rewrite(root, "", None);
    let mut total = 0;
    examples::read_files(root, &mut |target| names.data(target, "", read));
    while let Some(file) = names.open.pop_first() {
        if files.contains_key(&file) || names.missing.contains_key(&file) {
            continue;
        }
        if files.len() >= MAX_FILES || total > MAX_BYTES {
            return Err(SpecError::TooLarge { source_name: source.to_owned() });
        }
        let place = format!("{source}: {file}");
        let parsed = read(&file).and_then(|bytes| {
            total += bytes.len();
            let format = Format::of_path(Path::new(&file));
            parse(&bytes, &place, format, warnings).map_err(|error| error.to_string())
        });
        match parsed {
            Ok(mut value) => {
                names.own_ids(&mut value, pointer_to(&file, "").as_str());
                names.rewrite(&mut value, &file, Some(root));
                examples::read_files(&mut value, &mut |target| names.data(target, &file, read));
                files.insert(file, value);
            }
            Err(why) => {
                names.missing.insert(file, why);
            }
        }
    }
    if let (Value::Object(root), false) = (&mut *root, files.is_empty()) {
        root.insert(FILES.to_owned(), Value::Object(Map::from_iter(files)));
    }
    names.settle(root);
    inline(root);
    Ok(names.open_dangling(root))
}

/// Rewrites references to files as references into the document.
struct Names<'n> {
    home: &'n Home,
    /// URLs of the document's folder: those of its servers, and the folder of `$self`.
    bases: Vec<String>,
    ids: Ids,
    /// Referenced files that are not loaded yet.
    open: BTreeSet<String>,
    /// Missing files, with the reason.
    missing: BTreeMap<String, String>,
    /// Files that were referenced by a URL of the document's own server.
    by_url: BTreeSet<String>,
    /// Why a reference was left unresolved.
    why: BTreeMap<String, &'static str>,
}

impl<'n> Names<'n> {
    fn new(home: &'n Home, root: &Value) -> Self {
        let own = root.get("$self").and_then(Value::as_str).filter(|own| own.contains("://"));
        let servers = root.get("servers").and_then(Value::as_array).into_iter().flatten();
        let servers = servers.filter_map(|server| server.get("url")?.as_str());
        let folder = own.and_then(|own| own.rsplit_once('/')).map(|(folder, _)| folder);
        let bases = folder.into_iter().chain(servers.filter(|url| url.contains("://")));
        let bases = bases.map(|url| url.trim_end_matches('/').to_owned()).collect();
        let ids = own.map(|own| (own.to_owned(), "#".to_owned())).into_iter().collect();
        Names {
            home,
            bases,
            ids,
            open: BTreeSet::new(),
            missing: BTreeMap::new(),
            by_url: BTreeSet::new(),
            why: BTreeMap::new(),
        }
    }

    /// Rewrites references to `$id`s. `prefix` is the location of the value in the document.
    fn own_ids(&mut self, value: &mut Value, prefix: &str) {
        if ids::collect(value, prefix, "", &mut self.ids) || !self.ids.is_empty() {
            let snapshot = value.clone();
            ids::rewrite(value, &snapshot, prefix, "", &self.ids);
        }
    }

    /// Rewrites the references of a file; `file` is empty for the document itself, and `root` is
    /// the document for other files.
    fn rewrite(&mut self, value: &mut Value, file: &str, root: Option<&Value>) {
        // The walk borrows the file, whose own pointers must be resolved.
        let own = root.is_some().then(|| value.clone());
        let this = RefCell::new(self);
        on_references_mut(value, &|reference| {
            let mut this = this.borrow_mut();
            let Some(fragment) = reference.strip_prefix('#') else {
                return this.outward(reference, file);
            };
            if fragment.starts_with(&format!("/{FILES}/")) {
                return None;
            }
            // Many files write `#` for the document, although strictly it means themselves.
            let decoded = percent_decode_str(fragment).decode_utf8_lossy();
            let is_own = own.as_ref().is_none_or(|own| own.pointer(&decoded).is_some());
            let in_root = root.is_some_and(|root| root.pointer(&decoded).is_some());
            (!file.is_empty() && (is_own || !in_root)).then(|| pointer_to(file, fragment))
        });
    }

    /// A reference to another file, as a reference into the document; `None` for anything else, for
    /// instance a name in a discriminator's mapping.
    fn outward(&mut self, reference: &str, file: &str) -> Option<String> {
        let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let is_file = reference.contains(['#', '/'])
            || [".json", ".yaml", ".yml"].iter().any(|end| target.ends_with(end));
        if !is_file || self.ids.contains_key(target) {
            return None;
        }
        let own_url = self.bases.iter().find_map(|base| {
            let rest = target.strip_prefix(base.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/').to_owned())
        });
        let by_url = own_url.is_some();
        let found = match own_url.as_deref() {
            Some("") => Ok(ReferenceTarget::Document),
            Some(rest) => self.home.find("", rest),
            None if target.contains("://") => self.home.find_url(target),
            None => self.home.find(file, target),
        };
        let name = match found {
            Ok(ReferenceTarget::Document) => return Some(format!("#{fragment}")),
            Ok(ReferenceTarget::File(name)) => name,
            Err(why) => {
                self.why.insert(reference.to_owned(), why);
                return None;
            }
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            self.why.insert(
                reference.to_owned(),
                "refers to an anchor in another file; use a JSON pointer",
            );
            return None;
        }
        if by_url {
            self.by_url.insert(name.clone());
        }
        let pointer = pointer_to(&name, fragment);
        self.open.insert(name);
        Some(pointer)
    }

    /// A file that an example names: a reference to it, or its bytes. `None` if it is missing.
    fn data(
        &mut self,
        target: examples::Wanted<'_>,
        file: &str,
        read: &mut ReadFile<'_>,
    ) -> Option<Value> {
        let (text, whole) = match target {
            examples::Wanted::Reference(text) => (text, false),
            examples::Wanted::Text(text) => (text, true),
        };
        let (target, fragment) = text.split_once('#').unwrap_or((text, ""));
        if target.is_empty() {
            return (!file.is_empty()).then(|| Value::from(pointer_to(file, fragment)));
        }
        // URLs in data are not references.
        if target.contains("://") || is_url(file) {
            return None;
        }
        let Ok(ReferenceTarget::File(name)) = self.home.find(file, target) else { return None };
        if !whole {
            // Data may only look like a reference, so the file is read before anything is changed.
            read(&name).ok()?;
            let pointer = pointer_to(&name, fragment);
            self.open.insert(name);
            return Some(pointer.into());
        }
        let bytes = read(&name).ok()?;
        match Format::of_path(Path::new(&name)) {
            Some(format) => parse(&bytes, &name, Some(format), &mut Vec::new()).ok(),
            None => String::from_utf8(bytes).ok().map(Value::String),
        }
    }

    /// Resolves references that depend on which files exist.
    fn settle(&self, root: &mut Value) {
        // A URL of the document's own server refers to the document if the file does not exist.
        let urls: Vec<String> = self
            .by_url
            .iter()
            .filter(|name| self.missing.contains_key(*name))
            .map(|name| pointer_to(name, ""))
            .collect();
        let rename = |reference: &str| {
            let own = urls.iter().find_map(|url| reference.strip_prefix(url.as_str()));
            if let Some(fragment) = own {
                return Some(format!("#{fragment}"));
            }
            let (target, fragment) = reference.split_once('#').unwrap_or((reference, ""));
            let known = self.ids.get(target).filter(|_| !target.is_empty())?;
            Some(format!("{known}{fragment}"))
        };
        on_references_mut(root, &rename);
        if let Some(Value::Object(files)) = root.get_mut(FILES) {
            files.values_mut().for_each(|file| on_references_mut(file, &rename));
        }
    }

    /// Lets unresolved references accept anything, and returns what is wrong with each.
    fn open_dangling(&self, root: &mut Value) -> Vec<String> {
        let mut reports = Vec::new();
        let mut dangling = Vec::new();
        let mut check = |pointer: &str, reference: &str| {
            let is_local = reference.starts_with('#');
            if !is_local || !leads_somewhere(root, reference) {
                dangling.push((pointer.to_owned(), reference.to_owned()));
            }
        };
        walk(root, Keys::Words, &mut String::new(), &mut check);
        let files = root.get(FILES).and_then(Value::as_object);
        for (name, file) in files.into_iter().flatten() {
            let mut pointer = join_pointer(&format!("/{FILES}"), name);
            walk(file, Keys::Words, &mut pointer, &mut check);
        }
        for (pointer, reference) in dangling {
            let (written, why) = self.explain(root, &reference);
            reports.push(format!("{pointer}: $ref {written:?} {why}"));
            let Some(Value::Object(map)) = root.pointer_mut(&pointer) else { continue };
            map.shift_remove("$ref");
            // A path item may have operations next to its reference.
            if !super::METHODS.iter().any(|method| map.contains_key(*method)) {
                map.clear();
            }
            map.insert(UNRESOLVED.to_owned(), written.into());
        }
        reports
    }

    /// A reference as its author wrote it, and what is wrong with it.
    fn explain(&self, root: &Value, reference: &str) -> (String, String) {
        if let Some(why) = self.why.get(reference) {
            return (reference.to_owned(), (*why).to_owned());
        }
        for (name, why) in &self.missing {
            if let Some(fragment) = reference.strip_prefix(pointer_to(name, "").as_str()) {
                let hash = if fragment.is_empty() { "" } else { "#" };
                return (format!("{name}{hash}{fragment}"), format!("cannot be read: {why}"));
            }
        }
        let why = if resolve(root, reference).is_some() {
            "is circular"
        } else if reference.starts_with('#') {
            "does not exist in this document"
        } else {
            "cannot be read"
        };
        (reference.to_owned(), why.to_owned())
    }
}

fn pointer_to(file: &str, fragment: &str) -> String {
    format!("#/{FILES}/{}{fragment}", escape(file).replace('%', "%25"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check_refs;
    use super::*;

    fn load(files: &[(&str, &str)]) -> Result<Document, SpecError> {
        let mut read = |name: &str| {
            let found = files.iter().find(|(known, _)| *known == name);
            found
                .map(|(_, text)| text.as_bytes().to_vec())
                .ok_or_else(|| "the file does not exist".to_owned())
        };
        let home = Home::of_url(files[0].0);
        load_bundle(files[0].1.as_bytes(), files[0].0, &home, &mut read)
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
    fn a_reference_that_leads_nowhere_is_a_warning() {
        for (reference, why) in [
            ("../up.yaml", "leaves the folder of the document"),
            ("a/../../up.yaml", "leaves the folder of the document"),
            ("https://host/a.yaml", "another server"),
            ("gone.yaml#/A", "the file does not exist"),
            ("there.yaml#/A", "does not exist"),
            ("there.yaml#anchor", "anchor"),
            ("#/components/schemas/A", "is circular"),
            ("#/gone", "does not exist"),
        ] {
            let text = json!({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {},
                "components": {"schemas": {"A": {"$ref": reference}}}});
            let document = load(&[("api.json", &text.to_string()), ("there.yaml", "B: {}")]);
            let document = document.expect(reference);
            assert_eq!(document.warnings.len(), 1, "{reference}: {:?}", document.warnings);
            let warning = &document.warnings[0];
            assert!(warning.starts_with("/components/schemas/A: "), "{warning}");
            assert!(warning.contains(why), "{reference}: {warning}");
            check_refs(&document).expect("nothing dangles");
        }
    }

    #[test]
    fn files_of_other_servers_refer_to_each_other() {
        let files = [
            ("http://a.test/api.json", r#"{"$ref": "../b.json#/B"}"#),
            ("http://b.test/x/y.json", r##"{"B": {"$ref": "z.json#/Z"}}"##),
            (
                "http://b.test/x/z.json",
                r#"{"Z": {"items": {"$ref": "http://a.test/api.json#/components/schemas/A"}}}"#,
            ),
        ];
        let text = json!({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {},
            "components": {"schemas": {"A": {"$ref": "http://b.test/x/y.json#/B"}}}});
        let mut read = |name: &str| {
            let found = files.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
        };
        let home = Home::of_url("http://a.test/api.json").with_remote(true);
        let text = text.to_string();
        let document = load_bundle(text.as_bytes(), "api.json", &home, &mut read).expect("loads");
        assert_eq!(document.warnings, [""; 0]);
        check_refs(&document).expect("nothing dangles");
        let z = &document.root["x-hmt-files"]["http://b.test/x/z.json"]["Z"];
        assert_eq!(z["items"]["$ref"], "#/components/schemas/A");
    }

    #[test]
    fn the_reference_root_may_be_above_the_document() {
        let home = Home::of_url("/api/a.yaml");
        for (from, target, found) in [
            ("", "../api/defs/x.yaml", Some("api/defs/x.yaml")),
            ("", "../shared/x.yaml", Some("shared/x.yaml")),
            ("shared/x.yaml", "y.yaml", Some("shared/y.yaml")),
            ("", "../../x.yaml", None),
            ("", "/x.yaml", Some("x.yaml")),
        ] {
            let name = match home.find(from, target) {
                Ok(ReferenceTarget::File(name)) => Some(name),
                _ => None,
            };
            assert_eq!(name.as_deref(), found, "{from} {target}");
        }
        assert!(matches!(
            home.find("shared/x.yaml", "../api/a.yaml"),
            Ok(ReferenceTarget::Document)
        ));
    }

    #[test]
    fn references_stand_where_bundlers_follow_them() {
        let document = load(&[
            (
                "api.yaml",
                "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get: {$ref: op.yaml}\n  /b:\n    get:\n      parameters: {$ref: params.yaml}\n      responses: {$ref: responses.yaml}\ncomponents:\n  schemas:\n    S: {type: object, properties: {$ref: props.yaml}, example: {x: {$ref: raw.json}, y: {$ref: gone.json}}}\n",
            ),
            ("op.yaml", "responses: {'200': {description: d}}"),
            ("params.yaml", "- {name: q, in: query, schema: {$ref: 'props.yaml#/q'}}"),
            ("responses.yaml", "'201': {description: d, content: {$ref: content.yaml}}"),
            ("content.yaml", "application/json: {examples: {a: {externalValue: raw.json}}}"),
            ("props.yaml", "q: {type: string}"),
            ("raw.json", "[1]"),
        ])
        .expect("loads");
        assert_eq!(document.warnings, [""; 0]);
        let root = &document.root;
        assert_eq!(root["paths"]["/a"]["get"]["responses"]["200"]["description"], "d");
        let b = &root["paths"]["/b"]["get"];
        assert_eq!(b["parameters"][0]["name"], "q");
        let content = &b["responses"]["201"]["content"]["application/json"];
        assert_eq!(content["examples"]["a"]["value"], json!([1]));
        let schema = &root["components"]["schemas"]["S"];
        assert_eq!(schema["properties"], json!({"q": {"type": "string"}}));
        assert_eq!(schema["example"], json!({"x": [1], "y": {"$ref": "gone.json"}}));
    }

    #[test]
    fn absolute_references_to_the_document_and_to_ids() {
        let document = load(&[(
            "api.yaml",
            "openapi: 3.2.0\n$self: https://x.test/specs/main.yaml\ninfo: {title: t, version: '1'}\nservers: [{url: 'https://api.test/v1'}]\npaths: {}\ncomponents:\n  schemas:\n    A: {$ref: 'https://x.test/specs/main.yaml#/components/schemas/N'}\n    B: {$ref: 'https://api.test/v1/openapi.yaml#/components/schemas/N'}\n    C: {$ref: 'https://ids.test/tree/leaf'}\n    N: {$id: 'https://ids.test/tree/node', properties: {l: {$ref: leaf}, d: {$ref: '#/$defs/x'}}, $defs: {x: {type: string}}}\n    L: {$id: 'https://ids.test/tree/leaf', type: integer}\n",
        )])
        .expect("loads");
        assert_eq!(document.warnings, [""; 0]);
        let schemas = &document.root["components"]["schemas"];
        assert_eq!(schemas["A"]["$ref"], "#/components/schemas/N");
        assert_eq!(schemas["B"]["$ref"], "#/components/schemas/N");
        assert_eq!(schemas["C"]["$ref"], "#/components/schemas/L");
        let properties = &schemas["N"]["properties"];
        assert_eq!(properties["l"]["$ref"], "#/components/schemas/L");
        assert_eq!(properties["d"]["$ref"], "#/components/schemas/N/$defs/x");
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
