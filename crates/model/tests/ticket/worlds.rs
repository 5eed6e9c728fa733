//! Random histories on several devices that come and go, from a seed.
//!
//! **A seed says everything**: a history that breaks a promise is told by its number.

#![allow(clippy::indexing_slicing, reason = "helpers of tests fail like tests")]

use std::collections::BTreeMap;

use wangge_model::ticket::{
    Card, DoneKind, EventId, EventKind, Handler, Kind, Refusal, Status, TicketEvent, TicketState,
};
use wangge_wire::DocId;

use crate::cast::{BO, CAST, COUNTY, Device, TOWNSHIP, UNIT, village};

/// Numbers that only look random (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

/// Devices, what they made, and what their own judge said of it when they made it.
pub(super) struct World {
    pub(super) devices: Vec<Device>,
    pub(super) verdicts: BTreeMap<EventId, Result<(), Refusal>>,
}

impl Dice {
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % count.max(1)
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.below(last + 1);
            things.swap(last, other);
        }
    }
}

impl World {
    /// Returns a history of up to 25 steps on 3 to 5 devices, some of which do not hear of each other.
    pub(super) fn random(dice: &mut Dice) -> Self {
        let first_asked = CAST[dice.below(CAST.len())];
        let devices = 3 + dice.below(3);
        let mut world = Self {
            devices: vec![Device::new(first_asked)],
            verdicts: BTreeMap::new(),
        };
        // Where everybody begins: nothing, or a ticket on its way.
        for _ in 0..dice.below(7) {
            world.act(dice, 0);
        }
        world.devices = vec![world.devices[0].clone(); devices];
        let mut partition = 0;
        for _ in 0..6 + dice.below(13) {
            if dice.chance(15) {
                partition = dice.below(1 << devices);
            }
            let (at, from) = (dice.below(devices), dice.below(devices));
            if dice.chance(30) {
                let together = (partition >> at) & 1 == (partition >> from) & 1;
                if together {
                    world.hear(dice, at, from);
                }
            } else {
                world.act(dice, at);
            }
        }
        world
    }

    /// Lets a device hear of another's events: of all, or of some, so that events wait.
    fn hear(&mut self, dice: &mut Dice, at: usize, from: usize) {
        let whole = dice.chance(75);
        let parcel = self.devices[from].events.clone();
        for (id, event) in parcel {
            if whole || dice.chance(60) {
                self.devices[at].events.insert(id, event);
            }
        }
    }

    /// Lets somebody do something on a device, mostly something legal.
    fn act(&mut self, dice: &mut Dice, at: usize) {
        let device = &mut self.devices[at];
        let state = device.state();
        let legal = dice.chance(90);
        for _ in 0..40 {
            let event = idea(dice, device, &state);
            let verdict = state.check(&device.opened, &event);
            if verdict.is_ok() || !legal {
                self.verdicts.insert(device.add(event), verdict);
                return;
            }
        }
    }

    /// Returns a device that has heard of everything.
    pub(super) fn whole(&self) -> Device {
        let mut all = self.devices[0].clone();
        self.devices.iter().for_each(|device| all.hear(device));
        all
    }
}

/// Returns something that somebody may think of doing.
pub(super) fn idea(dice: &mut Dice, device: &Device, state: &TicketState) -> TicketEvent {
    let who = CAST[dice.below(CAST.len())];
    let likely = likely(state);
    let kind = if dice.chance(75) {
        likely[dice.below(likely.len())]
    } else {
        Kind::ALL[dice.below(Kind::ALL.len())]
    };
    let mut event = device.draft_after(state, who, kind);
    vary(dice, state, kind, &mut event);
    if dice.chance(5) {
        event.for_unit = Some(UNIT);
    }
    if dice.chance(5) {
        event.instead_of = Some(CAST[dice.below(CAST.len())].id());
    }
    if dice.chance(1) {
        event.kind = EventKind::Unknown("mediate".to_owned());
    }
    event.text = Some(dice.below(1_000_000).to_string());
    event
}

/// Returns the steps people take at this stage, so that histories get somewhere.
fn likely(state: &TicketState) -> &'static [Kind] {
    match state.progress.status {
        _ if !state.contested.is_empty() => &[Kind::Settle, Kind::Done, Kind::Assign],
        Status::Draft | Status::AskedBack => &[Kind::Submit],
        Status::Submitted | Status::Escalated => {
            &[Kind::Accept, Kind::Accept, Kind::AskBack, Kind::Escalate]
        }
        Status::Accepted | Status::Returned => &[Kind::Assign],
        Status::Assigned | Status::InProgress => &[
            Kind::Start,
            Kind::Done,
            Kind::Done,
            Kind::Return,
            Kind::Suspend,
            Kind::Resume,
            Kind::Extend,
            Kind::Grant,
            Kind::Refuse,
            Kind::Assign,
            Kind::Escalate,
        ],
        Status::Done => &[Kind::Verify, Kind::SendBack, Kind::FollowUp],
        Status::Verified => &[Kind::Close, Kind::FollowUp],
        _ => &[Kind::Archive, Kind::Reopen, Kind::Answer],
    }
}

/// Chooses what a kind leaves open.
fn vary(dice: &mut Dice, state: &TicketState, kind: Kind, event: &mut TicketEvent) {
    let person = |dice: &mut Dice| CAST[dice.below(CAST.len())].by_name();
    match kind {
        Kind::Assign => {
            let choices = [
                BO.by_name(),
                person(dice),
                village(),
                village(),
                Handler::Unit(UNIT),
                Handler::Area(TOWNSHIP.area()),
            ];
            event.to = Some(choices[dice.below(choices.len())].clone());
            event.due = dice.chance(50).then_some(dice.below(100) as i64);
        }
        Kind::HandOver => event.to = Some(person(dice)),
        Kind::Escalate if dice.chance(50) => event.to = Some(Handler::Area(COUNTY.area())),
        Kind::FollowUp => event.grade = Some(1 + dice.below(5) as u8),
        Kind::Merge if dice.chance(30) => event.into = Some(DocId([dice.below(3) as u8; 16])),
        Kind::Supervise => {
            event.card = Some([Card::Ordinary, Card::Yellow, Card::Red][dice.below(3)].clone());
        }
        Kind::Done if dice.chance(30) => event.done_kind = Some(DoneKind::Procedural),
        Kind::Retract => {
            let steps: Vec<&EventId> = state.loose.keys().collect();
            event.names = steps
                .get(dice.below(steps.len()))
                .map(|step| vec![**step])
                .unwrap_or_default();
            let author = event.names.first().and_then(|step| state.loose.get(step));
            if let Some(author) = author.filter(|_| dice.chance(80)) {
                event.by = *author;
            }
        }
        Kind::Settle => {
            if let Some((a, b)) = state.contested.get(dice.below(state.contested.len())) {
                event.names = if dice.chance(50) {
                    vec![*a, *b]
                } else {
                    vec![*b, *a]
                };
            }
        }
        _ => {}
    }
}
