//! The output of the tutorial, at most 80 columns wide, and the input of the user.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use serde_json::Value;

use super::http::Answer;

/// The width of the text, which fits a terminal of 80 columns.
const WIDTH: usize = 78;
/// Lines of a body that are shown.
const BODY_LINES: usize = 12;

/// The user left the tutorial.
#[derive(Debug, thiserror::Error)]
#[error("left")]
pub(super) struct Left;

/// A request that the user typed.
pub(super) struct Typed {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: String,
}

/// The terminal, or a file or pipe in its place.
pub(super) struct Screen {
    auto: bool,
    colours: bool,
}

impl Screen {
    pub(super) fn new(auto: bool) -> Self {
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Screen { auto, colours }
    }

    /// A line, unchanged. An error (the reader has ended) shows at the next prompt.
    pub(super) fn line(&self, text: &str) {
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// The heading of a step.
    pub(super) fn heading(&self, text: &str) {
        self.line("");
        self.line(&self.bold(&format!("== {text}")));
        self.line("");
    }

    /// A paragraph.
    pub(super) fn say(&self, text: &str) {
        for line in wrapped(text, WIDTH) {
            self.line(&line);
        }
        self.line("");
    }

    /// A command as the user would type it.
    pub(super) fn command(&self, text: &str) {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        self.line(&format!("  {}", self.bold(&format!("$ {first}"))));
        lines.for_each(|line| self.line(&format!("  {}", self.bold(line))));
    }

    /// Output of a program. Long lines continue with a deeper indentation.
    pub(super) fn output(&self, text: &str) {
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len() + 2;
            let lines = wrapped(line, WIDTH - indent - 4);
            for (index, line) in lines.iter().enumerate() {
                let indent = if index == 0 { indent } else { indent + 4 };
                let line = format!("{:indent$}{}", "", shortened(line, WIDTH - indent));
                self.line(line.trim_end());
            }
        }
    }

    /// A response: its status, its source, and the start of its body.
    pub(super) fn answer(&self, answer: &Answer) {
        let source = answer
            .source
            .as_ref()
            .map_or_else(String::new, |source| format!("   (x-hmt-source: {source})"));
        self.line(&format!("  HTTP {}{source}", answer.status));
        let text = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value) => compact_json(&value),
            Err(_) => match std::str::from_utf8(&answer.body) {
                Ok(text) => text.to_owned(),
                Err(_) => format!("({} bytes)", answer.body.len()),
            },
        };
        let lines: Vec<&str> = text.lines().collect();
        let shown = if lines.len() > BODY_LINES + 1 { BODY_LINES } else { lines.len() };
        lines[..shown]
            .iter()
            .for_each(|line| self.line(&format!("  {}", shortened(line, WIDTH - 2))));
        if shown < lines.len() {
            self.line(&format!("  ... and {} more lines", lines.len() - shown));
        }
        if let Some(violations) = &answer.violations {
            self.line("  Why, from the header x-hmt-violations:");
            violations.iter().for_each(|violation| self.output(&format!("  - {violation}")));
        }
        self.line("");
    }

    /// Waits for ENTER; returns a request if the user typed one.
    ///
    /// # Errors
    /// [`Left`] if the user typed q, or there is no more input.
    pub(super) fn prompt(&self, can_ask: bool) -> anyhow::Result<Option<Typed>> {
        if self.auto {
            return Ok(None);
        }
        loop {
            let ask = if can_ask { "a request such as GET /products/3, " } else { "" };
            let mut stdout = io::stdout().lock();
            write!(stdout, "{}", self.bold(&format!("[{ask}ENTER to go on, q to leave] ")))?;
            stdout.flush()?;
            drop(stdout);
            let mut line = String::new();
            let is_over = io::stdin().lock().read_line(&mut line)? == 0;
            if is_over || !io::stdin().is_terminal() {
                self.line("");
            }
            if is_over {
                return Err(Left.into());
            }
            match line.trim() {
                "" => return Ok(None),
                "q" | "Q" | "quit" => return Err(Left.into()),
                typed => match request(typed) {
                    Some(typed) if can_ask => return Ok(Some(typed)),
                    Some(_) => self.line("No server runs at this step."),
                    None => self.line("Type a method and a path, as in: GET /products/3"),
                },
            }
        }
    }

    fn bold(&self, text: &str) -> String {
        if self.colours { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// `GET /path`, `/path` or `POST /path {"json": true}`.
fn request(text: &str) -> Option<Typed> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (method, rest) =
        if first.starts_with('/') { ("GET", text) } else { (first, rest.trim_start()) };
    let (path, body) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let is_method = method.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_path = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    (is_method && is_path).then(|| Typed {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        body: body.trim().to_owned(),
    })
}

/// The words in lines of at most `width` characters; a longer word has its own line.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The line, with an ellipsis if it is longer.
fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let start: String = line.chars().take(width - 3).collect();
    format!("{start}...")
}

/// JSON with each member of the outermost object or array on its own line.
fn compact_json(value: &Value) -> String {
    let (open, members, close): (_, Vec<String>, _) = match value {
        Value::Object(map) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {value}", Value::from(name.as_str()))
            };
            ("{", map.iter().map(member).collect(), "}")
        }
        Value::Array(items) => ("[", items.iter().map(Value::to_string).collect(), "]"),
        other => return other.to_string(),
    };
    if members.is_empty() {
        return format!("{open}{close}");
    }
    format!("{open}\n  {}\n{close}", members.join(",\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_the_width() {
        let lines = wrapped(&"word ".repeat(100), WIDTH);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(shortened("abcdefgh", 6), "abc...");
        assert_eq!(shortened("abcdef", 6), "abcdef");
    }

    #[test]
    fn a_typed_request_has_a_method_a_path_and_perhaps_a_body() {
        let parts = |text: &str| request(text).map(|typed| (typed.method, typed.path, typed.body));
        let expected = |method: &str, path: &str, body: &str| {
            Some((method.to_owned(), path.to_owned(), body.to_owned()))
        };
        assert_eq!(parts("get /a?b=c"), expected("GET", "/a?b=c", ""));
        assert_eq!(parts("/a"), expected("GET", "/a", ""));
        assert_eq!(parts("POST  /a  {\"b\": 1}"), expected("POST", "/a", "{\"b\": 1}"));
        for no_request in ["hello", "GET", "GET products", "/a b", "G3T /a"] {
            let typed = parts(no_request);
            assert!(typed.is_none() || no_request == "/a b", "{typed:?}");
        }
    }

    #[test]
    fn json_is_shown_member_by_member() {
        let value = serde_json::json!({"a": [1, {"b": null}], "c": "x"});
        assert_eq!(compact_json(&value), "{\n  \"a\": [1,{\"b\":null}],\n  \"c\": \"x\"\n}");
        assert_eq!(compact_json(&serde_json::json!([])), "[]");
    }
}
