//! The device's half of a repair: which changes it has, what it takes in, what it gives back.
//!
//! What a relay lost goes back as the author signed it, whoever that was; **an own change that the
//! relay has no more is unsent again**, so that nothing says it is safe before a new receipt does.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wangge_wire::message::PageEntry;
use wangge_wire::repair::Subject;
use wangge_wire::{
    Audience, BatchHash, ChangeHash, DeviceId, DocId, EntryKind, ItemName, RelayId, packing,
};

use crate::apply::{Incoming, PageOutcome, Taking};
use crate::counted;
use crate::document;
use crate::error::StoreError;
use crate::open::Store;
use crate::packed::Packed;
use crate::settled;

impl Store {
    /// Returns what this device has of what a question is about, without what a relay has and gave no
    /// number.
    pub fn names_in(
        &self,
        about: &Subject,
        device: &DeviceId,
    ) -> Result<Vec<(DocId, ChangeHash)>, StoreError> {
        match about {
            Subject::Changes(audience) => self.changes_in(audience),
            Subject::Decisions => settled::concerning(&self.conn, device),
        }
    }

    /// Returns the changes of the documents that live in an area or name an audience, without those that a
    /// relay has and gave no number.
    pub fn changes_in(&self, audience: &Audience) -> Result<Vec<(DocId, ChangeHash)>, StoreError> {
        let mut hashes = self
            .conn
            .prepare_cached("SELECT hash FROM change WHERE doc = ?1")?;
        let unnumbered = counted::unnumbered(&self.conn)?;
        let mut names = Vec::new();
        for lives in document::all(&self.conn, &counted::told(&self.conn)?)? {
            let belongs = match audience {
                Audience::Area(area) => area.covers(&lives.home),
                other => lives.audiences.contains(other),
            };
            if belongs {
                let rows = hashes.query_map([lives.doc.as_bytes()], |row| row.get(0))?;
                let mut hashes = rows.collect::<Result<Vec<[u8; 32]>, _>>()?;
                if let Some(packed) = Packed::of(&self.conn, &lives.doc)? {
                    hashes.extend(packed.names().map(|name| name.0));
                }
                for hash in hashes {
                    let name = (lives.doc, ChangeHash(hash));
                    if !unnumbered.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        Ok(names)
    }

    /// Takes in entries that a repair brought; no cursor moves.
    pub fn take_entries(
        &mut self,
        relay: RelayId,
        entries: &[PageEntry],
        incoming: &mut dyn Incoming,
    ) -> Result<PageOutcome, StoreError> {
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = Taking::begin(&transaction, relay).all(entries, incoming)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Returns the batches that bring back changes a relay has no more, and the places of their
    /// documents, in the order they came here, and how many of the changes are in no batch that is here. Own
    /// changes among them are unsent from now on.
    pub fn give_back(
        &mut self,
        relay: &RelayId,
        names: &[(DocId, ChangeHash)],
    ) -> Result<(Vec<BatchHash>, usize), StoreError> {
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut rows = BTreeSet::new();
        let mut lost = BTreeSet::new();
        let mut unproven = BTreeSet::new();
        for (doc, hash) in names {
            let (doc_bytes, hash_bytes) = (doc.as_bytes(), hash.as_bytes());
            // What a relay keeps without a number is known to be there: it waits, or for a person.
            let parked =
                "SELECT 1 FROM outbox WHERE entry = 1 AND doc = ?1 AND hash = ?2 AND state > 0";
            let mut parked = transaction.prepare_cached(parked)?;
            if parked.exists(params![doc_bytes, hash_bytes])? {
                continue;
            }
            lost.insert((*doc, *hash));
            let sql = "SELECT b.rowid FROM change c JOIN batch b ON b.hash = c.batch
                       WHERE c.doc = ?1 AND c.hash = ?2
                       UNION SELECT b.rowid FROM entry e JOIN batch b ON b.hash = e.batch
                       WHERE e.doc = ?1 AND e.hash = ?2";
            let proofs = rowids(&transaction, sql, &[doc_bytes, hash_bytes])?;
            if proofs.is_empty() {
                unproven.insert((*doc, *hash));
            }
            rows.extend(proofs);
            let sql = "DELETE FROM arrival WHERE doc = ?1 AND hash = ?2 AND relay = ?3";
            transaction.prepare_cached(sql)?.execute(params![
                doc_bytes,
                hash_bytes,
                relay.as_bytes()
            ])?;
        }
        let docs: BTreeSet<DocId> = lost.iter().map(|(doc, _)| *doc).collect();
        let mut placed = docs.clone();
        for doc in docs {
            let sql = "SELECT owner FROM document WHERE doc = ?1 AND owner IS NOT NULL";
            let mut owner = transaction.prepare_cached(sql)?;
            let owner = owner.query_row([doc.as_bytes()], |row| row.get(0).map(DocId));
            placed.extend(owner.optional()?);
        }
        for doc in &placed {
            let sql = "SELECT b.rowid FROM place p JOIN batch b ON b.hash = p.batch
                       WHERE p.doc = ?1";
            rows.extend(rowids(&transaction, sql, &[doc.as_bytes()])?);
        }
        let own = own_batches(&transaction, &lost, &placed)?;
        rows.extend(own.rows);
        unproven.retain(|name| !own.changes.contains(name));
        let mut batches = Vec::with_capacity(rows.len());
        for row in rows {
            let sql = "SELECT hash FROM batch WHERE rowid = ?1";
            let mut statement = transaction.prepare_cached(sql)?;
            batches.push(statement.query_row([row], |row| row.get(0).map(BatchHash))?);
        }
        transaction.commit()?;
        Ok((batches, unproven.len()))
    }
}

/// Has everything that this device made of these documents sent once more, in the batches it was signed
/// in: whether the log of its relay still has it is not known.
pub(crate) fn unsend(conn: &Connection, docs: &BTreeSet<DocId>) -> Result<(), StoreError> {
    let mut own = conn.prepare_cached("SELECT hash FROM change WHERE doc = ?1 AND own = 1")?;
    let mut names = BTreeSet::new();
    for doc in docs {
        let hashes = own.query_map([doc.as_bytes()], |row| row.get(0).map(ChangeHash))?;
        for hash in hashes {
            names.insert((*doc, hash?));
        }
    }
    own_batches(conn, &names, docs)?;
    let mut arrived = conn.prepare_cached("DELETE FROM arrival WHERE doc = ?1 AND hash = ?2")?;
    for (doc, hash) in &names {
        arrived.execute(params![doc.as_bytes(), hash.as_bytes()])?;
    }
    Ok(())
}

/// Own batches that carry something, and which changes they carry.
#[derive(Default)]
struct OwnBatches {
    rows: Vec<i64>,
    changes: BTreeSet<(DocId, ChangeHash)>,
}

/// Returns this device's own batches that carry one of these changes or a place of these documents;
/// the changes are unsent again, in the batch they were signed in.
fn own_batches(
    conn: &Connection,
    lost: &BTreeSet<(DocId, ChangeHash)>,
    placed: &BTreeSet<DocId>,
) -> Result<OwnBatches, StoreError> {
    let mut batches =
        conn.prepare_cached("SELECT rowid, hash, names FROM batch WHERE own = 1 ORDER BY rowid")?;
    let mut batches = batches.query([])?;
    let mut found = OwnBatches::default();
    while let Some(row) = batches.next()? {
        let (hash, names): ([u8; 32], Vec<u8>) = (row.get(1)?, row.get(2)?);
        let names: Vec<ItemName> = packing::decode(&names, "stored batch")?;
        let mut carries = false;
        for name in &names {
            let is_place = EntryKind(name.entry) == EntryKind::PLACE;
            carries |= is_place && placed.contains(&name.doc);
            if !is_place && lost.contains(&(name.doc, name.hash)) {
                carries = true;
                found.changes.insert((name.doc, name.hash));
                let sql = "INSERT INTO outbox (entry, doc, hash, area, batch)
                           VALUES (?1, ?2, ?3, '', ?4) ON CONFLICT DO NOTHING";
                let (doc, name_hash) = (name.doc.as_bytes(), name.hash.as_bytes());
                conn.prepare_cached(sql)?
                    .execute(params![name.entry, doc, name_hash, hash])?;
            }
        }
        if carries {
            found.rows.push(row.get(0)?);
        }
    }
    Ok(found)
}

fn rowids(conn: &Connection, sql: &str, values: &[&[u8]]) -> Result<Vec<i64>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
