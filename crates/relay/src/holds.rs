//! Changes that must not be shown: entries of the log that say so, and those that take it back.
//!
//! **What holds now follows from the log alone**: the last ruling on a change counts, so that a relay
//! which lost everything it derived holds the same changes again without trying one of them.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use wangge_trust::KeyPair;
use wangge_wire::{ChangeHash, DocId, EntryKind, HoldReason, Ruling, Signature};

use crate::audit::{self, About, What, Who};
use crate::log::{self, NewEntry};

/// A ruling that somebody asks the writer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRuling {
    pub(crate) doc: DocId,
    pub(crate) change: ChangeHash,
    /// None releases.
    pub(crate) reason: Option<HoldReason>,
    /// Who says so; none for this relay by itself.
    pub(crate) who: Option<Who>,
}

/// Returns the last ruling on each change of a document.
pub(crate) fn of_document(
    connection: &Connection,
    doc: &DocId,
) -> rusqlite::Result<BTreeMap<ChangeHash, Ruling>> {
    let sql = "SELECT body FROM entry WHERE doc = ?1 AND kind IN (?2, ?3) ORDER BY position";
    let mut rows = connection.prepare_cached(sql)?;
    let kinds = (EntryKind::HOLD.0, EntryKind::RELEASE.0);
    let rows = rows.query_map(params![doc.0, kinds.0, kinds.1], |row| {
        row.get::<_, Vec<u8>>(0)
    })?;
    let mut last = BTreeMap::new();
    for bytes in rows {
        // One of another program's form is carried and says nothing here.
        if let Ok(ruling) = Ruling::read(&bytes?) {
            last.insert(ruling.change, ruling);
        }
    }
    Ok(last)
}

/// Writes rulings down, as entries of the log; one that stands already is not said again.
pub(crate) fn append(
    connection: &Connection,
    key: &KeyPair,
    rulings: &[NewRuling],
    now_ms: i64,
) -> rusqlite::Result<usize> {
    let mut written = 0;
    for new in rulings {
        let last = of_document(connection, &new.doc)?.remove(&new.change);
        let held = last.as_ref().is_some_and(|last| last.reason.is_some());
        let known = log::position_of(connection, &new.doc, &new.change)?.is_some();
        if held == new.reason.is_some() || !known {
            continue;
        }
        let mut ruling = Ruling {
            doc: new.doc,
            change: new.change,
            reason: new.reason,
            relay: key.public().relay(),
            at_ms: now_ms,
            n: last.map_or(0, |last| last.n.saturating_add(1)),
            signature: Signature([0; 64]),
        };
        key.sign_ruling(&mut ruling);
        log::append(
            connection,
            &NewEntry {
                kind: ruling.kind(),
                doc: ruling.doc,
                hash: ruling.hash(),
                batch: 0,
                item: 0,
                doc_kind: 0,
                doc_schema: 0,
                author: None,
                first_received_ms: now_ms,
                received_ms: now_ms,
                body: &ruling.bytes(),
            },
        )?;
        let what = match new.reason {
            Some(_) => What::Held,
            None => What::Released,
        };
        let who = new.who.unwrap_or(Who::Relay(ruling.relay));
        audit::note(connection, now_ms, what, who, About::Entry(new.change))?;
        written += 1;
    }
    Ok(written)
}
