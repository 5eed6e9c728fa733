//! How long this device may show other people's data, as its relay said last.

use rusqlite::{OptionalExtension, params};
use wangge_wire::{Day, LeaseKey};

use crate::error::StoreError;
use crate::open::Store;

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Its last day.
    pub until: Day,
    /// What makes its codes.
    pub key: LeaseKey,
    /// The greatest time that was ever known here since the relay said so, milliseconds since 1970.
    pub seen_ms: i64,
    /// The wrong codes since the last right one, as whoever counts them writes it; empty for none.
    pub tries: String,
}

impl Store {
    /// Returns the lease; none before a relay gave one.
    pub fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        let sql = "SELECT until, key, seen_ms, tries FROM lease WHERE id = 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let row = statement.query_row([], |row| {
            Ok(LeaseRow {
                until: Day(row.get(0)?),
                key: LeaseKey(row.get(1)?),
                seen_ms: row.get(2)?,
                tries: row.get(3)?,
            })
        });
        Ok(row.optional()?)
    }

    /// Keeps a lease.
    pub fn keep_lease(&self, lease: &LeaseRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO lease (id, until, key, seen_ms, tries) VALUES (1, ?1, ?2, ?3, ?4)
                   ON CONFLICT (id) DO UPDATE
                   SET until = ?1, key = ?2, seen_ms = ?3, tries = ?4";
        let values = params![lease.until.0, lease.key.0, lease.seen_ms, lease.tries];
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}
