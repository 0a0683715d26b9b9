//! Bundles documents in several files: the content of other files is added to the document, so that
//! every reference is local, and cycles through files are possible.
//!
//! A file is stored under `/x-hmt-files/NAME`, with its name relative to the document's folder.

mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::document::{Document, Format, SpecError, finish, parse, read_file};
use super::examples;
use super::home::Home;
use super::inline::inline;
use super::lift::lift;
use super::refs::FILES;
use names::{Names, pointer_to};

pub use names::ReadFile;
pub(crate) use names::UNRESOLVED;

/// Maximum number of files of one document; more is a mistake or an attack.
const MAX_FILES: usize = 5_000;
/// Maximum total size of the files in bytes.
const MAX_BYTES: usize = 64 << 20;

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
    loop {
        let Some(file) = names.open.pop_first() else {
            if !names.has_extensions() {
                break;
            }
            let copy = root.clone();
            names.adopt(root, "", None);
            files.iter_mut().for_each(|(file, value)| names.adopt(value, file, Some(&copy)));
            // A file that could not be read has no content.
            names.give_up(&files);
            continue;
        };
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
