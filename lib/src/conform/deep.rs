//! Names with brackets: `filter[state]=open` for the style `deepObject`, and deeper ones such as
//! `lines[0][price]=5` and `tags[]=a`, which OpenAPI does not define but clients send.

use serde_json::{Map, Value};

use super::coerce::Coerce;
use crate::schema::{NodeId, Types};

/// Deeper names are not split.
const MAX_DEPTH: usize = 32;

/// The content below a name.
enum Below<'t> {
    Texts(Vec<&'t str>),
    Names(Vec<(&'t str, Below<'t>)>),
}

/// The value of all names that begin with `name[`; `None` if there are none.
pub(super) fn value<'t>(
    coerce: Coerce<'_>,
    schema: NodeId,
    name: &str,
    pairs: impl Iterator<Item = (&'t str, &'t str)>,
) -> Option<Value> {
    let mut all = Vec::new();
    for (key, text) in pairs {
        if let Some(keys) = keys(name, key) {
            insert(&mut all, &keys, text);
        }
    }
    (!all.is_empty()).then(|| read(coerce, Some(schema), &Below::Names(all)))
}

/// The keys in brackets after a name; `None` if the name differs, or if anything else follows the
/// brackets.
fn keys<'t>(name: &str, key: &'t str) -> Option<Vec<&'t str>> {
    let mut rest = key.strip_prefix(name)?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.strip_prefix('[')?.split_once(']')?;
        keys.push(key);
        rest = after;
    }
    (!keys.is_empty() && keys.len() <= MAX_DEPTH).then_some(keys)
}

fn insert<'t>(names: &mut Vec<(&'t str, Below<'t>)>, keys: &[&'t str], text: &'t str) {
    let Some((key, deeper)) = keys.split_first() else { return };
    let at = names.iter().position(|(known, _)| known == key);
    let at = at.unwrap_or_else(|| {
        let below =
            if deeper.is_empty() { Below::Texts(Vec::new()) } else { Below::Names(Vec::new()) };
        names.push((key, below));
        names.len() - 1
    });
    match &mut names[at].1 {
        Below::Texts(texts) if deeper.is_empty() => texts.push(text),
        Below::Names(names) if !deeper.is_empty() => insert(names, deeper, text),
        // If a name is both a value and a container, the first one is kept.
        _ => {}
    }
}

fn read(coerce: Coerce<'_>, schema: Option<NodeId>, below: &Below<'_>) -> Value {
    let names = match below {
        Below::Texts(texts) => return coerce.repeated(schema, texts),
        Below::Names(names) => names,
    };
    let types = schema.map_or(Types(0x7f), |id| coerce.set.types(id));
    let places = names.iter().all(|(key, _)| key.bytes().all(|byte| byte.is_ascii_digit()));
    if types.has(Types::ARRAY) && (places || !types.has(Types::OBJECT)) {
        let item = schema.and_then(|id| coerce.set.item(id));
        let mut items = Vec::new();
        for (key, below) in names {
            match below {
                // `tags[]=a&tags[]=b`
                Below::Texts(texts) if key.is_empty() => {
                    items.extend(texts.iter().map(|text| coerce.scalar(item, text)));
                }
                below => items.push(read(coerce, item, below)),
            }
        }
        return Value::Array(items);
    }
    let mut map = Map::new();
    for (key, below) in names {
        let property =
            schema.and_then(|id| coerce.set.property(id, key).or_else(|| coerce.set.rest(id)));
        map.insert((*key).to_owned(), read(coerce, property, below));
    }
    Value::Object(map)
}
