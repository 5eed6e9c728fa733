//! Documents that became somebody else's: locked at once, removed when nothing is owed any more.
//!
//! **Nothing is removed while an entry of its family waits for a receipt**, in an inbox or refused, or is
//! not known to be at the highest level there is: the phone may be the only copy, or the only one besides
//! a relay that may be lost. What stays of a removed document is its id, where it went and when,
//! and this device's signed batches and receipts.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use wangge_model::kind;
use wangge_wire::order::LevelForm;
use wangge_wire::{AreaCode, Audience, DeviceId, DocId, DocKind, EntryKind, RelayId};

use crate::counted::Told;
use crate::document::{self, Lives};
use crate::error::StoreError;
use crate::open::{self, Store};
use crate::relay::{DOUBTED, is_marked};
use crate::{alias, derive, levels, repair, settled};

/// Where a document went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// The area it lives in now.
    pub home: AreaCode,
    /// When this device learnt of it, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it is no longer on this device.
    pub removed: bool,
}

/// When documents may leave this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// Whether they may now: what the relay has is known to be complete.
    pub now: bool,
    /// The device's own relay.
    pub relay: RelayId,
    /// The highest relay above the device's own, which is to have what was made here; none where the
    /// device's own is the highest.
    pub top: Option<(RelayId, LevelForm)>,
}

/// What letting go came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LetGo {
    /// Households removed from this device.
    pub removed: usize,
    /// Households that wait until what was written of them is receipted.
    pub waiting: usize,
    /// Whether changes that this device made were removed: it must not count on from them, should a
    /// document come back, and begins a new life.
    pub own_changes: bool,
}

impl Store {
    /// Locks what `reads` says this device may no longer read, frees what it may again, and removes
    /// what is locked and owes nothing, where it may leave. What desks decided about this device's own work
    /// stays. All in one transaction.
    pub fn let_go(
        &mut self,
        me: &DeviceId,
        reads: &dyn Fn(&AreaCode, &[Audience]) -> bool,
        leave: &Leave,
        at_ms: i64,
    ) -> Result<LetGo, StoreError> {
        let transaction = self.conn.transaction()?;
        let lost = sort_out(&transaction, reads, at_ms)?;
        if leave.now && is_marked(&transaction, DOUBTED)? {
            // No digest tells of what this device reads no more: what it made of it is sent once more.
            let docs: BTreeSet<DocId> = lost.keys().copied().collect();
            repair::unsend(&transaction, &docs)?;
            open::set_meta(&transaction, DOUBTED, &[0])?;
        }
        let owing = match lost.is_empty() {
            true => BTreeSet::new(),
            false => owing(
                &transaction,
                &lost,
                &on_the_way(&transaction, &lost, leave)?,
            )?,
        };
        let mut outcome = LetGo::default();
        for (doc, (root, kind)) in &lost {
            let household = usize::from(*kind == kind::HOUSEHOLD && is_shown(&transaction, doc)?);
            if !leave.now || owing.contains(root) {
                outcome.waiting += household;
            } else {
                outcome.own_changes |= remove(&transaction, doc, *kind, me)?;
                outcome.removed += household;
            }
        }
        transaction.commit()?;
        Ok(outcome)
    }

    /// Returns where a document went; none if it is this device's to write.
    pub fn gone(&self, doc: &DocId) -> Result<Option<Gone>, StoreError> {
        gone(&self.conn, doc)
    }

    /// Returns how many households went to an area, the last to go first: area, when the last one
    /// went, how many, and how many of them still wait here.
    pub fn gone_households(&self) -> Result<Vec<(AreaCode, i64, u64, u64)>, StoreError> {
        let sql = "SELECT home, max(at_ms), count(*), sum(removed = 0) FROM gone
                   WHERE kind = ?1 AND shown = 1 GROUP BY home ORDER BY max(at_ms) DESC, home";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([kind::HOUSEHOLD.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let home: String = row.get(0)?;
            if let Ok(home) = AreaCode::parse(&home) {
                let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                found.push((home, row.get(1)?, count(2)?, count(3)?));
            }
        }
        Ok(found)
    }
}

/// Returns where a document went, by itself or with what it belongs to.
pub(crate) fn gone(conn: &Connection, doc: &DocId) -> Result<Option<Gone>, StoreError> {
    let sql = "SELECT home, at_ms, removed FROM gone WHERE doc = ?1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([doc.as_bytes()], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.and_then(|(home, at_ms, removed)| {
        let home = AreaCode::parse(&home).ok()?;
        Some(Gone {
            home,
            at_ms,
            removed,
        })
    }))
}

/// Refuses to write to a document that is somebody else's.
pub(crate) fn check(conn: &Connection, doc: &DocId) -> Result<(), StoreError> {
    gone(conn, doc)?.map_or(Ok(()), |gone| Err(StoreError::HandedOver { gone }))
}

/// Writes down what is lost now and what came back; returns what is lost and here, with the root of
/// its family.
fn sort_out(
    conn: &Connection,
    reads: &dyn Fn(&AreaCode, &[Audience]) -> bool,
    at_ms: i64,
) -> Result<BTreeMap<DocId, (DocId, DocKind)>, StoreError> {
    let mut lost = BTreeMap::new();
    let known: BTreeSet<DocId> = {
        let mut rows = conn.prepare_cached("SELECT doc FROM gone")?;
        let rows = rows.query_map([], |row| row.get(0).map(DocId))?;
        rows.collect::<Result<_, _>>()?
    };
    if known.is_empty() && reads_all_homes(conn, reads)? {
        // So it is after nearly every sync, and to walk over all documents takes long.
        return Ok(lost);
    }
    let unplaced = unplaced(conn)?;
    for lives in document::all(conn, &Told::new())? {
        let Lives {
            doc, kind, home, ..
        } = &lives;
        let is_unplaced = unplaced.contains(&lives.owner.unwrap_or(*doc)) || unplaced.contains(doc);
        if is_unplaced || reads(home, &lives.audiences) {
            if known.contains(doc) {
                conn.prepare_cached("DELETE FROM gone WHERE doc = ?1")?
                    .execute([doc.as_bytes()])?;
            }
            continue;
        }
        let sql = "INSERT INTO gone (doc, kind, home, at_ms, shown)
                   VALUES (?1, ?2, ?3, ?4, EXISTS (SELECT 1 FROM household WHERE doc = ?1))
                   ON CONFLICT (doc) DO UPDATE SET home = excluded.home, removed = 0,
                     at_ms = CASE WHEN removed THEN excluded.at_ms ELSE at_ms END";
        conn.prepare_cached(sql)?
            .execute(params![doc.as_bytes(), kind.0, home.as_str(), at_ms])?;
        lost.insert(*doc, (lives.owner.unwrap_or(*doc), *kind));
    }
    Ok(lost)
}

/// Returns the documents that this device placed and no relay has given that place a number: nobody took
/// those over, wherever they are said to live, until a desk says so.
fn unplaced(conn: &Connection) -> Result<BTreeSet<DocId>, StoreError> {
    let mut rows = conn.prepare_cached("SELECT doc FROM outbox WHERE entry = ?1")?;
    let rows = rows.query_map([EntryKind::PLACE.0], |row| row.get(0).map(DocId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns whether every area in which a document lives is read here, whoever it names beside.
fn reads_all_homes(
    conn: &Connection,
    reads: &dyn Fn(&AreaCode, &[Audience]) -> bool,
) -> Result<bool, StoreError> {
    let mut homes = conn.prepare_cached("SELECT DISTINCT home FROM document WHERE home <> ''")?;
    let mut homes = homes.query([])?;
    while let Some(row) = homes.next()? {
        let home = AreaCode::parse(row.get_ref(0)?.as_str().unwrap_or_default());
        if !home.is_ok_and(|home| reads(&home, &[])) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns whether a household that went is one that lists showed.
fn is_shown(conn: &Connection, doc: &DocId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM gone WHERE doc = ?1 AND shown = 1";
    Ok(conn.prepare_cached(sql)?.exists([doc.as_bytes()])?)
}

/// Returns the documents of which something made here is not known to be at the highest relay.
///
/// What another relay of the tree took one evening is sent to the device's own once more: that one does not
/// tell of what this device reads no more, and only of its log is it told how far up it is.
fn on_the_way(
    conn: &Connection,
    lost: &BTreeMap<DocId, (DocId, DocKind)>,
    leave: &Leave,
) -> Result<Vec<DocId>, StoreError> {
    let Some(top) = &leave.top else {
        return Ok(Vec::new());
    };
    let mut docs = levels::own_docs_not_at(conn, top, &leave.relay)?;
    docs.retain(|doc, _| lost.contains_key(doc));
    let untold = docs.iter().filter(|(_, told)| !**told);
    let untold: BTreeSet<DocId> = untold.map(|(doc, _)| *doc).collect();
    if leave.now {
        repair::unsend(conn, &untold)?;
    }
    Ok(docs.into_keys().collect())
}

/// Returns the roots of the families of which an entry has no receipt, lies in an inbox, or is on its way up.
fn owing(
    conn: &Connection,
    lost: &BTreeMap<DocId, (DocId, DocKind)>,
    on_the_way: &[DocId],
) -> Result<BTreeSet<DocId>, StoreError> {
    let sql = "SELECT DISTINCT o.doc, d.owner FROM outbox o LEFT JOIN document d ON d.doc = o.doc";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut owing = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let doc = DocId(row.get(0)?);
        let owner: Option<Vec<u8>> = row.get(1)?;
        let owner = owner.and_then(|bytes| DocId::from_slice(&bytes));
        owing.extend(
            [Some(doc), owner, lost.get(&doc).map(|(root, _)| *root)]
                .into_iter()
                .flatten(),
        );
    }
    let roots = on_the_way.iter().filter_map(|doc| lost.get(doc));
    owing.extend(roots.map(|(root, _)| *root));
    Ok(owing)
}

/// Takes a document off this device: its changes, its places, and every row made of it. Returns whether
/// this device had made changes of it.
fn remove(
    conn: &Connection,
    doc: &DocId,
    kind: DocKind,
    me: &DeviceId,
) -> Result<bool, StoreError> {
    let own = conn
        .prepare_cached("SELECT 1 FROM change WHERE doc = ?1 AND own = 1")?
        .exists([doc.as_bytes()])?;
    let sql = "SELECT doc FROM alias WHERE survivor = ?1 AND doc <> ?1";
    let stood_for = conn
        .prepare_cached(sql)?
        .query_map([doc.as_bytes()], |row| row.get(0).map(DocId))?
        .collect::<Result<Vec<DocId>, _>>()?;
    if kind == kind::HOUSEHOLD {
        alias::forget(conn, doc)?;
    }
    crate::blobs::forget(conn, doc)?;
    settled::forget_others(conn, doc, me)?;
    for (table, column) in [
        ("visit", "book"),
        ("round", "book"),
        ("report", "doc"),
        ("ticket", "doc"),
        ("ticket_report", "ticket"),
        ("alias_edge", "doc"),
        ("conflict", "doc"),
        ("imported", "doc"),
        ("deed", "doc"),
        ("change", "doc"),
        ("packed", "doc"),
        ("place", "doc"),
        ("document", "doc"),
    ] {
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE {column} = ?1"))?
            .execute([doc.as_bytes()])?;
    }
    // Should it come back, the frame that brought it counts as not taken.
    conn.prepare_cached("DELETE FROM pack_frame")?.execute([])?;
    conn.prepare_cached("UPDATE gone SET removed = 1 WHERE doc = ?1")?
        .execute([doc.as_bytes()])?;
    // Those it stood for are found under their own names again.
    stood_for
        .iter()
        .try_for_each(|doc| derive::again(conn, doc))?;
    Ok(own)
}
