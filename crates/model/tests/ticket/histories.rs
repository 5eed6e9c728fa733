//! What holds for every history, legal or not, in every order of delivery.

#![allow(clippy::indexing_slicing, reason = "helpers of tests fail like tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wangge_model::ticket::{
    Card, EventId, EventKind, Handler, Kind, Parked, Refusal, Status, TicketEvent, TicketState,
    fold,
};

use crate::cast::{AI, BO, CAST, COUNTY, Device, STATION, STRANGER, UNIT, Who, village};

/// Returns the events that `who` may think of making, most of them illegal.
pub(super) fn ideas(device: &Device, state: &TicketState, who: Who) -> Vec<TicketEvent> {
    let draft = |kind| device.draft_after(state, who, kind);
    let mut ideas: Vec<TicketEvent> = Kind::ALL.into_iter().map(draft).collect();
    let handlers = CAST
        .map(Who::by_name)
        .into_iter()
        .chain([village(), Handler::Unit(UNIT)]);
    ideas.extend(handlers.map(|to| TicketEvent {
        to: Some(to),
        ..draft(Kind::Assign)
    }));
    ideas.push(TicketEvent {
        for_unit: Some(UNIT),
        ..draft(Kind::Done)
    });
    ideas.push(TicketEvent {
        instead_of: Some(AI.id()),
        ..draft(Kind::Done)
    });
    ideas.extend([1, 2, 5, 9].map(|grade| TicketEvent {
        grade: Some(grade),
        ..draft(Kind::FollowUp)
    }));
    ideas.extend([Card::Yellow, Card::Red].map(|card| TicketEvent {
        card: Some(card),
        ..draft(Kind::Supervise)
    }));
    ideas.extend([COUNTY, STRANGER].map(|who| TicketEvent {
        to: Some(Handler::Area(who.area())),
        ..draft(Kind::Escalate)
    }));
    ideas.push(TicketEvent {
        to: Some(who.by_name()),
        ..draft(Kind::HandOver)
    });
    ideas.push(TicketEvent {
        into: Some(UNIT),
        ..draft(Kind::Merge)
    });
    ideas.extend(state.loose.keys().take(2).map(|step| TicketEvent {
        names: vec![*step],
        ..draft(Kind::Retract)
    }));
    for (a, b) in &state.contested {
        for winner in [*a, *b] {
            ideas.push(TicketEvent {
                names: all_against(state, winner),
                ..draft(Kind::Settle)
            });
        }
    }
    let newer = EventKind::Unknown("mediate".to_owned());
    ideas.push(TicketEvent {
        kind: newer,
        ..draft(Kind::Comment)
    });
    ideas
}

/// Returns a winner and all that is contested with it.
fn all_against(state: &TicketState, winner: EventId) -> Vec<EventId> {
    let against = state
        .contested
        .iter()
        .filter_map(|(a, b)| match (*a == winner, *b == winner) {
            (true, _) => Some(*b),
            (_, true) => Some(*a),
            _ => None,
        });
    std::iter::once(winner).chain(against).collect()
}

/// Brings the ticket to its end with the help of `people` only; returns whether they could.
fn finish(mut device: Device, people: &[Who]) -> bool {
    use Status::{
        Accepted, Archived, AskedBack, Assigned, Closed, Declined, Done, Draft, Escalated,
        InProgress, Merged, Returned, Submitted, Verified, Withdrawn,
    };
    for _ in 0..60 {
        let state = device.state();
        let legal: Vec<TicketEvent> = people
            .iter()
            .flat_map(|who| ideas(&device, &state, *who))
            .filter(|idea| state.check(&device.opened, idea).is_ok())
            .collect();
        let wanted: &[Kind] = match state.progress.status {
            _ if !state.contested.is_empty() => &[Kind::Settle],
            Draft | AskedBack => &[Kind::Submit],
            Submitted => &[Kind::Accept],
            // The level it was sent up to may not be one of them.
            Escalated => &[Kind::Accept, Kind::Withdraw],
            Accepted | Returned => &[Kind::Assign],
            Assigned | InProgress => &[Kind::Resume, Kind::Done, Kind::Assign],
            Done => &[Kind::Verify],
            Verified => &[Kind::Close],
            Declined | Merged | Withdrawn | Closed => &[Kind::Archive],
            Archived => return true,
        };
        // An assign to whoever of them can go on.
        let helps = |idea: &&TicketEvent| match &idea.to {
            Some(Handler::Person(person)) => people.iter().any(|who| who.id() == *person),
            Some(_) => false,
            None => true,
        };
        let next = wanted.iter().find_map(|kind| {
            legal
                .iter()
                .filter(helps)
                .find(|idea| idea.kind == EventKind::Known(*kind))
                .cloned()
        });
        // Filing it may be left to the level it was sent up to.
        let Some(next) = next else {
            return state.progress.status.is_ended();
        };
        device.add(next);
    }
    false
}

/// One act of a random history: who, on which device, which idea, and whether only a legal one.
type Act = (usize, usize, usize, bool);

fn acts(length: usize) -> impl Strategy<Value = Vec<Act>> {
    proptest::collection::vec(
        (
            0..3_usize,
            0..CAST.len(),
            0..1_000_usize,
            prop::bool::weighted(0.85),
        ),
        1..length,
    )
}

/// Makes one random event on a device and returns it with what the device's judge said.
fn act_at_random(
    device: &mut Device,
    who: Who,
    pick: usize,
    legal: bool,
) -> Option<(EventId, Result<(), Refusal>)> {
    let state = device.state();
    let mut ideas = ideas(device, &state, who);
    if legal {
        ideas.retain(|idea| state.check(&device.opened, idea).is_ok());
    }
    let idea = ideas.get(pick % ideas.len().max(1))?.clone();
    let verdict = state.check(&device.opened, &idea);
    Some((device.add(idea), verdict))
}

/// Returns the events an event's author had seen.
fn past(events: &BTreeMap<EventId, TicketEvent>, id: EventId) -> BTreeMap<EventId, TicketEvent> {
    let mut seen = BTreeMap::new();
    let mut todo = events[&id].after.clone();
    while let Some(next) = todo.pop() {
        if seen.insert(next, events[&next].clone()).is_none() {
            todo.extend(&events[&next].after);
        }
    }
    seen
}

/// Checks what holds for the state of any set of events.
pub(super) fn holds_together(device: &Device) {
    let state = device.state();
    let history: BTreeSet<EventId> = state.history.iter().copied().collect();
    let waiting: BTreeSet<EventId> = state.waiting.keys().copied().collect();
    assert!(history.is_disjoint(&waiting));
    assert_eq!(
        history.union(&waiting).count(),
        device.events.len(),
        "nothing is dropped"
    );
    assert!(state.parked.keys().all(|id| history.contains(id)));
    let mut before = BTreeSet::new();
    for id in &state.history {
        assert!(
            device.events[id]
                .after
                .iter()
                .all(|earlier| before.contains(earlier)),
            "causal order"
        );
        before.insert(*id);
    }
    for (a, b) in &state.contested {
        assert!(a < b && !state.parked.contains_key(a) && !state.parked.contains_key(b));
    }
    for (loser, parked) in &state.parked {
        let Some(by) = winner(parked) else { continue };
        assert!(history.contains(&by));
        let (mut last, mut steps) = (by, 0);
        while let Some(next) = state.parked.get(&last).and_then(winner) {
            (last, steps) = (next, steps + 1);
            assert!(steps < history.len(), "what gave way leads to what stands");
        }
        assert!(
            !state.parked.contains_key(&last),
            "{loser} gave way to what was never legal"
        );
    }
}

/// Returns what a legal event gave way to.
fn winner(parked: &Parked) -> Option<EventId> {
    match parked {
        Parked::Refused(_) => None,
        Parked::Overtaken { by, .. } | Parked::Settled { by } | Parked::Retracted { by } => {
            Some(*by)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn devices_that_hear_of_everything_agree(
        acts in acts(30),
        parcels in proptest::collection::vec((0..3_usize, 0..3_usize, any::<u64>()), 30),
        shuffle in any::<u64>(),
    ) {
        let mut devices = [Device::new(AI), Device::new(AI), Device::new(AI)];
        let mut verdicts = BTreeMap::new();
        for ((at, who, pick, legal), (from, to, mask)) in acts.into_iter().zip(parcels) {
            verdicts.extend(act_at_random(&mut devices[at], CAST[who], pick, legal));
            // Any part of what one device has reaches another, so that events wait.
            let parcel = devices[from].events.clone().into_iter().enumerate();
            let part = parcel.filter(|(n, _)| mask >> (n % 64) & 1 == 1).map(|(_, entry)| entry);
            devices[to].events.extend(part);
            holds_together(&devices[to]);
        }
        let mut all = Device::new(AI);
        devices.iter().for_each(|device| all.hear(device));
        // Delivered one by one in any order, each step a state of its own, the end the same.
        let mut left: Vec<(EventId, TicketEvent)> = all.events.clone().into_iter().collect();
        for device in &mut devices {
            left.sort_by_key(|(id, _)| shuffled(shuffle, *id));
            for (id, event) in &left {
                device.events.insert(*id, event.clone());
            }
            holds_together(device);
            prop_assert_eq!(device.state(), all.state());
        }
        for (id, verdict) in verdicts {
            let refused = match all.state().parked.get(&id) {
                Some(Parked::Refused(refusal)) => Err(*refusal),
                _ => Ok(()),
            };
            prop_assert_eq!(refused, verdict, "what was legal where it was made is never refused");
        }
    }

    #[test]
    fn an_event_is_judged_by_what_its_author_saw(acts in acts(24)) {
        let mut devices = [Device::new(BO), Device::new(BO), Device::new(BO)];
        for (at, who, pick, legal) in acts {
            act_at_random(&mut devices[at], CAST[who], pick, legal);
            if pick % 3 == 0 {
                let heard = devices[pick % 7 % 3].clone();
                devices[at].hear(&heard);
            }
        }
        let mut all = Device::new(BO);
        devices.iter().for_each(|device| all.hear(device));
        let state = all.state();
        for (id, event) in &all.events {
            let seen = fold(&all.opened, &past(&all.events, *id));
            let refused = matches!(state.parked.get(id), Some(Parked::Refused(_)));
            prop_assert_eq!(refused, seen.check(&all.opened, event).is_err());
        }
    }

    #[test]
    fn every_state_reaches_its_end(acts in acts(30), first_asked in 0..2_usize) {
        // A village of one worker and one person at the station, one step after the other.
        let people = [AI, STATION];
        let mut device = Device::new(people[first_asked]);
        for (_, who, pick, legal) in acts {
            act_at_random(&mut device, people[who % 2], pick, legal);
        }
        prop_assert!(finish(device.clone(), &people), "{:?}", device.state());
    }

    #[test]
    fn every_contested_state_reaches_its_end_with_two_people(acts in acts(24), first_asked in 0..CAST.len()) {
        let mut devices = [0; 3].map(|_| Device::new(CAST[first_asked]));
        for (at, who, pick, legal) in acts {
            act_at_random(&mut devices[at], CAST[who], pick, legal);
            if pick % 3 == 0 {
                let heard = devices[pick % 7 % 3].clone();
                devices[at].hear(&heard);
            }
        }
        let mut all = devices[0].clone();
        devices.iter().for_each(|device| all.hear(device));
        let pairs = CAST.iter().flat_map(|one| CAST.iter().map(move |other| [*one, *other]));
        prop_assert!(pairs.into_iter().any(|pair| finish(all.clone(), &pair)), "{:?}", all.state());
    }
}

/// Returns a place in a random order that is the same on each run.
fn shuffled(seed: u64, id: EventId) -> EventId {
    EventId::of(&format!("{seed}{id}"))
}
