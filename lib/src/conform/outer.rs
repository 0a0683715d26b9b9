//! Checks the form of a body: its size, its depth, the name of its root element, and the types of
//! its parts.

use serde_json::Value;

use super::api::{Api, Media, Violation};
use super::body::{Kind, Message};
use super::form;
use super::media::{essence, is_xml, is_yaml};
use crate::exchange::body_text;
use crate::schema::{Fault, NodeId, Types};
use crate::spec::from_yaml;

/// Deeper bodies are refused; JSON has the same limit.
const MAX_DEPTH: usize = 128;

impl Api {
    /// Checks a body that is not JSON.
    pub(super) fn check_form(
        &self,
        kind: &Kind<'_>,
        media: &Media,
        schema: NodeId,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let types = self.schemas.types(schema);
        if kind.essence.starts_with("multipart/") {
            self.check_parts(kind, media, schema, message, violations);
        } else if is_xml(kind.essence) && types.has(Types::OBJECT.with(Types::ARRAY)) {
            self.check_xml(kind, schema, message, violations);
        } else if is_yaml(kind.essence) {
            let text = body_text(message.body, kind.content_type);
            let deep = text.and_then(|text| from_yaml(&text, &mut Vec::new()).err());
            if deep.is_some_and(|why| why.contains("nested deeper")) {
                violations.push(too_deep());
            }
        } else if !kind.essence.starts_with("text/") && types.has(Types::STRING) {
            let size = message.body.as_bytes().len();
            violations.extend(self.too_long(schema, size, ""));
        }
    }

    /// A size above `maxLength`, which counts the bytes of binary data.
    fn too_long(&self, schema: NodeId, size: usize, at: &str) -> Option<Violation> {
        let mut node = self.schemas.node(schema);
        for _ in 0..16 {
            let Some(target) = node.reference else { break };
            node = self.schemas.node(target);
        }
        let most = node.max_length.filter(|most| size as u64 > *most)?;
        let schema = node.pointer.clone();
        let fault = Fault { schema, keyword: "maxLength", value: Value::Null };
        let message = format!("is longer than {most} bytes");
        let fault = Some(Box::new(fault));
        Some(Violation { fault, ..Violation::new("body", at, &message) })
    }

    /// The Content-Type of each part that has one must be among those of `encoding`.
    fn check_parts(
        &self,
        kind: &Kind<'_>,
        media: &Media,
        schema: NodeId,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let body = message.body.as_bytes();
        let Ok(parts) = form::parts(body, kind.content_type.unwrap_or_default()) else { return };
        for part in &parts {
            let at = format!("/{}", crate::spec::escape(&part.name));
            if part.binary
                && let Some(property) = self.schemas.property(schema, &part.name)
            {
                violations.extend(self.too_long(property, part.size, &at));
            }
            let declared = media.encoding.as_ref().and_then(|all| all.get(part.name.as_ref()));
            let declared = declared.and_then(|one| one.get("contentType")).and_then(Value::as_str);
            let (Some(declared), Some(own)) = (declared, part.media.as_deref()) else { continue };
            let own = essence(own);
            let takes = |one: &str| {
                let one = essence(one);
                one == own
                    || one == "*/*"
                    || one.strip_suffix('*').is_some_and(|range| own.starts_with(range))
            };
            if !declared.split(',').any(takes) {
                let text = format!("is a part of type {own}, not {declared}");
                violations.push(Violation::new("body", &at, &text));
            }
        }
    }

    fn check_xml(
        &self,
        kind: &Kind<'_>,
        schema: NodeId,
        message: &Message<'_>,
        violations: &mut Vec<Violation>,
    ) {
        let Some(text) = body_text(message.body, kind.content_type) else { return };
        // A document that is not well-formed is reported with its value.
        let Ok(document) = roxmltree::Document::parse(&text) else { return };
        let mut depth = 0_usize;
        let mut deepest = 0;
        // Without recursion: the document may be made to exhaust the stack.
        let mut node = document.root_element();
        'walk: loop {
            deepest = deepest.max(depth);
            if let Some(child) = node.first_element_child() {
                node = child;
                depth += 1;
                continue;
            }
            while depth > 0 {
                if let Some(next) = node.next_sibling_element() {
                    node = next;
                    continue 'walk;
                }
                let Some(parent) = node.parent_element() else { break 'walk };
                node = parent;
                depth -= 1;
            }
            break;
        }
        if deepest >= MAX_DEPTH {
            violations.push(too_deep());
        }
        let wanted = self.schemas.xml(schema).and_then(|xml| xml.name.as_deref());
        let found = document.root_element().tag_name().name();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            let text = format!("has the root element {found:?}, not {wanted:?}");
            violations.push(Violation::new("body", "", &text));
        }
    }
}

fn too_deep() -> Violation {
    Violation::new("body", "", &format!("is nested deeper than {MAX_DEPTH} levels"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conform::{BasePathRule, Found};
    use crate::exchange::{Body, Method, Request};
    use crate::spec::load;

    /// The problems of a body of POST /NAME.
    fn check(name: &str, content_type: &str, body: &[u8]) -> Vec<String> {
        let spec = json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {
            "/parts": {"post": {"responses": {}, "requestBody": {"content": {"multipart/form-data": {
                "schema": {"type": "object", "properties": {"f": {"type": "string", "format": "binary", "maxLength": 3}}},
                "encoding": {"f": {"contentType": "image/png, audio/*"}}}}}}},
            "/xml": {"post": {"responses": {}, "requestBody": {"content": {"application/xml": {
                "schema": {"type": "object", "xml": {"name": "order"}}}}}}},
            "/yaml": {"post": {"responses": {}, "requestBody": {"content": {"application/yaml": {"schema": {"type": "array"}}}}}},
            "/bytes": {"post": {"responses": {}, "requestBody": {"content": {"image/png": {
                "schema": {"type": "string", "format": "binary", "maxLength": 3}}}}}},
        }});
        let document = load(spec.to_string().as_bytes(), "s.json").expect("a spec");
        let api = Api::compile(&document).expect("compiles");
        let Found::Operation(matched) =
            api.find(Method::Post, &format!("/{name}"), BasePathRule::Optional)
        else {
            panic!("no operation")
        };
        let headers = vec![("content-type".into(), content_type.into())];
        let body = Body::from_bytes(body.to_vec());
        let request = Request { headers, body, method: Method::Post, ..Request::default() };
        let found = api.validate_client_request(&matched, &request, None);
        found.iter().map(Violation::to_string).collect()
    }

    fn part(head: &str, content: &str) -> Vec<u8> {
        format!("--x\r\nContent-Disposition: form-data; name=f; filename=a\r\n{head}\r\n{content}\r\n--x--\r\n")
            .into_bytes()
    }

    #[test]
    fn parts_have_the_types_and_sizes_that_are_declared() {
        let multipart = "multipart/form-data; boundary=x";
        for head in ["", "Content-Type: image/png\r\n", "Content-Type: Audio/MPEG; a=b\r\n"] {
            assert_eq!(check("parts", multipart, &part(head, "abc")), [""; 0], "{head}");
        }
        let wrong = check("parts", multipart, &part("Content-Type: image/gif\r\n", "abc"));
        assert_eq!(wrong, ["body /f is a part of type image/gif, not image/png, audio/*"]);
        let long = check("parts", multipart, &part("", "abcd"));
        assert!(long.iter().any(|why| why == "body /f is longer than 3 bytes"), "{long:?}");
    }

    #[test]
    fn the_root_element_has_the_declared_name() {
        assert_eq!(check("xml", "application/xml", b"<order><a/></order>"), [""; 0]);
        assert_eq!(
            check("xml", "application/xml", b"<Order/>"),
            [r#"body has the root element "Order", not "order""#]
        );
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_refused() {
        let deep = "[".repeat(3000) + &"]".repeat(3000);
        assert_eq!(check("yaml", "application/yaml", deep.as_bytes()).len(), 1);
        let deep = format!("<order>{}{}</order>", "<a>".repeat(200), "</a>".repeat(200));
        assert_eq!(
            check("xml", "application/xml", deep.as_bytes()),
            ["body is nested deeper than 128 levels"]
        );
        assert_eq!(check("bytes", "image/png", b"\xff\xfe\xfd"), [""; 0]);
        assert_eq!(
            check("bytes", "image/png", b"\xff\xfe\xfd\xfc"),
            ["body is longer than 3 bytes"]
        );
    }
}
