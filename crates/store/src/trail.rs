//! What is in conflict, and what this device did last.
//!
//! **Only actions of this device are deeds**: what came from elsewhere is never taken back here. A
//! deed is kept on this device alone; taking it back is a new change that travels like any other.

use rusqlite::{OptionalExtension, params};
use wangge_crdt::{Fields, Put, VOID_KEY, Version};
use wangge_model::household::united::Late;
use wangge_model::kind;
use wangge_wire::{ActionId, ChangeHash, DocId, DocKind};

use crate::error::StoreError;
use crate::open::Store;
use crate::record::{Draft, Writer};

/// A register with more than one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictRow {
    /// Its number among all conflicts of this device, from 1.
    pub number: usize,
    /// The document.
    pub doc: DocId,
    /// Its kind.
    pub kind: DocKind,
    /// The container; empty for the root.
    pub container: String,
    /// The key in it.
    pub key: String,
    /// The values, the shown one first.
    pub versions: Vec<Version>,
    /// Those of them that stand in an alias, by writers who could not know of the merge.
    pub late: Vec<Late>,
}

/// One change of the last action of this device that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The action.
    pub action: ActionId,
    /// The document.
    pub doc: DocId,
    /// The change.
    pub hash: ChangeHash,
    /// When it was done, milliseconds since 1970.
    pub at_ms: i64,
}

impl Store {
    /// Returns every register in conflict with its values, of all documents or of one and what
    /// belongs to it.
    ///
    /// A number is the same whichever of them are asked for.
    pub fn conflicts(&self, of: Option<&DocId>) -> Result<Vec<ConflictRow>, StoreError> {
        let sql = "WITH every AS (SELECT doc, container, key FROM conflict
                                  UNION SELECT doc, container, key FROM late)
                   SELECT c.doc, d.kind, c.container, c.key,
                     (SELECT count(*) FROM every e JOIN document f ON f.doc = e.doc
                      WHERE (e.doc, e.container, e.key) <= (c.doc, c.container, c.key))
                   FROM every c JOIN document d ON d.doc = c.doc
                   WHERE ?1 IS NULL OR c.doc = ?1 OR d.owner = ?1
                   ORDER BY c.doc, c.container, c.key";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([of.map(DocId::as_bytes)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let doc = DocId(row.get(0)?);
            let (container, key): (String, String) = (row.get(2)?, row.get(3)?);
            let document = self.document(&doc)?.ok_or(StoreError::Missing)?;
            let mut versions = document.versions(&container, &key);
            let mut late = self.late(&doc)?;
            late.retain(|late| late.other.container == container && late.other.key == key);
            versions.extend(late.iter().map(|late| late.version.clone()));
            found.push(ConflictRow {
                late,
                number: row.get::<_, u32>(4)? as usize,
                doc,
                kind: DocKind(row.get(1)?),
                container,
                key,
                versions,
            });
        }
        Ok(found)
    }

    /// Returns the changes of this device's last action that was not taken back, as they were made.
    pub fn last_deed(&self) -> Result<Vec<Deed>, StoreError> {
        let sql = "SELECT action, doc, hash, at_ms FROM deed WHERE state = 0 AND action =
                     (SELECT action FROM deed WHERE state = 0 ORDER BY id DESC LIMIT 1)
                   ORDER BY id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Deed {
                action: ActionId(row.get(0)?),
                doc: DocId(row.get(1)?),
                hash: ChangeHash(row.get(2)?),
                at_ms: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns whether a document has changes of others, or anything of a household stands: visits,
    /// reports or tickets that were not taken back.
    pub fn is_leaned_on(&self, doc: &DocId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM change WHERE doc = ?1 AND own = 0
                   UNION ALL SELECT 1 FROM packed WHERE doc = ?1
                   UNION ALL SELECT 1 FROM visit WHERE household = ?1 AND void = 0
                   UNION ALL SELECT 1 FROM report r JOIN document d ON d.doc = r.doc
                             WHERE d.owner = ?1 AND r.void = 0
                   UNION ALL SELECT 1 FROM ticket t JOIN document d ON d.doc = t.doc
                             WHERE d.owner = ?1 AND t.status <> 'withdrawn' LIMIT 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found: Option<i64> = statement
            .query_row([doc.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }
}

impl Writer<'_> {
    /// Marks an action as taken back by another one, which itself never is.
    pub fn taken_back(&self, action: &ActionId, by: &ActionId) -> Result<(), StoreError> {
        let sql = "UPDATE deed SET state = CASE action WHEN ?1 THEN 1 ELSE 2 END
                   WHERE action IN (?1, ?2)";
        let mut statement = self.conn.prepare_cached(sql)?;
        statement.execute(params![action.as_bytes(), by.as_bytes()])?;
        Ok(())
    }

    /// Notes a change as part of an action; a record of who looked at what is never taken back.
    pub(crate) fn add_deed(
        &self,
        action: &ActionId,
        draft: &Draft,
        hash: &ChangeHash,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        if draft.kind == kind::ACCESS_BOOK {
            return Ok(());
        }
        let sql = "INSERT INTO deed (action, doc, hash, at_ms) VALUES (?1, ?2, ?3, ?4)";
        let (doc, hash) = (draft.doc.as_bytes(), hash.as_bytes());
        self.conn
            .prepare_cached(sql)?
            .execute(params![action.as_bytes(), doc, hash, at_ms])?;
        Ok(())
    }
}

/// Returns the writes that say that what is added to a household is there, and bring back what was taken
/// back and is written to again.
///
/// Two people may add one family, or one member, without having heard of each other: whoever takes back
/// their own adding does not take back the other's.
pub(crate) fn said_to_be_there(fields: &Fields, puts: &[Put], is_new: bool) -> Vec<Put> {
    let mut there: Vec<Put> = Vec::new();
    for put in puts {
        let (void, is_added) = match put.key.split_once('/') {
            // Of a whole new household it is said once.
            Some((entry, _)) => (
                format!("{entry}/{VOID_KEY}"),
                !is_new && !begins(fields, put.container, entry),
            ),
            None => (VOID_KEY.to_owned(), is_new && put.container.is_empty()),
        };
        let is_said = put.key == void || there.iter().any(|known| known.key == void);
        if !is_said && (is_added || fields.is_taken_back(put.container, &void)) {
            there.push(Put {
                container: put.container,
                key: void,
                value: false.into(),
            });
        }
    }
    there
}

/// Returns whether a collection has an entry of this id.
fn begins(fields: &Fields, container: &str, entry: &str) -> bool {
    fields
        .container(container)
        .any(|(key, _)| key.split_once('/').is_some_and(|(id, _)| id == entry))
}
