//! Loads the specs of the command line into a mock, at the start and whenever a file changes.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::bail;
use hmt_core::cli::{Messages, counted};
use hmt_core::exchange::Redactor;
use hmt_core::mock::{Catalogue, CompileOptions, Fetch, Loader, Mock, Seen, Sources, WATCH_EVERY};
use hmt_core::net::Fetcher;
use hmt_core::spec::Document;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::args::Config;

/// Maximum size of a spec that is fetched, in bytes.
const MAX_SPEC: u64 = 64 << 20;

/// The specs, and how to load them.
pub(crate) struct Specs {
    sources: Sources,
    redactor: Option<Arc<Redactor>>,
    /// Any warning is an error.
    strict: bool,
    /// Requests must match exactly one branch of `oneOf`.
    strict_one_of: bool,
    /// Options for compiling the specs.
    options: CompileOptions,
    seen: Seen,
    /// The files and folders of the last load.
    files: Vec<PathBuf>,
}

impl Specs {
    /// Reads standard input if it is named. Other sources are not read yet. `runtime` fetches URLs.
    pub(crate) fn new(config: &Config, runtime: Handle) -> anyhow::Result<Specs> {
        let mut fetcher = None;
        let fetch: Fetch = Box::new(move |url, reach| {
            let fetcher = match &fetcher {
                Some(fetcher) => fetcher,
                None => fetcher.insert(Fetcher::new().map_err(|error| error.to_string())?),
            };
            let fetched = runtime.block_on(fetcher.fetch(url, reach, MAX_SPEC));
            fetched.map_err(|error| error.to_string())
        });
        Ok(Specs {
            sources: Sources::new(
                config.specs.clone(),
                &mut io::stdin().lock(),
                config.ref_root.clone(),
                config.remote_refs,
                fetch,
            )?,
            redactor: config.redactor.clone(),
            strict: config.strict,
            strict_one_of: config.strict_one_of,
            options: CompileOptions {
                stateful: config.stateful,
                fire_callbacks: config.settings.fire_callbacks,
                all_faults: config.list_faults,
            },
            seen: Seen::default(),
            files: Vec::new(),
        })
    }

    /// Loads and compiles everything.
    pub(crate) fn load(&mut self, messages: &Messages) -> anyhow::Result<Catalogue> {
        // Examined before reading, so that a change in the meantime is noticed.
        self.seen = Seen::look(&self.files);
        let loaded = self.sources.load()?;
        if loaded.files != self.files {
            self.seen = Seen::look(&loaded.files);
            self.files = loaded.files;
        }
        let catalogue = self.compile(loaded.documents)?;
        // The loader and the compiler may report the same problem.
        let mut warnings: Vec<String> = Vec::new();
        let mut known = HashSet::new();
        for warning in loaded.warnings.into_iter().chain(catalogue.warnings()) {
            if known.insert(warning.clone()) {
                warnings.push(warning);
            }
        }
        let dropped = catalogue.recordings().dropped_headers();
        if dropped > 0 {
            warnings.push(format!("{dropped} recorded headers cannot be sent and are ignored"));
        }
        for warning in &warnings {
            messages.warn(warning);
        }
        if self.strict && !warnings.is_empty() {
            let warnings = counted(warnings.len() as u64, "warning");
            bail!("{warnings} about the specs, which --strict does not allow");
        }
        Ok(catalogue)
    }

    /// Compiles documents with the options of the flags.
    fn compile(&self, documents: Vec<Document>) -> anyhow::Result<Catalogue> {
        let mut catalogue = Catalogue::compile_with(documents, self.options)?;
        catalogue.set_strict_one_of(self.strict_one_of);
        if let Some(redactor) = self.redactor.clone() {
            catalogue.set_pseudonym(move |secret| redactor.pseudonym(secret));
        }
        Ok(catalogue)
    }

    /// Lets the admin port reload the specs and, with `watch`, reloads them whenever a file
    /// changes.
    pub(crate) fn attach(self, mock: &Arc<Mock>, messages: &Messages, watch: bool) {
        let specs = Arc::new(Mutex::new(self));
        let (shared, told) = (Arc::clone(&specs), messages.clone());
        mock.set_loader(Box::new(SpecLoader { specs: shared, messages: told }));
        if watch {
            let (mock, messages) = (Arc::clone(mock), messages.clone());
            thread::spawn(move || Specs::watch(&specs, &mock, &messages));
        }
    }

    /// Reloads the specs whenever a file changes. If that fails, the old specs stay.
    fn watch(specs: &Mutex<Specs>, mock: &Mock, messages: &Messages) {
        loop {
            thread::sleep(WATCH_EVERY);
            let mut specs = specs.lock();
            if !specs.seen.changed() {
                continue;
            }
            match specs.load(messages) {
                Ok(catalogue) => {
                    let (specs, operations) = (catalogue.specs(), catalogue.operations());
                    mock.replace(catalogue);
                    messages
                        .ready(format_args!("reloaded: {specs} specs, {operations} operations"));
                }
                Err(error) => {
                    specs.seen = Seen::look(&specs.files);
                    messages.warn(format_args!("{error:#}; the previous specs stay in use"));
                }
            }
        }
    }
}

/// The context of a running mock.
struct SpecLoader {
    specs: Arc<Mutex<Specs>>,
    messages: Messages,
}

impl Loader for SpecLoader {
    fn load(&self) -> Result<Catalogue, String> {
        self.specs.lock().load(&self.messages).map_err(|error| format!("{error:#}"))
    }

    fn documents(&self) -> Result<Vec<Document>, String> {
        let loaded = self.specs.lock().sources.load().map_err(|error| format!("{error:#}"))?;
        Ok(loaded.documents)
    }

    fn compile(&self, documents: Vec<Document>) -> Result<Catalogue, String> {
        self.specs.lock().compile(documents).map_err(|error| format!("{error:#}"))
    }
}
