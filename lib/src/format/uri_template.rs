//! `uri-template`: RFC 6570.

use rand::RngCore;

use super::choose::pick;

pub(super) fn detect(text: &str) -> bool {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '{' {
            let Some((expression_text, after)) = rest[1..].split_once('}') else { return false };
            if !expression(expression_text) {
                return false;
            }
            rest = after;
        } else {
            let illegal = first <= ' '
                || matches!(
                    first,
                    '"' | '\'' | '<' | '>' | '\\' | '^' | '`' | '|' | '}' | '\u{7f}'
                );
            let broken = first == '%' && !triplet(rest.as_bytes());
            if illegal || broken {
                return false;
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    true
}

fn triplet(text: &[u8]) -> bool {
    text.get(1..3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
}

/// The content of braces: an operator and names with modifiers.
fn expression(text: &str) -> bool {
    let operator = ['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|'];
    text.strip_prefix(operator).unwrap_or(text).split(',').all(|variable| {
        let name = match variable.strip_suffix('*') {
            Some(name) => name,
            None => match variable.split_once(':') {
                Some((name, length)) => {
                    let number = length.parse::<u16>();
                    if !(1..=4).contains(&length.len())
                        || length.starts_with('0')
                        || number.is_err()
                    {
                        return false;
                    }
                    name
                }
                None => variable,
            },
        };
        !name.is_empty()
            && !name.starts_with('.')
            && !name.ends_with('.')
            && name.bytes().enumerate().all(|(at, byte)| match byte {
                b'%' => triplet(&name.as_bytes()[at..]),
                _ => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'),
            })
    })
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str("https://example.com/");
    out.push_str(pick(
        rng,
        &["users/{id}", "posts/{id}{?page}", "search{?q,lang}", "files/{name}", "{locale}/items"],
    ));
}
