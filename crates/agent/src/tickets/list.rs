//! Tickets in lists: whose turn it is, which are late, which need a person.

use std::cmp::Reverse;

use serde::Serialize;
use wangge_model::report::Urgency;
use wangge_model::settings::Settings;
use wangge_model::ticket::Handler;
use wangge_store::TicketRow;
use wangge_wire::{AreaCode, DocId, Level, PersonId, Role};

use super::HandlerView;
use crate::error::AgentError;
use crate::replica::Replica;

/// Which tickets a list shows; what is not said chooses nothing.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// Those with one of these statuses; all where there is none.
    pub statuses: Vec<String>,
    /// Those I handle.
    pub mine: bool,
    /// Those whose resident I owe an answer.
    pub owed: bool,
    /// Those on which somebody still owes a step.
    pub open: bool,
    /// Those in which somebody must settle something.
    pub contested: bool,
}

/// A ticket in a list.
#[derive(Debug, Clone, Serialize)]
pub struct TicketView {
    /// The document.
    pub id: DocId,
    /// `0412-0127-1`.
    pub code: String,
    /// `draft submitted accepted …`.
    pub status: String,
    /// Whether somebody still owes a step.
    pub open: bool,
    /// Whether a person must settle something.
    pub contested: bool,
    /// Whether the resident was told.
    pub answered: bool,
    /// Who handles it.
    pub handler: Option<HandlerView>,
    /// Until when it is to be done, milliseconds since 1970.
    pub due: Option<i64>,
    /// `green warn yellow red`; none where no clock runs.
    pub light: Option<&'static str>,
    /// What the ticket says: `kind subject detail area household urgency first_asked_by at_ms …`.
    #[serde(flatten)]
    pub content: serde_json::Map<String, serde_json::Value>,
}

impl Replica {
    /// Returns tickets with these statuses, or all, the latest first.
    pub fn tickets(&self, statuses: &[&str], limit: usize) -> Result<Vec<TicketView>, AgentError> {
        let rows = self.home.store.tickets(statuses, limit)?;
        let settings = self.settings()?;
        let view = |row| self.ticket_view(row, &settings);
        Ok(rows.into_iter().map(view).collect())
    }

    /// Returns the tickets a person asks for: contested and red ones first, then by what is due
    /// first, then the latest first.
    pub fn ticket_list(
        &self,
        filter: &TicketFilter,
        limit: usize,
    ) -> Result<Vec<TicketView>, AgentError> {
        let settings = self.settings()?;
        let statuses: Vec<&str> = filter.statuses.iter().map(String::as_str).collect();
        let rows = self.home.store.tickets(&statuses, i32::MAX as usize)?;
        let owed_by: Vec<String> = self.answers_as().iter().map(ToString::to_string).collect();
        let mut views: Vec<TicketView> = rows
            .into_iter()
            .filter(|row| {
                (!filter.open || row.open)
                    && (!filter.contested || row.contested)
                    && (!filter.owed || (is_owed(row) && owed_by.contains(&row.answer_owner)))
                    && (!filter.mine || (row.open && self.handles(row)))
            })
            .map(|row| self.ticket_view(row, &settings))
            .collect();
        // The sort is stable: the rows came the latest first.
        views.sort_by_key(|view| {
            let presses = view.contested || view.light == Some("red");
            let due = view.due.filter(|_| view.open);
            (!presses, Reverse(view.open), due.unwrap_or(i64::MAX))
        });
        views.truncate(limit);
        Ok(views)
    }

    /// Returns the tickets of these areas whose answer a person owes a resident, and their numbers.
    pub(crate) fn answers_owed_by(
        &self,
        person: &PersonId,
        areas: &[AreaCode],
    ) -> Result<Vec<(DocId, String)>, AgentError> {
        let person = person.to_string();
        let rows = self.home.store.tickets(&[], i32::MAX as usize)?;
        let owed = rows.into_iter().filter(|row| {
            let area = row.content.get("area").and_then(|area| area.as_str());
            is_owed(row)
                && row.answer_owner == person
                && areas.iter().any(|one| Some(one.as_str()) == area)
        });
        Ok(owed.map(|row| (row.id, row.code)).collect())
    }

    /// Returns whether this person is one of those who handle a ticket, or works for them.
    fn handles(&self, row: &TicketRow) -> bool {
        let me = self.answers_as();
        row.handlers
            .iter()
            .any(|handler| match Handler::from(handler.clone()) {
                Handler::Person(person) => me.contains(&person),
                Handler::Area(area) => self.areas().iter().any(|own| self.works_in(own, &area)),
                // A unit's device holds no ticket but the unit's own.
                Handler::Unit(_) => self.role() == Role::Unit,
                Handler::Other(_) => false,
            })
    }

    fn works_in(&self, own: &AreaCode, area: &AreaCode) -> bool {
        let in_village = area.level() == Level::Village && area.covers(own);
        own == area || (self.role() == Role::Worker && in_village)
    }

    fn ticket_view(&self, row: TicketRow, settings: &Settings) -> TicketView {
        let mut content = match row.content {
            serde_json::Value::Object(content) => content,
            _ => serde_json::Map::new(),
        };
        content.remove("code");
        let me = self.answers_as();
        let asked = content.get("first_asked_by").and_then(|who| who.as_str());
        let is_own = me.iter().any(|me| asked == Some(me.to_string().as_str()));
        self.veil_report(&row.id, &mut content, is_own);
        let field = |key: &str| content.get(key);
        let urgency = field("urgency")
            .and_then(|word| word.as_str())
            .and_then(Urgency::of);
        let saved_ms = field("at_ms").and_then(|at| at.as_i64());
        let runs = row.open && !matches!(row.status.as_str(), "done" | "verified");
        let light = row.due.filter(|_| runs).map(|due| {
            let clock = (saved_ms.unwrap_or(due), due);
            self.light_of(settings, urgency.unwrap_or_default(), clock)
        });
        let handler = row.handlers.first().cloned().map(Handler::from);
        TicketView {
            id: row.id,
            code: row.code,
            status: row.status,
            open: row.open,
            contested: row.contested,
            answered: row.answered,
            handler: handler.map(|handler| self.handler_view(&handler)),
            due: row.due,
            light,
            content,
        }
    }
}

/// Returns whether the resident waits for an answer: asked, not told, and not taken back by them.
fn is_owed(row: &TicketRow) -> bool {
    !row.answered
        && !matches!(
            row.status.as_str(),
            "draft" | "withdrawn" | "merged" | "archived"
        )
}
