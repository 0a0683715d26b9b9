//! The state file: a line of JSON for each change, so that the state outlives the process.
//!
//! ```text
//! {"hmt-state":1}
//! {"put":"Pet","key":"7","entity":{"id":7},"scopes":["3"]}
//! {"delete":"Pet","key":"7"}
//! {"values":{"n":1}}
//! {"clear":true}
//! ```
//!
//! The lines of a change are appended with one call before the change is made. If the process is
//! killed, no answered change is lost. If the machine fails, changes that its system has not
//! written to disk may be lost. At the start the file is replaced by one without the history.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::change::{StorageChange, StorageError};
use super::kind::Kind;

/// The first line.
const HEAD: &str = "{\"hmt-state\":1}";

/// A locked state file.
#[derive(Debug)]
pub(super) struct StateFile {
    file: File,
    path: PathBuf,
    /// In bytes.
    length: u64,
}

/// The result of opening a state file.
pub(super) struct Opened {
    /// The file, which still has its history.
    pub(super) file: StateFile,
    /// True if the file had contents.
    pub(super) is_old: bool,
    /// The problem with the last line.
    pub(super) warning: Option<String>,
}

impl StateFile {
    /// Opens a state file and reads it, or begins a new one. `apply` gets the changes, after a
    /// [`StorageChange::Clear`] if the file has contents.
    ///
    /// # Errors
    /// The file cannot be used, another mock uses it, or a line is not a change.
    pub(super) fn open(
        path: &Path,
        apply: &mut dyn FnMut(StorageChange),
    ) -> Result<Opened, StorageError> {
        let name = path.display().to_string();
        let wrong = |error: io::Error| StorageError::File(format!("{name}: {error}"));
        // The file is replaced at the start, and a symbolic link must stay a link.
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(wrong(error)),
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let file = loop {
            let file = options.open(&path).map_err(wrong)?;
            if !file.metadata().map_err(wrong)?.is_file() {
                let why = "is not a regular file; name another one with --state-file";
                return Err(StorageError::File(format!("{name}: {why}")));
            }
            lock(&file, &name)?;
            // Another mock that has just started may have replaced the file.
            let there = path.metadata().ok().map(|found| found.ino());
            if there == file.metadata().ok().map(|own| own.ino()) {
                break file;
            }
        };
        file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(wrong)?;
        let (is_old, warning) = read(&file, &name, apply)?;
        let length = file.metadata().map_err(wrong)?.len();
        Ok(Opened { file: StateFile { file, path, length }, is_old, warning })
    }

    /// Replaces the file by one with these values and entities only.
    ///
    /// # Errors
    /// The file cannot be written; the old one stays.
    pub(super) fn compact(
        self,
        values: &Map<String, Value>,
        kinds: &[Kind],
    ) -> Result<StateFile, StorageError> {
        let name = self.path.display().to_string();
        let wrong = |error: io::Error| StorageError::File(format!("{name}: {error}"));
        let folder = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hmt-").permissions(std::fs::Permissions::from_mode(0o600)).append(true);
        let mut new = builder.tempfile_in(folder).map_err(wrong)?;
        let mut out = io::BufWriter::new(new.as_file_mut());
        let mut length = 0;
        let mut write = |line: &str| -> io::Result<()> {
            length += line.len() as u64 + 1;
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")
        };
        write(HEAD).and_then(|()| write_lines(values, kinds, &mut write)).map_err(wrong)?;
        out.flush().map_err(wrong)?;
        drop(out);
        new.as_file().sync_all().map_err(wrong)?;
        lock(new.as_file(), &name)?;
        let file = new.persist(&self.path).map_err(|error| wrong(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        Ok(StateFile { file, path: self.path, length })
    }

    /// Appends changes.
    ///
    /// # Errors
    /// The file cannot be written. Its old content is restored if the system allows it.
    pub(super) fn append(&mut self, changes: &[StorageChange]) -> Result<(), StorageError> {
        let mut lines = String::new();
        for change in changes {
            lines.push_str(&line(change));
            lines.push('\n');
        }
        if let Err(error) = self.file.write_all(lines.as_bytes()) {
            // A part of a line would make the next one unreadable.
            let _ = self.file.set_len(self.length);
            return Err(StorageError::File(format!("{}: {error}", self.path.display())));
        }
        self.length += lines.len() as u64;
        Ok(())
    }
}

fn lock(file: &File, name: &str) -> Result<(), StorageError> {
    file.try_lock().map_err(|_| {
        let why = "another mock uses this state file; end it, or name another file";
        StorageError::File(format!("{name}: {why}"))
    })
}

/// Reads the changes in a file. Returns whether it has contents, and a warning if its last line is
/// incomplete.
fn read(
    file: &File,
    name: &str,
    apply: &mut dyn FnMut(StorageChange),
) -> Result<(bool, Option<String>), StorageError> {
    let mut reader = BufReader::new(file);
    let mut is_old = false;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let wrong = |why: &str| StorageError::File(format!("{name}:{number}: {why}"));
        let length = reader.read_until(b'\n', &mut line).map_err(|e| wrong(&e.to_string()))?;
        if length == 0 {
            break;
        }
        let is_whole = line.ends_with(b"\n");
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let found = serde_json::from_slice::<Value>(text).ok();
        if !is_whole && found.is_none() {
            // No client has received an answer to this change.
            let warning = format!("{name}:{number}: the last line is incomplete, and is removed");
            return Ok((true, Some(warning)));
        }
        if !is_old {
            if found.as_ref().and_then(|head| head.get("hmt-state")) != Some(&json!(1)) {
                return Err(wrong("this is not a state file of hmt-mock; name another file"));
            }
            is_old = true;
            apply(StorageChange::Clear);
            continue;
        }
        let change = found.and_then(change).ok_or_else(|| {
            wrong("this line is not a change of the state; remove it, or name another file")
        })?;
        apply(change);
    }
    Ok((is_old, None))
}

/// The lines that create some values and entities from nothing.
fn write_lines(
    values: &Map<String, Value>,
    kinds: &[Kind],
    write: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    if !values.is_empty() {
        write(&json!({"values": values}).to_string())?;
    }
    for kind in kinds {
        let name = Value::from(&*kind.rule().name).to_string();
        for (key, item) in kind.entries() {
            let entity = String::from_utf8_lossy(item.json());
            let key = Value::from(key);
            let scopes = match item.scopes() {
                [] => String::new(),
                scopes => format!(",\"scopes\":{}", json!(scopes)),
            };
            write(&format!("{{\"put\":{name},\"key\":{key},\"entity\":{entity}{scopes}}}"))?;
        }
    }
    Ok(())
}

/// A change as a line.
fn line(change: &StorageChange) -> String {
    let value = match change {
        StorageChange::Put { kind, key, entity, scopes } => {
            let mut line = json!({"put": kind, "key": key, "entity": entity});
            let scopes = scopes.as_ref().filter(|scopes| scopes.iter().any(Option::is_some));
            if let (Some(scopes), Some(members)) = (scopes, line.as_object_mut()) {
                members.insert("scopes".to_owned(), json!(scopes));
            }
            line
        }
        StorageChange::Delete { kind, key } => json!({"delete": kind, "key": key}),
        StorageChange::Values(values) => json!({"values": values}),
        StorageChange::Clear => json!({"clear": true}),
    };
    value.to_string()
}

/// The change of a line.
fn change(line: Value) -> Option<StorageChange> {
    let Value::Object(mut line) = line else { return None };
    let text = |line: &Map<String, Value>, name: &str| {
        line.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    if let Some(kind) = text(&line, "put") {
        let key = text(&line, "key")?;
        let scopes = match line.remove("scopes") {
            None => None,
            Some(scopes) => {
                let scopes: Vec<Option<String>> = serde_json::from_value(scopes).ok()?;
                Some(scopes.into_iter().map(|scope| scope.map(String::into_boxed_str)).collect())
            }
        };
        let entity = line.remove("entity").filter(|own| own.is_object() || own.is_null())?;
        return Some(StorageChange::Put { kind, key, entity, scopes });
    }
    if let Some(kind) = text(&line, "delete") {
        return Some(StorageChange::Delete { kind, key: text(&line, "key")? });
    }
    match (line.remove("values"), line.get("clear")) {
        (Some(Value::Object(values)), _) => Some(StorageChange::Values(values)),
        (None, Some(Value::Bool(true))) => Some(StorageChange::Clear),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Initial, Storage};
    use super::*;

    fn storage(data: &Value, path: &Path) -> (Storage, Option<String>) {
        let root = json!({"x-hmt-data": data});
        let storage = Storage::new(Initial::of_documents([&root].into_iter()).unwrap());
        let warning = storage.keep_in(path).unwrap();
        (storage, warning)
    }

    #[test]
    fn state_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.jsonl");
        let data = json!({"Pet": [{"id": 1}]});
        let (one, _) = storage(&data, &path);
        one.insert("Pet", json!({"id": 2, "a": "ä"}));
        let values = Map::from_iter([("n".to_owned(), json!(1))]);
        let gone = StorageChange::Delete { kind: "Pet".to_owned(), key: "1".to_owned() };
        one.change(|_| (vec![StorageChange::Values(values), gone], ())).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let taken = Storage::default().keep_in(&path).unwrap_err().to_string();
        assert!(taken.contains("another mock uses"), "{taken}");
        drop(one);
        let (two, warning) = storage(&data, &path);
        assert_eq!(warning, None);
        assert_eq!(Value::from(two.entities("Pet")), json!({"2": {"id": 2, "a": "ä"}}));
        assert_eq!(two.values()["n"], 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
        two.clear().unwrap();
        drop(two);
        let (three, _) = storage(&data, &path);
        assert!(three.entities("Pet").is_empty());
        three.reset().unwrap();
        drop(three);
        assert_eq!(storage(&json!({}), &path).0.entities("Pet").len(), 1);
    }

    #[test]
    fn torn_and_wrong_lines_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.jsonl");
        let whole = format!("{HEAD}\n{{\"put\":\"Pet\",\"key\":\"1\",\"entity\":{{\"id\":1}}}}\n");
        std::fs::write(&path, format!("{whole}{{\"put\":\"Pe")).unwrap();
        let (torn, warning) = storage(&json!({}), &path);
        assert!(warning.unwrap().contains("state.jsonl:3: the last line is incomplete"));
        assert_eq!(torn.entities("Pet").len(), 1);
        drop(torn);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        for wrong in ["{\"put\":1}", "nothing", "{\"put\":\"Pet\",\"key\":\"1\",\"entity\":[]}"] {
            let text = format!("{whole}{wrong}\n{{\"clear\":true}}\n");
            std::fs::write(&path, &text).unwrap();
            let error = Storage::default().keep_in(&path).unwrap_err().to_string();
            assert!(error.contains("state.jsonl:3: this line is not a change"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        std::fs::write(&path, "openapi: 3.0.3\n").unwrap();
        let error = Storage::default().keep_in(&path).unwrap_err().to_string();
        assert!(error.contains("state.jsonl:1: this is not a state file"), "{error}");
    }
}
