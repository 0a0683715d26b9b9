use std::io::{Cursor, Write as _};

use proptest::prelude::*;

use super::super::MAX_LINE;
use super::super::block::Record;
use super::*;
use crate::exchange::parse_line;

/// A reader that returns at most `step` bytes at a time.
struct Steps {
    input: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Steps {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.step);
        self.input.read(&mut buffer[..length])
    }
}

fn all(reader: &mut Reader) -> Vec<(String, u64, String)> {
    let mut found = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        for (number, record) in block.records() {
            let text = match record {
                Record::Line(line) => String::from_utf8_lossy(line).into_owned(),
                Record::TornTail(line) => format!("torn {}", String::from_utf8_lossy(line)),
                Record::TooLong(size) => format!("too long {size}"),
                Record::Rejected(error) => format!("rejected {error}"),
            };
            found.push((block.source.to_string(), number, text));
        }
    }
    found
}

fn stdin(bytes: impl Into<Vec<u8>>, step: usize, block_size: usize) -> Vec<(u64, String)> {
    let input = Steps { input: Cursor::new(bytes.into()), step };
    let mut reader = Reader::open(&[Locator::Stdio], Some(Box::new(input)), block_size).unwrap();
    all(&mut reader).into_iter().map(|(_, number, text)| (number, text)).collect()
}

fn file(path: &Path, block_size: usize) -> Vec<(u64, String)> {
    let mut reader = Reader::open(&[Locator::File(path.to_owned())], None, block_size).unwrap();
    all(&mut reader).into_iter().map(|(_, number, text)| (number, text)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn blank_lines_marks_and_carriage_returns() {
    let text = "\u{feff}{\"a\":1}\r\n\n  \r\n{\"b\":2}\n\u{feff}3\r\n4";
    let expected = [(1, "{\"a\":1}"), (4, "{\"b\":2}"), (5, "\u{feff}3"), (6, "4")];
    let expected = expected.map(|(number, text)| (number, text.to_owned()));
    for step in [1, 3, 1000] {
        for block_size in [1, 7, 1000] {
            assert_eq!(stdin(text, step, block_size), expected, "step {step}, block {block_size}");
        }
    }
    assert_eq!(stdin("", 1, 10), []);
    assert_eq!(stdin("\n\n\r\n", 1, 10), []);
}

#[test]
fn an_unfinished_last_line_is_told_from_a_whole_and_from_a_wrong_one() {
    assert_eq!(stdin("1\n{\"a\":", 9, 10), [(1, "1".to_owned()), (2, "torn {\"a\":".to_owned())]);
    assert_eq!(stdin("1\n{\"a\":1}", 9, 10), [(1, "1".to_owned()), (2, "{\"a\":1}".to_owned())]);
    assert_eq!(stdin("1\n{]", 9, 10), [(1, "1".to_owned()), (2, "{]".to_owned())]);
    assert_eq!(stdin(b"{\"a\":\"\xe2\x82".to_vec(), 9, 10).len(), 1);
}

#[test]
fn a_line_over_the_limit_is_counted_not_held() {
    let mut text = b"1\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', MAX_LINE + 5));
    text.extend_from_slice(b"\n2\n");
    let expected =
        [(1, "1".to_owned()), (2, format!("too long {}", MAX_LINE + 5)), (3, "2".to_owned())];
    assert_eq!(stdin(text.clone(), 1 << 20, 1 << 20), expected);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, &text).unwrap();
    assert_eq!(file(&path, 1 << 16), expected);
    // The longest possible line.
    let mut text = vec![b'y'; MAX_LINE];
    text.extend_from_slice(b"\n2");
    fs::write(&path, &text).unwrap();
    let lengths: Vec<usize> = file(&path, 1 << 20).iter().map(|(_, text)| text.len()).collect();
    assert_eq!(lengths, [MAX_LINE, 1]);
}

#[test]
fn packed_sources_are_told_by_their_bytes() {
    let lines = "{\"a\":1}\n{\"b\":2}\n";
    let expected = [(1, "{\"a\":1}".to_owned()), (2, "{\"b\":2}".to_owned())];
    let zstd = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    // Two members, as in an appended log.
    let gzip = [gzip(b"{\"a\":1}\n"), gzip(b"{\"b\":2}\n")].concat();
    for packed in [lines.as_bytes(), &zstd, &gzip] {
        for step in [1, 1000] {
            assert_eq!(stdin(packed, step, 5), expected);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, packed).unwrap();
        assert_eq!(file(&path, 5), expected);
    }
}

/// True for the record that says so. In zstd, the end of a flush cannot be told from a cut.
fn is_cut(record: &str) -> bool {
    record.starts_with("rejected the compressed file is cut off here") || record == "torn "
}

#[test]
fn a_packed_file_of_a_running_recorder_is_not_cut() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"1\n2\n").unwrap();
    encoder.flush().unwrap();
    let found = stdin(encoder.get_ref().clone(), 1000, 512);
    assert_eq!(found, [(1, "1".to_owned()), (2, "2".to_owned()), (3, "torn ".to_owned())]);
}

#[test]
fn a_packed_file_that_breaks_off_gives_what_it_has() {
    let mut text = String::new();
    for number in 0..2000 {
        text.push_str(&format!("{{\"n\":{}}}\n", number * 7919 % 10_007));
    }
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    for packed in [gzip(text.as_bytes()), zstd] {
        for cut in [packed.len() - 1, packed.len() / 2, 20] {
            let found = stdin(&packed[..cut], 1000, 512);
            let (last, whole) = found.split_last().unwrap();
            assert!(is_cut(&last.1), "{last:?}");
            for (at, (number, line)) in whole.iter().enumerate() {
                assert_eq!(*number, at as u64 + 1);
                assert_eq!(line, text.lines().nth(at).unwrap());
            }
        }
    }
}

#[test]
fn a_folder_gives_its_captures_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("b.jsonl"), "2\n").unwrap();
    fs::write(path("a.ndjson.gz"), gzip(b"1\n")).unwrap();
    fs::write(path("c.txt"), "no\n").unwrap();
    fs::write(path("d.har"), r#"{"log":{"entries":[]}}"#).unwrap();
    fs::create_dir(path("e.jsonl")).unwrap();
    let mut reader = Reader::open(&[Locator::Dir(folder.path().to_owned())], None, 100).unwrap();
    let texts: Vec<String> = all(&mut reader).into_iter().map(|found| found.2).collect();
    assert_eq!(texts, ["1", "2"]);

    let empty = path("e.jsonl");
    let error = Reader::open(&[Locator::Dir(empty.clone())], None, 100).err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with(&format!("{}: this folder contains no captures", empty.display()))
    );
}

#[test]
fn what_cannot_be_opened_is_named() {
    let open = |locator: Locator| match Reader::open(&[locator], None, 100) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    };
    let missing = "no such file or folder; check the name, or record traffic with hmt-record";
    assert_eq!(open(Locator::File("no/such.jsonl".into())), format!("no/such.jsonl: {missing}"));
    assert_eq!(open(Locator::Dir("no/such".into())), format!("no/such: {missing}"));
    assert!(open(Locator::Stdio).contains("standard input"));
}

#[test]
fn a_packed_file_may_break_off_anywhere() {
    let text = b"{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n".repeat(9);
    for packed in [gzip(&text), zstd::encode_all(text.as_slice(), 1).unwrap()] {
        for cut in 4..packed.len() {
            let found = stdin(&packed[..cut], 1000, 512);
            let is_cut = found.last().is_some_and(|(_, line)| is_cut(line));
            assert!(is_cut, "{cut} of {}: {found:?}", packed.len());
        }
    }
}

proptest! {
    #[test]
    fn blocks_change_nothing(
        lines in prop::collection::vec("[0-9]{0,6}", 0..12),
        step in 1..9_usize,
        block_size in 1..20_usize,
        newline_at_end in any::<bool>(),
    ) {
        let mut text = lines.join("\n");
        if newline_at_end {
            text.push('\n');
        }
        let expected: Vec<(u64, String)> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(at, line)| (at as u64 + 1, line.to_owned()))
            .collect();
        prop_assert_eq!(stdin(text.clone(), step, block_size), expected.clone());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, &text).unwrap();
        let found: Vec<(u64, String)> = file(&path, block_size);
        prop_assert_eq!(found, expected);
    }
}

/// The line of each record of a fixture, or why it is rejected.
fn fixture(name: &str) -> Vec<(u64, Result<String, String>)> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordings").join(name);
    let mut reader = Reader::open(&[Locator::File(path)], None, 256).unwrap();
    let mut found = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        for (number, record) in block.records() {
            let outcome = match record {
                Record::Line(line) => match parse_line(line) {
                    Ok(exchange) => Ok(format!(
                        "{} {}{} {}",
                        exchange.request.method,
                        exchange.request.host,
                        exchange.request.pathname,
                        exchange.response.map_or(0, |response| response.status)
                    )),
                    Err(error) => Err(error.to_string()),
                },
                Record::TornTail(_) => Err("torn".to_owned()),
                Record::TooLong(_) => Err("too long".to_owned()),
                Record::Rejected(error) => Err(error.to_string()),
            };
            found.push((number, outcome));
        }
    }
    found
}

#[test]
fn odd_lines_are_read() {
    let expected = [
        (1, "get api.example.com/users/1 200"),
        (4, "get api.example.com/users/2 200"),
        (5, "get api.example.com/users/3 404"),
        (6, "post api.example.com/users 201"),
        (7, "get api.example.com/users/5 200"),
        (8, "get api.example.com/logo.png 200"),
        (9, "get api.example.com/down 0"),
    ];
    assert_eq!(fixture("odd.jsonl"), expected.map(|(number, text)| (number, Ok(text.to_owned()))));
}

#[test]
fn bad_lines_are_rejected_one_by_one() {
    let found = fixture("bad.jsonl");
    assert_eq!(found.len(), 16);
    for (at, (number, outcome)) in found.iter().enumerate() {
        assert_eq!(*number, at as u64 + 1);
        assert!(outcome.is_err(), "line {number}: {outcome:?}");
    }
    let torn = fixture("torn.jsonl");
    assert_eq!(torn, [(1, Ok("get h/a 200".to_owned())), (2, Err("torn".to_owned()))]);
}

#[test]
fn a_browsers_archive_is_read() {
    let found = fixture("browser.har");
    let expected = [
        "post shop.example.com/api/carts 201",
        "get shop.example.com/logo.png 200",
        "get ads.example.net/x 0",
    ];
    for (at, text) in expected.iter().enumerate() {
        assert_eq!(found[at], (at as u64 + 1, Ok((*text).to_owned())));
    }
    assert_eq!(found.len(), 3, "an image in its URL is no exchange");
}

/// A zip archive of stored and deflated members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (at, (name, bytes)) in members.iter().enumerate() {
        let mut packed = bytes.to_vec();
        let method: u16 = if at % 2 == 0 { 8 } else { 0 };
        if method == 8 {
            let level = flate2::Compression::best();
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            packed = encoder.finish().unwrap();
        }
        let start = out.len() as u32;
        let sizes = [packed.len() as u32, bytes.len() as u32];
        let mut common = [20_u16, 0, method, 0, 0].map(u16::to_le_bytes).concat();
        common.extend_from_slice(&[0; 4]);
        common.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0; 2]);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&packed);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&start.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = (members.len() as u16).to_le_bytes();
    let at = (out.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend([size, at].concat());
    out.extend_from_slice(&[0, 0]);
    out
}

const ENTRY: &str = r#"{"request":{"method":"GET","url":"http://h/x"},"response":{"status":200,"content":{"_file":"r/b.json"}}}"#;

#[test]
fn archives_are_read_from_files_and_pipes() {
    let har = format!("{{\"log\":{{\"entries\":[{ENTRY}]}}}}");
    let line = "{\"request\":{\"host\":\"h\",\"path\":\"/y\"}}\n";
    let packed = zip(&[
        ("b/r/b.json", b"[7]"),
        ("b/har.har", har.as_bytes()),
        ("a.jsonl", line.as_bytes()),
        ("page.html", b"<html>"),
    ]);
    let expect = |found: Vec<(u64, String)>| {
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].1.contains("/y") && found[1].1.contains("[7]"), "{found:?}");
    };
    expect(stdin(packed.clone(), 100, 1000));
    expect(stdin(gzip(&packed), 100, 1000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("any.name");
    fs::write(&path, &packed).unwrap();
    expect(file(&path, 1000));
    let mut reader = Reader::open(&[Locator::Dir(folder.path().to_owned())], None, 100).unwrap();
    assert_eq!(all(&mut reader).len(), 2);

    let fails = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut reader = Reader::open(&[Locator::File(path.clone())], None, 100).unwrap();
        let failed = reader.next_block().unwrap_err();
        let mut error: &dyn std::error::Error = &failed;
        let mut text = error.to_string();
        while let Some(cause) = error.source() {
            text.push_str(&format!(": {cause}"));
            error = cause;
        }
        text
    };
    assert!(fails(&packed[..packed.len() - 30]).contains("may be cut"));
    assert!(fails(&zip(&[("a.html", b"<html>")])).contains("without captures"));
    let blanks = [b"{\"log\":{\"entries\":[".as_slice(), &vec![b' '; 90 << 20]].concat();
    let bomb = zip(&[("bomb.har", &blanks)]);
    assert!(bomb.len() < 1 << 20);
    let told = fails(&bomb);
    assert!(told.contains("200 times"), "{told}");
}

#[test]
fn captures_are_told_by_their_content() {
    let har = format!("\u{feff}{{\"x\":[],\"log\":{{\"entries\":[{ENTRY}]}}}}");
    let utf16: Vec<u8> = har.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [har.clone().into_bytes(), utf16.clone(), gzip(&utf16)] {
        for step in [1, 1000] {
            let found = stdin(bytes.clone(), step, 100);
            assert!(found.len() == 1 && found[0].1.contains("\"/x\""), "{found:?}");
        }
    }
    for (bytes, what) in [
        (&b"<!DOCTYPE html><html></html>"[..], "an HTML page"),
        (b"openapi: 3.0.0\n", "hmt-mock"),
        (b"[{\"request\":{}}]", "jq -c"),
    ] {
        let input = Box::new(Cursor::new(bytes.to_vec()));
        let mut reader = Reader::open(&[Locator::Stdio], Some(input), 100).unwrap();
        let error = reader.next_block().unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn flows_of_mitmproxy_are_read() {
    // Created by mitmdump 11.0.2 in front of a small API.
    let found = fixture("session.flow");
    assert_eq!(found.len(), 17);
    for (at, text) in [
        (0, "get 127.0.0.1:18471/ 404"),
        (1, "get 127.0.0.1:18471/users/1 200"),
        (12, "get 127.0.0.1:18471/logo.png 200"),
        (15, "post 127.0.0.1:18471/upload 201"),
        (16, "delete 127.0.0.1:18471/users/5 204"),
    ] {
        assert_eq!(found[at], (at as u64 + 1, Ok(text.to_owned())));
    }
    // A truncated file yields what it has.
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(path.join("../tests/fixtures/recordings/session.flow")).unwrap();
    let found = stdin(&bytes[..bytes.len() - 100], 1000, 1 << 20);
    assert_eq!(found.len(), 17);
    assert!(found[16].1.contains("cut off"), "{}", found[16].1);
}
