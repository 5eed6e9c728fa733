//! The day on paper: a sheet of numbered rows, and what was written on it in the evening.
//!
//! **A number on a printed sheet keeps its meaning**: printing again adds rows and moves none. A row
//! is entered once; what is entered is a visit of the sheet's day like any other.

use chrono::NaiveDate;
use serde::Serialize;
use wangge_store::{SheetRow, Writer};
use wangge_wire::{ActionId, DocId};

use crate::due::DueView;
use crate::error::AgentError;
use crate::replica::Replica;
use crate::visits::{VisitInput, VisitView, short_door};

/// A day's sheet.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// The day, `2026-11-23`.
    pub day: String,
    /// Its rows, by number.
    pub rows: Vec<SheetLine>,
}

/// A row of a sheet.
#[derive(Debug, Clone, Serialize)]
pub struct SheetLine {
    /// Its number on paper, from 1.
    pub number: u32,
    /// The household.
    pub id: DocId,
    /// The grid.
    pub area: String,
    /// 组; 0 where it is not known.
    pub group: u16,
    /// 3-12.
    pub door: String,
    /// 户主.
    pub head: String,
    /// Why it is on the sheet: what the due list said when it was printed; null for one that was
    /// put there by hand.
    pub reason: serde_json::Value,
    /// 上门约定: what whoever knocks must know first.
    pub arrangement: String,
    /// The visit that was entered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<String>,
}

impl Replica {
    /// Puts those who are due on a day, and `more`, on that day's sheet, and returns all of it.
    pub fn print_sheet(&mut self, day: NaiveDate, more: &[DocId]) -> Result<Sheet, AgentError> {
        let mut rows = self.due_for_sheet(day)?;
        let by_hand = || serde_json::Value::Null.to_string();
        rows.extend(more.iter().map(|doc| (*doc, by_hand())));
        let (actor, name) = (self.writing_as()?, day.to_string());
        self.home
            .store
            .write(actor, |writer: &mut Writer<'_>| {
                writer.add_to_sheet(&name, &rows)
            })
            .map_err(AgentError::from)?;
        self.sheet(day)
    }

    /// Returns the sheet of a day as it was printed; without rows where none was.
    pub fn sheet(&self, day: NaiveDate) -> Result<Sheet, AgentError> {
        let day = day.to_string();
        let rows = self.home.store.sheet(&day)?;
        let rows = rows
            .into_iter()
            .map(|row| self.sheet_line(row))
            .collect::<Result<_, _>>()?;
        Ok(Sheet { day, rows })
    }

    /// Records the visit that a row of a day's sheet became; `input` names no household and no day.
    pub fn enter(
        &mut self,
        day: NaiveDate,
        number: u32,
        input: VisitInput,
    ) -> Result<VisitView, AgentError> {
        let name = day.to_string();
        let rows = self.home.store.sheet(&name)?;
        if rows.is_empty() {
            let last = self.home.store.sheet_before(&name)?;
            return Err(AgentError::NoSheet { day: name, last });
        }
        let row = rows.into_iter().find(|row| row.number == number);
        let row = row.ok_or(AgentError::SheetRow {
            number,
            visit: None,
        })?;
        if !row.visit.is_empty() {
            return Err(AgentError::SheetRow {
                number,
                visit: Some(row.visit),
            });
        }
        let input = VisitInput {
            household: row.household.to_string(),
            on: Some(name.clone()),
            ..input
        };
        let (visit, drafts) = self.visit_drafts(input)?;
        self.look_at_drafts(&drafts)?;
        let (at_ms, actor) = (self.now_ms(), self.writing_as()?);
        let action = ActionId(self.machine.random()?);
        self.wrong_clock = self.clock_now()?;
        // The visit and the mark on the sheet stand or fall together: an entry typed again after a
        // crash is neither lost nor doubled.
        self.home
            .store
            .write(actor, |writer: &mut Writer<'_>| {
                writer.record(at_ms, action, &drafts)?;
                writer.entered(&name, number, &visit)
            })
            .map_err(AgentError::from)?;
        self.visit(&visit)
    }

    /// Returns who is due on a day, with the reason the sheet keeps.
    fn due_for_sheet(&self, day: NaiveDate) -> Result<Vec<(DocId, String)>, AgentError> {
        let rows = self.due(day, None)?.rows;
        let reason = |row: &DueView| {
            let kept = serde_json::json!({
                "reasons": row.reasons,
                "note": row.note,
                "residence": row.residence,
                "due_on": row.due_on,
                "overdue_days": row.overdue_days,
            });
            (row.household, kept.to_string())
        };
        Ok(rows.iter().map(reason).collect())
    }

    fn sheet_line(&self, row: SheetRow) -> Result<SheetLine, AgentError> {
        let household = self.home.store.household(&row.household)?;
        let document = self.home.store.document(&row.household)?;
        let arrangement = document.map(|document| {
            let fields = document.fields();
            fields.root_text("arrangement").to_owned()
        });
        Ok(SheetLine {
            number: row.number,
            id: row.household,
            area: household
                .as_ref()
                .map(|household| household.area.clone())
                .unwrap_or_default(),
            group: household.as_ref().map_or(0, |household| household.group),
            door: household.as_ref().map(short_door).unwrap_or_default(),
            head: household
                .map(|household| household.head)
                .unwrap_or_default(),
            reason: serde_json::from_str(&row.reason).unwrap_or_default(),
            arrangement: arrangement.unwrap_or_default(),
            visit: Some(row.visit).filter(|visit| !visit.is_empty()),
        })
    }
}
