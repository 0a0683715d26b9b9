//! Programs of the user edit the answer.

use std::borrow::Cow;

use http::StatusCode;
use http::header::HOST;

use crate::conform::{Api, Server};
use crate::exchange::{Body, Exchange, Meta, Response};
use crate::net::{decoded, recorded_headers};
use crate::recorded::HostRule;

use super::super::answer::{Answer, AnswerSource};
use super::super::call::{Call, Context};
use super::super::callbacks::{Callbacks, Subject};

/// The answer as edited by the callbacks for the request; `api` is the spec of its operation.
pub(super) async fn edit(
    callbacks: &Callbacks,
    context: &Context<'_>,
    call: &Call<'_>,
    api: Option<&Api>,
    mut answer: Answer,
) -> Answer {
    let hosts = likely_hosts(call, api);
    let subject = Subject {
        method: call.parts.method.as_str(),
        named_host: (call.host == HostRule::Same).then_some(&call.request.host),
        hosts: &hosts,
        paths: &paths(context, call),
    };
    for concerned in callbacks.concerned(&subject) {
        let body = decoded(&answer.headers, answer.body.clone());
        let method = call.parts.method.as_str();
        let known = method.parse::<crate::exchange::Method>().is_ok();
        let headers = answer.headers.clone();
        let exchange = Exchange {
            request: call.request.clone(),
            response: Some(Response {
                status: answer.status.as_u16(),
                headers: recorded_headers(&headers),
                body: Body::lent(&body),
                timestamp: None,
            }),
            meta: Meta {
                method: (!known).then_some(Cow::Borrowed(method)),
                scope: context.world.scope().map(|scope| scope.to_string().into()),
                ..Meta::default()
            },
        };
        if let Err(why) = callbacks.edit(&concerned, context.world, &exchange, &mut answer).await {
            return failed(answer, &why);
        }
    }
    answer
}

/// The answer if a callback fails.
fn failed(answer: Answer, why: &str) -> Answer {
    Answer {
        source: Some(AnswerSource::Callback),
        delivery: answer.delivery,
        operation: answer.operation,
        ..Answer::problem(StatusCode::BAD_GATEWAY, "a callback failed", why)
    }
}

/// The possible hosts of a request that does not name its host.
fn likely_hosts<'a>(call: &'a Call<'_>, api: Option<&'a Api>) -> Vec<&'a str> {
    let sent = call.parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let servers = api.map_or(&[][..], |api| &api.servers);
    let of_server = |server: &'a Server| Some(server.origin.as_ref()?.split_once("://")?.1);
    sent.into_iter().chain(servers.iter().filter_map(of_server)).collect()
}

/// The path. If the request names no host, also with and without the base paths of servers.
fn paths(context: &Context<'_>, call: &Call<'_>) -> Vec<String> {
    let sent = call.request.pathname.as_ref();
    let mut paths = vec![sent.to_owned()];
    if call.host == HostRule::Any {
        let servers = context.catalogue.specs.iter().flat_map(|spec| &spec.api.servers);
        for base in servers.map(|server| server.base_path.as_str()).filter(|base| !base.is_empty())
        {
            paths.push(match sent.strip_prefix(base).filter(|rest| rest.starts_with('/')) {
                Some(below) => below.to_owned(),
                None => format!("{base}{sent}"),
            });
        }
    }
    paths
}
