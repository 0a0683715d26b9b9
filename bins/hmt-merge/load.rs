//! Reads the inputs, all of them before anything is written.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hmt_core::infer::{Ledger, Partial};
use hmt_core::merge::{self, NamedPartial};
use hmt_core::spec::{
    Document, Format, SpecError, check_refs, load as load_bytes, load_to_rewrite,
};
use hmt_core::stream::Rejects;

use super::args::Config;

/// The name of the partials' spec in messages.
pub(crate) const INFERRED: &str = "the inferred spec";

/// The inputs.
pub(crate) struct Inputs {
    pub(crate) documents: Vec<Document>,
    pub(crate) partials: Vec<NamedPartial>,
    /// The lines that are not partials.
    pub(crate) rejects: Rejects,
}

/// Reads all inputs.
///
/// # Errors
/// The first one that cannot be read, or is neither a spec nor a partial.
pub(crate) fn load(config: &Config) -> anyhow::Result<Inputs> {
    let messages = config.messages.clone();
    let rejects = Rejects::new(move |text| messages.error(text));
    let mut inputs = Inputs { documents: Vec::new(), partials: Vec::new(), rejects };
    for path in &config.inputs {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .context("cannot read standard input")?;
            inputs.add("<stdin>", &bytes, config)?;
        } else if path.is_dir() {
            inputs.add_folder(path, config)?;
        } else {
            inputs.add_file(path, config)?;
        }
    }
    inputs.rejects.finish(inputs.partials.len() as u64);
    if inputs.rejects.count() > 0 && inputs.documents.is_empty() && inputs.partials.is_empty() {
        anyhow::bail!("all records were rejected, so nothing was written");
    }
    Ok(inputs)
}

/// Reads a spec from standard input.
///
/// # Errors
/// The input is not a spec.
pub(crate) fn standard_input() -> anyhow::Result<Document> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(load_bytes(&bytes, "<stdin>")?)
}

/// # Errors
/// The file contains partials, which are not specs, or cannot be read.
pub(crate) fn refuse_partial(path: &Path) -> anyhow::Result<()> {
    if path.is_file() && holds_partials(path) {
        let name = path.display();
        anyhow::bail!(
            "{name}: a partial, not a spec; `hmt-merge {name} -o FILE` builds a spec from it"
        );
    }
    Ok(())
}

/// The common base of `--base`.
///
/// # Errors
/// Not a spec, or one with a broken reference.
pub(crate) fn base(config: &Config) -> anyhow::Result<Document> {
    let path = config.base.as_deref().context("no base")?;
    Ok(load_to_rewrite(path)?)
}

impl Inputs {
    /// The inputs of the partials, without overlaps.
    ///
    /// # Errors
    /// Two have common inputs, unless that is allowed.
    pub(crate) fn ledger(&self, config: &Config) -> anyhow::Result<Ledger> {
        let mut ledger = Ledger::new(config.allow_overlap);
        for NamedPartial { name, partial, .. } in &self.partials {
            ledger.add(name, partial.inputs().clone())?;
        }
        for name in ledger.silent() {
            config.messages.warn(format_args!("{name} does not say which input it was built from"));
        }
        Ok(ledger)
    }

    /// Drops the claims of records that are in another partial too.
    pub(crate) fn settle_claims(&mut self, config: &Config) {
        for (name, overlap) in merge::settle_claims(&mut self.partials) {
            config.messages.warn(format_args!(
                "{name} is ignored: another member of the group has read the same records ({overlap})"
            ));
        }
    }

    fn add_folder(&mut self, folder: &Path, config: &Config) -> anyhow::Result<()> {
        let known = self.documents.len() + self.partials.len();
        for path in files(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            match self.add_file(&path, config) {
                // Folders may also contain a package.json.
                Err(error)
                    if matches!(error.downcast_ref(), Some(SpecError::NotOpenApi { .. })) =>
                {
                    config.messages.warn(format_args!("ignored: {error}"));
                }
                other => other?,
            }
        }
        let rejected = self.rejects.count();
        if self.documents.len() + self.partials.len() == known && rejected == 0 {
            anyhow::bail!("{}: this folder contains no specs or partials", folder.display());
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, config: &Config) -> anyhow::Result<()> {
        if holds_partials(path) {
            let bytes =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            self.add(&path.display().to_string(), &bytes, config)
        } else {
            self.add_document(load_to_rewrite(path)?, config)
        }
    }

    fn add(&mut self, source: &str, bytes: &[u8], config: &Config) -> anyhow::Result<()> {
        if !Partial::is(bytes) {
            let document = load_bytes(bytes, source)?;
            return self.add_document(document, config);
        }
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let name = format!("{source}:{}", index + 1);
            let partial = match Partial::parse(line) {
                Ok(partial) => partial,
                Err(error) if config.strict => return Err(error).context(name),
                Err(error) => {
                    self.rejects.add(name, error);
                    continue;
                }
            };
            if config.verbose {
                config.messages.warn(format_args!("{name}: a partial"));
            }
            self.partials.push(NamedPartial { name, partial, bytes: line.len() });
        }
        Ok(())
    }

    fn add_document(&mut self, document: Document, config: &Config) -> anyhow::Result<()> {
        check_refs(&document)?;
        for warning in &document.warnings {
            config.messages.warn(format_args!("{}: {warning}", document.source));
        }
        if config.verbose {
            let paths = document.root["paths"].as_object().map_or(0, |paths| paths.len());
            config.messages.warn(format_args!("{}: a spec, paths: {paths}", document.source));
        }
        self.documents.push(document);
        Ok(())
    }
}

/// The files of a folder that may be specs or partials, sorted by name.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if Format::of_path(&path).is_some() && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Examines only the head of a file: specs have their own loader with limits.
fn holds_partials(path: &Path) -> bool {
    let mut head = Vec::new();
    // The loader of specs reports a file that cannot be read.
    let read = std::fs::File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
    read.is_ok() && Partial::is(&head)
}
