//! Strings.

use rand::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use regex::Regex;
use regex_syntax::hir::Hir;

use super::conjunction::Flat;
use super::lookahead;
use super::pattern::{self, Repeats};
use super::vocabulary::{self, Meaning};
use crate::format::{self, StringFormat, below};
use crate::schema::Pattern;

/// Number of candidates from each source.
const TRIES: u64 = 64;
/// The same when a plan is compiled.
const PROBES: u64 = 2_000;
/// Longer texts are only written if `minLength` requires them.
const MAX_TEXT: u64 = 1 << 20;

/// A string that satisfies all of its constraints.
#[derive(Debug)]
pub(super) struct TextPlan {
    /// The best first.
    sources: Vec<Source>,
    min: u64,
    max: u64,
    patterns: Vec<Regex>,
    /// Patterns that must match but that the linear engine does not support.
    tried: Vec<Pattern>,
    /// Patterns that must not match.
    forbidden: Vec<Regex>,
    formats: Vec<&'static StringFormat>,
    /// A valid text, if random choice finds none.
    sure: Option<String>,
    /// The only constraint is this one format, so that what it writes needs no check.
    only: Option<&'static StringFormat>,
}

/// The sources of candidates.
enum Source {
    Meaning(Meaning),
    /// Text with placeholders such as `{{name.firstName}}`: literal parts, each followed by the
    /// meaning of its placeholder.
    Template(Vec<(String, Option<Meaning>)>),
    Pattern(Hir),
    /// Concatenated matches of several expressions.
    Chain(Vec<Hir>),
    Format(&'static StringFormat),
    Words,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Meaning(meaning) => write!(f, "{meaning:?}"),
            Source::Template(parts) => write!(f, "{parts:?}"),
            Source::Pattern(hir) => write!(f, "/{hir}/"),
            Source::Chain(hirs) => write!(f, "{} patterns", hirs.len()),
            Source::Format(format) => write!(f, "{}", format.name),
            Source::Words => write!(f, "words"),
        }
    }
}

impl TextPlan {
    /// `None` if the lengths allow no text. Warns if nothing satisfies all constraints.
    pub(super) fn compile(flat: &mut Flat<'_>) -> Option<TextPlan> {
        let mut warnings = Vec::new();
        let min = flat.all().filter_map(|node| node.min_length).max().unwrap_or(0);
        let max = flat.all().filter_map(|node| node.max_length).min().unwrap_or(u64::MAX);
        if min > max || min > MAX_TEXT {
            return None;
        }
        let mut plan = TextPlan {
            sources: Vec::new(),
            min,
            max,
            patterns: Vec::new(),
            tried: Vec::new(),
            forbidden: Vec::new(),
            formats: flat
                .all()
                .filter_map(|node| format::by_name(node.format.as_deref()?))
                .collect(),
            sure: None,
            only: None,
        };
        plan.sources.extend(flat.all().filter_map(|node| faker(node.faker.as_ref()?)));
        for node in flat.all() {
            let Some(pattern) = &node.pattern else { continue };
            if let Some(regex) = &pattern.regex {
                plan.sources.extend(pattern::parse(regex.as_str()).map(Source::Pattern));
                plan.patterns.push(regex.clone());
            } else if let Some(parts) = lookahead::split(&pattern.source) {
                let parse = |regex: &Regex| pattern::parse(regex.as_str());
                plan.sources.extend(parts.all.last().and_then(parse).map(Source::Pattern));
                plan.sources.push(Source::Chain(parts.all.iter().filter_map(parse).collect()));
                plan.patterns.extend(parts.all);
                plan.forbidden.extend(parts.none);
            } else if let Some(loose) = pattern.loosened() {
                // Texts of a similar form are tried until one matches.
                plan.sources.extend(pattern::parse(loose.as_str()).map(Source::Pattern));
                plan.tried.push(pattern.clone());
            } else {
                warnings.push(format!(
                    "{}: pattern {:?} is not supported; generated strings may not match it",
                    node.pointer, pattern.source
                ));
            }
        }
        plan.sources.extend(plan.formats.iter().map(|format| Source::Format(format)));
        let unknown = flat
            .all()
            .filter_map(|node| node.format.as_deref())
            .filter(|name| format::by_name(name).is_none());
        plan.sources.extend(unknown.filter_map(Meaning::of_property).map(Source::Meaning));
        plan.sources.extend(flat.meaning.map(Source::Meaning));
        plan.sources.push(Source::Words);
        plan.only = match plan.formats.as_slice() {
            [only] if !plan.is_bounded() && !plan.has_patterns() => Some(only),
            _ => None,
        };
        plan.probe(flat, &mut warnings);
        flat.warnings.append(&mut warnings);
        Some(plan)
    }

    /// Texts that match a pattern, for names of properties.
    pub(super) fn matching(pattern: &Pattern) -> TextPlan {
        let loose = pattern.loosened();
        let regex = pattern.regex.as_ref().or(loose.as_ref());
        let hir = regex.and_then(|regex| pattern::parse(regex.as_str()));
        TextPlan {
            sources: vec![hir.map_or(Source::Words, Source::Pattern)],
            min: 1,
            max: 64,
            patterns: pattern.regex.iter().cloned().collect(),
            tried: loose.iter().map(|_| pattern.clone()).collect(),
            forbidden: Vec::new(),
            formats: Vec::new(),
            sure: None,
            only: None,
        }
    }

    /// Removes sources that never produce a valid text.
    fn probe(&mut self, flat: &Flat<'_>, warnings: &mut Vec<String>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut useless = Vec::new();
        for source in std::mem::take(&mut self.sources) {
            let mut text = String::new();
            // Once there is a good source, others get fewer attempts.
            let tries = if self.sources.is_empty() { PROBES } else { TRIES };
            if self.try_source(&source, tries, &mut rng, &mut text) {
                self.sources.push(source);
                self.sure.get_or_insert(text);
            } else {
                useless.push(source);
            }
        }
        if self.sources.is_empty() {
            let pointer = flat.all().next().map_or("", |node| &node.pointer);
            warnings
                .push(format!("{pointer}: found no string with its length, pattern and format"));
            self.sources = useless;
        }
    }

    /// Writes a text into `out`, which must be empty.
    pub(super) fn write(&self, rng: &mut dyn RngCore, out: &mut String) {
        let found = self.sources.iter().any(|source| self.try_source(source, TRIES, rng, out));
        if let Some(sure) = self.sure.as_ref().filter(|_| !found) {
            out.clear();
            out.push_str(sure);
        }
    }

    fn try_source(
        &self,
        source: &Source,
        tries: u64,
        rng: &mut dyn RngCore,
        out: &mut String,
    ) -> bool {
        (0..tries).any(|attempt| {
            out.clear();
            self.candidate(source, attempt, rng, out);
            if let (Source::Format(format), Some(only)) = (source, self.only)
                && std::ptr::eq(*format, only)
            {
                return true;
            }
            self.accepts(out) || self.fit(out)
        })
    }

    /// Extends a text with `more` if it stays valid.
    pub(super) fn lengthen(&self, text: &mut String, more: &str) {
        let length = text.len();
        text.push_str(more);
        if !self.accepts(text) {
            text.truncate(length);
        }
    }

    fn candidate(&self, source: &Source, attempt: u64, rng: &mut dyn RngCore, out: &mut String) {
        match source {
            Source::Meaning(meaning) => meaning.write(rng, out),
            Source::Template(parts) => {
                for (text, meaning) in parts {
                    out.push_str(text);
                    if let Some(meaning) = meaning {
                        meaning.write(rng, out);
                    }
                }
            }
            Source::Format(format) => (format.write)(rng, out),
            Source::Words => {
                vocabulary::words(rng, out, self.min, self.max.min(self.min.saturating_add(40)));
            }
            Source::Chain(hirs) => {
                for hir in hirs {
                    pattern::write(hir, rng, &mut Repeats::Each(attempt % 4), out);
                }
            }
            Source::Pattern(hir) => {
                let least = hir.properties().minimum_len().unwrap_or(0) as u64;
                let mut repeats = if self.is_bounded() && attempt.is_multiple_of(2) {
                    let low = self.min.max(least);
                    let high = self.max.min(low.saturating_add(8));
                    let length = low + below(rng, high.saturating_sub(low).saturating_add(1));
                    Repeats::Total(length.saturating_sub(least))
                } else {
                    Repeats::Each([5, 2, 10, 0, 20][(attempt / 2 % 5) as usize])
                };
                pattern::write(hir, rng, &mut repeats, out);
            }
        }
    }

    fn is_bounded(&self) -> bool {
        self.min > 0 || self.max != u64::MAX
    }

    fn has_patterns(&self) -> bool {
        !(self.patterns.is_empty() && self.tried.is_empty() && self.forbidden.is_empty())
    }

    fn accepts(&self, text: &str) -> bool {
        (!self.is_bounded() || (self.min..=self.max).contains(&(text.chars().count() as u64)))
            && self.patterns.iter().all(|pattern| pattern.is_match(text))
            && self.tried.iter().all(|pattern| pattern.accepts(text))
            && !self.forbidden.iter().any(|pattern| pattern.is_match(text))
            && self.formats.iter().all(|format| (format.detect)(text))
    }

    /// Truncates or extends a text if only its length is wrong. False if that does not make it
    /// valid.
    fn fit(&self, text: &mut String) -> bool {
        let length = text.chars().count() as u64;
        if length > self.max {
            // For base64 also to a multiple of four.
            [self.max, self.max - self.max % 4].into_iter().any(|length| {
                let end = text.char_indices().nth(length as usize).map_or(text.len(), |(at, _)| at);
                text.truncate(end);
                self.accepts(text)
            })
        } else if length < self.min && length > 0 {
            let missing = (self.min - length) as usize;
            let more: String =
                text.chars().filter(char::is_ascii_alphanumeric).cycle().take(missing).collect();
            text.push_str(&more);
            self.accepts(text)
        } else {
            false
        }
    }
}

/// Parses `x-faker`: a name, a template, or an object whose key is the name.
fn faker(value: &serde_json::Value) -> Option<Source> {
    let text = match value {
        serde_json::Value::Object(map) => map.keys().next()?,
        other => other.as_str()?,
    };
    if !text.contains("{{") {
        return Meaning::of_faker(text).map(Source::Meaning);
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}")?;
        parts.push((literal.to_owned(), Some(Meaning::of_faker(name.trim())?)));
        rest = after;
    }
    parts.push((rest.to_owned(), None));
    Some(Source::Template(parts))
}
