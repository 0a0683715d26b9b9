//! Writes the new values into a request.

use std::collections::BTreeMap;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::spot::{Carrier, Draft, Encoding};
use super::uses::{Use, ValueSource};

/// The unreserved characters (RFC 3986, section 2.3) and those that need no escape in a segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b':')
    .remove(b'@');
const FORM: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*');

/// The result of replacing the values of a request.
#[derive(Debug, Default)]
pub(in super::super) struct Applied {
    /// Old and new values.
    pub(in super::super) replaced: Vec<(Box<str>, String)>,
    /// Values that are missing in the new responses, so that the recorded ones are sent.
    pub(in super::super) kept: u64,
}

/// Waits for the responses that the values come from, and replaces the values.
pub(in super::super) async fn apply(draft: &mut Draft, uses: &[Use]) -> Applied {
    let mut applied = Applied::default();
    let mut edits: BTreeMap<Carrier, Vec<(Range<usize>, String)>> = BTreeMap::new();
    for used in uses {
        let new = match &used.source {
            ValueSource::Given(value) => Some(value.to_string()),
            ValueSource::Answers(places) => {
                let mut found = None;
                for (slot, place) in places {
                    if let Some(answer) = slot.wait().await
                        && let Some(value) = place.find(answer)
                    {
                        found = Some(value);
                        break;
                    }
                }
                if let Some(new) = &found {
                    applied.replaced.push((used.old.clone(), new.clone()));
                }
                found
            }
        };
        match new {
            None => applied.kept += 1,
            Some(new) if *new == *used.old => (),
            Some(new) => edits
                .entry(used.carrier)
                .or_default()
                .push((used.range.clone(), written(&new, used.encoding))),
        }
    }
    for (carrier, mut edits) in edits {
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        match carrier {
            Carrier::Target => {
                for (range, new) in edits {
                    draft.target.replace_range(range, &new);
                }
            }
            Carrier::Header(at) => splice(&mut draft.headers[at].1, edits),
            Carrier::Body => splice(&mut draft.body, edits),
        }
    }
    applied
}

/// `edits` are sorted from the end.
fn splice(bytes: &mut Vec<u8>, edits: Vec<(Range<usize>, String)>) {
    for (range, new) in edits {
        bytes.splice(range, new.into_bytes());
    }
}

fn written(value: &str, encoding: Encoding) -> String {
    let text = || serde_json::Value::from(value).to_string();
    match encoding {
        Encoding::Raw => value.to_owned(),
        Encoding::Segment => utf8_percent_encode(value, SEGMENT).to_string(),
        Encoding::Form => utf8_percent_encode(value, FORM).to_string(),
        Encoding::JsonText => text(),
        Encoding::JsonNumber if is_number(value) => value.to_owned(),
        Encoding::JsonNumber => text(),
        Encoding::JsonInner => {
            let quoted = text();
            quoted[1..quoted.len() - 1].to_owned()
        }
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
