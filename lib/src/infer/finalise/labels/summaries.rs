//! `summary`: the words of the `operationId` as a phrase: "List posts of a user".

use super::wording::{Thing, VerbSource, Wording};
use crate::infer::finalise::words::camel::capitalised;

/// The summary of an operation.
pub(crate) fn summary(wording: &Wording) -> String {
    let (verb, object) = match &wording.verb {
        VerbSource::Method("options") => ("tell the options of", phrase(wording)),
        VerbSource::Method(verb) => (*verb, phrase(wording)),
        VerbSource::Action(verb) => (verb.as_str(), phrase(wording)),
        VerbSource::Name => {
            let words: Vec<&str> = all_words(&wording.things).collect();
            return capitalised(&words.join(" "));
        }
    };
    let object = match (&wording.verb, object.as_str()) {
        (VerbSource::Action(_), "") => "",
        (_, "") => " the root",
        (_, object) => &format!(" {object}"),
    };
    let representation = match &wording.representation {
        Some(extension) => format!(" as {}", extension.to_uppercase()),
        None => String::new(),
    };
    capitalised(&format!("{verb}{object}{representation}"))
}

/// The last thing with its qualifiers, and the thing that it belongs to.
fn phrase(wording: &Wording) -> String {
    // A thing without a parameter qualifies the next: "admin users".
    let mut groups: Vec<(bool, Vec<&str>)> = Vec::new();
    let mut closed = true;
    for thing in &wording.things {
        let words = thing.words.iter().map(String::as_str);
        match groups.last_mut() {
            Some((one, group)) if !closed => {
                group.extend(words);
                *one = thing.one;
            }
            _ => groups.push((thing.one, words.collect())),
        }
        closed = thing.one;
    }
    let Some((one, words)) = groups.pop() else { return String::new() };
    let several = wording.verb == VerbSource::Method("list")
        || wording.things.last().is_some_and(Thing::is_plural);
    let object = noun(&words, one, several);
    match groups.pop() {
        Some((_, owner)) => format!("{object} of {}", noun(&owner, true, false)),
        None => object,
    }
}

fn noun(words: &[&str], one: bool, plural: bool) -> String {
    let text = words.join(" ");
    if plural {
        return text;
    }
    if !one {
        return format!("the {text}");
    }
    // By the first letter, except for frequent words with another pronunciation.
    let vowel = text.starts_with(['a', 'e', 'i', 'o', 'u'])
        && !["us", "un", "ut", "eu", "one"].iter().any(|start| text.starts_with(start));
    let article = if vowel || text.starts_with("hour") { "an" } else { "a" };
    format!("{article} {text}")
}

fn all_words(things: &[Thing]) -> impl Iterator<Item = &str> {
    things.iter().flat_map(|thing| &thing.words).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::shape::PathShape;
    use super::*;
    use crate::exchange::Method::{self, Delete, Get, Options, Post};

    #[test]
    fn phrases() {
        let of =
            |key: &str, method: Method| summary(&Wording::of(key, method, PathShape::default()));
        for (key, method, text) in [
            ("/users", Get, "List users"),
            ("/users", Post, "Create a user"),
            ("/v1/orders/{}", Get, "Get an order"),
            ("/users/{}/posts", Get, "List posts of a user"),
            ("/users/{}/avatar", Delete, "Delete the avatar of a user"),
            ("/repos/{}/{}/issues/{}/comments", Get, "List comments of an issue"),
            ("/orders/{}/cancel", Post, "Cancel an order"),
            ("/users/me", Get, "Get the current user"),
            ("/admin/line-items/{}", Get, "Get an admin line item"),
            ("/users/search", Get, "Search users"),
            ("/auth/login", Post, "Auth login"),
            ("/rpc/ping", Post, "Ping"),
            ("/rpc/getUser", Post, "Get the user"),
            ("/", Get, "Get the root"),
            ("/users", Options, "Tell the options of users"),
        ] {
            assert_eq!(of(key, method), text, "{key}");
        }
    }
}
