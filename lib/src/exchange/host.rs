//! Validates hosts, which route requests and name files. A `Host` header is untrusted input.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use sha2::{Digest as _, Sha256};

/// Maximum length of a DNS name.
const MAX_HOST: usize = 253;
/// Maximum length of a DNS label.
const MAX_LABEL: usize = 63;
/// Longer file names are truncated: file systems allow 255 bytes, and suffixes are added.
const MAX_FILE_NAME: usize = 200;

/// Why a text is not a valid `host[:port]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// No host at all.
    #[error("the host is empty")]
    Empty,
    /// More than 253 bytes, or a label of more than 63.
    #[error("the host is too long")]
    TooLong,
    /// An invalid byte in a host name, or an empty label.
    #[error("the host is neither a name nor an address")]
    Name,
    /// Brackets without an IPv6 address in them.
    #[error("the host is not an IPv6 address in brackets")]
    Address,
    /// User-info before the host.
    #[error(
        "a user name before the host is not supported; send credentials in an Authorization header"
    )]
    User,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not 1 to 65535")]
    Port,
}

/// Validates a `host[:port]` and converts it to lower case. The host is a name (underscores are
/// allowed, because container networks use them), an IPv4 address, or an IPv6 address in brackets.
///
/// # Errors
/// Anything else, including path separators and control characters.
pub fn valid_host(text: &str) -> Result<String, HostError> {
    if text.is_empty() {
        return Err(HostError::Empty);
    }
    if text.len() > MAX_HOST {
        return Err(HostError::TooLong);
    }
    if is_plain(text) {
        return Ok(text.to_owned());
    }
    checked(text)
}

fn checked(text: &str) -> Result<String, HostError> {
    if text.contains('@') {
        return Err(HostError::User);
    }
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, behind) = rest.split_once(']').ok_or(HostError::Address)?;
        address.parse::<Ipv6Addr>().map_err(|_| HostError::Address)?;
        match behind.strip_prefix(':') {
            Some(port) => (None, Some(port)),
            None if behind.is_empty() => (None, None),
            None => return Err(HostError::Address),
        }
    } else {
        match text.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(text), None),
        }
    };
    if let Some(name) = name {
        check_name(name)?;
    }
    if let Some(port) = port {
        let digits = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(HostError::Port);
        }
    }
    Ok(text.to_ascii_lowercase())
}

/// True for nearly all valid hosts: labels of lower-case letters, digits and hyphens, and
/// optionally a port of up to four digits. This fast path reads each byte once; other hosts get the
/// full check.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut label = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' if label < MAX_LABEL => label += 1,
            b'.' if label > 0 => label = 0,
            b':' if label > 0 => {
                return matches!(&bytes[at + 1..], [b'1'..=b'9', rest @ ..]
                    if rest.len() < 4 && rest.iter().all(u8::is_ascii_digit));
            }
            _ => return false,
        }
    }
    label > 0
}

fn check_name(name: &str) -> Result<(), HostError> {
    // A final dot marks a fully qualified name.
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if label.is_empty() || !label.bytes().all(allowed) {
            return Err(HostError::Name);
        }
        if label.len() > MAX_LABEL {
            return Err(HostError::TooLong);
        }
    }
    Ok(())
}

/// The host as a safe part of a file name: lower case, `_` for the `:` before a port, and `%XX` for
/// every byte outside `[a-z0-9.-]` and for a leading dot. Beyond 200 bytes it is truncated and a
/// hash of the whole host follows. Different hosts have different file names.
pub fn file_name_of_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let (name, port) = split_port(&host);
    let mut file = String::with_capacity(host.len());
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if index == 0 => file.push_str("%2E"),
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => file.push(char::from(byte)),
            other => {
                let _ = write!(file, "%{other:02X}");
            }
        }
    }
    if let Some(port) = port {
        file.push('_');
        file.push_str(port);
    }
    if file.len() > MAX_FILE_NAME {
        file.truncate(MAX_FILE_NAME);
        file.push('-');
        for byte in &Sha256::digest(host.as_bytes())[..8] {
            let _ = write!(file, "{byte:02x}");
        }
    }
    file
}

/// Splits at the `:` before a port, not at one in an IPv6 address.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            (name, Some(port))
        }
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    /// A host, whether it is valid, and its file name.
    const CORPUS: &[(&str, bool, &str)] = &[
        ("example.com", true, "example.com"),
        ("Example.COM", true, "example.com"),
        ("example.com:8080", true, "example.com_8080"),
        ("example.com:1", true, "example.com_1"),
        ("example.com:65535", true, "example.com_65535"),
        ("example.com.", true, "example.com."),
        ("localhost", true, "localhost"),
        ("a", true, "a"),
        ("a-b.c-d", true, "a-b.c-d"),
        ("my_service", true, "my%5Fservice"),
        ("my_service:80", true, "my%5Fservice_80"),
        ("xn--bcher-kva.example", true, "xn--bcher-kva.example"),
        ("127.0.0.1", true, "127.0.0.1"),
        ("127.0.0.1:80", true, "127.0.0.1_80"),
        ("2130706433", true, "2130706433"),
        ("0x7f.1", true, "0x7f.1"),
        ("[::1]", true, "%5B%3A%3A1%5D"),
        ("[::1]:80", true, "%5B%3A%3A1%5D_80"),
        ("[2001:DB8::1]", true, "%5B2001%3Adb8%3A%3A1%5D"),
        ("[::ffff:127.0.0.1]:443", true, "%5B%3A%3Affff%3A127.0.0.1%5D_443"),
        ("CON", true, "con"),
        ("nul.txt", true, "nul.txt"),
        ("-", true, "-"),
        ("", false, ""),
        (".", false, "%2E"),
        ("..", false, "%2E."),
        ("...", false, "%2E.."),
        (".hidden", false, "%2Ehidden"),
        ("a..b", false, "a..b"),
        ("../x", false, "%2E.%2Fx"),
        ("../../etc/passwd", false, "%2E.%2F..%2Fetc%2Fpasswd"),
        ("/etc/x", false, "%2Fetc%2Fx"),
        ("a/b", false, "a%2Fb"),
        ("a\\b", false, "a%5Cb"),
        ("..\\x", false, "%2E.%5Cx"),
        ("a\0b", false, "a%00b"),
        ("a\nb", false, "a%0Ab"),
        ("a\rb", false, "a%0Db"),
        ("a b", false, "a%20b"),
        (" a", false, "%20a"),
        ("a%2fb", false, "a%252fb"),
        ("%2e%2e", false, "%252e%252e"),
        ("bücher.example", false, "b%C3%BCcher.example"),
        ("\u{202e}moc", false, "%E2%80%AEmoc"),
        ("a@b", false, "a%40b"),
        ("user:pw@h", false, "user%3Apw%40h"),
        ("a?b", false, "a%3Fb"),
        ("a#b", false, "a%23b"),
        ("a,b", false, "a%2Cb"),
        ("a;b", false, "a%3Bb"),
        ("*", false, "%2A"),
        ("$(id)", false, "%24%28id%29"),
        ("http://h", false, "http%3A%2F%2Fh"),
        ("example.com:", false, "example.com%3A"),
        ("example.com:0", false, "example.com_0"),
        ("example.com:65536", false, "example.com_65536"),
        ("example.com:+80", false, "example.com%3A%2B80"),
        ("example.com:8a", false, "example.com%3A8a"),
        ("example.com:000080", false, "example.com_000080"),
        (":80", false, "_80"),
        ("a:b:80", false, "a%3Ab%3A80"),
        ("::1", false, "%3A%3A1"),
        ("[::1", false, "%5B%3A%3A1"),
        ("[::1]x", false, "%5B%3A%3A1%5Dx"),
        ("[]", false, "%5B%5D"),
        ("[::g]", false, "%5B%3A%3Ag%5D"),
        ("[fe80::1%eth0]", false, "%5Bfe80%3A%3A1%25eth0%5D"),
        ("[127.0.0.1]", false, "%5B127.0.0.1%5D"),
    ];

    #[test]
    fn corpus() {
        let mut files = HashSet::new();
        for (host, valid, file) in CORPUS {
            assert_eq!(valid_host(host).is_ok(), *valid, "{host:?}");
            assert_eq!(file_name_of_host(host), *file, "{host:?}");
            if *valid {
                assert_eq!(valid_host(host), Ok(host.to_ascii_lowercase()));
            }
            files.insert(*file);
        }
        // Only hosts that differ in case share a name.
        assert_eq!(files.len(), CORPUS.len() - 1);
    }

    #[test]
    fn a_user_is_not_taken_for_a_port() {
        assert_eq!(valid_host("user:pw@example.com:80"), Err(HostError::User));
    }

    #[test]
    fn lengths() {
        let label = "a".repeat(MAX_LABEL);
        let longest = format!("{label}.{label}.{label}.{}", "b".repeat(MAX_HOST - 3 * 64));
        assert_eq!(longest.len(), MAX_HOST);
        assert!(valid_host(&longest).is_ok());
        assert_eq!(valid_host(&format!("{longest}b")), Err(HostError::TooLong));
        assert_eq!(valid_host(&format!("a{label}")), Err(HostError::TooLong));

        let one = file_name_of_host(&format!("{longest}x"));
        let other = file_name_of_host(&format!("{longest}y"));
        assert_eq!((one.len(), one == other), (MAX_FILE_NAME + 17, false));
    }

    proptest! {
        #[test]
        fn file_names_stay_in_their_folder(host in any::<String>()) {
            let file = format!("{}-recordings.jsonl", file_name_of_host(&host));
            prop_assert!(file.len() <= 255);
            let components: Vec<Component<'_>> = Path::new(&file).components().collect();
            prop_assert_eq!(components, [Component::Normal(file.as_ref())]);
            prop_assert!(!file.starts_with('.'));
            let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_%".contains(&b);
            prop_assert!(file.bytes().all(plain));
        }

        #[test]
        fn what_is_plain_is_valid(host in "[a-z0-9_.:-]{0,20}(:[0-9]{1,5})?") {
            if is_plain(&host) {
                prop_assert_eq!(checked(&host), Ok(host));
            }
        }

        #[test]
        fn what_is_valid_is_stable(host in "[a-zA-Z0-9._:\\[\\]-]{0,20}") {
            if let Ok(valid) = valid_host(&host) {
                prop_assert_eq!(valid_host(&valid), Ok(valid.clone()));
            }
        }
    }
}
