//! Decisions of desks on items without a number, as the log has them.
//!
//! **What stands follows from the log alone**, whatever order the decisions came in; an item that has
//! its number keeps it, and one that was discarded keeps its row.

use rusqlite::{Connection, params};
use wangge_sync::admit::concerns;
use wangge_trust::Roster;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::settle::{self, Settled};
use wangge_wire::{ChangeHash, Decision, DeviceId, Digest, DocId, RelayId, Settlement};

use crate::audit::{self, About, What, Who};
use crate::log::{signed, unsigned};
use crate::parked;

/// A decision with where and when it came into the log.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) position: u64,
    pub(crate) received_ms: i64,
    pub(crate) settled: Settled,
}

/// Notes a decision that was numbered, and lets it have its effect; returns the row of the item that is
/// to be judged again.
pub(crate) fn keep(
    connection: &Connection,
    settlement: &Settlement,
    by: &DeviceId,
    (position, now_ms): (u64, i64),
) -> rusqlite::Result<Option<i64>> {
    let what = match (settlement.decision, &settlement.to) {
        (Decision::Discard, _) => What::Discarded,
        (Decision::Accept, Some(_)) => What::Rehomed,
        (Decision::Accept, None) => What::Accepted,
    };
    let about = About::Entry(settlement.item);
    audit::note(connection, now_ms, what, Who::Device(*by), about)?;
    connection
        .prepare_cached(
            "INSERT INTO settlement (position, doc, item, author, device)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            signed(position),
            settlement.doc.0,
            settlement.item.0,
            settlement.author.0,
            by.0
        ])?;
    mark(
        connection,
        &settlement.doc,
        &settlement.item,
        &settlement.author,
    )
}

/// Marks a parked item as the decision that stands says; returns its row where it is to be judged
/// again, because a desk accepted it.
pub(crate) fn mark(
    connection: &Connection,
    doc: &DocId,
    item: &ChangeHash,
    author: &DeviceId,
) -> rusqlite::Result<Option<i64>> {
    let Some(standing) = standing(connection, doc, item, author)? else {
        return Ok(None);
    };
    match standing.settled.settlement.decision {
        Decision::Discard if Sabotage::DiscardDeletes.is_on() => {
            parked::forget(connection, doc, item).map(|()| None)
        }
        Decision::Discard => parked::discard(connection, doc, item).map(|()| None),
        Decision::Accept => parked::reopen(connection, doc, item),
    }
}

/// Returns whether there is any decision at all.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    let mut one = connection.prepare_cached("SELECT 1 FROM settlement LIMIT 1")?;
    one.exists([])
}

/// Returns the decision that stands on an item of this author.
pub(crate) fn standing(
    connection: &Connection,
    doc: &DocId,
    item: &ChangeHash,
    author: &DeviceId,
) -> rusqlite::Result<Option<Kept>> {
    let all = of_item(connection, doc, item, author)?;
    let settled: Vec<Settled> = all.iter().map(|kept| kept.settled.clone()).collect();
    let hash = settle::standing(&settled).map(|standing| standing.hash);
    Ok(all.into_iter().find(|kept| Some(kept.settled.hash) == hash))
}

fn of_item(
    connection: &Connection,
    doc: &DocId,
    item: &ChangeHash,
    author: &DeviceId,
) -> rusqlite::Result<Vec<Kept>> {
    let mut rows = connection.prepare_cached(
        "SELECT s.position, s.device, e.received_ms, e.body, e.hash
         FROM settlement s JOIN entry e ON e.position = s.position
         WHERE s.doc = ?1 AND s.item = ?2 AND s.author = ?3 ORDER BY s.position",
    )?;
    let rows = rows.query_map(params![doc.0, item.0, author.0], read)?;
    rows.filter_map(Result::transpose).collect()
}

/// Returns the decisions behind a position, the oldest first.
pub(crate) fn after(
    connection: &Connection,
    position: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Kept>> {
    let mut rows = connection.prepare_cached(
        "SELECT s.position, s.device, e.received_ms, e.body, e.hash
         FROM settlement s JOIN entry e ON e.position = s.position
         WHERE s.position > ?1 ORDER BY s.position LIMIT ?2",
    )?;
    let rows = rows.query_map(params![signed(position), signed(limit as u64)], read)?;
    rows.filter_map(Result::transpose).collect()
}

/// Returns whose item the decision at a position is about, and who decided.
pub(crate) fn named_at(
    connection: &Connection,
    position: u64,
) -> rusqlite::Result<Option<(DeviceId, DeviceId)>> {
    let sql = "SELECT author, device FROM settlement WHERE position = ?1";
    let mut rows = connection.prepare_cached(sql)?;
    let mut rows = rows.query_map([signed(position)], |row| {
        Ok((DeviceId(row.get(0)?), DeviceId(row.get(1)?)))
    })?;
    rows.next().transpose()
}

/// Returns the decisions that concern a device, by their names.
pub(crate) fn concerning(
    connection: &Connection,
    roster: &Roster,
    device: &DeviceId,
) -> rusqlite::Result<Vec<Told>> {
    // Of a relay all are looked at; of a device only its own, however many there are.
    let relay = roster.relay(&RelayId(device.0)).is_some();
    let which = match relay {
        true => "?1 = ?1",
        false => "s.author = ?1 OR s.device = ?1",
    };
    let mut rows = connection.prepare_cached(&format!(
        "SELECT s.position, s.author, s.device, s.doc, e.hash
         FROM settlement s CROSS JOIN entry e ON e.position = s.position
         WHERE {which} ORDER BY s.position",
    ))?;
    let rows = rows.query_map([device.0], |row| {
        let told = Told {
            position: unsigned(row.get(0)?),
            doc: DocId(row.get(3)?),
            hash: ChangeHash(row.get(4)?),
        };
        Ok((told, DeviceId(row.get(1)?), DeviceId(row.get(2)?)))
    })?;
    let mut told = Vec::new();
    for row in rows {
        let (one, author, by) = row?;
        if concerns(roster, device, &author, &by) {
            told.push(one);
        }
    }
    Ok(told)
}

/// The name of a decision in the log.
pub(crate) struct Told {
    pub(crate) position: u64,
    pub(crate) doc: DocId,
    pub(crate) hash: ChangeHash,
}

/// Returns the digest of the decisions that concern a device; none without one.
pub(crate) fn digest(
    connection: &Connection,
    roster: &Roster,
    device: &DeviceId,
) -> rusqlite::Result<Option<Digest>> {
    let told = concerning(connection, roster, device)?;
    let sum = told.iter().map(|one| Digest::of(&one.doc, &one.hash)).sum();
    Ok(Some(sum).filter(|_| !told.is_empty()))
}

/// One that does not read any more decides nothing.
fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Kept>> {
    let (body, hash): (Vec<u8>, _) = (row.get(3)?, ChangeHash(row.get(4)?));
    let (position, by, received_ms) = (unsigned(row.get(0)?), DeviceId(row.get(1)?), row.get(2)?);
    Ok(Settlement::read(&body).ok().map(|settlement| Kept {
        position,
        received_ms,
        settled: Settled {
            hash,
            by,
            settlement,
        },
    }))
}
