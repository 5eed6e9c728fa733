//! Documents as a pack brought them: whole, without a row a change.
//!
//! **A packed form that proved to be a document is durable itself**: of the changes in it, it is the only
//! copy on this device. What comes later is kept change by change beside it, and a document of which
//! something is here already takes a pack's changes in one by one, through the gate.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wangge_crdt::saved::{self, ChangeFacts};
use wangge_crdt::{Document, Held};
use wangge_model::kind;
use wangge_wire::pack::{Beside, PackedDoc, PackedPlace};
use wangge_wire::{
    ActorId, ChangeHash, Cursor, DeviceId, Digest, DocId, EntryKind, FrameHash, ItemName, Order,
    PackFrame, Place, RelayId,
};

use crate::apply::{PageOutcome, Taking};
use crate::derive::{Before, Reading};
use crate::error::StoreError;
use crate::open::Store;
use crate::outbox::arrive;
use crate::{apply, derive, document, relay};

/// Bytes of a name.
const NAME_BYTES: usize = 32;

/// A frame whose documents proved to be what they say; making it needs no database.
pub struct OpenFrame {
    name: FrameHash,
    bytes: u64,
    documents: Vec<Opened>,
    writers: Vec<(ActorId, DeviceId)>,
}

/// A document of a frame.
struct Opened {
    packed: PackedDoc,
    /// None for a kind of a newer program, which is kept and not read.
    document: Option<(Document, Reading)>,
    facts: Vec<ChangeFacts>,
    /// Why its saved form is not taken; its changes come one by one, by a repair.
    held: Option<Held>,
}

impl OpenFrame {
    /// Opens every document of a frame, which travelled as so many bytes.
    pub fn new(name: FrameHash, bytes: u64, frame: PackFrame) -> Self {
        Self {
            name,
            bytes,
            documents: frame.documents.into_iter().map(Opened::new).collect(),
            writers: frame.writers,
        }
    }

    /// Returns its bytes as it travelled.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Opened {
    fn new(packed: PackedDoc) -> Self {
        let none = |packed, held| Self {
            packed,
            document: None,
            facts: Vec::new(),
            held,
        };
        if packed.saved.is_empty() {
            return none(packed, None);
        }
        let opened = match kind::shape(packed.kind) {
            Some(shape) => Document::open(&shape, &packed.doc, &packed.saved).map(|document| {
                let reading = Reading::of(&packed.doc, packed.kind, &document);
                let saved = document
                    .form()
                    .map_or_else(|| packed.saved.clone(), <[u8]>::to_vec);
                (document.facts(), Some((document, reading)), saved)
            }),
            None => saved::facts(&packed.saved).and_then(|(facts, heads)| {
                let saved = saved::with_heads(&packed.saved, &heads)?;
                Ok((facts, None, saved))
            }),
        };
        match opened {
            Ok((facts, document, saved)) => Self {
                packed: PackedDoc { saved, ..packed },
                document,
                facts,
                held: None,
            },
            Err(held) => none(packed, Some(held)),
        }
    }
}

impl Store {
    /// Returns whether a frame was taken in, and what has come of it if not.
    pub fn frame(&self, name: &FrameHash) -> Result<(bool, Vec<u8>), StoreError> {
        let sql = "SELECT taken, part FROM pack_frame WHERE hash = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_row([name.0], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Keeps what has come of a frame before its line was cut.
    pub fn keep_part(&mut self, name: &FrameHash, part: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO pack_frame (hash, part) VALUES (?1, ?2)
                   ON CONFLICT (hash) DO UPDATE SET part = excluded.part";
        self.conn.execute(sql, params![name.0, part])?;
        Ok(())
    }

    /// Takes frames of a relay's packs in, all of them in one transaction. `at_ms` is when the relay said
    /// that its packs hold them, by its clock.
    pub fn take_frames(
        &mut self,
        relay: RelayId,
        at_ms: i64,
        frames: &[OpenFrame],
        me: &DeviceId,
    ) -> Result<PageOutcome, StoreError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.conn.transaction_with_behavior(behavior)?;
        let mut outcome = PageOutcome::default();
        let mut taking = Taking::begin(&transaction, relay);
        for frame in frames {
            take_frame(&transaction, &mut taking, at_ms, frame, me, &mut outcome)?;
        }
        taking.settle(&mut outcome)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Returns the manifest whose frames are being fetched from a relay; empty for none.
    pub fn manifest(&self, relay: &RelayId) -> Result<Vec<u8>, StoreError> {
        Ok(self.meta(&manifest_name(relay))?.unwrap_or_default())
    }

    /// Keeps the manifest whose frames are fetched, so that a line that is cut need not bring it again;
    /// an empty one forgets it.
    pub fn keep_manifest(&mut self, relay: &RelayId, bytes: &[u8]) -> Result<(), StoreError> {
        crate::open::set_meta(&self.conn, &manifest_name(relay), bytes)
    }

    /// Returns whether the packs of a relay did not bring what its log has, so that pages are to.
    pub fn prefers_pages(&self, relay: &RelayId) -> Result<bool, StoreError> {
        Ok(self
            .meta(&pages_name(relay))?
            .is_some_and(|value| value == [1]))
    }

    /// Notes whether pages are preferred to the packs of a relay.
    pub fn prefer_pages(&mut self, relay: &RelayId, prefer: bool) -> Result<(), StoreError> {
        crate::open::set_meta(&self.conn, &pages_name(relay), &[u8::from(prefer)])
    }

    /// Ends the taking in of packs: their orders, and where the device stands in the log now.
    pub fn took_packs(
        &mut self,
        orders: &[(u64, Order)],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let transaction = self.conn.transaction()?;
        for (position, order) in orders {
            apply::keep_order(&transaction, order, *position)?;
        }
        relay::move_cursor(&transaction, cursor)?;
        crate::open::set_meta(&transaction, &manifest_name(&cursor.relay), &[])?;
        transaction.execute("UPDATE pack_frame SET part = x''", [])?;
        Ok(transaction.commit()?)
    }

    /// Returns changes of documents of a kind, and of those this device once wrote to, of which only a pack
    /// tells that a relay has them, without their authors' word and the time at which they came there.
    pub fn unproven(&self, kind: wangge_wire::DocKind) -> Result<Names, StoreError> {
        let sql = "SELECT p.doc, p.names FROM packed p JOIN document d ON d.doc = p.doc
                   WHERE d.kind = ?1 OR p.own = 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([kind.0])?;
        let mut found = Names::new();
        let sql = "SELECT 1 FROM arrival WHERE doc = ?1 AND hash = ?2";
        let mut arrived = self.conn.prepare_cached(sql)?;
        while let Some(row) = rows.next()? {
            let (doc, names) = (DocId(row.get(0)?), row.get::<_, Vec<u8>>(1)?);
            for hash in split(&names) {
                if !arrived.exists(params![doc.as_bytes(), hash.as_bytes()])? {
                    found.insert((doc, hash));
                }
            }
        }
        Ok(found)
    }
}

fn manifest_name(relay: &RelayId) -> String {
    format!("manifest.{relay}")
}

fn pages_name(relay: &RelayId) -> String {
    format!("pages.{relay}")
}

/// Names of changes.
pub type Names = std::collections::BTreeSet<(DocId, ChangeHash)>;

/// What a pack says of all changes of one document.
pub(crate) struct Packed {
    pub(crate) relay: RelayId,
    pub(crate) position: i64,
    pub(crate) at_ms: i64,
    names: Vec<u8>,
}

impl Packed {
    /// Returns what is known of a document that a pack brought.
    pub(crate) fn of(conn: &Connection, doc: &DocId) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT relay, position, at_ms, names FROM packed WHERE doc = ?1";
        let mut statement = conn.prepare_cached(sql)?;
        let found = statement.query_row([doc.as_bytes()], |row| {
            Ok(Self {
                relay: RelayId(row.get(0)?),
                position: row.get(1)?,
                at_ms: row.get(2)?,
                names: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }

    /// Returns whether a change is in the packed form.
    pub(crate) fn holds(&self, hash: &ChangeHash) -> bool {
        let (names, _) = self.names.as_chunks::<NAME_BYTES>();
        names.binary_search(&hash.0).is_ok()
    }

    /// Returns the changes in the packed form.
    pub(crate) fn names(&self) -> impl Iterator<Item = ChangeHash> {
        split(&self.names)
    }
}

/// Returns whether a change is part of what a pack brought.
pub(crate) fn holds(conn: &Connection, doc: &DocId, hash: &ChangeHash) -> Result<bool, StoreError> {
    Ok(Packed::of(conn, doc)?.is_some_and(|packed| packed.holds(hash)))
}

/// Returns the packed form of a document; none where no pack brought it.
pub(crate) fn form(conn: &Connection, doc: &DocId) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT saved FROM packed WHERE doc = ?1")?;
    let found = statement.query_row([doc.as_bytes()], |row| row.get(0));
    Ok(found.optional()?)
}

/// Returns the bytes of a change that a pack brought: what this device signed before it came back as part
/// of a pack can be given back like what it kept.
pub(crate) fn raw(
    conn: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
) -> Result<Option<Vec<u8>>, StoreError> {
    if !holds(conn, doc, hash)? {
        return Ok(None);
    }
    let form = form(conn, doc)?;
    Ok(form.and_then(|form| saved::raw_change(&form, hash)))
}

/// Returns what is known of the changes in a document's packed form.
pub(crate) fn facts(conn: &Connection, doc: &DocId) -> Result<Vec<ChangeFacts>, StoreError> {
    let Some(form) = form(conn, doc)? else {
        return Ok(Vec::new());
    };
    // It was proven when it was taken in.
    Ok(saved::facts(&form).unwrap_or_default().0)
}

fn split(names: &[u8]) -> impl Iterator<Item = ChangeHash> {
    let (names, _) = names.as_chunks::<NAME_BYTES>();
    names.iter().copied().map(ChangeHash)
}

fn take_frame(
    conn: &Connection,
    taking: &mut Taking<'_>,
    at_ms: i64,
    frame: &OpenFrame,
    me: &DeviceId,
    outcome: &mut PageOutcome,
) -> Result<(), StoreError> {
    for opened in &frame.documents {
        take(conn, taking, at_ms, opened, outcome)?;
        let mine = |(actor, device): &(ActorId, DeviceId)| {
            device == me && opened.facts.iter().any(|facts| facts.actor == *actor)
        };
        if frame.writers.iter().any(mine) {
            let sql = "UPDATE packed SET own = 1 WHERE doc = ?1";
            let doc = opened.packed.doc;
            conn.prepare_cached(sql)?.execute([doc.as_bytes()])?;
        }
    }
    for (actor, device) in &frame.writers {
        let sql = "INSERT INTO writer (actor, device) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let mut statement = conn.prepare_cached(sql)?;
        statement.execute(params![actor.as_bytes(), device.as_bytes()])?;
    }
    let sql = "INSERT OR REPLACE INTO pack_frame (hash, taken) VALUES (?1, 1)";
    conn.prepare_cached(sql)?.execute([frame.name.0])?;
    Ok(())
}

/// Takes a document of a frame in.
fn take(
    conn: &Connection,
    taking: &mut Taking<'_>,
    at_ms: i64,
    opened: &Opened,
    outcome: &mut PageOutcome,
) -> Result<(), StoreError> {
    let one = &opened.packed;
    let owner = one.owner.as_ref();
    document::ensure(conn, &one.doc, one.kind, one.schema, owner)?;
    if let Some(PackedPlace { bytes, .. }) = &one.place {
        taking.place(&Place::read(bytes)?, &[])?;
    }
    outcome.held += usize::from(opened.held.is_some());
    if is_new(conn, &one.doc)? && !opened.facts.is_empty() {
        keep(conn, taking.relay(), at_ms, opened)?;
        outcome.received += opened.facts.len();
        document::take_places(conn, &one.doc)?;
        taking.done(&one.doc);
        if let Some((document, reading)) = &opened.document {
            let nothing = Before::Nothing;
            derive::rows_of(conn, &one.doc, one.kind, owner, document, reading, nothing)?;
        }
    } else {
        outcome.received += merge(conn, taking, at_ms, opened)?;
    }
    for Beside { kind, bytes, .. } in &one.beside {
        match EntryKind(*kind) {
            EntryKind::CHANGE => {
                let change = wangge_wire::Change::read(
                    one.doc,
                    one.kind,
                    one.schema,
                    one.owner,
                    bytes.clone(),
                );
                outcome.received += usize::from(taking.change(&change?, &[])?);
            }
            kind => outcome.received += usize::from(taking.keep(kind, bytes)?),
        }
    }
    Ok(())
}

/// Returns whether nothing of a document was written or came before.
fn is_new(conn: &Connection, doc: &DocId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM change WHERE doc = ?1 UNION ALL SELECT 1 FROM packed WHERE doc = ?1";
    Ok(!conn.prepare_cached(sql)?.exists([doc.as_bytes()])?)
}

/// Keeps a form as the only copy of its changes here.
fn keep(conn: &Connection, relay: RelayId, at_ms: i64, opened: &Opened) -> Result<(), StoreError> {
    let one = &opened.packed;
    let mut names: Vec<[u8; 32]> = opened.facts.iter().map(|facts| facts.hash.0).collect();
    names.sort_unstable();
    names.dedup();
    let sql = "INSERT INTO packed (doc, relay, position, at_ms, names, saved)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.prepare_cached(sql)?.execute(params![
        one.doc.as_bytes(),
        relay.as_bytes(),
        i64::try_from(one.position).unwrap_or(i64::MAX),
        at_ms,
        names.concat(),
        one.saved
    ])?;
    let of = |name: &[u8; 32]| Digest::of(&one.doc, &ChangeHash(*name));
    document::count_all(conn, &one.doc, names.iter().map(of).sum())
}

/// Takes those changes of a form in that are not here, each through the gate. What this device made of
/// them has arrived.
fn merge(
    conn: &Connection,
    taking: &mut Taking<'_>,
    at_ms: i64,
    opened: &Opened,
) -> Result<usize, StoreError> {
    let one = &opened.packed;
    let document = opened.document.as_ref().map(|(document, _)| document);
    let raw = document.map(Document::raw_changes);
    let mut new = 0;
    for (hash, raw) in raw.unwrap_or_default() {
        let change = wangge_wire::Change::read(one.doc, one.kind, one.schema, one.owner, raw)?;
        new += usize::from(taking.change(&change, &[])?);
        let sql = "SELECT 1 FROM change WHERE doc = ?1 AND hash = ?2 AND own = 1";
        let own = params![one.doc.as_bytes(), hash.as_bytes()];
        if conn.prepare_cached(sql)?.exists(own)? {
            let name = ItemName {
                entry: EntryKind::CHANGE.0,
                doc: one.doc,
                hash,
                action: None,
                about: None,
            };
            // Where exactly is not said; it is nowhere behind this.
            arrive(conn, taking.relay().as_bytes(), &name, one.position, at_ms)?;
        }
    }
    Ok(new)
}
