//! A relay out of a backup: the same relay, in another life of its log.
//!
//! Devices see the new life at their next sync and give back what the backup did not have yet, as its
//! authors signed it. **The file is proved before anything is written, and only an empty folder is
//! written to.** The key comes last: a folder without it is refused by every command.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wangge_trust::KeyPair;
use wangge_wire::BlobHash;

use super::file::{self, Contents, Secret};
use super::{BackupTrouble, failed, keys, private, prove, sync_folder};
use crate::audit::{self, About, What, Who};
use crate::blobs::{self, Shelf};
use crate::doc_keys::{self, DocKeys};
use crate::error::RelayError;
use crate::relay::Relay;
use crate::settings::Settings;
use crate::{db, secrets, serve};

/// Where everything is made before it gets its place.
const FOLDER: &str = "restoring";

/// A relay that was restored; [`Relay::open`] opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What people call the relay.
    pub name: String,
    /// Entries of the log, which is the last position.
    pub entries: u64,
    /// Documents that live somewhere.
    pub documents: u64,
    /// Attachments that came with it.
    pub attachments: u64,
    /// Attachments in it that do not fit their names, and were left out; devices bring them again.
    pub damaged: Vec<BlobHash>,
    /// When the backup was made, milliseconds since 1970.
    pub made_ms: i64,
}

impl Relay {
    /// Makes a relay of a backup and its keys, in a folder that is empty or not there yet; the keys lie beside
    /// the backup if `keys` does not say where.
    ///
    /// Invitations that were open are closed: some may have been used since.
    pub fn restore(
        file: &Path,
        keys: Option<&Path>,
        dir: &Path,
        settings: &Settings,
    ) -> Result<Restored, RelayError> {
        let contents = file::read(file)?;
        let keys = keys.map_or_else(|| keys::beside(file), Path::to_owned);
        let from = match &contents.secret {
            Some(secret) => From {
                contents: &contents,
                secret: secret.clone(),
                keys: None,
                file,
            },
            None => From {
                contents: &contents,
                secret: keys::read(&keys)?,
                keys: Some(&keys),
                file,
            },
        };
        check_empty(dir)?;
        let fail = |source| failed(dir, source);
        fs::create_dir_all(dir).map_err(fail)?;
        // Nobody serves a folder that is half restored, and no two restore into one.
        let _serving = serve::lock(&dir.join(serve::LOCK))?;
        check_empty(dir)?;
        let making = dir.join(FOLDER);
        if making.exists() {
            // What a restore left that was killed; its backup is still there.
            fs::remove_dir_all(&making).map_err(fail)?;
        }
        fs::create_dir(&making).map_err(fail)?;
        let made = make(&from, &making, settings).and_then(|made| {
            settle(&making, dir).map_err(fail)?;
            Ok(made)
        });
        let cleared = fs::remove_dir_all(&making);
        let made = made?;
        cleared.map_err(fail)?;
        tracing::info!(entries = made.entries, "restored");
        Ok(made)
    }
}

/// Refuses a folder with anything in it but what an interrupted restore leaves.
fn check_empty(dir: &Path) -> Result<(), RelayError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RelayError::io(dir, error)),
    };
    for entry in entries {
        let name = entry
            .map_err(|error| RelayError::io(dir, error))?
            .file_name();
        if name != serve::LOCK && name != FOLDER {
            return Err(BackupTrouble::NotEmpty(dir.to_owned()).into());
        }
    }
    Ok(())
}

/// What a relay is made of again.
struct From<'a> {
    contents: &'a Contents,
    secret: Secret,
    /// The keys; none for a backup of the form that has no body sealed.
    keys: Option<&'a Path>,
    file: &'a Path,
}

fn make(from: &From<'_>, making: &Path, settings: &Settings) -> Result<Restored, RelayError> {
    let contents = from.contents;
    let fail = |source| failed(making, source);
    let database = making.join(db::FILE);
    contents.write_database(&database).map_err(fail)?;
    let keys = DocKeys::beside(&database, &settings.dice);
    if let Some(file) = from.keys {
        keys::restore(file, keys.path())?;
    }
    let shelf = Shelf::beside(&database);
    let place = |hash: &_| -> io::Result<PathBuf> {
        let whole = shelf.whole(hash);
        whole.parent().map_or(Ok(()), blobs::make_folder)?;
        Ok(whole)
    };
    let damaged = contents.write_blobs(&keys, place).map_err(fail)?;
    drop(keys);
    let found = begin_life(from, &database, settings)?;
    if let Some(tree) = &from.secret.tree {
        secret(&making.join(secrets::TREE_FILE), tree).map_err(fail)?;
    }
    secret(&making.join(secrets::FILE), &from.secret.key).map_err(fail)?;
    Ok(Restored {
        attachments: contents.blobs.len().saturating_sub(damaged.len()) as u64,
        damaged,
        made_ms: contents.made_ms,
        ..found
    })
}

/// Proves the database once more, by what is in it, and begins another life of the log.
fn begin_life(
    from: &From<'_>,
    database: &Path,
    settings: &Settings,
) -> Result<Restored, RelayError> {
    let fail = |source| match RelayError::sqlite(database, source) {
        RelayError::Full => BackupTrouble::NoRoom.into(),
        other => other,
    };
    let incarnation: [u8; 16] = settings.dice.random()?;
    let key = KeyPair::from_secret(&from.secret.key);
    let mut connection = Connection::open(database).map_err(fail)?;
    db::check_version(&connection, database)?;
    let found = prove(&connection, &key.public().0).map_err(fail)?;
    let found = found.ok_or_else(|| BackupTrouble::NotWhole(from.file.to_owned()))?;
    db::bring_up(&mut connection, database)?;
    let transaction = connection.transaction().map_err(fail)?;
    let (_, last) = audit::last(&transaction).map_err(fail)?;
    let (now_ms, about) = (settings.clock.now_ms(), About::Row(last));
    audit::note(&transaction, now_ms, What::Restored, Who::Operator, about).map_err(fail)?;
    let sql = "UPDATE meta SET incarnation = ?1";
    transaction.execute(sql, [incarnation]).map_err(fail)?;
    let sql = "UPDATE invitation SET expires_ms = 0 WHERE spent_by = x''";
    transaction.execute(sql, []).map_err(fail)?;
    // What it was told by the relay above, it was told in another life.
    let sql = "UPDATE upstream SET met_ms = 0, tried_ms = 0, failure = '', complete = 0";
    transaction.execute(sql, []).map_err(fail)?;
    transaction.commit().map_err(fail)?;
    Ok(Restored {
        name: found.name,
        entries: found.entries,
        documents: found.documents,
        attachments: 0,
        damaged: Vec::new(),
        made_ms: 0,
    })
}

fn secret(path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    let mut file = private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Moves everything to its place, the key last.
fn settle(making: &Path, dir: &Path) -> io::Result<()> {
    let names = [
        blobs::FOLDER,
        doc_keys::FILE,
        db::FILE,
        secrets::TREE_FILE,
        secrets::FILE,
    ];
    for name in names {
        let (from, to) = (making.join(name), dir.join(name));
        if from.exists() {
            if to.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, &to)?;
            sync_folder(&to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_wire::order::LevelForm;

    fn settings() -> Settings {
        Settings::new("杨家镇", LevelForm::Township)
    }

    #[test]
    fn a_restored_relay_has_its_key_and_its_name_and_another_life() {
        let dir = tempfile::tempdir().unwrap();
        let (before, after) = (dir.path().join("before"), dir.path().join("after"));
        let relay = Relay::open(&before, &settings()).unwrap();
        let file = dir.path().join("backup");
        relay.backup(&file, None).unwrap();
        let restored = Relay::restore(&file, None, &after, &settings()).unwrap();
        assert_eq!((restored.name.as_str(), restored.entries), ("杨家镇", 1));
        let again = Relay::open(&after, &settings()).unwrap();
        assert_eq!(again.secrets.key.public(), relay.secrets.key.public());
        assert_ne!(again.identity.incarnation, relay.identity.incarnation);
        assert_eq!(again.counts().unwrap(), relay.counts().unwrap());
        let twice = Relay::restore(&file, None, &after, &settings());
        assert!(matches!(
            twice,
            Err(RelayError::Backup(BackupTrouble::NotEmpty(_)))
        ));
    }

    #[test]
    fn a_backup_with_a_changed_byte_or_a_cut_end_is_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let relay = Relay::open(&dir.path().join("before"), &settings()).unwrap();
        let file = dir.path().join("backup");
        relay.backup(&file, None).unwrap();
        let whole = fs::read(&file).unwrap();
        let (end, after) = (whole.len(), dir.path().join("after"));
        let mut damaged: Vec<Vec<u8>> = [0, 31, 32, 100, end / 2, end - 1]
            .into_iter()
            .map(|cut| whole.get(..cut).unwrap().to_vec())
            .collect();
        for at in [20, end / 3, end / 2, end - 150, end - 60, end - 1] {
            let mut bytes = whole.clone();
            *bytes.get_mut(at).unwrap() ^= 1;
            damaged.push(bytes);
        }
        for bytes in damaged {
            fs::write(&file, bytes).unwrap();
            let restored = Relay::restore(&file, None, &after, &settings());
            assert!(
                matches!(
                    restored,
                    Err(RelayError::Backup(BackupTrouble::NotWhole(_)))
                ),
                "{restored:?}"
            );
            assert!(!after.exists());
        }
    }

    #[test]
    fn an_attachment_that_does_not_fit_its_name_is_left_out_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let relay = Relay::open(&dir.path().join("before"), &settings()).unwrap();
        let (file, after) = (dir.path().join("backup"), dir.path().join("after"));
        let made = relay.backup(&file, None).unwrap();
        // As a program wrote it that took what it found: the database, and what follows written anew.
        let contents = file::read(&file).unwrap();
        let before_key = |dir: &tempfile::TempDir| dir.path().join("before").join(secrets::FILE);
        let (old, blob) = (dir.path().join("old"), dir.path().join("blob"));
        contents.write_database(&old).unwrap();
        fs::write(&blob, b"cut").unwrap();
        let (bad, good) = (BlobHash::of(b"cut short"), BlobHash::of(b"cut"));
        let blobs = [(bad, blob.clone()), (good, blob)];
        let keys = &relay.place.keys;
        keys.make_for_blobs([bad, good].iter()).unwrap();
        file::append(&old, &blobs, keys, 1).unwrap();
        fs::remove_file(&made.keys).unwrap();
        fs::write(&made.keys, b"").unwrap();
        let key = secrets::bytes(&before_key(&dir)).unwrap().unwrap();
        let secret = Secret { key, tree: None };
        super::keys::write(&made.keys, keys, &secret, 1).unwrap();
        let restored = Relay::restore(&old, Some(&made.keys), &after, &settings()).unwrap();
        assert_eq!(
            (restored.attachments, &restored.damaged[..]),
            (1, &[bad][..])
        );
        let shelf = Shelf::beside(&after.join(db::FILE));
        assert!(shelf.has(&good) && !shelf.has(&bad));
    }

    #[test]
    fn what_a_killed_restore_left_does_not_stand_in_the_way_and_anything_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let relay = Relay::open(&dir.path().join("before"), &settings()).unwrap();
        let (file, after) = (dir.path().join("backup"), dir.path().join("after"));
        relay.backup(&file, None).unwrap();
        fs::create_dir_all(after.join(FOLDER)).unwrap();
        fs::write(after.join(FOLDER).join(db::FILE), b"half").unwrap();
        fs::write(after.join("notes"), b"mine").unwrap();
        let refused = Relay::restore(&file, None, &after, &settings());
        assert!(matches!(
            refused,
            Err(RelayError::Backup(BackupTrouble::NotEmpty(_)))
        ));
        assert!(after.join(FOLDER).join(db::FILE).exists());
        fs::remove_file(after.join("notes")).unwrap();
        Relay::restore(&file, None, &after, &settings()).unwrap();
        assert!(!after.join(FOLDER).exists());
        assert!(Relay::open(&after, &settings()).is_ok());
    }
}
