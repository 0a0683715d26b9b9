//! Interprets names: `order_id` is the id of an order, and so is the segment after `/orders/`.

use std::borrow::Cow;

/// Words that mark an identifier, with the class of the identifier.
const ID_WORDS: [(&str, &str); 17] = [
    ("id", "id"),
    ("ids", "id"),
    ("uuid", "id"),
    ("guid", "id"),
    ("key", "key"),
    ("slug", "slug"),
    ("number", "number"),
    ("no", "number"),
    ("ref", "ref"),
    ("reference", "ref"),
    ("code", "code"),
    ("sku", "sku"),
    ("urn", "urn"),
    ("handle", "handle"),
    ("version", "version"),
    ("revision", "version"),
    ("rev", "version"),
];

/// Properties that only wrap the content of a response.
const WRAPPERS: [&str; 14] = [
    "data",
    "result",
    "results",
    "item",
    "items",
    "payload",
    "response",
    "content",
    "value",
    "values",
    "body",
    "attributes",
    "records",
    "entries",
];

/// The thing that an identifier identifies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct IdName {
    /// The singular in lower case: `order`. Empty if the name does not contain it.
    pub(in super::super) entity: String,
    /// The class of the identifier, such as `id` or `version`. Identifiers of different classes are
    /// unrelated.
    pub(in super::super) class: &'static str,
}

/// The words of a name in lower case: `orderId`, `order_id` and `order-id` are `order`, `id`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            open = false;
            was_lower = false;
            continue;
        }
        if c.is_uppercase() && was_lower {
            open = false;
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        if !open {
            words.push(String::new());
            open = true;
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// A word without the plural: `categories`, `boxes` and `orders` are `category`, `box`, `order`.
pub(in super::super) fn singular(word: &str) -> Cow<'_, str> {
    let word = match word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(word.to_ascii_lowercase()),
        false => Cow::Borrowed(word),
    };
    let strip = |end: &str| word.strip_suffix(end).filter(|stem| stem.len() > 1);
    if let Some(stem) = strip("ies") {
        return Cow::Owned(format!("{stem}y"));
    }
    for end in ["ses", "xes", "ches", "shes"] {
        if let Some(stem) = strip(end) {
            return Cow::Owned(format!("{stem}{}", &end[..end.len() - 2]));
        }
    }
    match strip("s") {
        Some(stem) if !stem.ends_with('s') => Cow::Owned(stem.to_owned()),
        _ => word,
    }
}

/// What a name identifies; `around` is the parent property or the collection that the message is
/// about. `None` if the name is not that of an identifier.
pub(in super::super) fn id_name(name: &str, around: &str) -> Option<IdName> {
    // A cheap test first: most names are short plain words.
    let words = words(name);
    let last = words.last()?;
    let around = || singular(around).into_owned();
    match ID_WORDS.iter().find(|(word, _)| word == last) {
        Some((_, class)) => {
            let entity = match words.len() {
                1 => around(),
                count => singular(&words[..count - 1].concat()).into_owned(),
            };
            Some(IdName { entity, class })
        }
        // `orderid`
        None if words.len() == 1 && is_joined_id(last) => {
            Some(IdName { entity: last[..last.len() - 2].to_owned(), class: "id" })
        }
        None => None,
    }
}

/// True for `userid`, but not for words such as `valid` and `paid`.
fn is_joined_id(word: &str) -> bool {
    const WORDS: [&str; 8] =
        ["invalid", "valid", "paid", "unpaid", "prepaid", "android", "void", "hybrid"];
    word.len() > 4 && word.ends_with("id") && !WORDS.contains(&word)
}

/// True for a property that only wraps the content of a response.
pub(in super::super) fn is_wrapper(name: &str) -> bool {
    WRAPPERS.contains(&name) || name.starts_with('_')
}

/// The collection that a path is about: its last segment that is a plain word.
pub(in super::super) fn entity_of_path(path: &str) -> &str {
    let plain = |segment: &&str| {
        !segment.is_empty()
            && segment.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'))
    };
    path.rsplit('/').find(plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_identify() {
        let name = |name, around| id_name(name, around).map(|id| (id.entity, id.class));
        let order = Some(("order".to_owned(), "id"));
        for text in ["order_id", "orderId", "order-id", "OrderID", "orders_ids"] {
            assert_eq!(name(text, "x"), order, "{text}");
        }
        assert_eq!(name("id", "orders"), order);
        assert_eq!(name("_id", "Orders"), order);
        assert_eq!(name("version", "orders"), Some(("order".to_owned(), "version")));
        for text in ["price", "status", "page", "paid", "valid", ""] {
            assert_eq!(name(text, "orders"), None, "{text}");
        }
        assert_eq!(entity_of_path("/api/v1/orders/17"), "orders");
        assert_eq!(singular("categories"), "category");
        assert_eq!(singular("boxes"), "box");
        assert_eq!(singular("class"), "class");
    }
}
