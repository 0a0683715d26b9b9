//! Describes an operation in words of its path: a verb from the method and shape, and the things
//! that it is applied to.
//!
//! It is the basis of `operationId`, `summary` and `tags`. It depends only on the path template,
//! the method and the shape of the responses, so it is the same wherever the same API was recorded.

use super::segments::{head, keyed, plain, segments, split_extension};
use super::shape::PathShape;
use super::verbs::{OF_SEVERAL, ONE_OF, SOME_OF, is_action};
use crate::exchange::Method;
use crate::infer::finalise::words::calls::is_call;
use crate::infer::finalise::words::english::{is_plural, singular};
use crate::infer::finalise::words::split::words;
use crate::infer::state::{Class, class_of};

/// A verb and its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wording {
    pub(crate) verb: VerbSource,
    /// The outermost first: for `/users/{}/posts` the user, then the posts.
    pub(crate) things: Vec<Thing>,
    /// `csv`, if there are others.
    pub(crate) representation: Option<String>,
}

/// The verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VerbSource {
    /// From the method: `get`, `list`, `create`.
    Method(&'static str),
    /// From the path: `/orders/{}/cancel`.
    Action(String),
    /// The path is a name for it: `/auth/login`.
    Name,
}

/// A thing named by a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Thing {
    /// In lower case.
    pub(crate) words: Vec<String>,
    /// A single thing, selected by a parameter or just created: its last word is singular.
    pub(crate) one: bool,
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

    pub(crate) fn is_plural(&self) -> bool {
        !self.one && self.words.last().is_some_and(|word| is_plural(word))
    }
}

impl Wording {
    /// The wording for a method at a path, whose key has `{}` for each parameter.
    pub(crate) fn of(key: &str, method: Method, shape: PathShape) -> Wording {
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
            return Wording { verb: VerbSource::Name, things, representation: None };
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
        Wording { verb: VerbSource::Action(verb), things, representation: None }
    }

    fn by_method(method: Method, shape: PathShape, last: Last, mut things: Vec<Thing>) -> Wording {
        let acts = last == Last::Literal
            && !matches!(method, Method::Delete | Method::Options | Method::Head | Method::Trace)
            && things
                .last()
                .and_then(|thing| thing.words.first())
                .is_some_and(|word| is_action(word))
            && !shape.has_items;
        if acts {
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
        Wording { verb: VerbSource::Method(verb), things, representation: None }
    }

    /// `/orders/{}/cancel`, `/users/search`, `/tasks/{}/addProject`; `/auth/login` has no object.
    fn action(said: Vec<String>, mut things: Vec<Thing>) -> Wording {
        // `/auth/login` has no object; for `/charges/{}/dispute/close` it is the dispute.
        let acted_upon =
            things.len() > 1 || things.last().is_some_and(|thing| thing.one || thing.is_plural());
        if !acted_upon {
            things.push(Thing { words: said, one: false });
            return Wording { verb: VerbSource::Name, things, representation: None };
        }
        let mut said = said.into_iter();
        let verb = said.next().unwrap_or_default();
        let object: Vec<String> = said.collect();
        if !object.is_empty() {
            things.push(Thing { words: object, one: false });
        }
        Wording { verb: VerbSource::Action(verb), things, representation: None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Literal,
    Parameter,
}

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
