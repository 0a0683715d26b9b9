//! The method and the index of an operation.

use crate::exchange::Method;

/// Index of an operation in [`Api::operations`](super::Api::operations).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(pub u32);

/// A method as a document can declare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb<'a> {
    /// A method that exchanges have.
    Known(Method),
    /// Another method as sent: `QUERY`, or a key of `additionalOperations` (OpenAPI 3.2).
    Other(&'a str),
}

impl From<Method> for Verb<'_> {
    fn from(method: Method) -> Self {
        Verb::Known(method)
    }
}

impl std::fmt::Display for Verb<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verb::Known(method) => f.write_str(&method.as_str().to_ascii_uppercase()),
            Verb::Other(name) => f.write_str(name),
        }
    }
}
