//! `--track-inputs`: the files that a partial or state was built from, so that none is counted
//! twice.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::exchange::parse_line;
use crate::infer::{Ledger, Partial, Provenance};
use crate::stream::{Reader, grows};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};

/// Enters the files to read; if an earlier run has read a file, only the rest of it is read.
///
/// # Errors
/// A file that cannot be read; standard input or a pipe, which cannot be identified; two files with
/// the same content.
pub(super) fn files(
    reader: &mut Reader,
    ledger: &mut Ledger,
    config: &Config,
) -> Result<(), BuildError> {
    let before = ledger.inputs().clone();
    let mut parts: HashMap<PathBuf, Range<u64>> = HashMap::new();
    for file in reader.files() {
        let Some(path) = file else { return Err(nameless("standard input")) };
        let name = path.display().to_string();
        let mut file = File::open(path).because(|| format!("cannot read {name}"))?;
        let Some(found) = of_file(&mut file, path, &name, &before)? else { continue };
        if found.part.is_empty() {
            if config.verbose {
                config.messages().warn(format_args!("{name}: nothing new"));
            }
        } else {
            ledger.add(&name, found.inputs).whole()?;
        }
        if found.in_part {
            parts.insert(path.to_owned(), found.part);
        }
    }
    reader.read_only(|path| parts.get(path).cloned());
    Ok(())
}

/// The new part of a file.
pub(super) struct Found {
    /// The range to read.
    pub(super) part: Range<u64>,
    pub(super) inputs: Provenance,
    /// False if the file is read as a whole.
    in_part: bool,
}

/// `None` for a partial, which lists its own inputs.
///
/// # Errors
/// The file cannot be read, is a pipe, or has grown but can only be read as a whole.
pub(super) fn of_file(
    file: &mut File,
    path: &Path,
    name: &str,
    before: &Provenance,
) -> Result<Option<Found>, BuildError> {
    let cannot = || format!("cannot read {name}");
    file.rewind().because(cannot)?;
    let found = file.metadata().because(cannot)?;
    if !found.is_file() {
        return Err(nameless(name));
    }
    let mut head = [0; 64];
    let length = file.read(&mut head).because(cannot)?;
    if Partial::is(&head[..length]) {
        return Ok(None);
    }
    file.rewind().because(cannot)?;
    let known = before.read_up_to(&*file).because(cannot)?.min(found.len());
    if !grows(path) {
        if known > 0 && known < found.len() {
            return Err(BuildError::Failed(format!(
                "{name} has grown since it was read, but a compressed file or an archive can be read only as a whole; leave it out, or start a new state"
            )));
        }
        let part = known..found.len();
        file.rewind().because(cannot)?;
        let inputs = Provenance::of_part(&*file, part.clone()).because(cannot)?;
        return Ok(Some(Found { in_part: part.is_empty(), part, inputs }));
    }
    let end = end_of_lines(file, found.len()).because(cannot)?.max(known);
    file.rewind().because(cannot)?;
    let part = known..end;
    let inputs = Provenance::of_part(&*file, part.clone()).because(cannot)?;
    Ok(Some(Found { part, inputs, in_part: true }))
}

/// The end of the last complete line. If the last line has no line break and is not a valid
/// exchange, it may still be incomplete.
fn end_of_lines(file: &mut File, length: u64) -> io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let mut tail = Vec::new();
    let mut start = length;
    while start > 0 {
        let from = start.saturating_sub(STEP);
        file.seek(SeekFrom::Start(from))?;
        let mut piece = Vec::new();
        file.by_ref().take(start - from).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            let end = from + at as u64 + 1;
            let rest = [&piece[at + 1..], &tail].concat();
            return Ok(if parse_line(&rest).is_ok() { length } else { end });
        }
        piece.append(&mut tail);
        tail = piece;
        start = from;
        if tail.len() > crate::stream::MAX_LINE {
            break;
        }
    }
    Ok(if parse_line(&tail).is_ok() { length } else { start })
}

fn nameless(what: &str) -> BuildError {
    BuildError::Usage(format!(
        "--track-inputs: {what} has no name that identifies it; write it to a file first"
    ))
}
