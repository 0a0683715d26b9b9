//! Checks exchanges against specs: finds the operation, and validates request and response.
//!
//! [`Api::compile`] compiles a document into routes, parameters and schemas once; nothing is
//! resolved for each request. The mock uses it for serving, the recorder and the builder for
//! checking. This module does not choose or generate responses.

mod api;
mod body;
mod coerce;
mod compile;
mod deep;
mod find;
mod form;
mod media;
mod outer;
mod parameters;
mod request;
mod response;
mod route;
mod sequence;
mod server;
#[cfg(test)]
mod tests;
mod undeclared;
mod verb;
mod xml;

pub use api::{
    Api, BasePathRule, Found, HeaderSpec, Location, Matched, Media, Operation, Parameter,
    RequestBody, ResponseSpec, SecurityRequirement, Server, StatusKey, Violation,
};
pub use compile::ConformError;
pub use media::{essence, find_media, is_json};
pub use sequence::Sequence;
pub use undeclared::UNDECLARED;
pub use verb::{OperationId, Verb};
