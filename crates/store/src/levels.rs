//! How far up the tree of relays a change is durable: arrivals, watermarks, and names that are exceptions.
//!
//! **A change is at a level only by that relay's own receipt or page, or by a watermark that passed its
//! position and does not name it.** Everything else is "not yet".

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use wangge_wire::order::LevelForm;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{ChangeHash, DocId, End, RelayId};

use crate::error::StoreError;
use crate::open::Store;
use crate::packed::Packed;

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
        if statement.query_row(values, |row| row.get(0))? {
            return Ok(true);
        }
        let packed = Packed::of(&self.conn, doc)?;
        let Some(packed) = packed.filter(|packed| packed.holds(hash)) else {
            return Ok(false);
        };
        let sql = "SELECT 1 FROM watermark WHERE relay = ?1 AND level = ?2 AND position >= ?3";
        let values = params![packed.relay.as_bytes(), level as i64, packed.position];
        let passed = self.conn.prepare_cached(sql)?.exists(values)?;
        Ok(packed.relay == *relay || passed && !self.is_named_above(doc, hash)?)
    }

    /// Returns whether a relay named an entry as having no number further up.
    pub fn is_named_above(&self, doc: &DocId, hash: &ChangeHash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM above_name WHERE doc = ?1 AND hash = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.exists(params![doc.as_bytes(), hash.as_bytes()])?)
    }

    /// Returns how many changes and places of this device, but for what was discarded, are not known to be at
    /// a relay of this level.
    pub fn own_not_at(&self, relay: &RelayId, level: LevelForm) -> Result<u64, StoreError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM change c WHERE c.own = 1 AND NOT {ARRIVED})
                  + (SELECT count(*) FROM place c JOIN batch b ON b.hash = c.batch
                     WHERE b.own = 1 AND NOT {ARRIVED})"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let values = params![relay.as_bytes(), level as i64];
        let count: i64 = statement.query_row(values, |row| row.get(0))?;
        let mut missing = count.unsigned_abs();
        let sql = "SELECT EXISTS (SELECT 1 FROM change WHERE doc = ?1 AND hash = ?2 AND own = 1)
                     OR EXISTS (SELECT 1 FROM place p JOIN batch b ON b.hash = p.batch
                                WHERE p.doc = ?1 AND p.hash = ?2 AND b.own = 1)";
        let mut own = self.conn.prepare_cached(sql)?;
        for (doc, hash) in self.discards_kept()? {
            // Not counted were a place that stands here as somebody else's who made just the same, and what
            // is at the level all the same, since another desk let it in there.
            let counted: bool =
                own.query_row(params![doc.as_bytes(), hash.as_bytes()], |row| row.get(0))?;
            let counted = counted && !self.is_at(relay, level, &doc, &hash)?;
            missing = missing.saturating_sub(u64::from(counted));
        }
        Ok(missing)
    }

    /// Returns whether this device has read any relay's log.
    pub fn has_met(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM relay WHERE incarnation <> x''";
        Ok(self.conn.prepare_cached(sql)?.exists([])?)
    }
}

/// Returns the documents of which a change or a place that was made here is not known to be at a relay of
/// this level, and whether the device's own relay has told where all of that stands in its log, or is still
/// to be told of it. A place counts only where that relay told of it: what it says is in the log above.
pub(crate) fn own_docs_not_at(
    conn: &Connection,
    (relay, level): &(RelayId, LevelForm),
    own_relay: &RelayId,
) -> Result<BTreeMap<DocId, bool>, StoreError> {
    let told = "(EXISTS (SELECT 1 FROM arrival t
                         WHERE t.doc = c.doc AND t.hash = c.hash AND t.relay = ?3)
                 OR EXISTS (SELECT 1 FROM outbox o WHERE o.doc = c.doc AND o.hash = c.hash))";
    let sql = format!(
        "SELECT doc, min(told) FROM (
           SELECT c.doc AS doc, {told} AS told FROM change c WHERE c.own = 1 AND NOT {ARRIVED}
           UNION ALL SELECT c.doc, 1 FROM place c JOIN batch b ON b.hash = c.batch
                     WHERE b.own = 1 AND {told} AND NOT {ARRIVED}) GROUP BY doc"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let values = params![relay.as_bytes(), *level as i64, own_relay.as_bytes()];
    let rows = statement.query_map(values, |row| Ok((DocId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps what the end says of the levels above: all of it, and nothing of what it said before.
///
/// **Watermarks are of positions, and positions of one log.** Where the digests differ the relay may have
/// lost what it gave a position to, and something else may stand there: then nothing is kept.
pub(crate) fn keep_end(conn: &Connection, end: &End, same_log: bool) -> Result<(), StoreError> {
    let relay = end.cursor.relay;
    forget(conn, &relay)?;
    if !same_log && !Sabotage::OldWatermarksKept.is_on() {
        return Ok(());
    }
    for (level, position) in &end.watermarks {
        let sql = "INSERT OR REPLACE INTO watermark (relay, level, position) VALUES (?1, ?2, ?3)";
        let position = i64::try_from(*position).unwrap_or(i64::MAX);
        let values = params![relay.as_bytes(), *level as i64, position];
        conn.prepare_cached(sql)?.execute(values)?;
    }
    if Sabotage::NamedCalledSafe.is_on() {
        return Ok(());
    }
    for (doc, hash) in end.above.as_deref().unwrap_or_default() {
        let sql = "INSERT OR IGNORE INTO above_name (relay, doc, hash) VALUES (?1, ?2, ?3)";
        let values = params![relay.as_bytes(), doc.as_bytes(), hash.as_bytes()];
        conn.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}

/// Forgets what a relay said of the levels above it.
pub(crate) fn forget(conn: &Connection, relay: &RelayId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM watermark WHERE relay = ?1",
        "DELETE FROM above_name WHERE relay = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([relay.as_bytes()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_wire::{AreaCode, Audience, Cursor, Digest, Incarnation};

    const RELAY: RelayId = RelayId([1; 16]);
    const DOC: DocId = DocId([7; 16]);
    const HASH: ChangeHash = ChangeHash([8; 32]);

    /// An end whose relay has so many changes of an area of which this device has none.
    fn end(changes: u64) -> End {
        let area = AreaCode::parse("511724103202001").unwrap();
        let mut digest = Digest::default();
        for n in 0..changes {
            digest = digest.plus(Digest::of(&DocId([9; 16]), &ChangeHash([n as u8; 32])));
        }
        End {
            cursor: Cursor {
                relay: RELAY,
                incarnation: Incarnation([2; 16]),
                position: 40,
                chain: 9,
                covers: None,
                granted: None,
            },
            digests: vec![(Audience::Area(area), digest)],
            watermarks: vec![(LevelForm::Township, 40)],
            inbox: 0,
            above: None,
            decisions: None,
            waiting: None,
            undecided: None,
            lost: None,
            lease: None,
            lease_key: None,
            audit: None,
        }
    }

    fn is_above(store: &Store) -> bool {
        let at = store.is_at(&RelayId([3; 16]), LevelForm::Township, &DOC, &HASH);
        at.unwrap()
    }

    /// A store that has a change at position 30 of the relay's log.
    fn arrived(dir: &std::path::Path) -> Store {
        let store = Store::open(&dir.join("wangge.db"), &[7; 32]).unwrap();
        let sql = "INSERT OR IGNORE INTO arrival (relay, doc, hash, position, at_ms) VALUES (?1, ?2, ?3, 30, 5)";
        let row = params![RELAY.as_bytes(), DOC.as_bytes(), HASH.as_bytes()];
        store.conn.execute(sql, row).unwrap();
        store
    }

    #[test]
    fn a_watermark_of_a_log_that_may_be_another_one_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = arrived(dir.path());
        store.end_sync(&end(0), 5).unwrap();
        assert!(is_above(&store));
        store.forget_cursor(&RELAY).unwrap();
        assert!(!is_above(&store), "its positions are of another log now");
    }

    #[test]
    fn what_has_no_number_at_a_relay_that_tells_of_fewer_is_sent_again() {
        let dir = tempfile::tempdir().unwrap();
        for (state, waiting, inbox) in [(1, 1, 0), (2, 0, 1)] {
            let mut store = arrived(dir.path());
            store.conn.execute_batch("DELETE FROM outbox").unwrap();
            let sql =
                "INSERT INTO outbox (entry, doc, hash, state, area) VALUES (1, ?1, ?2, ?3, '')";
            let row = params![DOC.as_bytes(), HASH.as_bytes(), state];
            store.conn.execute(sql, row).unwrap();
            let mut ends = |waiting: u32, inbox| {
                let waiting = Some(waiting).filter(|count| *count > 0);
                let end = End {
                    waiting,
                    inbox,
                    ..end(0)
                };
                store.end_sync(&end, 5).unwrap();
                let sql = "SELECT state FROM outbox";
                let state: i64 = store.conn.query_row(sql, [], |row| row.get(0)).unwrap();
                state
            };
            assert_eq!(ends(waiting, inbox), state, "it is there");
            assert_eq!(ends(0, 0), 0, "it was lost there");
        }
    }

    #[test]
    fn a_watermark_is_kept_only_where_the_digests_are_equal() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = arrived(dir.path());
        store.end_sync(&end(0), 5).unwrap();
        store.end_sync(&end(2), 6).unwrap();
        assert!(!is_above(&store), "something else may stand at position 30");
        store.end_sync(&end(0), 7).unwrap();
        assert!(is_above(&store));
    }
}
