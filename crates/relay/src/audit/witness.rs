//! What devices are told of the chain's end, and what becomes of it when one of them brings that back.

use rusqlite::{Connection, OptionalExtension, params};
use wangge_trust::witness::verify_checkpoint;
use wangge_wire::{AuditCheckpoint, AuditHash, Signature};

use super::{NOTHING_BEFORE, last};
use crate::error::RelayError;
use crate::log::{signed, unsigned};
use crate::relay::Relay;

/// How a checkpoint that somebody kept compares with the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Its row is there as it was.
    Fits,
    /// Its row came after a backup that the log was restored from since, by the row of this number.
    Restored(u64),
    /// The chain ends before it, at this row.
    Cut(u64),
    /// Its row is another one now.
    Changed,
    /// No checkpoint of this relay.
    NotOurs,
}

/// Returns the relay's word for where its chain ends, and for the row that somebody asks for.
pub(crate) fn checkpoint(
    connection: &Connection,
    relay: &Relay,
    asked: u64,
    at_ms: i64,
) -> rusqlite::Result<AuditCheckpoint> {
    let (n, hash) = last(connection)?;
    let key = &relay.secrets.key;
    let asked_hash = match asked {
        0 => None,
        asked => hash_at(connection, asked)?.map(AuditHash),
    };
    let mut checkpoint = AuditCheckpoint {
        relay: key.public().relay(),
        incarnation: relay.identity.incarnation,
        n,
        hash: AuditHash(hash),
        at_ms,
        restored: restored(connection, n)?,
        asked,
        asked_hash,
        asked_restored: restored(connection, asked)?,
        signature: Signature([0; 64]),
    };
    key.sign_checkpoint(&mut checkpoint);
    Ok(checkpoint)
}

/// Returns the last row up to one that says that the log was restored; 0 for none.
fn restored(connection: &Connection, until: u64) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT ifnull(max(n), 0) FROM audit WHERE what = 17 AND n <= ?1")?
        .query_row([signed(until)], |row| row.get(0).map(unsigned))
}

/// Returns the hash of the row of this number; zeros for 0, none where there is no such row.
fn hash_at(connection: &Connection, n: u64) -> rusqlite::Result<Option<[u8; 32]>> {
    if n == 0 {
        return Ok(Some(NOTHING_BEFORE));
    }
    connection
        .prepare_cached("SELECT hash FROM audit WHERE n = ?1")?
        .query_row(params![signed(n)], |row| row.get(0))
        .optional()
}

impl Relay {
    /// Compares a checkpoint that a device kept with the chain as it is.
    pub fn audit_compare(&self, kept: &AuditCheckpoint) -> Result<Compared, RelayError> {
        if !verify_checkpoint(&self.secrets.key.public(), kept) {
            return Ok(Compared::NotOurs);
        }
        self.read(|connection| {
            let there = hash_at(connection, kept.n)?;
            if there == Some(kept.hash.0) {
                return Ok(Compared::Fits);
            }
            let restored = restored(connection, kept.n)?;
            let (end, _) = last(connection)?;
            Ok(
                if restored > kept.restored && kept.incarnation != self.identity.incarnation {
                    Compared::Restored(restored)
                } else if there.is_none() {
                    Compared::Cut(end)
                } else {
                    Compared::Changed
                },
            )
        })
    }
}
