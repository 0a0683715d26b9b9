//! Headers that are not part of an API: those of the transport, browsers, proxies, CDNs, tracing,
//! caching and client frameworks. They are neither parameters nor described in responses.
//!
//! One table serves requests and responses. It determines the state, so a change increments the
//! version of the configuration.

use Side::{Both, Request, Response};

use super::credentials::names_a_key;
use crate::exchange::is_secret_name;

/// The messages that a row applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
    Both,
}

/// Names in lower case. `x-*` matches all names with this prefix, `*-id` all with this suffix.
type Row = (Side, &'static [&'static str]);

/// Names that match a row with `*`, although APIs define them for clients: RFC 6266, RFC 7240, RFC
/// 5789, and the `Accept-Post` of the W3C's Linked Data Platform.
const KEPT: &[&str] =
    &["accept-patch", "accept-post", "content-disposition", "preference-applied", "prefer"];

/// Each row cites its source.
const TABLE: &[Row] = &[
    // RFC 9110, section 7.6.1 (hop-by-hop), 6.6.1, 7, 8.3 to 8.7, 10.1 and 10.2; RFC 9112, section
    // 9; RFC 6265. Headers that OpenAPI describes in other places (`Accept`, `Content-Type`,
    // `Authorization`, cookies) are here too.
    (
        Both,
        &[
            "connection",
            "content-*",
            "date",
            "host",
            "http2-settings",
            "keep-alive",
            "proxy-*",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "via",
            "warning",
            "x-via",
        ],
    ),
    (
        Request,
        &[
            "accept",
            "accept-*",
            "authorization",
            "cookie",
            "cookie2",
            "expect",
            "from",
            "max-forwards",
            "referer",
            "user-agent",
        ],
    ),
    (
        Response,
        &["accept", "accept-*", "allow", "server", "set-cookie", "set-cookie2", "www-authenticate"],
    ),
    // Caching and conditional requests: RFC 9111, RFC 9110, sections 8.8, 13 and 14, RFC 9211, RFC
    // 9213, RFC 9875, and the Surrogate headers of the Edge Architecture note (W3C, 2001).
    (
        Both,
        &[
            "cache-control",
            "cdn-cache-control",
            "etag",
            "expires",
            "last-modified",
            "no-vary-search",
            "pragma",
            "surrogate-*",
            "vary",
        ],
    ),
    (
        Request,
        &[
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "range",
        ],
    ),
    (Response, &["age", "cache-groups", "cache-status", "cache-tag", "cache-tags", "edge-control"]),
    // Integrity and signatures of messages: RFC 3230, RFC 9530, RFC 9421.
    (
        Both,
        &["digest", "repr-digest", "signature-input", "want-content-digest", "want-repr-digest"],
    ),
    // Browsers: the Fetch standard (CORS, `Origin`, `Sec-…`), RFC 8942 and the User Preference and
    // Device Memory client hints, RFC 9218, RFC 8470, Tracking Preference Expression and Global
    // Privacy Control, and the resource hints of Chrome, Firefox and Safari (`Purpose`, `X-Moz`,
    // `X-Client-Data`).
    (Both, &["access-control-*", "dpr", "priority", "sec-*", "viewport-width", "width"]),
    (
        Request,
        &[
            "alt-used",
            "available-dictionary",
            "device-memory",
            "dictionary-id",
            "dnt",
            "downlink",
            "early-data",
            "ect",
            "last-event-id",
            "origin",
            "ping-from",
            "ping-to",
            "purpose",
            "rtt",
            "save-data",
            "service-worker*",
            "upgrade-insecure-requests",
            "x-chrome-*",
            "x-client-data",
            "x-devtools-*",
            "x-moz",
            "x-purpose",
            "x-requested-with",
        ],
    ),
    // Instructions of servers for browsers: Content Security Policy, HTML (COOP, COEP,
    // Origin-Agent-Cluster, Refresh), Permissions Policy, Referrer Policy, Reporting, Network Error
    // Logging, Resource Timing, Server Timing, Clear Site Data, RFC 6797, RFC 7034, RFC 7469, RFC
    // 9163, RFC 7838 and the Alternate-Protocol of SPDY before it, source maps (ECMA-426), and the
    // headers of the OWASP Secure Headers Project.
    (
        Response,
        &[
            "activate-storage-access",
            "alt-svc",
            "alternate-protocol",
            "attribution-reporting-*",
            "clear-site-data",
            "critical-ch",
            "cross-origin-*",
            "document-policy*",
            "expect-ct",
            "feature-policy",
            "integrity-policy*",
            "nel",
            "observe-browsing-topics",
            "origin-agent-cluster",
            "origin-trial",
            "p3p",
            "permissions-policy*",
            "public-key-pins*",
            "referrer-policy",
            "refresh",
            "report-to",
            "reporting-endpoints",
            "server-timing",
            "service-worker-allowed",
            "sourcemap",
            "speculation-rules",
            "strict-transport-security",
            "supports-loading-mode",
            "timing-allow-origin",
            "tk",
            "use-as-dictionary",
            "x-content-security-policy*",
            "x-content-type-options",
            "x-dns-prefetch-control",
            "x-download-options",
            "x-firefox-*",
            "x-frame-options",
            "x-permitted-cross-domain-policies",
            "x-robots-tag",
            "x-sourcemap",
            "x-ua-compatible",
            "x-webkit-csp*",
            "x-xss-protection",
        ],
    ),
    // Proxies, gateways and load balancers: RFC 7239, RFC 8586, and the manuals of nginx, HAProxy,
    // Envoy, Istio, Kong, Traefik, Varnish, Squid, Apache mod_proxy, AWS API Gateway and Elastic
    // Load Balancing.
    (
        Both,
        &[
            "cdn-loop",
            "forwarded",
            "x-accel-*",
            "x-amz-apigw-id",
            "x-amzn-apigateway-*",
            "x-amzn-remapped-*",
            "x-client-ip",
            "x-cluster-client-ip",
            "x-envoy-*",
            "x-forwarded-*",
            "x-forwarded",
            "x-istio-*",
            "x-kong-*",
            "x-original-*",
            "x-proxy-*",
            "x-queue-start",
            "x-real-ip",
            "x-request-start",
            "x-rewrite-url",
            "x-scheme",
            "x-traefik-*",
            "x-upstream*",
        ],
    ),
    (
        Response,
        &[
            "apigw-requestid",
            "x-backend*",
            "x-cache",
            "x-cache-*",
            "x-host",
            "x-hostname",
            "x-nginx-*",
            "x-server",
            "x-server-*",
            "x-served-by",
            "x-servedby*",
            "x-squid-*",
            "x-varnish*",
        ],
    ),
    // The status in addition to the status line: in SPDY (draft 3.1, 3.2.2), and CGI scripts (RFC
    // 3875, 6.3.3).
    (Response, &["status"]),
    // CDNs, clouds and hosts of applications: Cloudflare, Fastly, Akamai, Amazon CloudFront and S3,
    // Azure Front Door, Google Cloud, CDN77, Imperva, Sucuri, Vercel, Netlify, Fly.io, Render,
    // Railway, Heroku, GitHub.
    (
        Both,
        &[
            "akamai-*",
            "cdn-*",
            "cf-*",
            "cloudfront-*",
            "do-connecting-ip",
            "fastly-*",
            "fly-*",
            "true-client-ip",
            "x-akamai-*",
            "x-amz-cf-*",
            "x-appengine-*",
            "x-azure-*",
            "x-cdn*",
            "x-edge-*",
            "x-fastly-*",
            "x-msedge-*",
            "x-nf-*",
            "x-railway-*",
            "x-render-*",
            "x-vercel-*",
        ],
    ),
    (
        Response,
        &[
            "eagleid",
            "ohc-*",
            "rndr-id",
            "server-id",
            "x-77-*",
            "x-accelerated-by",
            "x-age",
            "x-amz-id-2",
            "x-amz-replication-status",
            "x-amz-server-side-encryption*",
            "x-amz-version-id",
            "x-cache",
            "x-check-cacheable",
            "x-github-backend",
            "x-goog-*",
            "x-guploader-uploadid",
            "x-hw",
            "x-iinfo",
            "x-llid",
            "x-matched-path",
            "x-ms-edge-*",
            "x-ms-ests-server",
            "x-ms-routing-*",
            "x-pop",
            "x-served-from",
            "x-sucuri-*",
            "x-swift-*",
            "x-timer",
            "x-true-cache-key",
        ],
    ),
    // Tracing: W3C Trace Context and Baggage, B3, Jaeger, OpenTracing, Datadog, New Relic, Elastic
    // APM, Sentry, Instana, Dynatrace, AppDynamics, Honeycomb, AWS X-Ray, Google Cloud Trace, Azure
    // Application Insights. Ids of single requests have no registered name, so the usual endings
    // count.
    (
        Both,
        &[
            "*-correlation-id",
            "*-correlationid",
            "*-request-id",
            "*-requestid",
            "*-span-id",
            "*-trace-id",
            "*-traceid",
            "adrum*",
            "amz-sdk-*",
            "b3",
            "baggage",
            "correlation-id",
            "elastic-apm-*",
            "grpc-tags-bin",
            "grpc-trace-bin",
            "jaeger-*",
            "newrelic",
            "ot-*",
            "request-context",
            "request-id",
            "sentry-trace",
            "singularityheader",
            "span-id",
            "trace-id",
            "traceid",
            "traceparent",
            "traceresponse",
            "tracestate",
            "uber-trace-id",
            "uberctx-*",
            "x-b3-*",
            "x-cloud-trace-*",
            "x-correlation",
            "x-datadog-*",
            "x-dynatrace*",
            "x-honeycomb-*",
            "x-instana-*",
            "x-newrelic-*",
            "x-ot-*",
            "x-requestid",
            "x-ruxit-*",
            "x-trace",
            "x-traceid",
        ],
    ),
    // Client frameworks and generated clients: AWS and Google API clients, Stainless, Apollo,
    // Supabase, gRPC-Web, Next.js, Inertia, htmx, Turbo, PJAX, Livewire, Unpoly, Remix, SvelteKit;
    // Postman, reCAPTCHA and other checks for bots.
    (
        Request,
        &[
            "apollo-require-preflight",
            "apollographql-*",
            "hx-*",
            "next-action",
            "next-router-*",
            "next-url",
            "postman-*",
            "rsc",
            "sentry-*",
            "turbo-*",
            "up-*",
            "x-amz-user-agent",
            "x-apollo-*",
            "x-client-info",
            "x-goog-api-client",
            "x-grpc-web",
            "x-hmt-scheme",
            "x-inertia*",
            "x-livewire*",
            "x-meeshkan-scheme",
            "x-nextjs-*",
            "x-pjax*",
            "x-remix-*",
            "x-stainless-*",
            "x-sveltekit-*",
            "x-turbo-*",
            "x-user-agent",
        ],
    ),
    // Frameworks of servers, by their defaults: PHP, ASP.NET, Express, Rails, Django, Drupal,
    // WordPress, Symfony, Magento, Next.js, FastAPI.
    (
        Response,
        &[
            "x-aspnet-version",
            "x-aspnetmvc-version",
            "x-clacks-overhead",
            "x-debug-*",
            "x-drupal-*",
            "x-elapsed-time",
            "x-generator",
            "x-litespeed-*",
            "x-magento-*",
            "x-mod-pagespeed",
            "x-nextjs-*",
            "x-pingback",
            "x-powered-*",
            "x-powered-by",
            "x-process-time",
            "x-rack-*",
            "x-redirect-by",
            "x-response-time",
            "x-runtime",
            "x-turbo-charged-by",
        ],
    ),
];

/// Parts of names of tokens against forged requests and robots.
const CHECKS: &[&str] = &["captcha", "csrf", "turnstile", "xsrf"];

/// Parts of names of tokens that identify no user or client: those of tools, bot checks and
/// protection against forged requests are not credentials, nor are device ids and idempotency keys.
const NO_CREDENTIALS: &[&str] = &[
    "captcha",
    "client-token",
    "csrf",
    "device",
    "idempotency",
    "postman",
    "proxy-",
    "security-token",
    "turnstile",
    "verificationtoken",
    "websocket",
    "xsrf",
];

/// True for a request header that is not a parameter.
pub(super) fn is_request_plumbing(name: &str) -> bool {
    is_listed(name, Request)
        // Credentials are described by a security scheme, not by a parameter.
        || is_secret_name(name)
        || names_a_key(name)
        || CHECKS.iter().any(|part| name.contains(part))
}

/// True for a response header that does not belong to the API.
pub(super) fn is_response_plumbing(name: &str) -> bool {
    is_listed(name, Response)
}

/// True for a header of the API's own: one that a spec describes.
pub fn is_own_header(name: &str, of_request: bool) -> bool {
    !(if of_request { is_request_plumbing(name) } else { is_response_plumbing(name) })
}

/// True for the name of a token that is not a credential.
pub(super) fn is_no_credential(name: &str) -> bool {
    NO_CREDENTIALS.iter().any(|part| name.contains(part))
}

fn is_listed(name: &str, side: Side) -> bool {
    !KEPT.contains(&name)
        && TABLE.iter().any(|(of, names)| {
            (*of == side || *of == Both) && names.iter().any(|pattern| matches(pattern, name))
        })
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (_, Some(end)) => name.ends_with(end),
        _ => pattern == name,
    }
}

/// RFC 9110, section 7.6.1, and headers of older proxies.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_an_api_are_described() {
        for name in ["x-tenant-id", "idempotency-key", "x-account", "x-api-version", "prefer"] {
            assert!(!is_request_plumbing(name), "{name}");
        }
        for name in [
            "link",
            "location",
            "retry-after",
            "x-total-count",
            "x-ratelimit-limit",
            "ratelimit-policy",
            "deprecation",
            "sunset",
            "content-disposition",
            "x-github-media-type",
            "x-next-page",
            "warnings",
        ] {
            assert!(!is_response_plumbing(name), "{name}");
        }
    }

    #[test]
    fn headers_of_everything_else_are_not() {
        for name in
            ["sec-ch-ua", "x-b3-traceid", "postman-token", "x-csrf-token", "x-recaptcha-token"]
        {
            assert!(is_request_plumbing(name), "{name}");
        }
        for name in ["cf-ray", "x-amzn-requestid", "etag", "x-powered-by", "content-range"] {
            assert!(is_response_plumbing(name), "{name}");
        }
        assert!(is_no_credential("x-recaptcha-token") && !is_no_credential("x-auth-token"));
    }

    #[test]
    fn patterns_are_in_lower_case_and_end_or_begin_with_a_star() {
        for pattern in TABLE.iter().flat_map(|(_, names)| names.iter()) {
            let inner = pattern.trim_start_matches('*').trim_end_matches('*');
            assert!(pattern.len() <= inner.len() + 1, "{pattern}");
            assert!(!inner.contains('*') && inner == inner.to_ascii_lowercase(), "{pattern}");
        }
    }
}
