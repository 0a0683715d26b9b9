//! The endpoints that the security schemes of specs name, by their paths.

use std::collections::HashMap;

use serde_json::Value;

use crate::conform::Api;

/// The end of the URL of a discovery document.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The function of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Endpoint {
    Authorize,
    Token,
    Discovery,
    KeySet,
    UserInfo,
}

/// An endpoint, and the issuer that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) struct EndpointPlace {
    pub(in crate::mock) endpoint: Endpoint,
    /// The path of the issuer, without a slash at its end.
    pub(super) issuer: String,
    /// True if an operation with this path takes precedence.
    pub(in crate::mock) yields: bool,
}

/// All endpoints by path.
#[derive(Debug, Default)]
pub(in crate::mock) struct Endpoints {
    by_path: HashMap<String, EndpointPlace>,
    openid: bool,
}

impl Endpoints {
    /// The endpoints of the specs' schemes. Those of OpenID Connect come first, so that tokens of
    /// the same spec name its issuer.
    pub(in crate::mock) fn of<'a>(apis: impl Iterator<Item = &'a Api>) -> Endpoints {
        let mut endpoints = Endpoints::default();
        for api in apis {
            let schemes = || api.security_schemes.iter().map(|(_, scheme)| scheme);
            let kind = |scheme: &Value, kind: &str| {
                scheme.get("type").and_then(Value::as_str) == Some(kind)
            };
            let mut issuer = String::new();
            for scheme in schemes().filter(|scheme| kind(scheme, "openIdConnect")) {
                if let Some(path) = path_of(api, scheme.get("openIdConnectUrl")) {
                    issuer = endpoints.add_openid(&path);
                }
            }
            for scheme in schemes().filter(|scheme| kind(scheme, "oauth2")) {
                if let Some(path) = path_of(api, scheme.get("oauth2MetadataUrl")) {
                    endpoints.add(path, Endpoint::Discovery, &issuer);
                }
                let flows = scheme.get("flows").and_then(Value::as_object);
                for flow in flows.into_iter().flat_map(|flows| flows.values()) {
                    for (name, endpoint) in [
                        ("authorizationUrl", Endpoint::Authorize),
                        ("tokenUrl", Endpoint::Token),
                        ("refreshUrl", Endpoint::Token),
                    ] {
                        if let Some(path) = path_of(api, flow.get(name)) {
                            endpoints.add(path, endpoint, &issuer);
                        }
                    }
                }
            }
            endpoints.add_below_bases(api);
        }
        endpoints
    }

    /// The endpoint at a path.
    pub(in crate::mock) fn at(&self, path: &str) -> Option<&EndpointPlace> {
        if self.by_path.is_empty() {
            return None;
        }
        let bare = path.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(path);
        self.by_path.get(bare)
    }

    /// True if identity tokens can be requested.
    pub(super) fn has_openid(&self) -> bool {
        self.openid
    }

    fn add(&mut self, path: String, endpoint: Endpoint, issuer: &str) {
        let yields = path == "/";
        let place = EndpointPlace { endpoint, issuer: issuer.to_owned(), yields };
        // If two endpoints have the same path, the first one is kept.
        self.by_path.entry(path).or_insert(place);
    }

    /// Adds a discovery document and its endpoints; returns the path of the issuer.
    fn add_openid(&mut self, path: &str) -> String {
        let issuer = path.strip_suffix(WELL_KNOWN).unwrap_or_default().to_owned();
        self.openid = true;
        self.add(path.to_owned(), Endpoint::Discovery, &issuer);
        for (endpoint, path) in OPENID_PATHS {
            self.add(format!("{issuer}{path}"), endpoint, &issuer);
        }
        issuer
    }

    /// Adds the same endpoints without the base paths of the servers, because the base path is
    /// optional in requests.
    fn add_below_bases(&mut self, api: &Api) {
        for server in api.servers.iter().filter(|server| !server.base_path.is_empty()) {
            let below: Vec<(String, EndpointPlace)> = self
                .by_path
                .iter()
                .filter_map(|(path, place)| {
                    let rest = path.strip_prefix(&server.base_path)?;
                    // Tokens must contain the issuer as the client knows it.
                    let issuer = place.issuer.strip_prefix(&server.base_path);
                    let issuer = issuer.unwrap_or(&place.issuer).to_owned();
                    let place = EndpointPlace { issuer, yields: true, ..place.clone() };
                    rest.starts_with('/').then(|| (rest.to_owned(), place))
                })
                .collect();
            for (path, place) in below {
                self.by_path.entry(path).or_insert(place);
            }
        }
    }
}

/// The endpoints that a discovery document names, below the path of its issuer.
pub(super) const OPENID_PATHS: [(Endpoint, &str); 4] = [
    (Endpoint::Authorize, "/oauth2/authorize"),
    (Endpoint::Token, "/oauth2/token"),
    (Endpoint::UserInfo, "/oauth2/userinfo"),
    (Endpoint::KeySet, "/oauth2/keys"),
];

/// The path of a URL, without a slash at its end. A relative one begins at the first server.
fn path_of(api: &Api, url: Option<&Value>) -> Option<String> {
    let url = url?.as_str()?;
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None if url.starts_with('/') => url.to_owned(),
        None if url.is_empty() => return None,
        None => {
            let base = api.servers.first().map_or("", |server| &server.base_path);
            format!("{base}/{}", url.trim_start_matches("./"))
        }
    };
    let bare = path.trim_end_matches('/');
    Some(if bare.is_empty() { "/".to_owned() } else { bare.to_owned() })
}
