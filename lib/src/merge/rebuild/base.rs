//! `x-hmt-base`: what a spec was when it was written last, in six bytes a name.
//!
//! Each entry is a hash of the name's place (4 bytes) and one of what the spec says there (2 bytes; 0 where a person had
//! edited it), all sorted, in base64url. The second is only used to tell in messages whether people wrote what traffic
//! contradicts. Nothing of the traffic can be read from it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::named::{Named, spine};

/// The key of the document.
pub(in crate::merge) const BASE: &str = "x-hmt-base";

/// The names of a spec, and what it said under each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::merge) struct Base(BTreeSet<[u8; 6]>);

impl Base {
    /// Reads the value of the key; `None` where it is none of ours.
    pub(super) fn read(value: &Value) -> Option<Base> {
        let bytes = URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?;
        let (entries, []) = bytes.as_chunks::<6>() else { return None };
        Some(Base(entries.iter().copied().collect()))
    }

    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.iter().flatten().copied().collect::<Vec<u8>>())
    }

    /// The base of a spec with these names, of which some were edited; and of what was deleted from `before`, as far as it
    /// is not listed.
    pub(super) fn of(
        names: &[Named<'_>],
        edited: impl Fn(&str) -> bool,
        before: Option<&Base>,
        listed: &BTreeMap<String, String>,
    ) -> Base {
        let mut all: BTreeSet<[u8; 6]> = names
            .iter()
            .map(|name| entry(&name.key, if edited(&name.key) { [0; 2] } else { said(name.value) }))
            .collect();
        let here: BTreeSet<[u8; 4]> = names.iter().map(|name| place(&name.key)).collect();
        let listed: BTreeSet<[u8; 4]> = listed.keys().map(|key| place(key)).collect();
        let gone = before.into_iter().flat_map(|base| &base.0).filter(|entry| {
            let place = [entry[0], entry[1], entry[2], entry[3]];
            !here.contains(&place) && !listed.contains(&place)
        });
        all.extend(gone);
        Base(all)
    }

    /// True where the spec had such a name.
    pub(super) fn had(&self, key: &str) -> bool {
        self.0.range(entry(key, [0; 2])..=entry(key, [0xff; 2])).next().is_some()
    }

    /// True where the spec says under a name what it said when it was written.
    pub(super) fn is_as_written(&self, name: &Named<'_>) -> bool {
        self.0.contains(&entry(&name.key, said(name.value)))
    }

    /// Two values of the key as one: what either remembers.
    pub(in crate::merge) fn united(a: &Value, b: &Value) -> Value {
        match (Base::read(a), Base::read(b)) {
            (Some(mut a), Some(b)) => {
                a.0.extend(b.0);
                a.text().into()
            }
            (Some(_), None) => a.clone(),
            _ => b.clone(),
        }
    }
}

fn entry(key: &str, said: [u8; 2]) -> [u8; 6] {
    let [a, b, c, d] = place(key);
    [a, b, c, d, said[0], said[1]]
}

fn place(key: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = twox_hash::XxHash3_64::oneshot(key.as_bytes()).to_be_bytes();
    [a, b, c, d]
}

/// Never zero.
fn said(value: &Value) -> [u8; 2] {
    let text = spine(value).to_string();
    let [a, b, ..] = twox_hash::XxHash3_64::oneshot(text.as_bytes()).to_be_bytes();
    if (a, b) == (0, 0) { [0, 1] } else { [a, b] }
}
