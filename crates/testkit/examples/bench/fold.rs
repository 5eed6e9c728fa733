//! How long it takes to fold a long ticket: sixty events, some of them made without knowing of each
//! other.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use wangge_model::ticket::{
    DoneKind, EventId, Handler, Kind, Opened, Stamp, TicketEvent, TicketState, fold,
};
use wangge_wire::{AreaCode, PersonId, Role};

use super::Outcome;
use super::measures::{area, middle, text};

const EVENTS: usize = 60;
const RUNS: usize = 2_000;

/// A ticket in the making.
struct Story {
    opened: Opened,
    village: AreaCode,
    events: BTreeMap<EventId, TicketEvent>,
}

/// Microseconds to fold the ticket, as a command does each time it shows one.
pub(super) fn fold_ticket() -> Result<Outcome, String> {
    let story = Story::long()?;
    let state = story.state();
    if state.history.len() != EVENTS || !state.waiting.is_empty() {
        return Err(format!("{} events stand in order", state.history.len()));
    }
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let started = Instant::now();
        black_box(fold(&story.opened, black_box(&story.events)));
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    let (median, p95) = middle(&mut times);
    Ok(Outcome {
        value: median,
        runs: u32::try_from(RUNS).unwrap_or(u32::MAX),
        extra: BTreeMap::from([
            ("p95", p95),
            ("events", state.history.len() as f64),
            ("parked", state.parked.len() as f64),
            ("rounds", f64::from(state.progress.round)),
        ]),
    })
}

impl Story {
    /// Returns a ticket that was worked on, remarked on and sent back until it has all its events;
    /// in each turn the worker and the station act once without knowing of each other.
    fn long() -> Result<Self, String> {
        let mut story = Self {
            opened: Opened::new(PersonId([1; 16]), area("511724101201001")?),
            village: area("511724101201")?,
            events: BTreeMap::new(),
        };
        story.step(1, Kind::Submit)?;
        story.step(3, Kind::Accept)?;
        while story.events.len() < EVENTS {
            story.step(3, Kind::Assign)?;
            story.step(2, Kind::Start)?;
            story.apart(&[(2, Kind::Comment), (2, Kind::Done)], &[(3, Kind::Assign)])?;
            story.step(1, Kind::Answer)?;
            story.step(1, Kind::SendBack)?;
            story.apart(
                &[(2, Kind::Suspend)],
                &[(3, Kind::Comment), (3, Kind::Assign)],
            )?;
            story.step(5, Kind::Remind)?;
        }
        Ok(story)
    }

    fn state(&self) -> TicketState {
        fold(&self.opened, &self.events)
    }

    /// Adds an event of somebody who has seen everything.
    fn step(&mut self, who: u8, kind: Kind) -> Result<(), String> {
        let heads = self.state().heads;
        self.add(who, kind, heads).map(|_| ())
    }

    /// Adds what two make, each on their own.
    fn apart(&mut self, one: &[(u8, Kind)], other: &[(u8, Kind)]) -> Result<(), String> {
        let start = self.state().heads;
        for line in [one, other] {
            let mut heads = start.clone();
            for (who, kind) in line {
                heads = self.add(*who, *kind, heads)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, who: u8, kind: Kind, after: Vec<EventId>) -> Result<Vec<EventId>, String> {
        if self.events.len() == EVENTS {
            return Ok(after);
        }
        let (role, code) = match who {
            1 | 2 => (Role::Worker, self.opened.area.clone()),
            3 => (Role::Station, self.village.clone()),
            _ => (Role::Township, area("511724101")?),
        };
        let stamp = Stamp {
            at_ms: self.events.len() as i64,
            offset_ms: None,
        };
        let event = TicketEvent {
            after,
            to: (kind == Kind::Assign).then_some(Handler::Person(PersonId([2; 16]))),
            done_kind: (kind == Kind::Done).then_some(DoneKind::Substantive),
            on: (kind == Kind::Suspend).then(|| "2026-12-01".to_owned()),
            reason: (kind == Kind::Suspend).then(|| "等材料".to_owned()),
            text: Some("路面已看，约好周五".to_owned()),
            ..TicketEvent::new(kind, PersonId([who; 16]), role, code, stamp)
        };
        let (id, _) = event.write().map_err(text)?;
        self.events.insert(id, event);
        Ok(vec![id])
    }
}
