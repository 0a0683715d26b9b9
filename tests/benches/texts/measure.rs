//! Measures the code for texts that is written for speed, each beside the plain way to do the same.
//!
//! The modules are compiled from their files, because they are no part of the library's interface.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hmt_core::exchange::{Body, parse_line};
use hmt_core::infer::{Builder, Mode, StateConfig};
use serde_json::json;

#[allow(dead_code)]
#[path = "../../../lib/src/exchange/escape/mod.rs"]
mod escape;
#[allow(dead_code)]
#[path = "../../../lib/src/infer/sketch/key.rs"]
mod key;
#[allow(dead_code)]
#[path = "../../../lib/src/exchange/unescape.rs"]
mod unescape;

/// Size of the JSON text in bytes.
const SIZE: usize = 64 << 10;

pub(crate) fn measure() {
    // With `--once` nothing is measured, for tests.
    let once = std::env::args().any(|argument| argument == "--once");
    let time = if once { Duration::ZERO } else { Duration::from_secs(2) };
    let body = body();
    let literal = serde_json::to_string(&body).expect("a string");
    let inner = &literal[1..literal.len() - 1];

    compare(
        "escape",
        best(time, || {
            let mut out = Vec::new();
            escape::push_string(black_box(&body), &mut out);
            black_box(out);
        }),
        best(time, || {
            black_box(serde_json::to_vec(black_box(&body)).expect("a string"));
        }),
    );
    compare(
        "unescape",
        best(time, || {
            black_box(unescape::plain(black_box(inner.as_bytes())));
        }),
        best(time, || {
            black_box(serde_json::from_str::<String>(black_box(&literal)).expect("a string"));
        }),
    );

    // A body that is still a literal, and the same body as text.
    let line = json!({
        "request": {"method": "get", "protocol": "https", "host": "h", "path": "/a"},
        "response": {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body},
    });
    let line = line.to_string();
    let mut owned = parse_line(line.as_bytes()).expect("an exchange");
    if let Some(response) = &mut owned.response {
        response.body = Body::from_bytes(body.clone().into_bytes());
    }
    let mut builder = Builder::new(StateConfig::new(Mode::Gen));
    compare(
        "fold of a line",
        best(time, || {
            let exchange = parse_line(black_box(line.as_bytes())).expect("an exchange");
            black_box(builder.fold(&exchange));
        }),
        best(time, || {
            let exchange = parse_line(black_box(line.as_bytes())).expect("an exchange");
            let text = exchange.response.as_ref().and_then(|response| response.body.as_str());
            black_box(text.map(str::len));
            black_box(builder.fold(black_box(&owned)));
        }),
    );

    // Keys in separate allocations, as in a state.
    let words = ["id", "name", "createdAt", "updated_at", "status", "owner", "url", "description"];
    let names: Vec<String> =
        (0..64).map(|n| format!("{}{}", words[n % 8], ["", "Id", "_2"][n / 8 % 3])).collect();
    let mut sorted: Vec<Box<str>> = names.iter().map(|name| name.as_str().into()).collect();
    sorted.sort();
    let keys: Vec<key::Key> =
        sorted.iter().map(|name| key::Key::new(name, key::Ends::of(name))).collect();
    compare(
        "lookup of 64 names",
        best(time, || {
            for name in black_box(&names) {
                let ends = key::Ends::of(name);
                let found = keys.binary_search_by(|key| key.cmp(name, ends));
                black_box(found.is_ok());
            }
        }),
        best(time, || {
            for name in black_box(&names) {
                black_box(sorted.binary_search_by(|key| (**key).cmp(name.as_str())).is_ok());
            }
        }),
    );
}

/// The shortest of many runs.
fn best(time: Duration, mut run: impl FnMut()) -> Duration {
    let (begin, mut best) = (Instant::now(), Duration::MAX);
    loop {
        let round = Instant::now();
        run();
        best = best.min(round.elapsed());
        if begin.elapsed() >= time {
            return best;
        }
    }
}

fn compare(name: &str, fast: Duration, plain: Duration) {
    println!("{name:>20}: {:>9} ns, plain {:>9} ns", fast.as_nanos(), plain.as_nanos());
}

/// JSON with many quotes.
fn body() -> String {
    let mut body = String::from("[");
    while body.len() < SIZE {
        let item = json!({"id": body.len(), "name": "a name", "active": true, "tags": ["x", "y"], "note": "two\nlines"});
        body.push_str(&item.to_string());
        body.push(',');
    }
    body.push_str("null]");
    body
}
