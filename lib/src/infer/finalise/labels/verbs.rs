//! Words of paths that are actions or adjectives.

/// Words after a plural that select one of them.
pub(super) const ONE_OF: [&str; 11] = [
    "current", "default", "first", "last", "latest", "me", "new", "next", "previous", "random",
    "self",
];
/// Words after a plural that select some of them.
pub(super) const SOME_OF: [&str; 10] = [
    "active", "all", "archived", "featured", "popular", "private", "public", "recent", "top",
    "trending",
];

/// Actions on several things at once, if no parameter selects one.
pub(super) const OF_SEVERAL: [&str; 16] = [
    "archive", "batch", "bulk", "clear", "count", "delete", "export", "find", "import", "merge",
    "prune", "query", "reorder", "search", "sync", "validate",
];

/// Segments that are actions, sorted. Words that are nouns as often (`charge`, `release`,
/// `request`) are left out.
const VERBS: &str = "\
    accept acknowledge activate add approve archive assign attach authenticate authorize cancel \
    capture check clear clone close complete confirm convert copy count create deactivate decline \
    delete detach disable disconnect dismiss download duplicate edit enable evaluate exec execute \
    export finalize find generate import initiate invite join kill leave lock login logout merge \
    move mute notify pause pin ping preview prune publish query reactivate rebuild refresh refund \
    register reject remove rename render reopen reorder resend reset resize resolve restart \
    restore resume retry revoke rotate run save search send set share sign signin signout signup \
    start stop submit subscribe suspend sync transfer trigger unarchive unassign undelete unlock \
    unmute unpause unpin unpublish unsubscribe update upload validate verify void wait withdraw";

/// True for a segment that is an action.
pub(super) fn is_action(word: &str) -> bool {
    VERBS.split(' ').any(|verb| verb == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_sorted() {
        assert!(VERBS.split(' ').is_sorted());
    }
}
