//! Bodies that are a sequence of values (OpenAPI 3.2, "Sequential Media Types").

use std::borrow::Cow;

/// The format of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// One JSON value per line: JSON Lines, NDJSON.
    Lines,
    /// Each JSON value after a record separator (RFC 7464).
    Records,
    /// Events of `text/event-stream` (HTML, section 9.2), each an object of its fields.
    Events,
}

/// Begins each value of a JSON text sequence.
pub(crate) const RECORD_SEPARATOR: char = '\u{1e}';

impl Sequence {
    /// The format of a media type, given as `type/subtype` in lower case.
    pub fn of(essence: &str) -> Option<Sequence> {
        let (_, subtype) = essence.split_once('/')?;
        match subtype {
            "jsonl" | "jsonlines" | "x-jsonlines" | "x-jsonl" | "ndjson" | "x-ndjson" => {
                Some(Sequence::Lines)
            }
            "json-seq" => Some(Sequence::Records),
            "event-stream" => Some(Sequence::Events),
            _ if subtype.ends_with("+jsonl") || subtype.ends_with("+ndjson") => {
                Some(Sequence::Lines)
            }
            _ if subtype.ends_with("+json-seq") => Some(Sequence::Records),
            _ => None,
        }
    }

    /// The texts of the values in a body; for events, their data. Events without data are left out,
    /// because clients do not receive them.
    pub fn texts(self, body: &str) -> Vec<Cow<'_, str>> {
        let filled = |text: &&str| !text.trim().is_empty();
        match self {
            Sequence::Lines => body.lines().filter(filled).map(Cow::Borrowed).collect(),
            Sequence::Records => {
                body.split(RECORD_SEPARATOR).filter(filled).map(Cow::Borrowed).collect()
            }
            Sequence::Events => data_of_events(body),
        }
    }
}

/// The data of each event. A blank line ends an event, and several data lines form one text. An
/// event without a final blank line is incomplete and ignored.
fn data_of_events(body: &str) -> Vec<Cow<'_, str>> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let mut all = Vec::new();
    let mut data: Option<Cow<'_, str>> = None;
    for line in body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if line.is_empty() {
            all.extend(data.take().filter(|data| !data.trim().is_empty()));
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name == "data" {
            let value = value.strip_prefix(' ').unwrap_or(value);
            data = Some(match data {
                Some(before) => Cow::Owned(format!("{before}\n{value}")),
                None => Cow::Borrowed(value),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_values() {
        let texts = |sequence: Sequence, body| sequence.texts(body).join("|");
        assert_eq!(texts(Sequence::Lines, "{\"a\":1}\r\n\n2"), "{\"a\":1}|2");
        assert_eq!(texts(Sequence::Records, "\u{1e}1\n\u{1e}2\n"), "1\n|2\n");
        let events = ": note\n\nevent: ping\n\ndata: {\"a\":\ndata: 1}\nid: 7\n\ndata\n\ndata:x\r\n\r\ndata: cut";
        assert_eq!(texts(Sequence::Events, events), "{\"a\":\n1}|x");
    }
}
