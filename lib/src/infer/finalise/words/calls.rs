//! Recognises names of procedures: `getUser`, `users.list`, `chat.postMessage`, `send_mail`.

use super::english::is_plural;
use super::split::words;

/// The verbs that begin or end names of procedures in the public RPC APIs of the APIs.guru
/// directory, sorted. Words that are nouns as often (`form`, `order`, `report`) are left out.
const VERBS: &str = "\
    accept activate add append apply approve archive assign attach authenticate authorize ban \
    batch block bulk calculate call cancel change check clear clone close complete compute confirm \
    connect convert copy count create deactivate decline decode delete describe detach disable \
    disconnect do download duplicate edit enable encode end estimate execute exists export fetch \
    find finish generate get has import init initialize insert invite invoke is join kick leave \
    list load lock log login logout lookup make mark merge modify move mute notify open parse \
    pause ping post process publish purge put query read rebuild refresh register reject reload \
    remove rename render reset resolve restart restore resume retrieve revoke rotate run save \
    schedule search send set show sign start stop submit subscribe suspend sync test toggle track \
    transfer translate trigger unarchive unban unblock unlock unpin unregister unsubscribe update \
    upload upsert validate verify wait watch write";

/// The verbs that are also adjectives or nouns before nouns, sorted: `open_orders`,
/// `read_receipts`, `import_jobs`.
const MODIFIERS: &[&str] = &[
    "archive", "batch", "block", "bulk", "call", "complete", "count", "end", "export", "import",
    "load", "lock", "log", "open", "read",
];

fn is_verb(word: &str) -> bool {
    VERBS.split(' ').any(|verb| verb == word)
}

/// True for a name of several words in an identifier style whose first word, or first word after
/// the last dot, is a verb. Names with dashes are excluded, because titles use them
/// (`get-started`).
pub(crate) fn is_call(name: &str) -> bool {
    let is_identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let parts: Vec<&str> = name.split(['.', ':']).collect();
    if !parts.iter().all(|part| is_identifier(part)) {
        return false;
    }
    let all = words(parts.last().unwrap_or(&name));
    let is_modified = |first: &String| {
        name.contains('_')
            && MODIFIERS.binary_search(&first.as_str()).is_ok()
            && all.last().is_some_and(|word| is_plural(word))
    };
    let said = all.first().is_some_and(|word| is_verb(word) && !is_modified(word));
    if parts.len() > 1 { said } else { said && all.len() > 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_sorted() {
        assert!(VERBS.split(' ').is_sorted());
        assert!(MODIFIERS.is_sorted() && MODIFIERS.iter().all(|word| is_verb(word)));
    }

    #[test]
    fn calls() {
        for name in
            ["getUser", "GetUser", "users.list", "chat.postMessage", "send_mail", "rpc:getUser"]
        {
            assert!(is_call(name), "{name}");
        }
        for name in [
            "users",
            "get",
            "get-started",
            "addressBook",
            "read_progresses",
            "open_orders",
            "example.com",
            "v1.users",
            "settings",
            "10.get",
            "",
        ] {
            assert!(!is_call(name), "{name}");
        }
    }
}
