//! The location of a document, and the files that its references may name.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::document::SpecError;

/// The location of a document, and the folder that limits its references (the reference root).
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// The folders of the reference root, the outermost first; `None` if the document has no
    /// folder.
    root: Option<Vec<String>>,
    /// The folders of the document and its own name.
    document: Vec<String>,
    /// `http[s]://host[:port]` of a document that came from a URL.
    origin: Option<String>,
    /// References may lead to other servers.
    remote: bool,
}

/// The target of a reference to another file.
pub(super) enum ReferenceTarget {
    /// The document itself.
    Document,
    /// Another file, by its name relative to the reference root, or by its URL if it is on another
    /// server.
    File(String),
}

impl Home {
    /// The home of a file: the reference root is `root`, or else its own folder. Symbolic links of
    /// both are resolved.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn of_file(path: &Path, root: Option<&Path>) -> Result<Home, SpecError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = names(&real(folder)?);
        let root = root.map(real).transpose()?.map_or_else(|| folder.clone(), |root| names(&root));
        let mut document = folder;
        document.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        Ok(Home { root: Some(root), document, ..Home::default() })
    }

    /// The home of standard input: it may refer to files below `root`, if given.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn of_stdin(root: Option<&Path>) -> Result<Home, SpecError> {
        let Some(root) = root else { return Ok(Home::default()) };
        let root = names(&real(root)?);
        let mut document = root.clone();
        document.push(String::new());
        Ok(Home { root: Some(root), document, ..Home::default() })
    }

    /// The home of a document at a URL: it may refer to everything on its server.
    pub fn of_url(url: &str) -> Home {
        let url = url.split(['?', '#']).next().unwrap_or_default();
        let (origin, path) = match url.find("://") {
            Some(at) => {
                let host = at + 3;
                let end = url[host..].find('/').map_or(url.len(), |slash| host + slash);
                (Some(url[..end].to_ascii_lowercase()), &url[end..])
            }
            None => (None, url),
        };
        let document = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        Home { root: Some(Vec::new()), document, origin, remote: false }
    }

    /// The same home, whose references may also lead to other servers.
    #[must_use]
    pub fn with_remote(self, remote: bool) -> Home {
        Home { remote, ..self }
    }

    /// The document's own name.
    pub fn name(&self) -> &str {
        self.document.last().map_or("", String::as_str)
    }

    /// The path of a file whose name is relative to the reference root.
    pub fn path_of(&self, name: &str) -> PathBuf {
        let root = self.root.iter().flatten();
        root.map(String::as_str).chain(name.split('/')).fold(
            PathBuf::from(std::path::MAIN_SEPARATOR_STR),
            |mut path, part| {
                path.push(part);
                path
            },
        )
    }

    /// The target of a reference with a scheme.
    pub(super) fn find_url(&self, url: &str) -> Result<ReferenceTarget, &'static str> {
        let own = self.origin.as_deref().and_then(|origin| {
            let start = url.get(..origin.len())?;
            let rest = &url[origin.len()..];
            let whole = rest.is_empty() || rest.starts_with('/');
            (start.eq_ignore_ascii_case(origin) && whole).then_some(rest)
        });
        match own {
            // A query may name another file of the same path.
            Some(path) if !path.contains('?') => self.find("", path),
            Some(_) => Ok(ReferenceTarget::File(url.to_owned())),
            None if !url.starts_with("http://") && !url.starts_with("https://") => {
                Err("is not an http:// or https:// URL")
            }
            None if self.remote => Ok(ReferenceTarget::File(url.to_owned())),
            None => Err(
                "refers to another server; put its content into a file beside the document, or let hmt-mock fetch it with --remote-refs",
            ),
        }
    }

    /// The target of a reference without a scheme; `from` is the referring file, empty for the
    /// document.
    pub(super) fn find(&self, from: &str, target: &str) -> Result<ReferenceTarget, &'static str> {
        const OUTSIDE: &str =
            "leaves the folder of the document; allow a larger folder with --ref-root DIR";
        let Some(root) = &self.root else {
            return Err(
                "refers to a file, but standard input has no folder; name one with --ref-root",
            );
        };
        let decoded = percent_decode_str(target).decode_utf8();
        let target = decoded.map_err(|_| "is not a file name, because it is not UTF-8")?;
        if target.contains(['\\', '\0']) {
            return Err("is not a file name");
        }
        if is_url(from) {
            return self.find_url(&super::ids::join(from, &target));
        }
        let mut parts: Vec<&str> = Vec::new();
        if !target.starts_with('/') {
            if from.is_empty() {
                parts.extend(self.document.iter().map(String::as_str));
            } else {
                parts.extend(root.iter().map(String::as_str).chain(from.split('/')));
            }
            parts.pop();
        }
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(OUTSIDE)?;
                }
                part => parts.push(part),
            }
        }
        if parts == self.document {
            return Ok(ReferenceTarget::Document);
        }
        match parts.strip_prefix(&root.iter().map(String::as_str).collect::<Vec<_>>()[..]) {
            Some(inside) if !inside.is_empty() => Ok(ReferenceTarget::File(inside.join("/"))),
            _ => Err(OUTSIDE),
        }
    }
}

/// True for the name of a file of another server.
pub fn is_url(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}

fn real(path: &Path) -> Result<PathBuf, SpecError> {
    path.canonicalize().map_err(|error| SpecError::Io { path: path.to_owned(), error })
}

fn names(path: &Path) -> Vec<String> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(found: Result<ReferenceTarget, &'static str>) -> Result<String, &'static str> {
        found.map(|target| match target {
            ReferenceTarget::Document => "(document)".to_owned(),
            ReferenceTarget::File(name) => name,
        })
    }

    #[test]
    fn other_servers_are_named_only_where_that_is_allowed() {
        let home = Home::of_url("HTTP://a.test:80/api/spec.yaml?v=1");
        for (url, expected) in [
            ("http://a.test:80/api/spec.yaml", Some("(document)")),
            ("http://a.test:80/defs/x.yaml", Some("defs/x.yaml")),
            ("http://a.test:8080/x.yaml", None),
            ("https://b.test/x.yaml", None),
        ] {
            assert_eq!(name(home.find_url(url)).ok().as_deref(), expected, "{url}");
        }
        let home = home.with_remote(true);
        let remote = name(home.find_url("https://b.test/d/x.yaml"));
        assert_eq!(remote.as_deref(), Ok("https://b.test/d/x.yaml"));
        assert!(home.find_url("file:///etc/passwd").is_err());
        // References within another server stay on that server.
        let next = |target| name(home.find("https://b.test/d/x.yaml", target));
        assert_eq!(next("../y.yaml").as_deref(), Ok("https://b.test/y.yaml"));
        assert_eq!(next("/etc/passwd").as_deref(), Ok("https://b.test/etc/passwd"));
    }
}
