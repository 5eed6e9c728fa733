//! A ticket as it is shown: where it stands, who owes what, and each of its steps.

use serde::Serialize;
use wangge_model::clock::TicketClock;
use wangge_model::report::{self, Urgency};
use wangge_model::ticket::custody::Custody;
use wangge_model::ticket::document::Ticket;
use wangge_model::ticket::{
    Card, DoneKind, EventId, EventKind, Handler, Progress, TicketEvent, TicketState,
};
use wangge_wire::{AreaCode, DocId};

use super::Folded;
use crate::error::AgentError;
use crate::replica::Replica;

/// A ticket as it is shown, with its events.
#[derive(Debug, Clone, Serialize)]
pub struct TicketDetail {
    /// The document.
    pub id: DocId,
    /// What it says beside its events.
    #[serde(flatten)]
    pub ticket: Ticket,
    /// How far it is.
    pub status: String,
    /// Whether somebody still owes a step.
    pub open: bool,
    /// 首问: who was asked first, by name.
    pub first_asked: String,
    /// Who owes the resident the answer, by name.
    pub answer_owner: String,
    /// The level it is with, once one accepted it.
    pub desk: Option<DeskView>,
    /// The area it was escalated to.
    pub escalated_to: Option<AreaCode>,
    /// Who handles it.
    pub handler: Option<HandlerView>,
    /// 协办: who works along.
    pub with: Vec<HandlerView>,
    /// 抄告: who was told of it.
    pub copies: Vec<HandlerView>,
    /// Whether the resident was told.
    pub answered: bool,
    /// Until when it is to be done, milliseconds since 1970.
    pub due: Option<i64>,
    /// The promise to the resident and the level's own clock.
    pub clock: Option<TicketClock>,
    /// Until which day the handler waits for something.
    pub suspended_until: Option<String>,
    /// The one extension that was asked for.
    pub extension: Option<ExtensionView>,
    /// What the present finish amounts to.
    pub done_kind: Option<DoneKind>,
    /// When an interim finish is looked at again.
    pub review_on: Option<String>,
    /// What the resident said afterwards.
    pub followed_up: Option<FollowUpView>,
    /// How strongly a level above watches it.
    pub card: Option<Card>,
    /// How often a level above asked to hurry.
    pub reminders: usize,
    /// The number of the ticket that goes on in its place; its id where it is not here.
    pub merged_into: Option<String>,
    /// What of the resident's somebody holds, or held.
    pub custody: Vec<Custody>,
    /// What a person should know: `custody_out`, `phone_first`.
    pub warnings: Vec<&'static str>,
    /// Its events in causal order.
    pub events: Vec<EventView>,
    /// Pairs of events that stand beside each other until someone settles them.
    pub contested: Vec<(EventId, EventId)>,
}

/// Who handles a ticket.
#[derive(Debug, Clone, Serialize)]
pub struct HandlerView {
    /// `person:…`, `area:…` or `unit:…`.
    pub id: Handler,
    /// In words.
    pub name: String,
}

/// A level that holds a ticket.
#[derive(Debug, Clone, Serialize)]
pub struct DeskView {
    /// `station township county`.
    pub role: &'static str,
    /// Its area.
    pub area: AreaCode,
}

/// More time, asked for once.
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionView {
    /// `asked granted refused`.
    pub answer: &'static str,
    /// Until when, milliseconds since 1970.
    pub until: i64,
}

/// What the resident said, the last time somebody asked.
#[derive(Debug, Clone, Serialize)]
pub struct FollowUpView {
    /// 5 very content to 1 not at all.
    pub grade: u8,
    /// Written down by somebody who had a part in it: outside the satisfaction rate.
    pub self_recorded: bool,
}

/// One event of a ticket.
#[derive(Debug, Clone, Serialize)]
pub struct EventView {
    /// 32 hex digits.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it, by name.
    pub by: String,
    /// What they acted as.
    pub role: &'static str,
    /// The area they acted for.
    pub for_area: AreaCode,
    /// The device's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// Who it was given or raised to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<HandlerView>,
    /// 协办.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<HandlerView>,
    /// 抄告.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<HandlerView>,
    /// The unit it was done for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_unit: Option<HandlerView>,
    /// Whom its author stood in for, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    /// Until when, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<i64>,
    /// Until which day, or when it is looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Which finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_kind: Option<DoneKind>,
    /// By which way the resident was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Who was told, or where the resident was guided to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whom: Option<String>,
    /// The resident's grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<u8>,
    /// How strongly a level above watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// What was done, said or remarked; or why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Why it is not applied, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
}

impl Replica {
    /// Returns a ticket by its number, id or the beginning of an id.
    pub fn ticket(&self, name: &str) -> Result<TicketDetail, AgentError> {
        let id = self.name_ticket(name)?;
        let folded = self.folded(&id)?;
        let Folded {
            mut ticket,
            events,
            state,
            custody,
        } = folded;
        self.veil_ticket(&id, &mut ticket);
        let progress = &state.progress;
        let merged_into = progress
            .merged_into
            .map(|into| self.number_of(&into))
            .transpose()?;
        Ok(TicketDetail {
            id,
            status: progress.status.as_str().to_owned(),
            open: progress.status.is_open(),
            first_asked: self.name_of(&state.first_asked_by),
            answer_owner: self.name_of(&state.answer_owner),
            desk: progress.desk().map(|desk| DeskView {
                role: desk.role.as_str(),
                area: desk.area.clone(),
            }),
            escalated_to: progress.escalated_to.clone(),
            handler: progress.handler().map(|handler| self.handler_view(handler)),
            with: self.handler_views(&progress.helpers),
            copies: self.handler_views(&progress.copies),
            answered: state.is_answered(),
            due: progress.due,
            clock: self.ticket_clock(&id)?,
            suspended_until: progress.suspended_until.clone(),
            extension: progress.extension.as_ref().map(|extension| ExtensionView {
                answer: extension.answer.as_str(),
                until: extension.until,
            }),
            done_kind: progress.done_kind.clone(),
            review_on: progress.review_on.clone(),
            followed_up: progress.followed_up.last().map(|said| FollowUpView {
                grade: said.grade,
                self_recorded: said.self_recorded,
            }),
            card: progress.card.clone(),
            reminders: progress.reminders,
            merged_into,
            warnings: self.warnings(&ticket, progress, &custody)?,
            custody,
            events: self.event_views(&events, &state),
            contested: state.contested,
            ticket,
        })
    }

    /// Returns a handler with what people call it.
    pub(super) fn handler_view(&self, handler: &Handler) -> HandlerView {
        let name = match handler {
            Handler::Person(person) => self.name_of(person),
            Handler::Area(area) => area.to_string(),
            Handler::Unit(unit) => self.unit_name(unit),
            Handler::Other(text) => text.clone(),
        };
        HandlerView {
            id: handler.clone(),
            name,
        }
    }

    fn handler_views<'a>(
        &self,
        handlers: impl IntoIterator<Item = &'a Handler>,
    ) -> Vec<HandlerView> {
        handlers
            .into_iter()
            .map(|handler| self.handler_view(handler))
            .collect()
    }

    /// Returns a ticket's number; its id where it is not on this device.
    fn number_of(&self, ticket: &DocId) -> Result<String, AgentError> {
        let document = self.home.store.document(ticket)?;
        let code = document.map(|document| document.fields().root_text("code").to_owned());
        Ok(code.unwrap_or_else(|| ticket.to_string()))
    }

    fn warnings(
        &self,
        ticket: &Ticket,
        progress: &Progress,
        custody: &[Custody],
    ) -> Result<Vec<&'static str>, AgentError> {
        let mut warnings = Vec::new();
        let is_finished = progress.done_kind.is_some() || progress.status.is_ended();
        if is_finished && custody.iter().any(|held| held.returned.is_none()) {
            warnings.push("custody_out");
        }
        if !is_finished && !self.was_phoned(ticket)? {
            warnings.push("phone_first");
        }
        Ok(warnings)
    }

    /// Returns whether a matter of life and limb was told by telephone; true of any other.
    fn was_phoned(&self, ticket: &Ticket) -> Result<bool, AgentError> {
        if ticket.urgency != Urgency::P0 {
            return Ok(true);
        }
        for report in &ticket.reports {
            if let Some(document) = self.home.store.document(report)?
                && report::read(&document.fields()).phoned.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn event_views(
        &self,
        events: &std::collections::BTreeMap<EventId, TicketEvent>,
        state: &TicketState,
    ) -> Vec<EventView> {
        let shown = state.history.iter().chain(state.waiting.keys());
        shown
            .filter_map(|id| events.get(id).map(|event| (id, event)))
            .map(|(id, event)| {
                let parked = match state.parked.get(id) {
                    Some(parked) => Some(parked.code().to_owned()),
                    None => state.waiting.contains_key(id).then(|| "waiting".to_owned()),
                };
                self.event_view(*id, event, parked)
            })
            .collect()
    }

    fn event_view(&self, id: EventId, event: &TicketEvent, parked: Option<String>) -> EventView {
        let said: Vec<&str> = [&event.text, &event.reason]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        EventView {
            id,
            kind: event.kind.clone(),
            by: self.name_of(&event.by),
            role: event.role.as_str(),
            for_area: event.area.clone(),
            at_ms: event.stamp.at_ms,
            to: event.to.as_ref().map(|to| self.handler_view(to)),
            with: self.handler_views(&event.with),
            copies: self.handler_views(&event.copies),
            for_unit: event
                .for_unit
                .map(|unit| self.handler_view(&Handler::Unit(unit))),
            instead_of: event.instead_of.map(|person| self.name_of(&person)),
            due: event.due,
            on: event.on.clone(),
            done_kind: event.done_kind.clone(),
            how: event.how.clone(),
            whom: event.whom.clone(),
            grade: event.grade,
            card: event.card.clone(),
            text: said.join(" "),
            parked,
        }
    }
}
