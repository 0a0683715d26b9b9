//! The references of a document and its files, rewritten as references into the document.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::spec::METHODS;
use crate::spec::document::{Format, parse};
use crate::spec::examples;
use crate::spec::home::{Home, ReferenceTarget, is_url};
use crate::spec::ids::{self, Ids};
use crate::spec::inline::leads_somewhere;
use crate::spec::refs::{
    FILES, Keys, escape, join_pointer, locate, on_references_mut, resolve, walk,
};

/// The key that replaces an unresolved reference; its value is the reference.
pub(crate) const UNRESOLVED: &str = "x-hmt-unresolved";

/// Reads a file by its name relative to the reference root, or by its URL if it is on another
/// server. Returns a reason if this is not possible.
pub type ReadFile<'f> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'f;

/// Rewrites references to files as references into the document.
pub(super) struct Names<'n> {
    home: &'n Home,
    /// URLs of the document's folder: those of its servers, and the folder of `$self`.
    bases: Vec<String>,
    ids: Ids,
    /// Referenced files that are not loaded yet.
    pub(super) open: BTreeSet<String>,
    /// Missing files, with the reason.
    pub(super) missing: BTreeMap<String, String>,
    /// Files that were referenced by a URL of the document's own server.
    by_url: BTreeSet<String>,
    /// Anchors that are referenced, each with its file.
    anchors: BTreeSet<(String, String)>,
    /// Why a reference was left unresolved.
    why: BTreeMap<String, &'static str>,
    /// Referenced parts of extensions (`x-...`), each with its file.
    extensions: BTreeSet<(String, String)>,
    /// The parts of `extensions` that are already rewritten.
    adopted: BTreeSet<(String, String)>,
}

impl<'n> Names<'n> {
    pub(super) fn new(home: &'n Home, root: &Value) -> Self {
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
            anchors: BTreeSet::new(),
            why: BTreeMap::new(),
            extensions: BTreeSet::new(),
            adopted: BTreeSet::new(),
        }
    }

    /// Rewrites references to `$id`s. `prefix` is the location of the value in the document.
    pub(super) fn own_ids(&mut self, value: &mut Value, prefix: &str) {
        if ids::collect(value, prefix, "", &mut self.ids) || !self.ids.is_empty() {
            let snapshot = value.clone();
            ids::rewrite(value, &snapshot, prefix, "", &self.ids);
        }
    }

    /// Rewrites the references of a file; `file` is empty for the document itself, and `root` is
    /// the document for other files.
    pub(super) fn rewrite(&mut self, value: &mut Value, file: &str, root: Option<&Value>) {
        // The walk borrows the file, whose own pointers must be resolved.
        let own = root.is_some().then(|| value.clone());
        self.rewrite_part(value, file, root, own.as_ref());
    }

    /// Rewrites the references within referenced parts of extensions. All other content of
    /// extensions is unchanged.
    pub(super) fn adopt(&mut self, value: &mut Value, file: &str, root: Option<&Value>) {
        let open: Vec<_> = self.extensions.difference(&self.adopted).cloned().collect();
        for place in open.into_iter().filter(|(other, _)| other == file) {
            let pointer = percent_decode_str(&place.1).decode_utf8_lossy().into_owned();
            self.adopted.insert(place);
            let own = root.is_some().then(|| value.clone());
            let Some(part) = value.pointer_mut(&pointer) else { continue };
            self.rewrite_part(part, file, root, own.as_ref());
        }
    }

    /// Forgets parts of extensions in files that could not be read.
    pub(super) fn give_up(&mut self, files: &BTreeMap<String, Value>) {
        let is_known = |file: &str| file.is_empty() || files.contains_key(file);
        let open = &self.open;
        self.extensions.retain(|(file, _)| is_known(file) || open.contains(file));
    }

    /// True if a referenced part is not rewritten yet.
    pub(super) fn has_extensions(&self) -> bool {
        self.extensions.len() > self.adopted.len()
    }

    /// Notes a reference to a part of an extension.
    fn note_extension(&mut self, file: &str, fragment: &str) {
        let rest = fragment.strip_prefix('/').unwrap_or_default();
        let is_own = |key: &str| key == FILES;
        if rest.split('/').any(|key| key.starts_with("x-") && !is_own(key)) {
            self.extensions.insert((file.to_owned(), fragment.to_owned()));
        }
    }

    /// Rewrites the references of a part of a file. `own` is the file; `None` for the document
    /// itself.
    fn rewrite_part(
        &mut self,
        value: &mut Value,
        file: &str,
        root: Option<&Value>,
        own: Option<&Value>,
    ) {
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
            let is_own = own.is_none_or(|own| own.pointer(&decoded).is_some());
            let in_root = root.is_some_and(|root| root.pointer(&decoded).is_some());
            let within = !file.is_empty() && (is_own || !in_root);
            this.note_extension(if within { file } else { "" }, fragment);
            within.then(|| pointer_to(file, fragment))
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
            Ok(ReferenceTarget::Document) => {
                self.note_extension("", fragment);
                return Some(format!("#{fragment}"));
            }
            Ok(ReferenceTarget::File(name)) => name,
            Err(why) => {
                self.why.insert(reference.to_owned(), why);
                return None;
            }
        };
        if by_url {
            self.by_url.insert(name.clone());
        }
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            self.note_extension(&name, fragment);
            pointer_to(&name, fragment)
        } else {
            // Its place is known when the file is loaded.
            self.anchors.insert((name.clone(), fragment.to_owned()));
            pointer_to(&name, &format!("#{fragment}"))
        };
        self.open.insert(name);
        Some(pointer)
    }

    /// A file that an example names: a reference to it, or its bytes. `None` if it is missing.
    pub(super) fn data(
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
    pub(super) fn settle(&self, root: &mut Value) {
        // A URL of the document's own server refers to the document if the file does not exist.
        let urls: Vec<String> = self
            .by_url
            .iter()
            .filter(|name| self.missing.contains_key(*name))
            .map(|name| pointer_to(name, ""))
            .collect();
        let anchors: BTreeMap<String, String> = self
            .anchors
            .iter()
            .filter_map(|(name, anchor)| {
                let file = root.get(FILES)?.get(name)?;
                let (pointer, _) = locate(file, &format!("#{anchor}"))?;
                let pointer = pointer.replace('%', "%25");
                Some((pointer_to(name, &format!("#{anchor}")), pointer_to(name, &pointer)))
            })
            .collect();
        let rename = |reference: &str| {
            if let Some(place) = anchors.get(reference) {
                return Some(place.clone());
            }
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
        for pointer in self.adopted_pointers() {
            if let Some(part) = root.pointer_mut(&pointer) {
                on_references_mut(part, &rename);
            }
        }
    }

    /// JSON pointers to the rewritten parts of extensions.
    fn adopted_pointers(&self) -> Vec<String> {
        let pointer = |(file, fragment): &(String, String)| {
            let own = percent_decode_str(fragment).decode_utf8_lossy();
            match file.as_str() {
                "" => own.into_owned(),
                _ => format!("{}{own}", join_pointer(&format!("/{FILES}"), file)),
            }
        };
        self.adopted.iter().map(pointer).collect()
    }

    /// Makes each unresolved reference accept any value, and returns a problem for each.
    pub(super) fn open_dangling(&self, root: &mut Value) -> Vec<String> {
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
        for mut pointer in self.adopted_pointers() {
            if let Some(part) = root.pointer(&pointer) {
                walk(part, Keys::Words, &mut pointer, &mut check);
            }
        }
        let mut known = BTreeSet::new();
        dangling.retain(|(pointer, _)| known.insert(pointer.clone()));
        // The content of a file may also stand where the document refers to it.
        let is_copied = |at: &str, reference: &str| {
            dangling.iter().any(|(other, same)| {
                same == reference && within_file(other).is_none() && other.ends_with(at)
            })
        };
        let is_repeated = |(pointer, reference): &(String, String)| {
            within_file(pointer).is_some_and(|at| is_copied(at, reference))
        };
        // A comparison of all with all is not worth its time if there are very many.
        let few = dangling.len() < 1_000;
        let repeated: Vec<bool> = dangling.iter().map(|one| few && is_repeated(one)).collect();
        for ((pointer, reference), is_repeated) in dangling.into_iter().zip(repeated) {
            let (written, why) = self.explain(root, &reference);
            if !is_repeated {
                reports.push(format!("{pointer}: $ref {written:?} {why}"));
            }
            let Some(Value::Object(map)) = root.pointer_mut(&pointer) else { continue };
            map.shift_remove("$ref");
            // A path item may have operations next to its reference.
            if !METHODS.iter().any(|method| map.contains_key(*method)) {
                map.clear();
            }
            map.insert(UNRESOLVED.to_owned(), written.into());
        }
        reports
    }

    /// A reference, spelled as in the source, with its problem.
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
        for (name, anchor) in &self.anchors {
            if reference == pointer_to(name, &format!("#{anchor}")) {
                return (format!("{name}#{anchor}"), "names an anchor that does not exist".into());
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

/// The part of a pointer that is within a file; `None` for the document itself.
fn within_file(pointer: &str) -> Option<&str> {
    let rest = pointer.strip_prefix('/')?.strip_prefix(FILES)?.strip_prefix('/')?;
    rest.find('/').map(|at| &rest[at..])
}

pub(super) fn pointer_to(file: &str, fragment: &str) -> String {
    format!("#/{FILES}/{}{fragment}", escape(file).replace('%', "%25"))
}
