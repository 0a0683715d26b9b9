//! Lists of names and values, such as headers and queries.

use std::borrow::Cow;

/// Names and values in wire order; a repeated name appears repeatedly. Header names are lower-case.
pub type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Names, and values that need not be text, in wire order.
pub type BytePairs<'a> = Vec<(Cow<'a, str>, Cow<'a, [u8]>)>;
