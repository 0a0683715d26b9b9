//! Writes values as XML, guided by the schema's `xml` keywords (OpenAPI 3.0.4, section 4.7.26, XML
//! Object): names, attributes, namespaces, wrapped lists. Without them an element has the name of
//! its property, and a repeated element is a list.

use serde_json::Value;

use crate::schema::{NodeId, SchemaSet, Types, Xml};

/// A whole XML document. The root has the name in the schema, or else that of the component.
pub(super) fn document(set: &SchemaSet, schema: Option<NodeId>, value: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let writer = Writer { set };
    let xml = writer.xml(schema);
    let component = schema.and_then(|id| component(set, id));
    let name = xml.name.clone().or(component).unwrap_or_else(|| "root".to_owned());
    match value {
        // A document has one root.
        Value::Array(items) => {
            let item = schema.and_then(|id| set.item(id));
            let item_name = writer.xml(item).name.clone();
            let item_name = item_name.or_else(|| item.and_then(|id| self::component(set, id)));
            let item_name = item_name.unwrap_or_else(|| "item".to_owned());
            writer.open(&name, &xml, "", &mut out);
            for value in items {
                writer.element(&item_name, item, value, &mut out);
            }
            writer.close(&name, &xml, &mut out);
        }
        _ => writer.element(&name, schema, value, &mut out),
    }
    out
}

struct Writer<'s> {
    set: &'s SchemaSet,
}

impl Writer<'_> {
    fn xml(&self, schema: Option<NodeId>) -> Xml {
        schema.and_then(|id| self.set.xml(id)).cloned().unwrap_or_default()
    }

    /// A value that is not a list.
    fn element(&self, name: &str, schema: Option<NodeId>, value: &Value, out: &mut String) {
        let xml = self.xml(schema);
        let Value::Object(members) = value else {
            if let Value::Array(items) = value {
                return items.iter().for_each(|item| self.element(name, None, item, out));
            }
            self.open(name, &xml, "", out);
            scalar(value, out);
            return self.close(name, &xml, out);
        };
        let property = |name: &str| schema.and_then(|id| self.set.property(id, name));
        let mut attributes = String::new();
        let is_attribute = |name: &str| self.xml(property(name)).attribute;
        // The prefix `xml` is bound by definition (Namespaces in XML 1.0, section 3).
        let mut bound = vec!["xml".to_owned()];
        bound.extend(xml.namespace.as_ref().and(xml.prefix.clone()));
        for (name, value) in members.iter().filter(|(name, _)| is_attribute(name)) {
            let own = self.xml(property(name));
            if let (Some(prefix), Some(namespace)) = (&own.prefix, &own.namespace)
                && !bound.contains(prefix)
            {
                attributes.push_str(&format!(" xmlns:{}=\"", name_token(prefix)));
                escape(namespace, &mut attributes);
                attributes.push('"');
                bound.push(prefix.clone());
            }
            attributes.push(' ');
            attributes.push_str(&qualified(own.name.as_deref().unwrap_or(name), &own));
            attributes.push_str("=\"");
            scalar(value, &mut attributes);
            attributes.push('"');
        }
        self.open(name, &xml, &attributes, out);
        for (name, value) in members.iter().filter(|(name, _)| !is_attribute(name)) {
            self.property(name, property(name), value, out);
        }
        self.close(name, &xml, out);
    }

    fn property(&self, name: &str, schema: Option<NodeId>, value: &Value, out: &mut String) {
        let xml = self.xml(schema);
        if xml.text {
            return scalar(value, out);
        }
        let Value::Array(items) = value else {
            return self.element(xml.name.as_deref().unwrap_or(name), schema, value, out);
        };
        let item = schema.and_then(|id| self.set.item(id));
        let item_xml = self.xml(item);
        if xml.wrapped {
            let outer = xml.name.as_deref().unwrap_or(name);
            self.open(outer, &xml, "", out);
            // The items of a wrapped list have the list's name, unless they have their own.
            let inner = item_xml.name.as_deref().unwrap_or(outer);
            items.iter().for_each(|value| self.element(inner, item, value, out));
            return self.close(outer, &xml, out);
        }
        // The name of an unwrapped list has no element.
        let inner = item_xml.name.as_deref().unwrap_or(name);
        items.iter().for_each(|value| self.element(inner, item, value, out));
    }

    fn open(&self, name: &str, xml: &Xml, attributes: &str, out: &mut String) {
        out.push('<');
        out.push_str(&qualified(name, xml));
        if let Some(namespace) = &xml.namespace {
            out.push_str(" xmlns");
            if let Some(prefix) = &xml.prefix {
                out.push(':');
                out.push_str(&name_token(prefix));
            }
            out.push_str("=\"");
            escape(namespace, out);
            out.push('"');
        }
        out.push_str(attributes);
        out.push('>');
    }

    fn close(&self, name: &str, xml: &Xml, out: &mut String) {
        out.push_str("</");
        out.push_str(&qualified(name, xml));
        out.push('>');
    }
}

/// The name of the component that a schema is, or refers to.
fn component(set: &SchemaSet, schema: NodeId) -> Option<String> {
    let node = set.node(set.target(schema));
    let name = node.pointer.strip_prefix("/components/schemas/")?;
    (!types_of_list(set, schema) && !name.contains('/'))
        .then(|| name.replace("~1", "/").replace("~0", "~"))
}

fn types_of_list(set: &SchemaSet, schema: NodeId) -> bool {
    set.types(schema).0 == Types::ARRAY.0
}

fn qualified(name: &str, xml: &Xml) -> String {
    match &xml.prefix {
        // A prefix without a namespace would not be well-formed XML.
        Some(prefix) if xml.namespace.is_some() => {
            format!("{}:{}", name_token(prefix), name_token(name))
        }
        _ => name_token(name),
    }
}

fn scalar(value: &Value, out: &mut String) {
    match value {
        Value::Null => {}
        Value::String(text) => escape(text, out),
        _ => out.push_str(&value.to_string()),
    }
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // A parser would convert it to a line feed (XML 1.0, section 2.11).
            '\r' => out.push_str("&#13;"),
            // XML 1.0 has no way to write these.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(character),
        }
    }
}

fn name_token(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect();
    if !clean.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        clean.insert(0, '_');
    }
    clean
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(schema: &Value, value: &Value) -> String {
        let root = json!({"openapi": "3.0.3", "components": {"schemas": {"Thing": schema}}});
        let mut set = SchemaSet::default();
        let id = set.add(&root, "/components/schemas/Thing").expect("a schema");
        let text = document(&set, Some(id), value);
        roxmltree::Document::parse(&text).expect("well-formed");
        text.split_once('\n').expect("a declaration").1.to_owned()
    }

    #[test]
    fn texts_stand_beside_attributes_whose_prefixes_are_bound() {
        let price = json!({"type": "object", "xml": {"name": "price"}, "properties": {
            "lang": {"type": "string", "xml": {"attribute": true, "prefix": "xml",
                "namespace": "http://www.w3.org/XML/1998/namespace"}},
            "type": {"type": "string", "xml": {"attribute": true, "prefix": "p", "namespace": "urn:p"}},
            "text": {"type": "number", "xml": {"x-hmt-text": true}},
        }});
        assert_eq!(
            written(&price, &json!({"lang": "en", "type": "net", "text": 5.5})),
            "<price xml:lang=\"en\" xmlns:p=\"urn:p\" p:type=\"net\">5.5</price>"
        );
    }

    #[test]
    fn members_are_elements() {
        let value = json!({"a": [1, "x & y"], "2 b": {"c": null}});
        let set = SchemaSet::default();
        let text = document(&set, None, &value);
        assert!(text.ends_with("<root><a>1</a><a>x &amp; y</a><_2_b><c></c></_2_b></root>"));
        assert!(document(&set, None, &json!([1])).ends_with("<root><item>1</item></root>"));
    }

    /// The examples in OpenAPI 3.0.4, section 4.7.26.2.
    #[test]
    fn as_the_specification_has_it() {
        let animals = |xml: Value, item: Value| {
            json!({"type": "object", "properties": {"animals":
                {"type": "array", "xml": xml, "items": {"type": "string", "xml": item}}}})
        };
        let value = json!({"animals": ["a", "b"]});
        for (xml, item, expected) in [
            (json!({}), json!({}), "<animals>a</animals><animals>b</animals>"),
            (json!({}), json!({"name": "animal"}), "<animal>a</animal><animal>b</animal>"),
            (
                json!({"name": "aliens"}),
                json!({"name": "animal"}),
                "<animal>a</animal><animal>b</animal>",
            ),
            (
                json!({"wrapped": true}),
                json!({}),
                "<animals><animals>a</animals><animals>b</animals></animals>",
            ),
            (
                json!({"name": "aliens", "wrapped": true}),
                json!({"name": "animal"}),
                "<aliens><animal>a</animal><animal>b</animal></aliens>",
            ),
            (
                json!({"name": "aliens", "wrapped": true}),
                json!({}),
                "<aliens><aliens>a</aliens><aliens>b</aliens></aliens>",
            ),
        ] {
            let text = written(&animals(xml.clone(), item.clone()), &value);
            assert_eq!(text, format!("<Thing>{expected}</Thing>"), "{xml} {item}");
        }
        let person = json!({"type": "object", "xml": {"name": "person"}, "properties": {
            "id": {"type": "integer", "xml": {"attribute": true}},
            "name": {"type": "string", "xml": {"namespace": "https://example.com/schema/sample", "prefix": "sample"}},
        }});
        assert_eq!(
            written(&person, &json!({"name": "\"x\"", "id": 123})),
            "<person id=\"123\"><sample:name xmlns:sample=\"https://example.com/schema/sample\">&quot;x&quot;</sample:name></person>"
        );
    }
}
