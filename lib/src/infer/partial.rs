//! The serialised state: one line of canonical JSON, so that equal states are equal bytes.

use serde::{Deserialize, Serialize};

use crate::exchange::json_error;

use super::state::State;
use super::{Info, Provenance, StateConfig};

/// The format's version.
const FORMAT: u32 = 1;

/// A state from a file.
#[derive(Debug, Deserialize)]
pub struct Partial {
    #[serde(default)]
    claim: Option<String>,
    #[serde(rename = "hmt-partial")]
    format: u32,
    config: String,
    exchanges: u64,
    #[serde(default)]
    inputs: Provenance,
    #[serde(default)]
    last: Option<String>,
    #[serde(default)]
    member: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default, rename = "no-values")]
    no_values: bool,
    state: State,
}

#[derive(Serialize)]
struct Line<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'s str>,
    config: String,
    exchanges: u64,
    #[serde(rename = "hmt-partial")]
    format: u32,
    #[serde(skip_serializing_if = "Provenance::is_empty")]
    inputs: &'s Provenance,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'s str>,
    mode: &'s str,
    #[serde(rename = "no-values", skip_serializing_if = "std::ops::Not::not")]
    no_values: bool,
    state: &'s State,
}

/// Why a partial cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartialError {
    /// Not JSON, or not of this format.
    #[error("not a partial: {}", json_error(.0))]
    Syntax(serde_json::Error),
    /// Nested deeper than any valid state.
    #[error("not a partial: nested deeper than {MAX_DEPTH} levels")]
    Depth,
    /// A format that this version cannot read.
    #[error(
        "partial of format {0}, but this version reads format {FORMAT}; build it again with this version"
    )]
    Format(u32),
    /// Another mode, other limits, or another version.
    #[error(
        "built with another configuration ({theirs}, not {ours}); build all partials with the same version and options"
    )]
    StateConfig {
        /// The hash in the partial.
        theirs: String,
        /// The hash of this run.
        ours: String,
    },
}

impl Partial {
    /// True if bytes begin like a partial. It is canonical, so its first key is known, and neither
    /// exchanges nor specs have that key.
    pub fn is(bytes: &[u8]) -> bool {
        [&b"{\"config\":"[..], b"{\"claim\":", b"{\"hmt-partial\":"]
            .iter()
            .any(|key| bytes.starts_with(key))
    }

    /// Parses a line.
    ///
    /// # Errors
    /// The line is not a partial, or has another format.
    pub fn parse(line: &[u8]) -> Result<Partial, PartialError> {
        let partial = nested(line)?;
        if partial.format != FORMAT {
            return Err(PartialError::Format(partial.format));
        }
        Ok(partial)
    }

    /// The number of its exchanges.
    pub fn exchanges(&self) -> u64 {
        self.exchanges
    }

    /// Its mode.
    pub fn mode(&self) -> super::Mode {
        self.mode.as_deref().and_then(|name| name.parse().ok()).unwrap_or_default()
    }

    /// The configuration of this version with the partial's mode.
    pub fn configuration(&self) -> StateConfig {
        let config = StateConfig::new(self.mode());
        if self.no_values { config.without_values() } else { config }
    }

    /// Its inputs, as far as they were tracked.
    pub fn inputs(&self) -> &Provenance {
        &self.inputs
    }

    /// The run that read the inputs for a consumer group, if it is unknown whether the group has
    /// recorded the commit. If it has not, others read the same messages again, and this partial
    /// does not count.
    pub fn claim(&self) -> Option<&str> {
        self.claim.as_deref()
    }

    /// The hash of the last message of the single partition in this partial.
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The run's name in a consumer group, if any: a later run that continues from this state
    /// reuses it.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// A description of the content.
    pub fn info(&self) -> Info {
        let this_version = self.config == self.configuration().hash();
        Info::of(
            &self.state,
            self.mode(),
            !self.no_values,
            &self.config,
            this_version,
            self.inputs.clone(),
            self.claim.is_some(),
        )
    }

    pub(super) fn into_state(self, config: &StateConfig) -> Result<State, PartialError> {
        let ours = config.hash();
        if self.config == ours {
            Ok(self.state)
        } else {
            Err(PartialError::StateConfig { theirs: self.config, ours })
        }
    }
}

/// Nesting depth of a partial: a state has up to four levels for each level of a body, of which
/// there are at most 128.
const MAX_DEPTH: usize = 1024;

/// Stack size in bytes: more than this depth needs, even in unoptimised builds. The default of
/// threads is 2 MiB.
const STACK: usize = 64 << 20;

/// Parses JSON with unusually deep nesting.
fn nested(line: &[u8]) -> Result<Partial, PartialError> {
    if depth(line) > MAX_DEPTH {
        return Err(PartialError::Depth);
    }
    let read = || {
        let mut reader = serde_json::Deserializer::from_slice(line);
        reader.disable_recursion_limit();
        let partial = Partial::deserialize(&mut reader).map_err(PartialError::Syntax)?;
        reader.end().map_err(PartialError::Syntax)?;
        Ok(partial)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
        let thread = thread.map_err(|e| PartialError::Syntax(serde_json::Error::io(e)))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The nesting depth of a JSON text, up to the first error.
fn depth(line: &[u8]) -> usize {
    let (mut now, mut deepest) = (0usize, 0);
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

pub(super) fn write(
    state: &State,
    config: &StateConfig,
    inputs: &Provenance,
    (claim, last, member): (Option<&str>, Option<&str>, Option<&str>),
) -> String {
    let line = Line {
        claim,
        config: config.hash(),
        exchanges: state.exchanges,
        format: FORMAT,
        inputs,
        last,
        member,
        mode: config.mode.as_str(),
        no_values: !config.keeps_values(),
        state,
    };
    serde_json::to_string(&line)
        .expect("a state has string keys and no floats, so it is always JSON")
}
