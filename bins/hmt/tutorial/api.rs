//! The API that the tutorial records: products, users, orders, a search and an image, in memory.

mod data;

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};

type Answer = Response<Full<Bytes>>;

/// The API while it runs.
pub(super) struct Api {
    pub(super) url: String,
    shop: Arc<Shop>,
    task: JoinHandle<()>,
}

/// The state that the handlers share.
#[derive(Default)]
struct Shop {
    orders: Mutex<Vec<Value>>,
    /// Whether the second version of the API is deployed.
    is_changed: AtomicBool,
}

impl Api {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// No port is free.
    pub(super) fn start(runtime: &Runtime) -> io::Result<Api> {
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}", listener.local_addr()?);
        let shop = Arc::new(Shop::default());
        let task = runtime.spawn(accept(listener, Arc::clone(&shop)));
        Ok(Api { url, shop, task })
    }

    /// Deploys a second version: the amount of a price is a text, and products have a rating.
    pub(super) fn change(&self) {
        self.shop.is_changed.store(true, Ordering::Relaxed);
    }

    /// Ends it.
    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shop: Arc<Shop>) {
    // The connections end with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shop = Arc::clone(&shop);
        connections.spawn(async move {
            let service = service_fn(|request| respond(request, &shop));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A client that disconnects is not an error.
            let _ =
                http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(request: Request<Incoming>, shop: &Shop) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    Ok(match body.collect().await {
        Ok(body) => {
            let query = head.uri.query().unwrap_or_default();
            route(&head.method, head.uri.path(), query, &body.to_bytes(), shop)
        }
        Err(_) => error(StatusCode::BAD_REQUEST, "the body was cut short"),
    })
}

fn route(method: &Method, path: &str, query: &str, body: &[u8], shop: &Shop) -> Answer {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["products"]) => json_answer(StatusCode::OK, &data::list(&Query(query))),
        ("GET", ["products", id]) => found(data::product(id).map(|product| shop.now(product))),
        ("GET", ["products", id, "image"]) => image(id),
        ("GET", ["search"]) => search(&Query(query)),
        ("GET", ["users"]) => json_answer(StatusCode::OK, &Value::Array(data::users())),
        ("GET", ["users", id]) => found(data::user(id)),
        ("GET", ["orders"]) => json_answer(StatusCode::OK, &Value::Array(shop.list())),
        ("POST", ["orders"]) => create(body, shop),
        ("GET", ["orders", id]) => {
            found(with(shop, |all| position(all, id).map(|at| all[at].clone())))
        }
        ("DELETE", ["orders", id]) => delete(id, shop),
        (_, ["products" | "users" | "orders" | "search", ..]) => {
            error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        }
        _ => error(StatusCode::NOT_FOUND, "no such path"),
    }
}

impl Shop {
    /// A product as the deployed version of the API returns it.
    fn now(&self, mut product: Value) -> Value {
        if self.is_changed.load(Ordering::Relaxed) {
            product["price"]["amount"] = json!(product["price"]["amount"].to_string());
            product["rating"] = json!(4.5);
        }
        product
    }

    fn list(&self) -> Vec<Value> {
        with(self, |all| all.clone())
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

fn create(body: &[u8], shop: &Shop) -> Answer {
    let Ok(order) = serde_json::from_slice::<Value>(body) else {
        return error(StatusCode::BAD_REQUEST, "the body is not JSON");
    };
    let Some(user) = order["user"].as_str().and_then(data::user) else {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "user: no such user");
    };
    let Some((items, total)) = order["items"].as_array().and_then(|items| data::price(items))
    else {
        return error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "items: each needs a product and a quantity",
        );
    };
    let order = with(shop, |all| {
        let id = all.last().and_then(|order| order["id"].as_u64()).unwrap_or(1000) + 1;
        let order = json!({
            "id": id, "user": user["id"], "items": items, "total": total,
            "status": "open", "note": order["note"].as_str(),
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

fn delete(id: &str, shop: &Shop) -> Answer {
    with(shop, |all| match position(all, id) {
        Some(at) => {
            all.remove(at);
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

fn with<T>(shop: &Shop, work: impl FnOnce(&mut Vec<Value>) -> T) -> T {
    work(&mut shop.orders.lock())
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
