//! A key for each document, in a small database of its own: whoever erases the key has erased the document,
//! also in every backup of the log. Attachments have one each too, by which backups seal them.
//!
//! Bodies of changes lie sealed in the log; SQL sees them through the functions `sealed` and `opened`.
//! **A key is durable before the first body that it seals**, and none is ever made anew for a document that
//! was erased.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::ffi::SQLITE_CONSTRAINT_COMMITHOOK;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, OptionalExtension, params};
use wangge_trust::vault::{NONCE_BYTES, seal, unseal};
use wangge_wire::{BlobHash, ChangeHash, DocId};
use zeroize::Zeroizing;

use crate::db::keep_a_log;
use crate::error::RelayError;
use crate::settings::Dice;

/// The database's name in the data folder.
pub(crate) const FILE: &str = "keys.db";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS doc_key (
    -- What a document's bodies are sealed with.
    doc  BLOB NOT NULL PRIMARY KEY CHECK (length(doc) = 16),
    key  BLOB NOT NULL CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blob_key (
    -- What an attachment is sealed with in backups.
    hash  BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    key   BLOB NOT NULL CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (
    -- Whose key is gone for good, since when, and the order that says so.
    doc    BLOB    NOT NULL PRIMARY KEY CHECK (length(doc) = 16),
    at_ms  INTEGER NOT NULL DEFAULT 0,
    by     BLOB    NOT NULL DEFAULT x''
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_copy (
    -- When a copy of the keys was made: what is erased lives on in it until it is destroyed.
    made_ms  INTEGER NOT NULL PRIMARY KEY
) STRICT;
";
const BUSY: Duration = Duration::from_secs(5);
/// Keys kept in memory.
const KNOWN_MAX: usize = 4_096;
/// What nonces are made for.
const NONCES: &str = "wangge 2026 relay body nonces";
/// What a body is sealed as.
const SEALED: &[u8] = b"wangge body 1";
/// What an attachment is sealed as in a backup.
const SEALED_BLOB: &[u8] = b"wangge backup attachment 1";

type Key = Zeroizing<[u8; 32]>;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Doc(DocId),
    Blob(BlobHash),
}

impl Of {
    fn id(&self) -> &[u8] {
        match self {
            Of::Doc(doc) => &doc.0,
            Of::Blob(hash) => &hash.0,
        }
    }

    fn find(&self) -> &'static str {
        match self {
            Of::Doc(_) => "SELECT key FROM doc_key WHERE doc = ?1",
            Of::Blob(_) => "SELECT key FROM blob_key WHERE hash = ?1",
        }
    }

    fn keep(&self) -> &'static str {
        match self {
            Of::Doc(_) => "INSERT INTO doc_key (doc, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            Of::Blob(_) => {
                "INSERT INTO blob_key (hash, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
            }
        }
    }
}

/// The keys of one relay's documents.
#[derive(Clone)]
pub(crate) struct DocKeys {
    inner: Arc<Mutex<Inner>>,
    /// The connection that writes: who reads does not wait for its disk.
    scribe: Arc<Mutex<Option<Connection>>>,
    path: PathBuf,
    dice: Dice,
}

struct Inner {
    connection: Option<Connection>,
    known: BTreeMap<Of, Key>,
    /// Why a commit was refused last: its keys could not be kept.
    failure: Option<rusqlite::ffi::Error>,
}

/// The keys that a connection has drawn and that are not durable yet. Each connection has its own, and one
/// that is durable goes before them: who writes holds the log's lock until both are.
#[derive(Clone, Default)]
struct Fresh(Arc<Mutex<BTreeMap<Of, Key>>>);

impl std::fmt::Debug for DocKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DocKeys")
    }
}

impl DocKeys {
    /// Returns the keys beside a database; their file is made with the first of them.
    pub(crate) fn beside(database: &Path, dice: &Dice) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                connection: None,
                known: BTreeMap::new(),
                failure: None,
            })),
            scribe: Arc::default(),
            path: database.with_file_name(FILE),
            dice: dice.clone(),
        }
    }

    /// Returns the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets SQL on this connection seal and open bodies. Its commits wait for the keys of what they sealed.
    pub(crate) fn serve(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8;
        let drawn = Fresh::default();
        let (keys, fresh) = (self.clone(), drawn.clone());
        connection.create_scalar_function("sealed", 3, flags, move |context| {
            let (doc, hash, body) = arguments(context)?;
            keys.seal(&fresh, &doc, &hash, body)
        })?;
        let (keys, fresh) = (self.clone(), drawn.clone());
        connection.create_scalar_function("opened", 3, flags, move |context| {
            let (doc, hash, body) = arguments(context)?;
            keys.open(&fresh, &doc, &hash, body)
        })?;
        let (keys, fresh) = (self.clone(), drawn.clone());
        connection.commit_hook(Some(move || {
            let settled = keys.settle(&mut fresh.lock());
            if let Err(error) = &settled {
                tracing::error!(code = ?error.sqlite_error_code(), "keys were not kept");
                keys.lock().failure = match error {
                    rusqlite::Error::SqliteFailure(code, _) => Some(*code),
                    _ => None,
                };
            }
            // Said so, the commit becomes a rollback.
            settled.is_err()
        }))?;
        Ok(())
    }

    /// Returns an error of a commit as what it was: one that was refused because keys could not be kept is an
    /// error of their file.
    pub(crate) fn meant(&self, error: rusqlite::Error) -> rusqlite::Error {
        let refused = error
            .sqlite_error()
            .is_some_and(|code| code.extended_code == SQLITE_CONSTRAINT_COMMITHOOK);
        let failure = self.lock().failure.filter(|_| refused);
        failure.map_or(error, |code| rusqlite::Error::SqliteFailure(code, None))
    }

    /// Makes every key that was drawn durable.
    fn settle(&self, drawn: &mut BTreeMap<Of, Key>) -> rusqlite::Result<()> {
        if drawn.is_empty() {
            return Ok(());
        }
        let fresh = std::mem::take(drawn);
        let mut scribe = self.scribe();
        let connection = connected(&mut scribe, &self.path)?;
        let transaction = connection.transaction()?;
        let mut kept = BTreeMap::new();
        for (of, key) in fresh {
            let mut keep = transaction.prepare_cached(of.keep())?;
            // One that was drawn for what was rolled back seals nothing, and another process may have drawn its
            // own since.
            if keep.execute(params![of.id(), key.as_slice()])? == 1 {
                kept.insert(of, key);
            }
        }
        transaction.commit()?;
        self.lock().keep(kept);
        Ok(())
    }

    /// Makes the keys that attachments lack, durably.
    pub(crate) fn make_for_blobs<'a>(
        &self,
        hashes: impl Iterator<Item = &'a BlobHash>,
    ) -> Result<(), RelayError> {
        let fresh = Fresh::default();
        let make = || {
            for hash in hashes {
                self.key_or_new(&fresh, Of::Blob(*hash))?;
            }
            self.settle(&mut fresh.lock())
        };
        make().map_err(|source| RelayError::sqlite(&self.path, source))
    }

    /// Returns an attachment as a backup keeps it.
    pub(crate) fn seal_blob(&self, hash: &BlobHash, bytes: &[u8]) -> Result<Vec<u8>, RelayError> {
        let missing = || RelayError::Internal {
            what: "no key was made for an attachment",
        };
        let key = self.find(&Fresh::default(), Of::Blob(*hash));
        let key = key.map_err(|source| RelayError::sqlite(&self.path, source))?;
        let key = key.ok_or_else(missing)?;
        let what = [SEALED_BLOB, &hash.0].concat();
        Ok(seal(&key, &nonce(&key, &hash.0), &what, bytes))
    }

    /// Returns an attachment out of a backup; none where its key is gone.
    pub(crate) fn open_blob(
        &self,
        hash: &BlobHash,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, RelayError> {
        let key = self.find(&Fresh::default(), Of::Blob(*hash));
        let key = key.map_err(|source| RelayError::sqlite(&self.path, source))?;
        let what = [SEALED_BLOB, &hash.0].concat();
        Ok(key.and_then(|key| unseal(&key, &what, sealed).map(|plain| plain.to_vec())))
    }

    /// Writes a copy of all keys to an empty file, and notes when: what is erased later lives on in it.
    pub(crate) fn copy_to(&self, file: &Path, made_ms: i64) -> Result<(), RelayError> {
        let fail = |source| RelayError::sqlite(&self.path, source);
        let mut scribe = self.scribe();
        let connection = connected(&mut scribe, &self.path).map_err(fail)?;
        let name = file.to_string_lossy();
        let sql = "INSERT INTO key_copy (made_ms) VALUES (?1) ON CONFLICT DO NOTHING";
        connection.execute(sql, [made_ms]).map_err(fail)?;
        connection
            .execute("VACUUM INTO ?1", [&*name])
            .map_err(fail)?;
        Ok(())
    }

    fn find(&self, fresh: &Fresh, of: Of) -> rusqlite::Result<Option<Key>> {
        let kept = self.lock().find(&self.path, of)?;
        Ok(kept.or_else(|| fresh.lock().get(&of).cloned()))
    }

    fn key_or_new(&self, fresh: &Fresh, of: Of) -> rusqlite::Result<Key> {
        if let Some(key) = self.find(fresh, of)? {
            return Ok(key);
        }
        let key = Zeroizing::new(self.dice.random().map_err(failed)?);
        fresh.lock().insert(of, key.clone());
        Ok(key)
    }

    fn seal(
        &self,
        fresh: &Fresh,
        doc: &DocId,
        hash: &ChangeHash,
        body: &[u8],
    ) -> rusqlite::Result<Vec<u8>> {
        let key = self.key_or_new(fresh, Of::Doc(*doc))?;
        Ok(seal(&key, &nonce(&key, &hash.0), &what(doc, hash), body))
    }

    fn open(
        &self,
        fresh: &Fresh,
        doc: &DocId,
        hash: &ChangeHash,
        sealed: &[u8],
    ) -> rusqlite::Result<Vec<u8>> {
        let missing = || {
            failed(RelayError::Internal {
                what: "no key opens this body",
            })
        };
        let key = self.find(fresh, Of::Doc(*doc))?.ok_or_else(missing)?;
        let plain = unseal(&key, &what(doc, hash), sealed).ok_or_else(missing)?;
        Ok(plain.to_vec())
    }

    fn scribe(&self) -> MutexGuard<'_, Option<Connection>> {
        self.scribe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked left whole rows: each change of the maps is one step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fresh {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Of, Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn find(&mut self, path: &Path, of: Of) -> rusqlite::Result<Option<Key>> {
        if let Some(key) = self.known.get(&of) {
            return Ok(Some(key.clone()));
        }
        let found = connected(&mut self.connection, path)?
            .prepare_cached(of.find())?
            .query_row([of.id()], |row| {
                row.get::<_, [u8; 32]>(0).map(Zeroizing::new)
            })
            .optional()?;
        if let Some(key) = &found {
            self.keep(BTreeMap::from([(of, key.clone())]));
        }
        Ok(found)
    }

    fn keep(&mut self, keys: BTreeMap<Of, Key>) {
        if self.known.len() + keys.len() > KNOWN_MAX {
            self.known.clear();
        }
        self.known.extend(keys);
    }
}

/// Returns a connection to the keys, made at its first use.
fn connected<'a>(
    kept: &'a mut Option<Connection>,
    path: &Path,
) -> rusqlite::Result<&'a mut Connection> {
    if kept.is_none() {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        keep_a_log(&connection)?;
        connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;")?;
        connection.execute_batch(SCHEMA)?;
        // What a program before this one could not make durable may be in the log and be read from memory: a
        // key of it would be gone after a power cut, and what it seals by then would not.
        connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(()))?;
        *kept = Some(connection);
    }
    kept.as_mut().ok_or(rusqlite::Error::InvalidQuery)
}

/// Lets SQL on a connection to a relay's database open the bodies in it, for whoever looks at one from
/// outside: tests.
pub fn open_bodies(connection: &mut Connection, dir: &Path) -> rusqlite::Result<()> {
    DocKeys::beside(&dir.join(crate::db::FILE), &Dice::system()).serve(connection)
}

/// Says whether a log has bodies that a key seals.
pub(crate) fn is_sealed(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE sealed = 1)";
    connection.query_row(sql, [], |row| row.get(0))
}

fn arguments<'a>(context: &'a Context<'_>) -> rusqlite::Result<(DocId, ChangeHash, &'a [u8])> {
    let body = context.get_raw(2).as_blob();
    let body = body.map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))?;
    Ok((DocId(context.get(0)?), ChangeHash(context.get(1)?), body))
}

fn failed(error: RelayError) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(error))
}

/// Returns the nonce of a body. It follows from the key and the name: a body has one name only, so that no
/// two bodies ever share one.
fn nonce(key: &[u8; 32], name: &[u8; 32]) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    let mut hasher = blake3::Hasher::new_keyed(&blake3::derive_key(NONCES, key));
    hasher.update(name).finalize_xof().fill(&mut nonce);
    nonce
}

fn what(doc: &DocId, hash: &ChangeHash) -> Vec<u8> {
    [SEALED, &doc.0, &hash.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: DocId = DocId([1; 16]);

    fn connection(keys: &DocKeys, dir: &Path) -> Connection {
        let mut connection = Connection::open(dir.join("log.db")).unwrap();
        connection.busy_timeout(BUSY).unwrap();
        keys.serve(&mut connection).unwrap();
        let schema = "PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS body (doc BLOB, hash BLOB, body BLOB)";
        connection.execute_batch(schema).unwrap();
        connection
    }

    fn write(connection: &Connection, doc: &DocId, text: &str) {
        let hash = blake3::hash(text.as_bytes());
        let sql = "INSERT INTO body VALUES (?1, ?2, sealed(?1, ?2, ?3))";
        let row = (doc.0, hash.as_bytes(), text.as_bytes());
        connection.execute(sql, row).unwrap();
    }

    fn read(connection: &Connection) -> rusqlite::Result<Vec<String>> {
        let mut rows = connection.prepare("SELECT opened(doc, hash, body) FROM body")?;
        let rows = rows.query_map([], |row| row.get(0))?;
        rows.map(|body| Ok(String::from_utf8(body?).unwrap()))
            .collect()
    }

    #[test]
    fn what_is_sealed_opens_for_everybody_with_the_keys_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DocKeys::beside(&dir.path().join("log.db"), &Dice::system());
        let log = connection(&keys, dir.path());
        write(&log, &DOC, "one");
        write(&log, &DOC, "two");
        assert_eq!(read(&log).unwrap(), ["one", "two"]);
        let again = DocKeys::beside(&dir.path().join("log.db"), &Dice::system());
        assert_eq!(
            read(&connection(&again, dir.path())).unwrap(),
            ["one", "two"]
        );
        let bytes = std::fs::read(dir.path().join("log.db-wal")).unwrap();
        assert!(!bytes.windows(3).any(|part| part == b"two"));
    }

    #[test]
    fn a_rollback_of_somebody_else_takes_no_key_of_what_is_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DocKeys::beside(&dir.path().join("log.db"), &Dice::system());
        let (log, mut reader) = (connection(&keys, dir.path()), connection(&keys, dir.path()));
        log.execute_batch("BEGIN IMMEDIATE").unwrap();
        write(&log, &DOC, "in the middle");
        // As a reader ends that looked at something.
        let transaction = reader.transaction().unwrap();
        assert_eq!(read(&transaction).unwrap(), Vec::<String>::new());
        drop(transaction);
        log.execute_batch("COMMIT").unwrap();
        assert_eq!(read(&reader).unwrap(), ["in the middle"]);
        let again = DocKeys::beside(&dir.path().join("log.db"), &Dice::system());
        assert_eq!(
            read(&connection(&again, dir.path())).unwrap(),
            ["in the middle"]
        );
    }

    #[test]
    fn a_key_of_what_was_rolled_back_is_forgotten_and_another_process_may_draw_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.db");
        let (ours, theirs) = (
            DocKeys::beside(&path, &Dice::system()),
            DocKeys::beside(&path, &Dice::system()),
        );
        let (log, other) = (
            connection(&ours, dir.path()),
            connection(&theirs, dir.path()),
        );
        log.execute_batch("BEGIN IMMEDIATE").unwrap();
        write(&log, &DOC, "never");
        log.execute_batch("ROLLBACK").unwrap();
        write(&other, &DOC, "theirs");
        write(&log, &DOC, "ours");
        for reader in [&log, &other] {
            assert_eq!(read(reader).unwrap(), ["theirs", "ours"]);
        }
    }

    #[test]
    fn a_commit_whose_keys_cannot_be_kept_is_no_commit_and_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DocKeys::beside(&dir.path().join("log.db"), &Dice::system());
        let log = connection(&keys, dir.path());
        write(&log, &DOC, "kept");
        let page_count = "PRAGMA page_count";
        let mut scribe = keys.scribe();
        let kept = connected(&mut scribe, keys.path()).unwrap();
        let pages: u32 = kept.query_row(page_count, [], |row| row.get(0)).unwrap();
        kept.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .unwrap();
        drop(scribe);
        log.execute_batch("BEGIN IMMEDIATE").unwrap();
        for n in 2..=255 {
            write(&log, &DocId([n; 16]), "lost");
        }
        let refused = keys.meant(log.execute_batch("COMMIT").unwrap_err());
        assert_eq!(
            refused.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DiskFull)
        );
        assert_eq!(read(&log).unwrap(), ["kept"]);
    }
}
