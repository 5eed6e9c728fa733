//! What a desk is told of the inbox: items without a number, held changes, decisions.
//!
//! **Each row is judged by where the item lies**, by the same question as the decision on it: whoever
//! may not settle an item is told nothing of it. The county's desk may settle every one of them, so no
//! row is without a reader.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wangge_sync::admit::lying;
use wangge_trust::{Action, Roster, What, allowed};
use wangge_wire::inbox::{InboxAnswer, InboxRow, SettledRow};
use wangge_wire::limits::{INBOX_BYTES_GOAL, INBOX_ROWS_MAX};
use wangge_wire::{
    AreaCode, BatchHead, ChangeHash, Day, DeviceId, DocId, DocKind, EntryKind, packing,
};

use crate::log::{self, signed, unsigned};
use crate::pull::StepError;
use crate::settlements::{self, Kept};
use crate::{holds, parked, places};

/// Rows of held changes are told behind all others: above this bit stands the position of the hold.
const HELD_ROWS: u64 = 1 << 62;

/// A desk that asks.
pub(crate) struct Desk<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) roster: &'a Roster,
    pub(crate) device: DeviceId,
    pub(crate) day: Day,
}

impl Desk<'_> {
    /// Returns what nobody has settled, then what the gate holds.
    pub(crate) fn open(&self, after: u64) -> Result<InboxAnswer, StepError> {
        let mut answer = Filling::default();
        if after < HELD_ROWS {
            let sql = parked_sql("WHERE p.state = 2 AND p.id > ?1 ORDER BY p.id");
            let mut rows = self.connection.prepare_cached(&sql)?;
            for row in rows.query_map([signed(after)], parked_row)? {
                let row = row?;
                answer.looked = Some(row.row);
                self.push(&mut answer, row)?;
                if !answer.room() {
                    return Ok(answer.end());
                }
            }
        }
        self.held(&mut answer, after.max(HELD_ROWS) - HELD_ROWS)?;
        Ok(answer.end())
    }

    /// Returns how many of the oldest items nobody has settled and the desk may; as many are looked at as one
    /// answer tells, so that a full inbox of one village costs nobody else's sync more.
    pub(crate) fn undecided(&self) -> Result<usize, StepError> {
        let sql = parked_sql("WHERE p.state = 2 ORDER BY p.id LIMIT ?1");
        let mut rows = self.connection.prepare_cached(&sql)?;
        let mut found = 0;
        for row in rows.query_map([signed(INBOX_ROWS_MAX as u64)], parked_row)? {
            // One that does not read is told by the list, and is no reason for a sync to fail.
            let Ok(row) = row else { continue };
            let home = self.home(&row.doc, row.owner.as_ref())?;
            found += usize::from(self.may(home, &row.author));
        }
        Ok(found)
    }

    /// Returns decisions, the oldest first.
    pub(crate) fn settled(&self, after: u64) -> Result<InboxAnswer, StepError> {
        let mut answer = Filling::default();
        let decisions = settlements::after(self.connection, after, INBOX_ROWS_MAX)?;
        let last = decisions.last().map(|kept| kept.position);
        let next = last.filter(|_| decisions.len() == INBOX_ROWS_MAX);
        for kept in &decisions {
            let of = &kept.settled.settlement;
            if let Some(mut row) = self.item(&of.doc, &of.item)? {
                row.row = kept.position;
                row.settled = Some(self.told(kept));
                self.push_as(&mut answer, row, &of.author)?;
            }
        }
        Ok(InboxAnswer {
            rows: answer.rows,
            next,
        })
    }

    /// Returns all that lies here of one document, with bodies.
    pub(crate) fn document(&self, doc: &DocId) -> Result<InboxAnswer, StepError> {
        let mut answer = Filling::default();
        let sql = parked_sql("WHERE p.doc = ?1 ORDER BY p.id");
        let mut rows = self.connection.prepare_cached(&sql)?;
        let rows = rows.query_map([doc.0], parked_row)?;
        for row in rows {
            let mut row = row?;
            let sql = "SELECT CASE WHEN sealed THEN opened(doc, hash, body) ELSE body END
                       FROM parked WHERE doc = ?1 AND hash = ?2";
            let body = self
                .connection
                .prepare_cached(sql)?
                .query_row(params![row.doc.0, row.hash.0], |row| {
                    row.get::<_, Vec<u8>>(0)
                });
            row.body = body.optional()?;
            answer.bytes += row.body.as_ref().map_or(0, Vec::len);
            if answer.bytes > INBOX_BYTES_GOAL && !answer.rows.is_empty() {
                break;
            }
            self.push(&mut answer, row)?;
        }
        for (change, ruling) in holds::of_document(self.connection, doc)? {
            if ruling.reason.is_some()
                && let Some(mut row) = self.item(doc, &change)?
            {
                row.hold = ruling.reason;
                row.body = self.body(&change, doc)?;
                let author = row.author;
                self.push_as(&mut answer, row, &author)?;
            }
        }
        Ok(answer.end())
    }

    /// Returns whether the desk may settle what lies there.
    pub(crate) fn may(&self, home: Option<AreaCode>, author: &DeviceId) -> bool {
        let mut areas = lying(self.roster, home, author);
        areas.any(|home| {
            let what = What {
                home: &home,
                audiences: &[],
            };
            allowed(
                self.roster,
                &self.device,
                Action::Administer,
                &what,
                self.day,
            )
            .is_allowed()
        })
    }

    /// Returns where a document lives: by itself, else with the one that it is said to belong to.
    pub(crate) fn home(
        &self,
        doc: &DocId,
        owner: Option<&DocId>,
    ) -> Result<Option<AreaCode>, StepError> {
        for doc in std::iter::once(doc).chain(owner) {
            if let Some(document) = places::document(self.connection, doc)? {
                return Ok(Some(document.placed.home));
            }
        }
        Ok(None)
    }

    fn held(&self, answer: &mut Filling, after: u64) -> Result<(), StepError> {
        let sql = "SELECT position, doc FROM entry WHERE kind = ?1 AND position > ?2
                   ORDER BY position";
        let mut rows = self.connection.prepare_cached(sql)?;
        let rows = rows.query_map(params![EntryKind::HOLD.0, signed(after)], |row| {
            Ok((unsigned(row.get(0)?), DocId(row.get(1)?)))
        })?;
        for row in rows {
            let (position, doc) = row?;
            if !answer.room() {
                return Ok(());
            }
            answer.looked = Some(HELD_ROWS + position);
            for (change, ruling) in holds::of_document(self.connection, &doc)? {
                let at = log::position_of(self.connection, &doc, &ruling.hash())?;
                let Some(reason) = ruling.reason.filter(|_| at == Some(position)) else {
                    continue;
                };
                if let Some(mut row) = self.item(&doc, &change)? {
                    row.row = HELD_ROWS + position;
                    row.hold = Some(reason);
                    let author = row.author;
                    self.push_as(answer, row, &author)?;
                }
            }
        }
        answer.looked = None;
        Ok(())
    }

    /// Returns an item as a row, wherever it stands.
    fn item(&self, doc: &DocId, hash: &ChangeHash) -> Result<Option<InboxRow>, StepError> {
        let parked = self
            .connection
            .prepare_cached(&parked_sql("WHERE p.doc = ?1 AND p.hash = ?2"))?
            .query_row(params![doc.0, hash.0], parked_row)
            .optional()?;
        if parked.is_some() {
            return Ok(parked);
        }
        let sql =
            "SELECT e.position, e.kind, e.doc, e.hash, b.device, e.received_ms, 0, e.doc_kind,
                          ifnull(d.owner, x''), b.head
                   FROM entry e JOIN batch b ON b.id = e.batch LEFT JOIN document d ON d.doc = e.doc
                   WHERE e.doc = ?1 AND e.hash = ?2";
        let numbered = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![doc.0, hash.0], parked_row)
            .optional()?;
        Ok(numbered.map(|row| InboxRow {
            reason: None,
            position: Some(row.row),
            ..row
        }))
    }

    fn body(&self, change: &ChangeHash, doc: &DocId) -> Result<Option<Vec<u8>>, StepError> {
        let sql = "SELECT CASE WHEN sealed THEN opened(doc, hash, body) ELSE body END
                   FROM entry WHERE doc = ?1 AND hash = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let body = statement.query_row(params![doc.0, change.0], |row| row.get(0));
        Ok(body.optional()?)
    }

    fn push(&self, answer: &mut Filling, mut row: InboxRow) -> Result<(), StepError> {
        let author = row.author;
        let standing = settlements::standing(self.connection, &row.doc, &row.hash, &author)?;
        row.settled = standing.as_ref().map(|kept| self.told(kept));
        self.push_as(answer, row, &author)
    }

    /// Adds a row, if the desk may settle it.
    fn push_as(
        &self,
        answer: &mut Filling,
        mut row: InboxRow,
        author: &DeviceId,
    ) -> Result<(), StepError> {
        row.home = self.home(&row.doc, row.owner.as_ref())?;
        row.author_name = self.name(author);
        if self.may(row.home.clone(), author) {
            answer.rows.push(row);
        }
        Ok(())
    }

    fn told(&self, kept: &Kept) -> SettledRow {
        SettledRow {
            settlement: kept.settled.settlement.bytes(),
            by: kept.settled.by,
            by_name: self.name(&kept.settled.by),
            received_ms: kept.received_ms,
        }
    }

    fn name(&self, device: &DeviceId) -> String {
        let known = self.roster.known(device);
        known.map(|member| member.name.clone()).unwrap_or_default()
    }
}

/// An answer being filled.
#[derive(Default)]
struct Filling {
    rows: Vec<InboxRow>,
    bytes: usize,
    /// The last row that was looked at; none once all were.
    looked: Option<u64>,
}

impl Filling {
    fn room(&self) -> bool {
        self.rows.len() < INBOX_ROWS_MAX
    }

    fn end(self) -> InboxAnswer {
        let full = !self.room();
        InboxAnswer {
            next: self.looked.filter(|_| full),
            rows: self.rows,
        }
    }
}

fn parked_sql(which: &str) -> String {
    format!(
        "SELECT p.id, p.kind, p.doc, p.hash, p.device, p.received_ms, p.reason, p.doc_kind, p.owner,
                b.head
         FROM parked p JOIN batch b ON b.id = p.batch {which}"
    )
}

fn parked_row(row: &Row<'_>) -> rusqlite::Result<InboxRow> {
    let (owner, head): (Vec<u8>, Vec<u8>) = (row.get(8)?, row.get(9)?);
    let head: BatchHead = packing::decode(&head, "batch head")
        .map_err(|_| rusqlite::Error::InvalidColumnName("batch head".into()))?;
    Ok(InboxRow {
        row: unsigned(row.get(0)?),
        entry: row.get(1)?,
        doc: DocId(row.get(2)?),
        hash: ChangeHash(row.get(3)?),
        author: DeviceId(row.get(4)?),
        author_name: String::new(),
        received_ms: row.get(5)?,
        reason: Some(parked::reason(row.get(6)?)),
        hold: None,
        kind: DocKind(row.get(7)?),
        owner: DocId::from_slice(&owner),
        home: None,
        claimed: head.area,
        position: None,
        settled: None,
        body: None,
    })
}
