//! Taking a page in: changes, documents, derived rows and cursor in one transaction.
//!
//! Receiving a change twice changes nothing. **Every foreign change passes the gate**; what waits or is
//! held stays in the file with its reason, counted in the digest like all that is stored.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wangge_model::kind;
use wangge_wire::frame::{self, Known, Surroundings, Unread};
use wangge_wire::message::PageEntry;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    Batch, Change, ChangeHash, Cursor, DocId, EntryKind, Item, Order, Page, RelayId, Shape,
};

use crate::error::StoreError;
use crate::open::Store;
use crate::outbox::{arrive, keep_batch};
use crate::packed::{self, Packed};
use crate::{derive, document, relay, settled};

/// Whose batch this is, as the roster says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The signature is the device's, and the changes' actor is this.
    Good(wangge_wire::ActorId),
    /// The signature does not fit, or nobody known here signs so.
    Bad,
}

/// What judges a page's batches and orders; the roster behind it grows with the orders.
pub trait Incoming {
    /// Returns whose batch this is.
    fn signer(&self, batch: &Batch) -> Signer;
    /// Takes an order; false if it must not be kept.
    fn order(&mut self, order: &Order) -> bool;
}

/// What a page brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageOutcome {
    /// Entries that were new here.
    pub received: usize,
    /// Changes that wait for others.
    pub waiting: usize,
    /// Changes the gate holds.
    pub held: usize,
    /// Batches whose signature does not fit; nothing of them was kept.
    pub unsigned: usize,
}

impl Store {
    /// Applies a page and moves the cursor, or does neither.
    pub fn apply_page(
        &mut self,
        page: &Page,
        incoming: &mut dyn Incoming,
    ) -> Result<PageOutcome, StoreError> {
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let taking = Taking::begin(&transaction, page.cursor.relay);
        let skipped = Sabotage::PageSkipped.is_on() && page.entries.len() > 2;
        let entries = if skipped {
            &[]
        } else {
            page.entries.as_slice()
        };
        let outcome = taking.all(entries, incoming)?;
        relay::move_cursor(&transaction, &page.cursor)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Moves the cursor alone, after an answer whose last page was empty.
    pub fn move_cursor(&mut self, cursor: &Cursor) -> Result<(), StoreError> {
        relay::move_cursor(&self.conn, cursor)
    }

    /// Returns how many changes wait and how many are held.
    pub fn unapplied(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT coalesce(sum(state = 1), 0), coalesce(sum(state = 2), 0)
                   FROM change WHERE state <> 0";
        let (waiting, held): (i64, i64) = self
            .conn
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((waiting.unsigned_abs(), held.unsigned_abs()))
    }
}

/// A page being taken in.
pub(crate) struct Taking<'a> {
    conn: &'a Connection,
    relay: RelayId,
    touched: BTreeSet<DocId>,
}

impl<'a> Taking<'a> {
    pub(crate) fn begin(conn: &'a Connection, relay: RelayId) -> Self {
        Self {
            conn,
            relay,
            touched: BTreeSet::new(),
        }
    }

    /// Returns the relay it comes from.
    pub(crate) fn relay(&self) -> RelayId {
        self.relay
    }

    /// Says that a document is up to all that came of it so far.
    pub(crate) fn done(&mut self, doc: &DocId) {
        self.touched.remove(doc);
    }

    /// Takes in all entries and brings their documents up to them.
    pub(crate) fn all(
        mut self,
        entries: &[PageEntry],
        incoming: &mut dyn Incoming,
    ) -> Result<PageOutcome, StoreError> {
        let mut outcome = PageOutcome::default();
        for entry in entries {
            match entry {
                PageEntry::Batch(batch) => self.batch(batch, incoming, &mut outcome)?,
                PageEntry::Single {
                    kind,
                    position,
                    bytes,
                } => {
                    self.single(EntryKind(*kind), *position, bytes, incoming, &mut outcome)?;
                }
            }
        }
        self.settle(&mut outcome)?;
        Ok(outcome)
    }

    fn batch(
        &mut self,
        page: &wangge_wire::PageBatch,
        incoming: &mut dyn Incoming,
        outcome: &mut PageOutcome,
    ) -> Result<(), StoreError> {
        let rebuilt = frame::decode(&page.frame, &Surroundings::default(), &Holdings(self.conn));
        let batch = match rebuilt {
            Ok(rebuilt) => rebuilt.batch,
            Err(Unread::NeedFull) => return Err(StoreError::NeedFull),
            Err(Unread::Malformed(error)) => return Err(error.into()),
        };
        let Signer::Good(actor) = incoming.signer(&batch) else {
            outcome.unsigned += 1;
            return Ok(());
        };
        keep_batch(self.conn, &batch, &actor, false)?;
        let hash = batch.hash();
        for (item, position) in batch.items.iter().zip(&page.positions) {
            let new = match item {
                Item::Change { change, .. } if change.actor == actor => {
                    self.change(change, hash.as_bytes())?
                }
                Item::Change { .. } => {
                    outcome.unsigned += 1;
                    continue;
                }
                Item::Place(place) => self.place(place, hash.as_bytes())?,
                Item::Unknown { name, bytes } => {
                    if EntryKind(name.entry) == EntryKind::SETTLEMENT {
                        settled::arrived(self.conn, bytes)?;
                    }
                    self.unknown(name, bytes, hash.as_bytes())?
                }
                Item::Named(_) => continue,
            };
            outcome.received += usize::from(new);
            if *position > 0 {
                let relay = self.relay.as_bytes();
                arrive(self.conn, relay, &item.name(), *position, page.received_ms)?;
            }
        }
        Ok(())
    }

    /// Keeps a change once; it becomes part of its document at the end.
    pub(crate) fn change(&mut self, change: &Change, batch: &[u8]) -> Result<bool, StoreError> {
        document::ensure(
            self.conn,
            &change.doc,
            change.kind,
            change.schema,
            change.owner.as_ref(),
        )?;
        // What a pack brought is counted and shown already; with its author's batch it can be given back.
        let is_packed = packed::holds(self.conn, &change.doc, &change.hash)?;
        if is_packed && batch.is_empty() {
            return Ok(false);
        }
        let at_ms = wangge_crdt::parse::check(&change.raw).map_or(0, |checked| checked.at_ms);
        let sql = "INSERT INTO change (doc, hash, actor, seq, at_ms, batch, state, raw)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8, ?7) ON CONFLICT DO NOTHING";
        let new = self.conn.prepare_cached(sql)?.execute(params![
            change.doc.as_bytes(),
            change.hash.as_bytes(),
            change.actor.as_bytes(),
            i64::try_from(change.seq).unwrap_or(i64::MAX),
            at_ms,
            batch,
            change.raw,
            i64::from(!is_packed)
        ])? > 0;
        let new = new && !is_packed;
        if new {
            document::count(self.conn, &change.doc, &change.hash)?;
            self.touched.insert(change.doc);
        }
        Ok(new)
    }

    /// Keeps a place once; the greatest counts, at the end.
    pub(crate) fn place(
        &mut self,
        place: &wangge_wire::Place,
        batch: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO place (doc, hash, bytes, batch) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO NOTHING";
        let (doc, hash) = (place.doc.as_bytes(), place.hash());
        let new = self.conn.prepare_cached(sql)?.execute(params![
            doc,
            hash.as_bytes(),
            place.bytes(),
            batch
        ])? > 0;
        self.touched.insert(place.doc);
        Ok(new)
    }

    fn unknown(
        &self,
        name: &wangge_wire::ItemName,
        bytes: &[u8],
        batch: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO entry (kind, doc, hash, bytes, batch) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT DO NOTHING";
        let (doc, hash) = (name.doc.as_bytes(), name.hash.as_bytes());
        Ok(self
            .conn
            .prepare_cached(sql)?
            .execute(params![name.entry, doc, hash, bytes, batch])?
            > 0)
    }

    fn single(
        &self,
        kind: EntryKind,
        position: u64,
        bytes: &[u8],
        incoming: &mut dyn Incoming,
        outcome: &mut PageOutcome,
    ) -> Result<(), StoreError> {
        if kind != EntryKind::ORDER {
            outcome.received += usize::from(self.keep(kind, bytes)?);
            return Ok(());
        }
        let order = Order::read(bytes)?;
        if incoming.order(&order) {
            keep_order(self.conn, &order, position)?;
        }
        Ok(())
    }

    /// Keeps an entry of a kind that this program does not read, by the hash of its bytes.
    pub(crate) fn keep(&self, kind: EntryKind, bytes: &[u8]) -> Result<bool, StoreError> {
        let name = wangge_wire::ItemName {
            entry: kind.0,
            doc: DocId([0; 16]),
            hash: wangge_wire::digest::content_hash(bytes),
            action: None,
            about: None,
        };
        self.unknown(&name, bytes, &[])
    }

    /// Brings every touched document up to its changes.
    pub(crate) fn settle(&mut self, outcome: &mut PageOutcome) -> Result<(), StoreError> {
        for doc in std::mem::take(&mut self.touched) {
            let moved = document::take_places(self.conn, &doc)?;
            self.document(&doc, moved, outcome)?;
        }
        Ok(())
    }

    fn document(
        &self,
        doc: &DocId,
        moved: bool,
        outcome: &mut PageOutcome,
    ) -> Result<(), StoreError> {
        let sql = "SELECT raw FROM change WHERE doc = ?1 AND state = 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let raws = statement
            .query_map([doc.as_bytes()], |row| row.get(0))?
            .collect::<Result<Vec<Vec<u8>>, _>>()?;
        let Some(row) = document::row(self.conn, doc)? else {
            return Ok(());
        };
        if raws.is_empty() && !moved {
            return Ok(());
        }
        let mut document = match document::load(self.conn, doc, &row) {
            Ok(Some(document)) => document,
            Ok(None) => return Ok(()),
            // What came for it is kept, and blocks nothing behind it.
            Err(StoreError::Unreadable { .. }) => {
                outcome.waiting += raws.len();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let applied = document.apply(&raws);
        let mark = |hash: &ChangeHash, state: i64, reason: &str| {
            let sql = "UPDATE change SET state = ?3, reason = ?4 WHERE doc = ?1 AND hash = ?2";
            let values = params![doc.as_bytes(), hash.as_bytes(), state, reason];
            self.conn.prepare_cached(sql)?.execute(values).map(|_| ())
        };
        applied
            .applied
            .iter()
            .try_for_each(|hash| mark(hash, 0, ""))?;
        applied
            .held
            .iter()
            .try_for_each(|(hash, reason)| mark(hash, 2, reason.as_str()))?;
        outcome.waiting += applied.waiting.len();
        outcome.held += applied.held.len();
        if !raws.is_empty() {
            document::save(self.conn, doc, &document)?;
        }
        let owner = row.owner.as_ref();
        derive::unless_unreadable(derive::rows(self.conn, doc, row.kind, owner, &document))
    }
}

/// Keeps an order once.
pub(crate) fn keep_order(
    conn: &Connection,
    order: &Order,
    position: u64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO roster_order (hash, position, bytes) VALUES (?1, ?2, ?3)
               ON CONFLICT (hash) DO UPDATE SET position = max(position, excluded.position)";
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    conn.prepare_cached(sql)?
        .execute(params![order.hash().as_bytes(), position, order.bytes()])?;
    Ok(())
}

/// What this device holds, for rebuilding frames.
struct Holdings<'a>(&'a Connection);

impl Known for Holdings<'_> {
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash> {
        let shape = kind::shape(shape.kind)
            .filter(|own| own.schema == shape.schema)
            .unwrap_or(shape.clone());
        wangge_crdt::genesis::hash(&shape, doc).ok()
    }

    fn change(&self, doc: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash> {
        let (mut low, mut high) = (vec![0; 32], vec![0xff; 32]);
        low.splice(..6, *prefix);
        high.splice(..6, *prefix);
        let sql = "SELECT hash FROM change WHERE doc = ?1 AND hash BETWEEN ?2 AND ?3 LIMIT 2";
        let mut statement = self.0.prepare_cached(sql).ok()?;
        let mut found = statement
            .query_map(params![doc.as_bytes(), low, high], |row| {
                row.get::<_, [u8; 32]>(0)
            })
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .optional()
            .ok()??;
        if let Some(packed) = Packed::of(self.0, doc).ok()? {
            let names = packed.names().map(|name| name.0);
            found.extend(names.filter(|name| name.starts_with(prefix)));
        }
        match found.as_slice() {
            [one] => Some(ChangeHash(*one)),
            _ => None,
        }
    }
}
