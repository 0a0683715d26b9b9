//! Bodies that are a sequence of values (OpenAPI 3.2, "Sequential Media Types"): JSON Lines, JSON
//! text sequences and server-sent events.

use serde_json::{Map, Value};

use crate::exchange::RECORD_SEPARATOR;
pub use crate::exchange::Sequence;

impl Sequence {
    /// The values of a body.
    ///
    /// # Errors
    /// The first invalid value, and why.
    pub(super) fn read(self, text: &str) -> Result<Vec<Value>, String> {
        let json = |(at, text): (usize, &str)| {
            serde_json::from_str(text).map_err(|error| format!("value {}: {error}", at + 1))
        };
        let filled = |text: &&str| !text.trim().is_empty();
        match self {
            Sequence::Lines => text.lines().filter(filled).enumerate().map(json).collect(),
            Sequence::Records => {
                text.split(RECORD_SEPARATOR).filter(filled).enumerate().map(json).collect()
            }
            Sequence::Events => Ok(events(text)),
        }
    }

    /// The values of a body; for events, their data: JSON, or otherwise the text.
    ///
    /// # Errors
    /// The first invalid value, and why.
    pub(super) fn read_data(self, text: &str) -> Result<Vec<Value>, String> {
        match self {
            Sequence::Lines | Sequence::Records => self.read(text),
            Sequence::Events => {
                let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
                Ok(self.texts(text).iter().map(|text| value(text)).collect())
            }
        }
    }

    /// The text of a value in its sequence. In an event stream, the value is the data of an event.
    pub fn write_data(self, value: &Value) -> String {
        match (self, value) {
            (Sequence::Events, Value::String(text)) => event(&text.as_str().into()),
            (Sequence::Events, value) => event(&value.to_string().into()),
            _ => self.write(value),
        }
    }

    /// The text of a value in its sequence.
    pub fn write(self, value: &Value) -> String {
        match self {
            Sequence::Lines => format!("{value}\n"),
            Sequence::Records => format!("{RECORD_SEPARATOR}{value}\n"),
            Sequence::Events => event(value),
        }
    }
}

/// The events of a stream: a blank line ends each, several `data` lines form one text, and comments
/// and unknown fields are ignored. An event without a final blank line is dropped.
fn events(text: &str) -> Vec<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = Vec::new();
    let mut fields = Map::new();
    for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if line.is_empty() {
            if !fields.is_empty() {
                events.push(Value::Object(std::mem::take(&mut fields)));
            }
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => match fields.get_mut("data") {
                Some(Value::String(data)) => {
                    data.push('\n');
                    data.push_str(value);
                }
                _ => {
                    fields.insert("data".to_owned(), value.into());
                }
            },
            "event" | "id" => {
                fields.insert(name.to_owned(), value.into());
            }
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                if let Ok(time) = value.parse::<u64>() {
                    fields.insert(name.to_owned(), time.into());
                }
            }
            _ => {}
        }
    }
    events
}

/// True for an object of event fields. Any other object is data, with an `id` of its own.
fn is_event(fields: &Map<String, Value>) -> bool {
    const FIELDS: [&str; 4] = ["event", "data", "id", "retry"];
    (fields.contains_key("data") || fields.contains_key("event"))
        && fields.keys().all(|name| FIELDS.contains(&name.as_str()))
}

/// Writes an object of fields as an event, and any other value as the data of an event.
fn event(value: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let data = |text: &str| -> String {
        text.split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect()
    };
    let mut lines = String::new();
    match value {
        Value::Object(fields) if is_event(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "data" => lines.push_str(&data(&text(value))),
                    // A line break would end the field.
                    name @ ("event" | "id" | "retry") => {
                        let value = text(value).replace(['\r', '\n', '\0'], " ");
                        lines.push_str(&format!("{name}: {value}\n"));
                    }
                    _ => {}
                }
            }
        }
        other => lines = data(&text(other)),
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_apart() {
        let read = |media: &str, text: &str| Sequence::of(media).expect("a sequence").read(text);
        assert_eq!(
            read("application/jsonl", "{\"a\":1}\n\n2\r\n"),
            Ok(vec![json!({"a": 1}), json!(2)])
        );
        assert_eq!(
            read("application/geo+json-seq", "\u{1e}1\n\u{1e}[2]\n"),
            Ok(vec![json!(1), json!([2])])
        );
        assert!(read("application/x-ndjson", "1\n{").is_err_and(|why| why.starts_with("value 2:")));
        assert!(Sequence::of("application/json").is_none());
        // The examples of HTML, section 9.2.6.
        assert_eq!(
            read(
                "text/event-stream",
                ": test\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\nretry: 5\nx: y\n\ndata: cut"
            ),
            Ok(vec![
                json!({"data": "first", "id": "1"}),
                json!({"data": "second", "id": ""}),
                json!({"data": " third", "retry": 5}),
            ])
        );
        assert_eq!(
            read("text/event-stream", "data: YHOO\ndata: +2\n\n"),
            Ok(vec![json!({"data": "YHOO\n+2"})])
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        let events = [json!({"event": "add", "data": "a\nb", "id": "7", "retry": 10})];
        let lines = [json!({"a": "\n"}), json!([1])];
        for (sequence, values) in [
            (Sequence::Lines, &lines[..]),
            (Sequence::Records, &lines[..]),
            (Sequence::Events, &events[..]),
        ] {
            let text: String = values.iter().map(|value| sequence.write(value)).collect();
            assert_eq!(sequence.read(&text).as_deref(), Ok(values), "{text:?}");
        }
    }
}
