//! The names of findings.

use crate::conform::{UNDECLARED, Violation};
use crate::schema::Direction;

/// How a finding relates to the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The traffic contradicts the spec.
    Error,
    /// The spec does not have it.
    Undocumented,
}

impl Severity {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Undocumented => "undocumented",
        }
    }
}

/// Each rule with a sentence, sorted by name. Rules of JSON Schema have the names of its keywords.
pub const RULES: &[(&str, &str)] = &[
    ("additionalProperties", "An object has a property that the schema does not allow"),
    ("anyOf", "A value matches none of the schemas of anyOf"),
    ("body-syntax", "A body does not match its media type"),
    ("contains", "A list has too few or too many items that match contains"),
    ("contentMediaType", "A text does not match its contentMediaType"),
    ("contentSchema", "A text contains JSON that its contentSchema does not accept"),
    ("dependentRequired", "A property requires another one, which is missing"),
    ("discriminator", "The value of a discriminator names no branch of oneOf"),
    ("enum", "A value is not one of the listed values"),
    ("format", "A text or number does not match its format"),
    ("maximum", "A number is too large"),
    ("maxItems", "A list is too long"),
    ("maxLength", "A text is too long"),
    ("maxProperties", "An object has too many properties"),
    ("media-type", "The spec does not declare the media type, or any body"),
    ("minimum", "A number is too small"),
    ("minItems", "A list is too short"),
    ("minLength", "A text is too short"),
    ("minProperties", "An object has too few properties"),
    ("multipleOf", "A number is not a multiple of multipleOf"),
    ("not", "A value matches a schema that it must not match"),
    ("oneOf", "A value matches none, or more than one, of the schemas of oneOf"),
    ("parameter-style", "A parameter is not written in its style"),
    ("pattern", "A text does not match its pattern"),
    ("propertyNames", "A property has a name that is not allowed"),
    ("required", "A required property is missing"),
    ("required-body", "A required request body is missing"),
    ("required-header", "A required response header is missing"),
    ("required-parameter", "A required parameter is missing"),
    ("schema", "A value cannot be checked, or the schema allows none"),
    ("status", "The spec does not declare the status"),
    ("type", "A value has another type"),
    ("uncovered-operation", "No exchange touched the operation"),
    ("uncovered-status", "No response had the status"),
    ("undocumented-header", "The spec does not have the header"),
    ("undocumented-operation", "The spec does not have the operation"),
    ("undocumented-parameter", "The spec does not have the parameter"),
    ("undocumented-property", "The spec does not have the property"),
    ("unevaluatedItems", "A list has an item that no schema evaluates"),
    ("unevaluatedProperties", "An object has a property that no schema evaluates"),
    ("uniqueItems", "A list has equal items"),
];

/// The rule and severity of a violation.
pub(super) fn rule_of(violation: &Violation) -> (&'static str, Severity) {
    let keyword = violation.fault.as_ref().map_or("", |fault| fault.keyword);
    if keyword == UNDECLARED {
        let rule = match (violation.location, violation.direction) {
            ("body", _) => "undocumented-property",
            ("header", Direction::Response) => "undocumented-header",
            // A property of a parameter that is an object.
            (_, Direction::Request) if violation.at.contains('/') => "undocumented-property",
            ("header", _) => "undocumented-header",
            _ => "undocumented-parameter",
        };
        return (rule, Severity::Undocumented);
    }
    let rule = match (violation.location, keyword) {
        ("path" | "method", "") => return ("undocumented-operation", Severity::Undocumented),
        ("status", _) => "status",
        ("content-type", _) => "media-type",
        (_, "parameters") => "required-parameter",
        (_, "headers") => "required-header",
        (_, "requestBody") => "required-body",
        ("body", "") if violation.fault.is_none() => "body-syntax",
        (_, "never") => {
            let schema = violation.fault.as_ref().map_or("", |fault| fault.schema.as_str());
            match schema.rsplit('/').next() {
                Some("additionalProperties") => "additionalProperties",
                Some("unevaluatedProperties") => "unevaluatedProperties",
                Some("unevaluatedItems") => "unevaluatedItems",
                _ => "schema",
            }
        }
        (_, "") if violation.fault.is_none() => "parameter-style",
        (_, keyword) => {
            RULES.iter().find(|(name, _)| *name == keyword).map_or("schema", |(name, _)| name)
        }
    };
    (rule, Severity::Error)
}
