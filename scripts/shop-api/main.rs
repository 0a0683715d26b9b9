//! A small real API to record from: products, users, orders, a search, an image; all in memory.
//!
//! `shop-api [PORT]` (0, the default, picks a port) says on standard error where it listens.
//! Answers are compressed for clients that ask for gzip.

mod data;

use std::convert::Infallible;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, LOCATION, VARY,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;
type Orders = Arc<Mutex<Vec<Value>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).map_or(Ok(0), |text| text.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    // In one write, since somebody waits for the line.
    let ready = format!("listening on http://{}\n", listener.local_addr()?);
    std::io::stderr().write_all(ready.as_bytes())?;
    let orders = Orders::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let orders = orders.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| respond(request, &orders));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A client that goes away is no event worth a word.
            let _ =
                http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(request: Request<Incoming>, orders: &Orders) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let gzip = head
        .headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    let answer = match body.collect().await {
        Ok(body) => {
            let query = head.uri.query().unwrap_or_default();
            route(&head.method, head.uri.path(), query, &body.to_bytes(), orders)
        }
        Err(_) => error(StatusCode::BAD_REQUEST, "the body was cut short"),
    };
    Ok(if gzip { compress(answer).await } else { answer })
}

fn route(method: &Method, path: &str, query: &str, body: &[u8], orders: &Orders) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["products"]) => json_answer(StatusCode::OK, &data::list(&Query(query))),
        ("GET", ["products", id]) => found(data::product(id)),
        ("GET", ["products", id, "image"]) => image(id),
        ("GET", ["search"]) => search(&Query(query)),
        ("GET", ["users"]) => json_answer(StatusCode::OK, &Value::Array(data::users())),
        ("GET", ["users", id]) => found(data::user(id)),
        ("POST", ["orders"]) => create(body, orders),
        ("GET", ["orders", id]) => {
            found(with(orders, |all| position(all, id).map(|at| all[at].clone())))
        }
        ("DELETE", ["orders", id]) => cancel(id, orders),
        (_, ["products" | "users" | "orders" | "search", ..]) => {
            error(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this path")
        }
        _ => error(StatusCode::NOT_FOUND, "no such path"),
    }
}

/// The query of a request.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.0.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn number(&self, name: &str, default: usize) -> usize {
        self.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

fn search(query: &Query<'_>) -> Answer {
    match query.get("q") {
        Some(text) => json_answer(StatusCode::OK, &data::search(&text, query.number("limit", 10))),
        None => error(StatusCode::BAD_REQUEST, "the parameter q is missing"),
    }
}

fn image(id: &str) -> Answer {
    if data::product(id).is_none() {
        return error(StatusCode::NOT_FOUND, "no such product");
    }
    let mut answer = Response::new(Full::new(Bytes::from_static(data::PICTURE)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/png"));
    answer.headers_mut().insert(ETAG, HeaderValue::from_static("\"square-1\""));
    answer
}

fn create(body: &[u8], orders: &Orders) -> Answer {
    let Ok(wish) = serde_json::from_slice::<Value>(body) else {
        return error(StatusCode::BAD_REQUEST, "the body is no JSON");
    };
    let Some(user) = wish["user"].as_str().and_then(data::user) else {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "user: no such user");
    };
    let Some((items, total)) = wish["items"].as_array().and_then(|items| data::price(items)) else {
        return error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "items: each needs a product and a quantity",
        );
    };
    let order = with(orders, |all| {
        let id = 1001 + all.len();
        let order = json!({
            "id": id, "user": user["id"], "items": items, "total": total,
            "status": "open", "note": wish["note"].as_str(),
        });
        all.push(order.clone());
        order
    });
    let mut answer = json_answer(StatusCode::CREATED, &order);
    if let Ok(place) = HeaderValue::from_str(&format!("/orders/{}", order["id"])) {
        answer.headers_mut().insert(LOCATION, place);
    }
    answer
}

fn cancel(id: &str, orders: &Orders) -> Answer {
    with(orders, |all| match position(all, id) {
        Some(at) => {
            all[at]["status"] = json!("cancelled");
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        }
        None => error(StatusCode::NOT_FOUND, "not found"),
    })
}

fn position(orders: &[Value], id: &str) -> Option<usize> {
    let id: u64 = id.parse().ok()?;
    orders.iter().position(|order| order["id"] == id)
}

fn with<T>(orders: &Orders, work: impl FnOnce(&mut Vec<Value>) -> T) -> T {
    work(&mut orders.lock().unwrap_or_else(PoisonError::into_inner))
}

fn found(value: Option<Value>) -> Answer {
    match value {
        Some(value) => json_answer(StatusCode::OK, &value),
        None => error(StatusCode::NOT_FOUND, "not found"),
    }
}

fn error(status: StatusCode, message: &str) -> Answer {
    json_answer(status, &json!({"error": {"code": status.as_u16(), "message": message}}))
}

fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Response::new(Full::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn compress(answer: Answer) -> Answer {
    let (mut head, body) = answer.into_parts();
    let Ok(plain) = body.collect().await.map(http_body_util::Collected::to_bytes);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(&plain).and_then(|()| encoder.finish()) {
        Ok(packed) if !plain.is_empty() => {
            head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            head.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
            Response::from_parts(head, Full::from(packed))
        }
        _ => Response::from_parts(head, Full::new(plain)),
    }
}
