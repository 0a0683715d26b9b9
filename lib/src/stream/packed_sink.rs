//! A compressed log: each run appends its own gzip member or zstd frame, which readers treat as one
//! stream.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::file_sink::open_log;
use super::locator::Packing;
use super::sink::{Sink, SinkError};
use super::unpack::unpack;

/// A file that packed lines are appended to.
pub(super) struct PackedSink {
    path: PathBuf,
    packer: Packer,
    /// True if bytes were written since the last flush.
    holds: bool,
    /// True if the previous line may be torn.
    torn: bool,
}

enum Packer {
    Gzip(GzEncoder<File>),
    Zstd(zstd::stream::write::Encoder<'static, File>),
}

impl PackedSink {
    pub(super) fn open(path: &Path, packing: Packing) -> Result<Self, SinkError> {
        let open = || -> io::Result<Packer> {
            mend(path, packing)?;
            let (file, _) = open_log(path)?;
            pack(file, packing)
        };
        match open() {
            Ok(packer) => {
                Ok(PackedSink { path: path.to_owned(), packer, holds: false, torn: false })
            }
            Err(cause) => Err(SinkError::Open { path: path.to_owned(), cause }),
        }
    }

    fn failed(&self, cause: io::Error) -> SinkError {
        SinkError::Write { name: self.path.display().to_string(), cause }
    }

    fn out(&mut self) -> &mut dyn Write {
        match &mut self.packer {
            Packer::Gzip(encoder) => encoder,
            Packer::Zstd(encoder) => encoder,
        }
    }
}

impl Sink for PackedSink {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        self.holds = true;
        let newline: &[u8] = if self.torn { b"\n" } else { b"" };
        let written = self.out().write_all(newline).and_then(|()| self.out().write_all(line));
        self.torn = written.is_err();
        written.map_err(|cause| self.failed(cause))
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if !self.holds {
            return Ok(());
        }
        self.holds = false;
        self.out().flush().map_err(|cause| self.failed(cause))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.flush()?;
        let file = match &self.packer {
            Packer::Gzip(encoder) => encoder.get_ref(),
            Packer::Zstd(encoder) => encoder.get_ref(),
        };
        file.sync_data().map_err(|cause| self.failed(cause))
    }

    fn close(self: Box<Self>) -> Result<(), SinkError> {
        let finished = match self.packer {
            Packer::Gzip(encoder) => encoder.finish(),
            Packer::Zstd(encoder) => encoder.finish(),
        };
        match finished {
            Ok(_) => Ok(()),
            Err(cause) => Err(SinkError::Write { name: self.path.display().to_string(), cause }),
        }
    }
}

fn pack(file: File, packing: Packing) -> io::Result<Packer> {
    Ok(match packing {
        Packing::Zstd => Packer::Zstd(zstd::stream::write::Encoder::new(file, 0)?),
        Packing::Gzip | Packing::Plain => {
            Packer::Gzip(GzEncoder::new(file, Compression::default()))
        }
    })
}

/// Compresses a log again if its last writer was killed: readers could not find anything after a
/// member without an end. Its complete lines are kept, and its torn one becomes a line.
fn mend(path: &Path, packing: Packing) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) if file.metadata()?.is_file() => file,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    match io::copy(&mut unpack(Box::new(file))?, &mut io::sink()) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mended = tempfile::Builder::new().prefix(".hmt-").tempfile_in(folder)?;
    let mut packer = pack(mended.as_file().try_clone()?, packing)?;
    let out: &mut dyn Write = match &mut packer {
        Packer::Gzip(encoder) => encoder,
        Packer::Zstd(encoder) => encoder,
    };
    copy_to_break(unpack(Box::new(File::open(path)?))?, out)?;
    out.write_all(b"\n")?;
    match packer {
        Packer::Gzip(encoder) => encoder.finish()?,
        Packer::Zstd(encoder) => encoder.finish()?,
    }
    .sync_all()?;
    let permissions = fs::metadata(path)?.permissions();
    fs::set_permissions(mended.path(), permissions)?;
    mended.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

fn copy_to_break(mut input: Box<dyn Read + Send>, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(got) => out.write_all(&buffer[..got])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
