//! The destination of a filter's result: the rule of all tools for `-o`.

use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::exit::Failure;
use super::output::replace_file;

/// The destination of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file, which is replaced atomically.
    File(PathBuf),
}

/// Extensions of compressed files and archives.
const PACKED: [&str; 12] =
    ["7z", "br", "bz2", "gz", "lz4", "rar", "tar", "tgz", "xz", "z", "zip", "zst"];

impl Destination {
    /// The same as [`Destination::of`], for the argument of `-o`.
    ///
    /// # Errors
    /// The extension is that of a compressed file or an archive: the content would not match the
    /// name.
    pub fn parse(out: &Path, name_in_folder: &str) -> anyhow::Result<Destination> {
        let target = Destination::of(out, name_in_folder);
        target.refuse_packed()?;
        Ok(target)
    }

    /// # Errors
    /// The extension is that of a compressed file or an archive.
    pub fn refuse_packed(&self) -> anyhow::Result<()> {
        let Destination::File(path) = self else { return Ok(()) };
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if PACKED.contains(&ending.as_str()) {
            let name = path.display();
            return Err(Failure::usage(format!(
                "{name}: the output is not compressed; name a file without .{ending}, or compress the standard output"
            )));
        }
        Ok(())
    }

    /// Parses `-o OUT`: `-`; a folder if OUT ends in `/`, is a folder, or does not exist and has no
    /// extension; otherwise a file. In a folder, the file has the given name.
    pub fn of(out: &Path, name_in_folder: &str) -> Destination {
        if out.as_os_str() == "-" {
            return Destination::Stdout;
        }
        let folder = out.as_os_str().to_string_lossy().ends_with('/')
            || out.is_dir()
            || (!out.exists() && out.extension().is_none());
        Destination::File(if folder { out.join(name_in_folder) } else { out.to_owned() })
    }

    /// True for a file with the given name that [`Destination::of`] put into a folder.
    pub fn is_in_folder(&self, name: &str) -> bool {
        matches!(self, Destination::File(path) if path.file_name().is_some_and(|own| own == name))
    }

    /// The file of a host in the same folder. `host` is a part of the file name. It is empty for
    /// the file of all other hosts.
    #[must_use]
    pub fn of_host(&self, host: &str) -> Destination {
        let Destination::File(path) = self else { return self.clone() };
        let name = if host.is_empty() { "_other" } else { host };
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        Destination::File(path.with_file_name(format!("{name}.{extension}")))
    }

    /// Writes the result, creating the folder of a file if needed. `private` has the same meaning
    /// as for [`replace_file`]. A folder that is created for a private file is private too.
    ///
    /// # Errors
    /// A path could not be created or written; an old file is then unchanged.
    pub fn write(&self, text: &str, private: bool) -> anyhow::Result<()> {
        match self {
            Destination::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout
                    .write_all(text.as_bytes())
                    .and_then(|()| stdout.flush())
                    .context("cannot write standard output")
            }
            Destination::File(path) => {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
                {
                    if folder.exists() && !folder.is_dir() {
                        bail!(
                            "{}: this is a file, not a folder; name another output",
                            folder.display()
                        );
                    }
                    make_folder(folder, private).with_context(|| {
                        format!("cannot create the folder {}", folder.display())
                    })?;
                }
                replace_file(path, text.as_bytes(), private)
                    .with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}

fn make_folder(folder: &Path, private: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_holds_traffic_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        Destination::of(&folder, "openapi.json").write("{}", true).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("openapi.json")), 0o600);
    }

    #[test]
    fn no_compressed_output() {
        for out in ["a.7z", "spec.yaml.gz", "spec.json.ZST", "all.zip", "a.tar"] {
            let error = Destination::parse(Path::new(out), "openapi.json").unwrap_err();
            assert!(error.to_string().starts_with(&format!("{out}: the output is not compressed")));
        }
        for out in ["-", "a.yaml", "gz", "v1.2", "zip/"] {
            assert!(Destination::parse(Path::new(out), "openapi.json").is_ok(), "{out}");
        }
    }

    #[test]
    fn the_rule_for_out() {
        let of = |out: &str| Destination::of(Path::new(out), "openapi.json");
        assert_eq!(of("-"), Destination::Stdout);
        assert_eq!(of("spec.yaml"), Destination::File("spec.yaml".into()));
        assert_eq!(of("no-such-folder"), Destination::File("no-such-folder/openapi.json".into()));
        assert_eq!(of("a.b/"), Destination::File("a.b/openapi.json".into()));
        assert_eq!(of("/dev/null"), Destination::File("/dev/null".into()));
    }
}
