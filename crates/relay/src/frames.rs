//! Entries of the log as they travel: each batch with its signature, bodies only of what is sent.
//!
//! A batch's frame names all items its author signed, so that the signature can be checked, and
//! carries the bodies of this run alone. **Names give nothing away**: they are ids and hashes.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use wangge_wire::batch::About;
use wangge_wire::frame::{self, Dependency, Elide, Surroundings};
use wangge_wire::message::PageEntry;
use wangge_wire::{
    ActorId, Batch, BatchHash, BatchHead, Change, ChangeHash, DeviceId, DocId, DocKind, EntryKind,
    Item, ItemName, Malformed, PageBatch, Place, Shape, Signature, packing,
};

use crate::log::{self, signed, unsigned};
use crate::parked;
use crate::pull::StepError;

/// An entry with its body.
pub(crate) struct Fetched {
    position: u64,
    pub(crate) kind: EntryKind,
    doc: DocId,
    batch: i64,
    item: usize,
    doc_kind: DocKind,
    doc_schema: u8,
    owner: Option<DocId>,
    first_received_ms: i64,
    received_ms: i64,
    pub(crate) body: Vec<u8>,
}

/// Returns the entry at a position.
pub(crate) fn fetch(connection: &Connection, position: u64) -> rusqlite::Result<Fetched> {
    connection
        .prepare_cached(
            "SELECT e.kind, e.doc, e.batch, e.item, e.doc_kind, e.doc_schema,
                    ifnull(d.owner, x''), e.first_received_ms, e.received_ms,
                    CASE WHEN e.sealed THEN opened(e.doc, e.hash, e.body) ELSE e.body END
             FROM entry e LEFT JOIN document d ON d.doc = e.doc WHERE e.position = ?1",
        )?
        .query_row([signed(position)], |row| {
            let owner: Vec<u8> = row.get(6)?;
            Ok(Fetched {
                position,
                kind: EntryKind(row.get(0)?),
                doc: DocId(row.get(1)?),
                batch: row.get(2)?,
                item: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(usize::MAX),
                doc_kind: DocKind(row.get(4)?),
                doc_schema: row.get(5)?,
                owner: DocId::from_slice(&owner),
                first_received_ms: row.get(7)?,
                received_ms: row.get(8)?,
                body: row.get(9)?,
            })
        })
}

/// Returns the devices whose signatures stand under these entries.
pub(crate) fn signers(
    connection: &Connection,
    fetched: &[Fetched],
) -> rusqlite::Result<BTreeSet<DeviceId>> {
    let batches: BTreeSet<i64> = fetched.iter().map(|entry| entry.batch).collect();
    let mut statement = connection.prepare_cached("SELECT device FROM batch WHERE id = ?1")?;
    let device = |batch: i64| statement.query_row([batch], |row| row.get(0).map(DeviceId));
    batches
        .into_iter()
        .filter(|batch| *batch != 0)
        .map(device)
        .collect()
}

/// Returns entries as they stand in a page: runs of one batch together.
pub(crate) fn entries(
    connection: &Connection,
    fetched: &[Fetched],
    full: bool,
) -> Result<Vec<PageEntry>, StepError> {
    let same_run = |a: &Fetched, b: &Fetched| {
        a.batch != 0 && a.batch == b.batch && a.item < b.item && a.received_ms == b.received_ms
    };
    let mut out = Vec::new();
    for run in fetched.chunk_by(same_run) {
        let Some(first) = run.first() else { continue };
        out.push(if first.batch == 0 {
            PageEntry::Single {
                kind: first.kind.0,
                position: first.position,
                bytes: first.body.clone(),
            }
        } else {
            PageEntry::Batch(page_batch(connection, first, run, full)?)
        });
    }
    Ok(out)
}

fn page_batch(
    connection: &Connection,
    first: &Fetched,
    run: &[Fetched],
    full: bool,
) -> Result<PageBatch, StepError> {
    let (head, names, signature) = signed_part(connection, first.batch)?;
    let geneses = Geneses::of(connection, run)?;
    let mut items = Vec::with_capacity(names.len());
    let mut positions = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        match run.iter().find(|entry| entry.item == index) {
            Some(entry) => {
                positions.push(entry.position);
                items.push(item(entry, name)?);
            }
            None => {
                positions.push(0);
                items.push(Item::Named(name));
            }
        }
    }
    let batch = Batch {
        head,
        items,
        signature,
        shapes: geneses.shapes.clone(),
    };
    let frame = if full {
        frame::encode_full(&batch)?
    } else {
        frame::encode(&batch, &Surroundings::default(), &geneses)?
    };
    Ok(PageBatch {
        frame,
        positions,
        first_received_ms: first.first_received_ms,
        received_ms: first.received_ms,
    })
}

/// Returns the names of a batch, in its order; none for a batch that is not here.
pub(crate) fn names(connection: &Connection, hash: &BatchHash) -> rusqlite::Result<Vec<ItemName>> {
    let names: Option<Vec<u8>> = connection
        .prepare_cached("SELECT names FROM batch WHERE hash = ?1")?
        .query_row([hash.0], |row| row.get(0))
        .optional()?;
    let names = names.and_then(|bytes| packing::decode(&bytes, "item names").ok());
    Ok(names.unwrap_or_default())
}

/// Returns a batch as it goes up: with every body that is here, those of parked items too.
pub(crate) fn rising(
    connection: &Connection,
    hash: &BatchHash,
    full: bool,
) -> Result<Vec<u8>, StepError> {
    let row: i64 = connection
        .prepare_cached("SELECT id FROM batch WHERE hash = ?1")?
        .query_row([hash.0], |row| row.get(0))?;
    let (head, names, signature) = signed_part(connection, row)?;
    let (mut run, mut items, mut parked_shapes) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        if let Some(position) = log::position_of(connection, &name.doc, &name.hash)? {
            let entry = fetch(connection, position)?;
            items.push(item(&entry, name)?);
            run.push(entry);
        } else if let Some(parked) = parked::named(connection, &name.doc, &name.hash)? {
            parked_shapes.extend(parked.batch.shapes);
            items.extend(parked.batch.items);
        } else {
            items.push(Item::Named(name));
        }
    }
    let geneses = Geneses::of(connection, &run)?;
    // What a parked item rests on may be here no more than there.
    let full = full || !parked_shapes.is_empty();
    let mut shapes = geneses.shapes.clone();
    shapes.extend(parked_shapes);
    shapes.sort();
    shapes.dedup();
    let batch = Batch {
        head,
        items,
        signature,
        shapes,
    };
    Ok(if full {
        frame::encode_full(&batch)?
    } else {
        frame::encode(&batch, &Surroundings::default(), &geneses)?
    })
}

fn signed_part(
    connection: &Connection,
    batch: i64,
) -> Result<(BatchHead, Vec<ItemName>, Signature), StepError> {
    let (head, names, signature): (Vec<u8>, Vec<u8>, [u8; 64]) = connection
        .prepare_cached("SELECT head, names, signature FROM batch WHERE id = ?1")?
        .query_row([batch], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let head = packing::decode(&head, "batch head")?;
    Ok((
        head,
        packing::decode(&names, "item names")?,
        Signature(signature),
    ))
}

fn item(entry: &Fetched, name: ItemName) -> Result<Item, Malformed> {
    Ok(match entry.kind {
        EntryKind::CHANGE => {
            // As the author signed it, whatever the document's row says by now.
            let about = name.about.unwrap_or(About {
                kind: entry.doc_kind,
                schema: entry.doc_schema,
                owner: entry.owner,
            });
            let body = entry.body.clone();
            // Reading it hashes the body: what rotted on the disk is not handed on.
            let change = Change::read(entry.doc, about.kind, about.schema, about.owner, body)?;
            if change.hash != name.hash {
                return Err(Malformed::Shape {
                    what: "a stored change",
                });
            }
            Item::Change {
                change,
                action: name.action,
            }
        }
        EntryKind::PLACE => Item::Place(Place::read(&entry.body)?),
        _ => Item::Unknown {
            name,
            bytes: entry.body.clone(),
        },
    })
}

/// The first changes that a run's changes rest on, which the receiver computes.
struct Geneses {
    shapes: Vec<Shape>,
    by_name: BTreeMap<(DocId, ChangeHash), Dependency>,
}

impl Geneses {
    fn of(connection: &Connection, run: &[Fetched]) -> Result<Self, StepError> {
        let mut this = Self {
            shapes: Vec::new(),
            by_name: BTreeMap::new(),
        };
        for entry in run.iter().filter(|entry| entry.kind == EntryKind::CHANGE) {
            let mut rows = connection.prepare_cached(
                "SELECT g.hash, s.bytes FROM genesis g JOIN shape s ON s.id = g.shape
                 WHERE g.doc = ?1 ORDER BY s.id",
            )?;
            let rows = rows.query_map(params![entry.doc.0], |row| {
                Ok((ChangeHash(row.get(0)?), row.get::<_, Vec<u8>>(1)?))
            })?;
            for row in rows {
                let (hash, bytes) = row?;
                let shape: Shape = packing::decode(&bytes, "shape")?;
                this.add(entry, hash, shape);
            }
        }
        Ok(this)
    }

    /// A frame can say one shape of a kind; a document with another travels with its hash in full.
    fn add(&mut self, entry: &Fetched, hash: ChangeHash, shape: Shape) {
        let fits = |s: &&Shape| s.kind == shape.kind && s.schema == shape.schema;
        let is_own = shape.kind == entry.doc_kind && shape.schema == entry.doc_schema;
        let said = self.shapes.iter().find(fits);
        let same = said.is_none_or(|said| *said == shape);
        let form = if is_own && same {
            Dependency::Genesis
        } else {
            Dependency::Full
        };
        if said.is_none() {
            self.shapes.push(shape);
        }
        self.by_name.insert((entry.doc, hash), form);
    }
}

impl Elide for Geneses {
    fn dependency(&self, doc: &DocId, hash: &ChangeHash) -> Dependency {
        // Whatever is numbered rests on lower positions of its document, which the device has.
        self.by_name
            .get(&(*doc, *hash))
            .copied()
            .unwrap_or(Dependency::Held)
    }
}

/// Returns the highest batch number known of a device's actor, and that batch.
pub(crate) fn last_batch(
    connection: &Connection,
    device: &DeviceId,
    actor: &ActorId,
) -> rusqlite::Result<Option<(u64, BatchHash)>> {
    connection
        .prepare_cached(
            "SELECT number, hash FROM batch WHERE actor = ?1 AND device = ?2
             ORDER BY number DESC, id DESC LIMIT 1",
        )?
        .query_row(params![actor.0, device.0], |row| {
            Ok((unsigned(row.get(0)?), BatchHash(row.get(1)?)))
        })
        .optional()
}
