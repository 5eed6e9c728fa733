//! Who a ticket is given to, and the place that brings it to those whose areas do not.

use wangge_crdt::Put;
use wangge_model::limits::TooLong;
use wangge_model::text;
use wangge_model::ticket::document::{self as ticket, Ticket};
use wangge_model::ticket::{Handler, Kind, TicketEvent};
use wangge_wire::limits::PLACE_AUDIENCES_MAX;
use wangge_wire::{AreaCode, Audience, DocId, PersonId, Place};

use crate::error::{AgentError, Sought};
use crate::replica::Replica;
use crate::reports::Belongs;

impl Replica {
    /// Returns the handler a person means: an area's code, a unit, a name of the roster or an id.
    pub(super) fn handler(&self, typed: &str) -> Result<Handler, AgentError> {
        let typed = typed.trim();
        if let Ok(area) = AreaCode::parse(&text::half_width(typed)) {
            return Ok(Handler::Area(area));
        }
        match Handler::from(typed.to_owned()) {
            Handler::Other(_) => match self.unit_named(typed) {
                Err(AgentError::NotFound { .. }) => match self.person_named(typed) {
                    Err(AgentError::NotFound { name, .. }) => Err(AgentError::NotFound {
                        what: Sought::Handler,
                        name,
                    }),
                    found => found.map(Handler::Person),
                },
                found => found.map(Handler::Unit),
            },
            known => Ok(known),
        }
    }

    /// Returns the handlers people mean.
    pub(super) fn handlers(&self, typed: &[String]) -> Result<Vec<Handler>, AgentError> {
        typed.iter().map(|typed| self.handler(typed)).collect()
    }

    /// Returns the unit of the roster with this name, or of this id as events write it.
    pub(super) fn unit(&self, typed: &str) -> Result<DocId, AgentError> {
        match Handler::from(typed.trim().to_owned()) {
            Handler::Unit(unit) => Ok(unit),
            _ => self.unit_named(typed),
        }
    }

    /// Returns the person of the roster with this name, or of this id.
    pub(super) fn person_named(&self, typed: &str) -> Result<PersonId, AgentError> {
        // An id needs no roster: one may come from a device whose grant never reached this one.
        match typed.trim().parse::<PersonId>() {
            Ok(person) => Ok(person),
            Err(_) => self.person_called(typed),
        }
    }

    /// Returns the place of a new ticket: with the author where it is outside their areas, and with
    /// whoever receives the reports it came from; none where it lives with its household.
    pub(super) fn place_of_new(
        &self,
        id: DocId,
        belongs: &Belongs,
        reports: &[DocId],
    ) -> Result<Option<Place>, AgentError> {
        let mut audiences = Vec::new();
        for report in reports {
            let place = self.home.store.place_of(report)?;
            audiences.extend(place.into_iter().flat_map(|place| place.audiences));
        }
        if belongs.household.is_some() && audiences.is_empty() {
            return Ok(None);
        }
        let mut place = self.place(id, belongs.area.clone());
        for audience in audiences {
            if !place.audiences.contains(&audience) {
                place.audiences.push(audience);
            }
        }
        Ok(Some(place))
    }

    /// Returns the place that brings a ticket to those of `told` whose areas do not; none where all
    /// of them have it.
    pub(super) fn place_for(
        &self,
        id: &DocId,
        opened: &Ticket,
        told: &[Handler],
    ) -> Result<Option<Place>, AgentError> {
        let Some(home) = self.home.store.home(id)? else {
            return Ok(None);
        };
        let mut place = self.home.store.place_of(id)?.unwrap_or(Place {
            doc: *id,
            home: opened.area.clone().unwrap_or_else(|| home.clone()),
            audiences: Vec::new(),
            n: 0,
        });
        let before = place.audiences.len();
        for audience in told.iter().filter_map(|to| self.audience(&home, to)) {
            if !place.audiences.contains(&audience) {
                place.audiences.push(audience);
            }
        }
        if place.audiences.len() == before {
            return Ok(None);
        }
        if !self.role().is_desk() {
            return Err(AgentError::BadValue {
                field: "to",
                value: String::new(),
                expected: "somebody who works where the ticket is; a desk gives it to others",
            });
        }
        if place.audiences.len() > PLACE_AUDIENCES_MAX {
            return Err(AgentError::TooLong(TooLong {
                field: "copies",
                limit: PLACE_AUDIENCES_MAX,
            }));
        }
        place.n += 1;
        Ok(Some(place))
    }

    /// Returns what a ticket must say of its household for those it is given to who do not hold it.
    pub(super) fn contact_for(
        &self,
        id: &DocId,
        event: &TicketEvent,
        ticket: &Ticket,
    ) -> Result<Vec<Put>, AgentError> {
        let (Some(household), Some(home)) = (ticket.household, self.home.store.home(id)?) else {
            return Ok(Vec::new());
        };
        let works = event.to.iter().chain(&event.with);
        let is_given = event.kind.known() == Some(Kind::Assign);
        let outside = is_given
            && works
                .into_iter()
                .any(|to| self.audience(&home, to).is_some());
        if !outside || self.home.store.household(&household)?.is_none() {
            return Ok(Vec::new());
        }
        let (household, _) = self.read_household(&household)?;
        let head = household.head_member().map(|head| head.name.as_str());
        let phone = household.phone.as_deref().unwrap_or_default();
        Ok(ticket::contact_puts(
            ticket,
            head.unwrap_or_default(),
            phone,
            &household.door,
        ))
    }

    /// Returns the audience a handler must be, where their areas do not reach the home.
    fn audience(&self, home: &AreaCode, to: &Handler) -> Option<Audience> {
        match to {
            Handler::Person(person) => {
                let member = self.people().into_iter().find(|(id, _)| id == person);
                let reached = member
                    .is_some_and(|(_, member)| member.areas.iter().any(|area| area.covers(home)));
                (!reached).then_some(Audience::Person(*person))
            }
            Handler::Area(area) if !area.covers(home) => Some(Audience::Area(area.clone())),
            Handler::Unit(unit) => Some(Audience::Unit(*unit)),
            Handler::Area(_) | Handler::Other(_) => None,
        }
    }
}
