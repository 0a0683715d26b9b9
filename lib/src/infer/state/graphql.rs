//! GraphQL calls: the called operation of a document, its variables, and the returned data.
//!
//! Only the heads of a document are parsed: kinds and names of its operations, and the first field
//! of each. A full parser would reject documents with newer syntax, and nothing else in them is
//! needed here.

use serde::{Deserialize, Serialize};

use super::class::no_priority;
use super::json::Json;
use super::tape::{Tape, Tapes, Token};
use crate::exchange::{Body, Exchange, Method, Pairs, Request, header, is_json};
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Caps, Merge, add, coarsen_option, merge_option};

/// The operations called at one endpoint, by [`Call::key`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GraphQl {
    pub(crate) operations: CappedMap<Called>,
}

/// The observations of the calls of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Called {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Box<Json>>,
    pub(crate) n: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variables: Option<Box<Json>>,
}

/// One call of an exchange.
#[derive(Debug)]
pub(super) struct Call {
    /// Kind and name, separated by a space.
    pub(super) key: String,
    variables: Variables,
    /// Its index in a batch.
    at: Option<usize>,
}

#[derive(Debug)]
enum Variables {
    None,
    /// The token of the request's body.
    Token(usize),
    /// The tokens of a query, with their text.
    Own(Box<Tape>, String),
}

/// An operation of a document.
#[derive(Debug, PartialEq, Eq)]
struct Operation<'t> {
    kind: &'static str,
    name: Option<&'t str>,
    /// The first root field.
    field: Option<&'t str>,
}

/// The calls of a request; none if it is not a GraphQL request.
pub(super) fn calls(request: &Request<'_>, tape: &mut Tape) -> Vec<Call> {
    match request.method {
        Method::Get => of_query(request).into_iter().collect(),
        Method::Post => of_body(request, tape),
        _ => Vec::new(),
    }
}

fn of_query(request: &Request<'_>) -> Option<Call> {
    let find = |name: &str| {
        request.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    };
    let key = key(find("query")?, find("operationName"))?;
    let variables = find("variables").and_then(|text| {
        let mut tape = Box::<Tape>::default();
        tape.parse(text).ok()?;
        Some(Variables::Own(tape, text.to_owned()))
    });
    Some(Call { key, variables: variables.unwrap_or(Variables::None), at: None })
}

fn of_body(request: &Request<'_>, tape: &mut Tape) -> Vec<Call> {
    if !read(&request.headers, &request.body, tape) {
        return Vec::new();
    }
    let (tape, text) = (&*tape, tape.text(&request.body));
    match tape.token(0) {
        Token::Object { .. } => of_object(tape, text, 0, None).into_iter().collect(),
        Token::Array { end } => {
            let (mut all, mut at) = (Vec::new(), 1);
            while at < end as usize {
                match of_object(tape, text, at, Some(all.len())) {
                    Some(call) => all.push(call),
                    None => return Vec::new(),
                }
                at = behind(tape, at);
            }
            all
        }
        _ => Vec::new(),
    }
}

fn of_object(tape: &Tape, text: &str, object: usize, at: Option<usize>) -> Option<Call> {
    let string = |name: &str| match tape.token(member(tape, text, object, name)?) {
        Token::Text(span) => Some(tape.str(span, text)),
        _ => None,
    };
    let key = key(string("query")?, string("operationName"))?;
    let variables = member(tape, text, object, "variables");
    Some(Call { key, variables: variables.map_or(Variables::None, Variables::Token), at })
}

/// True for a body that is JSON by its type; then it is on the tape.
fn read(headers: &Pairs<'_>, body: &Body<'_>, tape: &mut Tape) -> bool {
    let content_type = header(headers, "content-type");
    let typed = !body.is_empty() && content_type.is_none_or(is_json);
    typed && tape.read(body, content_type).is_ok()
}

/// The token of a member's value.
fn member(tape: &Tape, text: &str, object: usize, name: &str) -> Option<usize> {
    let Token::Object { end } = tape.token(object) else { return None };
    let mut at = object + 1;
    while at < end as usize {
        let Token::Text(span) = tape.token(at) else { return None };
        if span.len() == name.len() && tape.str(span, text) == name {
            return Some(at + 1);
        }
        at = behind(tape, at + 1);
    }
    None
}

/// The token after a value.
fn behind(tape: &Tape, at: usize) -> usize {
    match tape.token(at) {
        Token::Array { end } | Token::Object { end } => end as usize,
        _ => at + 1,
    }
}

/// The kind and name of the operation that a request calls: the named operation, or the only one.
/// If that has no name, it is named by its first field. `None` if the text is not such a document.
fn key(document: &str, asked: Option<&str>) -> Option<String> {
    let all = operations(document)?;
    let asked = asked.filter(|name| !name.is_empty());
    let found = all.iter().find(|one| one.name == asked && asked.is_some());
    let found = found.or_else(|| all.first())?;
    let name = asked.or(found.name).or(found.field).unwrap_or("anonymous");
    Some(format!("{} {name}", found.kind))
}

/// The operations of a document; `None` if it is malformed or has none.
fn operations(document: &str) -> Option<Vec<Operation<'_>>> {
    let mut tokens = Words { rest: document };
    let mut all = Vec::new();
    while let Some(word) = tokens.next() {
        let kind = match word {
            Word::Sign('{') => {
                let field = selection(&mut tokens)?;
                all.push(Operation { kind: "query", name: None, field });
                continue;
            }
            Word::Name("query") => "query",
            Word::Name("mutation") => "mutation",
            Word::Name("subscription") => "subscription",
            Word::Name("fragment") => "",
            _ => return None,
        };
        let (mut name, mut depth, mut first) = (None, 0, true);
        loop {
            match tokens.next()? {
                Word::Sign('{') if depth == 0 => break,
                Word::Sign('(' | '[' | '{') => depth += 1,
                Word::Sign(')' | ']' | '}') => depth -= 1,
                Word::Name(word) if first => name = Some(word),
                _ => {}
            }
            first = false;
        }
        let field = selection(&mut tokens)?;
        if !kind.is_empty() {
            all.push(Operation { kind, name, field });
        }
    }
    (!all.is_empty()).then_some(all)
}

/// Reads past the closing brace; returns the first field. `None` if the brace is missing.
fn selection<'t>(tokens: &mut Words<'t>) -> Option<Option<&'t str>> {
    let (mut field, mut depth, mut alias, mut spread) = (None, 1, false, false);
    while depth > 0 {
        let word = tokens.next()?;
        match word {
            Word::Sign('(' | '[' | '{') => depth += 1,
            Word::Sign(')' | ']' | '}') => depth -= 1,
            Word::Sign(':') if depth == 1 && alias => field = None,
            Word::Name(name) if depth == 1 && field.is_none() && !spread => field = Some(name),
            _ => {}
        }
        alias = matches!(word, Word::Name(_)) && depth == 1;
        spread = matches!(word, Word::Sign('.')) || (spread && word == Word::Name("on"));
    }
    Some(field)
}

/// The tokens of a document, without comments and commas.
struct Words<'t> {
    rest: &'t str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'t> {
    Name(&'t str),
    Sign(char),
    String,
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        loop {
            let blank = |c: char| c.is_whitespace() || c == ',' || c == '\u{feff}';
            self.rest = self.rest.trim_start_matches(blank);
            match self.rest.strip_prefix('#') {
                Some(comment) => {
                    let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
                    self.rest = &comment[end..];
                }
                None => break,
            }
        }
        let first = self.rest.chars().next()?;
        if first == '"' {
            let (mark, start) =
                if self.rest.starts_with("\"\"\"") { ("\"\"\"", 3) } else { ("\"", 1) };
            let mut at = start;
            while !self.rest[at..].starts_with(mark) {
                let escape = usize::from(self.rest[at..].starts_with('\\'));
                let mut next = self.rest[at..].chars();
                at += (0..=escape).filter_map(|_| next.next()).map(char::len_utf8).sum::<usize>();
                if at >= self.rest.len() {
                    self.rest = "";
                    return None;
                }
            }
            self.rest = &self.rest[at + mark.len()..];
            return Some(Word::String);
        }
        let in_name = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !in_name(c)).unwrap_or(self.rest.len());
        if end == 0 {
            self.rest = &self.rest[first.len_utf8()..];
            return Some(Word::Sign(first));
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Word::Name(name))
    }
}

/// Calls `see` with each call of an exchange: variables and data with their tapes, texts and
/// tokens.
pub(super) fn each<'t>(
    exchange: &'t Exchange<'_>,
    tapes: &'t mut Tapes,
    mut see: impl FnMut(&str, Option<TapeValue<'_>>, Option<TapeValue<'_>>),
) {
    let request = &exchange.request;
    let calls = calls(request, &mut tapes.asked);
    if calls.is_empty() {
        return;
    }
    let answered = exchange.response.as_ref().and_then(|response| {
        read(&response.headers, &response.body, &mut tapes.answered).then_some(response)
    });
    let tapes = &*tapes;
    let asked = tapes.asked.text(&request.body);
    let answered = answered.map(|response| tapes.answered.text(&response.body));
    for call in calls {
        let variables = match &call.variables {
            Variables::None => None,
            Variables::Token(at) => Some(TapeValue { tape: &tapes.asked, text: asked, at: *at }),
            Variables::Own(tape, text) => Some(TapeValue { tape, text, at: 0 }),
        };
        let data = answered.and_then(|text| {
            let object = call.at.map_or(Some(0), |at| item(&tapes.answered, at))?;
            let at = member(&tapes.answered, text, object, "data")?;
            Some(TapeValue { tape: &tapes.answered, text, at })
        });
        see(&call.key, variables, data);
    }
}

/// The token of an item of the body's array.
fn item(tape: &Tape, number: usize) -> Option<usize> {
    let Token::Array { end } = tape.token(0) else { return None };
    let mut at = 1;
    for _ in 0..number {
        at = behind(tape, at);
    }
    (at < end as usize).then_some(at)
}

/// A value on a tape.
#[derive(Clone, Copy)]
pub(super) struct TapeValue<'t> {
    pub(super) tape: &'t Tape,
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl TapeValue<'_> {
    fn fold(&self, into: &mut Option<Box<Json>>, limits: &Caps<'_>) {
        into.get_or_insert_default().fold(self.tape, self.text, self.at, 0, limits);
    }
}

/// Folds the calls of an exchange.
pub(super) fn fold(
    graphql: &mut Option<Box<GraphQl>>,
    exchange: &Exchange<'_>,
    tapes: &mut Tapes,
    limits: &Caps<'_>,
) {
    each(exchange, tapes, |key, variables, data| {
        let operations = &mut graphql.get_or_insert_default().operations;
        let called = operations.slot(key, limits.keys, no_priority, limits);
        add(&mut called.n, 1);
        if let Some(variables) = variables {
            variables.fold(&mut called.variables, limits);
        }
        if let Some(data) = data {
            data.fold(&mut called.data, limits);
        }
    });
}

impl Merge for GraphQl {
    fn coarsen(&mut self, limits: &Limits) {
        self.operations.coarsen(limits.keys, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.operations.merge(other.operations, limits.keys, limits);
    }
}

impl Merge for Called {
    fn coarsen(&mut self, limits: &Limits) {
        coarsen_option(&mut self.data, limits);
        coarsen_option(&mut self.variables, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        merge_option(&mut self.data, other.data, limits);
        add(&mut self.n, other.n);
        merge_option(&mut self.variables, other.variables, limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operation_that_a_document_calls() {
        for (document, asked, expected) in [
            ("{ me { id } }", None, Some("query me")),
            (
                "query GetUser($id: ID! = \"a}\") { user(id: $id) { id } }",
                None,
                Some("query GetUser"),
            ),
            ("mutation { add: createUser(in: {a: 1}) { id } }", None, Some("mutation createUser")),
            ("subscription S @live { x }", Some(""), Some("subscription S")),
            ("query A { a } mutation B { b }", Some("B"), Some("mutation B")),
            (
                "# note {\nfragment F on T { a } query Q { ...F ... on T { b } c }",
                None,
                Some("query Q"),
            ),
            ("{ ...F c } fragment F on T { a }", None, Some("query c")),
            ("{ a(t: \"\"\"x \\\"\"\" } \"\"\") }", None, Some("query a")),
            ("{ é }", None, Some("query é")),
            ("cheap flights", None, None),
            ("query", None, None),
            ("{ a", None, None),
            ("\"a", None, None),
            ("", None, None),
            ("select * from t", None, None),
        ] {
            assert_eq!(key(document, asked).as_deref(), expected, "{document}");
        }
    }
}
