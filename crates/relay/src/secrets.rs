//! The relay's one secret, 32 bytes in a file of its own beside the database.
//!
//! **Never in the database**: a copy of the data alone signs nothing and hashes no id number. The key
//! of id numbers is derived from it, so that both are restored together or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wangge_trust::KeyPair;

use crate::error::RelayError;
use crate::settings::Dice;

/// The secret's file in the data folder.
pub(crate) const FILE: &str = "relay.key";

/// The file of the key for id numbers that the relay above gave.
pub(crate) const TREE_FILE: &str = "tree.key";

/// What the secret makes.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    /// Signs orders and receipts.
    pub(crate) key: Arc<KeyPair>,
    /// Keys the hashes of id numbers on every device below this relay.
    pub(crate) id_key: IdKey,
    /// Makes the key of each device's lease codes.
    pub(crate) lease_seed: IdKey,
}

/// A key that has no way to be shown.
#[derive(Clone, Copy)]
pub(crate) struct IdKey(pub(crate) [u8; 32]);

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdKey")
    }
}

/// Returns what the secret in `path` makes; draws one if there is none.
pub(crate) fn load_or_make(path: &Path, dice: &Dice) -> Result<Secrets, RelayError> {
    for _ in 0..2 {
        match std::fs::read(path) {
            Ok(bytes) => {
                let secret: Result<[u8; 32], _> = bytes.try_into();
                let damaged = |_| RelayError::Damaged {
                    path: path.to_owned(),
                };
                return secret.map(|secret| of(&secret)).map_err(damaged);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path, dice)?,
            Err(error) => return Err(RelayError::io(path, error)),
        }
    }
    Err(RelayError::Internal {
        what: "the key vanished",
    })
}

/// Returns the secrets with the tree's key for id numbers, where this relay is below another: whoever is
/// met in two villages is one person. One that `joined` has that key, or hands out none: an own one would
/// make two people of whom two villages met.
pub(crate) fn with_tree_key(
    secrets: Secrets,
    database: &Path,
    joined: bool,
) -> Result<Secrets, RelayError> {
    let path = database.with_file_name(TREE_FILE);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let key: Result<[u8; 32], _> = bytes.try_into();
            let key = key.map_err(|_| RelayError::Damaged { path })?;
            Ok(Secrets {
                id_key: IdKey(key),
                ..secrets
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && joined => {
            Err(RelayError::Gone { path })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(secrets),
        Err(error) => Err(RelayError::io(&path, error)),
    }
}

/// Returns the secret in a file; none if there is no file.
pub(crate) fn bytes(path: &Path) -> Result<Option<[u8; 32]>, RelayError> {
    let damaged = |_| RelayError::Damaged {
        path: path.to_owned(),
    };
    match std::fs::read(path) {
        Ok(bytes) => bytes.try_into().map(Some).map_err(damaged),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RelayError::io(path, error)),
    }
}

/// Keeps the tree's key for id numbers beside the database; devices that enrol from now on get it.
pub(crate) fn keep_tree_key(database: &Path, key: &[u8; 32]) -> Result<(), RelayError> {
    let path = database.with_file_name(TREE_FILE);
    let beside = path.with_extension(format!("key-{}", std::process::id()));
    let fail = |source| RelayError::io(&path, source);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(fail)?;
    file.write_all(key)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, &path))
        .map_err(fail)
}

fn of(secret: &[u8; 32]) -> Secrets {
    Secrets {
        key: Arc::new(KeyPair::from_secret(secret)),
        id_key: IdKey(blake3::derive_key("wangge relay id numbers v0", secret)),
        lease_seed: IdKey(blake3::derive_key("wangge relay leases v0", secret)),
    }
}

/// Writes a secret beside its place, syncs it, and links it there; whoever links first wins.
fn make(path: &Path, dice: &Dice) -> Result<(), RelayError> {
    let fail = |source| RelayError::io(path, source);
    let secret: [u8; 32] = dice.random()?;
    let beside: PathBuf = path.with_extension(format!("key-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(fail)?;
    file.write_all(&secret)
        .and_then(|()| file.sync_all())
        .map_err(fail)?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside).map_err(fail)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(fail(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_for_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let first = load_or_make(&path, &Dice::system()).unwrap();
        let again = load_or_make(&path, &Dice::system()).unwrap();
        assert_eq!(first.key.public(), again.key.public());
        assert_eq!(first.id_key.0, again.id_key.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_of_the_wrong_length_is_damaged_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        std::fs::write(&path, [1; 31]).unwrap();
        assert!(matches!(
            load_or_make(&path, &Dice::system()),
            Err(RelayError::Damaged { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), [1; 31]);
    }
}
