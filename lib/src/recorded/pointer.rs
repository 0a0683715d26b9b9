//! JSON pointers in which `*` matches every key or index.

use std::str::FromStr;

/// A JSON pointer (RFC 6901) in which `*` matches every key or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

/// The text is not a JSON pointer.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a JSON pointer; write /KEY/KEY, with * for every key or index")]
pub struct NotAPointer(String);

impl Pointer {
    /// The decoded steps from the root.
    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }

    /// True if the pointer matches this path.
    pub(crate) fn matches(&self, path: &[String]) -> bool {
        let steps = self.0.iter().zip(path);
        self.0.len() == path.len() && steps.into_iter().all(|(own, step)| own == "*" || own == step)
    }
}

impl FromStr for Pointer {
    type Err = NotAPointer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('/') {
            Some(rest) => {
                let part = |part: &str| part.replace("~1", "/").replace("~0", "~");
                Ok(Pointer(rest.split('/').map(part).collect()))
            }
            None if text.is_empty() => Ok(Pointer(Vec::new())),
            None => Err(NotAPointer(text.to_owned())),
        }
    }
}

/// Formats a path as a pointer.
pub(crate) fn display(path: &[String]) -> String {
    let escape = |step: &String| format!("/{}", step.replace('~', "~0").replace('/', "~1"));
    path.iter().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_step() {
        let path: Vec<String> = ["a", "0", "b/c"].map(str::to_owned).into();
        assert!("/a/*/b~1c".parse::<Pointer>().unwrap().matches(&path));
        assert!(!"/a/*".parse::<Pointer>().unwrap().matches(&path));
        assert_eq!(display(&path), "/a/0/b~1c");
        assert!("a/b".parse::<Pointer>().is_err());
    }
}
