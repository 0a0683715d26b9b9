//! Examples and defaults that violate their schemas. They are served anyway, with one warning at
//! the start.

use serde_json::Value;

use crate::conform::Api;
use crate::schema::{Direction, NodeId, Types};
use crate::units::counted;

/// Number of problems that are listed; the others are only counted.
const LISTED: usize = 10;

/// A warning for each listed problem, and one for the rest; with `all`, every problem is listed.
/// `of_schemas` are those in schemas.
pub(super) fn warnings(
    api: &Api,
    of_schemas: impl Iterator<Item = String>,
    all: bool,
) -> Vec<String> {
    let mut faults: Vec<String> = of_schemas.collect();
    faults.extend(of_media(api));
    faults.sort_unstable();
    faults.dedup();
    let listed = if all { faults.len() } else { LISTED };
    let more = faults.len().saturating_sub(listed);
    faults.truncate(listed);
    let mut warnings: Vec<String> = faults
        .into_iter()
        .map(|fault| format!("{fault}; the value violates its schema, but is served unchanged"))
        .collect();
    if more > 0 {
        let more = counted(more as u64, "more warning");
        let why = "an example or default violates its schema; -v lists all";
        warnings.push(format!("{more}: {why}"));
    }
    warnings
}

/// `example` and `examples` of the media types of responses.
fn of_media(api: &Api) -> Vec<String> {
    let mut faults = Vec::new();
    for operation in &api.operations {
        for (key, response) in &operation.responses {
            for (name, media) in &response.content {
                let Some(schema) = media.schema else { continue };
                let place =
                    || format!("{}/responses/{key}/content/{}", operation.pointer, escaped(name));
                if let Some(example) = &media.example
                    && let Some(problem) = problem(api, schema, name, example)
                {
                    faults.push(format!("{}/example: {problem}", place()));
                }
                for (example_name, example) in &media.examples {
                    if let Some(problem) = problem(api, schema, name, example) {
                        let example_name = escaped(example_name);
                        faults.push(format!("{}/examples/{example_name}: {problem}", place()));
                    }
                }
            }
        }
    }
    faults
}

fn problem(api: &Api, schema: NodeId, media: &str, example: &Value) -> Option<String> {
    // In other syntaxes a text is written unchanged.
    if !crate::conform::is_json(media) {
        return None;
    }
    let parsed = match example {
        // JSON is often given as a text, and served as it is.
        Value::String(text) if !api.schemas.types(schema).has(Types::STRING) => {
            match serde_json::from_str::<Value>(text) {
                Ok(value) => Some(value),
                Err(_) => return Some("is a string that is not JSON".to_owned()),
            }
        }
        _ => None,
    };
    let example = parsed.as_ref().unwrap_or(example);
    if api.schemas.accepts(schema, example, Direction::Response) {
        return None;
    }
    let problem = api.schemas.check(schema, example, Direction::Response).into_iter().next()?;
    Some(format!("{} {}", problem.pointer, problem.message).trim_start().to_owned())
}

/// A key as a segment of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
