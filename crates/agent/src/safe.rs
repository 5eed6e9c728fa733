//! Where a device's own secret lies: beside no home, so that who takes a folder has not all of its key.
//!
//! One secret serves every home of a person's account on a device. It is made when the first word is
//! chosen; without it no word opens anything, only a recovery key does.

use std::fs;
use std::io;
use std::path::PathBuf;

use wangge_trust::vault::WordKind;
use zeroize::Zeroizing;

use crate::error::AgentError;
use crate::machine::Machine;

/// The file in its folder.
const FILE: &str = "device.secret";

/// Keeps the device's secret.
pub trait Safe: Send + Sync {
    /// Returns what kind of word is strong enough beside it.
    fn kind(&self) -> WordKind;

    /// Returns the secret; none where none was made, or it is gone.
    fn secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, AgentError>;

    /// Keeps a secret where there is none, durably, and returns the one that is kept.
    fn keep(&self, secret: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, AgentError>;
}

impl dyn Safe {
    pub(crate) fn secret_or_new(
        &self,
        machine: &Machine,
    ) -> Result<Zeroizing<[u8; 32]>, AgentError> {
        match self.secret()? {
            Some(secret) => Ok(secret),
            None => self.keep(&machine.random()?),
        }
    }
}

/// A file that only its owner reads. Who takes the whole disk has it, so that a word beside it is a
/// passphrase.
#[derive(Debug, Clone)]
pub struct FileSafe {
    folder: PathBuf,
}

impl FileSafe {
    /// Returns the safe of a folder.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the safe of the person's account: the platform's folder for settings, never the one for data.
    pub fn usual() -> Self {
        let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = env("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(PathBuf::from(env("APPDATA")?)))
            .or_else(|| Some(PathBuf::from(env("HOME")?).join(".config")))
            .unwrap_or_else(std::env::temp_dir);
        Self::of(folder.join("wangge"))
    }

    fn unreadable(&self, error: &io::Error) -> AgentError {
        AgentError::HomeUnreadable {
            path: self.folder.join(FILE),
            reason: error.to_string(),
        }
    }
}

impl Safe for FileSafe {
    fn kind(&self) -> WordKind {
        WordKind::Passphrase
    }

    fn secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, AgentError> {
        match fs::read(self.folder.join(FILE)).map(Zeroizing::new) {
            // A damaged one opens nothing, as one that is gone.
            Ok(bytes) => Ok(bytes.as_slice().try_into().ok().map(Zeroizing::new)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn keep(&self, secret: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, AgentError> {
        fs::create_dir_all(&self.folder).map_err(|error| self.unreadable(&error))?;
        let path = self.folder.join(FILE);
        let next = path.with_extension(format!("{}.next", std::process::id()));
        crate::home::write_private(&next, secret)?;
        // Linked, not renamed: of two programs that make one at once the first one's stays.
        let linked = fs::hard_link(&next, &path);
        let _ = fs::remove_file(&next);
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(self.unreadable(&error));
            }
            _ => {}
        }
        if let Ok(folder) = fs::File::open(&self.folder) {
            folder.sync_all().map_err(|error| self.unreadable(&error))?;
        }
        self.secret()?.ok_or(AgentError::HomeFile {
            path,
            missing: false,
        })
    }
}
