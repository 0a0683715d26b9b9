//! Media types: the syntax of values, and negotiation with the client.

use http::HeaderMap;
use http::header::ACCEPT;
use serde_json::Value;

use crate::conform::Sequence;
use crate::schema::{NodeId, SchemaSet};

use super::xml;

/// A media type or range, in lower case, with its parameters other than `q`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) struct MediaType {
    kind: String,
    subtype: String,
    /// Names and values in lower case, without quotes.
    parameters: Vec<(String, String)>,
}

/// The syntax of values in a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Notation {
    Json,
    /// One value after another.
    Sequence(Sequence),
    Form,
    Xml,
    /// A line of names, then a line for each object (RFC 4180).
    Csv,
    /// A string without quotes; anything else as JSON.
    Text,
}

impl MediaType {
    pub(in crate::mock) fn parse(text: &str) -> MediaType {
        let mut parts = text.split(';');
        let bare = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let (kind, subtype) = bare.split_once('/').unwrap_or((bare.as_str(), "*"));
        let parameters = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| {
                let value = value.trim().trim_matches('"').to_ascii_lowercase();
                (name.trim().to_ascii_lowercase(), value)
            })
            .filter(|(name, _)| name != "q")
            .collect();
        MediaType { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters }
    }

    /// True for `*/*`, `text/*` and `application/*+json`.
    pub(in crate::mock) fn is_range(&self) -> bool {
        self.kind == "*" || self.subtype.starts_with('*')
    }

    /// True for the types of error reports (RFC 9457).
    fn is_problem(&self) -> bool {
        self.subtype.starts_with("problem+")
    }

    /// True if a type matches both ranges; two types must be equal. A parameter that only one of
    /// them has is ignored, because many clients always send `charset`.
    fn meets(&self, range: &MediaType) -> bool {
        let same = |a: &str, b: &str| {
            let ends = |suffix: &str, other: &str| {
                suffix.strip_prefix('*').is_some_and(|suffix| other.ends_with(suffix))
            };
            a == b || ends(a, b) || ends(b, a)
        };
        same(&self.kind, &range.kind)
            && same(&self.subtype, &range.subtype)
            && range.parameters.iter().all(|(name, value)| {
                self.parameters.iter().all(|(own, other)| own != name || other == value)
            })
    }

    /// The number of common parameters.
    fn common_parameters(&self, range: &MediaType) -> usize {
        range.parameters.iter().filter(|parameter| self.parameters.contains(parameter)).count()
    }

    /// True for vendor-specific JSON, which a client of plain JSON can read.
    fn is_kind_of_json(&self) -> bool {
        self.kind == "application" && self.subtype.ends_with("+json") && !self.is_problem()
    }

    /// 0 for `*/*`, 1 for `text/*`, 2 for `application/*+json`, 3 for a type.
    fn specificity(&self) -> usize {
        let subtype = match self.subtype.as_str() {
            "*" => 0,
            range if range.starts_with('*') => 1,
            _ => 2,
        };
        usize::from(self.kind != "*") + subtype
    }

    pub(in crate::mock) fn notation(&self) -> Notation {
        if let Some(sequence) = Sequence::of(&format!("{}/{}", self.kind, self.subtype)) {
            return Notation::Sequence(sequence);
        }
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", _) | ("application", "*") | (_, "json") => Notation::Json,
            ("text", "csv") => Notation::Csv,
            ("application", "x-www-form-urlencoded") => Notation::Form,
            (_, "xml") => Notation::Xml,
            (_, subtype) if subtype.ends_with("+json") => Notation::Json,
            (_, subtype) if subtype.ends_with("+xml") && subtype != "svg+xml" => Notation::Xml,
            _ => Notation::Text,
        }
    }

    /// True if objects and lists can be written in this type. Text shows their JSON.
    fn can_hold_structure(&self) -> bool {
        let is_page = self.subtype == "html" || self.subtype == "xhtml+xml";
        let is_yaml = self.subtype.ends_with("yaml");
        !is_page && (self.notation() != Notation::Text || self.kind == "text" || is_yaml)
    }

    /// A type for a declared range: one that the client accepts by name, or else a common one.
    /// `None` if the client accepts none that can hold the body, which is an object or a list if
    /// `structured`.
    pub(in crate::mock) fn concrete(&self, accepted: &Accept, structured: bool) -> Option<String> {
        let can_hold = |media: &MediaType| !structured || media.can_hold_structure();
        let named = accepted
            .0
            .iter()
            .filter(|(range, quality)| *quality > 0 && !range.is_range() && range.meets(self))
            .filter(|(range, _)| can_hold(range))
            // Among equals, the first.
            .rev()
            .max_by_key(|(_, quality)| *quality);
        // A browser lists what it can show, and not what the user wants.
        let is_browser = structured && accepted.names("text", "html") && accepted.names("*", "*");
        if let Some((named, _)) = named.filter(|_| !is_browser) {
            return Some(format!("{}/{}", named.kind, named.subtype));
        }
        let common: &[&str] = match self.kind.as_str() {
            "application" if self.subtype.ends_with("+xml") => &["application/xml"],
            "*" | "application" => {
                &["application/json", "application/xml", "text/plain", "image/png"]
            }
            "text" => &["text/plain"],
            "image" => &["image/png"],
            kind => return Some(format!("{kind}/octet-stream")),
        };
        let is_fit = |media: &MediaType| {
            // `application/json` also stands for `application/*+json`.
            let in_range = self.kind != "application" || media.kind == self.kind;
            in_range && can_hold(media) && accepted.quality(media) > 0
        };
        common.iter().find(|text| is_fit(&MediaType::parse(text))).map(|text| (*text).to_owned())
    }
}

/// The media types that a client accepts: ranges with qualities in thousandths. Empty accepts
/// everything.
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

    /// True if a type or range is accepted by this name.
    fn names(&self, kind: &str, subtype: &str) -> bool {
        let is_it = |range: &MediaType| range.kind == kind && range.subtype == subtype;
        self.0.iter().any(|(range, quality)| *quality > 0 && is_it(range))
    }

    /// The quality of a type according to the most specific matching range; 0 is not acceptable.
    pub(in crate::mock) fn quality(&self, media: &MediaType) -> u16 {
        if self.0.is_empty() {
            return 1000;
        }
        let matching = self.0.iter().filter(|(range, _)| range.meets(media));
        if media.is_range() {
            // Some type in the declared range is acceptable.
            return matching.map(|(_, quality)| *quality).max().unwrap_or(0);
        }
        matching
            .max_by_key(|(range, quality)| {
                (range.specificity(), media.common_parameters(range), *quality)
            })
            .map_or(0, |(_, quality)| *quality)
    }

    /// The most parameters that a type has in common with one of the ranges.
    fn parameters(&self, media: &MediaType) -> usize {
        let holding = self.0.iter().filter(|(range, _)| range.meets(media));
        holding.map(|(range, _)| media.common_parameters(range)).max().unwrap_or(0)
    }

    /// The acceptable type with the highest quality. Among equals the one declared first, but types
    /// of error reports last. If no type is acceptable, a client of plain JSON gets vendor-specific
    /// JSON.
    pub(in crate::mock) fn best<'m, T>(
        &self,
        media: impl Iterator<Item = &'m T> + Clone,
        of: impl Fn(&T) -> &MediaType,
    ) -> Option<&'m T> {
        let mut best: Option<(&T, (u16, usize, bool))> = None;
        for item in media.clone() {
            let media = of(item);
            let rank = (self.quality(media), self.parameters(media), !media.is_problem());
            if rank.0 > 0 && best.as_ref().is_none_or(|(_, highest)| rank > *highest) {
                best = Some((item, rank));
            }
        }
        let takes_json = || {
            let json = |(range, quality): &(MediaType, u16)| {
                *quality > 0 && range.kind == "application" && range.subtype == "json"
            };
            self.0.iter().any(json)
        };
        best.map(|(item, _)| item).or_else(|| {
            let mut media = media;
            takes_json().then(|| media.find(|item| of(item).is_kind_of_json())).flatten()
        })
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
        // An example in its wire form, which a schema with `type: string` has.
        (Notation::Sequence(_), Value::String(text)) => text.clone().into_bytes(),
        (Notation::Sequence(sequence), _) => sequence.write(value).into_bytes(),
        (Notation::Xml, Value::String(text)) if text.trim_start().starts_with('<') => {
            text.clone().into_bytes()
        }
        (Notation::Xml, _) => xml::document(schemas, schema, value).into_bytes(),
        (Notation::Csv, Value::String(text)) => text.clone().into_bytes(),
        (Notation::Csv, _) => csv(value).into_bytes(),
        _ => value.to_string().into_bytes(),
    }
}

/// Objects as lines of comma-separated values (RFC 4180), after a line with all their names; any
/// other value as JSON.
fn csv(value: &Value) -> String {
    let rows = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        let Some(row) = row.as_object() else { return value.to_string() };
        for name in row.keys() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let line = |fields: Vec<String>| fields.join(",") + "\r\n";
    let mut text = line(names.iter().map(|name| csv_field(name)).collect());
    for row in rows {
        let field = |name: &&str| match row.get(*name) {
            None | Some(Value::Null) => String::new(),
            Some(value) => csv_field(&scalar(value)),
        };
        text.push_str(&line(names.iter().map(field).collect()));
    }
    text
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
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
        assert_eq!(best("*/*", &all), Some(&xml));
        let problem = MediaType::parse("application/problem+json");
        assert_eq!(best("*/*", &[problem.clone(), text.clone()]), Some(&text));
        assert_eq!(best("application/json, text/plain", &all), Some(&json));
        assert_eq!(best("text/*;q=0.5, application/xml;q=0.4", &all), Some(&text));
        assert_eq!(best("application/*;q=0.1, application/json;q=0", &all), Some(&xml));
        assert_eq!(best("image/png", &all), None);
        assert_eq!(best("*/*;q=0", &all), None);
        assert_eq!(best("image/png, */*;q=0.1", std::slice::from_ref(&xml)), Some(&xml));
    }

    #[test]
    fn plain_json_takes_json_of_a_vendor_last() {
        let [vendor, text] = ["application/vnd.a+json", "text/plain"].map(MediaType::parse);
        let all = [vendor.clone(), text.clone()];
        assert_eq!(best("application/json", &all), Some(&vendor));
        assert_eq!(best("application/json, text/plain;q=0.1", &all), Some(&text));
        assert_eq!(best("application/json;q=0", &all), None);
        assert_eq!(best("application/*+json", &all), Some(&vendor));
    }

    #[test]
    fn parameters_tell_types_apart() {
        let [plain, third] =
            ["application/json", "application/json; version=3"].map(MediaType::parse);
        let all = [plain.clone(), third.clone()];
        assert_eq!(best("application/json", &all), Some(&plain));
        assert_eq!(best("application/json;version=\"3\"", &all), Some(&third));
        assert_eq!(best("application/json;version=4", &all), Some(&plain));
        assert_eq!(best("application/json;charset=utf-8", &all), Some(&plain));
    }

    #[test]
    fn a_declared_range_becomes_what_the_client_names() {
        let concrete = |range: &str, accept: &str, structured: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            MediaType::parse(range).concrete(&Accept::of(&headers), structured)
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";
        for (range, accept, structured, expected) in [
            ("text/*", "text/csv, */*;q=0.1", false, Some("text/csv")),
            ("image/*", "text/csv, */*;q=0.1", false, Some("image/png")),
            ("application/*+json", "text/csv, */*;q=0.1", true, Some("application/json")),
            ("*/*", "*/*", true, Some("application/json")),
            ("*/*", "application/xml", true, Some("application/xml")),
            ("*/*", "text/html, application/xml;q=0.5", true, Some("application/xml")),
            ("*/*", "text/html", true, None),
            ("*/*", "text/html", false, Some("text/html")),
            ("*/*", "image/png", true, None),
            ("*/*", "image/*", false, Some("image/png")),
            ("*/*", browser, true, Some("application/json")),
            ("application/*", "application/json;q=0, */*", true, Some("application/xml")),
        ] {
            assert_eq!(
                concrete(range, accept, structured).as_deref(),
                expected,
                "{range} {accept}"
            );
        }
    }

    #[test]
    fn values_in_their_notations() {
        let value = json!({"a": [1, "x & y"], "b": true});
        let set = SchemaSet::default();
        let text = |value: &Value, notation| {
            String::from_utf8(write(value, notation, &set, None)).unwrap()
        };
        assert_eq!(text(&value, Notation::Form), "a=1&a=x+%26+y&b=true");
        let rows = json!([{"id": 1, "name": "a,b"}, {"id": 2, "more": null}]);
        assert_eq!(text(&rows, Notation::Csv), "id,name,more\r\n1,\"a,b\",\r\n2,,\r\n");
        assert_eq!(text(&json!([1, 2]), Notation::Sequence(Sequence::Lines)), "1\n2\n");
        assert_eq!(text(&json!("plain"), Notation::Text), "plain");
    }
}
