//! Media types: how a value is written in one, and which one a client accepts.

use http::HeaderMap;
use http::header::ACCEPT;
use serde_json::Value;

use crate::conform::Sequence;
use crate::schema::{NodeId, SchemaSet};

use super::xml;

/// A media type or range, in lower case, without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) struct MediaType {
    kind: String,
    subtype: String,
}

/// How the values of a media type are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Notation {
    Json,
    /// One value after another.
    Sequence(Sequence),
    Form,
    Xml,
    /// A string as it is; anything else as JSON.
    Text,
}

impl MediaType {
    pub(in crate::mock) fn parse(text: &str) -> MediaType {
        let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (kind, subtype) = bare.split_once('/').unwrap_or((bare.as_str(), "*"));
        MediaType { kind: kind.to_owned(), subtype: subtype.to_owned() }
    }

    pub(in crate::mock) fn is_range(&self) -> bool {
        self.kind == "*" || self.subtype == "*"
    }

    /// True where a type falls under both ranges; two types that are no ranges must be equal.
    fn meets(&self, other: &MediaType) -> bool {
        let same = |a: &str, b: &str| a == b || a == "*" || b == "*";
        same(&self.kind, &other.kind) && same(&self.subtype, &other.subtype)
    }

    /// 0 for `*/*`, 1 for `text/*`, 2 for a type.
    fn specificity(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }

    pub(in crate::mock) fn notation(&self) -> Notation {
        if let Some(sequence) = Sequence::of(&format!("{}/{}", self.kind, self.subtype)) {
            return Notation::Sequence(sequence);
        }
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", _) | ("application", "*") | (_, "json") => Notation::Json,
            ("application", "x-www-form-urlencoded") => Notation::Form,
            (_, "xml") => Notation::Xml,
            (_, subtype) if subtype.ends_with("+json") => Notation::Json,
            (_, subtype) if subtype.ends_with("+xml") && subtype != "svg+xml" => Notation::Xml,
            _ => Notation::Text,
        }
    }

    /// A type for a declared range: one that the client names, else a usual one.
    pub(in crate::mock) fn concrete(&self, accepted: &Accept) -> String {
        let named = accepted
            .0
            .iter()
            .filter(|(range, quality)| *quality > 0 && !range.is_range() && range.meets(self))
            .max_by_key(|(_, quality)| *quality);
        if let Some((named, _)) = named {
            return format!("{}/{}", named.kind, named.subtype);
        }
        match self.kind.as_str() {
            "*" | "application" => "application/json".to_owned(),
            "text" => "text/plain".to_owned(),
            "image" => "image/png".to_owned(),
            kind => format!("{kind}/octet-stream"),
        }
    }
}

/// What a client accepts: ranges with their qualities in thousandths; everything where there are none.
#[derive(Debug)]
pub(in crate::mock) struct Accept(Vec<(MediaType, u16)>);

impl Accept {
    /// Reads all `Accept` headers; without any, everything is accepted.
    pub(in crate::mock) fn of(headers: &HeaderMap) -> Accept {
        let all = headers.get_all(ACCEPT);
        if all.iter().all(|value| value == "*/*") {
            return Accept(Vec::new());
        }
        let ranges = all
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter(|item| !item.trim().is_empty())
            .map(|item| (MediaType::parse(item), quality(item)));
        Accept(ranges.collect())
    }

    /// The quality of a type by the most specific range that holds it; 0 is not acceptable.
    pub(in crate::mock) fn quality(&self, media: &MediaType) -> u16 {
        if self.0.is_empty() {
            return 1000;
        }
        let matching = self.0.iter().filter(|(range, _)| range.meets(media));
        if media.is_range() {
            // Some type of the declared range will do.
            return matching.map(|(_, quality)| *quality).max().unwrap_or(0);
        }
        matching
            .max_by_key(|(range, quality)| (range.specificity(), *quality))
            .map_or(0, |(_, quality)| *quality)
    }

    /// The acceptable type of highest quality; among equals JSON, then the one declared first.
    pub(in crate::mock) fn best<'m, T>(
        &self,
        media: impl Iterator<Item = &'m T>,
        of: impl Fn(&T) -> &MediaType,
    ) -> Option<&'m T> {
        let mut best: Option<(&T, (u16, bool))> = None;
        for item in media {
            let rank = (self.quality(of(item)), of(item).notation() == Notation::Json);
            if rank.0 > 0 && best.as_ref().is_none_or(|(_, highest)| rank > *highest) {
                best = Some((item, rank));
            }
        }
        best.map(|(item, _)| item)
    }
}

/// `;q=0.5` in thousandths; absent or malformed is 1.
fn quality(item: &str) -> u16 {
    item.split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.trim().parse::<f32>().ok())
        .filter(|quality| (0.0..=1.0).contains(quality))
        .map_or(1000, |quality| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1000"
            )]
            let thousandths = (quality * 1000.0).round() as u16;
            thousandths
        })
}

/// A value as a body.
pub(in crate::mock) fn write(
    value: &Value,
    notation: Notation,
    schemas: &SchemaSet,
    schema: Option<NodeId>,
) -> Vec<u8> {
    match (notation, value) {
        (Notation::Text, Value::String(text)) => text.clone().into_bytes(),
        (Notation::Form, Value::Object(members)) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in members {
                let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                for item in items {
                    form.append_pair(name, &scalar(item));
                }
            }
            form.finish().into_bytes()
        }
        (Notation::Sequence(sequence), Value::Array(items)) => {
            items.iter().flat_map(|item| sequence.write(item).into_bytes()).collect()
        }
        // An example as it stands on the wire, as a schema of `type: string` makes it.
        (Notation::Sequence(_), Value::String(text)) => text.clone().into_bytes(),
        (Notation::Sequence(sequence), _) => sequence.write(value).into_bytes(),
        (Notation::Xml, Value::String(text)) if text.trim_start().starts_with('<') => {
            text.clone().into_bytes()
        }
        (Notation::Xml, _) => xml::document(schemas, schema, value).into_bytes(),
        _ => value.to_string().into_bytes(),
    }
}

/// A scalar without quotes; anything else as JSON.
pub(in crate::mock) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn best<'m>(accept: &str, media: &'m [MediaType]) -> Option<&'m MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        Accept::of(&headers).best(media.iter(), |media| media)
    }

    #[test]
    fn negotiates_by_quality_then_specificity() {
        let [xml, json, text] =
            ["application/xml", "application/json", "text/plain"].map(MediaType::parse);
        let all = [xml.clone(), json.clone(), text.clone()];
        assert_eq!(best("*/*", &all), Some(&json));
        assert_eq!(best("text/*;q=0.5, application/xml;q=0.4", &all), Some(&text));
        assert_eq!(best("application/*;q=0.1, application/json;q=0", &all), Some(&xml));
        assert_eq!(best("image/png", &all), None);
        assert_eq!(best("*/*;q=0", &all), None);
        assert_eq!(best("image/png, */*;q=0.1", std::slice::from_ref(&xml)), Some(&xml));
    }

    #[test]
    fn a_declared_range_becomes_what_the_client_names() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "text/csv, */*;q=0.1".parse().unwrap());
        let accept = Accept::of(&headers);
        assert_eq!(MediaType::parse("text/*").concrete(&accept), "text/csv");
        assert_eq!(MediaType::parse("image/*").concrete(&accept), "image/png");
        assert_eq!(
            MediaType::parse("*/*").concrete(&Accept::of(&HeaderMap::new())),
            "application/json"
        );
    }

    #[test]
    fn values_in_their_notations() {
        let value = json!({"a": [1, "x & y"], "b": true});
        let set = SchemaSet::default();
        let text = |value: &Value, notation| {
            String::from_utf8(write(value, notation, &set, None)).unwrap()
        };
        assert_eq!(text(&value, Notation::Form), "a=1&a=x+%26+y&b=true");
        assert_eq!(text(&json!([1, 2]), Notation::Sequence(Sequence::Lines)), "1\n2\n");
        assert_eq!(text(&json!("plain"), Notation::Text), "plain");
    }
}
