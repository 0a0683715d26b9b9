//! Words of names: how they are split, their singular, and which of them APIs use.

pub(crate) mod calls;
pub(crate) mod camel;
pub(crate) mod english;
pub(crate) mod locales;
pub(crate) mod split;
pub(crate) mod vocabulary;
