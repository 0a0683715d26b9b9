//! A document compiled for serving and checking: operations, parameters, bodies, responses.

use serde_json::{Map, Value};

use crate::exchange::Method;
use crate::schema::{Fault, NodeId, SchemaSet};

/// Index of an operation in [`Api::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(pub u32);

/// A compiled document.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Api {
    /// Where the document came from, for messages.
    pub source: String,
    pub servers: Vec<Server>,
    pub operations: Vec<Operation>,
    pub schemas: SchemaSet,
    /// `components.securitySchemes` as written, in order.
    pub security_schemes: Vec<(String, Value)>,
    /// What was wrong with the document without making it unusable.
    pub warnings: Vec<String>,
    /// Base paths of all servers, longest first.
    pub(super) bases: Vec<String>,
    pub(super) router: super::route::Router,
}

/// Whether a path must begin with the base path of one of its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// It must.
    Required,
    /// It may also be the bare path of the document.
    Optional,
}

/// One entry of `servers`, its variables replaced by their defaults.
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
    /// `None`: a method that exchanges do not have.
    pub method: Option<Method>,
    /// The path template as written: `/users/{userId}`.
    pub template: String,
    /// JSON pointer of the operation object.
    pub pointer: String,
    pub operation_id: Option<String>,
    /// Servers of the path item or the operation, if it has its own.
    pub servers: Option<Vec<Server>>,
    /// Those of the path item and the operation together.
    pub parameters: Vec<Parameter>,
    pub request_body: Option<RequestBody>,
    /// In the order of the document.
    pub responses: Vec<(StatusKey, ResponseSpec)>,
    /// Alternatives of scheme names with scopes, as the document or the operation has it; `None`: none asked.
    pub security: Option<Vec<SecurityRequirement>>,
    /// What else the operation object has, as written: `x-…` keywords, `deprecated`, tags. Large specs are mostly the rest.
    pub raw: Map<String, Value>,
}

/// Scheme names with their scopes; all of them are needed together.
pub type SecurityRequirement = Vec<(String, Vec<String>)>;

/// Where a parameter stands.
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
    /// `form`, `simple`, …: the default of the location where the document is silent.
    pub style: String,
    pub explode: bool,
    /// Listed for all operations of the path.
    pub of_path: bool,
    pub allow_empty: bool,
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
    /// `itemSchema`: of each value of a sequence (OpenAPI 3.2).
    pub item_schema: Option<NodeId>,
    /// `x-hmt-item-schema`: the same for older documents, where the values of an event stream are the data of its events.
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

/// A method as a document can declare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb<'a> {
    /// One that exchanges have.
    Known(Method),
    /// Another, as it is sent: `QUERY`, or a key of `additionalOperations` (OpenAPI 3.2).
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

/// The result of looking for the operation of a request.
#[derive(Debug)]
pub enum Found<'a> {
    /// An operation matches.
    Operation(Matched<'a>),
    /// The path has other methods only; sorted.
    MethodNotAllowed(Vec<Verb<'a>>),
    /// No path matches; the nearest template and why it does not, if any comes near.
    NotFound(Option<String>),
}

/// An operation with the raw (decoded) values of its path parameters.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Matched<'a> {
    pub id: OperationId,
    pub operation: &'a Operation,
    pub path_values: Vec<(&'a str, String)>,
    /// The query as on the wire, where whoever asks knows it and something in it is percent-encoded: only there a
    /// delimiter differs from the same character within a value.
    pub raw_query: Option<String>,
    /// For each segment 3 for a literal, 2 for a partly templated and 1 for a templated one: the greater is
    /// the more specific. Compares between documents.
    pub specificity: &'a [u8],
}

/// One way in which a message contradicts the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: `path`, `query`, `header`, `cookie`, `body`, `status`, `content-type`, `method`.
    pub location: &'static str,
    /// The parameter's name, or the JSON pointer within the body.
    pub at: String,
    /// What is wrong, as a lower-case fragment: `is not of type integer`.
    pub message: String,
    /// The keyword of the spec that says so, where it is one.
    pub fault: Option<Box<Fault>>,
}
