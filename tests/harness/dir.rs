//! A new folder for one test.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Program;

/// A folder that is created for a test and removed with it. It is also the home of programs run in
/// it.
pub struct Dir {
    temp: TempDir,
}

impl Dir {
    pub fn new() -> Self {
        Dir { temp: tempfile::Builder::new().prefix("hmt-test-").tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub fn exists(&self, name: &str) -> bool {
        self.join(name).exists()
    }

    /// Writes a file, creating its folders.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        String::from_utf8(self.read_bytes(name)).unwrap()
    }

    #[track_caller]
    pub fn read_bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.join(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; there is {:?}", self.list("")))
    }

    /// The sorted names in a subfolder.
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.join(name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A program of this package, to be run in this folder.
    pub fn program(&self, name: &str) -> Program {
        Program::new(name, self.path())
    }
}
