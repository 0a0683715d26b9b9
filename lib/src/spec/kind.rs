//! Recognises files that are not specs by their content, and names the program that reads them.

use serde_json::Value;

/// Number of bytes that are examined.
const HEAD: usize = 4096;

/// A kind of file that is not a spec.
pub(super) struct OtherKind {
    what: &'static str,
    advice: &'static str,
}

impl OtherKind {
    /// The message after the name of the file.
    pub(super) fn message(&self) -> String {
        format!("this is {}, not a spec; {}", self.what, self.advice)
    }
}

const EXCHANGES: OtherKind = OtherKind {
    what: "a recording of exchanges",
    advice: "hmt-build builds a spec from it, and hmt-replay serves it",
};
const HAR: OtherKind = OtherKind {
    what: "an HTTP archive (HAR)",
    advice: "hmt-build builds a spec from it, and hmt-replay serves it",
};
const FLOWS: OtherKind = OtherKind {
    what: "a file of mitmproxy flows",
    advice: "hmt-build builds a spec from it, and hmt-replay serves it",
};
const POSTMAN: OtherKind = OtherKind {
    what: "a Postman collection",
    advice: "hmt-build builds a spec from its saved responses",
};
const PARTIAL: OtherKind =
    OtherKind { what: "a partial of hmt-build", advice: "hmt-merge builds a spec from it" };
const HTML: OtherKind = OtherKind {
    what: "an HTML page",
    advice: "save the spec itself, which such a page often links to",
};
const XML: OtherKind =
    OtherKind { what: "an XML document", advice: "supported are OpenAPI and Swagger 2.0" };
const JSON_SCHEMA: OtherKind = OtherKind {
    what: "a JSON Schema",
    advice: "put it under /components/schemas of an OpenAPI document",
};
const PACKED: OtherKind = OtherKind { what: "a compressed file", advice: "decompress it first" };
const BINARY: OtherKind = OtherKind {
    what: "a binary file",
    advice: "supported are OpenAPI and Swagger 2.0 documents in YAML or JSON",
};

/// The kind of bytes that cannot be parsed as a document.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<&'static OtherKind> {
    const PACKED_MAGIC: [&[u8]; 3] = [b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"];
    let head = &bytes[..bytes.len().min(HEAD)];
    if PACKED_MAGIC.iter().any(|magic| head.starts_with(magic)) {
        return Some(&PACKED);
    }
    if is_flow(head) {
        return Some(&FLOWS);
    }
    if head.contains(&0) {
        return Some(&BINARY);
    }
    let text = head.trim_ascii_start();
    if text.starts_with(b"<") {
        return Some(markup(&String::from_utf8_lossy(text)));
    }
    // Lines of JSON, of which the first one suffices.
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    of_tree(&values.next()?.ok()?)
}

/// The kind of a parsed tree that is not an OpenAPI document.
pub(super) fn of_tree(root: &Value) -> Option<&'static OtherKind> {
    let has = |key: &str| root.get(key).is_some();
    match root {
        // YAML reads a page as one text.
        Value::String(text) if text.starts_with('<') => Some(markup(text)),
        Value::Array(items) => match items.first().and_then(of_tree) {
            Some(kind) if std::ptr::eq(kind, &EXCHANGES) => Some(kind),
            _ => None,
        },
        _ if has("hmt-partial") => Some(&PARTIAL),
        _ if root.pointer("/log/entries").is_some() => Some(&HAR),
        _ if has("request") && (has("response") || has("meta")) => Some(&EXCHANGES),
        _ if root.pointer("/request/method").is_some() => Some(&EXCHANGES),
        _ if has("item") && has("info") => Some(&POSTMAN),
        _ if root["$schema"].as_str().is_some_and(|url| url.contains("json-schema.org")) => {
            Some(&JSON_SCHEMA)
        }
        _ => None,
    }
}

/// A flow begins with its length and a colon.
fn is_flow(head: &[u8]) -> bool {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=12).contains(&digits)
        && head.get(digits) == Some(&b':')
        && head.get(digits + 1).is_some_and(u8::is_ascii_digit)
}

fn markup(text: &str) -> &'static OtherKind {
    let start: String = text.chars().take(512).collect::<String>().to_ascii_lowercase();
    let is_html =
        ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.contains(tag));
    if is_html { &HTML } else { &XML }
}

#[cfg(test)]
mod tests {
    use crate::spec::load;

    #[test]
    fn other_files_are_recognised_by_their_content() {
        let har = br#"{"log": {"version": "1.2", "entries": []}}"#;
        let exchange = br#"{"request": {"method": "get"}, "response": {"statusCode": 200}}"#;
        let two = [&exchange[..], b"\n", exchange].concat();
        for (bytes, kind) in [
            (&b"<!DOCTYPE html>\n<html><body>x: y</body></html>"[..], "an HTML page"),
            (b"\n <html>\n <a: b>", "an HTML page"),
            (b"<?xml version='1.0'?><a/>", "an XML document"),
            (har, "an HTTP archive (HAR)"),
            (exchange, "a recording of exchanges"),
            (&two, "a recording of exchanges"),
            (br#"[{"request": {"method": "GET"}}]"#, "a recording of exchanges"),
            (br#"{"hmt-partial": 1, "state": {}}"#, "a partial of hmt-build"),
            (br#"{"info": {"name": "x"}, "item": []}"#, "a Postman collection"),
            (b"1204:9:websocket;0:~4:type;4:http;\xff", "a file of mitmproxy flows"),
            (b"\x7fELF\0\0\0\xff", "a binary file"),
            (b"a: b\0", "a binary file"),
            (b"\x1f\x8b\x08\0", "a compressed file"),
            (br#"{"$schema": "https://json-schema.org/draft/2020-12/schema"}"#, "a JSON Schema"),
        ] {
            let text = String::from_utf8_lossy(bytes);
            let error = load(bytes, "x.yaml").unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("x.yaml: this is {kind}, not a spec; ")),
                "{text}: {error}"
            );
            let error = load(bytes, "x").unwrap_err().to_string();
            assert!(error.contains(kind), "{text}: {error}");
        }
        // A spec with a mistake stays a spec.
        for text in ["openapi: 3.0.0\n\tpaths: {}", "{\"openapi\": \"3.0.0\",", "12:30\n", "hello"]
        {
            let error = load(text.as_bytes(), "x").unwrap_err().to_string();
            assert!(!error.contains("this is"), "{text}: {error}");
        }
    }
}
