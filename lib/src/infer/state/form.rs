//! Bodies of `application/x-www-form-urlencoded`: fields whose names may have brackets.
//!
//! OpenAPI only has the style `deepObject` for brackets, but clients also write deeper names and
//! lists, as in PHP, Rails and qs: `user[name]=a`, `user[tags][]=b`, `lines[0][price]=5`. Such a
//! body is one object: texts are leaves, a repeated name is a list, names in brackets are members,
//! and indices or empty brackets are the items of a list.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::json::Json;
use super::tape::Tape;
use crate::exchange::{self, Pairs};
use crate::infer::Limits;
use crate::infer::sketch::{Caps, Merge, Values, is_default};

/// Names with more brackets are not split.
const MAX_DEPTH: usize = 32;
/// Indices of a list are below this number, or below the number of its items; greater ones are
/// keys.
const MAX_INDEX: usize = 100;

/// The observations of forms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Form {
    /// Top-level names that had brackets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) bracketed: Values,
    /// All forms as objects, with texts as the types that they can be read as.
    pub(crate) json: Json,
}

/// The value of a name.
enum Node<'t> {
    Texts(Vec<&'t str>),
    Members(Members<'t>),
}

#[derive(Default)]
struct Members<'t> {
    all: Vec<(&'t str, Node<'t>)>,
    places: HashMap<&'t str, usize>,
}

/// The error for a name that is both a text and an object in one body. No value can be both.
struct Contradiction;

impl<'t> Members<'t> {
    fn insert(
        &mut self,
        keys: &[&'t str],
        key: &'t str,
        text: &'t str,
    ) -> Result<(), Contradiction> {
        let place = *self.places.entry(key).or_insert_with(|| {
            let node = if keys.is_empty() {
                Node::Texts(Vec::new())
            } else {
                Node::Members(Members::default())
            };
            self.all.push((key, node));
            self.all.len() - 1
        });
        match (&mut self.all[place].1, keys.split_first()) {
            (Node::Texts(texts), None) => texts.push(text),
            (Node::Members(members), Some((key, keys))) => members.insert(keys, key, text)?,
            _ => return Err(Contradiction),
        }
        Ok(())
    }

    /// True if the keys are list indices, and not map keys.
    fn are_items(&self) -> bool {
        let index = |key: &str| key.is_empty() || key.parse().is_ok_and(|at: usize| at < MAX_INDEX);
        self.all.iter().all(|(key, _)| key.bytes().all(|b| b.is_ascii_digit()) && index(key))
    }

    fn write(&self, tape: &mut Tape) {
        let start = tape.begin_object();
        for (key, node) in &self.all {
            tape.write_key(key);
            node.write(tape);
        }
        tape.end(start);
    }
}

impl Node<'_> {
    fn write(&self, tape: &mut Tape) {
        match self {
            Node::Texts(texts) => match texts.as_slice() {
                [text] => tape.write_text(text),
                texts => {
                    let start = tape.begin_array();
                    texts.iter().for_each(|text| tape.write_text(text));
                    tape.end(start);
                }
            },
            Node::Members(members) if members.are_items() => {
                let start = tape.begin_array();
                for (key, node) in &members.all {
                    match node {
                        Node::Texts(texts) if key.is_empty() => {
                            texts.iter().for_each(|text| tape.write_text(text));
                        }
                        other => other.write(tape),
                    }
                }
                tape.end(start);
            }
            Node::Members(members) => members.write(tape),
        }
    }
}

/// The name before the brackets, and the content of the brackets; none if the name has no brackets,
/// or has anything else after them.
pub(crate) fn keys(name: &str) -> (&str, Vec<&str>) {
    let Some(at) = name.find('[').filter(|at| *at > 0) else { return (name, Vec::new()) };
    let (base, mut rest) = name.split_at(at);
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let Some((key, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            return (name, Vec::new());
        };
        keys.push(key);
        rest = after;
    }
    if keys.len() > MAX_DEPTH { (name, Vec::new()) } else { (base, keys) }
}

/// Writes the fields as one object on a tape; `None` if a name is both a text and an object.
pub(super) fn tape_of(pairs: &Pairs<'_>) -> Option<Tape> {
    let mut root = Members::default();
    for (name, text) in pairs {
        let (base, keys) = keys(name);
        root.insert(&keys, base, text).ok()?;
    }
    let mut tape = Tape::default();
    root.write(&mut tape);
    Some(tape)
}

impl Form {
    /// Folds a body; false if it is not a form.
    pub(super) fn fold(&mut self, text: &str, limits: &Caps<'_>) -> bool {
        let pairs = exchange::parse_query(text);
        let Some(tape) = tape_of(&pairs) else { return false };
        self.json.fold(&tape, "", 0, 0, limits);
        let bracketed = |(name, _): &(Cow<'_, str>, Cow<'_, str>)| {
            let (base, keys) = keys(name);
            (!keys.is_empty()).then(|| base.to_owned())
        };
        for name in pairs.iter().filter_map(bracketed) {
            self.bracketed.fold(&name, limits.fields, limits.longest_value);
        }
        true
    }
}

impl Merge for Form {
    fn coarsen(&mut self, limits: &Limits) {
        self.bracketed.coarsen(limits.fields);
        self.json.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.bracketed.merge(other.bracketed, limits.fields);
        self.json.merge(other.json, limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::state::tape::Token;

    /// The content of a tape as JSON, with the type names of texts that are not strings.
    fn listed(tape: &Tape, at: &mut usize) -> String {
        let token = tape.token(*at);
        *at += 1;
        match token {
            Token::Object { end } => {
                let mut all = Vec::new();
                while *at < end as usize {
                    let key = listed(tape, at);
                    all.push(format!("{key}:{}", listed(tape, at)));
                }
                format!("{{{}}}", all.join(","))
            }
            Token::Array { end } => {
                let mut all = Vec::new();
                while *at < end as usize {
                    all.push(listed(tape, at));
                }
                format!("[{}]", all.join(","))
            }
            Token::Text(span) => tape.str(span, "").to_owned(),
            other => format!("{other:?}"),
        }
    }

    fn read(text: &str) -> Option<String> {
        tape_of(&exchange::parse_query(text)).map(|tape| listed(&tape, &mut 0))
    }

    #[test]
    fn names_with_brackets_are_objects_and_lists() {
        for (text, expected) in [
            ("a=1&b=x&a=2", "{a:[Int(1),Int(2)],b:x}"),
            ("user[name]=ann&user[tags][]=x&user[tags][]=y", "{user:{name:ann,tags:[x,y]}}"),
            ("ids[0]=1&ids[1]=2", "{ids:[Int(1),Int(2)]}"),
            ("ids[]=1", "{ids:[Int(1)]}"),
            ("l[0][p]=1.5&l[1][p]=true", "{l:[{p:Float(1.5)},{p:Bool}]}"),
            ("qty[1001]=2", "{qty:{1001:Int(2)}}"),
            ("a[=1&b]=2&[c]=3&d[e]f=4", "{a[:Int(1),b]:Int(2),[c]:Int(3),d[e]f:Int(4)}"),
            ("", "{}"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(read("a=1&a[b]=2"), None);
        assert_eq!(read("a[b][c]=1&a[b]=2"), None);
    }
}
