//! The mock itself: specs, recordings and state, and the chain of answers.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderValue, StatusCode, header::ALLOW};
use serde_json::Map;

use crate::conform::{Api, Base, Found, Matched, Verb};
use crate::exchange::{Method, Request};
use crate::recorded::{HostRule, MatchRule, Recordings};
use crate::spec::{Document, check_refs};

use super::choose::Chooser;
use super::compile::Served;
use super::media::Accept;
use super::reply::Reply;
use super::state::State;
use super::wish::Wish;

/// How a mock answers.
#[derive(Clone, Debug)]
pub struct Options {
    /// Check credentials and requests against the spec.
    pub validate: bool,
    /// Generated data, without recordings and examples.
    pub dynamic: bool,
    /// Makes generated data a function of the request.
    pub seed: Option<u64>,
}

/// Why documents cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A `$ref` leads nowhere.
    #[error(transparent)]
    Spec(#[from] crate::spec::SpecError),
    /// Something in the document has a form that cannot be served.
    #[error(transparent)]
    Conform(#[from] crate::conform::ConformError),
    /// `x-hmt-replay` is malformed.
    #[error("{0}: {1}")]
    Replay(String, #[source] crate::recorded::ReplayError),
    /// `x-hmt-data` is malformed.
    #[error(transparent)]
    Data(#[from] super::state::DataError),
}

/// Specs made ready to answer requests. Shared by all connections; nothing in it changes but the state and
/// the places in sequences of recordings.
#[derive(Debug)]
pub struct Mock {
    specs: Vec<Served>,
    recordings: Recordings,
    options: Options,
    state: State,
}

/// A request and what its connection knows of it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The method as sent.
    pub method: &'a http::Method,
    /// The request; its method is of no meaning where `method` is none of the nine.
    pub request: Request<'a>,
    /// The headers as sent.
    pub headers: &'a HeaderMap,
    /// The query as sent.
    pub raw_query: &'a str,
    /// Whether the request names the host that it means.
    pub host: HostRule,
}

impl Mock {
    /// Compiles documents, in the order of precedence.
    ///
    /// # Errors
    /// The place in the document that cannot be served.
    pub fn compile(documents: Vec<Document>, options: Options) -> Result<Mock, CompileError> {
        let mut recordings = Recordings::new(MatchRule::default());
        let mut specs = Vec::with_capacity(documents.len());
        let state = State::new(documents.iter().map(|document| &document.root))?;
        for document in documents {
            check_refs(&document)?;
            recordings
                .add_document(&document.root)
                .map_err(|error| CompileError::Replay(document.source.clone(), error))?;
            let api = Api::compile(&document)?;
            // A large one and its plans together would be the most memory that there ever is.
            drop(document);
            specs.push(Served::compile(api));
        }
        Ok(Mock { specs, recordings, options, state })
    }

    /// What was wrong with the documents without making them unusable.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.specs.iter().flat_map(|spec| {
            let (api, source) = (&spec.api, &spec.api.source);
            let all = api.warnings.iter().chain(&api.schemas.warnings).chain(&spec.warnings);
            all.map(move |warning| format!("{source}: {warning}"))
        })
    }

    /// What is remembered between requests.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The recordings of all documents.
    pub fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    /// Lets recorded pseudonyms match only the secrets that they were made of.
    pub fn set_pseudonym(&mut self, of: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.recordings.set_pseudonym(of);
    }

    /// How many specs there are.
    pub fn specs(&self) -> usize {
        self.specs.len()
    }

    /// How many operations there are in all specs.
    pub fn operations(&self) -> usize {
        self.specs.iter().map(|spec| spec.api.operations.len()).sum()
    }

    /// True where a spec or a recording names this host.
    pub fn knows_host(&self, host: &str) -> bool {
        let origins = origins(host);
        let named = |spec: &Served| origins.iter().any(|origin| spec.api.has_origin(origin));
        self.recordings.knows_host(host) || self.specs.iter().any(named)
    }

    /// The answer to a request.
    pub fn answer(&self, mut asked: Asked<'_>) -> Reply {
        let wish = Wish::take(asked.headers, &mut asked.request.query);
        let dynamic = wish.dynamic.unwrap_or(self.options.dynamic);
        let method = verb(asked.method);
        if matches!(method, Verb::Known(_))
            && !dynamic
            && !wish.skips_recordings()
            && let Some(answer) = self.recordings.answer(&asked.request, asked.host)
        {
            return Reply::recorded(&answer);
        }
        let (spec, mut matched) = match self.route(&asked, method) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        matched.raw_query = asked.raw_query.contains('%').then(|| asked.raw_query.to_owned());
        let plan = spec.plan(matched.id);
        let chooser = Chooser {
            plan,
            schemas: &spec.api.schemas,
            lead: plan.leads.of(&matched, &asked.request),
            request: &asked.request,
            accept: &Accept::of(asked.headers),
            wish: &wish,
            dynamic,
            seed: self.options.seed,
        };
        let mut reply = self.checked(spec, &matched, &asked, &chooser);
        for (name, value) in &plan.farewell {
            // What the response declares itself goes first.
            reply.headers.entry(name).or_insert_with(|| value.clone());
        }
        reply
    }

    /// The answer of an operation, once credentials and request are found to be in order.
    fn checked(
        &self,
        spec: &Served,
        matched: &Matched<'_>,
        asked: &Asked<'_>,
        chooser: &Chooser<'_>,
    ) -> Reply {
        if self.options.validate {
            if !chooser.plan.credentials.are_brought(&asked.request) {
                return chooser.unauthorised();
            }
            let violations = spec.api.validate_request(matched, &asked.request);
            if !violations.is_empty() {
                return chooser.invalid(&violations);
            }
        }
        chooser.answer()
    }

    /// The operation of a request: the most specific one; a tie goes to the spec given first.
    fn route<'a>(
        &'a self,
        asked: &Asked<'_>,
        method: Verb<'a>,
    ) -> Result<(&'a Served, Matched<'a>), Box<Reply>> {
        let mut best: Option<(&Served, Matched<'_>)> = None;
        let mut allowed = BTreeSet::new();
        let mut near = None;
        for spec in &self.specs {
            match find(&spec.api, asked, method) {
                // HTTP asks every server for HEAD beside GET (RFC 9110, 9.1).
                Found::MethodNotAllowed(methods)
                    if method == Method::Head.into() && methods.contains(&Method::Get.into()) =>
                {
                    let get = find(&spec.api, asked, Method::Get.into());
                    if let Found::Operation(matched) = get {
                        more_specific(&mut best, spec, matched);
                    }
                }
                Found::Operation(matched) => more_specific(&mut best, spec, matched),
                Found::MethodNotAllowed(methods) => allowed.extend(methods),
                Found::NotFound(nearest) => near = near.or(nearest),
            }
        }
        match best {
            Some(best) => Ok(best),
            None if allowed.is_empty() => Err(Box::new(self.not_found(asked, near))),
            None => Err(Box::new(not_allowed(asked.method, &allowed))),
        }
    }

    fn not_found(&self, asked: &Asked<'_>, near: Option<String>) -> Reply {
        let request = &asked.request;
        let any_host =
            self.specs.iter().any(|spec| spec.api.servers.iter().any(|s| s.origin.is_none()));
        if asked.host == HostRule::Same && !any_host && !self.knows_host(&request.host) {
            let detail = format!("no spec has a server at {}", request.host);
            let problem = Reply::problem(StatusCode::NOT_FOUND, "unknown host", &detail);
            return Reply { missed: true, ..problem };
        }
        let mut detail = format!("no path of the specs matches {}", request.pathname);
        let mut extra = Map::new();
        if let Some(near) = near {
            detail.push_str("; the nearest: ");
            detail.push_str(&near);
            extra.insert("nearest".to_owned(), near.into());
        }
        let problem = Reply::problem_with(StatusCode::NOT_FOUND, "unknown path", &detail, extra);
        Reply { missed: true, ..problem }
    }
}

/// Looks in one spec. Where a host is meant the base path is needed, and the scheme has no say: a mock speaks for
/// both.
fn find<'a>(api: &'a Api, asked: &Asked<'_>, method: Verb<'a>) -> Found<'a> {
    let path = asked.request.pathname.as_ref();
    if asked.host == HostRule::Any {
        return api.find(method, path, Base::Optional);
    }
    let [own, other] = origins(&asked.request.host);
    match api.find_at(method, Some(&own), path, Base::Required) {
        Found::NotFound(_) => api.find_at(method, Some(&other), path, Base::Required),
        found => found,
    }
}

fn origins(host: &str) -> [String; 2] {
    [format!("https://{host}"), format!("http://{host}")]
}

fn verb(method: &http::Method) -> Verb<'_> {
    match method.as_str().parse::<Method>() {
        Ok(method) => Verb::Known(method),
        Err(_) => Verb::Other(method.as_str()),
    }
}

fn more_specific<'a>(
    best: &mut Option<(&'a Served, Matched<'a>)>,
    spec: &'a Served,
    matched: Matched<'a>,
) {
    if best.as_ref().is_none_or(|(_, other)| matched.specificity > other.specificity) {
        *best = Some((spec, matched));
    }
}

/// OPTIONS tells what the path has (RFC 9110, section 9.3.7); every other method is refused with the same.
fn not_allowed(method: &http::Method, allowed: &BTreeSet<Verb<'_>>) -> Reply {
    let mut names: BTreeSet<String> = allowed.iter().map(Verb::to_string).collect();
    names.insert(Verb::from(Method::Options).to_string());
    if allowed.contains(&Method::Get.into()) {
        names.insert(Verb::from(Method::Head).to_string());
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let mut reply = if *method == http::Method::OPTIONS {
        Reply::empty(StatusCode::NO_CONTENT)
    } else {
        let detail = format!("the path has no {method}; it has: {names}");
        let title = "unknown method of the path";
        Reply { missed: true, ..Reply::problem(StatusCode::METHOD_NOT_ALLOWED, title, &detail) }
    };
    if let Ok(value) = HeaderValue::from_str(&names) {
        reply.headers.insert(ALLOW, value);
    }
    reply
}
