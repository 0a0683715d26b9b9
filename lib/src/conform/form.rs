//! Bodies of names and values, `application/x-www-form-urlencoded` and `multipart/form-data`, with
//! their `encoding` in the document.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::coerce::Coerce;
use super::deep;
use super::media::is_json;
use crate::exchange::{FormPart, form_parts};
use crate::schema::{NodeId, Types};

/// A value of a form: a text, and the headers of a `multipart` part.
pub(super) struct Field<'b> {
    pub(super) name: Cow<'b, str>,
    pub(super) text: Cow<'b, str>,
    /// The part's Content-Type.
    pub(super) media: Option<Cow<'b, str>>,
    /// A file, or bytes that are not text. Only its presence and its length are checked.
    pub(super) binary: bool,
    /// In bytes.
    pub(super) size: usize,
}

impl<'b> Field<'b> {
    pub(super) fn new(name: Cow<'b, str>, text: Cow<'b, str>) -> Self {
        let size = text.len();
        Field { name, text, media: None, binary: false, size }
    }
}

/// Converts fields to one object, each according to the schema and `encoding` of its property.
pub(super) fn object(
    coerce: Coerce<'_>,
    schema: NodeId,
    encoding: Option<&Value>,
    fields: &[Field<'_>],
) -> Value {
    let mut map = Map::new();
    // If a document declares such names literally, they do not stand for an object.
    let is_deep = |name: &str| name.ends_with(']') && coerce.set.property(schema, name).is_none();
    let deep: Vec<&Field<'_>> = fields.iter().filter(|field| is_deep(&field.name)).collect();
    // Names with brackets are split even without an `encoding`, if their property accepts the
    // result.
    if !deep.is_empty() {
        let structured = Types::ARRAY.with(Types::OBJECT);
        let properties = coerce.set.properties(schema).into_iter();
        for (name, property) in properties.filter(|(_, id)| coerce.set.types(*id).has(structured)) {
            let pairs = deep.iter().map(|field| (field.name.as_ref(), field.text.as_ref()));
            let inner = deep::value(coerce, property, name, pairs);
            map.extend(inner.map(|inner| (name.to_owned(), inner)));
        }
        let rest = coerce.set.rest(schema).filter(|id| coerce.set.types(*id).has(structured));
        for (rest, field) in rest.iter().flat_map(|rest| deep.iter().map(move |f| (*rest, f))) {
            let base = field.name.split('[').next().unwrap_or_default();
            if coerce.set.property(schema, base).is_none() && !map.contains_key(base) {
                let pairs = deep.iter().map(|field| (field.name.as_ref(), field.text.as_ref()));
                let inner = deep::value(coerce, rest, base, pairs);
                map.extend(inner.map(|inner| (base.to_owned(), inner)));
            }
        }
    }
    let grouped: Vec<String> = map.keys().cloned().collect();
    for field in fields {
        let name = field.name.as_ref();
        let within = is_deep(name) && grouped.iter().any(|key| is_within(name, key));
        if map.contains_key(name) || within {
            continue;
        }
        let all: Vec<&Field<'_>> = fields.iter().filter(|other| other.name == name).collect();
        let own = encoding.and_then(|encoding| encoding.get(name));
        let property = coerce.set.property(schema, name).or_else(|| coerce.set.rest(schema));
        map.insert(name.to_owned(), value(coerce, property, own, &all));
    }
    Value::Object(map)
}

fn is_within(name: &str, key: &str) -> bool {
    name.strip_prefix(key).is_some_and(|rest| rest.starts_with('['))
}

/// The value of a property with one or more fields.
fn value(
    coerce: Coerce<'_>,
    property: Option<NodeId>,
    encoding: Option<&Value>,
    fields: &[&Field<'_>],
) -> Value {
    let Some(property) = property else {
        let texts: Vec<&str> = fields.iter().map(|field| field.text.as_ref()).collect();
        return coerce.repeated(None, &texts);
    };
    let types = coerce.set.types(property);
    let list = types.has(Types::ARRAY) && !types.has(Types::STRING.with(Types::OBJECT));
    let text = |key: &str| encoding.and_then(|encoding| encoding.get(key)).and_then(Value::as_str);
    let declared = text("contentType").map(str::to_ascii_lowercase);
    if let [field] = fields {
        let media = field.media.as_deref().or(declared.as_deref());
        if let Some(value) = json(coerce, property, media, field)
            && (!list || value.is_array() && coerce.set.accepts(property, &value, coerce.direction))
        {
            return value;
        }
        let explode = encoding.and_then(|encoding| encoding.get("explode"));
        let delimiter = text("x-hmt-delimiter").and_then(|text| text.chars().next());
        let separator = match text("style") {
            _ if delimiter.is_some() => delimiter,
            Some("spaceDelimited") => Some(' '),
            Some("pipeDelimited") => Some('|'),
            _ if explode == Some(&Value::Bool(false)) => Some(','),
            _ => None,
        };
        if let Some(separator) = separator.filter(|_| list) {
            let texts = field.text.split(separator).filter(|_| !field.text.is_empty());
            return coerce.array(Some(property), texts);
        }
    }
    if list {
        let item = coerce.set.item(property);
        let items = fields.iter().map(|field| match item {
            Some(item) => {
                let media = field.media.as_deref().or(declared.as_deref());
                json(coerce, item, media, field)
                    .unwrap_or_else(|| scalar(coerce, Some(item), field))
            }
            None => scalar(coerce, None, field),
        });
        return items.collect();
    }
    match fields {
        [field] if field.binary => scalar(coerce, Some(property), field),
        _ => {
            let texts: Vec<&str> = fields.iter().map(|field| field.text.as_ref()).collect();
            coerce.repeated(Some(property), &texts)
        }
    }
}

fn scalar(coerce: Coerce<'_>, schema: Option<NodeId>, field: &Field<'_>) -> Value {
    if field.binary { field.text.as_ref().into() } else { coerce.scalar(schema, &field.text) }
}

/// The JSON value of a field: if the field or the document declares JSON, or by default if its
/// schema is an object or list (OpenAPI, Encoding Object).
fn json(
    coerce: Coerce<'_>,
    schema: NodeId,
    media: Option<&str>,
    field: &Field<'_>,
) -> Option<Value> {
    let types = coerce.set.types(schema);
    let structured = types.has(Types::OBJECT.with(Types::ARRAY)) && !types.has(Types::STRING);
    // A file is binary, whatever its content is, unless its property is an object or list.
    if field.binary && !structured {
        return None;
    }
    // `contentType` of an encoding may be a list of types.
    let says_json = |media: &str| media.split(',').any(|one| is_json(one.trim()));
    if media.map_or(structured, says_json) {
        let value: Value = serde_json::from_str(&field.text).ok()?;
        // If there are several types, only one may be JSON, and a text that the schema does not
        // accept as JSON stays a text.
        let fits = structured || coerce.set.accepts(schema, &value, coerce.direction);
        return fits.then_some(value);
    }
    // Clients also send JSON with a text type.
    let may_be = structured && media.is_some_and(|media| media.starts_with("text/"));
    let value: Option<Value> = may_be.then(|| serde_json::from_str(&field.text).ok()).flatten();
    value.filter(|value| value.is_object() || value.is_array())
}

/// The fields of a `multipart/form-data` body.
///
/// # Errors
/// What is wrong with the body.
pub(super) fn parts<'b>(
    body: &'b [u8],
    content_type: &str,
) -> Result<Vec<Field<'b>>, &'static str> {
    let mut fields = Vec::new();
    for part in form_parts(body, content_type)? {
        let FormPart { name, media, is_file, content, fault, .. } = part;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let Some(name) = name else { continue };
        let size = content.len();
        let text = String::from_utf8_lossy(&body[content]);
        let binary = is_file || matches!(text, Cow::Owned(_));
        fields.push(Field { name: name.into(), text, media: media.map(Into::into), binary, size });
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::{Direction, SchemaSet};

    #[test]
    fn names_with_brackets_are_objects_where_their_property_takes_one() {
        let document = json!({"type": "object", "properties": {
            "text": {"type": "string"},
            "map": {"type": "object"},
            "list": {"type": "array", "items": {"type": "string"}},
            "list[0]": {"type": "string"},
            "either": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"enum": [""]}]},
        }});
        let mut set = SchemaSet::default();
        let schema = set.add(&document, "").expect("a schema");
        let coerce = Coerce { set: &set, direction: Direction::Request };
        let pairs = [
            ("text", ""),
            ("text[a]", "1"),
            ("map[a]", "2"),
            ("list[0]", "3"),
            ("list[1]", "4"),
            ("either", "5"),
        ];
        let fields = pairs.map(|(name, text)| Field::new(name.into(), text.into()));
        assert_eq!(
            object(coerce, schema, None, &fields),
            json!({"map": {"a": "2"}, "list": ["4"], "text": "", "text[a]": "1", "list[0]": "3", "either": ["5"]})
        );
    }

    #[test]
    fn parts_are_fields() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a;b\"\r\n\r\none\r\n--x\r\ncontent-disposition: form-data; name=f; filename=\"n.bin\"\r\n\r\n\xff\r\n--x\r\n\r\nnameless\r\n--x--\r\n";
        let fields = parts(body, "multipart/form-data; boundary=x").expect("legal");
        let seen: Vec<_> = fields.iter().map(|f| (&*f.name, &*f.text, f.binary)).collect();
        assert_eq!(seen, [("a;b", "one", false), ("f", "\u{fffd}", true)]);
        assert!(parts(&body[..body.len() - 5], "multipart/form-data; boundary=x").is_err());
    }
}
