//! The list of operations at the start, each with a URL to try.

use super::catalogue::Catalogue;
use super::operation::{example_path, method};

/// Number of listed operations; the others are only counted.
const LISTED: usize = 20;

/// A line for each operation, in the order of the specs, and one for those that are not listed.
/// `url` is that of the mock, without a path.
pub fn banner(catalogue: &Catalogue, url: &str) -> Vec<String> {
    let all = catalogue
        .specs
        .iter()
        .flat_map(|spec| spec.api.operations.iter().map(|operation| (&spec.api, operation)));
    let mut lines: Vec<String> = all
        .take(LISTED)
        .map(|(api, operation)| {
            let method = method(operation);
            format!("  {method:<7} {url}{}", example_path(api, operation))
        })
        .collect();
    let more = catalogue.operations().saturating_sub(LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more operations"));
    }
    lines
}
