//! Tickets in lists: rows of what the fold said when the document last changed.
//!
//! Whose list a ticket belongs on depends on who asks and on the day, so the caller chooses.

use rusqlite::params_from_iter;
use wangge_wire::DocId;

use super::json;
use crate::error::StoreError;
use crate::open::Store;

/// A ticket in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// The document.
    pub id: DocId,
    /// `0412-0127-6`.
    pub code: String,
    /// The fold's status.
    pub status: String,
    /// Whether a person must settle something.
    pub contested: bool,
    /// What the ticket says beside its events, as JSON.
    pub content: serde_json::Value,
    /// Who handles it, as events write handlers; several while that is contested.
    pub handlers: Vec<String>,
    /// Who owes the resident an answer, 32 hex digits.
    pub answer_owner: String,
    /// Whether the resident was told.
    pub answered: bool,
    /// Whether somebody still owes a step.
    pub open: bool,
    /// Until when, milliseconds since 1970.
    pub due: Option<i64>,
}

const TICKET: &str = "SELECT doc, code, status, contested, content, handlers, answer_owner,
    answered, open, due FROM ticket";

impl Store {
    /// Returns tickets, the latest first; with these statuses, or all.
    pub fn tickets(&self, statuses: &[&str], limit: usize) -> Result<Vec<TicketRow>, StoreError> {
        let marks = vec!["?"; statuses.len()].join(",");
        let filter = if statuses.is_empty() {
            "1".to_owned()
        } else {
            format!("status IN ({marks})")
        };
        let sql = format!("{TICKET} WHERE {filter} ORDER BY at_ms DESC, code LIMIT {limit}");
        let mut statement = self.conn.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(statuses), ticket_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the tickets with this number.
    pub fn tickets_with_code(&self, code: &str) -> Result<Vec<TicketRow>, StoreError> {
        let sql = format!("{TICKET} WHERE code = ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([code], ticket_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the tickets that name a report, the oldest first.
    pub fn tickets_of_report(&self, report: &DocId) -> Result<Vec<TicketRow>, StoreError> {
        let sql = format!(
            "{TICKET} WHERE doc IN (SELECT ticket FROM ticket_report WHERE report = ?1)
             ORDER BY at_ms, code"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([report.as_bytes()], ticket_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn ticket_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<TicketRow> {
    let handlers: String = row.get(5)?;
    let due: i64 = row.get(9)?;
    Ok(TicketRow {
        id: DocId(row.get(0)?),
        code: row.get(1)?,
        status: row.get(2)?,
        contested: row.get(3)?,
        content: json(row.get(4)?),
        handlers: handlers.split_whitespace().map(str::to_owned).collect(),
        answer_owner: row.get(6)?,
        answered: row.get(7)?,
        open: row.get(8)?,
        due: Some(due).filter(|due| *due != 0),
    })
}
