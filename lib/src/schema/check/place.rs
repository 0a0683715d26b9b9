//! The path to a value.

use crate::spec::escape;

/// The path to a value, written out only for problems.
pub(super) enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    /// A property that the schema does not name.
    Member(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    pub(super) fn write(&self, out: &mut String) {
        match self {
            At::Root => {}
            At::Key(parent, key) | At::Member(parent, key) => {
                parent.write(out);
                out.push('/');
                out.push_str(&escape(key));
            }
            At::Index(parent, index) => {
                parent.write(out);
                out.push_str(&format!("/{index}"));
            }
        }
    }

    /// Writes the path as a pattern. If `named`, the name of the last member is kept, because the
    /// problem is about it.
    pub(super) fn write_pattern(&self, named: bool, out: &mut String) {
        match self {
            At::Root => {}
            At::Member(parent, _) if !named => {
                parent.write_pattern(false, out);
                out.push_str("/*");
            }
            At::Key(parent, key) | At::Member(parent, key) => {
                parent.write_pattern(false, out);
                out.push('/');
                out.push_str(&escape(key));
            }
            At::Index(parent, _) => {
                parent.write_pattern(false, out);
                out.push_str("/*");
            }
        }
    }
}
