//! Path templates as a trie: at each segment, literals take precedence over templates.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rustc_hash::FxHashMap;

use super::verb::{OperationId, Verb};
use crate::exchange::Method;

/// The routes of a document.
#[derive(Debug, Default)]
pub(super) struct Router {
    nodes: Vec<Node>,
    pub(super) entries: Vec<Entry>,
}

/// A path item.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) template: String,
    /// Names of its parameters in order.
    pub(super) names: Vec<String>,
    pub(super) operations: Operations,
    pub(super) specificity: Vec<u8>,
    /// The required query: the part of the template's key after `?`. A name without a value may
    /// have any.
    pub(super) condition: Vec<(String, Option<String>)>,
    /// The same for the part after `#`, which also distinguishes operations with equal queries.
    pub(super) hint: Vec<(String, Option<String>)>,
    /// Other entries have the same place in the trie: the request decides between them.
    pub(super) tied: bool,
    /// The template ends in `{a*}`, which can be empty.
    optional: bool,
    /// The template ends in a slash.
    slash: bool,
    /// `x-hmt-trailing-slash: both`
    both: bool,
}

/// The operations of a path item.
#[derive(Debug, Default)]
pub(super) struct Operations {
    pub(super) known: Vec<(Method, OperationId)>,
    /// Operations with methods that exchanges do not have, by the method as sent.
    pub(super) others: Vec<(String, OperationId)>,
}

impl Entry {
    /// All operations with their methods.
    pub(super) fn all(&self) -> impl Iterator<Item = (Verb<'_>, OperationId)> {
        let Operations { known, others } = &self.operations;
        let known = known.iter().map(|(method, id)| (Verb::Known(*method), *id));
        known.chain(others.iter().map(|(name, id)| (Verb::Other(name), *id)))
    }
}

#[derive(Debug, Default)]
struct Node {
    /// A fast hasher is enough, because clients do not choose the keys.
    literals: FxHashMap<String, usize>,
    /// `{a}.json`, `{x}-{y}`: more literal text comes first.
    partial: Vec<(Vec<Token>, usize)>,
    /// `{a}`
    whole: Option<usize>,
    /// `{a+}`, `{a*}`: all remaining segments.
    rest: Option<usize>,
    /// Indices of entries that end here.
    entries: Vec<usize>,
}

/// A piece of a segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Literal(String),
    Parameter,
}

/// A template's segment.
enum Segment {
    Literal(String),
    Partial(Vec<Token>),
    Whole,
    Rest,
}

/// A key of `paths`, split from its query and fragment.
fn key_parts(key: &str) -> (&str, &str, &str) {
    let mut depth = 0u32;
    let at = key.find(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(c, '?' | '#')
    });
    let Some(at) = at else { return (key, "", "") };
    let (path, rest) = key.split_at(at);
    let (query, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    (path, query.trim_start_matches('?'), fragment)
}

/// The names of a query with their values. A templated value matches any.
fn conditions(query: &str) -> Vec<(String, Option<String>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !value.contains('{') => {
                (decode(name).into_owned(), Some(decode(value).into_owned()))
            }
            Some((name, _)) => (decode(name).into_owned(), None),
            None => (decode(pair).into_owned(), None),
        })
        .collect()
}

/// The name of a parameter in a template, without the `+`, `*` or `=**` that matches all remaining
/// segments.
pub(super) fn parameter_name(name: &str) -> &str {
    let name = name.strip_suffix("=**").unwrap_or(name);
    name.trim_end_matches(['+', '*']).trim_start_matches('*')
}

/// True if the last segment of a template is `{a*}`, `{*a}` or `{a=**}`, which can match zero
/// segments.
fn is_optional(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.starts_with('{') && (last.ends_with("*}") || last.starts_with("{*") && last.ends_with('}'))
}

fn decode(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', text.as_bytes()).is_some() {
        percent_decode_str(text).decode_utf8_lossy()
    } else {
        Cow::Borrowed(text)
    }
}

/// The path's segments after its leading slash, and whether it has a trailing slash.
fn split(path: &str) -> (Option<&str>, bool) {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return (None, false);
    }
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => (Some(rest), true),
        _ => (Some(path), false),
    }
}

fn parse(segment: &str, names: &mut Vec<String>) -> Segment {
    let mut tokens = Vec::new();
    let mut greedy = false;
    let mut rest = segment;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        if !before.is_empty() {
            tokens.push(Token::Literal(decode(before).into_owned()));
        }
        tokens.push(Token::Parameter);
        names.push(parameter_name(name).to_owned());
        greedy |= name != parameter_name(name);
        rest = after;
    }
    if tokens.is_empty() {
        return Segment::Literal(decode(rest).into_owned());
    }
    if !rest.is_empty() {
        tokens.push(Token::Literal(decode(rest).into_owned()));
    }
    match tokens.as_slice() {
        [Token::Parameter] if greedy => Segment::Rest,
        [Token::Parameter] => Segment::Whole,
        _ => Segment::Partial(tokens),
    }
}

/// Matches pieces from the right, each literal at its last position. This finds a match if there is
/// one, without backtracking. `None` if a parameter would be empty or a literal is missing.
fn match_tokens<'s>(tokens: &[Token], segment: &'s str, values: &mut Vec<&'s str>) -> Option<()> {
    let mut rest = segment;
    let start = values.len();
    let mut tokens = tokens.iter().rev().peekable();
    while let Some(token) = tokens.next() {
        match token {
            Token::Literal(literal) => rest = rest.strip_suffix(literal.as_str())?,
            Token::Parameter => {
                let last = rest.char_indices().next_back()?.0;
                let from = match tokens.peek() {
                    None => 0,
                    Some(Token::Parameter) => last,
                    // At least one character remains for the parameter.
                    Some(Token::Literal(literal)) => {
                        rest[..last].rfind(literal.as_str())? + literal.len()
                    }
                };
                values.push(&rest[from..]);
                rest = &rest[..from];
            }
        }
    }
    values[start..].reverse();
    rest.is_empty().then_some(())
}

impl Router {
    /// Adds a path item.
    pub(super) fn insert(&mut self, template: &str, operations: Operations, both: bool) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let (path, query, fragment) = key_parts(template);
        let condition = conditions(query);
        let hint = if fragment.contains('=') { conditions(fragment) } else { Vec::new() };
        let (segments, slash) = split(path);
        let mut names = Vec::new();
        let mut specificity = Vec::new();
        let mut at = 0;
        let mut segments = segments.into_iter().flat_map(|s| s.split('/')).peekable();
        while let Some(segment) = segments.next() {
            let next = self.nodes.len();
            let node = &mut self.nodes[at];
            at = match parse(segment, &mut names) {
                Segment::Literal(text) => {
                    specificity.push(3);
                    *node.literals.entry(text).or_insert(next)
                }
                Segment::Partial(tokens) => {
                    specificity.push(2);
                    match node.partial.iter().find(|(known, _)| *known == tokens) {
                        Some((_, child)) => *child,
                        None => {
                            node.partial.push((tokens, next));
                            node.partial.sort_by_cached_key(|(tokens, _)| {
                                (usize::MAX - literal_length(tokens), tokens.len(), tokens.clone())
                            });
                            next
                        }
                    }
                }
                Segment::Rest if segments.peek().is_none() => {
                    specificity.push(0);
                    *node.rest.get_or_insert(next)
                }
                Segment::Whole | Segment::Rest => {
                    specificity.push(1);
                    *node.whole.get_or_insert(next)
                }
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        let tied = !self.nodes[at].entries.is_empty();
        for other in &self.nodes[at].entries {
            self.entries[*other].tied = true;
        }
        self.nodes[at].entries.push(self.entries.len());
        let template = template.to_owned();
        self.entries.push(Entry {
            template,
            names,
            operations,
            specificity,
            condition,
            hint,
            tied,
            optional: is_optional(path),
            slash,
            both,
        });
    }

    /// Visits the matching entries, the most specific first, with the decoded values of their
    /// parameters, until `visit` returns true.
    pub(super) fn visit<'r>(
        &'r self,
        path: &str,
        visit: &mut dyn FnMut(&'r Entry, &[Cow<'_, str>]) -> bool,
    ) -> bool {
        if self.nodes.is_empty() {
            return false;
        }
        let (segments, slash) = split(path);
        self.walk(0, segments, slash, &mut Vec::new(), visit)
    }

    fn walk<'r, 'p>(
        &'r self,
        at: usize,
        rest: Option<&'p str>,
        slash: bool,
        values: &mut Vec<Cow<'p, str>>,
        visit: &mut dyn FnMut(&'r Entry, &[Cow<'_, str>]) -> bool,
    ) -> bool {
        let node = &self.nodes[at];
        let all_left = rest;
        let Some(rest) = rest else {
            let exact = |entry: &Entry| entry.both || entry.slash == slash;
            // If both spellings have path items, a request matches the path item with its own
            // spelling.
            let any_exact = node.entries.iter().any(|index| exact(&self.entries[*index]));
            let done = node
                .entries
                .iter()
                .map(|index| &self.entries[*index])
                .filter(|entry| !any_exact || exact(entry))
                .any(|entry| visit(entry, values));
            let Some(child) = node.rest.filter(|_| !done) else { return done };
            values.push(Cow::Borrowed(""));
            let entries = self.nodes[child].entries.iter().map(|index| &self.entries[*index]);
            let done = entries.filter(|entry| entry.optional).any(|entry| visit(entry, values));
            values.pop();
            return done;
        };
        let (segment, rest) = match memchr::memchr(b'/', rest.as_bytes()) {
            Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
            None => (rest, None),
        };
        let segment = decode(segment);
        if let Some(child) = node.literals.get(segment.as_ref())
            && self.walk(*child, rest, slash, values, visit)
        {
            return true;
        }
        if segment.is_empty() {
            return false;
        }
        let depth = values.len();
        for (tokens, child) in &node.partial {
            let mut found = Vec::new();
            if match_tokens(tokens, &segment, &mut found).is_some() {
                // A decoded segment is a local value, so its pieces must be copied.
                values.extend(found.into_iter().map(|value| Cow::Owned(value.to_owned())));
                let done = self.walk(*child, rest, slash, values, visit);
                values.truncate(depth);
                if done {
                    return true;
                }
            }
        }
        if let Some(child) = node.whole {
            values.push(segment);
            let done = self.walk(child, rest, slash, values, visit);
            values.truncate(depth);
            if done {
                return true;
            }
        }
        let (Some(child), Some(all_left)) = (node.rest, all_left) else { return false };
        values.push(decode(all_left));
        // A trailing slash belongs to the remaining segments.
        let done = self.walk(child, None, false, values, visit);
        values.truncate(depth);
        done
    }

    /// The template that matches the most leading segments of a path, if any, and why it does not
    /// match.
    pub(super) fn nearest(&self, path: &str) -> Option<String> {
        let segments: Vec<&str> = split(path).0.map_or_else(Vec::new, |s| s.split('/').collect());
        let mut best: Option<(usize, usize, &Entry, String)> = None;
        for entry in &self.entries {
            let template: Vec<&str> = split(key_parts(&entry.template).0)
                .0
                .map_or_else(Vec::new, |s| s.split('/').collect());
            let equal = template
                .iter()
                .zip(&segments)
                .take_while(|(t, s)| t.contains('{') || decode(t) == decode(s))
                .count();
            let distance = template.len().abs_diff(segments.len());
            let literal_hit = template.iter().take(equal).any(|t| !t.contains('{'));
            if !literal_hit
                || best.as_ref().is_some_and(|(e, d, ..)| {
                    (*e, usize::MAX - d) >= (equal, usize::MAX - distance)
                })
            {
                continue;
            }
            let why = match (template.get(equal), segments.get(equal)) {
                (Some(want), Some(have)) => format!("it has {want:?}, but the path has {have:?}"),
                (Some(want), None) => format!("the path ends before {want:?}"),
                _ => format!("it ends before {:?}", segments.get(equal).copied().unwrap_or("/")),
            };
            best = Some((equal, distance, entry, why));
        }
        best.map(|(_, _, entry, why)| format!("{} ({why})", entry.template))
    }
}

fn literal_length(tokens: &[Token]) -> usize {
    let length = |token: &Token| match token {
        Token::Literal(text) => text.len(),
        Token::Parameter => 0,
    };
    tokens.iter().map(length).sum()
}

#[cfg(test)]
mod tests;
