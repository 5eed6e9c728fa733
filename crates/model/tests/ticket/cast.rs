//! The people of the ticket tests, their devices, and what two of them do without knowing.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::collections::BTreeMap;

use wangge_model::ticket::{
    Card, DoneKind, EventId, Handler, Kind, Opened, Stamp, Status, TicketEvent, TicketState, fold,
};
use wangge_wire::{AreaCode, DocId, PersonId, Role};

pub(super) const VILLAGE: &str = "511724101201";
pub(super) const UNIT: DocId = DocId([0xd0; 16]);

/// A person in their role and area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who(pub(super) u8, pub(super) Role, &'static str);

pub(super) const AI: Who = Who(1, Role::Worker, "511724101201001");
pub(super) const BO: Who = Who(2, Role::Worker, "511724101201002");
pub(super) const STATION: Who = Who(3, Role::Station, VILLAGE);
pub(super) const CLERK: Who = Who(4, Role::Station, VILLAGE);
pub(super) const TOWNSHIP: Who = Who(5, Role::Township, "511724101");
pub(super) const COUNTY: Who = Who(6, Role::County, "511724");
pub(super) const WATER: Who = Who(7, Role::Unit, "511724101");
pub(super) const STRANGER: Who = Who(8, Role::Worker, "511724102201001");
pub(super) const CAST: [Who; 8] = [AI, BO, STATION, CLERK, TOWNSHIP, COUNTY, WATER, STRANGER];

impl Who {
    pub(super) fn id(self) -> PersonId {
        PersonId([self.0; 16])
    }

    pub(super) fn area(self) -> AreaCode {
        AreaCode::parse(self.2).unwrap()
    }

    pub(super) fn by_name(self) -> Handler {
        Handler::Person(self.id())
    }
}

pub(super) fn village() -> Handler {
    Handler::Area(AreaCode::parse(VILLAGE).unwrap())
}

/// A device: the events it has, and what it makes of them.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) opened: Opened,
    pub(super) events: BTreeMap<EventId, TicketEvent>,
}

impl Device {
    pub(super) fn new(first_asked: Who) -> Self {
        Self {
            opened: Opened::new(first_asked.id(), AI.area()),
            events: BTreeMap::new(),
        }
    }

    pub(super) fn state(&self) -> TicketState {
        fold(&self.opened, &self.events)
    }

    pub(super) fn status(&self) -> Status {
        self.state().progress.status
    }

    /// Returns an event of `who` that has seen all this device has.
    pub(super) fn draft(&self, who: Who, kind: Kind) -> TicketEvent {
        self.draft_after(&self.state(), who, kind)
    }

    pub(super) fn draft_after(&self, state: &TicketState, who: Who, kind: Kind) -> TicketEvent {
        let stamp = Stamp {
            at_ms: self.events.len() as i64,
            offset_ms: None,
        };
        let done_kind =
            matches!(kind, Kind::Done | Kind::HandledOnSpot).then_some(DoneKind::Substantive);
        let event = TicketEvent {
            after: state.heads.clone(),
            done_kind,
            ..TicketEvent::new(kind, who.id(), who.1, who.area(), stamp)
        };
        filled(kind, event)
    }

    pub(super) fn add(&mut self, event: TicketEvent) -> EventId {
        let (id, text) = event.write().unwrap();
        self.events
            .insert(id, TicketEvent::read(&id.to_string(), &text).unwrap());
        id
    }

    pub(super) fn act(&mut self, who: Who, kind: Kind) -> EventId {
        let event = self.draft(who, kind);
        self.add(event)
    }

    pub(super) fn assign(&mut self, who: Who, to: Handler) -> EventId {
        let event = TicketEvent {
            to: Some(to),
            ..self.draft(who, Kind::Assign)
        };
        self.add(event)
    }

    pub(super) fn settle(&mut self, who: Who, names: &[EventId]) -> EventId {
        let event = TicketEvent {
            names: names.to_vec(),
            ..self.draft(who, Kind::Settle)
        };
        self.add(event)
    }

    pub(super) fn hear(&mut self, other: &Device) {
        self.events.extend(other.events.clone());
    }

    /// Returns this device's ticket after `steps` were taken one after the other.
    pub(super) fn after(mut self, steps: &[(Who, Kind)]) -> Self {
        for (who, kind) in steps {
            match kind {
                Kind::Assign => _ = self.assign(*who, village()),
                _ => _ = self.act(*who, *kind),
            }
        }
        assert_eq!(self.state().parked, BTreeMap::new(), "{steps:?}");
        self
    }
}

/// Returns an event with what its kind needs, if it has an obvious value.
fn filled(kind: Kind, mut event: TicketEvent) -> TicketEvent {
    match kind {
        Kind::AskBack | Kind::Withdraw | Kind::Reopen => event.reason = Some("因".to_owned()),
        Kind::Decline => {
            event.reason = Some("因".to_owned());
            event.whom = Some("法院".to_owned());
        }
        Kind::Suspend => {
            event.reason = Some("因".to_owned());
            event.on = Some("2026-12-01".to_owned());
        }
        Kind::Extend => {
            event.reason = Some("因".to_owned());
            event.due = Some(99);
        }
        Kind::Escalate => {
            event.reason = Some("因".to_owned());
            event.to = Some(Handler::Area(TOWNSHIP.area()));
        }
        Kind::FollowUp => event.grade = Some(4),
        Kind::Merge => event.into = Some(DocId([0xe0; 16])),
        Kind::Supervise => event.card = Some(Card::Ordinary),
        Kind::HandOver => event.to = Some(CLERK.by_name()),
        _ => {}
    }
    event
}

/// Returns a ticket first asked of Ai, accepted by the station.
pub(super) fn accepted() -> Device {
    Device::new(AI).after(&[(AI, Kind::Submit), (STATION, Kind::Accept)])
}

/// Returns a ticket that Bo is to handle.
pub(super) fn with_bo() -> Device {
    let mut device = accepted();
    device.assign(STATION, BO.by_name());
    device
}

/// Lets two devices act without knowing of each other, and returns what both then see.
pub(super) fn meet(
    start: &Device,
    one: impl FnOnce(&mut Device) -> EventId,
    other: impl FnOnce(&mut Device) -> EventId,
) -> (Device, EventId, EventId) {
    let (mut here, mut there) = (start.clone(), start.clone());
    let (a, b) = (one(&mut here), other(&mut there));
    let mut both = here.clone();
    both.hear(&there);
    there.hear(&here);
    assert_eq!(both.state(), there.state());
    (both, a, b)
}
