//! The outbox: what this device made and no relay has receipted.
//!
//! Before it is sent it is put into batches of at most ten, signed once and kept: a repeated send is
//! the same bytes, so that a lost answer never makes a second copy. **A row leaves the outbox only by
//! a receipt that gives its entry a position.**

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use wangge_model::kind;
use wangge_wire::limits::{BATCH_ITEMS_MAX, CHANGE_BYTES_MAX};
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    About, ActionId, ActorId, AreaCode, Batch, BatchHash, BatchHead, Change, ChangeHash, DocId,
    EntryKind, Item, ItemName, Place, Receipt, Signature, packing,
};

use crate::document;
use crate::error::StoreError;
use crate::open::Store;
use crate::packed::{self, Packed};
use crate::settled;

/// Raw bytes of changes that one batch may carry.
const BATCH_RAW_BYTES_MAX: usize = 4 * CHANGE_BYTES_MAX;

// States of a row; those with a receipt that are in the inbox are 2.
const UNSENT: i64 = 0;
const WAITING: i64 = 1;
const REFUSED: i64 = 3;

/// Where an outbox row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// To be sent.
    Unsent,
    /// At a relay, waiting for what it rests on.
    Waiting,
    /// In a relay's inbox.
    Inbox,
    /// Refused by a relay; only here.
    Refused,
    /// In a relay's inbox, and discarded by a desk: kept there and here, and waiting for nobody.
    Discarded,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// What kind of entry.
    pub entry: EntryKind,
    /// The document.
    pub doc: DocId,
    /// The document's kind, as JSON names it.
    pub kind: &'static str,
    /// The entry's hash.
    pub hash: ChangeHash,
    /// Where it stands.
    pub state: Pending,
    /// Why, where a relay gave a reason.
    pub reason: String,
    /// The device's clock when it was recorded, milliseconds since 1970; 0 for places.
    pub at_ms: i64,
}

/// What makes a batch's head beside its items.
#[derive(Debug, Clone)]
pub struct Heading {
    /// The head of the next batch; number, previous and area are filled in here.
    pub head: BatchHead,
    /// The actor that the heads' device and nonce make; only its changes go under this head.
    pub actor: ActorId,
    /// Whether places, which no actor writes, go under it too: they do for the present life.
    pub takes_places: bool,
}

impl Store {
    /// Puts what has no batch yet into signed batches; urgent entries come first.
    pub fn make_batches(
        &mut self,
        heading: &Heading,
        sign: &dyn Fn(&mut Batch),
    ) -> Result<usize, StoreError> {
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if Sabotage::SentCountsAsReceived.is_on() {
            transaction.execute("DELETE FROM outbox WHERE batch IS NOT NULL", [])?;
        }
        let (mut number, mut previous) = last_batch(&transaction, &heading.actor)?;
        let mut made = 0;
        for (area, ids) in groups(&transaction, &heading.actor, heading.takes_places)? {
            number += 1;
            let items = ids
                .iter()
                .map(|id| item(&transaction, *id))
                .collect::<Result<Vec<_>, StoreError>>()?;
            let head = BatchHead {
                number,
                previous,
                area,
                ..heading.head.clone()
            };
            let mut batch = Batch {
                shapes: shapes(&items),
                head,
                items,
                signature: Signature([0; 64]),
            };
            sign(&mut batch);
            previous = batch.hash();
            keep_batch(&transaction, &batch, &heading.actor, true)?;
            for id in ids {
                let sql = "UPDATE outbox SET batch = ?2 WHERE id = ?1";
                transaction
                    .prepare_cached(sql)?
                    .execute(params![id, previous.as_bytes()])?;
                // A decision says by its batch who made it.
                let sql = "UPDATE entry SET batch = ?2 FROM outbox o WHERE o.id = ?1
                           AND (entry.kind, entry.doc, entry.hash) = (o.entry, o.doc, o.hash)";
                transaction
                    .prepare_cached(sql)?
                    .execute(params![id, previous.as_bytes()])?;
            }
            made += 1;
        }
        transaction.commit()?;
        Ok(made)
    }

    /// Returns the batches that have something to be sent, urgent ones first.
    pub fn pending_batches(&self) -> Result<Vec<BatchHash>, StoreError> {
        let sql = "SELECT o.batch FROM outbox o JOIN batch b ON b.hash = o.batch
                   WHERE o.state = 0 GROUP BY o.batch ORDER BY max(o.urgent) DESC, min(o.id)";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
        Ok(rows
            .map(|row| row.map(BatchHash))
            .collect::<Result<_, _>>()?)
    }

    /// Returns an own batch with its bodies.
    pub fn batch(&self, hash: &BatchHash) -> Result<Batch, StoreError> {
        let sql = "SELECT head, names, signature FROM batch WHERE hash = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_row([hash.as_bytes()], |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, [u8; 64]>(2)?,
            ))
        });
        let (head, names, signature) = found.optional()?.ok_or(StoreError::Missing)?;
        let names: Vec<ItemName> = packing::decode(&names, "stored batch")?;
        let items = names
            .into_iter()
            .map(|name| named_item(&self.conn, name))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Batch {
            shapes: shapes(&items),
            head: packing::decode(&head, "stored batch")?,
            items,
            signature: Signature(signature),
        })
    }

    /// Returns whether a relay is known to hold a change.
    pub fn is_held(
        &self,
        relay: &[u8],
        doc: &DocId,
        hash: &ChangeHash,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM arrival WHERE doc = ?1 AND hash = ?2 AND relay = ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        if statement.exists(params![doc.as_bytes(), hash.as_bytes(), relay])? {
            return Ok(true);
        }
        let packed = Packed::of(&self.conn, doc)?;
        Ok(packed.is_some_and(|packed| packed.relay.as_bytes() == relay && packed.holds(hash)))
    }

    /// Returns whether this device made a change.
    pub fn is_own(&self, doc: &DocId, hash: &ChangeHash) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM change WHERE doc = ?1 AND hash = ?2 AND own = 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.exists(params![doc.as_bytes(), hash.as_bytes()])?)
    }

    /// Returns whether a hash is the genesis of a document that is here.
    pub fn is_genesis(&self, doc: &DocId, hash: &ChangeHash) -> bool {
        let row = document::row(&self.conn, doc).ok().flatten();
        let shape = row.and_then(|row| kind::shape(row.kind));
        shape.and_then(|shape| wangge_crdt::genesis::hash(&shape, doc).ok()) == Some(*hash)
    }

    /// Keeps a receipt and what it says of each item. Returns how many entries it made safe.
    pub fn keep_receipt(&mut self, receipt: &Receipt) -> Result<usize, StoreError> {
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT names, own FROM batch WHERE hash = ?1";
        let found: Option<(Vec<u8>, bool)> = transaction
            .prepare_cached(sql)?
            .query_row([receipt.batch.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (names, own) = found.ok_or(StoreError::Missing)?;
        let names: Vec<ItemName> = packing::decode(&names, "stored batch")?;
        if own {
            crate::open::set_meta(&transaction, crate::relay::UNENDED, &[1])?;
        }
        let mut safe = 0;
        for (name, state) in names.iter().zip(&receipt.items) {
            let (state, reason) = match state {
                ItemState::At(position) => {
                    arrive(
                        &transaction,
                        receipt.relay.as_bytes(),
                        name,
                        *position,
                        receipt.at_ms,
                    )?;
                    safe += 1;
                    continue;
                }
                ItemState::Waiting => (WAITING, String::new()),
                ItemState::Inbox(reason) => (2, reason_code(*reason)),
                ItemState::Refused(Reason::Settled) => {
                    settled::forget(&transaction, name)?;
                    continue;
                }
                // A bit changed on the way: what is here is sent again.
                ItemState::Refused(reason @ Reason::WrongHash) => (UNSENT, reason_code(*reason)),
                ItemState::Refused(reason) => (REFUSED, reason_code(*reason)),
            };
            if !own && (WAITING..REFUSED).contains(&state) {
                keep_unnumbered(&transaction, name)?;
            }
            let sql = "UPDATE outbox SET state = ?4, reason = ?5
                       WHERE entry = ?1 AND doc = ?2 AND hash = ?3";
            transaction.prepare_cached(sql)?.execute(params![
                name.entry,
                name.doc.as_bytes(),
                name.hash.as_bytes(),
                state,
                reason
            ])?;
        }
        let sql = "INSERT OR REPLACE INTO receipt (relay, batch, bytes) VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute(params![
            receipt.relay.as_bytes(),
            receipt.batch.as_bytes(),
            packing::encode(receipt)
        ])?;
        transaction.commit()?;
        Ok(safe)
    }

    /// Takes a batch apart again that a relay refused as a whole, so that it is signed anew.
    pub fn unbatch(&mut self, batch: &BatchHash) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET batch = NULL WHERE batch = ?1 AND state = 0";
        self.conn.execute(sql, [batch.as_bytes()])?;
        Ok(())
    }

    /// Returns what has no receipt, oldest first.
    pub fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = "SELECT o.entry, o.doc, o.hash, o.state, o.reason, coalesce(c.at_ms, 0),
                     coalesce(d.kind, 0)
                   FROM outbox o LEFT JOIN document d ON d.doc = o.doc
                   LEFT JOIN change c ON c.doc = o.doc AND c.hash = o.hash
                   ORDER BY o.id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let discarded = settled::discarded(&self.conn)?;
        let rows = statement.query_map([], |row| {
            let (doc, hash) = (DocId(row.get(1)?), ChangeHash(row.get(2)?));
            Ok(OutboxRow {
                entry: EntryKind(row.get(0)?),
                doc,
                hash,
                state: Pending::of(row.get(3)?, discarded.contains(&(doc, hash))),
                reason: row.get(4)?,
                at_ms: row.get(5)?,
                kind: kind::name(wangge_wire::DocKind(row.get(6)?)),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Pending {
    /// Returns the state of a row with this number, which a desk may have discarded.
    pub(crate) fn of(number: i64, discarded: bool) -> Self {
        match number {
            _ if discarded => Pending::Discarded,
            0 => Pending::Unsent,
            1 => Pending::Waiting,
            2 => Pending::Inbox,
            _ => Pending::Refused,
        }
    }

    /// Returns the state as JSON names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Pending::Unsent => "unsent",
            Pending::Waiting => "waiting",
            Pending::Inbox => "inbox",
            Pending::Refused => "refused",
            Pending::Discarded => "discarded",
        }
    }
}

/// Notes that a relay keeps what another device wrote without a number, if it is here at all: of a batch
/// that is given back some items may be named only.
fn keep_unnumbered(conn: &Connection, name: &ItemName) -> Result<(), StoreError> {
    let sql = "INSERT INTO unnumbered (doc, hash) SELECT ?1, ?2
               WHERE EXISTS (SELECT 1 FROM change WHERE doc = ?1 AND hash = ?2)
                  OR EXISTS (SELECT 1 FROM entry WHERE kind = ?3 AND doc = ?1 AND hash = ?2)
               ON CONFLICT DO NOTHING";
    let (doc, hash) = (name.doc.as_bytes(), name.hash.as_bytes());
    conn.prepare_cached(sql)?
        .execute(params![doc, hash, EntryKind::SETTLEMENT.0])?;
    Ok(())
}

/// Notes where an entry stands in a relay's log, and takes it out of the outbox.
pub(crate) fn arrive(
    conn: &Connection,
    relay: &[u8],
    name: &ItemName,
    position: u64,
    at_ms: i64,
) -> Result<(), StoreError> {
    let (doc, hash) = (name.doc.as_bytes(), name.hash.as_bytes());
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let sql = "INSERT INTO arrival (relay, doc, hash, position, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (doc, hash, relay) DO UPDATE SET position = excluded.position";
    conn.prepare_cached(sql)?
        .execute(params![relay, doc, hash, position, at_ms])?;
    let sql = "DELETE FROM outbox WHERE entry = ?1 AND doc = ?2 AND hash = ?3";
    conn.prepare_cached(sql)?
        .execute(params![name.entry, doc, hash])?;
    let sql = "DELETE FROM unnumbered WHERE doc = ?1 AND hash = ?2";
    conn.prepare_cached(sql)?.execute(params![doc, hash])?;
    Ok(())
}

pub(crate) fn keep_batch(
    conn: &Connection,
    batch: &Batch,
    actor: &ActorId,
    own: bool,
) -> Result<(), StoreError> {
    let names: Vec<ItemName> = batch.items.iter().map(Item::name).collect();
    let sql = "INSERT INTO batch (hash, device, actor, number, head, names, signature, own)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    conn.prepare_cached(sql)?.execute(params![
        batch.hash().as_bytes(),
        batch.head.device.as_bytes(),
        actor.as_bytes(),
        i64::try_from(batch.head.number).unwrap_or(i64::MAX),
        packing::encode(&batch.head),
        packing::encode(&names),
        batch.signature.as_bytes(),
        own
    ])?;
    let sql = "INSERT INTO writer (actor, device) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    conn.prepare_cached(sql)?
        .execute(params![actor.as_bytes(), batch.head.device.as_bytes()])?;
    Ok(())
}

/// Returns the number and hash of the actor's last batch; 0 and zeros before its first.
pub(crate) fn last_batch(
    conn: &Connection,
    actor: &ActorId,
) -> Result<(u64, BatchHash), StoreError> {
    let sql = "SELECT number, hash FROM batch WHERE actor = ?1 ORDER BY number DESC LIMIT 1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([actor.as_bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(found.map_or((0, BatchHash([0; 32])), |(n, hash)| {
        (n.unsigned_abs(), BatchHash(hash))
    }))
}

/// Returns the outbox rows without a batch, as groups of one area, in the order they are to be sent.
fn groups(
    conn: &Connection,
    actor: &ActorId,
    takes_places: bool,
) -> Result<Vec<(AreaCode, Vec<i64>)>, StoreError> {
    let sql = "SELECT o.id, o.area, length(coalesce(c.raw, x'')) FROM outbox o
               LEFT JOIN change c ON c.doc = o.doc AND c.hash = o.hash
               WHERE o.batch IS NULL AND o.state = 0 AND (c.actor = ?1 OR (c.actor IS NULL AND ?2))
               ORDER BY o.urgent DESC, o.id";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![actor.as_bytes(), takes_places])?;
    let mut groups: Vec<(AreaCode, Vec<i64>, usize)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, area): (i64, String) = (row.get(0)?, row.get(1)?);
        let bytes = usize::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        let Ok(area) = AreaCode::parse(&area) else {
            continue;
        };
        let fits = |(group, ids, sum): &&mut (AreaCode, Vec<i64>, usize)| {
            *group == area && ids.len() < BATCH_ITEMS_MAX && *sum + bytes <= BATCH_RAW_BYTES_MAX
        };
        // Only the area's newest group may grow: entries of one area keep their order.
        match groups
            .iter_mut()
            .rev()
            .find(|(group, ..)| *group == area)
            .filter(fits)
        {
            Some((_, ids, sum)) => {
                ids.push(id);
                *sum += bytes;
            }
            None => groups.push((area, vec![id], bytes)),
        }
    }
    Ok(groups
        .into_iter()
        .map(|(area, ids, _)| (area, ids))
        .collect())
}

fn item(conn: &Connection, id: i64) -> Result<Item, StoreError> {
    let sql = "SELECT entry, doc, hash, action FROM outbox WHERE id = ?1";
    let name = conn.prepare_cached(sql)?.query_row([id], |row| {
        let action: Option<Vec<u8>> = row.get(3)?;
        Ok(ItemName {
            entry: row.get(0)?,
            doc: DocId(row.get(1)?),
            hash: ChangeHash(row.get(2)?),
            action: action.and_then(|bytes| ActionId::from_slice(&bytes)),
            about: None,
        })
    })?;
    named_item(conn, name)
}

/// Returns the item with this name, its body if it is here.
fn named_item(conn: &Connection, name: ItemName) -> Result<Item, StoreError> {
    let (doc, hash) = (name.doc.as_bytes(), name.hash.as_bytes());
    match EntryKind(name.entry) {
        EntryKind::CHANGE => {
            let sql = "SELECT raw FROM change WHERE doc = ?1 AND hash = ?2";
            let raw: Option<Vec<u8>> = conn
                .prepare_cached(sql)?
                .query_row(params![doc, hash], |row| row.get(0))
                .optional()?;
            let raw = match raw {
                Some(raw) => Some(raw),
                None => packed::raw(conn, &name.doc, &name.hash)?,
            };
            let row = document::row(conn, &name.doc)?;
            let (Some(raw), Some(row)) = (raw, row) else {
                return Ok(Item::Named(name));
            };
            let about = name.about.unwrap_or(About {
                kind: row.kind,
                schema: kind::SCHEMA,
                owner: row.owner,
            });
            let change = Change::read(name.doc, about.kind, about.schema, about.owner, raw)?;
            Ok(Item::Change {
                change,
                action: name.action,
            })
        }
        EntryKind::PLACE => {
            let sql = "SELECT bytes FROM place WHERE doc = ?1 AND hash = ?2";
            let bytes: Option<Vec<u8>> = conn
                .prepare_cached(sql)?
                .query_row(params![doc, hash], |row| row.get(0))
                .optional()?;
            Ok(match bytes {
                Some(bytes) => Item::Place(Place::read(&bytes)?),
                None => Item::Named(name),
            })
        }
        EntryKind::SETTLEMENT => Ok(match settled::bytes(conn, &name)? {
            Some(bytes) => Item::Unknown { name, bytes },
            None => Item::Named(name),
        }),
        _ => Ok(Item::Named(name)),
    }
}

/// Returns the shape of each kind among the items.
fn shapes(items: &[Item]) -> Vec<wangge_wire::Shape> {
    let mut shapes: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::Change { change, .. } => kind::shape(change.kind),
            _ => None,
        })
        .collect();
    shapes.sort();
    shapes.dedup();
    shapes
}

fn reason_code(reason: wangge_wire::receipt::Reason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}
