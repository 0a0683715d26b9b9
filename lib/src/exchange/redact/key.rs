//! The user's key file.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rand::RngCore as _;

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or created.
    #[error("{}: cannot read or create the key of the pseudonyms; name another file with --redact-key", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// The file contains something else.
    #[error("{}: not a key for pseudonyms, which is 64 hexadecimal digits; remove the file to create a new key, or name another file with --redact-key", .0.display())]
    Format(PathBuf),
}

/// The default path of the key: `$XDG_DATA_HOME/hmt/redact.key`, or below `$HOME/.local/share`.
/// `variable` reads an environment variable.
pub fn default_key_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG Base Directory Specification says to ignore relative paths.
    let data = set("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))?;
    Some(data.join("hmt/redact.key"))
}

/// Reads the key, or creates one on first use that only its owner can read.
///
/// # Errors
/// A file that cannot be read or created, or that contains no key.
pub fn load_or_create_key(path: &Path) -> Result<[u8; 32], KeyError> {
    let failed = |cause| KeyError::Io { path: path.to_owned(), cause };
    match fs::read(path) {
        Ok(text) => parse(&text).ok_or_else(|| KeyError::Format(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(failed)?;
            // Use the stored file, not the one created above: another process may have been first.
            let text = fs::read(path).map_err(failed)?;
            parse(&text).ok_or_else(|| KeyError::Format(path.to_owned()))
        }
        Err(error) => Err(failed(error)),
    }
}

fn parse(text: &[u8]) -> Option<[u8; 32]> {
    let digits = text.trim_ascii();
    if digits.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(key)
}

/// Creates the key file atomically, unless it exists.
fn create(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)?;
    let key = random_key();
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    // Temporary files are made with O_EXCL and mode 0600.
    let mut file = tempfile::Builder::new().prefix(".redact-").tempfile_in(folder)?;
    writeln!(file, "{digits}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

/// A key for pseudonyms that need not be recognised later.
pub fn random_key() -> [u8; 32] {
    let mut key = [0; 32];
    rand::rngs::ThreadRng::default().fill_bytes(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/hmt/redact.key");
        let key = load_or_create_key(&path).unwrap();
        assert_eq!(load_or_create_key(&path).unwrap(), key);
        assert_ne!(load_or_create_key(&folder.path().join("other.key")).unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "short").unwrap();
        assert!(matches!(load_or_create_key(&path), Err(KeyError::Format(_))));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn the_key_is_where_users_keep_their_data() {
        let path = |data: &str, home: &str| {
            let (data, home) = (OsString::from(data), OsString::from(home));
            default_key_path(move |name| match name {
                "XDG_DATA_HOME" => Some(data.clone()),
                "HOME" => Some(home.clone()),
                _ => None,
            })
        };
        assert_eq!(path("/d", "/h"), Some("/d/hmt/redact.key".into()));
        assert_eq!(path("", "/h"), Some("/h/.local/share/hmt/redact.key".into()));
        assert_eq!(path("relative", "/h"), Some("/h/.local/share/hmt/redact.key".into()));
        assert_eq!(path("", ""), None);
    }
}
