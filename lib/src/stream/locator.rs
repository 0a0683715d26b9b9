//! Parses the arguments that say where exchanges come from or go to.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::kafka::Topic;
use super::locator_error::LocatorError;

/// Where exchanges come from or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locator {
    /// `-`: standard input or output.
    Stdio,
    /// One file.
    File(PathBuf),
    /// A folder: its captures as a source, one log per host as a sink.
    Dir(PathBuf),
    /// `kafka://BROKER[,BROKER]/TOPIC[?PARAMETER=VALUE…]`.
    Kafka(Box<Topic>),
}

impl FromStr for Locator {
    type Err = LocatorError;

    /// A path is a folder if it ends in `/`, exists as one, or has no extension and does not exist.
    fn from_str(text: &str) -> Result<Self, LocatorError> {
        if text == "-" {
            return Ok(Locator::Stdio);
        }
        if text.is_empty() {
            return Err(LocatorError::Empty);
        }
        if text.starts_with("kafka://") {
            return Topic::parse(text).map(|topic| Locator::Kafka(Box::new(topic)));
        }
        if text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) {
            return Err(LocatorError::Scheme(text.to_owned()));
        }
        let path = PathBuf::from(text);
        let is_folder = text.ends_with('/')
            || match path.metadata() {
                Ok(found) => found.is_dir(),
                Err(_) => path.extension().is_none(),
            };
        Ok(if is_folder { Locator::Dir(path) } else { Locator::File(path) })
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Extensions of compression formats that no sink writes.
const OTHER_PACKERS: [&str; 21] = [
    "7z", "br", "bz2", "lz", "lz4", "lzma", "lzo", "rar", "sz", "tar", "tbz", "tbz2", "tgz", "txz",
    "tzst", "xz", "z", "zip", "zlib", "zpaq", "zz",
];

impl Locator {
    /// Parses the locator of a sink.
    ///
    /// # Errors
    /// Those of parsing a locator, and a file whose name has the extension of a format that no sink
    /// writes.
    pub fn sink(text: &str) -> Result<Locator, LocatorError> {
        let locator: Locator = text.parse()?;
        if let Locator::File(path) = &locator {
            let ending =
                path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            let why = match by_name(path) {
                (Some(SinkContent::Har), Packing::Gzip | Packing::Zstd) => {
                    "HAR archives are not compressed; name a .har file"
                }
                _ if OTHER_PACKERS.contains(&ending.as_str()) => {
                    "this kind of compression is not supported; name a file that ends in .jsonl, .jsonl.gz, .jsonl.zst or .har"
                }
                _ => return Ok(locator),
            };
            return Err(LocatorError::Sink(text.to_owned(), why));
        }
        Ok(locator)
    }

    /// The same; a topic only up to its current end.
    #[must_use]
    pub fn to_end(self) -> Locator {
        match self {
            Locator::Kafka(topic) => Locator::Kafka(Box::new(topic.to_end())),
            other => other,
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Locator::Stdio => f.write_str("-"),
            Locator::File(path) | Locator::Dir(path) => path.display().fmt(f),
            Locator::Kafka(topic) => topic.fmt(f),
        }
    }
}

/// The compression of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// The content of a file, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SinkContent {
    Lines,
    Har,
}

/// Content and compression by the extensions of a name; no content for unknown ones.
pub(super) fn by_name(path: &Path) -> (Option<SinkContent>, Packing) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let (stem, packing) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
        (Some(stem), _) => (stem, Packing::Gzip),
        (_, Some(stem)) => (stem, Packing::Zstd),
        _ => (name.as_str(), Packing::Plain),
    };
    let content = match Path::new(stem).extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "ndjson") => Some(SinkContent::Lines),
        Some("har") => Some(SinkContent::Har),
        _ => None,
    };
    (content, packing)
}

/// True for uncompressed files of lines, by their names: their new lines can be read incrementally.
pub fn grows(path: &Path) -> bool {
    by_name(path) == (Some(SinkContent::Lines), Packing::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locators_by_their_looks() {
        let folder = tempfile::tempdir().unwrap();
        let existing = folder.path().join("dir.jsonl");
        std::fs::create_dir(&existing).unwrap();
        let plain = folder.path().join("noextension");
        std::fs::write(&plain, "").unwrap();
        let existing = existing.to_str().unwrap();
        let plain = plain.to_str().unwrap();
        for (text, locator) in [
            ("-", Locator::Stdio),
            ("a.jsonl", Locator::File("a.jsonl".into())),
            ("a/b.ndjson.gz", Locator::File("a/b.ndjson.gz".into())),
            ("a.har", Locator::File("a.har".into())),
            ("a.txt", Locator::File("a.txt".into())),
            ("logs/", Locator::Dir("logs/".into())),
            ("no-such-thing", Locator::Dir("no-such-thing".into())),
            (existing, Locator::Dir(existing.into())),
            (plain, Locator::File(plain.into())),
            ("/dev/null", Locator::File("/dev/null".into())),
        ] {
            assert_eq!(text.parse(), Ok(locator.clone()), "{text}");
            assert_eq!(locator.to_string(), text);
        }
        for text in
            ["", "http://h/a.jsonl", "kafka://", "kafka://broker", "kafka:///topic", "kafka://b/"]
        {
            assert!(text.parse::<Locator>().is_err(), "{text}");
        }
    }

    #[test]
    fn sinks_are_what_their_names_promise() {
        for name in ["-", "a.jsonl", "a.ndjson.gz", "a.har", "a.log", "logs/", "/dev/null"] {
            assert!(Locator::sink(name).is_ok(), "{name}");
        }
        for name in ["a.har.gz", "a.har.zst", "a.jsonl.bz2", "a.XZ", "a.zip", "a.tgz"] {
            assert!(matches!(Locator::sink(name), Err(LocatorError::Sink(..))), "{name}");
        }
    }

    #[test]
    fn contents_by_name() {
        for (name, expected) in [
            ("a.jsonl", (Some(SinkContent::Lines), Packing::Plain)),
            ("a.NDJSON.GZ", (Some(SinkContent::Lines), Packing::Gzip)),
            ("a.har.zst", (Some(SinkContent::Har), Packing::Zstd)),
            ("a.txt", (None, Packing::Plain)),
            ("a.gz", (None, Packing::Gzip)),
            (".jsonl", (None, Packing::Plain)),
        ] {
            assert_eq!(by_name(Path::new(name)), expected, "{name}");
        }
    }
}
