//! Exchange against spec: find the operation, validate request and response.
//!
//! [`Api::compile`] turns a document into routes, parameters and schemas once; nothing is resolved per
//! request after that. The mock serves by it, the recorder and the builder check by it. How an answer is
//! chosen or made is not known here.

mod api;
mod body;
mod coerce;
mod compile;
mod deep;
mod find;
mod form;
mod media;
mod parameters;
mod request;
mod response;
mod route;
mod sequence;
mod server;
#[cfg(test)]
mod tests;
mod xml;

pub use api::{
    Api, Base, Found, HeaderSpec, Location, Matched, Media, Operation, OperationId, Parameter,
    RequestBody, ResponseSpec, SecurityRequirement, Server, StatusKey, Verb, Violation,
};
pub use compile::ConformError;
pub use media::{essence, find_media, is_json};
pub use sequence::Sequence;
