//! `x-hmt-base`: the last written state of a spec, in six bytes per name.
//!
//! Each entry is a hash of the name's location (4 bytes) and a hash of its content (2 bytes; 0 if a
//! person had edited it), all sorted, in base64url. Messages need the second hash: they say whether
//! people wrote the parts that traffic contradicts. The traffic cannot be derived from the hashes.
//! The names of the components follow, each after a comma, so that a renamed component can be
//! recognised.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::named::{Named, spine};

/// The key of the document.
pub(in crate::merge) const BASE: &str = "x-hmt-base";

/// The names of a spec, and hashes of their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::merge) struct Base {
    entries: BTreeSet<[u8; 6]>,
    components: BTreeSet<String>,
}

impl Base {
    /// Parses the value of the key; `None` if HMT did not write it.
    pub(super) fn read(value: &Value) -> Option<Base> {
        let mut parts = value.as_str()?.split(',');
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let (entries, []) = bytes.as_chunks::<6>() else { return None };
        let components = parts.map(str::to_owned).collect();
        Some(Base { entries: entries.iter().copied().collect(), components })
    }

    pub(super) fn text(&self) -> String {
        let bytes: Vec<u8> = self.entries.iter().flatten().copied().collect();
        let names = self.components.iter().map(|name| format!(",{name}"));
        URL_SAFE_NO_PAD.encode(bytes) + &names.collect::<String>()
    }

    /// The base of a spec with these names, some of which are edited. It also has names that were
    /// deleted since `before`, unless they are listed.
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
        let gone = before.into_iter().flat_map(|base| &base.entries).filter(|entry| {
            let place = [entry[0], entry[1], entry[2], entry[3]];
            !here.contains(&place) && !listed.contains(&place)
        });
        all.extend(gone);
        // A comma would end the name.
        let here = names.iter().filter_map(Named::schema).filter(|name| !name.contains(','));
        let mut components: BTreeSet<String> = here.collect();
        components.extend(before.into_iter().flat_map(|base| base.components.clone()));
        Base { entries: all, components }
    }

    /// The former names of components: of the removed components, those that had at least half of
    /// the properties.
    pub(super) fn former_names(&self, names: &[Named<'_>]) -> BTreeMap<String, BTreeSet<String>> {
        let here: BTreeSet<String> = names.iter().filter_map(Named::schema).collect();
        let gone: Vec<&String> =
            self.components.iter().filter(|name| !here.contains(*name)).collect();
        let mut all = BTreeMap::new();
        for name in here {
            let prefix = properties_of(&name);
            let properties: Vec<&str> = names
                .iter()
                .filter_map(|other| other.key.strip_prefix(&prefix))
                .filter(|rest| !rest.contains('/'))
                .collect();
            let had = |former: &str| {
                let prefix = properties_of(former);
                properties.iter().filter(|name| self.had(&format!("{prefix}{name}"))).count()
            };
            let half = properties.len().div_ceil(2).max(1);
            let former =
                gone.iter().filter(|former| had(former) >= half).map(|name| (*name).clone());
            all.insert(name, former.collect());
        }
        all
    }

    /// True if the spec had this name.
    pub(super) fn had(&self, key: &str) -> bool {
        self.entries.range(entry(key, [0; 2])..=entry(key, [0xff; 2])).next().is_some()
    }

    /// True if the content of a name is unchanged since it was written.
    pub(super) fn is_as_written(&self, name: &Named<'_>) -> bool {
        self.entries.contains(&entry(&name.key, said(name.value)))
    }

    /// Unites two values of the key: the entries of both.
    pub(in crate::merge) fn united(a: &Value, b: &Value) -> Value {
        match (Base::read(a), Base::read(b)) {
            (Some(mut a), Some(b)) => {
                a.entries.extend(b.entries);
                a.components.extend(b.components);
                a.text().into()
            }
            (Some(_), None) => a.clone(),
            _ => b.clone(),
        }
    }
}

fn properties_of(component: &str) -> String {
    format!("/components/schemas/{}/properties/", crate::spec::escape(component))
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
