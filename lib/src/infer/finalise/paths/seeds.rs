//! The path templates of an initial spec, which take precedence over all rules.

use std::collections::BTreeMap;

/// A tree of given path templates.
#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateSeed {
    literals: BTreeMap<String, TemplateSeed>,
    parameter: Option<Box<TemplateSeed>>,
    /// The name of this parameter.
    name: String,
}

impl TemplateSeed {
    /// A tree of path templates such as `/users/{userId}`. Templates with a parameter in only a
    /// part of a segment are left out.
    pub(crate) fn of(templates: &[String]) -> Option<TemplateSeed> {
        let mut root = TemplateSeed::default();
        for template in templates {
            root.add(template);
        }
        (!root.literals.is_empty() || root.parameter.is_some()).then_some(root)
    }

    fn add(&mut self, template: &str) {
        let segments: Vec<&str> =
            template.split('/').filter(|segment| !segment.is_empty()).collect();
        let whole =
            |s: &&str| s.starts_with('{') && s.ends_with('}') && s.matches('{').count() == 1;
        if segments.iter().any(|segment| segment.contains('{') && !whole(segment)) {
            return;
        }
        let mut seed = self;
        for segment in segments {
            seed = match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                None => seed.literals.entry(segment.to_owned()).or_default(),
                Some(name) => {
                    let below = seed.parameter.get_or_insert_default();
                    if below.name.is_empty() || name < below.name.as_str() {
                        below.name = name.to_owned();
                    }
                    below
                }
            };
        }
    }

    pub(crate) fn literal(&self, segment: &str) -> Option<&TemplateSeed> {
        self.literals.get(segment)
    }

    pub(crate) fn parameter(&self) -> Option<&TemplateSeed> {
        self.parameter.as_deref()
    }

    pub(crate) fn has_parameter(&self) -> bool {
        self.parameter.is_some()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
