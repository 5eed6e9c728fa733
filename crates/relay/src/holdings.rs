//! What this relay holds, as the judging of batches asks for it.
//!
//! The questions are asked by pure code that knows no failing database: **the first failure is kept
//! and must be asked for** (`finish`) before an answer is believed.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use wangge_sync::admit::{Holdings, Lived, Lying, Placed};
use wangge_wire::frame::Known;
use wangge_wire::receipt::Reason;
use wangge_wire::{
    ActorId, ChangeHash, Day, DeviceId, DocId, DocKind, Malformed, Settled, Shape, packing,
};

use crate::places::{self, Document};
use crate::{log, parked, settlements};

/// Shapes of one kind that are tried for a change whose batch did not bring its own.
const SHAPES_TRIED_MAX: i64 = 4;

/// Answers from one connection, usually inside a transaction; **nothing is written while it lives**.
pub(crate) struct SqlHoldings<'a> {
    connection: &'a Connection,
    failed: RefCell<Option<rusqlite::Error>>,
    /// Documents asked for: those of one batch belong to the same few households.
    documents: RefCell<BTreeMap<DocId, Option<Document>>>,
    /// Shapes asked for.
    shapes: RefCell<BTreeMap<(DocKind, u8), Vec<Shape>>>,
    /// Whether any desk has decided anything: most relays have years without.
    decisions: OnceCell<bool>,
}

impl<'a> SqlHoldings<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            failed: RefCell::new(None),
            documents: RefCell::default(),
            shapes: RefCell::default(),
            decisions: OnceCell::new(),
        }
    }

    /// Returns the first failure; answers given since are worth nothing.
    pub(crate) fn finish(self) -> rusqlite::Result<()> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    fn answer<T: Default>(&self, result: rusqlite::Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }

    fn document<T>(&self, doc: &DocId, of: impl FnOnce(&Document) -> T) -> Option<T> {
        let mut documents = self.documents.borrow_mut();
        let found = documents
            .entry(*doc)
            .or_insert_with(|| self.answer(places::document(self.connection, doc)));
        found.as_ref().map(of)
    }

    fn hash(&self, sql: &str, params: impl rusqlite::Params) -> Option<ChangeHash> {
        let found = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement
                    .query_row(params, |row| row.get(0).map(ChangeHash))
                    .optional()
            });
        self.answer(found)
    }
}

impl Holdings for SqlHoldings<'_> {
    fn place(&self, doc: &DocId) -> Option<Placed> {
        self.document(doc, |document| document.placed.clone())
    }

    fn owner(&self, doc: &DocId) -> Option<DocId> {
        self.document(doc, |document| document.owner).flatten()
    }

    fn lived(&self, doc: &DocId) -> Vec<Lived> {
        self.answer(lived(self.connection, doc))
    }

    fn holds(&self, doc: &DocId, hash: &ChangeHash) -> bool {
        let numbered = self
            .answer(log::position_of(self.connection, doc, hash))
            .is_some();
        let sql = "SELECT hash FROM genesis WHERE doc = ?1 AND hash = ?2";
        numbered || self.hash(sql, params![doc.0, hash.0]).is_some()
    }

    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash> {
        wangge_crdt::genesis::hash(shape, doc).ok()
    }

    fn shapes(&self, kind: DocKind, schema: u8) -> Vec<Shape> {
        let mut known = self.shapes.borrow_mut();
        let asked = || self.answer(shapes(self.connection, kind, schema));
        known.entry((kind, schema)).or_insert_with(asked).clone()
    }

    fn author_of_seq(&self, doc: &DocId, actor: &ActorId, seq: u64) -> Option<ChangeHash> {
        let params = params![doc.0, actor.0, log::signed(seq)];
        let numbered =
            "SELECT hash FROM entry WHERE doc = ?1 AND actor = ?2 AND seq = ?3 AND seq > 0";
        let waiting =
            "SELECT hash FROM parked WHERE doc = ?1 AND actor = ?2 AND seq = ?3 AND state = 1";
        self.hash(numbered, params)
            .or_else(|| self.hash(waiting, params))
    }

    fn parked(&self, doc: &DocId, item: &ChangeHash) -> Option<Lying> {
        self.answer(parked::lying(self.connection, doc, item))
    }

    fn settled(&self, doc: &DocId, item: &ChangeHash, author: &DeviceId) -> Option<Settled> {
        let any = || self.answer(settlements::any(self.connection));
        if !self.decisions.get_or_init(any) {
            return None;
        }
        self.answer(settlements::standing(self.connection, doc, item, author))
            .map(|kept| kept.settled)
    }

    fn check(&self, raw: &[u8]) -> Result<(), Reason> {
        match wangge_crdt::parse::check(raw) {
            Ok(_) => Ok(()),
            Err(Malformed::TooLarge { .. }) => Err(Reason::OverLimit),
            Err(_) => Err(Reason::Malformed),
        }
    }
}

impl Known for SqlHoldings<'_> {
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash> {
        wangge_crdt::genesis::hash(shape, doc).ok()
    }

    fn change(&self, doc: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash> {
        self.answer(by_prefix(self.connection, doc, prefix))
    }
}

fn lived(connection: &Connection, doc: &DocId) -> rusqlite::Result<Vec<Lived>> {
    let mut rows = connection.prepare_cached(
        "SELECT b.home, b.audiences, e.received_ms
         FROM place_before b JOIN entry e ON e.position = b.position WHERE b.doc = ?1",
    )?;
    let rows = rows.query_map([doc.0], |row| {
        Ok(Lived {
            home: places::area(row, 0)?,
            audiences: places::audiences(row, 1)?,
            until: Day::of_ms(row.get(2)?),
        })
    })?;
    rows.collect()
}

fn shapes(connection: &Connection, kind: DocKind, schema: u8) -> rusqlite::Result<Vec<Shape>> {
    let mut rows = connection.prepare_cached(
        "SELECT bytes FROM shape WHERE kind = ?1 AND schema = ?2 ORDER BY id LIMIT ?3",
    )?;
    let rows = rows.query_map(params![kind.0, schema, SHAPES_TRIED_MAX], |row| {
        row.get::<_, Vec<u8>>(0)
    })?;
    let mut shapes = Vec::new();
    for bytes in rows {
        shapes.extend(packing::decode(&bytes?, "shape").ok());
    }
    Ok(shapes)
}

/// Returns the one entry of `doc` whose hash begins with `prefix`; a name of two is no name.
fn by_prefix(
    connection: &Connection,
    doc: &DocId,
    prefix: &[u8; 6],
) -> rusqlite::Result<Option<ChangeHash>> {
    let (mut low, mut high) = ([0; 32], [0xff; 32]);
    for bound in [&mut low, &mut high] {
        bound
            .iter_mut()
            .zip(prefix)
            .for_each(|(to, from)| *to = *from);
    }
    let mut rows = connection.prepare_cached(
        "SELECT hash FROM entry WHERE doc = ?1 AND hash BETWEEN ?2 AND ?3 LIMIT 2",
    )?;
    let mut rows = rows.query_map(params![doc.0, low, high], |row| row.get(0).map(ChangeHash))?;
    let first = rows.next().transpose()?;
    Ok(if rows.next().is_some() { None } else { first })
}
