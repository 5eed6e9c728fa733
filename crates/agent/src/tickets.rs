//! Tickets 工单 at a device: opened offline with their number, moved by events.
//!
//! Each step is judged before it is written by the same judge the fold uses, so what a command lets
//! through is never parked for a fault of the person who typed it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wangge_model::report::Urgency;
use wangge_model::ticket::document::{self as ticket, Ticket};
use wangge_model::ticket::{
    DoneKind, EventId, EventKind, Handler, Kind, TicketCode, TicketEvent, TicketState,
};
use wangge_model::{kind, text};
use wangge_store::Draft;
use wangge_wire::{AreaCode, Audience, DocId, Place};

use crate::bulk::{BulkReport, Line};
use crate::error::AgentError;
use crate::replica::Replica;
use crate::visits::word;

/// A ticket as it is typed or stands in a JSON line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TicketInput {
    /// What names the household it is for.
    pub household: Option<String>,
    /// The area the matter is in; the household's, or the home's only one.
    pub area: Option<String>,
    /// `inquiry help complaint suggestion praise errand` or the Chinese word; help if it is not said.
    pub kind: Option<String>,
    /// One line.
    pub subject: String,
    /// The matter.
    pub detail: String,
    /// Who asks, when they belong to no household here.
    pub requester: String,
    /// How to reach them.
    pub contact: String,
    /// Ids of the reports it came from.
    pub reports: Vec<String>,
    /// `P0` to `P3`.
    pub urgency: Option<String>,
    /// Leave it a draft: it is submitted later.
    pub draft: bool,
}

/// A step on a ticket, as typed.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// `submit accept assign start done answer verify send_back close return comment settle`.
    pub kind: String,
    /// Assign: a person's name or id, an area's code.
    pub to: Option<String>,
    /// What was done, said or remarked.
    pub text: Option<String>,
    /// Return, send back: why.
    pub reason: Option<String>,
    /// Done: `substantive interim procedural` or 实质 阶段 程序.
    pub done_kind: Option<String>,
    /// Answer: by which way the resident was told.
    pub how: Option<String>,
    /// Settle: ids or beginnings of ids of the contested events, the one that stands first.
    pub names: Vec<String>,
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
    /// Whether a person must settle something.
    pub contested: bool,
    /// What the ticket says: `kind subject detail area household urgency first_asked_by at_ms …`.
    #[serde(flatten)]
    pub content: serde_json::Map<String, serde_json::Value>,
}

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
    /// 首问: who was asked first, by name.
    pub first_asked: String,
    /// Who handles it.
    pub handler: Option<HandlerView>,
    /// Whether the resident was told.
    pub answered: bool,
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

/// One event of a ticket.
#[derive(Debug, Clone, Serialize)]
pub struct EventView {
    /// 32 hex digits.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it, by name.
    pub by: String,
    /// The device's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// Who it was given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<HandlerView>,
    /// What was done, said or remarked; or why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Why it is not applied, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
}

impl Replica {
    /// Opens a ticket; unless it is a draft it is submitted in the same action.
    pub fn open_ticket(&mut self, input: TicketInput) -> Result<TicketDetail, AgentError> {
        let belongs = self.belongs(input.household.as_deref(), input.area.as_deref())?;
        let subject = text::tidy(&input.subject);
        if subject.is_empty() {
            return Err(AgentError::BadValue {
                field: "subject",
                value: String::new(),
                expected: "what is asked, in a line",
            });
        }
        let kind_code = match input
            .kind
            .as_deref()
            .map(str::trim)
            .filter(|typed| !typed.is_empty())
        {
            None => "help",
            Some(typed) => ticket::ticket_kind(typed).ok_or_else(|| AgentError::BadValue {
                field: "kind",
                value: typed.to_owned(),
                expected: "inquiry, help, complaint, suggestion, praise or errand",
            })?,
        };
        let reports = input
            .reports
            .iter()
            .map(|name| self.name_report(name))
            .collect::<Result<Vec<_>, _>>()?;
        let id = self.new_doc()?;
        let opened = Ticket {
            code: String::new(),
            kind: kind_code.to_owned(),
            subject,
            detail: text::tidy(&input.detail),
            area: Some(belongs.area.clone()),
            household: belongs.household,
            requester: text::tidy(&input.requester),
            contact: text::tidy(&input.contact),
            reports,
            urgency: word(
                "urgency",
                input.urgency.as_deref(),
                Urgency::of,
                "P0, P1, P2 or P3",
            )?,
            first_asked_by: Some(self.person()),
            at_ms: self.now_ms(),
        };
        ticket::check(&opened)?;
        let opened = Ticket {
            code: self.next_ticket_code()?.to_string(),
            ..opened
        };
        let mut puts = ticket::puts(&opened);
        if !input.draft {
            let event = self.event(Kind::Submit, &opened, None)?;
            puts.push(event_put(&event)?);
        }
        let draft = Draft {
            doc: id,
            kind: kind::TICKET,
            owner: belongs.household,
            puts,
            place: belongs
                .household
                .is_none()
                .then(|| self.place(id, belongs.area)),
            urgent: opened.urgency == Urgency::P0,
        };
        self.record(&[draft])?;
        self.ticket(&id.to_string())
    }

    /// Opens tickets from JSON lines.
    pub fn bulk_tickets(&mut self, text: &str) -> Result<BulkReport, AgentError> {
        self.bulk(text, |replica, input: TicketInput| {
            Ok(Line {
                id: replica.open_ticket(input)?.id.to_string(),
                changed: true,
            })
        })
    }

    /// Returns tickets, the latest first; with these statuses, or all.
    pub fn tickets(&self, statuses: &[&str], limit: usize) -> Result<Vec<TicketView>, AgentError> {
        let rows = self.home.store.tickets(statuses, limit)?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let mut content = match row.content {
                    serde_json::Value::Object(content) => content,
                    _ => serde_json::Map::new(),
                };
                content.remove("code");
                let (id, code, status, contested) = (row.id, row.code, row.status, row.contested);
                TicketView {
                    id,
                    code,
                    status,
                    contested,
                    content,
                }
            })
            .collect())
    }

    /// Returns a ticket by its number, id or the beginning of an id.
    pub fn ticket(&self, name: &str) -> Result<TicketDetail, AgentError> {
        let id = self.name_ticket(name)?;
        let (ticket, events, state) = self.ticket_state(&id)?;
        let handler = state
            .progress
            .handler()
            .map(|handler| self.handler_view(handler));
        Ok(TicketDetail {
            id,
            status: state.progress.status.as_str().to_owned(),
            first_asked: self.name_of(&state.first_asked_by),
            handler,
            answered: state.is_answered(),
            events: self.event_views(&events, &state),
            contested: state.contested,
            ticket,
        })
    }

    /// Takes a step on a ticket.
    pub fn ticket_step(&mut self, name: &str, step: &Step) -> Result<TicketDetail, AgentError> {
        let id = self.name_ticket(name)?;
        let (opened, events, state) = self.ticket_state(&id)?;
        let mut event = self.event(step_kind(&step.kind)?, &opened, Some(&state))?;
        event.to = step.to.as_deref().map(|to| self.handler(to)).transpose()?;
        event.text = step.text.clone().filter(|text| !text.trim().is_empty());
        event.reason = step.reason.clone().filter(|text| !text.trim().is_empty());
        event.how = step.how.clone();
        event.done_kind = step.done_kind.as_deref().map(done_kind).transpose()?;
        event.names = step
            .names
            .iter()
            .map(|name| event_named(name, &events))
            .collect::<Result<Vec<_>, _>>()?;
        let folded = ticket::opened(&opened).ok_or_else(|| AgentError::NotFound {
            name: name.to_owned(),
        })?;
        state.check(&folded, &event).map_err(AgentError::Ticket)?;
        let draft = Draft {
            doc: id,
            kind: kind::TICKET,
            owner: opened.household,
            puts: vec![event_put(&event)?],
            place: self.place_for(&id, &opened, event.to.as_ref())?,
            urgent: opened.urgency == Urgency::P0,
        };
        self.record(&[draft])?;
        self.ticket(&id.to_string())
    }

    fn ticket_state(
        &self,
        id: &DocId,
    ) -> Result<(Ticket, BTreeMap<EventId, TicketEvent>, TicketState), AgentError> {
        let missing = || AgentError::NotFound {
            name: id.to_string(),
        };
        let document = self.home.store.document(id)?.ok_or_else(missing)?;
        ticket::state(&document.fields()).ok_or_else(missing)
    }

    fn event(
        &self,
        kind: Kind,
        opened: &Ticket,
        state: Option<&TicketState>,
    ) -> Result<TicketEvent, AgentError> {
        let matter = opened
            .area
            .clone()
            .ok_or_else(|| AgentError::Internal("ticket without area".into()))?;
        let own = self
            .areas()
            .iter()
            .find(|area| area.covers(&matter))
            .cloned();
        let area = own
            .or_else(|| self.areas().first().cloned())
            .unwrap_or(matter);
        let mut event = TicketEvent::new(kind, self.person(), self.role(), area, self.stamp());
        event.after = state.map(|state| state.heads.clone()).unwrap_or_default();
        Ok(event)
    }

    /// Returns the handler a person means: a name of the roster, a person's id, an area's code.
    fn handler(&self, typed: &str) -> Result<Handler, AgentError> {
        let typed = typed.trim();
        if let Ok(area) = AreaCode::parse(&text::half_width(typed)) {
            return Ok(Handler::Area(area));
        }
        match self.unit_named(typed) {
            Err(AgentError::NotFound { .. }) => self.person_called(typed).map(Handler::Person),
            found => found.map(Handler::Unit),
        }
    }

    /// Returns the place that brings a ticket to a handler whose areas do not.
    fn place_for(
        &self,
        id: &DocId,
        opened: &Ticket,
        to: Option<&Handler>,
    ) -> Result<Option<Place>, AgentError> {
        let (Some(home), Some(to)) = (self.home.store.home(id)?, to) else {
            return Ok(None);
        };
        let audience = match to {
            Handler::Person(person) => {
                let reached = |area: &AreaCode| area.covers(&home);
                let member = self.people().into_iter().find(|(id, _)| id == person);
                if member.is_some_and(|(_, member)| member.areas.iter().any(reached)) {
                    return Ok(None);
                }
                Audience::Person(*person)
            }
            Handler::Area(area) if !area.covers(&home) => Audience::Area(area.clone()),
            Handler::Unit(unit) => Audience::Unit(*unit),
            _ => return Ok(None),
        };
        let mut place = self.home.store.place_of(id)?.unwrap_or(Place {
            doc: *id,
            home: opened.area.clone().unwrap_or(home),
            audiences: Vec::new(),
            n: 0,
        });
        if place.audiences.contains(&audience) {
            return Ok(None);
        }
        place.audiences.push(audience);
        place.n += 1;
        Ok(Some(place))
    }

    /// Returns the next number: it lives beside the database, so that a lost database repeats none.
    fn next_ticket_code(&mut self) -> Result<TicketCode, AgentError> {
        let counter = self.home.next_ticket_number()?;
        let provisional = || TicketCode::provisional(&self.device(), counter);
        let enrolled = self
            .member()
            .map(|member| TicketCode::enrolled(member.device_number, counter));
        Ok(enrolled.and_then(Result::ok).unwrap_or_else(provisional))
    }

    fn handler_view(&self, handler: &Handler) -> HandlerView {
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

    fn event_views(
        &self,
        events: &BTreeMap<EventId, TicketEvent>,
        state: &TicketState,
    ) -> Vec<EventView> {
        let shown = state.history.iter().chain(state.waiting.keys());
        shown
            .filter_map(|id| events.get(id).map(|event| (id, event)))
            .map(|(id, event)| EventView {
                id: *id,
                kind: event.kind.clone(),
                by: self.name_of(&event.by),
                at_ms: event.stamp.at_ms,
                to: event.to.as_ref().map(|to| self.handler_view(to)),
                text: [&event.text, &event.reason]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" "),
                parked: match state.parked.get(id) {
                    Some(parked) => Some(parked.code().to_owned()),
                    None => state.waiting.contains_key(id).then(|| "waiting".to_owned()),
                },
            })
            .collect()
    }
}

fn event_put(event: &TicketEvent) -> Result<wangge_crdt::Put, AgentError> {
    let put = ticket::event_put(event).map_err(|error| AgentError::Internal(error.to_string()))?;
    Ok(put.1)
}

fn step_kind(word: &str) -> Result<Kind, AgentError> {
    match EventKind::from(word.to_owned()) {
        EventKind::Known(kind) => Ok(kind),
        EventKind::Unknown(word) => Err(AgentError::BadValue {
            field: "step",
            value: word,
            expected: "a step of a ticket",
        }),
    }
}

fn done_kind(word: &str) -> Result<DoneKind, AgentError> {
    match word.trim() {
        "实质" | "实质性办结" | "substantive" => Ok(DoneKind::Substantive),
        "阶段" | "阶段性办结" | "interim" => Ok(DoneKind::Interim),
        "程序" | "程序性办结" | "procedural" => Ok(DoneKind::Procedural),
        other => Err(AgentError::BadValue {
            field: "done_kind",
            value: other.to_owned(),
            expected: "substantive, interim or procedural",
        }),
    }
}

fn event_named(name: &str, events: &BTreeMap<EventId, TicketEvent>) -> Result<EventId, AgentError> {
    let fitting: Vec<EventId> = events
        .keys()
        .filter(|id| id.to_string().starts_with(name))
        .copied()
        .collect();
    match fitting.as_slice() {
        [only] if name.len() >= 4 => Ok(*only),
        _ => Err(AgentError::NotFound {
            name: name.to_owned(),
        }),
    }
}
