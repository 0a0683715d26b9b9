//! A panic only affects its own exchange. No sink of HMT panics, so the test has one.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hmt_core::exchange::Selection;
use hmt_core::net::{Limits, Target, bind};
use hmt_core::record::{
    DeliveryPolicy, Output, Proxies, RecorderConfig, Routing, Summary, TargetPolicy, Trust, record,
};
use hmt_core::stream::{Sink, SinkError};
use tokio::sync::oneshot;

use crate::harness::{HANG, Reply, Request, Upstream};

/// Panics at records of `/panic`.
struct Fragile(Arc<Mutex<Vec<String>>>);

impl Sink for Fragile {
    fn write(&mut self, _: &str, line: &[u8]) -> Result<(), SinkError> {
        let line = String::from_utf8_lossy(line).into_owned();
        assert!(!line.contains("/panic"), "as the test asks");
        self.0.lock().unwrap().push(line);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

fn config(upstream: &Upstream) -> RecorderConfig {
    RecorderConfig {
        via: false,
        rewrite_redirects: true,
        routing: Routing::Fixed(Target::from_url(&upstream.url()).unwrap()),
        policy: TargetPolicy::default(),
        trust: Trust::new(None).unwrap(),
        proxies: Proxies::from_environment(|_| None).unwrap(),
        authority: None,
        max_body: 1 << 20,
        filter: Selection::default(),
        spec: None,
        delivery: DeliveryPolicy::default(),
        timeout: HANG,
        connect_timeout: HANG,
        grace: Duration::from_secs(10),
        redactor: None,
        trace: None,
        watch: None,
        limits: Limits::default(),
    }
}

/// Requests `/panic` after another path, and before one if the recorder continues; returns its
/// response, the summary, and the records.
fn run(may_wait: bool) -> (String, Summary, Vec<String>) {
    let upstream = Upstream::start(|_| Reply::new(200, &[], "an answer"));
    let records = Arc::new(Mutex::new(Vec::new()));
    let output = Output { sink: Box::new(Fragile(records.clone())), may_wait };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0, "-p")).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = runtime.spawn(record(listener, config(&upstream), vec![output], async {
        let _ = stopped.await;
    }));
    let get = |path: &str| Request::new("GET", &format!("http://{address}{path}")).send();
    assert_eq!(get("/before").status, 200);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.write_all(b"GET /panic HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    if !may_wait {
        assert_eq!(get("/after").status, 200);
    }
    if !may_wait {
        stop.send(()).unwrap();
    }
    let summary = runtime.block_on(task).unwrap().unwrap();
    assert_eq!(summary.seen, summary.written + summary.dropped.values().sum::<u64>(), "{summary}");
    let records = records.lock().unwrap().clone();
    (answer, summary, records)
}

#[test]
fn the_task_of_a_connection_panics() {
    let (answer, summary, records) = run(false);
    // Without a record, the response must not be complete.
    assert_eq!(answer, "");
    assert_eq!((summary.written, records.len(), summary.sink_error), (2, 2, None));
}

#[test]
fn the_thread_of_the_sinks_panics() {
    // Nobody stops the recorder: it must not run without recording.
    let (_, summary, records) = run(true);
    let error = summary.sink_error.as_deref();
    assert_eq!(error, Some("the thread that writes records failed"));
    assert_eq!((summary.written, records.len()), (1, 1));
}
