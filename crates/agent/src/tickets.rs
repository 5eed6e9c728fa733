//! Tickets 工单 at a device: opened offline with their number, moved by events.
//!
//! Each step is judged before it is written by the same judge the fold uses, so what a command lets
//! through is never parked for a fault of the person who typed it.

mod clock;
mod custody;
mod list;
mod reach;
mod show;
mod slip;
mod step;
mod words;

use std::collections::BTreeMap;

use serde::Deserialize;
use wangge_model::report::{Identity, Urgency};
use wangge_model::ticket::custody::Custody;
use wangge_model::ticket::document::{self as ticket, Ticket};
use wangge_model::ticket::{DoneKind, EventId, Kind, TicketCode, TicketEvent, TicketState, fold};
use wangge_model::{kind, text};
use wangge_store::Draft;
use wangge_wire::{DocId, PersonId};

use crate::bulk::{BulkReport, Line};
use crate::error::{AgentError, Sought};
use crate::replica::Replica;
use crate::reports::{Belongs, nobody_named};
use crate::restricted::Inherited;
use crate::visits::word;

pub use custody::CustodyInput;
pub use list::{TicketFilter, TicketView};
pub use show::{EventView, HandlerView, TicketDetail};
pub use slip::{Slip, SlipFor};
pub use step::Step;

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
    /// `named confidential anonymous`; the strictest of its reports where that is stricter.
    pub identity: Option<String>,
    /// Ids of the reports it came from.
    pub reports: Vec<String>,
    /// `P0` to `P3`.
    pub urgency: Option<String>,
    /// 错时服务: when outside office hours the resident can be met.
    pub wish: String,
    /// What was done at once: the ticket is opened and finished in one action.
    pub handled_on_spot: Option<String>,
    /// Of what was done at once: `substantive interim procedural`; substantive if it is not said.
    pub done_kind: Option<String>,
    /// Leave it a draft: it is submitted later.
    pub draft: bool,
}

/// What a ticket's document says, folded.
pub(crate) struct Folded {
    pub(crate) ticket: Ticket,
    pub(crate) events: BTreeMap<EventId, TicketEvent>,
    pub(crate) state: TicketState,
    pub(crate) custody: Vec<Custody>,
}

impl Replica {
    /// Opens a ticket; unless it is a draft it is submitted, or finished, in the same action.
    pub fn open_ticket(&mut self, input: TicketInput) -> Result<TicketDetail, AgentError> {
        let reports = input
            .reports
            .iter()
            .map(|name| self.name_report(name))
            .collect::<Result<Vec<_>, _>>()?;
        let inherited = self.inherited(&reports, input.identity.as_deref())?;
        let belongs = self
            .belongs(input.household.as_deref(), input.area.as_deref())?
            .without_link(inherited.restricted || inherited.identity == Identity::Anonymous);
        let draft = self.ticket_draft(input, belongs, reports, inherited)?;
        let id = draft.doc;
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

    /// Returns what opens the ticket that a visit led to.
    pub(crate) fn ticket_of_visit(
        &mut self,
        household: &DocId,
        input: TicketInput,
    ) -> Result<Draft, AgentError> {
        let inherited = self.inherited(&[], input.identity.as_deref())?;
        let household = household.to_string();
        let belongs = self
            .belongs(Some(&household), None)?
            .without_link(inherited.identity == Identity::Anonymous);
        self.ticket_draft(input, belongs, Vec::new(), inherited)
    }

    /// Returns what opens a ticket that came from these reports.
    pub(crate) fn ticket_draft(
        &mut self,
        input: TicketInput,
        belongs: Belongs,
        reports: Vec<DocId>,
        inherited: Inherited,
    ) -> Result<Draft, AgentError> {
        nobody_named(inherited.identity, &input.requester, &input.contact)?;
        let subject = text::line(&input.subject);
        if subject.is_empty() {
            return Err(AgentError::BadValue {
                field: "subject",
                value: String::new(),
                expected: "what is asked, in a line",
            });
        }
        let kind_code = words::ticket_kind(input.kind.as_deref())?;
        if kind_code == "complaint" {
            self.complaint_about_a_worker(&subject, &input.detail)?;
        }
        let opened = Ticket {
            code: String::new(),
            kind: kind_code.to_owned(),
            subject,
            detail: text::note(&input.detail),
            area: Some(belongs.area.clone()),
            household: belongs.household,
            requester: text::tidy(&input.requester),
            contact: text::tidy(&input.contact),
            door: wangge_model::door::Door::default(),
            identity: inherited.identity,
            restricted: inherited.restricted,
            about: inherited.about,
            reports,
            urgency: word(
                "urgency",
                input.urgency.as_deref(),
                Urgency::of,
                "P0, P1, P2 or P3",
            )?,
            wish: text::line(&input.wish),
            first_asked_by: Some(self.person()),
            at_ms: self.now_ms(),
        };
        ticket::check(&opened)?;
        let first = self.first_event(&input, &opened)?;
        let id = self.new_doc()?;
        let place = if opened.restricted {
            let (about, named) = (&opened.about, &inherited.named);
            Some(self.restricted_place(id, about, named, &belongs.area)?)
        } else {
            self.place_of_new(id, &belongs, &opened.reports)?
        };
        let mut draft = Draft {
            doc: id,
            kind: kind::TICKET,
            owner: belongs.household,
            puts: ticket::puts(&opened),
            place,
            urgent: opened.urgency == Urgency::P0,
        };
        draft
            .puts
            .extend(first.as_ref().map(event_put).transpose()?);
        // A text that must not be saved uses up no number.
        self.look_at_drafts(std::slice::from_ref(&draft))?;
        let code = self.next_ticket_code()?.to_string();
        draft.puts.retain(|put| put.key != "code");
        draft.puts.insert(0, wangge_crdt::Put::root("code", code));
        Ok(draft)
    }

    /// Returns the event a ticket begins with; none for a draft.
    fn first_event(
        &self,
        input: &TicketInput,
        opened: &Ticket,
    ) -> Result<Option<TicketEvent>, AgentError> {
        let handled = input
            .handled_on_spot
            .as_deref()
            .map(text::note)
            .filter(|text| !text.is_empty());
        let kind = match (&handled, input.draft) {
            (Some(_), _) => Kind::HandledOnSpot,
            (None, true) => return Ok(None),
            (None, false) => Kind::Submit,
        };
        let mut event = self.event(kind, opened, None)?;
        match handled {
            Some(done) => {
                words::in_note("handled_on_spot", &done)?;
                let finish = input
                    .done_kind
                    .as_deref()
                    .map(words::done_kind)
                    .transpose()?;
                event.done_kind = Some(finish.unwrap_or(DoneKind::Substantive));
                event.text = Some(done);
            }
            None => event.due = self.due_for(kind, opened.urgency, event.stamp.at_ms, None)?,
        }
        if let Some(begun) = ticket::opened(opened) {
            let nothing = fold(&begun, &BTreeMap::new());
            nothing.check(&begun, &event).map_err(AgentError::Ticket)?;
        }
        Ok(Some(event))
    }

    /// Returns what a ticket's document says, folded.
    pub(crate) fn folded(&self, id: &DocId) -> Result<Folded, AgentError> {
        let missing = || AgentError::NotFound {
            what: Sought::Ticket,
            name: id.to_string(),
        };
        let document = self.home.store.document(id)?.ok_or_else(missing)?;
        let fields = document.fields();
        let (ticket, events, state) = ticket::state(&fields).ok_or_else(missing)?;
        Ok(Folded {
            ticket,
            events,
            state,
            custody: wangge_model::ticket::custody::read(&fields),
        })
    }

    /// Returns everybody this person answers for on a ticket: themselves, and those they stand in for
    /// today.
    pub(crate) fn answers_as(&self) -> Vec<PersonId> {
        let mut people = self.myself();
        people.extend(self.covering().iter().map(|covering| covering.person));
        people
    }

    /// Returns this person, and the device from before it was enrolled, which stood in for them.
    fn myself(&self) -> Vec<PersonId> {
        let mut people = vec![self.person(), PersonId(self.device().0)];
        people.dedup();
        people
    }

    /// Returns an event of this person for the first own area that covers the matter.
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

    /// Returns the next number: it lives beside the database, so that a lost database repeats none.
    fn next_ticket_code(&mut self) -> Result<TicketCode, AgentError> {
        let counter = self.home.next_ticket_number()?;
        let provisional = || TicketCode::provisional(&self.device(), counter);
        let enrolled = self
            .member()
            .map(|member| TicketCode::enrolled(member.device_number, counter));
        Ok(enrolled.and_then(Result::ok).unwrap_or_else(provisional))
    }
}

pub(crate) fn event_put(event: &TicketEvent) -> Result<wangge_crdt::Put, AgentError> {
    let put = ticket::event_put(event).map_err(|error| AgentError::Internal(error.to_string()))?;
    Ok(put.1)
}
