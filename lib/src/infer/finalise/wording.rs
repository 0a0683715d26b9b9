//! What an operation does, in words of its path: a verb by method and shape, and the things that it is done to.
//!
//! It is the ground of `operationId`, `summary` and `tags`. All of it is a function of the path template, the method and the
//! shape of the answers, so it is the same wherever the same API was recorded.

use percent_encoding::percent_decode_str;

use super::singular::singular;
use super::vocabulary::is_plural;
use crate::exchange::Method;
use crate::infer::state::{Class, Json, Operation, class_of};

/// A verb and what it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wording {
    pub(super) verb: Verb,
    /// From the outermost: of `/users/{}/posts` the user, then the posts.
    pub(super) things: Vec<Thing>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// By the method: `get`, `list`, `create`.
    Method(&'static str),
    /// The path itself says it: `/orders/{}/cancel`.
    Action(String),
    /// The path is a name for it: `/auth/login`.
    Name,
}

/// A thing named by a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Thing {
    /// In lower case.
    pub(super) words: Vec<String>,
    /// One of several, which a parameter tells apart or which is only made: its last word is a singular.
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

/// What is known of a path beside its segments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// A parameter follows: `/users`, where there is `/users/{}`.
    pub(super) has_items: bool,
    /// Good answers hold a list, or one thing; `None` where they tell nothing.
    pub(super) lists: Option<bool>,
}

impl Shape {
    /// By the good answers of an operation.
    pub(super) fn of(key: &str, operation: &Operation, has_items: bool) -> Shape {
        let last = key.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        let good = operation.responses.iter().filter(|(status, _)| (200..300).contains(*status));
        let bodies = good.flat_map(|(_, answered)| answered.bodies.iter());
        let answers: Vec<&Json> = bodies.filter_map(|(_, body)| body.json.as_deref()).collect();
        let lists = (!answers.is_empty()).then(|| answers.iter().any(|json| is_list(json, last)));
        Shape { has_items, lists }
    }
}

/// True for arrays, and for objects that hold an array under a name for it.
fn is_list(json: &Json, last: &str) -> bool {
    const ENVELOPES: [&str; 10] = [
        "content", "data", "elements", "entries", "items", "list", "records", "results", "rows",
        "values",
    ];
    let is_name = |key: &str| ENVELOPES.contains(&key) || words(key) == words(last);
    json.array.is_some()
        || json.objects().iter().any(|(_, object)| {
            object.keys.iter().any(|(key, property)| property.json.array.is_some() && is_name(key))
        })
}

/// How many segments at the head of a path are of the whole API: `/api/v1`, `/2010-04-01`. None where there are no others.
fn head(segments: &[&str]) -> usize {
    let of_all = |segment: &&&str| !segment.contains("{}") && class_of(segment) != Class::Word;
    let count = segments.iter().take_while(of_all).count();
    if count == segments.len() { 0 } else { count }
}

fn segments(key: &str) -> Vec<&str> {
    key.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// The segments at the head of a path that are of the whole API.
pub(super) fn version(key: &str) -> String {
    let segments = segments(key);
    segments[..head(&segments)].join(" ")
}

/// The first name of a path behind its version: `/api/v1/line-items/{}` is about `line-items`.
pub(super) fn subject(key: &str) -> Option<String> {
    let segments = segments(key);
    let own = segments[head(&segments)..].iter().find(|segment| !segment.contains("{}"))?;
    Some(plain(own)).filter(|name| !name.is_empty())
}

/// A segment as people read it: decoded, without what names a representation.
fn plain(segment: &str) -> String {
    let name = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (2..=4).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_lowercase()) =>
        {
            stem.to_owned()
        }
        _ => name,
    }
}

/// The words of a name, in lower case; unlike those of a vocabulary, with their digits.
pub(super) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let is = |at: usize, kind: fn(char) -> bool| chars.get(at).copied().is_some_and(kind);
    let mut all: Vec<String> = Vec::new();
    for (at, c) in chars.iter().enumerate().filter(|(_, c)| c.is_alphanumeric()) {
        // `userName`, `HTTPServer`: a capital begins a word behind a small letter, or before one but for a plural's s.
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
    /// The words for a method at a path, in whose key `{}` stands for each parameter.
    pub(super) fn of(key: &str, method: Method, shape: Shape) -> Wording {
        let all = segments(key);
        let own = &all[head(&all)..];
        let mut things: Vec<Thing> = Vec::new();
        let mut last = Last::Nothing;
        let mut said = None;
        for segment in own {
            if let Some((before, behind)) = segment.split_once("{}") {
                // `/repos/{}/{}` names one thing by two parameters, and so does `/by-id/{}`.
                if let Some(thing) = things.last_mut() {
                    *thing = std::mem::take(thing).one();
                }
                last = Last::Parameter;
                let action = behind.strip_prefix(':').filter(|_| before.is_empty());
                said = action.map(words).filter(|words| !words.is_empty());
                continue;
            }
            let name = plain(segment);
            let thing = Thing::named(&name);
            if thing.words.is_empty() {
                continue;
            }
            match things.last_mut() {
                Some(owner)
                    if owner.is_plural() && last == Last::Literal && is_adjective(&thing) =>
                {
                    qualify(owner, &thing);
                }
                _ => things.push(thing),
            }
            last = Last::Literal;
            said = None;
        }
        if let Some(words) = said {
            return Wording::action(words, things);
        }
        Wording::by_method(method, shape, last, things)
    }

    fn by_method(method: Method, shape: Shape, last: Last, mut things: Vec<Thing>) -> Wording {
        let is_action = last == Last::Literal
            && !matches!(method, Method::Delete | Method::Options | Method::Head | Method::Trace)
            && things
                .last()
                .and_then(|thing| thing.words.first())
                .is_some_and(|word| VERBS.binary_search(&word.as_str()).is_ok())
            && !shape.has_items;
        if is_action {
            let said = things.pop().unwrap_or_default();
            return Wording::action(said.words, things);
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
        Wording { verb: Verb::Method(verb), things }
    }

    /// `/orders/{}/cancel`, `/users/search`, `/tasks/{}/addProject`; `/auth/login`, where nothing is acted upon.
    fn action(said: Vec<String>, mut things: Vec<Thing>) -> Wording {
        // Of `/auth/login` nothing is acted upon; of `/charges/{}/dispute/close` it is the dispute.
        let acted_upon =
            things.len() > 1 || things.last().is_some_and(|thing| thing.one || thing.is_plural());
        if !acted_upon {
            things.push(Thing { words: said, one: false });
            return Wording { verb: Verb::Name, things };
        }
        let mut said = said.into_iter();
        let verb = said.next().unwrap_or_default();
        let object: Vec<String> = said.collect();
        if !object.is_empty() {
            things.push(Thing { words: object, one: false });
        }
        Wording { verb: Verb::Action(verb), things }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Literal,
    Parameter,
}

/// Words behind a plural that tell which of them: one, or some.
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
        // One that its name tells, and no parameter: "the current user".
        owner.one = false;
    }
    owner.words.insert(0, word);
}

/// Segments that say what is done, sorted. Words that are things as often (`charge`, `release`, `request`) are not among them.
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
