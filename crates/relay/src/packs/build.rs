//! One pack: which documents, in which order, cut into frames.
//!
//! **A frame's bytes follow from its documents alone**, and where it is cut from their ids: a document
//! that changes renews its own frame, and the others keep their names.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use wangge_wire::limits::{
    CHANGE_BYTES_MAX, PACK_FRAME_BYTES_GOAL, PACK_FRAME_DOCUMENTS_MAX,
    PACK_FRAME_INFLATED_BYTES_MAX,
};
use wangge_wire::pack::{Beside, FrameInfo, PackFrame, PackedDoc, PackedPlace};
use wangge_wire::{
    ActorId, AreaCode, Audience, ChangeHash, DeviceId, Digest, DocId, DocKind, EntryKind,
    FrameHash, PackKey, columns, packing,
};

use super::shelf::{self, NewFrame, Shelf};
use crate::log::{signed, unsigned};
use crate::places;
use crate::pull::StepError;

/// Of frames that are large enough, about one group of documents in so many ends one.
const CUT_MASK: u8 = 0x07;

/// Bytes of a document in a frame beside its form, its place and its entries; it has fewer.
const DOCUMENT_BYTES: usize = 128;

/// A document that lives somewhere.
#[derive(Debug, Clone)]
pub(super) struct Living {
    pub(super) doc: DocId,
    pub(super) owner: Option<DocId>,
    pub(super) home: AreaCode,
    pub(super) audiences: Vec<Audience>,
    /// The place that counts, where it is its own.
    pub(super) place: Option<ChangeHash>,
    pub(super) digest: Digest,
}

/// A place that took a document elsewhere: from where it was then to where it is now.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) position: u64,
    pub(super) out: BTreeSet<PackKey>,
    pub(super) into: BTreeSet<PackKey>,
}

impl Living {
    /// Returns what it is sorted by: a household, then all that belongs to it.
    fn group(&self) -> DocId {
        self.owner.unwrap_or(self.doc)
    }

    /// Returns the packs it belongs into.
    pub(super) fn keys(&self) -> BTreeSet<PackKey> {
        keys(&self.home, &self.audiences)
    }
}

/// Returns the packs of a document that lives there.
pub(super) fn keys(home: &AreaCode, audiences: &[Audience]) -> BTreeSet<PackKey> {
    let mut keys = BTreeSet::from([PackKey::Home(home.clone())]);
    // Who reads an area has its documents by their home already.
    let beside = audiences.iter().filter(|audience| match audience {
        Audience::Area(area) => !area.covers(home),
        Audience::Unit(_) | Audience::Person(_) => true,
    });
    keys.extend(beside.cloned().map(PackKey::Named));
    keys
}

/// Returns every document that lives somewhere.
pub(super) fn living(connection: &Connection) -> Result<Vec<Living>, StepError> {
    let sql =
        "SELECT doc, owner, home, audiences, changes, sum, own_place, place_hash FROM document";
    let mut rows = connection.prepare(sql)?;
    let rows = rows.query_map([], |row| {
        let (owner, place): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(7)?);
        let own: bool = row.get(6)?;
        Ok(Living {
            doc: DocId(row.get(0)?),
            owner: DocId::from_slice(&owner),
            home: places::area(row, 2)?,
            audiences: places::audiences(row, 3)?,
            place: ChangeHash::from_slice(&place).filter(|_| own),
            digest: Digest::from_parts(unsigned(row.get(4)?), row.get(5)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns each move after a position.
pub(super) fn moves(connection: &Connection, after: u64) -> Result<Vec<Move>, StepError> {
    let mut rows = connection.prepare_cached(
        "SELECT b.position, b.home, b.audiences, d.home, d.audiences FROM place_before b
         JOIN document d ON d.doc = b.doc WHERE b.position > ?1",
    )?;
    let rows = rows.query_map([signed(after)], |row| {
        let before = keys(&places::area(row, 1)?, &places::audiences(row, 2)?);
        let now = keys(&places::area(row, 3)?, &places::audiences(row, 4)?);
        Ok(Move {
            position: unsigned(row.get(0)?),
            out: before.difference(&now).cloned().collect(),
            into: now.difference(&before).cloned().collect(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the frames of a pack; none where a document is too large to travel in one.
pub(super) fn frames(
    log: &Connection,
    shelf: &Shelf,
    until: u64,
    mut documents: Vec<&Living>,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<Vec<NewFrame>>, StepError> {
    documents.sort_by_key(|one| (one.group(), one.owner.is_some(), one.doc));
    let (mut frames, mut open, mut bytes) = (Vec::new(), PackFrame::default(), 0);
    let mut group = None;
    for living in documents {
        if !go_on() {
            return Ok(None);
        }
        let Some(document) = document(log, shelf, until, living)? else {
            continue;
        };
        let beside = document.beside.iter().map(|beside| beside.bytes.len());
        let place = document.place.as_ref().map_or(0, |place| place.bytes.len());
        let size = DOCUMENT_BYTES + document.saved.len() + place + beside.clone().sum::<usize>();
        if size > PACK_FRAME_INFLATED_BYTES_MAX / 2 || beside.max() > Some(CHANGE_BYTES_MAX) {
            tracing::warn!(doc = %living.doc, "too large for a pack");
            return Ok(None);
        }
        let cuts =
            group != Some(living.group()) && living.group().0.iter().fold(0, xor) & CUT_MASK == 0;
        let ends = bytes >= PACK_FRAME_BYTES_GOAL && cuts
            || bytes + size > 2 * PACK_FRAME_BYTES_GOAL
            || open.documents.len() >= PACK_FRAME_DOCUMENTS_MAX;
        if ends && !open.documents.is_empty() {
            frames.push(close(log, shelf, std::mem::take(&mut open))?);
            bytes = 0;
        }
        group = Some(living.group());
        bytes += size;
        open.documents.push(document);
    }
    if !open.documents.is_empty() {
        frames.push(close(log, shelf, open)?);
    }
    Ok(Some(frames))
}

fn xor(sum: u8, byte: &u8) -> u8 {
    sum ^ byte
}

/// Packs a frame, or finds the one that holds the same.
fn close(log: &Connection, shelf: &Shelf, mut frame: PackFrame) -> Result<NewFrame, StepError> {
    let mut writers = BTreeSet::new();
    for document in &frame.documents {
        add_writers(log, &document.doc, &mut writers)?;
    }
    frame.writers = writers.into_iter().collect();
    let documents = frame.documents.len() as u64;
    let encoded = columns::encode(&frame);
    let inflated = *blake3::hash(&encoded).as_bytes();
    if let Some(known) = shelf.frame_of(&inflated)? {
        let info = FrameInfo { documents, ..known };
        return Ok(NewFrame {
            info,
            inflated,
            bytes: None,
        });
    }
    let bytes = packing::Packer::new()?.pack(&encoded)?;
    let info = FrameInfo {
        hash: FrameHash::of(&bytes),
        bytes: bytes.len() as u64,
        documents,
    };
    Ok(NewFrame {
        info,
        inflated,
        bytes: Some(bytes),
    })
}

fn add_writers(
    log: &Connection,
    doc: &DocId,
    writers: &mut BTreeSet<(ActorId, DeviceId)>,
) -> Result<(), StepError> {
    let sql = "SELECT DISTINCT e.actor, b.device FROM entry e JOIN batch b ON b.id = e.batch
               WHERE e.doc = ?1 AND e.kind = ?2";
    let mut rows = log.prepare_cached(sql)?;
    let rows = rows.query_map(params![doc.0, EntryKind::CHANGE.0], |row| {
        Ok((ActorId(row.get(0)?), DeviceId(row.get(1)?)))
    })?;
    for row in rows {
        writers.insert(row?);
    }
    Ok(())
}

/// Returns a document as a pack carries it; none for one that nothing was written to.
fn document(
    log: &Connection,
    shelf: &Shelf,
    until: u64,
    living: &Living,
) -> Result<Option<PackedDoc>, StepError> {
    let shelved = shelf::shelved(&shelf.connection, &living.doc)?.unwrap_or_default();
    let mut packed = PackedDoc {
        doc: living.doc,
        kind: DocKind(0),
        schema: 0,
        owner: living.owner,
        place: None,
        position: 0,
        saved: shelved.saved,
        beside: Vec::new(),
    };
    let sql = "SELECT position, kind, hash, doc_kind, doc_schema FROM entry
               WHERE doc = ?1 AND position <= ?2 ORDER BY position";
    let mut rows = log.prepare_cached(sql)?;
    let mut rows = rows.query(params![living.doc.0, signed(until)])?;
    let mut changes = 0;
    while let Some(row) = rows.next()? {
        let (position, kind) = (unsigned(row.get(0)?), EntryKind(row.get(1)?));
        let hash = ChangeHash(row.get(2)?);
        packed.position = position;
        match kind {
            EntryKind::CHANGE => {
                if changes == 0 {
                    (packed.kind, packed.schema) = (DocKind(row.get(3)?), row.get(4)?);
                }
                changes += 1;
                if shelved.open.contains(&hash) {
                    packed.beside.push(beside(log, kind, position)?);
                }
            }
            EntryKind::PLACE => {
                if living.place == Some(hash) {
                    let bytes = beside(log, kind, position)?.bytes;
                    packed.place = Some(PackedPlace { position, bytes });
                }
            }
            // Not everybody who reads a document reads what desks decided about it; pages know who does.
            EntryKind::SETTLEMENT => {}
            _ => packed.beside.push(beside(log, kind, position)?),
        }
    }
    Ok((packed.position > 0).then_some(packed))
}

fn beside(log: &Connection, kind: EntryKind, position: u64) -> Result<Beside, StepError> {
    // A change that is held stands beside too.
    let sql = "SELECT CASE WHEN sealed THEN opened(doc, hash, body) ELSE body END
               FROM entry WHERE position = ?1";
    let bytes = log
        .prepare_cached(sql)?
        .query_row([signed(position)], |row| row.get(0))?;
    Ok(Beside {
        kind: kind.0,
        position,
        bytes,
    })
}
