//! Replaces secrets in text for people: in targets of requests, and in messages of programs.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::mode::SearchMode;
use super::{Found, RedactOptions, Redactor, random_key};

/// For messages of programs that have no key.
static UNKEYED: LazyLock<Option<Redactor>> =
    LazyLock::new(|| Redactor::new(&random_key(), &RedactOptions::default()).ok());

/// Punctuation around a URL in a sentence.
const AROUND: [char; 11] = ['"', '\'', '(', ')', '<', '>', '[', ']', ',', '.', ':'];

/// Replaces the secrets in a message that [`Redactor::shown_text`] finds, with a random key for
/// this process.
pub fn shown_text(text: &str) -> Cow<'_, str> {
    UNKEYED.as_ref().map_or(Cow::Borrowed(text), |redactor| redactor.shown_text(text))
}

impl Redactor {
    /// A path for messages, with its secrets replaced.
    pub fn shown_path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        self.path(path, &mut Found::default()).map_or(Cow::Borrowed(path), Cow::Owned)
    }

    /// Replaces the secrets in a message, which may quote a URL, a target, or other text from a
    /// client, a server or a file.
    pub fn shown_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let words: Vec<Cow<'_, str>> =
            text.split_inclusive([' ', '\n', '\t']).map(|word| self.shown_word(word)).collect();
        let text = match words.iter().any(|word| matches!(word, Cow::Owned(_))) {
            true => Cow::Owned(words.concat()),
            false => Cow::Borrowed(text),
        };
        let candidates = self.candidates(text.as_bytes());
        if candidates.is_empty() {
            return text;
        }
        match self.text(text.as_bytes(), &candidates, SearchMode::Value, &mut Found::default(), 1) {
            Some(hidden) => Cow::Owned(String::from_utf8_lossy(&hidden).into_owned()),
            None => text,
        }
    }

    /// A word that may be a URL or a target.
    fn shown_word<'w>(&self, word: &'w str) -> Cow<'w, str> {
        if !word.contains(['/', '?', '@', ';']) {
            return Cow::Borrowed(word);
        }
        let front = word.len() - word.trim_start_matches(AROUND).len();
        let end = word.trim_end().trim_end_matches(AROUND).len().max(front);
        let core = &word[front..end];
        let mut found = Found::default();
        let mut hidden = self.url(core, &mut found, 0);
        let shown = hidden.as_deref().unwrap_or(core);
        let path = shown.find('?').unwrap_or(shown.len());
        if let Some(start) = self.path(&shown[..path], &mut found) {
            hidden = Some(start + &shown[path..]);
        }
        let shown = hidden.as_deref().unwrap_or(core);
        if let Some(secret) = password_without_scheme(shown) {
            let password = self.pseudonym(&shown[secret.clone()]);
            hidden = Some(format!("{}{password}{}", &shown[..secret.start], &shown[secret.end..]));
        }
        match hidden {
            Some(hidden) => Cow::Owned([&word[..front], &hidden, &word[end..]].concat()),
            None => Cow::Borrowed(word),
        }
    }
}

/// The password in `user:password@host`, a URL without its scheme.
fn password_without_scheme(word: &str) -> Option<std::ops::Range<usize>> {
    let sign = word.rfind('@')?;
    let (user, password) = word[..sign].split_once(':')?;
    let is_user = !user.is_empty() && !user.eq_ignore_ascii_case("mailto");
    let is_password = !password.is_empty() && !password.contains(['/', ':', '@', '?']);
    (is_user && is_password && !super::is_pseudonym(password)).then_some(user.len() + 1..sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANTED: &str = "pl4nt3dS3cr3t9";

    #[test]
    fn messages_have_no_secrets() {
        for template in [
            "no answer from http://127.0.0.1:1/a?token=@: refused",
            "no answer from \"http://h.test/a?x=1&sig=@&y=2\".",
            "GET /a?api_key=@ 502 upstream",
            "GET /a;jsessionid=@/b?x=1 404 miss",
            "(unknown path: no path of the specs matches /a;jsessionid=@)",
            "GET /cb?code=@&state=x1&client_id=a 200",
            "--target http://jo:@!h.test: a user before the host is not taken",
            "\"jo:@!127.0.0.1:1\" is no http:// or https:// URL",
            "invalid value 'record=http://jo:@!h.test' for '--on-miss <WHAT>'",
            "GET /http://jo:@!h.test/x 400 refused",
            "GET /cb?u=https://jo:@!h.test/ 200",
            "log.jsonl:3: unexpected text {\"password\":\"@\"} behind the line",
            "the header Authorization: Basic am86@",
        ] {
            let secret = if template.contains("Basic") { "cGw0bnQzZA==" } else { PLANTED };
            let text = template.replace('@', secret).replace('!', "@");
            let shown = shown_text(&text);
            assert!(!shown.contains(secret) && shown.contains("hmt~"), "{text}\nbecame {shown}");
        }
    }

    #[test]
    fn other_messages_stay() {
        for text in [
            "listening on http://127.0.0.1:8000",
            "seen 25, written 25, dropped 0, failed upstream 2 (dns 1, tls 1)",
            "GET /pets?limit=10&nextPageToken=abc 200 generated 0.4 ms",
            "replaced: request.header.authorization 2, request.body token 1; --keep NAME keeps one",
            "h.test/list?page=1: the query parameter page differs",
            "specs/a@b.yaml: wrong mail address \"jo@example.com\", see mailto:jo@example.com",
            "git@github.com:a/b.git is no URL",
            "the request needs a credential: send Authorization: Bearer TOKEN or an API key",
            "-p/--port: the port 8000 is in use; choose another one with -p",
            "pl\u{e9}:x@h",
        ] {
            if text.starts_with("pl") {
                assert!(shown_text(text).starts_with("pl\u{e9}:hmt~"));
            } else {
                assert_eq!(shown_text(text), text);
            }
        }
    }
}
