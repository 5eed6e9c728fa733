//! No rule is a dead end: every state that few people can bring a ticket into, they can end.
//!
//! **Each state is walked, not sampled**: breadth first over all steps that the fewest people may
//! take, one after the other, then backwards from the ends.

#![allow(clippy::indexing_slicing, reason = "helpers of tests fail like tests")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wangge_model::ticket::{Handler, Kind, Status, TicketEvent, TicketState};

use crate::cast::{AI, COUNTY, Device, STATION, TOWNSHIP, Who};
use crate::histories::ideas;

/// The states a cast can reach, each with those one step away.
struct Walk {
    states: Vec<(Status, String)>,
    steps: Vec<BTreeSet<usize>>,
}

/// What a state is for those who go on from it; counters that only grow are left out.
fn look(state: &TicketState) -> String {
    let progress = &state.progress;
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        progress.status,
        progress.desks,
        progress.escalated_to,
        progress.handlers,
        progress.is_suspended(),
        progress
            .extension
            .as_ref()
            .map(|extension| extension.answer),
        progress.done_by,
        progress.answered_by.is_some(),
        progress.answer_owner,
    )
}

impl Walk {
    /// Walks every state of a ticket that `first` was asked about, with these people and no others.
    fn of(people: &[Who], first: Who) -> Self {
        let begin = Device::new(first);
        let mut walk = Self {
            states: vec![(Status::Draft, look(&begin.state()))],
            steps: vec![BTreeSet::new()],
        };
        let mut places: BTreeMap<String, usize> = BTreeMap::from([(walk.states[0].1.clone(), 0)]);
        let mut open: VecDeque<(usize, Device)> = VecDeque::from([(0, begin)]);
        while let Some((place, device)) = open.pop_front() {
            let state = device.state();
            for event in steps(people, &device, &state) {
                let mut next = device.clone();
                next.add(event);
                let state = next.state();
                let seen = look(&state);
                let new = places.len();
                let to = *places.entry(seen.clone()).or_insert(new);
                if to == new {
                    walk.states.push((state.progress.status, seen));
                    walk.steps.push(BTreeSet::new());
                    open.push_back((new, next));
                }
                walk.steps[place].insert(to);
            }
        }
        walk
    }

    /// Returns the states from which none of these is reached.
    fn stuck(&self, ends: &[Status]) -> Vec<&str> {
        let mut reaching: BTreeSet<usize> = (0..self.states.len())
            .filter(|place| ends.contains(&self.states[*place].0))
            .collect();
        loop {
            let before = reaching.len();
            for (place, steps) in self.steps.iter().enumerate() {
                if !steps.is_disjoint(&reaching) {
                    reaching.insert(place);
                }
            }
            if reaching.len() == before {
                break;
            }
        }
        let all = self.states.iter().enumerate();
        all.filter(|(place, _)| !reaching.contains(place))
            .map(|(_, (_, look))| look.as_str())
            .collect()
    }
}

/// Returns every step that one of these people may take now, as far as it needs no other person.
fn steps(people: &[Who], device: &Device, state: &TicketState) -> Vec<TicketEvent> {
    let theirs = |event: &TicketEvent| match (&event.to, event.kind.known()) {
        (Some(Handler::Person(person)), _) => people.iter().any(|who| who.id() == *person),
        (Some(Handler::Area(area)), Some(Kind::Escalate)) => people
            .iter()
            .any(|who| who.1.is_desk() && who.area().covers(area)),
        (Some(Handler::Area(area)), _) => people.iter().any(|who| area.covers(&who.area())),
        _ => true,
    };
    // These add to a list and change nothing that a later step asks about.
    let counts = [
        Kind::Comment,
        Kind::Remind,
        Kind::Supervise,
        Kind::Retract,
        Kind::Settle,
    ];
    people
        .iter()
        .flat_map(|who| ideas(device, state, *who))
        .filter(|event| {
            event
                .kind
                .known()
                .is_some_and(|kind| !counts.contains(&kind))
        })
        .filter(|event| theirs(event) && state.check(&device.opened, event).is_ok())
        .collect()
}

#[test]
fn two_people_bring_every_state_to_closed_or_to_another_end() {
    use Status::{Archived, Closed};
    // A station, no station but a township, neither but the county.
    for desk in [STATION, TOWNSHIP, COUNTY] {
        for first in [AI, desk] {
            let walk = Walk::of(&[AI, desk], first);
            assert!(walk.states.len() > 100, "{}", walk.states.len());
            assert_eq!(
                walk.stuck(&[Archived]),
                Vec::<&str>::new(),
                "{desk:?} {first:?}"
            );
            let cannot_close = walk.stuck(&[Closed]);
            let ended = ["Archived", "Merged", "Withdrawn"];
            let others: Vec<&&str> = cannot_close
                .iter()
                .filter(|look| !ended.iter().any(|end| look.starts_with(end)))
                .collect();
            assert_eq!(others, Vec::<&&str>::new(), "{desk:?} {first:?}");
        }
    }
}

#[test]
fn one_person_alone_ends_a_ticket_but_never_verifies_their_own_work() {
    let walk = Walk::of(&[TOWNSHIP], TOWNSHIP);
    assert_eq!(walk.stuck(&[Status::Archived]), Vec::<&str>::new());
    assert!(
        walk.states
            .iter()
            .all(|(status, _)| *status != Status::Verified)
    );
}
