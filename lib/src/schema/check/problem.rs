//! A violation of a schema by a value.

use serde_json::Value;

/// The direction of a value: required `readOnly` properties may be absent from requests,
/// `writeOnly` ones from responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From client to server.
    Request,
    /// From server to client.
    Response,
}

/// One violation of a schema by a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer within the value.
    pub pointer: String,
    /// The pointer with `*` for items of lists and members of maps: the same wherever in them the
    /// problem is.
    pub pattern: String,
    /// The problem, as a lower-case fragment: `is not of type integer`.
    pub message: String,
    /// The violated keyword.
    pub fault: Fault,
}

/// A keyword that a value violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer of the schema in its document, or of the operation if the keyword is not one of
    /// schemas.
    pub schema: String,
    /// The keyword. `const` is `enum`, exclusive bounds are `minimum` and `maximum`, `never` is the
    /// schema `false`, `undeclared` means a property that the schema allows but does not declare,
    /// and an empty word means a schema that cannot be checked.
    pub keyword: &'static str,
    /// The rejected value: for `enum` the value, for `type` its type name, for `required` the
    /// absent name; otherwise null.
    pub value: Value,
}
