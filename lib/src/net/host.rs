//! Stand-in until the host grammar of `exchange` is there.

/// A malformed host.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no host")]
pub struct HostError(String);

pub(super) fn valid_host(text: &str) -> Result<String, HostError> {
    let fail = || HostError(text.to_owned());
    let (name, port) = match text.rfind(':') {
        Some(colon) if !text.ends_with(']') => (&text[..colon], Some(&text[colon + 1..])),
        _ => (text, None),
    };
    if let Some(port) = port {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(fail());
        }
    }
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ok = match inner {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            name.len() <= 253
                && name.split('.').all(|label| {
                    !label.is_empty()
                        && label
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                })
        }
    };
    if ok { Ok(text.to_ascii_lowercase()) } else { Err(fail()) }
}
