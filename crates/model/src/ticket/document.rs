//! A ticket's document: what it says beside its events, and its event map.
//!
//! `first_asked_by` is set when the ticket is opened and never again. Events are immutable texts under
//! their own names: adding the same event twice is adding it once.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::{AreaCode, DocId, PersonId};

use super::{EventId, Opened, TicketEvent, TicketState, fold};
use crate::door::Door;
use crate::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, TooLong, at_most};
use crate::report::{self, Identity, Urgency};

const EVENTS: &str = "events";

/// What a ticket says beside its events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ticket {
    /// Sayable by telephone, unique offline: `0412-0127-6`.
    pub code: String,
    /// 咨询 求助 投诉 建议 表扬 代办, as code.
    pub kind: String,
    /// One line.
    pub subject: String,
    /// The matter.
    pub detail: String,
    /// Where the matter is.
    pub area: Option<AreaCode>,
    /// The household it is for.
    pub household: Option<DocId>,
    /// Who asks, when they belong to no household here.
    pub requester: String,
    /// How to reach them.
    pub contact: String,
    /// Where they live, once the ticket goes to somebody who does not hold the household.
    pub door: Door,
    /// How the person wishes to be named; the strictest of the reports it came from.
    pub identity: Identity,
    /// It must not come to whom it is about.
    pub restricted: bool,
    /// Whom it is about, where the roster knows them.
    pub about: Vec<PersonId>,
    /// The reports it came from.
    pub reports: Vec<DocId>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// 错时服务: when outside office hours the resident can be met.
    pub wish: String,
    /// 首问: who was asked first.
    pub first_asked_by: Option<PersonId>,
    /// The device's clock when it was saved, milliseconds since 1970.
    pub at_ms: i64,
}

/// The kinds of ticket: code and Chinese word.
pub const TICKET_KINDS: [(&str, &str); 6] = [
    ("inquiry", "咨询"),
    ("help", "求助"),
    ("complaint", "投诉"),
    ("suggestion", "建议"),
    ("praise", "表扬"),
    ("errand", "代办"),
];

/// Returns the code of a ticket kind, given its code or its Chinese word.
pub fn ticket_kind(word: &str) -> Option<&'static str> {
    TICKET_KINDS
        .iter()
        .find(|(code, han)| *code == word || *han == word)
        .map(|(code, _)| *code)
}

/// Returns an error if something is past its limit.
pub fn check(ticket: &Ticket) -> Result<(), TooLong> {
    at_most("subject", &ticket.subject, LINE_CHARS_MAX)?;
    at_most("detail", &ticket.detail, NOTE_CHARS_MAX)?;
    at_most("requester", &ticket.requester, LINE_CHARS_MAX)?;
    at_most("contact", &ticket.contact, LINE_CHARS_MAX)?;
    at_most("wish", &ticket.wish, LINE_CHARS_MAX)?;
    Ok(())
}

/// Returns the writes that open a ticket.
pub fn puts(ticket: &Ticket) -> Vec<Put> {
    let mut puts = vec![
        Put::root("code", ticket.code.as_str()),
        Put::root("kind", ticket.kind.as_str()),
        Put::root("subject", ticket.subject.as_str()),
        Put::root("at", ticket.at_ms),
    ];
    let mut text = |key: &str, value: &str| {
        if !value.is_empty() {
            puts.push(Put::root(key, value));
        }
    };
    let reports: Vec<String> = ticket.reports.iter().map(DocId::to_string).collect();
    text("detail", &ticket.detail);
    text("area", ticket.area.as_ref().map_or("", AreaCode::as_str));
    text(
        "household",
        &ticket
            .household
            .map(|doc| doc.to_string())
            .unwrap_or_default(),
    );
    text("requester", &ticket.requester);
    text("contact", &ticket.contact);
    text("reports", &reports.join(","));
    text("wish", &ticket.wish);
    text(
        "identity",
        if ticket.identity == Identity::Named {
            ""
        } else {
            ticket.identity.code()
        },
    );
    text(
        "urgency",
        if ticket.urgency == Urgency::P2 {
            ""
        } else {
            ticket.urgency.code()
        },
    );
    text(
        "first_asked",
        &ticket
            .first_asked_by
            .map(|who| who.to_string())
            .unwrap_or_default(),
    );
    puts.extend(report::restricted_puts(ticket.restricted, &ticket.about));
    puts
}

/// Returns the writes by which a ticket carries its own contact and place: whoever is audience of it
/// needs no household. What it says already stays.
///
/// Nothing of it is written of a person who wished not to be named, or where the ticket is restricted.
pub fn contact_puts(ticket: &Ticket, head: &str, phone: &str, door: &Door) -> Vec<Put> {
    if ticket.identity != Identity::Named || ticket.restricted {
        return Vec::new();
    }
    let mut puts = Vec::new();
    let mut text = |key: &str, known: &str, value: &str| {
        if known.is_empty() && !value.is_empty() {
            puts.push(Put::root(key, value));
        }
    };
    text("requester", &ticket.requester, head);
    text("contact", &ticket.contact, phone);
    text("door", &ticket.door.number, &door.number);
    if let (None, Some(group)) = (ticket.door.group, door.group) {
        puts.push(Put::root("group", i64::from(group)));
    }
    puts
}

/// Returns the write that adds an event.
pub fn event_put(event: &TicketEvent) -> Result<(EventId, Put), serde_json::Error> {
    let (id, text) = event.write()?;
    let put = Put {
        container: EVENTS,
        key: id.to_string(),
        value: Scalar::Text(text),
    };
    Ok((id, put))
}

/// Returns what the ticket says beside its events.
pub fn read(fields: &Fields) -> Ticket {
    let text = |key: &str| fields.root_text(key).to_owned();
    let (restricted, about) = report::restricted(fields);
    Ticket {
        identity: Identity::of(fields.root_text("identity")).unwrap_or_default(),
        restricted,
        about,
        code: text("code"),
        kind: text("kind"),
        subject: text("subject"),
        detail: text("detail"),
        area: AreaCode::parse(fields.root_text("area")).ok(),
        household: fields.root_text("household").parse().ok(),
        requester: text("requester"),
        contact: text("contact"),
        door: Door {
            group: fields
                .root("group")
                .and_then(Scalar::as_int)
                .and_then(|group| u16::try_from(group).ok()),
            number: text("door"),
        },
        reports: fields
            .root_text("reports")
            .split(',')
            .filter_map(|id| id.parse().ok())
            .collect(),
        urgency: Urgency::of(fields.root_text("urgency")).unwrap_or_default(),
        wish: text("wish"),
        first_asked_by: fields.root_text("first_asked").parse().ok(),
        at_ms: fields
            .root("at")
            .and_then(Scalar::as_int)
            .unwrap_or_default(),
    }
}

/// Returns the events of a ticket, and the keys of entries that do not read as one; those stay.
pub fn events(fields: &Fields) -> (BTreeMap<EventId, TicketEvent>, Vec<String>) {
    let (mut events, mut unread) = (BTreeMap::new(), Vec::new());
    for (key, register) in fields.container(EVENTS) {
        let event = register
            .shown
            .as_text()
            .and_then(|text| TicketEvent::read(key, text).ok());
        match (key.parse(), event) {
            (Ok(id), Some(event)) => {
                events.insert(id, event);
            }
            _ => unread.push(key.to_owned()),
        }
    }
    (events, unread)
}

/// Returns what the fold needs of a ticket; none while it lacks its first-asked person or area.
pub fn opened(ticket: &Ticket) -> Option<Opened> {
    Some(Opened::new(ticket.first_asked_by?, ticket.area.clone()?))
}

/// Returns the state of a ticket's document.
pub fn state(fields: &Fields) -> Option<(Ticket, BTreeMap<EventId, TicketEvent>, TicketState)> {
    let ticket = read(fields);
    let (events, _) = events(fields);
    let state = fold(&opened(&ticket)?, &events);
    Some((ticket, events, state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;
    use crate::ticket::{Kind, Stamp, Status};
    use wangge_crdt::Document;
    use wangge_wire::{ActorId, Role};

    #[test]
    fn a_ticket_reads_back_and_its_state_is_the_fold_of_its_events() {
        let area = AreaCode::parse("511724103202001").unwrap();
        let who = PersonId([1; 16]);
        let ticket = Ticket {
            code: "0001-0001-2".into(),
            kind: "help".into(),
            subject: "修路灯".into(),
            area: Some(area.clone()),
            household: Some(DocId([3; 16])),
            reports: vec![DocId([4; 16])],
            identity: Identity::Confidential,
            restricted: true,
            about: vec![PersonId([9; 16])],
            urgency: Urgency::P1,
            wish: "19:00以后".into(),
            first_asked_by: Some(who),
            at_ms: 9,
            ..Ticket::default()
        };
        let mut doc =
            Document::begin(&kind::shape(kind::TICKET).unwrap(), &DocId([2; 16])).unwrap();
        let stamp = Stamp {
            at_ms: 9,
            offset_ms: None,
        };
        let submit = TicketEvent::new(Kind::Submit, who, Role::Worker, area, stamp);
        let mut writes = puts(&ticket);
        writes.push(event_put(&submit).unwrap().1);
        doc.write(&ActorId([1; 8]), 5, &writes).unwrap();
        let (read, events, state) = state(&doc.fields()).unwrap();
        assert_eq!(read, ticket);
        assert_eq!(events.len(), 1);
        assert_eq!(state.progress.status, Status::Submitted);
    }

    #[test]
    fn an_entry_that_is_no_event_is_named_and_the_others_fold() {
        let mut doc =
            Document::begin(&kind::shape(kind::TICKET).unwrap(), &DocId([2; 16])).unwrap();
        let bad = Put {
            container: EVENTS,
            key: "nonsense".into(),
            value: "x".into(),
        };
        doc.write(&ActorId([1; 8]), 5, &[bad]).unwrap();
        assert_eq!(
            events(&doc.fields()),
            (BTreeMap::new(), vec!["nonsense".to_owned()])
        );
    }
}
