//! Which exchanges are recorded; all of them pass.

use http::Method;

use crate::exchange::Pattern;
use crate::net::Target;

/// Patterns on `METHOD host/path`, without the query.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Where there are any, one of them must match.
    pub include: Vec<Pattern>,
    /// None of them may match.
    pub exclude: Vec<Pattern>,
}

impl Filter {
    pub(super) fn wants(&self, method: &Method, target: &Target) -> bool {
        if self.include.is_empty() && self.exclude.is_empty() {
            return true;
        }
        let text = format!("{method} {}{}", target.host, target.path());
        let matches = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&text));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusion_wins() {
        let pattern = |text: &str| vec![text.parse().expect("any text is a pattern")];
        let filter = Filter { include: pattern("* api.test/*"), exclude: pattern("GET */health") };
        let wants = |method: Method, url: &str| {
            filter.wants(&method, &Target::from_url(url).expect("a URL"))
        };
        assert!(wants(Method::GET, "http://api.test/pets?q"));
        assert!(wants(Method::POST, "https://API.test/v1/health"));
        assert!(!wants(Method::GET, "http://api.test/v1/health?x=1"));
        assert!(!wants(Method::GET, "http://other.test/pets"));
        let other = Target::from_url("http://other.test/").expect("a URL");
        assert!(Filter::default().wants(&Method::GET, &other));
    }
}
