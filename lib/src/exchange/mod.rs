//! The recorded exchange and its line format: model, reader, writer, bodies, secrets.
//!
//! An exchange is a line of JSON (man page `hmt-exchange(5)`). This module knows that line but not
//! where lines come from ([`crate::stream`]) or how they relate to a spec.

mod bodies;
mod charset;
mod content;
mod credential;
mod escape;
mod fit;
mod host;
mod meta;
mod model;
mod multipart;
mod origin;
mod pairs;
mod pattern;
mod place;
mod query;
mod reader;
mod redact;
mod selection;
mod sequence;
mod surrogates;
mod text;
mod timestamp;
mod unescape;
mod values;
mod words;
mod writer;

pub use bodies::{DecodeError, DecodeLimits, Decoded, decode_body, decode_start};
pub use content::{
    NotJson, Syntax, begins_as_container, body_text, is_json, json_by_rule, media_type,
    mended_json, parse_json, type_of_bytes,
};
pub use credential::{credential, is_credential_header, is_session_cookie};
pub use host::{HostError, file_name_of_host, valid_host};
pub use model::{
    Body, Exchange, Meta, Method, Protocol, Request, Response, Side, UnknownMethod, header,
};
pub use multipart::{FormPart, form_parts};
pub use origin::origin;
pub use pairs::{BytePairs, Pairs};
pub use pattern::Pattern;
pub use query::{parse_query, sorted_path, wire_path};
pub use reader::{LineError, parse_line};
pub use redact::{
    KeyError, RedactError, RedactOptions, Redactor, Replaced, default_key_path, has_pseudonym,
    is_pseudonym, is_secret_name, load_or_create_key, random_key, shown_text,
};
pub use selection::Selection;
pub use sequence::Sequence;
pub use text::BodyText;
pub(crate) use timestamp::canonical as canonical_timestamp;
pub use timestamp::timestamp;
pub use writer::{MAX_LINE, write_line};

pub(crate) use origin::push_origin;
pub(crate) use place::{RequestTarget, place};
pub(crate) use sequence::RECORD_SEPARATOR;
pub(crate) use surrogates::without_lone_surrogates;
pub(crate) use timestamp::later;
pub(crate) use unescape::{before_backslash, by_number};
pub(crate) use words::words as json_error;
