//! Stores one judged batch: numbers what may be numbered, parks the rest, releases what waited.
//!
//! Runs inside the writer's transaction. **What an item's receipt says is read back from the tables**
//! after everything took its place, so that pushing again says the same.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension, params};
use wangge_sync::admit::{
    Holdings, ItemDecision, admit, admit_elsewhere, admit_from_above, admit_received,
};
use wangge_trust::Roster;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    ActorId, Batch, BatchHash, Change, ChangeHash, Day, DeviceId, DocId, DocKind, EntryKind, Item,
    ItemName, Settlement, Shape, packing,
};

use crate::audit::{self, About, What, Who};
use crate::holdings::SqlHoldings;
use crate::log::{self, NewEntry};
use crate::lost;
use crate::parked::{self, Parked};
use crate::places;
use crate::settlements;

/// A batch that was rebuilt and whose signature is right.
#[derive(Debug)]
pub(crate) struct Pushed {
    pub(crate) batch: Batch,
    /// Items whose bytes do not match the name the author signed.
    pub(crate) damaged: Vec<usize>,
    /// When the first relay received it; none for now.
    pub(crate) first_received_ms: Option<i64>,
    /// Whether its author works, or did, in the areas of the relay below that brought it: then that
    /// one's word for when it came decides what counts.
    pub(crate) of_sender: bool,
    /// Whether this relay is said to have numbered it before it lost it: then a decision in it was durable
    /// before another one stood here.
    pub(crate) given_back: bool,
    /// Whether a relay above has numbered it: then it judged who might.
    pub(crate) from_above: bool,
}

/// What became of a batch, before the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) batch: BatchHash,
    pub(crate) items: Vec<ItemState>,
}

/// Stores a batch and returns where each item stands.
pub(crate) fn store(
    connection: &Connection,
    roster: &Roster,
    access_kinds: &[DocKind],
    pushed: &Pushed,
    now_ms: i64,
) -> rusqlite::Result<Stored> {
    let batch = &pushed.batch;
    let hash = batch.hash();
    let mut decisions = judge(connection, roster, pushed, now_ms)?;
    // Above it was judged; a relay below judged it when it came.
    let judged_here = !pushed.from_above && pushed.first_received_ms.is_none();
    if judged_here && lost::has_double(connection, roster, batch)? {
        let counts =
            |it: &&mut ItemDecision| matches!(it, ItemDecision::Accept | ItemDecision::Wait { .. });
        let doubtful = decisions.iter_mut().filter(counts);
        doubtful.for_each(|it| *it = ItemDecision::Inbox(Reason::OutOfScope));
    }
    let is_new =
        |decision: &ItemDecision| !matches!(decision, ItemDecision::Held | ItemDecision::Refuse(_));
    if decisions.iter().any(is_new) {
        let actor = roster
            .known(&batch.head.device)
            .map(|member| batch.head.actor(&member.key));
        let row = batch_row(connection, batch, &hash, actor, now_ms)?;
        let mut queue = Queue {
            connection,
            roster,
            access_kinds,
            open: VecDeque::new(),
        };
        for (index, (item, decision)) in batch.items.iter().zip(&decisions).enumerate() {
            let from = Source {
                row,
                index,
                device: batch.head.device.0,
                first_received_ms: pushed.first_received_ms.unwrap_or(now_ms),
                received_ms: now_ms,
            };
            queue.settle(item, decision, &batch.shapes, &from)?;
        }
        queue.release()?;
    }
    let states = batch.items.iter().zip(&decisions);
    let items = states.map(|(item, decision)| state(connection, &item.name(), decision));
    Ok(Stored {
        batch: hash,
        items: items.collect::<rusqlite::Result<_>>()?,
    })
}

/// Where an item came from.
pub(crate) struct Source {
    pub(crate) row: i64,
    pub(crate) index: usize,
    pub(crate) device: [u8; 16],
    pub(crate) first_received_ms: i64,
    pub(crate) received_ms: i64,
}

struct Queue<'a> {
    connection: &'a Connection,
    roster: &'a Roster,
    /// Kinds of documents that say who asked to see something hidden.
    access_kinds: &'a [DocKind],
    /// Parked items whose time may have come.
    open: VecDeque<i64>,
}

impl Queue<'_> {
    fn settle(
        &mut self,
        item: &Item,
        decision: &ItemDecision,
        shapes: &[Shape],
        from: &Source,
    ) -> rusqlite::Result<()> {
        match decision {
            ItemDecision::Accept => self.number(item, shapes, from),
            ItemDecision::Wait { missing } => {
                let shape = shape_of(item, shapes);
                let row = parked::wait(self.connection, item, shape, missing, from)?;
                if let Item::Unknown { name, bytes } = item
                    && name.entry == EntryKind::SETTLEMENT.0
                    && let Ok(decision) = Settlement::read(bytes)
                    && parked::lying(self.connection, &name.doc, &decision.item)?.is_some()
                {
                    // Its item came before it in the same batch.
                    self.open.extend(row);
                }
                self.decisions_on(item)
            }
            ItemDecision::Inbox(_) if Sabotage::InboxLost.is_on() => Ok(()),
            ItemDecision::Inbox(reason) => {
                let (name, author) = (item.name(), DeviceId(from.device));
                parked::inbox(self.connection, item, shape_of(item, shapes), *reason, from)?;
                // A decision may have come before the item, from another relay, or wait for it here.
                settlements::mark(self.connection, &name.doc, &name.hash, &author)?;
                self.decisions_on(item)
            }
            ItemDecision::Held | ItemDecision::Refuse(_) => Ok(()),
        }
    }

    /// Has the decisions judged that waited for this item, which has no number and is here now.
    fn decisions_on(&mut self, item: &Item) -> rusqlite::Result<()> {
        let name = item.name();
        let waited = parked::decisions_on(self.connection, &name.doc, &name.hash)?;
        self.open.extend(waited);
        Ok(())
    }

    fn number(&mut self, item: &Item, shapes: &[Shape], from: &Source) -> rusqlite::Result<()> {
        let name = item.name();
        if log::position_of(self.connection, &name.doc, &name.hash)?.is_some() {
            return Ok(());
        }
        if let Item::Change { change, .. } = item {
            remember_genesis(self.connection, change, shapes)?;
        }
        let place_bytes;
        let (kinds, author, body) = match item {
            Item::Change { change, .. } => (
                (change.kind.0, change.schema),
                Some((change.actor, change.seq)),
                &change.raw,
            ),
            Item::Place(place) => {
                place_bytes = place.bytes();
                ((0, 0), None, &place_bytes)
            }
            Item::Unknown { bytes, .. } => ((0, 0), None, bytes),
            Item::Named(_) => return Ok(()),
        };
        let position = log::append(
            self.connection,
            &NewEntry {
                kind: EntryKind(name.entry),
                doc: name.doc,
                hash: name.hash,
                batch: from.row,
                item: i64::try_from(from.index).unwrap_or(0),
                doc_kind: kinds.0,
                doc_schema: kinds.1,
                author,
                first_received_ms: from.first_received_ms,
                received_ms: from.received_ms,
                body,
            },
        )?;
        match item {
            Item::Change { change, .. } => {
                places::add_change(self.connection, change)?;
                if self.access_kinds.contains(&change.kind) {
                    let who = Who::Device(DeviceId(from.device));
                    let about = About::Document(change.owner.unwrap_or(change.doc));
                    audit::note(self.connection, from.received_ms, What::Looked, who, about)?;
                }
            }
            Item::Place(place) => {
                places::apply_place(self.connection, place, position)?;
                self.open
                    .extend(parked::unplaced(self.connection, &place.doc)?);
            }
            Item::Unknown { name, bytes } if name.entry == EntryKind::SETTLEMENT.0 => {
                // One of a later form is kept, and settles nothing here.
                if let Ok(settlement) = Settlement::read(bytes) {
                    let by = DeviceId(from.device);
                    let at = (position, from.received_ms);
                    let open = settlements::keep(self.connection, &settlement, &by, at)?;
                    self.open.extend(open);
                }
            }
            Item::Unknown { .. } | Item::Named(_) => {}
        }
        parked::forget(self.connection, &name.doc, &name.hash)?;
        self.open
            .extend(parked::arrived(self.connection, &name.doc, &name.hash)?);
        Ok(())
    }

    /// Judges parked items again until nothing more moves.
    fn release(&mut self) -> rusqlite::Result<()> {
        while let Some(id) = self.open.pop_front() {
            let Some(Parked { batch, index, from }) = parked::load(self.connection, id)? else {
                continue;
            };
            let held = SqlHoldings::new(self.connection);
            // When it came decides, not when what it waited for did.
            let decisions = admit_received(&batch, &[], self.roster, from.received_ms, &held);
            held.finish()?;
            let (Some(item), Some(decision)) = (batch.items.first(), decisions.first()) else {
                continue;
            };
            let from = Source { index, ..from };
            match decision {
                ItemDecision::Held => parked::forget_id(self.connection, id)?,
                decision => self.settle(item, decision, &batch.shapes, &from)?,
            }
        }
        Ok(())
    }
}

fn judge(
    connection: &Connection,
    roster: &Roster,
    pushed: &Pushed,
    now_ms: i64,
) -> rusqlite::Result<Vec<ItemDecision>> {
    let held = SqlHoldings::new(connection);
    let (batch, damaged, day) = (&pushed.batch, &pushed.damaged, Day::of_ms(now_ms));
    let decisions = match pushed.first_received_ms {
        _ if pushed.from_above => admit_from_above(batch, damaged, roster, day, &held),
        // A relay below judged it when it came.
        Some(first_ms) if pushed.of_sender => {
            admit_received(batch, damaged, roster, first_ms.min(now_ms), &held)
        }
        Some(_) => admit_elsewhere(batch, damaged, roster, day, &held),
        None if pushed.given_back => admit_elsewhere(batch, damaged, roster, day, &held),
        None => admit(batch, damaged, roster, day, &held),
    };
    held.finish()?;
    Ok(decisions)
}

fn state(
    connection: &Connection,
    name: &ItemName,
    decision: &ItemDecision,
) -> rusqlite::Result<ItemState> {
    if *decision == ItemDecision::Held && Sabotage::PushNotIdempotent.is_on() {
        return Ok(ItemState::Refused(Reason::Malformed));
    }
    if let Some(position) = log::position_of(connection, &name.doc, &name.hash)? {
        return Ok(ItemState::At(position));
    }
    if let ItemDecision::Refuse(reason) = decision {
        return Ok(ItemState::Refused(*reason));
    }
    let parked = parked::state(connection, &name.doc, &name.hash)?;
    Ok(parked.unwrap_or(ItemState::Refused(Reason::Malformed)))
}

fn batch_row(
    connection: &Connection,
    batch: &Batch,
    hash: &BatchHash,
    actor: Option<ActorId>,
    now_ms: i64,
) -> rusqlite::Result<i64> {
    let known = connection
        .prepare_cached("SELECT id FROM batch WHERE hash = ?1")?
        .query_row([hash.0], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let head = &batch.head;
    let names: Vec<ItemName> = batch.items.iter().map(Item::name).collect();
    connection
        .prepare_cached(
            "INSERT INTO batch (hash, head, names, signature, device, actor, number, received_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            hash.0,
            packing::encode(head),
            packing::encode(&names),
            batch.signature.0,
            head.device.0,
            actor.unwrap_or(ActorId([0; 8])).0,
            log::signed(head.number),
            now_ms,
        ])?;
    Ok(connection.last_insert_rowid())
}

fn shape_of<'a>(item: &Item, shapes: &'a [Shape]) -> Option<&'a Shape> {
    let Item::Change { change, .. } = item else {
        return None;
    };
    shapes
        .iter()
        .find(|shape| shape.kind == change.kind && shape.schema == change.schema)
}

/// Keeps the genesis that a change rests on, if it is the first of its document to do so.
fn remember_genesis(
    connection: &Connection,
    change: &Change,
    shapes: &[Shape],
) -> rusqlite::Result<()> {
    let held = SqlHoldings::new(connection);
    let open = |dep: &&ChangeHash| !held.holds(&change.doc, dep);
    let open: Vec<ChangeHash> = change.deps.iter().filter(open).copied().collect();
    if !open.is_empty() {
        let fits = |shape: &&Shape| shape.kind == change.kind && shape.schema == change.schema;
        let brought = shapes.iter().find(fits).cloned();
        for shape in brought
            .into_iter()
            .chain(held.shapes(change.kind, change.schema))
        {
            match Holdings::genesis(&held, &change.doc, &shape) {
                Some(hash) if open.contains(&hash) => {
                    insert_genesis(connection, &change.doc, &hash, &shape)?;
                }
                _ => {}
            }
        }
    }
    held.finish()
}

fn insert_genesis(
    connection: &Connection,
    doc: &DocId,
    hash: &ChangeHash,
    shape: &Shape,
) -> rusqlite::Result<()> {
    let bytes = packing::encode(shape);
    connection
        .prepare_cached("INSERT OR IGNORE INTO shape (kind, schema, bytes) VALUES (?1, ?2, ?3)")?
        .execute(params![shape.kind.0, shape.schema, bytes])?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO genesis (doc, hash, shape)
             SELECT ?1, ?2, id FROM shape WHERE kind = ?3 AND schema = ?4 AND bytes = ?5",
        )?
        .execute(params![doc.0, hash.0, shape.kind.0, shape.schema, bytes])?;
    Ok(())
}
