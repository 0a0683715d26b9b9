//! Follows growing files like `tail -F`: by name, through rotation and truncation, and before they
//! exist.
//!
//! The ledger knows which parts were read. It identifies files by content, so a renamed log is not
//! read twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::Seek as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::infer::Ledger;
use crate::stream::{Block, FilePart, Locator, Reader, StreamError, grows};

use super::source::Source;
use crate::build::config::{Config, Stop};
use crate::build::error::{BuildError, ResultExt as _};
use crate::build::fold::BLOCK;
use crate::build::track;

/// The files named on the command line.
pub(super) struct Files<'c> {
    config: &'c Config,
    /// The files that were read, by name.
    known: BTreeMap<PathBuf, Known>,
    /// The files that were reported as missing.
    told: BTreeSet<PathBuf>,
    reader: Reader,
}

struct Known {
    id: (u64, u64),
    /// Held open: if the name is given to another file, the rest of this one is read first.
    file: Option<File>,
    /// The number of lines before a position, for the numbers in messages.
    lines: u64,
    before: u64,
}

fn id(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

impl<'c> Files<'c> {
    pub(super) fn new(config: &'c Config) -> Self {
        let reader = Reader::of_parts(Vec::new(), BLOCK);
        Files { config, known: BTreeMap::new(), told: BTreeSet::new(), reader }
    }

    /// The files that exist now; those named directly are held open.
    fn list(&mut self) -> Result<Vec<(PathBuf, bool)>, BuildError> {
        let mut all = Vec::new();
        for locator in &self.config.inputs {
            let path = match locator {
                Locator::File(path) | Locator::Dir(path) => path,
                Locator::Stdio | Locator::Kafka(_) => {
                    Reader::open(std::slice::from_ref(locator), None, BLOCK).whole()?;
                    continue;
                }
            };
            if !path.exists() {
                if self.told.insert(path.clone()) {
                    self.config
                        .messages()
                        .warn(format_args!("{} does not exist yet", path.display()));
                }
                continue;
            }
            let files = match Reader::open(std::slice::from_ref(locator), None, BLOCK) {
                // The first capture may arrive later.
                Err(StreamError::Empty(_)) => continue,
                files => files.whole()?,
            };
            let named = matches!(locator, Locator::File(_));
            let files = files.files().flatten().filter(|path| grows(path));
            all.extend(files.map(|path| (path.to_owned(), named)));
        }
        Ok(all)
    }

    /// The new part of a file, which is entered into the ledger.
    fn part(
        &mut self,
        path: &Path,
        mut file: File,
        ledger: &mut Ledger,
    ) -> Result<Option<FilePart>, BuildError> {
        let name = path.display().to_string();
        let cannot = || format!("cannot read {name}");
        let found = file.metadata().because(cannot)?;
        let Some(new) = track::of_file(&mut file, path, &name, ledger.inputs())? else {
            return Ok(None);
        };
        if new.part.is_empty() {
            return Ok(None);
        }
        ledger.add(&name, new.inputs).whole()?;
        let known = self
            .known
            .get_mut(path)
            .filter(|known| known.id == id(&found) && known.before <= new.part.start);
        let (lines, before) = known.as_ref().map_or((0, 0), |known| (known.lines, known.before));
        let lines =
            lines + FilePart::lines_in(&mut file, before..new.part.start).because(cannot)?;
        if let Some(known) = known {
            (known.lines, known.before) = (lines, new.part.start);
        }
        file.rewind().because(cannot)?;
        Ok(Some(FilePart { path: path.to_owned(), file, bytes: new.part, first_line: lines + 1 }))
    }
}

impl Source for Files<'_> {
    fn begin(&mut self, ledger: &mut Ledger) -> Result<(), BuildError> {
        let mut parts = Vec::new();
        let files = self.list()?;
        let listed: BTreeSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        for (path, named) in files {
            let cannot = || format!("cannot read {}", path.display());
            // It may have been renamed since the listing; the next round looks again.
            let Ok(file) = File::open(&path) else { continue };
            let now = id(&file.metadata().because(cannot)?);
            if self.known.get(&path).is_none_or(|known| known.id != now) {
                if let Some(old) = self.known.remove(&path).and_then(|known| known.file) {
                    parts.extend(self.part(&path, old, ledger)?);
                }
                let held = named.then(|| file.try_clone()).transpose().because(cannot)?;
                let known = Known { id: now, file: held, lines: 0, before: 0 };
                self.known.insert(path.clone(), known);
            }
            parts.extend(self.part(&path, file, ledger)?);
        }
        // Files that were renamed or deleted, and whose names were not reused yet.
        let lost = self.known.iter().filter(|(path, _)| !listed.contains(*path));
        let lost = lost.filter_map(|(path, known)| {
            Some((path.clone(), known.file.as_ref()?.try_clone().ok()?))
        });
        for (path, file) in lost.collect::<Vec<_>>() {
            parts.extend(self.part(&path, file, ledger)?);
        }
        self.reader = Reader::of_parts(parts, BLOCK);
        Ok(())
    }

    fn next_block(&mut self, _: Instant, _: &Stop) -> Result<Option<Block>, BuildError> {
        self.reader.next_block().because(|| "cannot read the input")
    }
}
