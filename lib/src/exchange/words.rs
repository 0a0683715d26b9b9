//! Explains JSON errors to users.

/// The message of serde_json, without its position, type names and parser terms. The visitors of
/// this module describe the expected value in a sentence: `request.body must be a string`.
pub(crate) fn words(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "the JSON is incomplete".to_owned();
    }
    let text = error.to_string();
    let text = match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => &text[..end],
        _ => &text,
    };
    if error.is_data() {
        return of_data(text);
    }
    let why = match text {
        "trailing characters" => {
            return "there is more text on the line after the JSON object".to_owned();
        }
        "recursion limit exceeded" => return "nested deeper than 128".to_owned(),
        "key must be a string" => "a key must be in double quotes",
        "expected value" | "expected ident" => "a value is expected here",
        "trailing comma" => "there is a comma after the last element",
        "invalid escape" => "there is an unknown escape sequence in a string",
        "invalid unicode code point"
        | "lone leading surrogate in hex escape"
        | "unexpected end of hex escape" => "an incomplete surrogate pair in a string",
        _ if text.starts_with("control character") => {
            "a string has a control character that is not escaped"
        }
        other => other,
    };
    format!("not valid JSON: {why}")
}

/// A value of an unexpected type.
fn of_data(text: &str) -> String {
    let Some((found, expected)) =
        text.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return text.to_owned();
    };
    let found = match found {
        "sequence" => "an array",
        "map" => "an object",
        "null" | "unit value" => "null",
        _ if found.starts_with("string") => "a string",
        _ if found.starts_with("boolean") => "a boolean",
        _ => "a number",
    };
    format!("{expected}, not {found}")
}

#[cfg(test)]
mod tests {
    use super::words;
    use serde_json::from_str;

    #[test]
    fn no_terms_of_the_parser() {
        for (text, expected) in [
            ("{\"a\":", "the JSON is incomplete"),
            ("{a:1}", "not valid JSON: a key must be in double quotes"),
            ("[1,]", "not valid JSON: there is a comma after the last element"),
            ("nonsense", "not valid JSON: a value is expected here"),
            ("[1 2]", "not valid JSON: expected `,` or `]`"),
            ("\"\u{1}\"", "not valid JSON: a string has a control character that is not escaped"),
            ("1 2", "there is more text on the line after the JSON object"),
        ] {
            let error = from_str::<serde_json::Value>(text).unwrap_err();
            assert_eq!(words(&error), expected, "{text}");
        }
    }
}
