//! Rounds 巡查 at a device: open one, mark what is found, close it.
//!
//! A mark belongs to the round that is open here; the file of a round holds findings and nothing of
//! the walk.

use serde::{Deserialize, Serialize};
use wangge_model::round::{self, Mark, Round};
use wangge_model::{kind, text};
use wangge_store::{Draft, RoundRow};
use wangge_wire::{AreaCode, DocId};

use crate::error::{AgentError, Sought};
use crate::replica::{Replica, WrittenBy};
use crate::reports::{ReportDetail, ReportInput};
use crate::visits::{date, hex, purposes, said};

/// The source of a report made on a round.
const SOURCE: &str = "巡查";
/// The fewest digits of an id that name it.
const PREFIX_DIGITS_MIN: usize = 4;

/// A round as it is typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoundInput {
    /// The grid; the home's only one if it has one.
    pub area: Option<String>,
    /// The day, `2026-11-23`; today if it is not said.
    pub on: Option<String>,
    /// Codes or names of `fixtures/duties.csv`.
    pub purposes: Vec<String>,
    /// What is worth remembering.
    pub note: String,
    /// Where it comes from when it was not typed on the way.
    pub source: Option<String>,
}

/// A finding as it is typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarkInput {
    /// What was found.
    pub text: String,
    /// Where, in words.
    pub place: String,
    /// Make a report of it, in this category if one is named.
    pub report: bool,
    /// A code, a subtype or `domain/subtype` of `fixtures/events.csv`.
    pub category: Option<String>,
    /// `P0` to `P3`.
    pub urgency: Option<String>,
}

/// A round as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct RoundView {
    /// 16 hex digits.
    pub id: String,
    /// The grid.
    pub area: String,
    /// Who began it.
    pub by: WrittenBy,
    /// The round: `happened_on purposes note ended source marks at_ms`.
    #[serde(flatten)]
    pub content: serde_json::Map<String, serde_json::Value>,
}

impl Replica {
    /// Begins a round in a grid; one that is open here in that grid goes on instead.
    pub fn open_round(&mut self, input: RoundInput) -> Result<RoundView, AgentError> {
        let grid = self.grid(input.area.as_deref())?;
        let on = match input.on.as_deref() {
            Some(typed) => self.day_of_the_past("on", date("on", typed)?)?,
            None => self.today(),
        };
        if let Some(open) = self.own_open_rounds()?.into_iter().find(|row| {
            let same_day = row.content.get("happened_on") == Some(&on.to_string().into());
            row.area == grid.as_str() && same_day
        }) {
            return self.round_view(open);
        }
        let round = Round {
            id: hex(&self.machine.random::<8>()?),
            happened_on: on.to_string(),
            purposes: purposes(&input.purposes)?,
            note: text::note(&input.note),
            source: said(input.source),
            ..Round::default()
        };
        round::check(&round)?;
        let book = round::book_id(&grid, &on.format("%Y-%m").to_string());
        let puts = round::puts(&grid, &round);
        self.record_round(book, grid, puts)?;
        self.round(&round.id)
    }

    /// Writes down what was found on the round that is open here; also as a report, if asked.
    pub fn mark_round(
        &mut self,
        input: MarkInput,
    ) -> Result<(RoundView, Option<ReportDetail>), AgentError> {
        let open = self.open_round_here()?;
        let found = text::note(&input.text);
        if found.is_empty() {
            return Err(AgentError::BadValue {
                field: "text",
                value: String::new(),
                expected: "what was found",
            });
        }
        let mut mark = Mark {
            id: hex(&self.machine.random::<4>()?),
            text: found,
            place: text::tidy(&input.place),
            ..Mark::default()
        };
        round::check(&Round {
            marks: vec![mark.clone()],
            ..Round::default()
        })?;
        let report = match input.report {
            false => None,
            true => Some(self.add_report(ReportInput {
                area: Some(open.area.clone()),
                text: mark.text.clone(),
                place: mark.place.clone(),
                category: input.category,
                urgency: input.urgency,
                source: Some(SOURCE.to_owned()),
                ..ReportInput::default()
            })?),
        };
        mark.report = report.as_ref().map(|report| report.view.id);
        let grid = area_of(&open)?;
        self.record_round(open.book, grid, round::mark_puts(&open.id, &mark))?;
        Ok((self.round(&open.id)?, report))
    }

    /// Ends the round that is open here.
    pub fn close_round(&mut self, note: &str) -> Result<RoundView, AgentError> {
        let open = self.open_round_here()?;
        let note = text::note(note);
        round::check(&Round {
            note: note.clone(),
            ..Round::default()
        })?;
        let grid = area_of(&open)?;
        self.record_round(open.book, grid, round::end_puts(&open.id, &note))?;
        self.round(&open.id)
    }

    /// Returns rounds, the latest first.
    pub fn rounds(&self, limit: usize) -> Result<Vec<RoundView>, AgentError> {
        let rows = self.home.store.rounds(limit)?;
        rows.into_iter().map(|row| self.round_view(row)).collect()
    }

    /// Returns a round by its id or the beginning of it.
    pub fn round(&self, name: &str) -> Result<RoundView, AgentError> {
        let missing = || AgentError::NotFound {
            what: Sought::Round,
            name: name.to_owned(),
        };
        let fits = name.len() >= PREFIX_DIGITS_MIN && name.bytes().all(|b| b.is_ascii_hexdigit());
        let rows = match fits {
            true => self.home.store.rounds_with_prefix(name)?,
            false => Vec::new(),
        };
        match <[RoundRow; 1]>::try_from(rows) {
            Ok([only]) => self.round_view(only),
            Err(rows) if rows.is_empty() => Err(missing()),
            Err(rows) => Err(AgentError::Ambiguous {
                name: name.to_owned(),
                candidates: rows.into_iter().map(|row| (row.id, row.area)).collect(),
            }),
        }
    }

    /// Returns the round that marks go to: the latest one this device began and did not end.
    fn open_round_here(&self) -> Result<RoundRow, AgentError> {
        let mut rows = self.own_open_rounds()?;
        if rows.is_empty() {
            return Err(AgentError::NoRound);
        }
        Ok(rows.swap_remove(0))
    }

    fn own_open_rounds(&self) -> Result<Vec<RoundRow>, AgentError> {
        let mut own = Vec::new();
        for row in self.home.store.open_rounds()? {
            if self.written_by(&row.writer)?.here {
                own.push(row);
            }
        }
        Ok(own)
    }

    fn record_round(
        &mut self,
        book: DocId,
        grid: AreaCode,
        puts: Vec<wangge_crdt::Put>,
    ) -> Result<(), AgentError> {
        let is_new = self.home.store.kind_of(&book)?.is_none();
        let draft = Draft {
            doc: book,
            kind: kind::ROUND_BOOK,
            owner: None,
            puts,
            place: is_new.then(|| self.place(book, grid)),
            urgent: false,
        };
        self.record(&[draft]).map(|_| ())
    }

    fn round_view(&self, row: RoundRow) -> Result<RoundView, AgentError> {
        let mut content = match row.content {
            serde_json::Value::Object(content) => content,
            _ => serde_json::Map::new(),
        };
        content.remove("id");
        Ok(RoundView {
            id: row.id,
            area: row.area,
            by: self.written_by(&row.writer)?,
            content,
        })
    }
}

fn area_of(row: &RoundRow) -> Result<AreaCode, AgentError> {
    AreaCode::parse(&row.area).map_err(|_| AgentError::NotFound {
        what: Sought::Round,
        name: row.id.clone(),
    })
}
