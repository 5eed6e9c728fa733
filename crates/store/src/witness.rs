//! What this device saw of relays' audit chains: the last checkpoint of each, and whether the next did not fit.

use rusqlite::params;
use wangge_wire::{AuditCheckpoint, RelayId, packing};

use crate::error::StoreError;
use crate::open::{Store, meta, set_meta};

/// In front of a relay's id: its checkpoint.
const SEEN: &str = "audit ";
/// In front of a relay's id: what was wrong with its chain, as whoever judges it writes that; empty for nothing.
const DOUBT: &str = "audit doubt ";

impl Store {
    /// Returns the checkpoint that is kept of a relay, and what was wrong with its chain since.
    pub fn witnessed(
        &self,
        relay: &RelayId,
    ) -> Result<(Option<AuditCheckpoint>, String), StoreError> {
        let kept = meta(&self.conn, &format!("{SEEN}{relay}"))?;
        let kept = kept.map(|bytes| packing::decode(&bytes, "checkpoint"));
        let doubt = meta(&self.conn, &format!("{DOUBT}{relay}"))?.unwrap_or_default();
        let doubt = String::from_utf8(doubt).unwrap_or_default();
        Ok((kept.transpose()?, doubt))
    }

    /// Returns the checkpoint that is kept of each relay.
    pub fn all_witnessed(&self) -> Result<Vec<AuditCheckpoint>, StoreError> {
        let sql = "SELECT value FROM meta WHERE name LIKE ?1 AND name NOT LIKE ?2 ORDER BY name";
        let mut statement = self.conn.prepare_cached(sql)?;
        let like = (format!("{SEEN}%"), format!("{DOUBT}%"));
        let rows = statement.query_map(params![like.0, like.1], |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|bytes| Ok(packing::decode(&bytes?, "checkpoint")?))
            .collect()
    }

    /// Keeps a checkpoint, with which nothing is wrong.
    pub fn keep_witnessed(&mut self, checkpoint: &AuditCheckpoint) -> Result<(), StoreError> {
        let relay = checkpoint.relay;
        let transaction = self.conn.transaction()?;
        let bytes = packing::encode(checkpoint);
        set_meta(&transaction, &format!("{SEEN}{relay}"), &bytes)?;
        set_meta(&transaction, &format!("{DOUBT}{relay}"), b"")?;
        Ok(transaction.commit()?)
    }

    /// Notes what is wrong with a relay's chain; the checkpoint that shows it stays.
    pub fn doubt_witnessed(&self, relay: &RelayId, doubt: &str) -> Result<(), StoreError> {
        set_meta(&self.conn, &format!("{DOUBT}{relay}"), doubt.as_bytes())
    }
}
