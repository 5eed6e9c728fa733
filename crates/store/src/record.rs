//! Recording what the person did: changes, documents, derived rows and outbox in one transaction.
//!
//! **When [`Store::write`] returns, it is on the disk.** One action on one document is one change; an
//! action on several documents shares an action id and stands or falls as one.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior, params};
use wangge_crdt::{Document, Put};
use wangge_model::kind;
use wangge_wire::digest::content_hash;
use wangge_wire::{ActionId, ActorId, AreaCode, ChangeHash, DocId, DocKind, EntryKind, Place};

use crate::error::StoreError;
use crate::open::Store;
use crate::{derive, document, gone};

/// What is to be written to one document.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The document; begun if it is not here.
    pub doc: DocId,
    /// Its kind.
    pub kind: DocKind,
    /// The household it belongs to, for books, reports and tickets.
    pub owner: Option<DocId>,
    /// The writes; none where only the place changes.
    pub puts: Vec<Put>,
    /// Where it lives: for a new document without owner, or when a desk moves it.
    pub place: Option<Place>,
    /// P0: it travels first.
    pub urgent: bool,
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The document.
    pub doc: DocId,
    /// The change; none if everything stood already.
    pub change: Option<ChangeHash>,
    /// Whether the document was begun by this.
    pub begun: bool,
}

/// How aliases name the members that are shown: alias, then its own member by the shown one.
pub type Wordings = Vec<(DocId, BTreeMap<String, String>)>;

/// A transaction under way.
pub struct Writer<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) actor: ActorId,
}

impl Store {
    /// Runs `work` in one transaction; an error undoes all of it.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        actor: ActorId,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let result = work(&mut Writer {
            conn: &transaction,
            actor,
        })?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(result)
    }

    /// Returns a document as it stands here.
    pub fn document(&self, doc: &DocId) -> Result<Option<Document>, StoreError> {
        load(&self.conn, doc)
    }
}

impl Writer<'_> {
    /// Returns a document as it stands in this transaction.
    pub fn document(&self, doc: &DocId) -> Result<Option<Document>, StoreError> {
        load(self.conn, doc)
    }

    /// Returns where a document lives.
    pub fn home(&self, doc: &DocId) -> Result<Option<AreaCode>, StoreError> {
        document::home(self.conn, doc)
    }

    /// Writes drafts that one action of the person made.
    pub fn record(
        &mut self,
        at_ms: i64,
        action: ActionId,
        drafts: &[Draft],
    ) -> Result<Vec<Recorded>, StoreError> {
        let shared = (drafts.len() > 1).then_some(action);
        let moment = crate::due::last_moment_name(&self.actor);
        crate::open::set_meta(self.conn, &moment, &at_ms.to_be_bytes())?;
        let mut recorded = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let done = self.record_one(at_ms, shared, draft)?;
            if let Some(hash) = &done.change {
                self.add_deed(&action, draft, hash, at_ms)?;
            }
            recorded.push(done);
        }
        Ok(recorded)
    }

    /// Returns the next number of a counter that lives in this database.
    pub fn next_number(&self, counter: &str) -> Result<u32, StoreError> {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let last: Option<Vec<u8>> = rusqlite::OptionalExtension::optional(
            statement.query_row([counter], |row| row.get(0)),
        )?;
        let last = last
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_be_bytes);
        let next = last.saturating_add(1);
        crate::open::set_meta(self.conn, counter, &next.to_be_bytes())?;
        Ok(next)
    }

    /// Returns those writes of a roster that say something else than the roster said last time, of the
    /// household itself or of one it stands for; `wordings` turn a write into an alias's own.
    pub fn news(
        &self,
        doc: &DocId,
        puts: Vec<Put>,
        wordings: &Wordings,
    ) -> Result<Vec<Put>, StoreError> {
        let mut news = Vec::new();
        for put in puts {
            let mut said = self.was_said(doc, &put)?;
            for (alias, members) in wordings {
                said |= self.was_said(alias, &reworded(&put, members))?;
            }
            if !said {
                let value = value_hash(&put);
                let sql = "INSERT OR REPLACE INTO imported (doc, container, key, value)
                           VALUES (?1, ?2, ?3, ?4)";
                let mut insert = self.conn.prepare_cached(sql)?;
                insert.execute(params![doc.as_bytes(), put.container, put.key, value])?;
                news.push(put);
            }
        }
        Ok(news)
    }

    /// Returns whether a roster said this last time.
    fn was_said(&self, doc: &DocId, put: &Put) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM imported
                   WHERE doc = ?1 AND container = ?2 AND key = ?3 AND value = ?4";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.exists(params![
            doc.as_bytes(),
            put.container,
            put.key,
            value_hash(put)
        ])?)
    }

    fn record_one(
        &mut self,
        at_ms: i64,
        action: Option<ActionId>,
        draft: &Draft,
    ) -> Result<Recorded, StoreError> {
        let conn = self.conn;
        let begun = document::row(conn, &draft.doc)?.is_none();
        // A new document is written for its owner; one that is here is somebody's by itself.
        let asked = if begun {
            draft.owner.as_ref()
        } else {
            Some(&draft.doc)
        };
        asked.map_or(Ok(()), |doc| gone::check(conn, doc))?;
        document::ensure(
            conn,
            &draft.doc,
            draft.kind,
            kind::SCHEMA,
            draft.owner.as_ref(),
        )?;
        let mut document = load(conn, &draft.doc)?.ok_or(StoreError::Missing)?;
        let mut puts = draft.puts.clone();
        if draft.kind == kind::HOUSEHOLD {
            let fields = document.fields();
            puts.extend(crate::trail::said_to_be_there(&fields, &draft.puts, begun));
        }
        let written = document.write(&self.actor, at_ms, &puts)?;
        if let Some(place) = &draft.place {
            document::take_place(conn, place)?;
            self.place(place)?;
        }
        let area = document::home(conn, &draft.doc)?.ok_or(StoreError::Missing)?;
        if let Some(place) = &draft.place {
            self.enqueue(
                EntryKind::PLACE,
                &draft.doc,
                &place.hash(),
                None,
                &area,
                draft.urgent,
            )?;
        }
        let Some(written) = written else {
            if draft.place.is_some() {
                let owner = draft.owner.as_ref();
                derive::rows(conn, &draft.doc, draft.kind, owner, &document)?;
            }
            return Ok(Recorded {
                doc: draft.doc,
                change: None,
                begun,
            });
        };
        let seq = wangge_crdt::parse::check(&written.raw)?.seq;
        let sql = "INSERT INTO change (doc, hash, actor, seq, at_ms, own, raw)
                   VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)";
        let (doc, hash) = (draft.doc.as_bytes(), written.hash.as_bytes());
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        conn.prepare_cached(sql)?.execute(params![
            doc,
            hash,
            self.actor.as_bytes(),
            seq,
            at_ms,
            written.raw
        ])?;
        document::count(conn, &draft.doc, &written.hash)?;
        document::save(conn, &draft.doc, &document)?;
        self.enqueue(
            EntryKind::CHANGE,
            &draft.doc,
            &written.hash,
            action,
            &area,
            draft.urgent,
        )?;
        derive::rows(
            conn,
            &draft.doc,
            draft.kind,
            draft.owner.as_ref(),
            &document,
        )?;
        Ok(Recorded {
            doc: draft.doc,
            change: Some(written.hash),
            begun,
        })
    }

    pub(crate) fn place(&self, place: &Place) -> Result<(), StoreError> {
        let sql = "INSERT INTO place (doc, hash, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let (doc, hash) = (place.doc.as_bytes(), place.hash());
        self.conn
            .prepare_cached(sql)?
            .execute(params![doc, hash.as_bytes(), place.bytes()])?;
        Ok(())
    }

    pub(crate) fn enqueue(
        &self,
        entry: EntryKind,
        doc: &DocId,
        hash: &ChangeHash,
        action: Option<ActionId>,
        area: &AreaCode,
        urgent: bool,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO outbox (entry, doc, hash, action, area, urgent)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
        self.conn.prepare_cached(sql)?.execute(params![
            entry.0,
            doc.as_bytes(),
            hash.as_bytes(),
            action.as_ref().map(ActionId::as_bytes),
            area.as_str(),
            urgent
        ])?;
        Ok(())
    }
}

fn value_hash(put: &Put) -> String {
    content_hash(format!("{:?}", put.value).as_bytes()).to_string()
}

/// Returns a write about the shown members as an alias says it of its own.
fn reworded(put: &Put, members: &BTreeMap<String, String>) -> Put {
    let mut put = put.clone();
    for (shown, own) in members {
        if let Some(rest) = put.key.strip_prefix(shown.as_str()) {
            put.key = format!("{own}{rest}");
            break;
        }
        if put.value.as_text() == Some(shown) {
            put.value = own.as_str().into();
        }
    }
    put
}

fn load(conn: &Connection, doc: &DocId) -> Result<Option<Document>, StoreError> {
    match document::row(conn, doc)? {
        Some(row) => document::load(conn, doc, &row),
        None => Ok(None),
    }
}
