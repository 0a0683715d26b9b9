//! Describes an operation in words of its path: a verb from the method and shape, and the things
//! that it is applied to.
//!
//! It is the basis of `operationId`, `summary` and `tags`. It depends only on the path template,
//! the method and the shape of the responses, so it is the same wherever the same API was recorded.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::calls::is_call;
use super::singular::singular;
use super::vocabulary::is_plural;
use crate::exchange::Method;
use crate::infer::state::{Class, Json, Operation, class_of, without_extension};

/// A verb and its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wording {
    pub(super) verb: Verb,
    /// The outermost first: for `/users/{}/posts` the user, then the posts.
    pub(super) things: Vec<Thing>,
    /// `csv`, if there are others.
    pub(super) representation: Option<String>,
}

/// The verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// From the method: `get`, `list`, `create`.
    Method(&'static str),
    /// From the path: `/orders/{}/cancel`.
    Action(String),
    /// The path is a name for it: `/auth/login`.
    Name,
}

/// A thing named by a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Thing {
    /// In lower case.
    pub(super) words: Vec<String>,
    /// A single thing, selected by a parameter or just created: its last word is singular.
    pub(super) one: bool,
}

impl Thing {
    fn named(literal: &str) -> Thing {
        Thing { words: words(literal), one: false }
    }

    fn one(mut self) -> Thing {
        self.one = true;
        if let Some(last) = self.words.last_mut() {
            *last = singular(last).into_owned();
        }
        self
    }

    pub(super) fn is_plural(&self) -> bool {
        !self.one && self.words.last().is_some_and(|word| is_plural(word))
    }
}

/// Facts about a path besides its segments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PathShape {
    /// A parameter follows: for `/users`, if there is `/users/{}`.
    pub(super) has_items: bool,
    /// Whether successful responses hold a list or one thing; `None` if unknown.
    pub(super) lists: Option<bool>,
    /// The path has several representations, so the name must include this one: `/report.csv`,
    /// `/report.xml`.
    pub(super) represented: bool,
}

impl PathShape {
    /// From the successful responses of an operation.
    pub(super) fn of(key: &str, operation: &Operation, siblings: Siblings) -> PathShape {
        let Siblings { has_items, represented } = siblings;
        let last = key.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        let answers: Vec<&Json> = good_answers(operation).collect();
        let lists = (!answers.is_empty()).then(|| answers.iter().any(|json| is_list(json, last)));
        PathShape { has_items, lists, represented }
    }
}

/// Facts about a path from other paths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Siblings {
    has_items: bool,
    represented: bool,
}

impl Siblings {
    /// From the keys of all paths.
    pub(super) fn of(key: &str, keys: &BTreeSet<&str>) -> Siblings {
        let begins =
            |start: &str| keys.range(start..).next().is_some_and(|next| next.starts_with(start));
        let has_items = keys.contains(format!("{key}/{{}}").as_str())
            || begins(&format!("{key}({{}}"))
            || begins(&format!("{key}/{{}}."));
        let (stem, extension) = split_extension(key);
        let represented = extension.is_some()
            && (keys.contains(stem)
                || keys.range(stem..).take_while(|other| other.starts_with(stem)).any(|other| {
                    *other != key && split_extension(other) == (stem, other.get(stem.len() + 1..))
                }));
        Siblings { has_items, represented }
    }
}

/// Splits a path or segment from the extension of its representation.
fn split_extension(text: &str) -> (&str, Option<&str>) {
    let stem = without_extension(text);
    if stem.is_empty() || stem.len() == text.len() {
        return (text, None);
    }
    (stem, text.get(stem.len() + 1..))
}

/// True if successful responses of an operation, at a place with this name, hold a list.
pub(super) fn answers_list(operation: &Operation, last: &str) -> bool {
    good_answers(operation).any(|json| is_list(json, last))
}

/// The list items in successful responses of an operation.
pub(super) fn lists_of<'o>(operation: &'o Operation, last: &str) -> Vec<&'o Json> {
    let mut arrays = Vec::new();
    for json in good_answers(operation) {
        arrays.extend(json.array.as_ref());
        for (_, object) in json.objects() {
            let named = object.keys.iter().filter(|(key, _)| is_name_of_list(key, last));
            arrays.extend(named.filter_map(|(_, property)| property.json.array.as_ref()));
        }
    }
    arrays.into_iter().filter_map(|array| array.items.as_deref()).collect()
}

fn good_answers(operation: &Operation) -> impl Iterator<Item = &Json> {
    let good = operation.responses.iter().filter(|(status, _)| (200..300).contains(*status));
    let bodies = good.flat_map(|(_, answered)| answered.bodies.iter());
    bodies.filter_map(|(_, body)| body.json.as_deref())
}

fn is_name_of_list(key: &str, last: &str) -> bool {
    const ENVELOPES: [&str; 11] = [
        "content", "data", "elements", "entries", "items", "list", "records", "results", "rows",
        "value", "values",
    ];
    ENVELOPES.contains(&key) || words(key) == words(last)
}

/// True for arrays, and for objects that have an array under a name for lists.
fn is_list(json: &Json, last: &str) -> bool {
    let is_name = |key: &str| is_name_of_list(key, last);
    json.array.is_some()
        || json.objects().iter().any(|(_, object)| {
            object.keys.iter().any(|(key, property)| property.json.array.is_some() && is_name(key))
        })
}

/// How many segments at the start of a path belong to the whole API: `/api/v1`, `/2010-04-01`. Zero
/// if there are no others.
fn head(segments: &[&str]) -> usize {
    let of_all = |segment: &&&str| !segment.contains("{}") && is_head(segment);
    let count = segments.iter().take_while(of_all).count();
    if count == segments.len() { 0 } else { count }
}

/// True for a version, or a segment that stands for the API as a whole and names nothing within it.
fn is_head(segment: &str) -> bool {
    class_of(segment) != Class::Word
        || matches!(segment.to_ascii_lowercase().as_str(), "odata" | "rpc" | "jsonrpc" | "trpc")
        || segment.ends_with(".svc")
}

fn segments(key: &str) -> Vec<&str> {
    key.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// The version of a path: its leading segments for the whole API, and later versions.
pub(super) fn version(key: &str) -> String {
    let segments = segments(key);
    let (head, own) = segments.split_at(head(&segments));
    let is_version = |segment: &&&str| class_of(segment) == Class::Version;
    let names = own.len() > own.iter().filter(is_version).count();
    let versions = own.iter().filter(|segment| names && is_version(segment));
    head.iter().chain(versions).copied().collect::<Vec<_>>().join(" ")
}

/// The first name of a path after its version: the subject of `/api/v1/line-items/{}` is
/// `line-items`.
pub(super) fn subject(key: &str) -> Option<String> {
    let segments = segments(key);
    let own = segments[head(&segments)..].iter().find_map(|segment| match keyed(segment) {
        Some(collection) => Some(collection),
        None => (!segment.contains("{}")).then_some(*segment),
    })?;
    let named = plain(own);
    // For `users.list` and `getUser`, it is the noun.
    if is_call(&named) {
        let (space, call) = named.rsplit_once(['.', ':']).unwrap_or(("", &named));
        let object: Vec<String> = words(call).into_iter().skip(1).collect();
        let object = if space.is_empty() { object.join("-") } else { space.to_owned() };
        return Some(object).filter(|name| !name.is_empty());
    }
    Some(named).filter(|name| !name.is_empty())
}

/// A segment for display: decoded, without the extension of a representation.
fn plain(segment: &str) -> String {
    let name = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    if is_call(&name) { name } else { split_extension(&name).0.to_owned() }
}

/// The collection of a segment with a key in parentheses: `Products` for `Products({})`.
fn keyed(segment: &str) -> Option<&str> {
    segment.split_once('(').filter(|(_, key)| key.contains("{}")).map(|(collection, _)| collection)
}

/// The words of a name in lower case. Unlike those of a vocabulary, they include digits.
pub(super) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let is = |at: usize, kind: fn(char) -> bool| chars.get(at).copied().is_some_and(kind);
    let mut all: Vec<String> = Vec::new();
    for (at, c) in chars.iter().enumerate().filter(|(_, c)| c.is_alphanumeric()) {
        // `userName`, `HTTPServer`: a capital begins a word after a lower-case letter, or before
        // one that is not a plural's s.
        let plural = chars.get(at + 1) == Some(&'s') && !is(at + 2, char::is_lowercase);
        let begins = c.is_uppercase()
            && (at == 0
                || !is(at - 1, char::is_uppercase)
                || is(at + 1, char::is_lowercase) && !plural);
        match all.last_mut() {
            Some(word) if !begins && is(at - 1, char::is_alphanumeric) => {
                word.extend(c.to_lowercase());
            }
            _ => all.push(c.to_lowercase().collect()),
        }
    }
    all
}

impl Wording {
    /// The wording for a method at a path, whose key has `{}` for each parameter.
    pub(super) fn of(key: &str, method: Method, shape: PathShape) -> Wording {
        let all = segments(key);
        let own = &all[head(&all)..];
        let mut things: Vec<Thing> = Vec::new();
        let mut last = Last::Nothing;
        let mut said = None;
        let mut called = None;
        for segment in own {
            if let Some(collection) = keyed(segment) {
                things.push(Thing::named(collection).one());
                (last, said) = (Last::Parameter, None);
                continue;
            }
            if let Some((before, behind)) = segment.split_once("{}") {
                // `/repos/{}/{}` identifies one thing by two parameters, and so does `/by-id/{}`.
                if let Some(thing) = things.last_mut() {
                    *thing = std::mem::take(thing).one();
                }
                last = Last::Parameter;
                called = None;
                let action = behind.strip_prefix(':').filter(|_| before.is_empty());
                said = action.map(words).filter(|words| !words.is_empty());
                continue;
            }
            let name = plain(segment);
            let thing = Thing::named(&name);
            let versioned = class_of(segment) == Class::Version && own.len() > 1;
            if thing.words.is_empty() || versioned {
                continue;
            }
            called = is_call(&name).then_some(name);
            match things.last_mut() {
                Some(owner)
                    if owner.is_plural() && last == Last::Literal && is_adjective(&thing) =>
                {
                    qualify(owner, &thing);
                }
                // `/accounts/v3/accounts` repeats it.
                Some(same) if *same == thing && last == Last::Literal => {}
                _ => things.push(thing),
            }
            last = Last::Literal;
            said = None;
        }
        if let Some(words) = said {
            return Wording::action(words, things);
        }
        if let Some(name) = called {
            return Wording::call(&name, things);
        }
        if things.is_empty() && last == Last::Parameter {
            things.push(Thing { words: vec!["item".to_owned()], one: true });
        }
        // `/get` and `/post` of a service for tests are named by their methods.
        if last == Last::Literal
            && let [thing] = &things[..]
            && thing.words == [method.as_str()]
        {
            return Wording { verb: Verb::Name, things, representation: None };
        }
        let mut wording = Wording::by_method(method, shape, last, things);
        let extension = own.last().and_then(|segment| split_extension(segment).1);
        if let (true, Some(extension)) = (shape.represented, extension) {
            wording.representation = Some(extension.to_owned());
        }
        wording
    }

    /// `/rpc/getUser`, `/users.list`, `/orders/{}/addItem`.
    fn call(name: &str, mut things: Vec<Thing>) -> Wording {
        things.pop();
        let (space, call) = name.rsplit_once(['.', ':']).unwrap_or(("", name));
        let mut said = words(call).into_iter();
        let verb = said.next().unwrap_or_default();
        // Preceding names are the object only if a parameter selects one.
        if !things.iter().any(|thing| thing.one) {
            things.clear();
        }
        let space: Vec<String> = space.split(['.', ':']).flat_map(words).collect();
        for words in [space, said.collect()] {
            if !words.is_empty() {
                things.push(Thing { words, one: false });
            }
        }
        Wording { verb: Verb::Action(verb), things, representation: None }
    }

    fn by_method(method: Method, shape: PathShape, last: Last, mut things: Vec<Thing>) -> Wording {
        let is_action = last == Last::Literal
            && !matches!(method, Method::Delete | Method::Options | Method::Head | Method::Trace)
            && things
                .last()
                .and_then(|thing| thing.words.first())
                .is_some_and(|word| VERBS.binary_search(&word.as_str()).is_ok())
            && !shape.has_items;
        if is_action {
            let said = things.pop().unwrap_or_default();
            let one = method == Method::Post
                && said.words.first().is_some_and(|verb| !OF_SEVERAL.contains(&verb.as_str()));
            if let Some(thing) = things.last_mut().filter(|thing| one && thing.is_plural()) {
                *thing = std::mem::take(thing).one();
            }
            return Wording::action(said.words, things);
        }
        // `/me` is the current user.
        if let [Thing { words, .. }] = things.as_mut_slice()
            && matches!(words.as_slice(), [word] if matches!(word.as_str(), "me" | "self"))
        {
            *words = vec!["current".to_owned(), "user".to_owned()];
        }
        let plural = things.last().is_some_and(Thing::is_plural);
        let item = last == Last::Parameter;
        let verb = match method {
            Method::Get if item => "get",
            Method::Get if shape.has_items => "list",
            Method::Get if shape.lists.unwrap_or(plural) && !things.is_empty() => "list",
            Method::Get => "get",
            Method::Post if item => "update",
            Method::Post if plural || shape.has_items => {
                if let Some(thing) = things.last_mut() {
                    *thing = std::mem::take(thing).one();
                }
                "create"
            }
            Method::Post => "post",
            Method::Put => "replace",
            Method::Patch => "update",
            Method::Delete => "delete",
            Method::Head => "check",
            Method::Options => "options",
            Method::Trace => "trace",
            Method::Connect => "connect",
        };
        Wording { verb: Verb::Method(verb), things, representation: None }
    }

    /// `/orders/{}/cancel`, `/users/search`, `/tasks/{}/addProject`; `/auth/login` has no object.
    fn action(said: Vec<String>, mut things: Vec<Thing>) -> Wording {
        // `/auth/login` has no object; for `/charges/{}/dispute/close` it is the dispute.
        let acted_upon =
            things.len() > 1 || things.last().is_some_and(|thing| thing.one || thing.is_plural());
        if !acted_upon {
            things.push(Thing { words: said, one: false });
            return Wording { verb: Verb::Name, things, representation: None };
        }
        let mut said = said.into_iter();
        let verb = said.next().unwrap_or_default();
        let object: Vec<String> = said.collect();
        if !object.is_empty() {
            things.push(Thing { words: object, one: false });
        }
        Wording { verb: Verb::Action(verb), things, representation: None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Literal,
    Parameter,
}

/// Words after a plural that select one or some of the things.
const ONE_OF: [&str; 11] = [
    "current", "default", "first", "last", "latest", "me", "new", "next", "previous", "random",
    "self",
];
const SOME_OF: [&str; 10] = [
    "active", "all", "archived", "featured", "popular", "private", "public", "recent", "top",
    "trending",
];

fn is_adjective(thing: &Thing) -> bool {
    matches!(thing.words.as_slice(), [word] if ONE_OF.contains(&word.as_str()) || SOME_OF.contains(&word.as_str()))
}

/// `/users/me` is the current user, `/posts/popular` are popular posts.
fn qualify(owner: &mut Thing, which: &Thing) {
    let Some(word) = which.words.first() else { return };
    let word = if matches!(word.as_str(), "me" | "self") { "current" } else { word };
    let word = word.to_owned();
    if !SOME_OF.contains(&word.as_str()) {
        *owner = std::mem::take(owner).one();
        // Selected by its name, not by a parameter: "the current user".
        owner.one = false;
    }
    owner.words.insert(0, word);
}

/// Actions on several things at once, if no parameter selects one.
const OF_SEVERAL: [&str; 16] = [
    "archive", "batch", "bulk", "clear", "count", "delete", "export", "find", "import", "merge",
    "prune", "query", "reorder", "search", "sync", "validate",
];

/// Segments that are actions, sorted. Words that are nouns as often (`charge`, `release`,
/// `request`) are left out.
const VERBS: &[&str] = &[
    "accept",
    "acknowledge",
    "activate",
    "add",
    "approve",
    "archive",
    "assign",
    "attach",
    "authenticate",
    "authorize",
    "cancel",
    "capture",
    "check",
    "clear",
    "clone",
    "close",
    "complete",
    "confirm",
    "convert",
    "copy",
    "count",
    "create",
    "deactivate",
    "decline",
    "delete",
    "detach",
    "disable",
    "disconnect",
    "dismiss",
    "download",
    "duplicate",
    "edit",
    "enable",
    "evaluate",
    "exec",
    "execute",
    "export",
    "finalize",
    "find",
    "generate",
    "import",
    "initiate",
    "invite",
    "join",
    "kill",
    "leave",
    "lock",
    "login",
    "logout",
    "merge",
    "move",
    "mute",
    "notify",
    "pause",
    "pin",
    "ping",
    "preview",
    "prune",
    "publish",
    "query",
    "reactivate",
    "rebuild",
    "refresh",
    "refund",
    "register",
    "reject",
    "remove",
    "rename",
    "render",
    "reopen",
    "reorder",
    "resend",
    "reset",
    "resize",
    "resolve",
    "restart",
    "restore",
    "resume",
    "retry",
    "revoke",
    "rotate",
    "run",
    "save",
    "search",
    "send",
    "set",
    "share",
    "sign",
    "signin",
    "signout",
    "signup",
    "start",
    "stop",
    "submit",
    "subscribe",
    "suspend",
    "sync",
    "transfer",
    "trigger",
    "unarchive",
    "unassign",
    "undelete",
    "unlock",
    "unmute",
    "unpause",
    "unpin",
    "unpublish",
    "unsubscribe",
    "update",
    "upload",
    "validate",
    "verify",
    "void",
    "wait",
    "withdraw",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_digits() {
        assert_eq!(words("userIDs_v2"), ["user", "ids", "v2"]);
        assert_eq!(words("HTTPServer"), ["http", "server"]);
        assert_eq!(words("line-items"), ["line", "items"]);
        assert!(words("--").is_empty());
    }

    #[test]
    fn verbs_are_sorted() {
        assert!(VERBS.is_sorted());
    }

    #[test]
    fn subjects_stand_behind_the_version() {
        for (key, subject_of) in [
            ("/api/v1/line-items/{}", Some("line-items")),
            ("/2010-04-01/Accounts/{}/Calls.json", Some("Accounts")),
            ("/{}/members", Some("members")),
            ("/api", Some("api")),
            ("/odata/Products({})/Category", Some("Products")),
            ("/api/users.list", Some("users")),
            ("/rpc/getUser", Some("user")),
            ("/Calls.json", Some("Calls")),
            ("/caf%C3%A9s", Some("cafés")),
            ("/{}", None),
            ("/", None),
        ] {
            assert_eq!(subject(key).as_deref(), subject_of, "{key}");
        }
        assert_eq!(version("/api/v2/users"), "api v2");
        assert_eq!(version("/v2"), "");
    }
}
