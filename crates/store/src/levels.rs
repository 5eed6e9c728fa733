//! How far up the tree of relays a change is durable: arrivals, watermarks, and names that are exceptions.
//!
//! **A change is at a level only by that relay's own receipt or page, or by a watermark that passed its
//! position and does not name it.** Everything else is "not yet".

use rusqlite::{Connection, params};
use wangge_wire::order::LevelForm;
use wangge_wire::{ChangeHash, DocId, End, RelayId};

use crate::error::StoreError;
use crate::open::Store;

/// What is at a relay, or passed by a watermark of a level without being named; `c` is what is asked for.
const ARRIVED: &str = "EXISTS (
    SELECT 1 FROM arrival a WHERE a.doc = c.doc AND a.hash = c.hash AND (a.relay = ?1 OR (
      EXISTS (SELECT 1 FROM watermark w
              WHERE w.relay = a.relay AND w.level = ?2 AND a.position <= w.position)
      AND NOT EXISTS (SELECT 1 FROM above_name n
                      WHERE n.relay = a.relay AND n.doc = c.doc AND n.hash = c.hash))))";

impl Store {
    /// Returns whether an entry is known to be at a relay of this level.
    pub fn is_at(
        &self,
        relay: &RelayId,
        level: LevelForm,
        doc: &DocId,
        hash: &ChangeHash,
    ) -> Result<bool, StoreError> {
        let sql = format!("SELECT {ARRIVED} FROM (SELECT ?3 AS doc, ?4 AS hash) c");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let values = params![
            relay.as_bytes(),
            level as i64,
            doc.as_bytes(),
            hash.as_bytes()
        ];
        Ok(statement.query_row(values, |row| row.get(0))?)
    }

    /// Returns whether a relay named an entry as having no number further up.
    pub fn is_named_above(&self, doc: &DocId, hash: &ChangeHash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM above_name WHERE doc = ?1 AND hash = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.exists(params![doc.as_bytes(), hash.as_bytes()])?)
    }

    /// Returns how many changes and places of this device, but for what was discarded, are not known to be at a relay of this level.
    pub fn own_not_at(&self, relay: &RelayId, level: LevelForm) -> Result<u64, StoreError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM change c WHERE c.own = 1 AND NOT {ARRIVED})
                  + (SELECT count(*) FROM place c JOIN batch b ON b.hash = c.batch
                     WHERE b.own = 1 AND NOT {ARRIVED})"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let values = params![relay.as_bytes(), level as i64];
        let count: i64 = statement.query_row(values, |row| row.get(0))?;
        Ok(count.unsigned_abs().saturating_sub(self.discards_kept()?))
    }

    /// Returns whether this device has read any relay's log.
    pub fn has_met(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM relay WHERE incarnation <> x''";
        Ok(self.conn.prepare_cached(sql)?.exists([])?)
    }
}

/// Keeps what the end says of the levels above: all of it, and nothing of what it said before.
pub(crate) fn keep_end(conn: &Connection, end: &End) -> Result<(), StoreError> {
    let relay = end.cursor.relay;
    for sql in [
        "DELETE FROM watermark WHERE relay = ?1",
        "DELETE FROM above_name WHERE relay = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([relay.as_bytes()])?;
    }
    for (level, position) in &end.watermarks {
        let sql = "INSERT OR REPLACE INTO watermark (relay, level, position) VALUES (?1, ?2, ?3)";
        let position = i64::try_from(*position).unwrap_or(i64::MAX);
        let values = params![relay.as_bytes(), *level as i64, position];
        conn.prepare_cached(sql)?.execute(values)?;
    }
    for (doc, hash) in end.above.as_deref().unwrap_or_default() {
        let sql = "INSERT OR IGNORE INTO above_name (relay, doc, hash) VALUES (?1, ?2, ?3)";
        let values = params![relay.as_bytes(), doc.as_bytes(), hash.as_bytes()];
        conn.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}
