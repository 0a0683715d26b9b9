//! Plans the request for a recorded exchange.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderMap, HeaderName, Method};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twox_hash::XxHash3_64;

use super::options::SendOptions;
use super::order::{Done, Order};
use super::summary::Skip;
use crate::exchange::{Exchange, Pairs, Request, Side, header, is_session_cookie, wire_path};
use crate::net::{SCHEME_HEADERS, Target, is_hop_by_hop};
use crate::replay::carry::{Answered, Draft, Secrets, Slot, Table, Use};

/// Methods that change nothing (the registry of RFC 9110, section 16.1).
const SAFE: [&str; 7] = ["GET", "HEAD", "OPTIONS", "PROPFIND", "QUERY", "REPORT", "SEARCH"];

/// A request that will be sent.
#[derive(Debug)]
pub(in super::super) struct Planned {
    /// Its place in the input.
    pub(in super::super) source: Arc<str>,
    pub(in super::super) line: u64,
    /// Requests of one lane are sent one after another; `None` for any order.
    pub(super) lane: Option<u64>,
    /// The recorded time in microseconds since 1970.
    pub(super) at: Option<i64>,
    pub(in super::super) method: Method,
    pub(super) safe: bool,
    pub(in super::super) draft: Draft,
    pub(super) trailers: HeaderMap,
    pub(super) uses: Vec<Use>,
    /// Earlier requests that must be done before this one.
    pub(super) after: Vec<Arc<Done>>,
    /// Set when this request is done, if later requests may wait for it.
    pub(super) done: Option<Arc<Done>>,
    /// The slot in which requests wait for values of the response.
    pub(super) slot: Option<Arc<Slot>>,
    pub(in super::super) recorded: Recorded,
}

impl Planned {
    /// Releases the requests that wait for this one; `answer` is its response.
    pub(super) fn finish(&self, answer: Option<Answered>) {
        if let Some(slot) = &self.slot {
            slot.fill(answer);
        }
        if let Some(done) = &self.done {
            done.set();
        }
    }
}

/// Data of the recorded response.
#[derive(Debug, Default)]
pub(in super::super) struct Recorded {
    /// The line of the exchange, if responses are compared.
    pub(in super::super) line: Option<Box<[u8]>>,
    pub(super) duration_ms: Option<f64>,
    /// The number of bytes after which the client left the response, as for endless streams.
    pub(super) left_after: Option<u64>,
}

/// Plans the exchanges in order.
pub(super) struct Planner {
    target: Target,
    unsafe_methods: bool,
    compares: bool,
    /// Whether requests may overtake each other.
    concurrent: bool,
    order: Order,
    pub(super) table: Table,
}

impl Planner {
    pub(super) fn new(options: &SendOptions, compares: bool) -> Planner {
        let secrets = options.secrets.iter();
        let secrets = secrets.map(|secret| (secret.name.clone(), Arc::clone(&secret.value)));
        Planner {
            target: options.target.clone(),
            unsafe_methods: options.unsafe_methods,
            compares,
            concurrent: options.concurrency > 1,
            order: Order::default(),
            table: Table::new(Secrets(secrets.collect())),
        }
    }

    /// The request to send.
    ///
    /// # Errors
    /// Why it is not sent.
    pub(super) fn plan(
        &mut self,
        exchange: &Exchange<'_>,
        line: &[u8],
        place: (&Arc<str>, u64),
    ) -> Result<Planned, Skip> {
        let lane = lane(exchange);
        let planned = self.request(exchange, lane);
        let slot = exchange
            .response
            .as_ref()
            .and_then(|response| self.table.remember(&exchange.request, response, lane));
        let (method, safe, draft, uses) = match planned {
            Ok(planned) => planned,
            Err(why) => {
                if let Some(slot) = slot {
                    slot.fill(None);
                }
                return Err(why);
            }
        };
        let (after, done) = match self.concurrent {
            true => self.order.next(&uses, safe),
            false => (Vec::new(), None),
        };
        let meta = &exchange.meta;
        let left_after = (meta.incomplete == Some(Side::Client)).then(|| {
            exchange.response.as_ref().map(|response| response.body.as_bytes().len() as u64)
        });
        Ok(Planned {
            source: Arc::clone(place.0),
            line: place.1,
            lane,
            at: exchange.request.timestamp.as_deref().and_then(micros),
            method,
            safe,
            draft,
            trailers: trailers(&meta.request_trailers),
            uses,
            after,
            done,
            slot,
            recorded: Recorded {
                line: self.compares.then(|| line.into()),
                duration_ms: meta.duration_ms,
                left_after: left_after.flatten(),
            },
        })
    }

    fn request(
        &mut self,
        exchange: &Exchange<'_>,
        lane: Option<u64>,
    ) -> Result<(Method, bool, Draft, Vec<Use>), Skip> {
        let (request, meta) = (&exchange.request, &exchange.meta);
        let name = match &meta.method {
            Some(name) => Cow::Borrowed(name.as_ref()),
            None => Cow::Owned(request.method.as_str().to_ascii_uppercase()),
        };
        let method = Method::from_bytes(name.as_bytes()).map_err(|_| Skip::Method)?;
        let safe = SAFE.contains(&method.as_str());
        if method == Method::CONNECT || is_upgrade(exchange) {
            return Err(Skip::Upgrade);
        }
        if method == Method::TRACE || !safe && !self.unsafe_methods {
            return Err(Skip::Unsafe);
        }
        let cut = meta.incomplete == Some(Side::Client) && exchange.response.is_none();
        if meta.truncated_request.is_some() || cut && !request.body.is_empty() {
            return Err(Skip::Incomplete);
        }
        let draft = self.draft(exchange);
        let uses = self.table.uses(&draft, &meta.redacted, lane);
        Ok((method, safe, draft, uses))
    }

    fn draft(&self, exchange: &Exchange<'_>) -> Draft {
        let request = &exchange.request;
        let path = wire_path(&request.pathname, &request.query, request.wire_query.as_deref());
        let mut headers = Vec::with_capacity(request.headers.len());
        let named = named_by_connection(&request.headers);
        for (name, value) in &request.headers {
            // HTTP/2 pseudo-headers in captures of browsers are not valid names either.
            let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else { continue };
            let dropped = is_hop_by_hop(&parsed)
                || [HOST, CONTENT_LENGTH, EXPECT].contains(&parsed)
                || SCHEME_HEADERS.contains(&parsed.as_str())
                || parsed == "http2-settings"
                || named.iter().any(|own| own.eq_ignore_ascii_case(name));
            if dropped {
                continue;
            }
            let bytes = exchange.meta.request_header_bytes.iter();
            let exact = bytes
                .filter(|(own, _)| own == name)
                .map(|(_, bytes)| bytes)
                .find(|bytes| bytes.iter().map(|byte| char::from(*byte)).eq(value.chars()));
            let value = match exact {
                Some(bytes) => bytes.to_vec(),
                None => self.at_target(parsed.as_str(), value, request).into_owned().into_bytes(),
            };
            headers.push((parsed, value));
        }
        Draft {
            target: self.target.join(&path).path_and_query,
            headers,
            body: request.body.as_bytes().to_vec(),
        }
    }

    /// `Origin` and `Referer` of the recorded server become those of the target, because servers
    /// compare them with `Host`.
    fn at_target<'v>(&self, name: &str, value: &'v str, request: &Request<'_>) -> Cow<'v, str> {
        if !matches!(name, "origin" | "referer") || request.host.is_empty() {
            return Cow::Borrowed(value);
        }
        let own = format!("{}://{}", request.protocol.as_str(), request.host);
        match value.strip_prefix(&own) {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => {
                let target = &self.target;
                Cow::Owned(format!("{}://{}{rest}", target.protocol.as_str(), target.host))
            }
            _ => Cow::Borrowed(value),
        }
    }
}

/// The lane of an exchange: its client connection, else the session of its credential.
fn lane(exchange: &Exchange<'_>) -> Option<u64> {
    let meta = &exchange.meta;
    if let Some(connection) = meta.connection {
        let run = meta.run.as_deref().unwrap_or_default();
        return Some(XxHash3_64::oneshot_with_seed(connection, run.as_bytes()));
    }
    let headers = &exchange.request.headers;
    let session = headers.iter().filter(|(name, _)| name == "cookie").find_map(|(_, value)| {
        value
            .split(';')
            .map(str::trim)
            .find(|pair| pair.split_once('=').is_some_and(|(name, _)| is_session_cookie(name)))
    });
    let session =
        header(headers, "authorization").or(session).or_else(|| header(headers, "cookie"))?;
    Some(XxHash3_64::oneshot_with_seed(u64::MAX, session.as_bytes()))
}

/// True for requests that lead to another protocol, such as WebSockets.
fn is_upgrade(exchange: &Exchange<'_>) -> bool {
    exchange.response.as_ref().is_some_and(|response| response.status == 101)
        || header(&exchange.request.headers, "sec-websocket-key").is_some()
}

fn named_by_connection<'h>(headers: &'h Pairs<'_>) -> Vec<&'h str> {
    let values = headers.iter().filter(|(name, _)| name == "connection");
    values
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .filter(|name| !matches!(*name, "close" | "keep-alive"))
        .collect()
}

fn trailers(pairs: &Pairs<'_>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value.parse()) {
            map.append(name, value);
        }
    }
    map
}

/// Microseconds since 1970 of an RFC 3339 time.
fn micros(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1000).ok()
}
