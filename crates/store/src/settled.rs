//! What desks decided about entries that lie in an inbox, as this device was told, and as it decides.
//!
//! **A discarded entry stays here and stays in the outbox**: it is no longer something that waits, and
//! never something safe. A decision is kept byte for byte, so that a later one can undo it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use wangge_wire::settle::{self, Settled};
use wangge_wire::{
    AreaCode, ChangeHash, Decision, DeviceId, Digest, DocId, End, EntryKind, ItemName, Place,
    Settlement,
};

use crate::document;
use crate::error::StoreError;
use crate::open::Store;
use crate::record::Writer;

impl Store {
    /// Returns the decision that stands on an entry of this author.
    pub fn settled(
        &self,
        doc: &DocId,
        item: &ChangeHash,
        author: &DeviceId,
    ) -> Result<Option<Settled>, StoreError> {
        let mut all = of_document(&self.conn, Some(doc))?;
        all.retain(|one| one.settlement.item == *item && one.settlement.author == *author);
        Ok(settle::standing(&all).cloned())
    }

    /// Returns the digest of the decisions that concern a device and have a number.
    pub fn decisions(&self, device: &DeviceId) -> Result<Digest, StoreError> {
        let names = concerning(&self.conn, device)?;
        Ok(names.iter().map(|(doc, hash)| Digest::of(doc, hash)).sum())
    }

    /// Returns the entries of the outbox that a desk discarded.
    pub fn discards_kept(&self) -> Result<Vec<(DocId, ChangeHash)>, StoreError> {
        let discarded = discarded(&self.conn)?;
        if discarded.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = self.conn.prepare_cached("SELECT doc, hash FROM outbox")?;
        let rows = rows.query_map([], |row| Ok((DocId(row.get(0)?), ChangeHash(row.get(1)?))))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(rows
            .into_iter()
            .filter(|row| discarded.contains(row))
            .collect())
    }

    /// Returns whether a decision of this device is still here: one that the relay refused is not.
    pub fn has_settlement(&self, settlement: &Settlement) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM entry WHERE kind = ?1 AND doc = ?2 AND hash = ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        let (doc, hash) = (settlement.doc.as_bytes(), settlement.hash());
        let kind = EntryKind::SETTLEMENT.0;
        Ok(statement.exists(params![kind, doc, hash.as_bytes()])?)
    }

    /// Returns where a decision of this device stands in the outbox, with the relay's reason; none once
    /// it is numbered, or refused.
    pub fn settlement_waits(&self, settlement: &Settlement) -> Result<Option<String>, StoreError> {
        let sql = "SELECT reason FROM outbox WHERE entry = ?1 AND doc = ?2 AND hash = ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        let (doc, hash) = (settlement.doc.as_bytes(), settlement.hash());
        let values = params![EntryKind::SETTLEMENT.0, doc, hash.as_bytes()];
        let row = statement.query_row(values, |row| row.get(0));
        Ok(rusqlite::OptionalExtension::optional(row)?)
    }
}

impl Writer<'_> {
    /// Records a decision of this device, and the place that goes with it where the document is not
    /// here: it travels with the next sync.
    pub fn settle(
        &self,
        settlement: &Settlement,
        area: &AreaCode,
        place: Option<&Place>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO entry (kind, doc, hash, bytes) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO NOTHING";
        let (doc, hash) = (&settlement.doc, settlement.hash());
        let kind = EntryKind::SETTLEMENT;
        self.conn.prepare_cached(sql)?.execute(params![
            kind.0,
            doc.as_bytes(),
            hash.as_bytes(),
            settlement.bytes()
        ])?;
        self.enqueue(kind, doc, &hash, None, area, false)?;
        if let Some(place) = place {
            if document::row(self.conn, &place.doc)?.is_some() {
                document::take_place(self.conn, place)?;
            }
            self.place(place)?;
            self.enqueue(
                EntryKind::PLACE,
                &place.doc,
                &place.hash(),
                None,
                area,
                false,
            )?;
        }
        Ok(())
    }
}

/// Returns the entries of this device that a desk discarded and no later decision took back.
pub(crate) fn discarded(conn: &Connection) -> Result<BTreeSet<(DocId, ChangeHash)>, StoreError> {
    let mut own = conn.prepare_cached("SELECT DISTINCT device FROM batch WHERE own = 1")?;
    let own = own.query_map([], |row| row.get(0).map(DeviceId))?;
    let own: BTreeSet<DeviceId> = own.collect::<Result<_, _>>()?;
    let mut by_item: BTreeMap<(DocId, ChangeHash), Vec<Settled>> = BTreeMap::new();
    for one in of_document(conn, None)? {
        if own.contains(&one.settlement.author) {
            let item = (one.settlement.doc, one.settlement.item);
            by_item.entry(item).or_default().push(one);
        }
    }
    let stands = |all: &Vec<Settled>| {
        let standing = settle::standing(all);
        standing.is_some_and(|one| one.settlement.decision == Decision::Discard)
    };
    let discarded = by_item.into_iter().filter(|(_, all)| stands(all));
    Ok(discarded.map(|(item, _)| item).collect())
}

/// Takes note of a decision that came in a page: what was accepted is sent once more, so that its
/// receipt says the number.
pub(crate) fn arrived(conn: &Connection, bytes: &[u8]) -> Result<(), StoreError> {
    // One of a later form says nothing to this program.
    let Ok(settlement) = Settlement::read(bytes) else {
        return Ok(());
    };
    if settlement.decision == Decision::Accept {
        let sql = "UPDATE outbox SET state = 0 WHERE doc = ?1 AND hash = ?2 AND state = 2";
        let (doc, item) = (settlement.doc.as_bytes(), settlement.item.as_bytes());
        conn.prepare_cached(sql)?.execute(params![doc, item])?;
    }
    Ok(())
}

/// Sends again what lies in the relay's inbox or waits there, where the relay tells of fewer entries than are
/// known here: it may have lost them with a copy that was put back, and no digest tells. Returns whether
/// there is something to be sent.
pub(crate) fn send_again(conn: &Connection, end: &End) -> Result<bool, StoreError> {
    let discarded = discarded(conn)?;
    let mut lost = false;
    for (state, told) in [(1, end.waiting.unwrap_or_default()), (2, end.inbox)] {
        let mut rows = conn.prepare_cached("SELECT id, doc, hash FROM outbox WHERE state = ?1")?;
        let rows = rows.query_map([state], |row| {
            let item = (DocId(row.get(1)?), ChangeHash(row.get(2)?));
            Ok((row.get::<_, i64>(0)?, item))
        })?;
        let rows: Vec<(i64, (DocId, ChangeHash))> = rows.collect::<Result<_, _>>()?;
        let open = rows.iter().filter(|(_, item)| !discarded.contains(item));
        let open: Vec<i64> = open.map(|(id, _)| *id).collect();
        if open.len() <= usize::try_from(told).unwrap_or(usize::MAX) {
            continue;
        }
        lost = true;
        for id in open {
            let sql = "UPDATE outbox SET state = 0 WHERE id = ?1";
            conn.prepare_cached(sql)?.execute([id])?;
        }
    }
    Ok(lost)
}

/// Returns the decisions that concern a device, without those that have no number.
pub(crate) fn concerning(
    conn: &Connection,
    device: &DeviceId,
) -> Result<Vec<(DocId, ChangeHash)>, StoreError> {
    let mut names = Vec::new();
    let sql = "SELECT 1 FROM outbox WHERE entry = ?1 AND doc = ?2 AND hash = ?3
               UNION ALL SELECT 1 FROM unnumbered WHERE doc = ?2 AND hash = ?3";
    let mut waits = conn.prepare_cached(sql)?;
    for Settled {
        hash,
        by,
        settlement: Settlement { doc, author, .. },
    } in of_document(conn, None)?
    {
        let concerns = [author, by].contains(device);
        let kind = EntryKind::SETTLEMENT.0;
        if concerns && !waits.exists(params![kind, doc.as_bytes(), hash.as_bytes()])? {
            names.push((doc, hash));
        }
    }
    Ok(names)
}

/// Forgets the entries of a document that leaves this device, but for the decisions that concern it: the
/// relay counts those whoever reads the document.
pub(crate) fn forget_others(
    conn: &Connection,
    doc: &DocId,
    device: &DeviceId,
) -> Result<(), StoreError> {
    let concerns = |settled: &Settled| [settled.settlement.author, settled.by].contains(device);
    let kept = of_document(conn, Some(doc))?.into_iter().filter(concerns);
    let kept: BTreeSet<[u8; 32]> = kept.map(|settled| settled.hash.0).collect();
    let mut rows = conn.prepare_cached("SELECT kind, hash FROM entry WHERE doc = ?1")?;
    let rows = rows.query_map([doc.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let all: Vec<(i64, [u8; 32])> = rows.collect::<Result<_, _>>()?;
    let mut delete =
        conn.prepare_cached("DELETE FROM entry WHERE kind = ?1 AND doc = ?2 AND hash = ?3")?;
    for (kind, hash) in all {
        if kind != i64::from(EntryKind::SETTLEMENT.0) || !kept.contains(&hash) {
            delete.execute(params![kind, doc.as_bytes(), hash])?;
        }
    }
    let sql = "DELETE FROM unnumbered WHERE doc = ?1
                 AND hash NOT IN (SELECT hash FROM entry WHERE doc = ?1)";
    conn.prepare_cached(sql)?.execute([doc.as_bytes()])?;
    Ok(())
}

/// Forgets a decision that the relay did not take, because another one stands.
pub(crate) fn forget(conn: &Connection, name: &ItemName) -> Result<(), StoreError> {
    let (doc, hash) = (name.doc.as_bytes(), name.hash.as_bytes());
    for sql in [
        "DELETE FROM outbox WHERE entry = ?1 AND doc = ?2 AND hash = ?3",
        "DELETE FROM entry WHERE kind = ?1 AND doc = ?2 AND hash = ?3",
    ] {
        conn.prepare_cached(sql)?
            .execute(params![name.entry, doc, hash])?;
    }
    Ok(())
}

/// Returns the bytes of a decision that is here.
pub(crate) fn bytes(conn: &Connection, name: &ItemName) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT bytes FROM entry WHERE kind = ?1 AND doc = ?2 AND hash = ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let (doc, hash) = (name.doc.as_bytes(), name.hash.as_bytes());
    let row = statement.query_row(params![name.entry, doc, hash], |row| row.get(0));
    Ok(rusqlite::OptionalExtension::optional(row)?)
}

/// Returns the decisions about one document, or all of them.
fn of_document(conn: &Connection, doc: Option<&DocId>) -> Result<Vec<Settled>, StoreError> {
    let sql = "SELECT e.bytes, coalesce(b.device, x'00000000000000000000000000000000'), e.hash
               FROM entry e LEFT JOIN batch b ON b.hash = e.batch
               WHERE e.kind = ?1 AND (?2 IS NULL OR e.doc = ?2)";
    let mut statement = conn.prepare_cached(sql)?;
    let values = params![EntryKind::SETTLEMENT.0, doc.map(DocId::as_bytes)];
    let rows = statement.query_map(values, |row| {
        let named = (DeviceId(row.get(1)?), ChangeHash(row.get(2)?));
        Ok((row.get::<_, Vec<u8>>(0)?, named))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (bytes, (by, hash)) = row?;
        if let Ok(settlement) = Settlement::read(&bytes) {
            found.push(Settled {
                hash,
                by,
                settlement,
            });
        }
    }
    Ok(found)
}
