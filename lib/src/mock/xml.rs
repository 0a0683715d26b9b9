//! A JSON value as XML: an element a member, a repeated element an array. Attributes and namespaces are not made.

use serde_json::Value;

/// A whole XML document.
pub(super) fn document(value: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    match value {
        Value::Array(items) => {
            out.push_str("<root>");
            items.iter().for_each(|item| write("item", item, &mut out));
            out.push_str("</root>");
        }
        _ => write("root", value, &mut out),
    }
    out
}

fn write(name: &str, value: &Value, out: &mut String) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| write(name, item, out));
        return;
    }
    let name = element_name(name);
    out.push('<');
    out.push_str(&name);
    out.push('>');
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| write(name, value, out));
        }
        Value::Null => {}
        Value::String(text) => escape(text, out),
        _ => out.push_str(&value.to_string()),
    }
    out.push_str("</");
    out.push_str(&name);
    out.push('>');
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // XML 1.0 has no way to write these.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(character),
        }
    }
}

fn element_name(name: &str) -> String {
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

    #[test]
    fn members_are_elements() {
        let text = document(&json!({"a": [1, "x & y"], "2 b": {"c": null}}));
        assert!(text.ends_with("<root><a>1</a><a>x &amp; y</a><_2_b><c></c></_2_b></root>"));
        assert!(document(&json!([1])).ends_with("<root><item>1</item></root>"));
    }
}
