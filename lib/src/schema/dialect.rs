//! The two forms of schemas in OpenAPI.

/// The OpenAPI version whose form schemas are read and written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `nullable`, booleans as `exclusiveMinimum`
    V3_0,
    /// Lists of types, numbers as `exclusiveMinimum`; also 3.2
    V3_1,
}
