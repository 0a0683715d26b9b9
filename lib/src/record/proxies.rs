//! Outgoing proxies, and which targets use them.

use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::exchange::Protocol;
use crate::net::{Target, TargetError};

/// The proxies for targets; none by default.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<ProxyServer>,
    https: Option<ProxyServer>,
    except: NoProxy,
    /// The user did not name the proxy for the recorder, so local targets do not use it.
    from_environment: bool,
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProxyServer {
    pub(super) target: Target,
    /// `Proxy-Authorization`, if the proxy's URL has user-info.
    pub(super) authorization: Option<HeaderValue>,
}

/// A URL that is not usable as a proxy.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Another scheme, or a malformed host.
    #[error("not the http:// URL of a proxy: {0}")]
    Target(#[from] TargetError),
    /// A proxy that requires TLS.
    #[error("only proxies of the form http://HOST:PORT are supported, not https or socks")]
    Scheme,
    /// User-info that is not a valid header value.
    #[error(
        "the user name or password in the URL of the proxy contains characters that cannot be sent"
    )]
    UserInfo,
}

impl Proxies {
    /// One proxy for all targets except those in `NO_PROXY`, which `variable` reads from the
    /// environment.
    ///
    /// # Errors
    /// The URL is not that of a proxy.
    pub fn one(
        url: &str,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Proxies, ProxyError> {
        let proxy = ProxyServer::parse(url)?;
        Ok(Proxies {
            http: Some(proxy.clone()),
            https: Some(proxy),
            except: NoProxy::of(&variable),
            from_environment: false,
        })
    }

    /// The proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower
    /// case. Loopback targets never use them.
    ///
    /// # Errors
    /// The name of a variable without a valid proxy, and the reason.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Proxies, (&'static str, ProxyError)> {
        let find = |names: [&'static str; 4]| {
            for name in names {
                if let Some(url) = variable(name).filter(|url| !url.is_empty()) {
                    let parsed = ProxyServer::parse(&url.to_string_lossy());
                    return parsed.map(Some).map_err(|error| (name, error));
                }
            }
            Ok(None)
        };
        Ok(Proxies {
            http: find(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            https: find(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            except: NoProxy::of(&variable),
            from_environment: true,
        })
    }

    pub(super) fn of(&self, target: &Target) -> Option<&ProxyServer> {
        let proxy = match target.protocol {
            Protocol::Http => self.http.as_ref(),
            Protocol::Https => self.https.as_ref(),
        }?;
        let direct =
            self.except.covers(target) || (self.from_environment && is_loopback(target.hostname()));
        (!direct).then_some(proxy)
    }
}

impl ProxyServer {
    fn parse(url: &str) -> Result<ProxyServer, ProxyError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(ProxyError::Scheme);
        }
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest),
        };
        let authorization = user.map(basic).transpose()?;
        Ok(ProxyServer { target: Target::from_url(&format!("http://{host}"))?, authorization })
    }
}

/// The Basic authentication scheme (RFC 7617).
fn basic(user_info: &str) -> Result<HeaderValue, ProxyError> {
    let plain: Vec<u8> = percent_encoding::percent_decode_str(user_info).collect();
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(plain)))
        .map_err(|_| ProxyError::UserInfo)?;
    // Keeps the value out of debug output.
    value.set_sensitive(true);
    Ok(value)
}

/// `NO_PROXY`: hosts, domains with their subdomains, `host:port`, or `*`, separated by commas.
///
/// The matcher of hyper-util (`client::proxy::matcher`) is not used: it compares hosts without
/// their ports, so that an entry `host:port` never matches, and it silently ignores a proxy that it
/// cannot use, which must be an error.
#[derive(Clone, Debug, Default)]
struct NoProxy(Vec<String>);

impl NoProxy {
    fn of(variable: &impl Fn(&str) -> Option<OsString>) -> NoProxy {
        let list = ["no_proxy", "NO_PROXY"].into_iter().find_map(variable).unwrap_or_default();
        let list = list.to_string_lossy().to_ascii_lowercase();
        let entries = list.split([',', ' ']).map(|entry| entry.trim().trim_start_matches('.'));
        NoProxy(entries.filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
    }

    fn covers(&self, target: &Target) -> bool {
        let host = target.hostname().trim_matches(['[', ']']);
        let with_port = format!("{}:{}", target.hostname(), target.port());
        self.0.iter().any(|entry| {
            let below =
                || host.strip_suffix(entry.as_str()).is_some_and(|rest| rest.ends_with('.'));
            let bare = entry.trim_matches(['[', ']']);
            entry == "*" || bare == host || below() || *entry == with_port
        })
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }

    fn through(proxies: &Proxies, url: &str) -> Option<String> {
        let target = Target::from_url(url).expect("a URL");
        proxies.of(&target).map(|proxy| proxy.target.host.clone())
    }

    #[test]
    fn the_environment_names_proxies_and_exceptions() {
        let proxies = Proxies::from_environment(environment(&[
            ("https_proxy", "http://u:p%40@secure.test:3128"),
            ("ALL_PROXY", "all.test:81"),
            ("NO_PROXY", ".internal.test, b.test:444,192.0.2.1"),
        ]))
        .expect("proxies");
        for (url, proxy) in [
            ("https://a.test/", Some("secure.test:3128")),
            ("http://a.test/", Some("all.test:81")),
            ("https://x.internal.test/", None),
            ("https://internal.test/", None),
            ("https://notinternal.test/", Some("secure.test:3128")),
            ("https://b.test:444/", None),
            ("https://b.test/", Some("secure.test:3128")),
            ("http://192.0.2.1:99/", None),
            ("http://localhost:99/", None),
            ("http://127.0.0.1/", None),
            ("https://[::1]/", None),
        ] {
            assert_eq!(through(&proxies, url).as_deref(), proxy, "{url}");
        }
        let authorization = proxies.https.as_ref().and_then(|proxy| proxy.authorization.clone());
        assert_eq!(authorization.expect("user-info"), "Basic dTpwQA==");
        assert!(!format!("{proxies:?}").contains("dTpwQA"));
        let none = Proxies::from_environment(environment(&[])).expect("none");
        assert_eq!(through(&none, "https://a.test/"), None);
        let wrong = Proxies::from_environment(environment(&[("HTTPS_PROXY", "socks5://a:1")]));
        assert!(matches!(wrong, Err(("HTTPS_PROXY", ProxyError::Scheme))));
    }

    #[test]
    fn one_that_is_named_is_for_all() {
        let environment = environment(&[("https_proxy", "http://other.test"), ("no_proxy", "c")]);
        let proxies = Proxies::one("http://p.test:3128", environment).expect("a proxy");
        assert_eq!(through(&proxies, "http://127.0.0.1/").as_deref(), Some("p.test:3128"));
        assert_eq!(through(&proxies, "https://a.test/").as_deref(), Some("p.test:3128"));
        assert_eq!(through(&proxies, "https://c/"), None);
    }
}
