//! Reading the inputs, all of them before anything is written.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use hmt_core::infer::Partial;
use hmt_core::spec::{Document, check_refs, load as load_bytes, load_file};

use super::args::Config;

/// The name under which messages speak of what the partials say.
pub(crate) const INFERRED: &str = "the inferred spec";

/// What was read.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) documents: Vec<Document>,
    pub(crate) partials: Vec<Partial>,
    /// `FILE:LINE` of each partial.
    pub(crate) names: Vec<String>,
}

/// Reads all inputs.
///
/// # Errors
/// The first that cannot be read, or is neither a spec nor a partial.
pub(crate) fn load(config: &Config) -> anyhow::Result<Inputs> {
    let mut inputs = Inputs::default();
    for path in &config.inputs {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .context("cannot read standard input")?;
            inputs.add("<stdin>", &bytes, config)?;
        } else if holds_partials(path)? {
            let bytes =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            inputs.add(&path.display().to_string(), &bytes, config)?;
        } else {
            let document = load_file(path)?;
            inputs.add_document(document, config)?;
        }
    }
    Ok(inputs)
}

impl Inputs {
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
            self.partials.push(Partial::parse(line).with_context(|| name.clone())?);
            if config.verbose {
                config.messages.warn(format_args!("{name}: a partial"));
            }
            self.names.push(name);
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

/// Looks at the head of a file only: specs have a loader of their own, with limits.
fn holds_partials(path: &Path) -> anyhow::Result<bool> {
    let mut head = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut head))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Partial::is(&head))
}
