//! The destinations of records.

use std::fs;
use std::io::Write;
use std::path::Path;

use hmt_core::cli;
use hmt_core::record::Output;
use hmt_core::stream::{Locator, Rotation, open_rotating_sink};

/// Opens the outputs for records.
pub(crate) fn open(locators: &[Locator], rotation: Rotation) -> anyhow::Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for locator in locators {
        // A second `-` gets no stream, and is refused.
        let mut stdout: Option<Box<dyn Write + Send>> = None;
        let mut is_file = false;
        if *locator == Locator::Stdio {
            let file = cli::stdout_unbuffered()?;
            is_file = file.metadata()?.is_file();
            stdout = Some(Box::new(file));
        }
        let sink = open_rotating_sink(locator, stdout, rotation)?;
        let may_wait = match locator {
            Locator::Stdio => !is_file,
            Locator::File(path) => !is_plain_file(path),
            Locator::Dir(_) => false,
            Locator::Kafka(_) => true,
        };
        outputs.push(Output { sink, may_wait });
    }
    Ok(outputs)
}

/// The outputs other than standard output, for people; `None` if there are none.
pub(crate) fn places(locators: &[Locator]) -> Option<String> {
    let named = locators.iter().filter(|locator| **locator != Locator::Stdio);
    let named: Vec<String> = named.map(ToString::to_string).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// Compressed files may be slow, and pipes and devices depend on their readers.
fn is_plain_file(path: &Path) -> bool {
    let packed = path.extension().is_some_and(|extension| extension == "gz" || extension == "zst");
    !packed && fs::metadata(path).is_ok_and(|found| found.is_file())
}

/// True if the input would be written to itself.
pub(super) fn is_same_place(source: &Locator, output: &Locator) -> bool {
    match (source, output) {
        (
            Locator::File(source) | Locator::Dir(source),
            Locator::File(output) | Locator::Dir(output),
        ) => matches!((source.canonicalize(), output.canonicalize()), (Ok(source), Ok(output))
            if source == output || output.parent() == Some(&source)),
        (Locator::Kafka(source), Locator::Kafka(output)) => source.is_same(output),
        _ => false,
    }
}
