//! Bodies of a HAR: text, base64, a separate file, or form parameters.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::super::sibling_files::SiblingFiles;
use super::lenient::{Text, if_fits};
use crate::exchange::Body;

/// Some tools omit the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The boundary for a multipart body whose own is unknown.
const BOUNDARY: &str = "hmt-form-boundary";

/// `postData`, or `content` of a response.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    pub(super) mime_type: Option<Text>,
    #[serde(default, deserialize_with = "super::lenient::number")]
    pub(super) size: Option<f64>,
    text: Option<Text>,
    /// HAR 1.2 does not define it for requests, but several tools use it for base64.
    encoding: Option<Text>,
    #[serde(default, deserialize_with = "if_fits")]
    params: Option<Vec<Param>>,
    /// Playwright's path of the body, relative to the archive.
    #[serde(rename = "_file")]
    file: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Param {
    name: Text,
    value: Option<Text>,
    file_name: Option<Text>,
    content_type: Option<Text>,
}

impl Content {
    /// The media type, if valid.
    pub(super) fn media(&self) -> Option<&str> {
        let media = self.mime_type.as_ref().map(|media| media.0.trim());
        // Browsers write `x-unknown` for an unknown one.
        media.filter(|media| media.contains('/'))
    }

    /// The body; empty if there is none, or it was not kept.
    pub(super) fn body(&self, beside: &SiblingFiles, missing: &mut u64) -> Body<'static> {
        let text = self.text.as_ref().map_or("", |text| text.0.as_str());
        if !text.is_empty() {
            return match &self.encoding {
                Some(name) if name.0.eq_ignore_ascii_case("base64") => decoded(text),
                _ => Body::from_bytes(text.as_bytes().to_vec()),
            };
        }
        match &self.file {
            Some(name) if !name.0.is_empty() => match beside.read(&name.0) {
                Some(bytes) => Body::from_bytes(bytes),
                None => {
                    *missing += 1;
                    Body::Empty
                }
            },
            _ => Body::Empty,
        }
    }

    /// True if the body is in an existing file, so that an empty body is really empty.
    pub(super) fn names_file(&self) -> bool {
        self.file.is_some()
    }

    /// Builds the body from the parameters of a form; with its media type if it is multipart.
    pub(super) fn form(&self, declared: Option<&str>) -> Option<(Body<'static>, Option<String>)> {
        let params = self.params.as_ref().filter(|params| !params.is_empty())?;
        let media = declared.or(self.media()).unwrap_or_default();
        let lower = media.to_ascii_lowercase();
        let has_files =
            params.iter().any(|param| param.file_name.is_some() || param.content_type.is_some());
        if lower.starts_with("multipart/") || lower.is_empty() && has_files {
            let boundary = boundary(media);
            let media = match &boundary {
                Some(_) => None,
                None if lower.is_empty() => {
                    Some(format!("multipart/form-data; boundary={BOUNDARY}"))
                }
                None => {
                    Some(format!("{}; boundary={BOUNDARY}", media.trim_end_matches([';', ' '])))
                }
            };
            let text = multipart(params, boundary.as_deref().unwrap_or(BOUNDARY));
            return Some((Body::Text(text.into()), media));
        }
        if lower.is_empty() || lower.contains("urlencoded") {
            let mut text = form_urlencoded::Serializer::new(String::new());
            for param in params {
                text.append_pair(&param.name.0, value(param));
            }
            return Some((Body::Text(text.finish().into()), None));
        }
        None
    }
}

fn value(param: &Param) -> &str {
    param.value.as_ref().map_or("", |value| value.0.as_str())
}

/// Text that is declared as base64 but invalid is used as it is, because Firefox labels text bodies
/// this way.
fn decoded(text: &str) -> Body<'static> {
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    match BASE64.decode(&packed) {
        Ok(bytes) => Body::from_bytes(bytes),
        Err(_) => Body::from_bytes(text.as_bytes().to_vec()),
    }
}

/// The boundary in a media type.
fn boundary(media: &str) -> Option<String> {
    let mut parameters = media.split(';').skip(1).filter_map(|part| part.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// A body as in RFC 7578. The archive has no content of files, so their parts are empty.
fn multipart(params: &[Param], boundary: &str) -> String {
    let quoted = |text: &str| text.replace('"', "%22").replace(['\r', '\n'], " ");
    let mut text = String::new();
    for param in params {
        text.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            quoted(&param.name.0)
        ));
        if let Some(name) = &param.file_name {
            text.push_str(&format!("; filename=\"{}\"", quoted(&name.0)));
        }
        text.push_str("\r\n");
        if let Some(media) = param.content_type.as_ref().filter(|media| !media.0.is_empty()) {
            text.push_str(&format!("Content-Type: {}\r\n", media.0.replace(['\r', '\n'], " ")));
        }
        text.push_str("\r\n");
        text.push_str(value(param));
        text.push_str("\r\n");
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    text
}
