//! What belongs to a day: the sheet that was printed for it, and rounds.
//!
//! The sheet is of this device alone: it says which household a number on a piece of paper means, and
//! **a number that was printed keeps its meaning**.

use rusqlite::params;
use wangge_wire::{ActorId, DocId};

use crate::error::StoreError;
use crate::open::Store;
use crate::record::Writer;

/// A row of a day's sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Its number on paper, from 1.
    pub number: u32,
    /// The household.
    pub household: DocId,
    /// Why it is on the sheet, as the caller wrote it.
    pub reason: String,
    /// The visit entered for it; empty while there is none.
    pub visit: String,
}

/// A round in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRow {
    /// 16 hex digits.
    pub id: String,
    /// The book it stands in.
    pub book: DocId,
    /// The grid.
    pub area: String,
    /// Who began it.
    pub writer: ActorId,
    /// Whether it is over.
    pub ended: bool,
    /// The round, as JSON.
    pub content: serde_json::Value,
}

impl Store {
    /// Returns the sheet of a day, by number; empty where none was printed.
    pub fn sheet(&self, day: &str) -> Result<Vec<SheetRow>, StoreError> {
        let sql =
            "SELECT number, household, reason, visit FROM sheet WHERE day = ?1 ORDER BY number";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([day], |row| {
            Ok(SheetRow {
                number: row.get(0)?,
                household: DocId(row.get(1)?),
                reason: row.get(2)?,
                visit: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the last day before `day` that has a sheet.
    pub fn sheet_before(&self, day: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT max(day) FROM sheet WHERE day < ?1";
        Ok(self.conn.query_row(sql, [day], |row| row.get(0))?)
    }

    /// Returns rounds, the latest first.
    pub fn rounds(&self, limit: usize) -> Result<Vec<RoundRow>, StoreError> {
        let sql = format!("{ROUND} ORDER BY happened_on DESC, at_ms DESC, id LIMIT ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([limit as i64], round_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the rounds that are not over, the latest first.
    pub fn open_rounds(&self) -> Result<Vec<RoundRow>, StoreError> {
        let sql = format!("{ROUND} WHERE ended = 0 ORDER BY happened_on DESC, at_ms DESC, id");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([], round_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the rounds whose id begins with these hex digits.
    pub fn rounds_with_prefix(&self, prefix: &str) -> Result<Vec<RoundRow>, StoreError> {
        let sql = format!("{ROUND} WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 20");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([prefix.to_ascii_lowercase()], round_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Puts households on a day's sheet after those that are there; one that is there keeps its
    /// number.
    pub fn add_to_sheet(&self, day: &str, rows: &[(DocId, String)]) -> Result<(), StoreError> {
        let sql = "INSERT INTO sheet (day, number, household, reason)
                   SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3 FROM sheet WHERE day = ?1
                   ON CONFLICT (day, household) DO NOTHING";
        let mut insert = self.conn.prepare_cached(sql)?;
        for (household, reason) in rows {
            insert.execute(params![day, household.as_bytes(), reason])?;
        }
        Ok(())
    }

    /// Writes down which visit a row of the sheet became.
    pub fn entered(&self, day: &str, number: u32, visit: &str) -> Result<(), StoreError> {
        let sql = "UPDATE sheet SET visit = ?3 WHERE day = ?1 AND number = ?2";
        self.conn
            .prepare_cached(sql)?
            .execute(params![day, number, visit])?;
        Ok(())
    }
}

const ROUND: &str = "SELECT id, book, area, writer, ended, content FROM round";

fn round_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<RoundRow> {
    let content: String = row.get(5)?;
    Ok(RoundRow {
        id: row.get(0)?,
        book: DocId(row.get(1)?),
        area: row.get(2)?,
        writer: ActorId(row.get(3)?),
        ended: row.get(4)?,
        content: serde_json::from_str(&content).unwrap_or_default(),
    })
}
