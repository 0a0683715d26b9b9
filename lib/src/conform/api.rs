//! A document compiled for serving and checking: operations, parameters, bodies, responses.

use serde_json::{Map, Value};

use super::verb::{OperationId, Verb};
use crate::exchange::Method;
use crate::schema::{Direction, Fault, NodeId, SchemaSet, Streamed};

/// A compiled document.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Api {
    /// The source of the document, for messages.
    pub source: String,
    pub servers: Vec<Server>,
    pub operations: Vec<Operation>,
    pub schemas: SchemaSet,
    /// The places to check, if bodies are checked while they are parsed.
    pub(super) streamed: Option<Streamed>,
    /// `components.securitySchemes` as written, in order.
    pub security_schemes: Vec<(String, Value)>,
    /// Problems of the document that leave it usable.
    pub warnings: Vec<String>,
    /// Base paths of all servers, longest first.
    pub(super) bases: Vec<String>,
    pub(super) router: super::route::Router,
}

/// Whether a path must begin with the base path of one of its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasePathRule {
    /// It must.
    Required,
    /// It may also be the path in the document.
    Optional,
}

/// One entry of `servers`, with the defaults of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `http://host[:port]` in lower case; `None` for a relative URL, which serves any host.
    pub origin: Option<String>,
    /// The path part without a trailing slash; empty for the root.
    pub base_path: String,
}

/// An operation: a method of a path item.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Operation {
    /// `None` for a method that exchanges do not have.
    pub method: Option<Method>,
    /// The path template as written: `/users/{userId}`.
    pub template: String,
    /// JSON pointer of the operation object.
    pub pointer: String,
    pub operation_id: Option<String>,
    /// Servers of the path item or the operation, if it has its own.
    pub servers: Option<Vec<Server>>,
    /// The parameters of the path item and the operation together.
    pub parameters: Vec<Parameter>,
    pub request_body: Option<RequestBody>,
    /// In the order of the document.
    pub responses: Vec<(StatusKey, ResponseSpec)>,
    /// Alternatives of scheme names with scopes, from the operation or the document; `None` if none
    /// are required.
    pub security: Option<Vec<SecurityRequirement>>,
    /// The other keys of the operation object, as written: `x-…` keywords, `deprecated`, tags.
    /// Large specs consist mostly of compiled keys.
    pub raw: Map<String, Value>,
}

/// Scheme names with their scopes; all of them are required together.
pub type SecurityRequirement = Vec<(String, Vec<String>)>;

/// The location of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Location {
    Path,
    Query,
    /// The query as one value (OpenAPI 3.2).
    Querystring,
    Header,
    Cookie,
}

/// A parameter.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Parameter {
    pub name: String,
    pub location: Location,
    pub required: bool,
    pub deprecated: bool,
    /// `form`, `simple`, …; the default of the location if the document has none.
    pub style: String,
    pub explode: bool,
    /// `x-hmt-delimiter`: what separates the items of a list.
    pub delimiter: Option<char>,
    /// Declared for all operations of the path.
    pub of_path: bool,
    /// `allowEmptyValue`, if the document has it.
    pub allow_empty: Option<bool>,
    pub schema: Option<NodeId>,
    /// `content` instead of `schema`: the media type in which the value is serialised.
    pub content: Option<(String, Option<NodeId>)>,
    pub example: Option<Value>,
    pub examples: Vec<(String, Value)>,
}

/// A request body.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct RequestBody {
    pub required: bool,
    pub content: Vec<(String, Media)>,
}

/// A media type object.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Media {
    pub schema: Option<NodeId>,
    /// `itemSchema`: for each value of a sequence (OpenAPI 3.2).
    pub item_schema: Option<NodeId>,
    /// `x-hmt-item-schema`: the same for older documents, in which the values of an event stream
    /// are the data of its events.
    pub data_schema: Option<NodeId>,
    pub example: Option<Value>,
    pub examples: Vec<(String, Value)>,
    /// `encoding` as written.
    pub encoding: Option<Value>,
}

/// A key of `responses`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusKey {
    /// `200`
    Code(u16),
    /// `2XX`: the first digit.
    Range(u8),
    /// `default`
    Default,
}

impl std::fmt::Display for StatusKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StatusKey::Code(code) => write!(f, "{code}"),
            StatusKey::Range(digit) => write!(f, "{digit}XX"),
            StatusKey::Default => f.write_str("default"),
        }
    }
}

/// A response.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct ResponseSpec {
    pub description: String,
    /// Names in lower case.
    pub headers: Vec<(String, HeaderSpec)>,
    pub content: Vec<(String, Media)>,
}

/// A response header.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct HeaderSpec {
    pub required: bool,
    pub schema: Option<NodeId>,
    pub example: Option<Value>,
}

/// The result of finding the operation of a request.
#[derive(Debug)]
pub enum Found<'a> {
    /// An operation matches.
    Operation(Matched<'a>),
    /// The path only has other methods, sorted.
    MethodNotAllowed(Vec<Verb<'a>>),
    /// No path matches; with the nearest template, if any, and why it does not match.
    NotFound(Option<String>),
}

/// An operation with the raw (decoded) values of its path parameters.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Matched<'a> {
    pub id: OperationId,
    pub operation: &'a Operation,
    pub path_values: Vec<(&'a str, String)>,
    /// The query as on the wire, if it is known and something in it is percent-encoded: only then
    /// does a delimiter differ from the same character in a value.
    pub raw_query: Option<String>,
    /// For each segment, 3 for a literal, 2 for a partly templated and 1 for a templated one. A
    /// greater value is more specific. Values of different documents can be compared.
    pub specificity: &'a [u8],
}

/// One violation of the spec by a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The message that it is in, if a whole exchange is checked.
    pub direction: Direction,
    /// The location: `path`, `query`, `header`, `cookie`, `body`, `status`, `content-type`,
    /// `method`.
    pub location: &'static str,
    /// The name of the parameter, or the JSON pointer into the body.
    pub at: String,
    /// The same with `*` for items of lists and members of maps.
    pub place: String,
    /// The problem, as a lower-case fragment: `is not of type integer`.
    pub message: String,
    /// The violated keyword of the spec, if it is one.
    pub fault: Option<Box<Fault>>,
}
