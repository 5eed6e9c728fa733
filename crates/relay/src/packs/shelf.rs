//! The file of packs: saved documents, and the packs made of them.
//!
//! **A pack is replaced in one transaction, the old one going with the new one's coming**: whoever
//! reads finds one or the other, whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use wangge_wire::pack::FrameInfo;
use wangge_wire::{ChangeHash, Digest, DocId, FrameHash, Incarnation, PackKey, packing};

use crate::error::RelayError;
use crate::log::{Head, signed, unsigned};

/// Another number here makes every file anew.
const FORM: i64 = 3;
const BUSY_MS: u64 = 5_000;
const SCHEMA: &str = "
CREATE TABLE meta (
    -- One row: the log this was made from, and how far; whole is 0 while there may be documents of which
    -- no pack was made yet.
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    whole        INTEGER NOT NULL DEFAULT 0,
    incarnation  BLOB    NOT NULL,
    position     INTEGER NOT NULL DEFAULT 0,
    chain        BLOB    NOT NULL
) STRICT;
CREATE TABLE shelf (
    -- A document with all changes that may be shown; open names those that are not in it.
    doc       BLOB    NOT NULL PRIMARY KEY,
    position  INTEGER NOT NULL,
    saved     BLOB    NOT NULL,
    open      BLOB    NOT NULL
) STRICT;
CREATE TABLE pack (
    key        BLOB    NOT NULL PRIMARY KEY,
    position   INTEGER NOT NULL,
    documents  INTEGER NOT NULL,
    changes    INTEGER NOT NULL,
    sum        BLOB    NOT NULL
) STRICT;
CREATE TABLE frame (
    -- By the hash of its bytes; inflated is the hash of what is in it, so that nothing is packed twice.
    hash      BLOB NOT NULL PRIMARY KEY,
    inflated  BLOB NOT NULL,
    bytes     BLOB NOT NULL
) STRICT;
CREATE INDEX frame_by_inflated ON frame (inflated);
CREATE TABLE pack_frame (
    key        BLOB    NOT NULL,
    n          INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    documents  INTEGER NOT NULL,
    PRIMARY KEY (key, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX pack_frame_by_hash ON pack_frame (hash);
";

/// A document on the shelf.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelved {
    pub(super) saved: Vec<u8>,
    pub(super) open: Vec<ChangeHash>,
}

/// A pack as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) key: PackKey,
    pub(crate) position: u64,
    pub(crate) documents: u64,
    pub(crate) digest: Digest,
}

/// A frame about to be kept.
pub(super) struct NewFrame {
    pub(super) info: FrameInfo,
    pub(super) inflated: [u8; 32],
    /// None where it is there already.
    pub(super) bytes: Option<Vec<u8>>,
}

/// The file, open for the one that writes it.
pub(super) struct Shelf {
    pub(super) connection: Connection,
}

impl Shelf {
    /// Opens the file for a log; one of another log, of another form or damaged is made anew.
    pub(super) fn open(
        path: &Path,
        incarnation: &Incarnation,
        fits: impl Fn(Head) -> bool,
    ) -> Result<Self, RelayError> {
        let fail = |source| RelayError::sqlite(path, source);
        if let Ok(connection) = connect(path)
            && let Ok(Some(head)) = standing(&connection, incarnation)
            && fits(head)
        {
            return Ok(Self { connection });
        }
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            let file = PathBuf::from(name);
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(RelayError::io(&file, error));
                }
                _ => {}
            }
        }
        let connection = connect(path).map_err(fail)?;
        begin(&connection, incarnation).map_err(fail)?;
        Ok(Self { connection })
    }

    /// Returns up to where the log was read.
    pub(super) fn head(&self) -> rusqlite::Result<Head> {
        let sql = "SELECT position, chain FROM meta";
        self.connection.query_row(sql, [], |row| {
            Ok(Head {
                position: unsigned(row.get(0)?),
                chain: u64::from_le_bytes(row.get(1)?),
            })
        })
    }

    pub(super) fn change(&mut self) -> rusqlite::Result<Transaction<'_>> {
        let behavior = TransactionBehavior::Immediate;
        self.connection.transaction_with_behavior(behavior)
    }

    /// Returns the position of each document's last entry.
    pub(super) fn positions(&self) -> rusqlite::Result<BTreeMap<DocId, u64>> {
        let mut rows = self.connection.prepare("SELECT doc, position FROM shelf")?;
        let rows = rows.query_map([], |row| Ok((DocId(row.get(0)?), unsigned(row.get(1)?))))?;
        rows.collect()
    }

    /// Says whether every document is in its packs.
    pub(super) fn set_whole(&self, whole: bool) -> rusqlite::Result<()> {
        let sql = "UPDATE meta SET whole = ?1";
        self.connection.execute(sql, [whole]).map(|_| ())
    }

    /// Says that a pack in which nothing changed is as good at a later position.
    pub(super) fn advance(&self, key: &PackKey, position: u64) -> rusqlite::Result<()> {
        let sql = "UPDATE pack SET position = ?2 WHERE key = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement
            .execute(params![packing::encode(key), signed(position)])
            .map(|_| ())
    }

    /// Returns the frame that holds just this.
    pub(super) fn frame_of(&self, inflated: &[u8; 32]) -> rusqlite::Result<Option<FrameInfo>> {
        let sql = "SELECT hash, length(bytes) FROM frame WHERE inflated = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([inflated], |row| {
            Ok(FrameInfo {
                hash: FrameHash(row.get(0)?),
                bytes: unsigned(row.get(1)?),
                documents: 0,
            })
        });
        found.optional()
    }

    /// Puts a pack in the place of the one before.
    pub(super) fn replace(&mut self, made: &Made, frames: &[NewFrame]) -> rusqlite::Result<()> {
        let key = packing::encode(&made.key);
        let transaction = self.change()?;
        forget(&transaction, &key)?;
        transaction.execute(
            "INSERT INTO pack (key, position, documents, changes, sum) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                key,
                signed(made.position),
                signed(made.documents),
                signed(made.digest.changes),
                made.digest.sum_bytes()
            ],
        )?;
        for (n, frame) in frames.iter().enumerate() {
            if let Some(bytes) = &frame.bytes {
                transaction.execute(
                    "INSERT INTO frame (hash, inflated, bytes) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO NOTHING",
                    params![frame.info.hash.0, frame.inflated, bytes],
                )?;
            }
            transaction.execute(
                "INSERT INTO pack_frame (key, n, hash, documents) VALUES (?1, ?2, ?3, ?4)",
                params![
                    key,
                    signed(n as u64),
                    frame.info.hash.0,
                    signed(frame.info.documents)
                ],
            )?;
        }
        sweep(&transaction)?;
        transaction.commit()
    }

    /// Drops a pack: its documents are gone, or it cannot be made.
    pub(super) fn drop_pack(&mut self, key: &PackKey) -> rusqlite::Result<()> {
        let transaction = self.change()?;
        forget(&transaction, &packing::encode(key))?;
        sweep(&transaction)?;
        transaction.commit()
    }
}

/// Returns a connection that only reads; none where no pack was ever made.
pub(crate) fn connect_reader(path: &Path) -> rusqlite::Result<Option<Connection>> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = connect(path)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok(Some(connection))
}

/// Returns whether every document is in its packs, as far as those go.
pub(super) fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT whole FROM meta", [], |row| row.get(0))
}

/// Returns every pack, by key.
pub(super) fn packs(connection: &Connection) -> rusqlite::Result<Vec<Made>> {
    let sql = "SELECT key, position, documents, changes, sum FROM pack";
    let mut rows = connection.prepare_cached(sql)?;
    let rows = rows.query_map([], |row| {
        let key: Vec<u8> = row.get(0)?;
        let key = packing::decode(&key, "key of a pack");
        Ok(Made {
            key: key.map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, 0))?,
            position: unsigned(row.get(1)?),
            documents: unsigned(row.get(2)?),
            digest: Digest::from_parts(unsigned(row.get(3)?), row.get(4)?),
        })
    })?;
    let mut packs: Vec<Made> = rows.collect::<rusqlite::Result<_>>()?;
    packs.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(packs)
}

/// Returns the frames of a pack.
pub(super) fn frames(connection: &Connection, key: &PackKey) -> rusqlite::Result<Vec<FrameInfo>> {
    let mut rows = connection.prepare_cached(
        "SELECT p.hash, length(f.bytes), p.documents FROM pack_frame p
         JOIN frame f ON f.hash = p.hash WHERE p.key = ?1 ORDER BY p.n",
    )?;
    let rows = rows.query_map([packing::encode(key)], |row| {
        Ok(FrameInfo {
            hash: FrameHash(row.get(0)?),
            bytes: unsigned(row.get(1)?),
            documents: unsigned(row.get(2)?),
        })
    })?;
    rows.collect()
}

/// Returns a frame's bytes.
pub(super) fn bytes(connection: &Connection, hash: &FrameHash) -> rusqlite::Result<Vec<u8>> {
    let sql = "SELECT bytes FROM frame WHERE hash = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([hash.0], |row| row.get(0))
}

/// Returns a document on the shelf.
pub(super) fn shelved(connection: &Connection, doc: &DocId) -> rusqlite::Result<Option<Shelved>> {
    let sql = "SELECT saved, open FROM shelf WHERE doc = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([doc.0], |row| {
        let open: Vec<u8> = row.get(1)?;
        let open = packing::decode(&open, "open changes");
        Ok(Shelved {
            saved: row.get(0)?,
            open: open.map_err(|_| rusqlite::Error::IntegralValueOutOfRange(1, 0))?,
        })
    });
    found.optional()
}

/// Puts a document on the shelf.
pub(super) fn put(
    transaction: &Transaction<'_>,
    doc: &DocId,
    position: u64,
    document: &Shelved,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO shelf (doc, position, saved, open) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = transaction.prepare_cached(sql)?;
    let open = packing::encode(&document.open);
    statement
        .execute(params![doc.0, signed(position), document.saved, open])
        .map(|_| ())
}

/// Says up to where the log was read.
pub(super) fn stand_at(transaction: &Transaction<'_>, head: Head) -> rusqlite::Result<()> {
    let sql = "UPDATE meta SET position = ?1, chain = ?2";
    let chain = head.chain.to_le_bytes();
    transaction
        .execute(sql, params![signed(head.position), chain])
        .map(|_| ())
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // A power cut may take the last packs with it: they are made again.
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    Ok(connection)
}

fn standing(connection: &Connection, incarnation: &Incarnation) -> rusqlite::Result<Option<Head>> {
    let form: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if form != FORM {
        return Ok(None);
    }
    let whole: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    let sql = "SELECT incarnation, position, chain FROM meta";
    let (own, position, chain): ([u8; 16], i64, [u8; 8]) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let head = Head {
        position: unsigned(position),
        chain: u64::from_le_bytes(chain),
    };
    Ok((whole == "ok" && own == incarnation.0).then_some(head))
}

fn begin(connection: &Connection, incarnation: &Incarnation) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    let sql = "INSERT INTO meta (id, incarnation, chain) VALUES (1, ?1, ?2)";
    connection.execute(sql, params![incarnation.0, [0_u8; 8]])?;
    connection.pragma_update(None, "user_version", FORM)
}

fn forget(transaction: &Transaction<'_>, key: &[u8]) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM pack_frame WHERE key = ?1", [key])?;
    transaction.execute("DELETE FROM pack WHERE key = ?1", [key])?;
    Ok(())
}

fn sweep(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "DELETE FROM frame WHERE hash NOT IN (SELECT hash FROM pack_frame)";
    transaction.execute(sql, []).map(|_| ())
}
