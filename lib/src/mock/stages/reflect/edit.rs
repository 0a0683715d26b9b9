//! Changes to a JSON text.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::spans::{self, Span};

/// Replacements of parts of a text, which do not overlap.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, part: Range<usize>, new: String) {
        self.0.push((part, new));
    }

    /// The changed text; `None` if nothing changes.
    pub(super) fn apply(mut self, text: &[u8]) -> Option<Vec<u8>> {
        self.0.retain(|(part, new)| text[part.clone()] != *new.as_bytes());
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by_key(|(part, _)| (part.start, part.end));
        let more: usize = self.0.iter().map(|(_, new)| new.len()).sum();
        let mut changed = Vec::with_capacity(text.len() + more);
        let mut place = 0;
        for (part, new) in self.0.iter() {
            if part.start < place {
                continue;
            }
            changed.extend_from_slice(&text[place..part.start]);
            changed.extend_from_slice(new.as_bytes());
            place = part.end;
        }
        changed.extend_from_slice(&text[place..]);
        Some(changed)
    }
}

/// An object within a JSON text, and its changes.
#[derive(Debug)]
pub(super) struct Object<'j> {
    pub(super) members: Vec<Member<'j>>,
    /// The position of its closing brace.
    end: usize,
}

#[derive(Debug)]
pub(super) struct Member<'j> {
    pub(super) name: Cow<'j, str>,
    /// `None` for a new member.
    pub(super) span: Option<Span>,
    /// Its new value in JSON.
    pub(super) new: Option<String>,
}

impl<'j> Object<'j> {
    /// The object at a position of a text; `None` if there is none.
    pub(super) fn read(json: &'j [u8], at: Range<usize>) -> Option<Object<'j>> {
        let end = at.end.checked_sub(1)?;
        let name = |span: &Span| -> Option<Cow<'j, str>> {
            let quoted = &json[span.name.clone()];
            if quoted.contains(&b'\\') {
                return serde_json::from_slice(quoted).ok().map(Cow::Owned);
            }
            std::str::from_utf8(&quoted[1..quoted.len() - 1]).ok().map(Cow::Borrowed)
        };
        let members = spans::members(json, at)?.into_iter();
        let members = members
            .map(|span| Some(Member { name: name(&span)?, span: Some(span), new: None }))
            .collect::<Option<Vec<_>>>()?;
        Some(Object { members, end })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// Sets a member, or adds it as the last.
    pub(super) fn set(&mut self, name: &str, json: String) {
        match self.members.iter_mut().find(|member| member.name == name) {
            Some(member) => member.new = Some(json),
            None => self.members.push(Member {
                name: Cow::Owned(name.to_owned()),
                span: None,
                new: Some(json),
            }),
        }
    }

    pub(super) fn changed(&self) -> bool {
        self.members.iter().any(|member| member.new.is_some())
    }

    /// Notes the changes.
    pub(super) fn write(self, edits: &mut Edits) {
        let mut added = String::new();
        let empty = self.members.first().is_none_or(|member| member.span.is_none());
        for Member { name, span, new } in self.members {
            let Some(new) = new else { continue };
            match span {
                Some(span) => edits.replace(span.value, new),
                None => {
                    if !(empty && added.is_empty()) {
                        added.push(',');
                    }
                    added.push_str(&Value::from(name.as_ref()).to_string());
                    added.push(':');
                    added.push_str(&new);
                }
            }
        }
        if !added.is_empty() {
            edits.replace(self.end..self.end, added);
        }
    }
}
