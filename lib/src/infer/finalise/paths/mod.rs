//! Path templates: which segments are names, and which are values of parameters.

pub(super) mod answered_lists;
mod before;
pub(super) mod explain;
pub(super) mod names;
pub(super) mod not_found;
mod own_words;
pub(super) mod seeds;
mod siblings;
mod signature;
pub(super) mod template;
