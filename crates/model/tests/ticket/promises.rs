//! The promises of the fold, kept in ten thousand random histories.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like tests"
)]

use std::collections::{BTreeMap, BTreeSet};

use wangge_crdt::Document;
use wangge_model::kind;
use wangge_model::ticket::document::{self as ticket, Ticket};
use wangge_model::ticket::pairs::{self, Ruling};
use wangge_model::ticket::{
    EventId, Kind, Opened, Parked, Refusal, Status, TicketEvent, TicketState,
};
use wangge_wire::{ActorId, DocId};

use crate::cast::{AI, Device};
use crate::histories::holds_together;
use crate::worlds::{Dice, World, idea};

const HISTORIES: u64 = 10_000;
const DOCUMENTS: u64 = 500;

fn refused(state: &TicketState, id: &EventId) -> Result<(), Refusal> {
    match state.parked.get(id) {
        Some(Parked::Refused(refusal)) => Err(*refusal),
        _ => Ok(()),
    }
}

/// Delivers what a device lacks in a random order; on the way each event keeps its verdict.
fn deliver(dice: &mut Dice, device: &mut Device, all: &Device, end: &TicketState) {
    let mut left: Vec<(EventId, TicketEvent)> = all
        .events
        .iter()
        .filter(|(id, _)| !device.events.contains_key(*id))
        .map(|(id, event)| (*id, event.clone()))
        .collect();
    dice.shuffle(&mut left);
    let stop = dice.below(left.len());
    for (count, (id, event)) in left.into_iter().enumerate() {
        device.events.insert(id, event);
        if count == stop {
            let state = device.state();
            for id in &state.history {
                assert_eq!(
                    refused(&state, id),
                    refused(end, id),
                    "a verdict is for ever"
                );
            }
        }
    }
}

#[test]
fn all_devices_agree_and_nothing_legal_is_lost() {
    let mut legal: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut parked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reached: BTreeSet<Status> = BTreeSet::new();
    let mut reasons: BTreeSet<&str> = BTreeSet::new();
    let mut contested = 0;
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let mut world = World::random(&mut dice);
        let all = world.whole();
        let end = all.state();
        holds_together(&all);
        let last = dice.below(world.devices.len());
        for (place, device) in world.devices.iter_mut().enumerate() {
            deliver(&mut dice, device, &all, &end);
            assert_eq!(device.events.len(), all.events.len());
            if place == last {
                assert_eq!(device.state(), end, "history {seed}");
            }
        }
        for (id, verdict) in &world.verdicts {
            assert_eq!(
                refused(&end, id),
                *verdict,
                "history {seed}: legal where it was made"
            );
            if let (Ok(()), Some(kind)) = (verdict, all.events[id].kind.known()) {
                *legal.entry(kind).or_default() += 1;
            }
        }
        for reason in end.parked.values() {
            *parked.entry(reason.code()).or_default() += 1;
            if let Parked::Overtaken { because, .. } = reason {
                reasons.insert(*because);
            }
        }
        contested += usize::from(!end.contested.is_empty());
        reached.insert(end.progress.status);
    }
    // The histories are worth something only if everything happens in them.
    for kind in Kind::ALL {
        assert!(
            legal.get(&kind).is_some_and(|count| *count >= 20),
            "{kind}: {legal:?}"
        );
    }
    let all_but_draft = Status::ALL
        .into_iter()
        .filter(|status| *status != Status::Draft);
    assert!(
        all_but_draft
            .into_iter()
            .all(|status| reached.contains(&status)),
        "{reached:?}"
    );
    let rows = pairs::PAIRS
        .iter()
        .filter(|row| row.ruling == Ruling::FirstStands);
    let unmet: Vec<&str> = rows
        .map(|row| row.reason)
        .filter(|row| !reasons.contains(row))
        .collect();
    assert_eq!(unmet, Vec::<&str>::new(), "rows no history met");
    for reason in ["overtaken", "settled", "retracted"] {
        assert!(
            parked.get(reason).is_some_and(|count| *count >= 20),
            "{parked:?}"
        );
    }
    assert!(contested > 100, "{contested}");
}

/// A device with a real document, and the changes it has, made here or heard of.
struct Replica {
    document: Document,
    actor: ActorId,
    changes: BTreeSet<usize>,
}

impl Replica {
    fn device(&self, opened: &Opened) -> Device {
        let (events, unread) = ticket::events(&self.document.fields());
        assert_eq!(unread, Vec::<String>::new());
        Device {
            opened: opened.clone(),
            events,
        }
    }

    /// Adds something that somebody thinks of, and returns the change.
    fn act(&mut self, dice: &mut Dice, opened: &Opened) -> Vec<u8> {
        let device = self.device(opened);
        let state = device.state();
        let mut event = idea(dice, &device, &state);
        for _ in 0..20 {
            if state.check(opened, &event).is_ok() {
                break;
            }
            event = idea(dice, &device, &state);
        }
        let (_, put) = ticket::event_put(&event).unwrap();
        let written = self.document.write(&self.actor, 1, &[put]).unwrap();
        written.map(|written| written.raw).unwrap_or_default()
    }

    /// Offers changes in a random order until none waits for another of them.
    fn hear(&mut self, dice: &mut Dice, log: &[Vec<u8>], heard: &BTreeSet<usize>) {
        self.changes.extend(heard);
        let mut offered: Vec<Vec<u8>> = self.changes.iter().map(|n| log[*n].clone()).collect();
        dice.shuffle(&mut offered);
        let applied = self.document.apply(&offered);
        assert_eq!(applied.held, []);
    }
}

#[test]
fn documents_that_exchange_changes_agree_with_the_fold() {
    for seed in 0..DOCUMENTS {
        let mut dice = Dice(0x5eed_0000 + seed);
        let opened = Opened::new(AI.id(), AI.area());
        let shape = kind::shape(kind::TICKET).unwrap();
        let begin = || Document::begin(&shape, &DocId([2; 16])).unwrap();
        let written = ticket::puts(&Ticket {
            area: Some(opened.area.clone()),
            first_asked_by: Some(opened.first_asked_by),
            ..Ticket::default()
        });
        let first = begin().write(&ActorId([9; 8]), 1, &written).unwrap();
        let mut log = vec![first.unwrap().raw];
        let mut replicas: Vec<Replica> = (1..=3 + dice.below(3) as u8)
            .map(|number| Replica {
                document: begin(),
                actor: ActorId([number; 8]),
                changes: BTreeSet::new(),
            })
            .collect();
        let count = replicas.len();
        for replica in &mut replicas {
            replica.hear(&mut dice, &log, &BTreeSet::from([0]));
        }
        for _ in 0..6 + dice.below(12) {
            let at = dice.below(count);
            if dice.chance(65) {
                log.push(replicas[at].act(&mut dice, &opened));
                replicas[at].changes.insert(log.len() - 1);
            } else {
                let from = replicas[dice.below(count)].changes.clone();
                let part = from.into_iter().filter(|_| dice.chance(80)).collect();
                replicas[at].hear(&mut dice, &log, &part);
            }
        }
        let everything: BTreeSet<usize> = (0..log.len()).collect();
        for replica in &mut replicas {
            replica.hear(&mut dice, &log, &everything);
        }
        let whole = replicas[0].device(&opened).state();
        assert_eq!(whole.history.len(), log.len() - 1, "history {seed}");
        for replica in &replicas {
            let (_, _, state) = ticket::state(&replica.document.fields()).unwrap();
            assert_eq!(state, whole, "history {seed}");
        }
    }
}
