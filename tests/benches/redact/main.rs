//! Measures the search for secrets in exchanges that contain none, because most exchanges contain
//! none.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use hmt_core::exchange::{RedactOptions, Redactor, parse_line};
use serde_json::json;

/// Duration of each measurement.
const TIME: Duration = Duration::from_secs(2);

fn main() {
    let once = std::env::args().any(|argument| argument == "--once");
    let redactor = Redactor::new(&[7; 32], &RedactOptions::default()).expect("no patterns");
    for size in [0, 1 << 10, 64 << 10, 1 << 20] {
        let line = exchange(size);
        let mut exchange = parse_line(&line).expect("an exchange");
        redactor.apply(&mut exchange);
        assert!(exchange.meta.redacted.is_empty(), "there is no secret");
        if once {
            continue;
        }
        let (begin, mut best) = (Instant::now(), Duration::MAX);
        while begin.elapsed() < TIME {
            let round = Instant::now();
            for _ in 0..10 {
                redactor.apply(black_box(&mut exchange));
            }
            best = best.min(round.elapsed() / 10);
        }
        let nanoseconds = best.as_nanos();
        let each = if size == 0 { nanoseconds } else { nanoseconds * 1024 / size as u128 };
        println!("{size:>8} bytes: {nanoseconds:>8} ns, {each:>5} ns for a KiB");
    }
}

/// A line of a recording whose response is JSON of `size` bytes.
fn exchange(size: usize) -> Vec<u8> {
    let words = ["winter", "garden", "author", "keyboard", "passenger list", "a description"];
    let mut body = String::from("[");
    let mut random = 1_u64;
    while body.len() < size {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let word = |shift: u32| words[(random >> shift) as usize % words.len()];
        let item = json!({
            "id": random >> 40, "name": word(8), "createdAt": "2024-05-06T10:11:12Z", "tags": [word(16), word(24)],
            "price": (random >> 50) as f64 / 100.0, "active": true, "author": word(32),
            "url": format!("https://api.example.com/v1/items/{}?page=2", random >> 48),
            "email": format!("jo{}@example.com", random >> 56),
            "uuid": format!("{:08x}-7c1d-4a2b-9c3d-1e2f3a4b5c6d", random >> 32),
        });
        body.push_str(&item.to_string());
        body.push(',');
    }
    body.truncate(size);
    let record = json!({
        "request": {"method": "get", "protocol": "https", "host": "api.example.com", "path": "/v1/items?page=2&sort=name",
            "pathname": "/v1/items", "query": {"page": "2", "sort": "name"}, "headers": {
            "host": "api.example.com", "accept": "application/json, text/plain, */*", "accept-encoding": "gzip, deflate, br",
            "accept-language": "en-US,en;q=0.9", "connection": "keep-alive", "referer": "https://www.example.com/list?page=1",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
            "sec-fetch-mode": "cors", "cache-control": "no-cache"}},
        "response": {"statusCode": 200, "body": body, "headers": {
            "content-type": "application/json; charset=utf-8", "content-length": "1", "date": "Mon, 06 May 2024 10:11:12 GMT",
            "server": "nginx", "cache-control": "max-age=0, private, must-revalidate", "etag": "W/\"5f1c-9f86d081\"",
            "vary": "Accept-Encoding", "x-request-id": "0b8f8f0e-7c1d-4a2b-9c3d-1e2f3a4b5c6d",
            "strict-transport-security": "max-age=31536000; includeSubDomains"}},
    });
    record.to_string().into_bytes()
}
