//! Exchange against spec: find the operation, validate request and response.

mod api;
mod route;

pub use api::{
    Api, Found, HeaderSpec, Location, Matched, Media, Operation, OperationId, Parameter,
    RequestBody, ResponseSpec, SecurityRequirement, Server, StatusKey, Violation,
};
