use std::fs;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::block::Record;
use super::super::reader::Reader;
use super::*;

fn open(path: &Path) -> Box<dyn Sink> {
    open_sink(&Locator::File(path.to_owned()), None).unwrap()
}

fn read(path: &Path) -> Vec<String> {
    let mut reader = Reader::open(&[Locator::File(path.to_owned())], None, 1 << 16).unwrap();
    let mut found = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        found.extend(block.records().map(|(_, record)| match record {
            Record::Line(line) => String::from_utf8(line.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }));
    }
    found
}

#[test]
fn files_are_appended_to_and_private() {
    for name in ["a.jsonl", "a.jsonl.gz", "a.ndjson.zst"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder").join(name);
        for line in ["{\"n\":1}\n", "{\"n\":2}\n"] {
            let mut sink = open(&path);
            sink.write("h", line.as_bytes()).unwrap();
            sink.close().unwrap();
        }
        assert_eq!(read(&path), ["{\"n\":1}", "{\"n\":2}"], "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(path.parent().unwrap()), 0o700);
        }
    }
}

#[test]
fn a_torn_last_line_is_ended_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "{\"n\":1}\n{\"n\":").unwrap();
    let mut sink = open(&path);
    sink.write("h", b"{\"n\":3}\n").unwrap();
    sink.write("h", b"{\"n\":4}\n").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "{\"n\":1}\n{\"n\":\n{\"n\":3}\n{\"n\":4}\n");
}

#[test]
fn what_was_flushed_survives_a_kill_and_later_runs_append_behind_it() {
    for name in ["a.jsonl.gz", "a.jsonl.zst"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut sink = open(&path);
        sink.write("h", b"{\"n\":1}\n").unwrap();
        sink.flush().unwrap();
        // The current content is what a killed process leaves behind.
        let left = fs::read(&path).unwrap();
        drop(sink);
        fs::write(&path, &left).unwrap();
        assert_eq!(read(&path), ["{\"n\":1}", "TornTail([])"], "{name}");
        let mut sink = open(&path);
        sink.write("h", b"{\"n\":2}\n").unwrap();
        sink.close().unwrap();
        assert_eq!(read(&path), ["{\"n\":1}", "{\"n\":2}"], "{name}");
    }
}

#[test]
fn a_line_to_standard_output_is_one_write_and_at_once_there() {
    #[derive(Clone, Default)]
    struct Calls(Arc<Mutex<Vec<String>>>);
    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.lock().push("flush".to_owned());
            Ok(())
        }
    }
    let calls = Calls::default();
    let mut sink = open_sink(&Locator::Stdio, Some(Box::new(calls.clone()))).unwrap();
    sink.write("h", b"{}\n").unwrap();
    assert_eq!(*calls.0.lock(), ["{}\n", "flush"]);
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let told = |locator: Locator| open_sink(&locator, None).err().map(|error| error.to_string());
    let below = file.join("a.jsonl");
    assert_eq!(
        told(Locator::File(below.clone())),
        Some(format!(
            "{}: cannot be opened for writing; a file is where a folder must be, so name another folder",
            below.display()
        ))
    );
    assert!(told(Locator::Dir(file)).is_some_and(|told| told.contains("cannot be opened")));
    assert!(told(Locator::Stdio).is_some());
}

#[test]
fn devices_are_sinks_too() {
    let mut sink = open(Path::new("/dev/null"));
    sink.write("h", b"{}\n").unwrap();
    sink.sync().unwrap();
    let mut full = open(Path::new("/dev/full"));
    assert!(full.write("h", b"{}\n").is_err());
}
