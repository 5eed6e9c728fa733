//! Records that must not come to whom they are about: where they live, and to whom they may be given.
//!
//! The rule is the model's ([`wangge_model::restricted`]); here it meets this device's roster. **What
//! the roster says later is not foreseen**: who is given the township afterwards receives what lives
//! there.

use wangge_model::look::Sign;
use wangge_model::report::{self, Identity};
pub use wangge_model::restricted::NoPlace;
use wangge_model::restricted::{self, Holder};
use wangge_model::ticket::Handler;
use wangge_model::ticket::document::Ticket;
use wangge_trust::Roster;
use wangge_wire::{AreaCode, Audience, Day, DocId, PersonId, Place};

use crate::error::AgentError;
use crate::replica::Replica;
use crate::visits::word;

/// What a ticket takes over from its reports.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    pub(crate) identity: Identity,
    pub(crate) restricted: bool,
    pub(crate) about: Vec<PersonId>,
    /// Who receives the reports beside their area.
    pub(crate) named: Vec<PersonId>,
}

impl Replica {
    /// Returns the place of a restricted record.
    pub(crate) fn restricted_place(
        &self,
        doc: DocId,
        about: &[PersonId],
        named: &[PersonId],
        matter: &AreaCode,
    ) -> Result<Place, AgentError> {
        let home = restricted::place(&self.holders(), about, self.person(), named, matter)?;
        let audiences = home.audiences.into_iter().map(Audience::Person).collect();
        Ok(Place {
            doc,
            home: home.area,
            audiences,
            n: 0,
        })
    }

    /// Returns an error if giving a ticket to one of these would bring it to whom it is about.
    pub(crate) fn keep_from_subject<'a>(
        &self,
        ticket: &Ticket,
        handlers: impl IntoIterator<Item = &'a Handler>,
    ) -> Result<(), AgentError> {
        let holders = self.holders();
        let reaches = |handler: &Handler| match handler {
            Handler::Person(person) => ticket.about.contains(person),
            Handler::Area(area) => restricted::reaches(&holders, &ticket.about, area),
            Handler::Unit(unit) => works_for(&self.roster, &ticket.about, unit),
            Handler::Other(_) => false,
        };
        if handlers.into_iter().any(reaches) {
            return Err(NoPlace::AboutNamed.into());
        }
        Ok(())
    }

    /// Returns everybody whom a typed name or id may mean; nobody where the roster knows none.
    pub(crate) fn everybody_named(&self, typed: &str) -> Vec<PersonId> {
        let typed = typed.trim();
        if let Ok(person) = typed.parse::<PersonId>() {
            return vec![person];
        }
        let fits = |name: &str| name == typed;
        let mut people: Vec<PersonId> = self
            .roster
            .members()
            .filter(|(_, member)| fits(&member.name))
            .map(|(_, member)| member.person)
            .collect();
        if fits(&self.home.profile.name) {
            people.push(self.person());
        }
        people.sort();
        people.dedup();
        people
    }

    /// Returns the persons who receive a record beside its area.
    pub(crate) fn named_audience(&self, doc: &DocId) -> Result<Vec<PersonId>, AgentError> {
        let place = self.home.store.place_of(doc)?;
        let audiences = place.map(|place| place.audiences).unwrap_or_default();
        Ok(audiences
            .into_iter()
            .filter_map(|audience| match audience {
                Audience::Person(person) => Some(person),
                _ => None,
            })
            .collect())
    }

    /// Returns what a ticket takes over from the reports it came from: the strictest wish to be named,
    /// and whom it must not come to.
    pub(crate) fn inherited(
        &self,
        reports: &[DocId],
        typed: Option<&str>,
    ) -> Result<Inherited, AgentError> {
        let expected = "named, confidential or anonymous";
        let mut inherited = Inherited {
            identity: word("identity", typed, Identity::of, expected)?,
            ..Inherited::default()
        };
        for id in reports {
            let Some(document) = self.home.store.document(id)? else {
                continue;
            };
            let read = report::read(&document.fields());
            inherited.identity = inherited.identity.max(read.identity);
            inherited.restricted |= read.restricted;
            inherited.about.extend(read.about);
            if read.restricted {
                inherited.named.extend(self.named_audience(id)?);
            }
        }
        inherited.about.sort();
        inherited.about.dedup();
        Ok(inherited)
    }

    /// Returns an error if a complaint names somebody of the roster: it is taken elsewhere.
    pub(crate) fn complaint_about_a_worker(
        &self,
        subject: &str,
        detail: &str,
    ) -> Result<(), AgentError> {
        let text = format!("{subject}\n{detail}");
        let is_named = |name: &str| name.chars().count() > 1 && text.contains(name);
        let named = self
            .roster
            .members()
            .any(|(_, member)| is_named(&member.name))
            || is_named(&self.home.profile.name);
        if named && !self.keep {
            return Err(AgentError::LookedAt {
                field: "subject",
                masked: subject.to_owned(),
                signs: vec![Sign::Complaint],
            });
        }
        Ok(())
    }

    fn holders(&self) -> Vec<Holder> {
        holders(&self.roster, self.day())
    }
}

/// Says whether any of these people works for a unit.
fn works_for(roster: &Roster, people: &[PersonId], unit: &DocId) -> bool {
    roster
        .members()
        .any(|(_, member)| member.unit == Some(*unit) && people.contains(&member.person))
}

/// Returns what everybody receives from a day on: what they were granted, and what covers lend them
/// that run then or begin later.
pub fn holders(roster: &Roster, from: Day) -> Vec<Holder> {
    roster
        .members()
        .map(|(_, member)| {
            let lent = roster
                .covers()
                .filter(|cover| cover.substitute == Some(member.person) && cover.until >= from)
                .flat_map(|cover| &cover.areas);
            Holder {
                person: member.person,
                areas: member.areas.iter().chain(lent).cloned().collect(),
            }
        })
        .collect()
}
