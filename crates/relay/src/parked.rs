//! Items without a number: those that wait for what they rest on, and the inbox.
//!
//! **Nothing here is ever dropped**: a parked item leaves only by getting its number. One that a desk
//! discarded is marked, and stays.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wangge_sync::admit::Lying;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{
    Batch, BatchHead, Change, ChangeHash, DeviceId, DocId, DocKind, EntryKind, Item, ItemName,
    Place, Shape, Signature, packing,
};

use crate::accept::Source;

pub(crate) const WAITING: i64 = 1;
pub(crate) const INBOX: i64 = 2;
const DISCARDED: i64 = 3;

/// A parked item as a batch of its own, to be judged again.
pub(crate) struct Parked {
    pub(crate) batch: Batch,
    /// Its place in the batch it came in.
    pub(crate) index: usize,
    pub(crate) from: Source,
}

/// Parks an item until what it rests on is here; returns its row.
pub(crate) fn wait(
    connection: &Connection,
    item: &Item,
    shape: Option<&Shape>,
    missing: &[ChangeHash],
    from: &Source,
) -> rusqlite::Result<Option<i64>> {
    let Some(id) = upsert(connection, item, shape, WAITING, 0, from)? else {
        return Ok(None);
    };
    let doc = item.name().doc;
    for hash in missing {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO missing (doc, hash, parked) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![doc.0, hash.0, id])?;
    }
    let sql = "UPDATE parked SET state = ?2, reason = ?3 WHERE id = ?1 AND state = ?4 AND EXISTS (
                 SELECT 1 FROM missing m JOIN parked b ON b.doc = m.doc AND b.hash = m.hash
                 WHERE m.parked = ?1 AND (b.state = ?5 OR (b.state = ?2 AND b.reason = ?3)))";
    let rests = reason_number(Reason::RestsOnDiscarded);
    connection
        .prepare_cached(sql)?
        .execute(params![id, INBOX, rests, WAITING, DISCARDED])?;
    Ok(Some(id))
}

/// Parks an item until a person decides.
pub(crate) fn inbox(
    connection: &Connection,
    item: &Item,
    shape: Option<&Shape>,
    reason: Reason,
    from: &Source,
) -> rusqlite::Result<()> {
    upsert(connection, item, shape, INBOX, reason_number(reason), from).map(|_| ())
}

/// Marks an item as discarded; one that waits is for nobody to decide yet. **What rests on it would wait
/// for ever unseen**, and comes before the desk too.
pub(crate) fn discard(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<()> {
    let sql = "UPDATE parked SET state = ?3 WHERE doc = ?1 AND hash = ?2 AND state = ?4";
    connection
        .prepare_cached(sql)?
        .execute(params![doc.0, hash.0, DISCARDED, INBOX])?;
    let sql = "WITH RECURSIVE resting (id, doc, hash) AS (
                 SELECT p.id, p.doc, p.hash FROM missing m JOIN parked p ON p.id = m.parked
                 WHERE m.doc = ?1 AND m.hash = ?2
                 UNION
                 SELECT p.id, p.doc, p.hash FROM resting r
                 JOIN missing m ON m.doc = r.doc AND m.hash = r.hash JOIN parked p ON p.id = m.parked)
               UPDATE parked SET state = ?3, reason = ?4
               WHERE state = ?5 AND kind <> ?6 AND id IN (SELECT id FROM resting)";
    let rests = reason_number(Reason::RestsOnDiscarded);
    let decision = EntryKind::SETTLEMENT.0;
    connection
        .prepare_cached(sql)?
        .execute(params![doc.0, hash.0, INBOX, rests, WAITING, decision])
        .map(|_| ())
}

/// Takes the mark of a discard away, and returns the row of the item if it lies in the inbox.
pub(crate) fn reopen(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Option<i64>> {
    let sql = "UPDATE parked SET state = ?3 WHERE doc = ?1 AND hash = ?2 AND state IN (?3, ?4)
               RETURNING id";
    connection
        .prepare_cached(sql)?
        .query_row(params![doc.0, hash.0, INBOX, DISCARDED], |row| row.get(0))
        .optional()
}

/// Returns what is parked under this name.
pub(crate) fn lying(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Option<Lying>> {
    let owner: Option<Vec<u8>> = connection
        .prepare_cached("SELECT owner FROM parked WHERE doc = ?1 AND hash = ?2")?
        .query_row(params![doc.0, hash.0], |row| row.get(0))
        .optional()?;
    Ok(owner.map(|owner| Lying {
        owner: DocId::from_slice(&owner),
    }))
}

/// Returns the decisions that waited for this item, which was parked just now.
pub(crate) fn decisions_on(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT p.id FROM missing m JOIN parked p ON p.id = m.parked
               WHERE m.doc = ?1 AND m.hash = ?2 AND p.kind = ?3 ORDER BY p.id";
    let mut rows = connection.prepare_cached(sql)?;
    let kind = EntryKind::SETTLEMENT.0;
    rows.query_map(params![doc.0, hash.0, kind], |row| row.get(0))?
        .collect()
}

/// Returns where a parked item stands.
pub(crate) fn state(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Option<ItemState>> {
    connection
        .prepare_cached("SELECT state, reason FROM parked WHERE doc = ?1 AND hash = ?2")?
        .query_row(params![doc.0, hash.0], |row| {
            Ok(match row.get(0)? {
                WAITING => ItemState::Waiting,
                _ => ItemState::Inbox(reason(row.get(1)?)),
            })
        })
        .optional()
}

/// Returns the items that waited for this change and now wait for nothing.
pub(crate) fn arrived(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Vec<i64>> {
    let mut rows =
        connection.prepare_cached("SELECT parked FROM missing WHERE doc = ?1 AND hash = ?2")?;
    let waited: Vec<i64> = rows
        .query_map(params![doc.0, hash.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if waited.is_empty() {
        return Ok(waited);
    }
    connection
        .prepare_cached("DELETE FROM missing WHERE doc = ?1 AND hash = ?2")?
        .execute(params![doc.0, hash.0])?;
    let mut ready = Vec::new();
    for id in waited {
        let open: bool = connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM missing WHERE parked = ?1)")?
            .query_row([id], |row| row.get(0))?;
        if !open {
            ready.push(id);
        }
    }
    Ok(ready)
}

/// Returns the items that were in the inbox because nobody had said where `doc` lives.
pub(crate) fn unplaced(connection: &Connection, doc: &DocId) -> rusqlite::Result<Vec<i64>> {
    let mut rows = connection.prepare_cached(
        "SELECT id FROM parked WHERE doc = ?1 AND state = 2 AND reason = ?2
         UNION SELECT id FROM parked
         WHERE owner = ?1 AND owner <> x'' AND state = 2 AND reason = ?2 ORDER BY id",
    )?;
    rows.query_map(params![doc.0, reason_number(Reason::Unplaced)], |row| {
        row.get(0)
    })?
    .collect()
}

/// Takes away what has its number now.
pub(crate) fn forget(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM parked WHERE doc = ?1 AND hash = ?2")?
        .execute(params![doc.0, hash.0])
        .map(|_| ())
}

/// Takes away a row whose item has its number now.
pub(crate) fn forget_id(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM parked WHERE id = ?1")?
        .execute([id])
        .map(|_| ())
}

/// Returns how many of a device's items are in this state.
pub(crate) fn count(
    connection: &Connection,
    device: &DeviceId,
    state: i64,
) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT count(*) FROM parked WHERE device = ?1 AND state = ?2")?
        .query_row(params![device.0, state], |row| row.get(0))
}

/// Returns a parked item; none if it has left or its bytes no longer read.
pub(crate) fn load(connection: &Connection, id: i64) -> rusqlite::Result<Option<Parked>> {
    connection
        .prepare_cached(
            "SELECT b.head, b.names, p.batch, p.item, p.kind, p.doc, p.doc_kind, p.doc_schema,
                    p.owner, p.shape,
                    CASE WHEN p.sealed THEN opened(p.doc, p.hash, p.body) ELSE p.body END,
                    p.first_received_ms, p.received_ms
             FROM parked p JOIN batch b ON b.id = p.batch WHERE p.id = ?1",
        )?
        .query_row([id], rebuild)
        .optional()
        .map(Option::flatten)
}

/// Returns the parked item with this name.
pub(crate) fn named(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> rusqlite::Result<Option<Parked>> {
    let id = connection
        .prepare_cached("SELECT id FROM parked WHERE doc = ?1 AND hash = ?2")?
        .query_row(params![doc.0, hash.0], |row| row.get(0))
        .optional()?;
    id.map_or(Ok(None), |id| load(connection, id))
}

/// Returns the reason of an inbox row.
pub(crate) fn reason(number: i64) -> Reason {
    let byte = u8::try_from(number).unwrap_or(0);
    packing::decode(&[byte], "reason").unwrap_or(Reason::OutOfScope)
}

fn rebuild(row: &Row<'_>) -> rusqlite::Result<Option<Parked>> {
    let (head, names): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let head: Option<BatchHead> = packing::decode(&head, "batch head").ok();
    let names: Option<Vec<ItemName>> = packing::decode(&names, "item names").ok();
    let index = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
    let name = names.and_then(|names| names.get(index).cloned());
    let (Some(head), Some(name)) = (head, name) else {
        return Ok(None);
    };
    let (owner, shape): (Vec<u8>, Vec<u8>) = (row.get(8)?, row.get(9)?);
    let body: Vec<u8> = row.get(10)?;
    let item = match EntryKind(row.get(4)?) {
        EntryKind::CHANGE => {
            let (kind, schema) = (DocKind(row.get(6)?), row.get(7)?);
            let change = Change::read(
                DocId(row.get(5)?),
                kind,
                schema,
                DocId::from_slice(&owner),
                body,
            );
            change.map(|change| Item::Change {
                change,
                action: name.action,
            })
        }
        EntryKind::PLACE => Place::read(&body).map(Item::Place),
        _ => Ok(Item::Unknown { name, bytes: body }),
    };
    let from = Source {
        row: row.get(2)?,
        index,
        device: head.device.0,
        first_received_ms: row.get(11)?,
        received_ms: row.get(12)?,
    };
    let shapes = packing::decode::<Shape>(&shape, "shape")
        .ok()
        .into_iter()
        .collect();
    Ok(item.ok().map(|item| Parked {
        // The signature was judged when the batch came; what is judged again is the item.
        batch: Batch {
            head,
            items: vec![item],
            signature: Signature([0; 64]),
            shapes,
        },
        index,
        from,
    }))
}

fn upsert(
    connection: &Connection,
    item: &Item,
    shape: Option<&Shape>,
    state: i64,
    reason: i64,
    from: &Source,
) -> rusqlite::Result<Option<i64>> {
    let name = item.name();
    let place_bytes;
    let (body, change) = match item {
        Item::Change { change, .. } => (&change.raw, Some(change)),
        Item::Place(place) => {
            place_bytes = place.bytes();
            (&place_bytes, None)
        }
        Item::Unknown { bytes, .. } => (bytes, None),
        Item::Named(_) => return Ok(None),
    };
    let owner = change.and_then(|change| change.owner);
    connection
        .prepare_cached(
            "INSERT INTO parked (state, reason, kind, doc, hash, batch, item, device, doc_kind,
                                 doc_schema, owner, actor, seq, first_received_ms, received_ms,
                                 shape, sealed, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?18,
                     CASE WHEN ?18 THEN sealed(?4, ?5, ?17) ELSE ?17 END)
             ON CONFLICT (doc, hash) DO UPDATE SET
               reason = CASE WHEN state = 3 THEN reason ELSE ?2 END,
               state = CASE WHEN state = 3 THEN 3 ELSE ?1 END
             RETURNING id",
        )?
        .query_row(
            params![
                state,
                reason,
                name.entry,
                name.doc.0,
                name.hash.0,
                from.row,
                i64::try_from(from.index).unwrap_or(0),
                from.device,
                change.map_or(0, |change| change.kind.0),
                change.map_or(0, |change| change.schema),
                owner
                    .as_ref()
                    .map_or(&[] as &[u8], |owner| owner.as_bytes()),
                change.map_or(&[] as &[u8], |change| change.actor.as_bytes()),
                change.map_or(0, |change| crate::log::signed(change.seq)),
                from.first_received_ms,
                from.received_ms,
                shape.map(packing::encode).unwrap_or_default(),
                body,
                name.entry == EntryKind::CHANGE.0,
            ],
            |row| row.get(0),
        )
        .map(Some)
}

fn reason_number(reason: Reason) -> i64 {
    // An index below 24 is one CBOR byte, itself.
    packing::encode(&reason)
        .first()
        .map_or(0, |byte| i64::from(*byte))
}
