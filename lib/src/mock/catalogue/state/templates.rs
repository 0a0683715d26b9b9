//! Path templates, split into segments.

/// A template without the names of its parameters: `/users/{}/things`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Shape(Vec<String>);

/// A segment that is a parameter.
const PARAMETER: &str = "{}";

impl Shape {
    /// `/things/{id}`, `/things/{id}/` and `/things/{id}.json` have the same shape.
    pub(super) fn of(template: &str) -> Shape {
        let path = template.split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".json").unwrap_or(path);
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        Shape(
            segments
                .map(|segment| {
                    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                        Some(name) if !name.contains(['{', '}']) => PARAMETER.to_owned(),
                        // Segments such as `pets({id})` and `{a}-{b}` are not supported.
                        _ => segment.to_owned(),
                    }
                })
                .collect(),
        )
    }

    /// True if the last segment is a parameter.
    pub(super) fn is_item(&self) -> bool {
        self.0.last().is_some_and(|last| last == PARAMETER)
    }

    /// True for segments that are literals or whole parameters, and not only parameters.
    pub(super) fn is_simple(&self) -> bool {
        let simple = |segment: &String| segment == PARAMETER || !segment.contains('{');
        self.0.iter().all(simple) && self.0.iter().any(|segment| segment != PARAMETER)
    }

    /// The shape without the last segment.
    pub(super) fn parent(&self) -> Option<Shape> {
        let (_, parents) = self.0.split_last()?;
        (!parents.is_empty()).then(|| Shape(parents.to_vec()))
    }

    /// The last literal segment.
    pub(super) fn noun(&self) -> &str {
        self.0.iter().rev().find(|segment| *segment != PARAMETER).map_or("", String::as_str)
    }

    /// The number of parameters.
    pub(super) fn parameters(&self) -> usize {
        self.0.iter().filter(|segment| *segment == PARAMETER).count()
    }

    /// The literals, joined by `/`.
    pub(super) fn literals(&self) -> String {
        let literals: Vec<&str> =
            self.0.iter().map(String::as_str).filter(|segment| *segment != PARAMETER).collect();
        literals.join("/")
    }

    /// The shapes above, the longest first.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = Shape> + use<> {
        std::iter::successors(self.parent(), Shape::parent)
    }
}

/// The names of a template's parameters, in order.
pub(super) fn parameter_names(template: &str) -> Vec<&str> {
    let parts = template.split('{').skip(1);
    parts
        .filter_map(|part| part.split('}').next())
        .map(|name| name.trim_end_matches(['+', '*']))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_ignore_the_names_of_parameters() {
        let shape = Shape::of("/v1/users/{userId}/things/{id}/");
        assert_eq!(shape, Shape::of("/v1/users/{u}/things/{t}.json"));
        assert!(shape.is_item() && shape.is_simple());
        assert_eq!((shape.noun(), shape.parameters()), ("things", 2));
        assert_eq!(shape.literals(), "v1/users/things");
        let ancestors: Vec<Shape> = shape.ancestors().collect();
        assert_eq!(ancestors[1], Shape::of("/v1/users/{x}"));
        assert!(!Shape::of("/{id}").is_simple() && !Shape::of("/a/{x}-{y}").is_simple());
        assert_eq!(parameter_names("/users/{userId}/files/{path+}"), ["userId", "path"]);
    }
}
