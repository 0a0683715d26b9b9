//! HTTP Archive (HAR 1.2) as a sink. The archive is valid after each entry: the next entry
//! overwrites the closing brackets and adds them again, in one write.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::file_sink::create_private_folder;
use super::sink::{Sink, SinkError};
use crate::exchange::{Body, Exchange, Pairs, header, parse_line, wire_path};

const TAIL: &[u8] = b"\n]}}\n";

/// An archive that entries are added to.
pub(super) struct HarSink {
    path: PathBuf,
    file: File,
    /// The offset of the closing brackets.
    end: u64,
    is_first: bool,
}

impl HarSink {
    /// Creates an archive, or continues one that this sink wrote.
    pub(super) fn open(path: &Path) -> Result<Self, SinkError> {
        Self::try_open(path).map_err(|cause| SinkError::Open { path: path.to_owned(), cause })
    }

    fn try_open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_private_folder(folder)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).mode(0o600).open(path)?;
        // Two writers would overwrite each other's entries.
        file.try_lock().map_err(|_| io::Error::other("another process writes to this archive"))?;
        let length = file.metadata()?.len();
        let path = path.to_owned();
        if length == 0 {
            let version = env!("CARGO_PKG_VERSION");
            let head = format!(
                r#"{{"log":{{"version":"1.2","creator":{{"name":"hmt","version":"{version}"}},"entries":["#
            );
            file.write_all_at(&[head.as_bytes(), TAIL].concat(), 0)?;
            return Ok(HarSink { path, file, end: head.len() as u64, is_first: true });
        }
        let end = length.checked_sub(TAIL.len() as u64);
        let mut tail = [0; TAIL.len() + 1];
        match end {
            Some(end) if end > 0 => file.read_exact_at(&mut tail, end - 1)?,
            _ => {}
        }
        let (before, tail) = (tail[0], &tail[1..]);
        match end.filter(|_| tail == TAIL && matches!(before, b'[' | b'}')) {
            Some(end) => Ok(HarSink { path, file, end, is_first: before == b'[' }),
            None => Err(io::Error::other(
                "this file is not an archive that hmt wrote, so entries cannot be appended; name another file",
            )),
        }
    }

    fn failed(&self, cause: io::Error) -> SinkError {
        SinkError::Write { name: self.path.display().to_string(), cause }
    }
}

impl Sink for HarSink {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        let entry = match parse_line(line) {
            Ok(exchange) => entry(&exchange),
            Err(error) => return Err(self.failed(io::Error::other(error.to_string()))),
        };
        let mut bytes: Vec<u8> = if self.is_first { b"\n".to_vec() } else { b",\n".to_vec() };
        serde_json::to_writer(&mut bytes, &entry).map_err(|error| self.failed(error.into()))?;
        let end = self.end + bytes.len() as u64;
        bytes.extend_from_slice(TAIL);
        if let Err(cause) = self.file.write_all_at(&bytes, self.end) {
            // A part may have been written, so the archive is closed after the previous entry.
            let _ = self.file.set_len(self.end);
            let _ = self.file.write_all_at(TAIL, self.end);
            return Err(self.failed(cause));
        }
        self.end = end;
        self.is_first = false;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.file.sync_data().map_err(|cause| self.failed(cause))
    }

    fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// An exchange as an entry.
fn entry(exchange: &Exchange<'_>) -> Value {
    let (request, meta) = (&exchange.request, &exchange.meta);
    let time = meta.duration_ms.unwrap_or(0.0);
    let method = match &meta.method {
        Some(method) => method.to_string(),
        None => request.method.as_str().to_ascii_uppercase(),
    };
    let path = wire_path(&request.pathname, &request.query, request.wire_query.as_deref());
    let url = match request.host.as_ref() {
        "" => path.into_owned(),
        host => format!("{}://{host}{path}", request.protocol.as_str()),
    };
    let mut asked = json!({
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": listed(&request.headers),
        "queryString": listed(&request.query),
        "headersSize": -1,
        "bodySize": size(&request.body, meta.truncated_request),
    });
    if !request.body.is_empty() {
        asked["postData"] = content(&request.body, &request.headers);
    }
    let mut answered = json!({
        "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "", "headersSize": -1, "bodySize": -1,
    });
    match &exchange.response {
        Some(response) => {
            let standard = http::StatusCode::from_u16(response.status).ok();
            let standard = standard.and_then(|status| status.canonical_reason()).unwrap_or("");
            answered["status"] = response.status.into();
            answered["statusText"] = meta.reason.as_deref().unwrap_or(standard).into();
            answered["httpVersion"] = "HTTP/1.1".into();
            answered["headers"] = listed(&response.headers);
            answered["content"] = content(&response.body, &response.headers);
            answered["content"]["size"] = size(&response.body, meta.truncated_response).into();
            answered["redirectURL"] = header(&response.headers, "location").unwrap_or("").into();
        }
        None => answered["_error"] = meta.error.as_deref().unwrap_or("no response").into(),
    }
    json!({
        "startedDateTime": request.timestamp.as_deref().unwrap_or("1970-01-01T00:00:00.000Z"),
        "time": time,
        "request": asked,
        "response": answered,
        "cache": {},
        "timings": {"send": 0, "wait": time, "receive": 0},
    })
}

fn listed(pairs: &Pairs<'_>) -> Value {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn size(body: &Body<'_>, full: Option<u64>) -> u64 {
    full.unwrap_or(body.as_bytes().len() as u64)
}

/// The body with its media type; binary data in base64.
fn content(body: &Body<'_>, headers: &Pairs<'_>) -> Value {
    let media = header(headers, "content-type").unwrap_or_default();
    let mut content = Map::new();
    content.insert("mimeType".to_owned(), media.into());
    match body {
        Body::Empty => {}
        Body::Text(text) => drop(content.insert("text".to_owned(), text.as_str().into())),
        Body::Binary(bytes) => {
            content.insert("text".to_owned(), STANDARD.encode(bytes).into());
            content.insert("encoding".to_owned(), "base64".into());
        }
    }
    Value::Object(content)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;

    use super::super::capture::{CaptureEntry, CaptureReader as _};
    use super::super::har::Har;
    use super::super::sibling_files::SiblingFiles;
    use super::*;
    use crate::exchange::write_line;

    const LINES: [&str; 3] = [
        r#"{"meta":{"hmt":{"v":1,"durationMs":2.5}},"request":{"method":"post","protocol":"https","host":"a.test","path":"/x?b=1&b=%2F","pathname":"/x","query":{"b":["1","/"]},"headers":{"content-type":"application/json"},"body":"{}","timestamp":"2026-01-02T03:04:05.000006Z"},"response":{"statusCode":201,"headers":{"content-type":"image/png","set-cookie":["a=1","b=2"]},"timestamp":"2026-01-02T03:04:05.002506Z"}}"#,
        r#"{"meta":{"hmt":{"v":1,"responseBodyBase64":"/wD+"}},"request":{"method":"get","host":"a.test","path":"/y"},"response":{"statusCode":200,"headers":{}}}"#,
        r#"{"meta":{"hmt":{"v":1,"error":"refused","method":"PURGE"}},"request":{"method":"post","host":"a.test","path":"/z"}}"#,
    ];

    fn read(path: &Path) -> Vec<Exchange<'static>> {
        let text = fs::read(path).unwrap();
        serde_json::from_slice::<Value>(&text).expect("valid after each entry");
        let mut har = Har::new(Box::new(Cursor::new(text)), SiblingFiles::Nothing);
        let mut all = Vec::new();
        while let CaptureEntry::Exchange(exchange) = har.next().unwrap() {
            all.push(*exchange);
        }
        all
    }

    #[test]
    fn an_archive_is_valid_after_each_entry_and_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.har");
        let mut sink = Box::new(HarSink::open(&path).unwrap());
        assert!(HarSink::open(&path).is_err(), "one writer at a time");
        assert!(read(&path).is_empty());
        for (at, line) in LINES.iter().enumerate() {
            sink.write("a.test", line.as_bytes()).unwrap();
            assert_eq!(read(&path).len(), at + 1);
            sink.close().unwrap();
            sink = Box::new(HarSink::open(&path).unwrap());
        }
        let all = read(&path);
        let mut line = Vec::new();
        write_line(&all[0], &mut line);
        let mut expected = Vec::new();
        write_line(&parse_line(LINES[0].as_bytes()).unwrap(), &mut expected);
        assert_eq!(String::from_utf8(line).unwrap(), String::from_utf8(expected).unwrap());
        assert_eq!(all[1].response.as_ref().unwrap().body, Body::Binary(vec![255, 0, 254].into()));
        assert_eq!(all[2].meta.method.as_deref(), Some("PURGE"));
        assert_eq!(all[2].meta.error.as_deref(), Some("refused"));
    }

    #[test]
    fn what_is_no_archive_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.har");
        for text in ["x", "{\"log\":{\"entries\":[]}}", "{\"log\":{\"entries\":[\n{}\n"] {
            fs::write(&path, text).unwrap();
            assert!(HarSink::open(&path).is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
