//! Schemas of XML, with the keywords of OpenAPI's XML Object.

use serde_json::{Map, Value, json};

use super::textual::{Textual, kinds_of_scalars};
use crate::infer::sketch::{Merge as _, add};
use crate::infer::state::{Json, Object, TEXT, Xml};

/// The schema of the documents of a media type.
pub(crate) fn schema(xml: &Xml, textual: Textual<'_>) -> Value {
    let writer = Writer { xml, textual };
    let roots: Vec<&str> = xml.roots.exact().map_or_else(Vec::new, |names| names.keys().collect());
    let name = match roots.as_slice() {
        [root] => Name::of(root, None),
        _ => Name::default(),
    };
    let mut schema = writer.value(&xml.json, name.namespace);
    if !name.local.is_empty() && schema.get("type").is_some() {
        let mut keywords = writer.keywords(&name, true);
        keywords.insert("name".to_owned(), json!(name.local));
        schema["xml"] = keywords.into();
    }
    schema
}

/// A name as stored in the state.
#[derive(Clone, Copy, Debug, Default)]
struct Name<'n> {
    is_attribute: bool,
    namespace: Option<&'n str>,
    /// Whether the namespace differs from that of the parent element.
    differs: bool,
    local: &'n str,
}

impl<'n> Name<'n> {
    /// Reads `name`, `@name`, `{namespace}name` or `@{namespace}name`.
    fn of(text: &'n str, around: Option<&'n str>) -> Self {
        let (is_attribute, name) = match text.strip_prefix('@') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let inherited = if is_attribute { None } else { around };
        match name.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((namespace, local)) => {
                let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
                Name { is_attribute, namespace, differs: true, local }
            }
            None => Name { is_attribute, namespace: inherited, differs: false, local: name },
        }
    }
}

struct Writer<'x> {
    xml: &'x Xml,
    textual: Textual<'x>,
}

impl Writer<'_> {
    /// The schema of the elements at a place in a namespace.
    fn value(&self, json: &Json, namespace: Option<&str>) -> Value {
        let scalars = kinds_of_scalars(json);
        let whole = json.object.as_ref().map(|object| self.textual.whole(object));
        let whole = match whole {
            Some(whole) if scalars > 0 => self.with_plain(whole, json),
            other => other,
        };
        if json.opaque > 0 || (json.object.is_some() && whole.is_none()) {
            return json!({});
        }
        let mut schema = match &whole {
            Some(whole) => self.object(whole, namespace),
            None if scalars == 0 => return json!({}),
            None => self.textual.scalar(json, ""),
        };
        // An empty element is a text, but of no other type.
        if json.nulls > 0 && schema.get("type").is_some() && schema != json!({"type": "string"}) {
            schema["nullable"] = json!(true);
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        schema
    }

    /// Unites elements that have attributes with elements of the same name that have only text. All
    /// become objects. `None` if the others have no text.
    fn with_plain(&self, mut whole: Object, json: &Json) -> Option<Object> {
        let at = whole.keys.iter().position(|(key, _)| key == TEXT)?;
        let plain = Json { nulls: 0, ..json.scalars() };
        let texts = plain.text.as_ref().map_or(0, |text| text.n);
        let text = whole.keys.value_at(at);
        for n in [plain.bools, plain.ints, plain.floats, texts] {
            add(&mut text.present, n);
            add(&mut whole.n, n);
        }
        text.json.merge(plain, self.textual.graph.limits());
        Some(whole)
    }

    /// `whole` combines all objects of the place.
    fn object(&self, whole: &Object, namespace: Option<&str>) -> Value {
        if let Some(list) = self.wrapped(whole, namespace) {
            return list;
        }
        let shape = self.textual.graph.shape(whole, ("", ""));
        let names: Vec<Name<'_>> =
            shape.properties.iter().map(|(key, _)| Name::of(key, namespace)).collect();
        let (mut members, mut required, mut present) = (Map::new(), Vec::new(), Vec::new());
        let mut all: Vec<_> = names.iter().zip(&shape.properties).collect();
        all.sort_by_key(|(name, _)| (name.local, name.is_attribute));
        for (name, (key, property)) in all {
            let is_same = |other: &&Name<'_>| other.local == name.local;
            let is_text = *key == TEXT && names.iter().all(|other| other.local != "text");
            let own = if is_text {
                "text".to_owned()
            } else if names.iter().filter(is_same).count() == 1 {
                name.local.to_owned()
            } else {
                self.told_apart(name, key)
            };
            present.push((own.clone(), property.present));
            if property.present == whole.n {
                required.push(own.clone());
            }
            let schema = self.property(&own, name, &property.json);
            members.insert(own, schema);
        }
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        if !members.is_empty() {
            schema.insert("properties".to_owned(), members.into());
        }
        if let Some(additional) = &shape.additional {
            // Unnamed elements are examined one by one.
            let one = self.textual.items(additional);
            let one = one.map_or_else(|| json!({}), |one| self.value(&one, namespace));
            schema.insert("additionalProperties".to_owned(), one);
        }
        let present = present.iter().map(|(name, present)| (name.as_str(), *present));
        self.textual.detail.count_objects(&mut schema, whole.n, present);
        schema.into()
    }

    /// An element that only has repeated children of one name: the list is the element.
    fn wrapped(&self, object: &Object, namespace: Option<&str>) -> Option<Value> {
        let mut keys = object.keys.iter();
        let (Some((key, property)), None) = (keys.next(), keys.next()) else { return None };
        if *key == *TEXT {
            return None;
        }
        let name = Name::of(key, namespace);
        let is_only = object.keys.rest().is_none() && object.values.is_empty();
        if !is_only || name.is_attribute || property.json.array.is_none() {
            return None;
        }
        let items = self.textual.items(&property.json)?;
        let mut item = self.value(&items, name.namespace);
        let mut keywords = self.keywords(&name, name.differs);
        keywords.insert("name".to_owned(), json!(name.local));
        item["xml"] = keywords.into();
        Some(json!({"type": "array", "xml": {"wrapped": true}, "items": item}))
    }

    /// The schema of the property `own`.
    fn property(&self, own: &str, name: &Name<'_>, json: &Json) -> Value {
        if name.local == TEXT {
            let mut schema = self.value(json, None);
            schema["xml"] = json!({"x-hmt-text": true});
            return schema;
        }
        let mut keywords = self.keywords(name, name.differs);
        if own != name.local {
            keywords.insert("name".to_owned(), json!(name.local));
        }
        if name.is_attribute {
            keywords.insert("attribute".to_owned(), json!(true));
        }
        let Some(one) = self.textual.items(json) else { return json!({}) };
        let mut schema = self.value(&one, name.namespace);
        let is_list = json.array.is_some();
        if schema["xml"]["wrapped"] == true && is_list {
            // A list of lists has no name for the level between.
            schema = json!({});
        }
        if !keywords.is_empty() {
            match schema.get_mut("xml").and_then(Value::as_object_mut) {
                Some(all) => all.extend(keywords),
                None => schema["xml"] = keywords.into(),
            }
        }
        if is_list { json!({"type": "array", "items": schema}) } else { schema }
    }

    /// The namespace keywords of an element or attribute. `starts` is true if the parent element
    /// does not declare the namespace.
    fn keywords(&self, name: &Name<'_>, starts: bool) -> Map<String, Value> {
        let mut keywords = Map::new();
        let Some(namespace) = name.namespace else { return keywords };
        let prefix = self.prefix(namespace);
        // A name without prefix inherits its namespace.
        if starts || prefix.is_some() {
            keywords.insert("namespace".to_owned(), json!(namespace));
        }
        if let Some(prefix) = prefix {
            keywords.insert("prefix".to_owned(), json!(prefix));
        }
        keywords
    }

    /// The first prefix of a namespace in order; none if it was the default namespace.
    fn prefix(&self, namespace: &str) -> Option<&str> {
        let prefixes = self.xml.namespaces.get(namespace)?.0.exact()?;
        prefixes.keys().next().filter(|prefix| !prefix.is_empty())
    }

    /// A unique name for one of several properties with the same name.
    fn told_apart(&self, name: &Name<'_>, key: &str) -> String {
        let prefix = name.namespace.filter(|_| name.differs).and_then(|ns| self.prefix(ns));
        match prefix {
            Some(prefix) if name.is_attribute => format!("@{prefix}:{}", name.local),
            Some(prefix) => format!("{prefix}:{}", name.local),
            None => key.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let name = Name::of("@{urn:a}b", Some("urn:x"));
        assert_eq!((name.is_attribute, name.namespace, name.local), (true, Some("urn:a"), "b"));
        let name = Name::of("b", Some("urn:x"));
        assert_eq!((name.namespace, name.differs, name.local), (Some("urn:x"), false, "b"));
        assert_eq!(Name::of("{}b", Some("urn:x")).namespace, None);
        assert_eq!(Name::of("@b", Some("urn:x")).namespace, None);
    }
}
